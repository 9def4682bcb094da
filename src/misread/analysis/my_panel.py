"""What a panel says: the predictions of several models for the same images, taken together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from misread.analysis.difficulty import (
    contradiction_share,
    entropy,
    expected_entropy,
    mutual_information,
    normalized_margin,
    self_confidence,
)
from misread.analysis.noise import noise_matrix, undo_noise
from misread.errors import PredictionsError
from misread.tables import Predictions, Provenance
from misread.types import Array, FloatArray, IndexArray, LabelArray

# Probabilities held at once, over all members.
_MOST_PROBABILITIES = 1 << 22


@dataclass(frozen=True, eq=False)
class Panel:
    """Predictions of several models for the same images, none of which had seen them.

    Attributes:
        members: One or more, of one split; models, seeds, repeats, imported ones.

    Raises:
        PredictionsError: There are none, they are of different images, labels or classes, or some
            are in-sample.
    """

    members: tuple[Predictions, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise PredictionsError("panel: expected one or more predictions. Got none.")
        first = self.members[0]
        for member in self.members:
            member.provenance.require_out_of_sample()
            one, other = member.provenance, first.provenance
            same = (
                one.split == other.split
                and one.items_fingerprint == other.items_fingerprint
                and one.classes == other.classes
                and np.array_equal(member.index, first.index)
                and np.array_equal(member.given, first.given)
            )
            if not same:
                raise PredictionsError(
                    f"panel: expected predictions of the same images, given labels and classes. "
                    f"Got {one.name} beside {other.name}, which differ in them."
                )

    def __len__(self) -> int:
        return len(self.members[0])

    @property
    def index(self) -> IndexArray:
        """(N,) int32, position of each image in its split."""
        return self.members[0].index

    @property
    def given(self) -> LabelArray:
        """(N,) int16, given labels."""
        return self.members[0].given

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.members[0].classes

    @property
    def provenances(self) -> tuple[Provenance, ...]:
        """Where the members come from."""
        return tuple(member.provenance for member in self.members)

    @cached_property
    def reading(self) -> "PanelReading":
        """What the panel says of each image; computed when first asked for."""
        return read_panel(self.members)


@dataclass(frozen=True, eq=False)
class PanelReading:
    """What M members say of N images. Higher is harder or more suspicious, but for the first nine.

    Attributes:
        read_as: (N,) int16, most probable class of the members' mean.
        votes: (N,) int16, members whose own most probable class that is.
        votes_given: (N,) int16, members that read the image as given.
        least: (N,) float32, lowest probability of `read_as` among the members that vote for it.
        p_read_as: (N,) float32, its mean probability over all members.
        p_given: (N,) float32, the given label's mean probability.
        p_rival: (N,) float32, the highest mean probability of another class than the given one.
        right_given: (N,) float32, the given label's mean probability with the label noise undone.
        right_rival: (N,) float32, the highest of another class with the label noise undone; see
            `undo_noise`.
        self_confidence: (N,) float32 in [0, 1], of the mean; see `self_confidence`.
        margin: (N,) float32 in [0, 1], of the mean; see `normalized_margin`.
        entropy: (N,) float32 in nats, of the mean.
        expected_entropy: (N,) float32 in nats, mean of the members'.
        mutual_information: (N,) float32 in nats, the difference: what the members disagree about.
        contradiction: (N,) float32 in [0, 1], share of the members that read another class than
            the given one.
    """

    read_as: LabelArray
    votes: LabelArray
    votes_given: LabelArray
    least: FloatArray
    p_read_as: FloatArray
    p_given: FloatArray
    p_rival: FloatArray
    right_given: FloatArray
    right_rival: FloatArray
    self_confidence: FloatArray
    margin: FloatArray
    entropy: FloatArray
    expected_entropy: FloatArray
    mutual_information: FloatArray
    contradiction: FloatArray


def read_panel(members: Sequence[Predictions]) -> PanelReading:
    """Read the members' predictions chunk by chunk; memory for one chunk and the result.

    Args:
        members: One or more predictions of the same images.
    """
    parts = [_read_chunk(*chunk) for chunk in _chunks(members)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    given, classes = members[0].given, len(members[0].classes)
    matrix = noise_matrix(columns["read_as"], given, classes)
    means = ((_mean(stacked), labels) for stacked, labels in _chunks(members))
    right_given, right_rival = undo_noise(means, matrix)
    return PanelReading(**columns, right_given=right_given, right_rival=right_rival)


def _chunks(members: Sequence[Predictions]) -> Iterator[tuple[FloatArray, LabelArray]]:
    """Probabilities (M, n, K) and given labels (n,) of successive images."""
    first = members[0]
    rows = max(1, _MOST_PROBABILITIES // (len(members) * len(first.classes)))
    # An empty table has one empty chunk, so that every column has its type.
    for start in range(0, max(1, len(first)), rows):
        chunk = slice(start, start + rows)
        stacked = np.stack([member.probabilities[chunk] for member in members])
        yield stacked, first.given[chunk]


def _mean(probabilities: FloatArray) -> FloatArray:
    mean: FloatArray = probabilities.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _read_chunk(probabilities: FloatArray, given: LabelArray) -> dict[str, Array]:
    mean = _mean(probabilities)
    rows = np.arange(len(given))
    read_as = mean.argmax(axis=1).astype(np.int16)
    own = probabilities.argmax(axis=2)
    agree = own == read_as
    p_read_as = probabilities[:, rows, read_as]
    others = mean.copy()
    others[rows, given] = 0
    return {
        "read_as": read_as,
        "votes": agree.sum(axis=0, dtype=np.int16),
        "votes_given": (own == given).sum(axis=0, dtype=np.int16),
        "least": np.where(agree, p_read_as, 1).min(axis=0).astype(np.float32),
        "p_read_as": mean[rows, read_as],
        "p_given": mean[rows, given],
        "p_rival": others.max(axis=1),
        "self_confidence": self_confidence(mean, given),
        "margin": normalized_margin(mean, given),
        "entropy": entropy(mean),
        "expected_entropy": expected_entropy(probabilities),
        "mutual_information": mutual_information(probabilities),
        "contradiction": contradiction_share(probabilities, given),
    }
