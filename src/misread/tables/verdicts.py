"""Decided verdicts: what a person said is the matter with an image."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from misread.errors import VerdictsError
from misread.types import Array, IndexArray, IntArray, LabelArray


class Verdict(StrEnum):
    """What is the matter with an image.

    `model`: the label stands, the model is wrong. `label`: the label is wrong. `ambiguous`: it
    could be either. `unreadable`: nobody could tell; only people say so, never a suggestion.
    `fine`: the label stands, and there is nothing to blame a model for.
    """

    MODEL = "model"
    LABEL = "label"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    FINE = "fine"


VERDICTS = tuple(Verdict)
"""The verdicts in the order of their codes 0, 1, ..."""

CODES = {verdict: code for code, verdict in enumerate(VERDICTS)}
"""The code of each verdict in a table."""

_TYPES = {
    "index": np.int32,
    "verdict": np.int8,
    "label": np.int16,
    "given": np.int16,
    "revision": np.int64,
    "decided_at": np.int64,
}


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The decided verdicts on M images of one split, checked once, here.

    Attributes:
        split: Name of the split.
        index: (M,) int32, position of each image in its split; strictly increasing.
        verdict: (M,) int8, the code of the verdict, its position in `VERDICTS`.
        label: (M,) int16, the right class where the verdict is `label` and it was said, else -1.
        given: (M,) int16, the label that the verdict was given against, -1 where it wasn't told.
        revision: (M,) int64, number of the event that decided it.
        decided_at: (M,) int64, milliseconds since 1970, UTC.
        person: (M,) str, who decided it, "" where it wasn't said.

    Raises:
        VerdictsError: The arrays don't fit together.
    """

    split: str
    index: IndexArray
    verdict: Array
    label: LabelArray
    given: LabelArray
    revision: IntArray
    decided_at: IntArray
    person: Array

    def __post_init__(self) -> None:
        rows = (len(self.index),)
        for field, dtype in _TYPES.items():
            array = getattr(self, field)
            if array.shape != rows or array.dtype != dtype:
                raise VerdictsError(
                    f"{self.split}: {field} must be {np.dtype(dtype).name} {rows}. "
                    f"Got {array.dtype} {array.shape} instead."
                )
        if self.person.shape != rows or self.person.dtype.kind != "U":
            raise VerdictsError(f"{self.split}: person must be text {rows}.")
        if not len(self.index):
            return
        if self.index[0] < 0 or np.any(np.diff(self.index) <= 0):
            raise VerdictsError(
                f"{self.split}: index must be 0 or more and strictly increasing, each image once."
            )
        if self.verdict.min() < 0 or self.verdict.max() >= len(VERDICTS):
            raise VerdictsError(f"{self.split}: verdict must be in 0..{len(VERDICTS) - 1}.")
        if min(self.label.min(), self.given.min()) < -1:
            raise VerdictsError(f"{self.split}: label and given must be -1 or more.")
        wrong = self.verdict == CODES[Verdict.LABEL]
        if np.any(self.label[~wrong] != -1):
            raise VerdictsError(f"{self.split}: label must be -1 where the verdict isn't `label`.")
        if np.any(self.label[wrong & (self.label >= 0)] == self.given[wrong & (self.label >= 0)]):
            raise VerdictsError(f"{self.split}: label must be another class than the given one.")

    def __len__(self) -> int:
        return len(self.index)

    def where(self, verdict: Verdict) -> IndexArray:
        """The images with this verdict, in the order of the split."""
        chosen: IndexArray = self.index[self.verdict == CODES[verdict]]
        return chosen

    def find(self, index: int) -> tuple[Verdict, int | None] | None:
        """The verdict on one image and the right class if it was said; None if undecided."""
        place = int(np.searchsorted(self.index, index))
        if place == len(self.index) or self.index[place] != index:
            return None
        label = int(self.label[place])
        return VERDICTS[self.verdict[place]], None if label < 0 else label

    def spread(self, images: int) -> tuple[Array, LabelArray]:
        """Codes and right classes of all images of the split.

        Args:
            images: Number of images N of the split.

        Returns:
            (N,) int8, codes, -1 where nothing is decided; and (N,) int16, right classes, -1 where
            none was said.
        """
        codes, labels = np.full(images, -1, np.int8), np.full(images, -1, np.int16)
        codes[self.index], labels[self.index] = self.verdict, self.label
        return codes, labels
