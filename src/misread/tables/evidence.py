"""What training leaves of each image beside probabilities: its dynamics and its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.errors import PredictionsError
from misread.tables.predictions import Provenance
from misread.types import Array, FloatArray, IndexArray


@dataclass(frozen=True, eq=False)
class Dynamics:
    """How N training images fared while networks were trained on them: in-sample by nature.

    Attributes:
        index: (N,) int32, position of each image in its split; strictly increasing.
        area_under_margin: (N,) float32, mean over the epochs of the logit of the given class minus
            the largest other logit, as the image was drawn (Pleiss et al. 2020, eq. 2).
        first_learned: (N,) float32, first epoch in which the image was read as given; `epochs` + 1
            if it never was.
        forgotten: (N,) float32, how often the image was read as given at one drawing and not at the
            next (Toneva et al. 2019, definition 1).
        epochs: Length of the training.
        networks: Number of networks that the figures are means over.
        provenance: Where they come from.

    Raises:
        PredictionsError: The arrays don't fit together.
    """

    index: IndexArray
    area_under_margin: FloatArray
    first_learned: FloatArray
    forgotten: FloatArray
    epochs: int
    networks: int
    provenance: Provenance

    def __post_init__(self) -> None:
        rows = len(self.index)
        for field in ("area_under_margin", "first_learned", "forgotten"):
            check_array(self.provenance, field, getattr(self, field), (rows,), np.float32)
            if not np.isfinite(getattr(self, field)).all():
                raise PredictionsError(f"{self.provenance.run_name}: {field} must be finite.")
        check_index(self.provenance, self.index)

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def mean(cls, tables: Sequence["Dynamics"], provenance: Provenance) -> "Dynamics":
        """The mean over networks, each trained on some of the images, image by image.

        Args:
            tables: One or more, of trainings of equally many epochs.
            provenance: Of the result.
        """
        index, place = np.unique(
            np.concatenate([table.index for table in tables]), return_inverse=True
        )
        counts = np.bincount(place)

        def mean_of(field: str) -> FloatArray:
            values = np.concatenate([getattr(table, field) for table in tables])
            return (np.bincount(place, values) / counts).astype(np.float32)

        return cls(
            index=index,
            area_under_margin=mean_of("area_under_margin"),
            first_learned=mean_of("first_learned"),
            forgotten=mean_of("forgotten"),
            epochs=tables[0].epochs,
            networks=int(counts.max(initial=1)),
            provenance=provenance,
        )


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training images that a network finds most like each of N images it never saw.

    Attributes:
        index: (N,) int32, position of each image in its split; strictly increasing.
        neighbours: (N, M) int32 with M >= 1, positions in the training split, the nearest first.
        provenance: The split of the N images, and the model.

    Raises:
        PredictionsError: The arrays don't fit together.
    """

    index: IndexArray
    neighbours: IndexArray
    provenance: Provenance

    def __post_init__(self) -> None:
        width = self.width if self.neighbours.ndim == 2 else 0
        shape = (len(self.index), max(1, width))
        check_array(self.provenance, "neighbours", self.neighbours, shape, np.int32)
        check_index(self.provenance, self.index)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def width(self) -> int:
        """Number of neighbours M of each image."""
        return int(self.neighbours.shape[1])


def check_array(
    provenance: Provenance,
    field: str,
    array: Array,
    shape: tuple[int, ...],
    dtype: type[np.generic],
) -> None:
    """Refuse an array of another shape or type; `provenance` and `field` name it."""
    if array.shape != shape or array.dtype != dtype:
        raise PredictionsError(
            f"{provenance.run_name}: {field} must be {np.dtype(dtype).name} {shape}. "
            f"Got {array.dtype} {array.shape} instead."
        )


def check_index(provenance: Provenance, index: IndexArray, field: str = "index") -> None:
    """Refuse positions that aren't int32, 0 or more and strictly increasing."""
    good = index.ndim == 1 and index.dtype == np.int32
    if not good or (len(index) and (index[0] < 0 or np.any(np.diff(index) <= 0))):
        raise PredictionsError(
            f"{provenance.run_name}: {field} must be (N,) int32, 0 or more and strictly increasing."
        )
