"""What is known of the images of a split, as columns: one value per image."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from misread.analysis.outcomes import Outcomes
from misread.tables.predictions import Provenance
from misread.types import Array, FloatArray, IndexArray, LabelArray

CodeArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class ModelColumns:
    """What one model says of the N images of a split.

    Attributes:
        predicted: (N,) int16, the most probable class; -1 where the model predicts nothing.
        p_predicted: (N,) float32 in [0, 1], its probability; NaN where it predicts nothing.
        p_given: (N,) float32 in [0, 1], the probability of the given label; likewise.
    """

    predicted: LabelArray
    p_predicted: FloatArray
    p_given: FloatArray

    @classmethod
    def unknown(cls, images: int) -> Self:
        """Those of a model that predicts nothing."""
        nothing = np.full(images, np.nan, np.float32)
        return cls(np.full(images, -1, np.int16), nothing, nothing)

    def take(self, places: IndexArray) -> "ModelColumns":
        """Those of some images."""
        return ModelColumns(*(column[places] for column in vars(self).values()))

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(column.nbytes for column in vars(self).values())


@dataclass(frozen=True, eq=False)
class ScoreColumns:
    """What the panel says of the N images of a split.

    Attributes:
        difficulty: (N,) float32 in [0, ln K], entropy of the panel's mean probabilities, in nats;
            NaN where the panel predicts nothing.
        suspicion: (N,) float32 in [0, 1], see `planted_flip_suspicion`; likewise.
        suggested: (N,) int8, code of the suggested verdict, its place in `VERDICTS`; -1 likewise.
        suggested_label: (N,) int16, class suggested instead of the given label; -1 for none.
    """

    difficulty: FloatArray
    suspicion: FloatArray
    suggested: CodeArray
    suggested_label: LabelArray

    @classmethod
    def unknown(cls, images: int) -> Self:
        """Those of a panel that predicts nothing."""
        nothing = np.full(images, np.nan, np.float32)
        code = np.full(images, -1, np.int16)
        return cls(nothing, nothing, code.astype(np.int8), code)

    def take(self, places: IndexArray) -> "ScoreColumns":
        """Those of some images."""
        return ScoreColumns(*(column[places] for column in vars(self).values()))


@dataclass(frozen=True, eq=False)
class DecidedColumns:
    """What people decided on the N images of a split, at one revision.

    Attributes:
        verdict: (N,) int8, code of the verdict, its place in `VERDICTS`; -1 where nothing is
            decided.
        label: (N,) int16, the label that was decided; -1 for none.
        revision: Of the verdicts.
    """

    verdict: CodeArray
    label: LabelArray
    revision: int


@dataclass(frozen=True, eq=False)
class MetadataColumn:
    """One column of the metadata.

    Attributes:
        codes: (N,) int32, place of each image's value in `values`; -1 where it is missing.
        values: (V,) the distinct values: texts as objects, int64, float64 or bool.
        kind: `text`, `whole numbers`, `numbers` or `yes/no`.
    """

    codes: IndexArray
    values: Array
    kind: str

    def text(self, code: int) -> str:
        """A value as text: as it is shown, and as queries name it."""
        value = self.values[code]
        return ("yes" if value else "no") if self.values.dtype == np.bool_ else str(value)

    def find(self, text: str) -> int | None:
        """The code of the value that has this text, None if there is none."""
        if self.kind == "text":
            places = np.flatnonzero(self.values == text)
        elif self.kind == "yes/no":
            places = np.flatnonzero(self.values == (text == "yes"))
        else:
            try:
                places = np.flatnonzero(self.values == float(text))
            except ValueError:
                return None
        # Whole numbers above 2**53 aren't told apart as floats, and "1e0" isn't how 1 is written.
        return next((int(code) for code in places if self.text(int(code)) == text), None)

    def common(self, most: int) -> list[tuple[str, int]]:
        """The `most` most frequent values with their number of images; of equals the first."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))
        order = np.argsort(-counts, kind="stable")[:most]
        return [(self.text(code), int(counts[code])) for code in order.tolist() if counts[code]]

    @property
    def missing(self) -> int:
        """Number of images without a value."""
        return int(np.count_nonzero(self.codes < 0))


def model_columns(found: Outcomes, images: int) -> ModelColumns:
    """The columns of one model.

    Args:
        found: What it makes of some or all images of the split.
        images: N, number of images of the split.
    """
    return ModelColumns(
        predicted=spread(found.predicted, found.index, images, -1),
        p_predicted=spread(found.p_predicted, found.index, images, np.nan),
        p_given=spread(found.p_given, found.index, images, np.nan),
    )


def spread(values: Array, index: IndexArray, images: int, fill: float) -> Array:
    """Values of some images as a column of all N, `fill` for the others."""
    if len(index) == images:
        return values
    column = np.full(images, fill, values.dtype)
    column[index] = values
    return column


def preferred(found: list[Provenance]) -> list[Provenance]:
    """Predictions of one split, best suited to look at first.

    Out-of-sample ones come before in-sample ones, single networks before means, newer before
    older; one of each run.
    """

    def rank(provenance: Provenance) -> tuple[bool, bool]:
        return provenance.origin == "in-sample", provenance.is_mean

    newest_first = sorted(found, key=lambda provenance: provenance.created, reverse=True)
    best: dict[str, Provenance] = {}
    for provenance in sorted(newest_first, key=rank):
        best.setdefault(provenance.run_name, provenance)
    return list(best.values())
