"""What a network with a decoder thinks it saw in difficult images."""

from dataclasses import dataclass

import numpy as np

from misread.tables import Reconstructions
from misread.types import BoolArray, FloatArray, IntArray
from misread.views.pages.parts import Drawing, Label, Picture
from misread.views.pages.study_tables import StudyTables

MEANING = (
    "Each image is drawn again from the capsule of one class alone: the given one, and where the "
    "network reads another, the predicted one. The error is the mean squared difference of the "
    "pixels, of values in [0, 1]. A drawing shows what the capsule holds, not what is right."
)


@dataclass(frozen=True)
class Drawn:
    """One image beside what the network drew of it.

    Attributes:
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        predicted: The network's predicted class.
        as_given: The drawing as the given class.
        as_predicted: The drawing as the predicted class; None where that is the given one.
        error_given: Mean squared error as the given class, in [0, 1].
        error_predicted: The same as the predicted class.
        share_worse: Share of the split that is drawn worse, as predicted.
    """

    picture: Picture
    file: str
    given: Label
    predicted: Label
    as_given: Drawing
    as_predicted: Drawing | None
    error_given: float
    error_predicted: float
    share_worse: float


@dataclass(frozen=True)
class ReconstructionsPage:
    """Difficult images of one split beside what a network drew of them.

    Attributes:
        split: Name of the split.
        run: Name of the network's run.
        origin: What it had seen of the split.
        images: Number of images that it drew.
        error_right: Mean error of the images that it reads as given; None if there are none.
        error_wrong: Mean error of its mistakes, as predicted; None if there are none.
        meaning: What drawings and errors are.
        draws_alike: Whether the network draws nearly the same image whatever the class.
        by_panel: Whether images stand by the difficulty of the panel, rather than by their error.
        mistakes: Its mistakes, the most difficult first.
        others: Further difficult images, likewise.
        hidden: Number of further images whose drawings are kept.
    """

    split: str
    run: str
    origin: str
    images: int
    error_right: float | None
    error_wrong: float | None
    meaning: str
    draws_alike: bool
    by_panel: bool
    mistakes: tuple[Drawn, ...]
    others: tuple[Drawn, ...]
    hidden: int

    @property
    def title(self) -> str:
        """Heading of the page, and its name in a navigation."""
        return f"Reconstructions of {self.split}"


def build_reconstructions(tables: StudyTables, split: str) -> ReconstructionsPage:
    """The page of a split that a network with a decoder has drawn.

    Args:
        tables: The study's tables.
        split: A key of their reconstructions.
    """
    table = tables.reconstructions[split]
    difficulty, by_panel = _difficulty(tables, table)
    rows = np.searchsorted(table.index, table.drawn)
    order = rows[np.argsort(-difficulty[rows], kind="stable")]
    wrong = table.given != table.predicted
    mistakes = order[wrong[order]][: tables.limits.drawn]
    others = order[~wrong[order]][: tables.limits.drawn - len(mistakes)]
    return ReconstructionsPage(
        split=split,
        run=table.provenance.run_name,
        origin=str(table.provenance.origin),
        images=len(table),
        error_right=_mean(table.error_predicted, ~wrong),
        error_wrong=_mean(table.error_predicted, wrong),
        meaning=MEANING,
        draws_alike=table.draws_alike,
        by_panel=by_panel,
        mistakes=_entries(tables, table, mistakes),
        others=_entries(tables, table, others),
        hidden=len(rows) - len(mistakes) - len(others),
    )


def _difficulty(tables: StudyTables, table: Reconstructions) -> tuple[FloatArray, bool]:
    """(N,) of each image, and whether it is the panel's."""
    audit = tables.audits.get(table.provenance.split)
    if audit is None:
        return table.error_predicted, False
    panel = audit.evidence.panel
    size = 1 + max(panel.index.max(initial=0), table.index.max(initial=0))
    found = np.zeros(int(size), np.float32)
    found[panel.index] = panel.entropy
    return found[table.index], True


def _mean(errors: FloatArray, chosen: BoolArray) -> float | None:
    return float(errors[chosen].mean(dtype=np.float64)) if chosen.any() else None


def _entries(tables: StudyTables, table: Reconstructions, rows: IntArray) -> tuple[Drawn, ...]:
    worse = 1 - table.share_better(table.error_predicted[rows])
    return tuple(
        _entry(tables, table, row, float(share))
        for row, share in zip(rows.tolist(), worse, strict=True)
    )


def _entry(tables: StudyTables, table: Reconstructions, row: int, worse: float) -> Drawn:
    provenance, index = table.provenance, int(table.index[row])
    given, predicted = tables.labels[table.given[row]], tables.labels[table.predicted[row]]

    def drawing(role: str) -> Drawing:
        return Drawing(provenance.split, index, provenance.run_name, role)

    return Drawn(
        picture=Picture(provenance.split, index),
        file=tables.file(provenance.split, index),
        given=given,
        predicted=predicted,
        as_given=drawing("given"),
        as_predicted=None if given == predicted else drawing("predicted"),
        error_given=float(table.error_given[row]),
        error_predicted=float(table.error_predicted[row]),
        share_worse=worse,
    )
