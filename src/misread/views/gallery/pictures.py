"""The gallery's images as files for a browser."""

from collections.abc import Sequence

import numpy as np

from misread.datasets import Dataset, Split
from misread.errors import ParameterError
from misread.views.thumbnails import Sprite, Thumbnails, encode, sprite

MOST_SPRITE = 500
# Pixels of a side: larger images are fetched one by one, and scaled down.
_LARGEST_CELL = 64
_THUMBNAIL = 224
# Pixels of a side of an image in full: what a screen can show.
_LARGEST = 4096


class Pictures:
    """Sprites, thumbnails and full images of a dataset.

    Args:
        dataset: The images.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._thumbnails = Thumbnails(dataset)

    def sprite(self, split: str, items: Sequence[int], columns: int) -> Sprite:
        """These images on one sheet.

        Args:
            split: Name of a split whose images have a cell.
            items: Positions in the split, 1 to `MOST_SPRITE`.
            columns: Cells in a row, 1 or more.

        Raises:
            ParameterError: There is no such split or image, or the split has no cell.
        """
        found = self._split(split)
        cell = cell_of(found)
        if cell is None:
            raise ParameterError(
                f"split: expected one with small images of one size. Got {split!a} instead; "
                "/image/SPLIT/INDEX has one of them"
            )
        if not 1 <= len(items) <= MOST_SPRITE:
            raise ParameterError(
                f"items: expected 1 to {MOST_SPRITE} positions. Got {len(items)} instead."
            )
        places = np.array(items, np.int64)
        if places.min() < 0 or places.max() >= len(found):
            raise ParameterError(f"items: expected positions from 0 to {len(found) - 1}")
        images = found.images
        pixels = images[places] if isinstance(images, np.ndarray) else [images[i] for i in items]
        return sprite(pixels, columns, cell)

    def image(self, split: str, index: int, *, full: bool) -> tuple[bytes, str]:
        """One image as a file, and its media type.

        Args:
            split: Name of the split.
            index: Position in it.
            full: Whether all its pixels are wanted, rather than a thumbnail.

        Raises:
            ParameterError: There is no such split or image.
            DatasetError: The image can't be read.
        """
        found = self._split(split)
        if not 0 <= index < len(found):
            raise ParameterError(
                f"index: expected an image of {split}, 0 to {len(found) - 1}. Got {index} instead."
            )
        if not full:
            return self._thumbnails.get(split, index, _THUMBNAIL)
        return encode(found.images[index], _LARGEST)

    def _split(self, name: str) -> Split:
        if name not in self._dataset.splits:
            there = ", ".join(self._dataset.splits)
            raise ParameterError(f"split: expected one of {there}. Got {name!a} instead.")
        return self._dataset.splits[name]


def cell_of(split: Split) -> tuple[int, int] | None:
    """Width and height of a cell of a split's sprites.

    None where the images are large or of several sizes, and so are fetched one by one.
    """
    shape = split.image_shape
    if shape is None or max(shape[:2]) > _LARGEST_CELL:
        return None
    return shape[1], shape[0]
