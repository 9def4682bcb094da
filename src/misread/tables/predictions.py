"""Predicted probabilities of one model on one split."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from misread.errors import PredictionsError
from misread.types import FloatArray, IndexArray, LabelArray

# Float32 softmax over 1,000 classes stays within 1e-5 of one; half precision within 5e-3.
SUM_TOLERANCE = 1e-2


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
        if rows and (self.index[0] < 0 or np.any(np.diff(self.index) <= 0)):
            raise PredictionsError(
                f"{name}: index must be 0 or more and strictly increasing, each image once."
            )
        if rows and (self.given.min() < 0 or self.given.max() >= classes):
            raise PredictionsError(
                f"{name}: given labels must be in 0..{classes - 1}. "
                f"Got {self.given.min()}..{self.given.max()} instead."
            )
        self._check_probabilities(name)

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

    def _check_probabilities(self, name: str) -> None:
        # Written so that NaN fails: a comparison with NaN is false.
        sums = self.probabilities.sum(axis=1, dtype=np.float64)
        good = np.abs(sums - 1) <= SUM_TOLERANCE
        if len(good):
            good &= self.probabilities.min(axis=1) >= 0
        if not good.all():
            row = int(np.argmin(good))
            raise PredictionsError(
                f"{name}: each row of probabilities must be 0 or more and sum to 1. "
                f"Row {row} has minimum {self.probabilities[row].min():.4g} and sum "
                f"{sums[row]:.4g}; scores that aren't probabilities need a softmax first."
            )

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
