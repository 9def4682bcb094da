"""Predicted probabilities of one model on one split."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol

import numpy as np

from misread.errors import PredictionsError
from misread.types import FloatArray, IndexArray, LabelArray

# Float32 softmax over 1,000 classes stays within 1e-5 of one; half precision within 5e-3.
SUM_TOLERANCE = 1e-2
# Bytes of probabilities that stay in a core's cache while several passes are made over them.
_BLOCK_BYTES = 256 << 10
# Bytes of probabilities that are read, or handed to a thread, at a time. Larger buffers go back to
# the operating system after each use, which costs more than the further row groups do.
RANGE_BYTES = 8 << 20


class Origin(StrEnum):
    """What the model had seen of the split that it predicted."""

    HELD_OUT = "held-out"
    CROSS_FITTED = "cross-fitted"
    IN_SAMPLE = "in-sample"


@dataclass(frozen=True)
class Provenance:
    """Where predictions come from; the metadata of a predictions file.

    Attributes:
        model: Name of the model.
        recipe: Name of its recipe, `imported` for predictions made elsewhere.
        seed: Seed of the training.
        split: Name of the split that was predicted.
        origin: What the model had seen of that split.
        classes: Class names, in the order of the probabilities' columns.
        items_fingerprint: Fingerprint of the split's images, "" where there are none.
        created: ISO 8601 time of the prediction.
        repeat: Number of the repeat, None for a single one.
    """

    model: str
    recipe: str
    seed: int
    split: str
    origin: Origin
    classes: tuple[str, ...]
    items_fingerprint: str
    created: str
    repeat: int | None = None

    def __post_init__(self) -> None:
        texts = (
            self.model, self.recipe, self.split, self.items_fingerprint, self.created, *self.classes
        )  # fmt: skip
        numbers = (self.seed, 0 if self.repeat is None else self.repeat)
        # type() rather than isinstance(): True is no seed.
        if not all(type(text) is str for text in texts) or {type(n) for n in numbers} != {int}:
            raise PredictionsError(f"expected a provenance of texts and whole numbers. Got {self}")

    @property
    def run_name(self) -> str:
        """`{model}-{recipe}-s{seed}[-r{repeat}]`."""
        repeat = "" if self.repeat is None else f"-r{self.repeat}"
        return f"{self.model}-{self.recipe}-s{self.seed}{repeat}"

    @property
    def name(self) -> str:
        """`{run name}.{split}.{origin}`: the stem of the predictions' file."""
        return f"{self.run_name}.{self.split}.{self.origin}"

    @property
    def is_mean(self) -> bool:
        """Whether these are the mean over the networks of a cross-fit, of a split none saw."""
        return self.repeat is not None and self.origin == Origin.HELD_OUT

    def require_out_of_sample(self) -> None:
        """Refuse probabilities of a model that was trained on the images it predicts.

        Such a model has been told the given labels: how surely it repeats one says nothing of how
        hard the image is, nor of whether the label is right.

        Raises:
            PredictionsError: The origin is `in-sample`.
        """
        if self.origin == Origin.IN_SAMPLE:
            raise PredictionsError(
                f"{self.name}: expected held-out or cross-fitted predictions. Got in-sample ones "
                f"instead: a model repeats the labels that it was trained on; `misread crossfit` "
                "predicts each training image by a model that never saw it"
            )


class PredictionSource(Protocol):
    """Predictions that can be read a range of rows at a time: in memory, or from a file.

    Index and given labels are at hand; of the probabilities, a range.
    """

    @property
    def provenance(self) -> Provenance:
        """Where they come from."""

    @property
    def index(self) -> IndexArray:
        """(N,) int32, position of each image in its split; strictly increasing."""

    @property
    def given(self) -> LabelArray:
        """(N,) int16, given labels in [0, K)."""

    def ranges(self) -> list[tuple[int, int]]:
        """Consecutive ranges of rows that are cheap to read, none larger than memory allows."""

    def read(self, start: int, stop: int) -> FloatArray:
        """(stop - start, K) float32, the checked probabilities of these rows."""


