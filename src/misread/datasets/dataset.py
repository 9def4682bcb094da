"""A dataset: images, given labels and class names, in splits; checked once when built."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from misread.datasets.images import (
    Images,
    Subset,
    array_fingerprint,
    check_array,
    describe,
    fingerprint,
    image_name,
    image_names,
    stack,
)
from misread.errors import DatasetError
from misread.types import Array, ByteArray, IntArray, LabelArray

__all__ = ["Dataset", "Images", "Split"]

MAX_CLASSES = int(np.iinfo(np.int16).max)


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One split of a dataset: images and their given labels.

    Two splits are equal only if they are one object; compare fingerprints for their content.

    Attributes:
        name: "train", "test" or another name.
        images: N images, each (H, W), (H, W, 1) or (H, W, 3) uint8. An array is kept as a
            read-only view, so that the fingerprint stays true.
        labels: (N,) int16, the given labels, 0 and up; any integer array is accepted and copied.

    Raises:
        DatasetError: images of another shape or dtype, labels that aren't N non-negative
            integers below 32,767.

    Example:
        >>> split = Split("test", np.zeros((3, 8, 8), np.uint8), np.array([0, 1, 0]))
        >>> split
        test: 3 images, 8 x 8 grey
        >>> split.take([2]).labels
        array([0], dtype=int16)
    """

    name: str
    images: Images
    labels: LabelArray

    def __post_init__(self) -> None:
        where = f"split {self.name!r}"
        if isinstance(self.images, np.ndarray):
            check_array(where, self.images)
            images = self.images.view()
            images.flags.writeable = False
            object.__setattr__(self, "images", images)
        labels = _checked_labels(where, self.labels)
        if len(self.images) != len(labels):
            raise DatasetError(
                f"{where}: every image needs one label, got "
                f"{len(self.images):,} images and {len(labels):,} labels"
            )
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        size = self.image_shape
        return f"{self.name}: {len(self):,} images" + (f", {describe(size)}" if size else "")

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(H, W) or (H, W, C) of every image, or None where each may have a size of its own."""
        return self.images.shape[1:] if isinstance(self.images, np.ndarray) else None

    @cached_property
    def items_fingerprint(self) -> str:
        """Fingerprint of the images, "sha256:...": their pixels, or what their files say."""
        return fingerprint(self.images)

    @cached_property
    def labels_fingerprint(self) -> str:
        """Fingerprint of the given labels, "sha256:...", apart from that of the images."""
        return array_fingerprint(self.labels)

    def file(self, index: int) -> str | None:
        """The path of an image's file in the dataset's folder; None where images are no files."""
        return image_name(self.images, index)

    def files(self, indices: npt.ArrayLike | None = None) -> Array | None:
        """The paths of images' files in the dataset's folder.

        Args:
            indices: (M,) integers from 0 to N - 1; None for all images.

        Returns:
            (M,) object array of text, or None where images are no files.
        """
        chosen = np.arange(len(self)) if indices is None else np.asarray(indices, dtype=np.int64)
        names = image_names(self.images, chosen)
        if names is None:
            return None
        found = np.empty(len(chosen), dtype=object)
        found[:] = names
        return found

    def take(self, indices: npt.ArrayLike) -> "Split":
        """The images and labels at `indices`, in that order, as a split of the same name.

        Args:
            indices: (M,) integers from 0 to N - 1, or a mask of (N,) bool. Images in an array
                are copied, others are read when asked for.

        Raises:
            DatasetError: indices of another kind, or outside the split.
        """
        chosen = self._checked_indices(np.asarray(indices))
        images = self.images
        subset = images[chosen] if isinstance(images, np.ndarray) else Subset(images, chosen)
        return Split(self.name, subset, self.labels[chosen])

    def pixels(self, operation: str = "training") -> ByteArray:
        """All images as one array (N, H, W) or (N, H, W, C) uint8.

        Args:
            operation: what they are needed for, to be named in the error.

        Raises:
            DatasetError: the images have several sizes, there are none, or too many for memory.
        """
        return stack(f"split {self.name!r}", self.images, operation)

    def _checked_indices(self, indices: Array) -> IntArray:
        where = f"split {self.name!r}"
        if indices.dtype == np.bool_ and indices.shape == (len(self),):
            return np.flatnonzero(indices)
        if indices.shape == (0,):
            return np.empty(0, dtype=np.int64)
        if indices.ndim != 1 or indices.dtype.kind not in "iu":
            raise DatasetError(
                f"{where}: indices must be (M,) integers or a mask of "
                f"({len(self)},) bool, got {indices.shape} {indices.dtype}"
            )
        if indices.min() < 0 or indices.max() >= len(self):
            raise DatasetError(
                f"{where}: indices must be from 0 to {len(self) - 1}, "
                f"got {indices.min()} to {indices.max()}"
            )
        return indices.astype(np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images, given labels and class names, in splits.

    Attributes:
        name: short name for titles and file names.
        classes: K class names; label k is `classes[k]`. At most 32,767.
        splits: by name, usually "train" and "test".
        source: a built-in name or an absolute path: what `misread.load` takes to load it again.
        licence: the licence of the images, if known.
        notes: what there is to know of how it was read, such as files that were left out.

    Raises:
        DatasetError: no splits, no or too many classes, or labels outside the classes.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    source: str
    licence: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(str(name) for name in self.classes))
        object.__setattr__(self, "splits", dict(self.splits))
        count = len(self.classes)
        if not 1 <= count <= MAX_CLASSES:
            raise DatasetError(
                f"dataset {self.name!r}: must have 1 to {MAX_CLASSES:,} classes, got {count:,}"
            )
        if not self.splits:
            raise DatasetError(f"dataset {self.name!r}: must have at least one split, got none")
        for name, split in self.splits.items():
            if name != split.name:
                raise DatasetError(
                    f"dataset {self.name!r}: the split under {name!r} must have "
                    f"that name, got {split.name!r}"
                )
            if len(split) and split.labels.max() >= count:
                raise DatasetError(
                    f"dataset {self.name!r}, split {name!r}: labels must be from "
                    f"0 to {count - 1} ({count} classes), got "
                    f"{split.labels.max()} at image {split.labels.argmax()}"
                )

    def __repr__(self) -> str:
        parts = [f"{name} {len(split):,}" for name, split in self.splits.items()]
        parts.append(f"{len(self.classes):,} class" + ("es" if len(self.classes) > 1 else ""))
        shapes = {split.image_shape for split in self.splits.values()}
        if len(shapes) == 1 and (shape := shapes.pop()):
            parts.append(describe(shape))
        return f"{self.name}: {', '.join(parts)}"

    @property
    def train(self) -> Split:
        """The split "train"; DatasetError where there is none."""
        return self._split("train")

    @property
    def test(self) -> Split:
        """The split "test"; DatasetError where there is none."""
        return self._split("test")

    def _split(self, name: str) -> Split:
        if name not in self.splits:
            there = ", ".join(map(repr, self.splits))
            way = "; training takes a folder 'train' beside it" if name == "train" else ""
            raise DatasetError(f"dataset {self.name!r}: no split {name!r}; it has {there}{way}")
        return self.splits[name]


def numbered_classes(splits: Mapping[str, Split]) -> tuple[str, ...]:
    """Class names for data that brings none: "0" up to the largest label of any split."""
    largest = max((int(split.labels.max()) for split in splits.values() if len(split)), default=0)
    return tuple(str(k) for k in range(largest + 1))


def _checked_labels(where: str, given: npt.ArrayLike) -> LabelArray:
    """A read-only int16 copy of the labels, once they are what a label can be."""
    try:
        labels = np.asarray(given)
    except ValueError as error:
        raise DatasetError(f"{where}: labels must be (N,) integers, got a ragged list") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DatasetError(
            f"{where}: labels must be (N,) integers, got {labels.shape} {labels.dtype}"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= MAX_CLASSES):
        raise DatasetError(
            f"{where}: labels must be from 0 to {MAX_CLASSES - 1}, "
            f"got {labels.min()} to {labels.max()}"
        )
    checked = labels.astype(np.int16)
    checked.flags.writeable = False
    return checked
