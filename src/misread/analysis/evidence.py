"""All the evidence on the given labels of one split, in one table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.analysis.flip_suspicion import FlipEvidence, planted_flip_suspicion, standardised
from misread.analysis.labels import LabelIssues, find_label_issues
from misread.analysis.learning import Learning, count_learners
from misread.analysis.neighbourhood import Neighbourhood, look_around
from misread.analysis.noise import noise_matrix, undo_noise
from misread.analysis.panel import PanelMean, PanelScores, score_panel
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.evidence import ReaderEvidence, place_readings
from misread.errors import PredictionsError
from misread.tables import Dynamics, Neighbours
from misread.tables.predictions import PredictionSource, Provenance
from misread.types import BoolArray, FloatArray, LabelArray


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """How the images fared in training, over all networks that were trained on them.

    Attributes:
        networks: Number of networks, summed over the tables.
        epochs: Length of the longest training.
        margin: (N,) float32, area under the margin, in robust standard deviations from the median;
            mean over the tables.
        first_learned: (N,) float32, mean first epoch in which an image was read as given; a network
            that never did so counts with the epoch after its last.
        forgotten: (N,) float32, mean number of times it was forgotten.
        learning: How many networks read each image as given, as far as is known.
    """

    networks: int
    epochs: int
    margin: FloatArray
    first_learned: FloatArray
    forgotten: FloatArray
    learning: Learning

    @property
    def never_learned(self) -> BoolArray:
        """(N,) bool, whether no network ever read the image as given."""
        never: BoolArray = self.learning.most == 0
        return never


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the given labels of N images.

    Attributes:
        members: Where the panel's predictions come from.
        panel: What the models say.
        issues: Confident learning on their mean.
        neighbourhood: What the nearest training images say, None if that isn't known.
        training: How the images fared in training, None if they weren't trained on or that wasn't
            recorded.
        readers: What people who read blind called the images, None if nobody did.
        flips: What the suspicion weighs; readers don't count in it.
        suspicion: (N,) float32 in [0, 1]; see `planted_flip_suspicion`.
    """

    members: tuple[Provenance, ...]
    panel: PanelScores
    issues: LabelIssues
    neighbourhood: Neighbourhood | None
    training: TrainingRecord | None
    flips: FlipEvidence
    suspicion: FloatArray
    readers: ReaderEvidence | None = None

    def __len__(self) -> int:
        return len(self.panel)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.members[0].classes


def gather_evidence(
    panel: Sequence[PredictionSource],
    neighbours: Sequence[Neighbours] = (),
    train_labels: LabelArray | None = None,
    dynamics: Sequence[Dynamics] = (),
    readings: LabelReadings | None = None,
) -> Evidence:
    """Put together what the models, the neighbours, the training and readers say.

    Args:
        panel: One or more predictions by models that never saw the images; in memory or in files,
            of which a range of rows is read at a time.
        neighbours: Tables of nearest training images of the panel's images, by networks that never
            saw them.
        train_labels: Given labels of the training split; needed with neighbours.
        dynamics: Of trainings on the panel's images.
        readings: What readers called images, of any of the split's.

    Raises:
        PredictionsError: The panel's predictions are in-sample or don't fit together, or a table is
            of other images.
    """
    scores = score_panel(panel)
    members = tuple(source.provenance for source in panel)
    _check_tables([*neighbours, *dynamics], scores, members[0].split)
    classes = len(members[0].classes)
    neighbourhood = None
    if neighbours and train_labels is not None:
        _check_positions(neighbours, len(train_labels))
        neighbourhood = look_around(
            neighbours, train_labels, scores.given, scores.majority, classes
        )
    training = _summarise(dynamics) if dynamics else None
    mean = PanelMean(panel)
    # Of what the models are less sure of, they confuse classes themselves: that is no label noise.
    sure = scores.p_majority >= np.median(scores.p_majority) if len(scores) else slice(None)
    noise = noise_matrix(scores.majority[sure], scores.given[sure], classes)
    flips = FlipEvidence(*undo_noise(mean, noise), None if training is None else training.margin)
    return Evidence(
        members=members,
        panel=scores,
        issues=find_label_issues(mean),
        neighbourhood=neighbourhood,
        training=training,
        flips=flips,
        suspicion=planted_flip_suspicion(flips),
        readers=None if readings is None else place_readings(readings, scores.index, scores.given),
    )


def _check_tables(tables: Sequence[Neighbours | Dynamics], scores: PanelScores, split: str) -> None:
    for table in tables:
        same = table.provenance.split == split
        if not same or not np.array_equal(table.index, scores.index):
            raise PredictionsError(
                f"{table.provenance.name}: covers other images than the panel's predictions"
            )
        if isinstance(table, Neighbours):
            table.provenance.require_out_of_sample()


def _check_positions(neighbours: Sequence[Neighbours], images: int) -> None:
    for table in neighbours:
        places = table.neighbours
        if places.size and not 0 <= places.min() <= places.max() < images:
            raise PredictionsError(
                f"{table.provenance.name}: neighbours must be in 0..{images - 1}, positions in the "
                f"training split. Got {places.min()}..{places.max()} instead."
            )


def _summarise(dynamics: Sequence[Dynamics]) -> TrainingRecord:
    def mean(columns: list[FloatArray]) -> FloatArray:
        return np.asarray(np.mean(columns, axis=0, dtype=np.float64), np.float32)

    return TrainingRecord(
        networks=sum(table.networks for table in dynamics),
        epochs=max(table.epochs for table in dynamics),
        # Logits of other networks have another scale.
        margin=mean([standardised(table.area_under_margin) for table in dynamics]),
        first_learned=mean([table.first_learned for table in dynamics]),
        forgotten=mean([table.forgotten for table in dynamics]),
        learning=count_learners(dynamics),
    )