def row_blocks(rows: int, classes: int) -> Iterator[slice]:
    """Slices of rows whose float32 probabilities fit a core's cache."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, classes)))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def row_ranges(rows: int, classes: int) -> list[tuple[int, int]]:
    """Ranges (start, stop) of at most `RANGE_BYTES` of probabilities and 65,536 rows."""
    step = max(1, min(65_536, RANGE_BYTES // (4 * max(1, classes))))
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


@dataclass(frozen=True, eq=False)
class Predictions:
    """N predictions over K classes, checked once, here.

    Attributes:
        index: (N,) int32, position of each image in its split; strictly increasing.
        given: (N,) int16, given labels in [0, K).
        probabilities: (N, K) float32 in [0, 1], rows sum to 1.
        provenance: Where they come from.

    Arrays of other whole numbers or other floats are converted.

    Raises:
        PredictionsError: The arrays don't fit together or hold something else than
            probabilities.
    """

    index: IndexArray
    given: LabelArray
    probabilities: FloatArray
    provenance: Provenance

    def __post_init__(self) -> None:
        name, classes = self.provenance.name, len(self.provenance.classes)
        if self.probabilities.ndim != 2 or self.probabilities.shape[1] != classes:
            raise PredictionsError(
                f"{name}: probabilities must be (N, {classes}), one column per class. "
                f"Got {self.probabilities.shape} instead."
            )
        rows = len(self.probabilities)
        if self.index.shape != (rows,) or self.given.shape != (rows,):
            raise PredictionsError(
                f"{name}: index, given and probabilities must be equally long. "
                f"Got {self.index.size}, {self.given.size} and {rows} instead."
            )
        self._convert("index", "iu", np.int32)
        self._convert("given", "iu", np.int16)
        self._convert("probabilities", "f", np.float32)
        check_rows(name, self.index, self.given, classes)
        check_probabilities(name, self.probabilities)

    def _convert(
        self, field: str, kinds: str, dtype: type[np.int16 | np.int32 | np.float32]
    ) -> None:
        """Make a field's numbers the documented ones, if their kind and range allow it."""
        array = getattr(self, field)
        fits = array.dtype.kind in kinds
        if fits and array.size and issubclass(dtype, np.integer):
            limits = np.iinfo(dtype)
            fits = limits.min <= int(array.min()) and int(array.max()) <= limits.max
        if not fits:
            raise PredictionsError(
                f"{self.provenance.name}: {field} must be {np.dtype(dtype).name}. "
                f"Got {array.dtype} instead, or numbers out of its range."
            )
        object.__setattr__(self, field, array.astype(dtype, copy=False))

    def ranges(self) -> list[tuple[int, int]]:
        """Consecutive ranges of rows, each small enough to be worked on at a time."""
        return row_ranges(len(self), len(self.classes))

    def read(self, start: int, stop: int) -> FloatArray:
        """(stop - start, K) float32, the probabilities of these rows, not copied."""
        return self.probabilities[start:stop]

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def predicted(self) -> LabelArray:
        """(N,) int16: the most probable class; the first one where several tie."""
        predicted: LabelArray = self.probabilities.argmax(axis=1).astype(np.int16)
        return predicted

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the columns."""
        return self.provenance.classes

    def __repr__(self) -> str:
        return f"Predictions({self.provenance.name}: {len(self):,} x {len(self.classes)})"


def check_rows(name: str, index: IndexArray, given: LabelArray, classes: int) -> None:
    """Refuse an index that doesn't increase, and labels of no class.

    Raises:
        PredictionsError: They are wrong; the message starts with the name.
    """
    if not len(index):
        return
    if index[0] < 0 or np.any(np.diff(index) <= 0):
        raise PredictionsError(
            f"{name}: index must be 0 or more and strictly increasing, each image once."
        )
    if given.min() < 0 or given.max() >= classes:
        raise PredictionsError(
            f"{name}: given labels must be in 0..{classes - 1}. "
            f"Got {given.min()}..{given.max()} instead."
        )


def check_probabilities(name: str, probabilities: FloatArray, first_row: int = 0) -> None:
    """Refuse rows of something else than probabilities.

    Args:
        name: What the message starts with.
        probabilities: (n, K) float32.
        first_row: Number of the first row, for the message.

    Raises:
        PredictionsError: A row has NaN or a negative number, or its sum is further than
            `SUM_TOLERANCE` from 1.
    """
    rows, classes = probabilities.shape
    ones = np.ones(classes, np.float32)
    for block in row_blocks(rows, classes):
        part = probabilities[block]
        # A product with ones is the fastest sum of rows; what isn't finite is found, not warned of.
        with np.errstate(all="ignore"):
            sums = part @ ones
        # Written so that NaN fails: a comparison with NaN is false.
        good = np.abs(sums - 1) <= SUM_TOLERANCE
        if good.all() and part.min(initial=0) >= 0:
            continue
        good &= part.min(axis=1, initial=1) >= 0
        row = int(np.argmin(good))
        if np.isnan(part[row]).any():
            raise PredictionsError(f"{name}: row {first_row + block.start + row} holds NaN.")
        raise PredictionsError(
            f"{name}: each row of probabilities must be 0 or more and sum to 1. "
            f"Row {first_row + block.start + row} has minimum {part[row].min(initial=1):.4g} and "
            f"sum {sums[row]:.4g}; scores that aren't probabilities need a softmax first."
        )
