"""An audit: each image's evidence and the suggested verdict, ranked, as rows and as a picture."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from misread.analysis.evidence import Evidence
from misread.analysis.ranking import SCORES, score
from misread.analysis.verdicts import SUGGESTED, Suggestion, Thresholds, listed, suggest
from misread.datasets import Split
from misread.errors import ParameterError
from misread.tables import Neighbours, Provenance
from misread.tables.export import class_names
from misread.tables.verdicts import Verdict
from misread.types import Array, FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class AuditRow:
    """What an audit says of one image.

    Attributes:
        index: Position of the image in its split.
        file: Path of its file in the dataset's folder; None where images are no files.
        given: Its given label.
        read_as: The class that most models of the panel read.
        suggestion: The verdict, with the evidence in words.
        suggested_label: The class suggested instead of the given one, None unless the verdict is
            `label`.
        readers: Number of people who read it blind, 0 if nobody did or it isn't known.
        readers_given: How many of them called it its given label.
        scores: Every score that there is evidence for, by its key in `SCORES`.
    """

    index: int
    file: str | None
    given: str
    read_as: str
    suggestion: Suggestion
    suggested_label: str | None
    readers: int
    readers_given: int
    scores: dict[str, float]

    @property
    def suspicion(self) -> float:
        """In [0, 1], see `planted_flip_suspicion`."""
        return self.scores["suspicion"]


@dataclass(frozen=True, eq=False)
class Audit:
    """The evidence on the labels of a split.

    Attributes:
        split: The images.
        train: The training images, among which neighbours are; None if there are none.
        evidence: On each image of the panel.
        thresholds: Where a verdict turns.
        neighbours: By the first network of the panel that found any; None if none did.
        left_out: In-sample predictions that were not used.
        partial: Predictions of some images only that were not used beside those of all.
    """

    split: Split
    train: Split | None
    evidence: Evidence
    thresholds: Thresholds
    neighbours: Neighbours | None
    left_out: tuple[Provenance, ...] = ()
    partial: tuple[Provenance, ...] = ()

    def __len__(self) -> int:
        return len(self.evidence)

    @cached_property
    def listed(self) -> IntArray:
        """(L,) int64, places of the images that are misread or suspicious, worst first."""
        return listed(self.evidence, self.thresholds)

    @cached_property
    def suggestions(self) -> dict[int, Suggestion]:
        """The suggested verdict on each listed image, by its place."""
        found = suggest(self.evidence, self.listed, self.thresholds)
        return dict(zip(map(int, self.listed), found, strict=True))

    @cached_property
    def scores(self) -> dict[str, FloatArray]:
        """(N,) float32 by the keys of `SCORES`, those that there is evidence for."""
        found = {name: compute(self.evidence) for name, compute in SCORES.items()}
        return {name: values for name, values in found.items() if values is not None}

    @property
    def contradicted(self) -> IntArray:
        """(n,) int64, places of the images that readers call something else, most readers first."""
        readers = self.evidence.readers
        if readers is None:
            return np.empty(0, np.int64)
        rows = np.flatnonzero(readers.contradicted)
        lead = readers.votes[rows] - readers.votes_given[rows]
        ranked: IntArray = rows[np.argsort(-lead, kind="stable")]
        return ranked

    @property
    def counts(self) -> dict[str, int]:
        """Number of listed images by suggested verdict."""
        found = Counter(suggestion.verdict for suggestion in self.suggestions.values())
        return {str(verdict): found[verdict] for verdict in SUGGESTED if verdict != Verdict.FINE}

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.evidence.classes

    def rank(self, by: str = "suspicion") -> IntArray:
        """(N,) int64, places of all images, the highest score first; ties keep the split's order.

        Raises:
            ParameterError: There is no such score, or nothing to compute it from.
        """
        order: IntArray = np.argsort(-score(self.evidence, by), kind="stable")
        return order

    def row(self, place: int) -> AuditRow:
        """What is said of the image at this place of the panel."""
        panel = self.evidence.panel
        suggestion, readers = self.suggestions.get(place), self.evidence.readers
        if suggestion is None:
            suggestion = suggest(self.evidence, np.array([place]), self.thresholds)[0]
        index = int(panel.index[place])
        return AuditRow(
            index=index,
            file=self.split.file(index),
            given=self.classes[int(panel.given[place])],
            read_as=self.classes[int(self.evidence.panel.majority[place])],
            suggestion=suggestion,
            suggested_label=None if suggestion.label is None else self.classes[suggestion.label],
            readers=0 if readers is None else int(readers.answers[place]),
            readers_given=0 if readers is None else int(readers.votes_given[place]),
            scores={name: float(values[place]) for name, values in self.scores.items()},
        )

    def rows(self, top: int = 20, by: str = "suspicion") -> list[AuditRow]:
        """The `top` images by a score, 0 or more."""
        return [self.row(int(place)) for place in self.rank(by)[:top]]

    def place(self, index: int) -> int:
        """The place in the panel of the image at this position of the split.

        Raises:
            ParameterError: The panel has no such image.
        """
        places = np.flatnonzero(self.evidence.panel.index == index)
        if not len(places):
            raise ParameterError(
                f"index: expected an image of the {self.split.name} split that the panel predicts, "
                f"0 to {len(self.split) - 1}. Got {index} instead."
            )
        return int(places[0])

    def columns(self, by: str = "suspicion") -> dict[str, Array]:
        """A table with one row per image, ranked by a score: (N,) arrays by name.

        Images that nobody misreads and nothing makes suspicious are `fine`, without a sentence.
        """
        evidence, order = self.evidence, self.rank(by)
        panel = evidence.panel
        fine = Suggestion(Verdict.FINE, None, "", "")
        said = [self.suggestions.get(int(place), fine) for place in order]
        index = panel.index[order]
        files = self.split.files(index)
        columns = {
            "index": index,
            **({} if files is None else {"file": files}),
            "given": class_names(panel.given[order], self.classes),
            "verdict": np.array([str(suggestion.verdict) for suggestion in said]),
            "suggested_label": np.array(
                [None if s.label is None else self.classes[s.label] for s in said], dtype=object
            ),
            "read_as": class_names(panel.majority[order], self.classes),
            "votes": panel.votes[order],
            "votes_given": panel.votes_given[order],
            "members": np.full(len(order), panel.models),
            "p_read_as": panel.p_majority[order],
            "p_given": panel.p_given[order],
        }
        readers = evidence.readers
        if readers is not None:
            called = class_names(readers.called[order], self.classes).astype(object)
            # Nothing where nobody called it anything else.
            called[readers.votes[order] == 0] = None
            columns |= {
                "readers": readers.answers[order],
                "readers_given": readers.votes_given[order],
                "readers_called": called,
                "readers_votes": readers.votes[order],
            }
        columns |= {name: values[order] for name, values in self.scores.items()}
        columns["confident_learning"] = evidence.issues.flagged[order]
        columns["evidence"] = np.array([suggestion.evidence for suggestion in said])
        columns["reason_not_flagged"] = np.array([suggestion.reason for suggestion in said])
        return columns

    def plot(self, top: int = 10, by: str = "suspicion") -> "Figure":
        """The `top` images by a score, each with its evidence and its nearest training images.

        Args:
            top: Rows, 1 or more.
            by: A score.

        Raises:
            ParameterError: top is below 1, or there is no such score.
        """
        if top < 1:
            raise ParameterError(f"top must be 1 or more. Got {top} instead.")
        what = by.replace("_", " ").replace("-", " ")
        title = f"Images of {self.split.name} highest in {what}"
        return self.plot_places(self.rank(by)[:top], title)

    def plot_places(self, places: Sequence[int] | IntArray, title: str) -> "Figure":
        """Any images, each with its evidence and its nearest training images.

        Args:
            places: Places in the panel, one or more.
            title: Heading of the picture.
        """
        # The report and the gallery audit without matplotlib, which takes its time to load.
        from misread.views.audit_figure import draw_audit

        return draw_audit(self, places, title)
