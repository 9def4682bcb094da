"""Images as a browser takes them: sprite sheets, single pictures, thumbnails kept on disk."""

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from misread.datasets import Dataset, Split
from misread.datasets.images import Previewed, unwrap
from misread.errors import ParameterError
from misread.files import cache_folder, write_bytes
from misread.types import Array, ByteArray

# zlib's run-length strategy. On MNIST's digits and on photographs its files are within 2% of
# those of compression level 9, at the speed of level 1 or above.
_RUN_LENGTHS = 3
_JPEG_QUALITY = 88

_PNG, _JPEG = "image/png", "image/jpeg"
_ENDINGS = {".png": _PNG, ".jpg": _JPEG}

# Where all thumbnails take more, the oldest are removed. That is looked at after the first few
# megabytes of a process, and then now and then.
_MOST_BYTES = 2 << 30
_CHECK_AFTER_BYTES = 64 << 20
_FIRST_CHECK_AFTER_BYTES = 4 << 20

# The folder of a split's thumbnails.
_PLACE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Sprite:
    """Several images on one sheet, row by row from the upper left.

    Attributes:
        png: The sheet, losslessly.
        columns: Cells in a full row.
        width: Of one cell, in pixels.
        height: Of one cell, in pixels.
    """

    png: bytes
    columns: int
    width: int
    height: int


def sprite(
    images: Sequence[Array] | Array, columns: int, cell: tuple[int, int] | None = None
) -> Sprite:
    """Images on one sheet, so that a page needs one file for hundreds of them.

    An image keeps its pixels; one that is larger than the cell is scaled down to fit. One that
    doesn't fill its cell is centred, and what is left around it is transparent.

    Args:
        images: N images (H, W), (H, W, 1) or (H, W, 3) uint8, 1 or more. The sheet is grey if all
            of them are.
        columns: Cells in a row, 1 or more; fewer where there are fewer images.
        cell: Width and height of a cell in pixels; None for the largest of the images.

    Raises:
        ParameterError: No image, or columns or the cell is below 1.

    Example:
        >>> sheet = sprite(np.zeros((5, 28, 28), np.uint8), columns=3)
        >>> sheet.columns, sheet.width, sheet.height
        (3, 28, 28)
    """
    if len(images) == 0:
        raise ParameterError("images must be 1 or more. Got none.")
    if columns < 1:
        raise ParameterError(f"columns must be 1 or more. Got {columns} instead.")
    sizes = {image.shape[:2] for image in images}
    width, height = cell or (max(w for _, w in sizes), max(h for h, _ in sizes))
    if min(width, height) < 1:
        raise ParameterError(f"cell must be 1 x 1 or more. Got {width} x {height} instead.")
    columns = min(columns, len(images))
    if isinstance(images, np.ndarray) and sizes == {(height, width)}:
        cells: Array = images[..., 0] if images.shape[3:] == (1,) else images
    else:
        cells = _fitted([_plain(image) for image in images], width, height)
    return Sprite(_png(_sheet(cells, columns)), columns, width, height)


def encode(image: Array, most: int | None = None) -> tuple[bytes, str]:
    """One image as a file for a browser: its own pixels, or fewer.

    Args:
        image: (H, W), (H, W, 1) or (H, W, 3) uint8.
        most: Longest side in pixels, 1 or more. A larger image is scaled down and becomes a JPEG;
            any other, and every image if this is None, is a PNG that loses nothing.

    Returns:
        The file's content and its media type.

    Raises:
        ParameterError: most is below 1.
    """
    if most is not None and most < 1:
        raise ParameterError(f"most must be 1 or more. Got {most} instead.")
    plain = _plain(image)
    if most is None or max(plain.shape[:2]) <= most:
        return _png(plain), _PNG
    buffer = io.BytesIO()
    _shrunk(plain, most, most).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue(), _JPEG


class Thumbnails:
    """Small pictures of a dataset's images, made when asked for and kept on disk.

    Several threads and processes may use one folder: files appear whole, and at worst one is made
    twice. What is as fast to make as to read isn't kept: images of an array and files that aren't
    larger than the thumbnail; such a file is given as it is if it holds nothing but pixels. What
    can't be written isn't kept either. Beyond 2 GB in all, the oldest are removed.

    Args:
        dataset: The images.
        folder: Where they are kept, by the split's fingerprint; None for `thumbnails` in misread's
            cache folder.
    """

    def __init__(self, dataset: Dataset, folder: Path | None = None) -> None:
        self._dataset = dataset
        self._folder = cache_folder() / "thumbnails" if folder is None else Path(folder)
        self._written = _CHECK_AFTER_BYTES - _FIRST_CHECK_AFTER_BYTES

    def get(self, split: str, index: int, most: int = 224) -> tuple[bytes, str]:
        """One image, at most this large.

        Args:
            split: Its split.
            index: Its position in the split.
            most: Longest side in pixels, 1 or more.

        Returns:
            The file's content and its media type: as `encode` makes them, or the image's own file.

        Raises:
            ParameterError: There is no such split or image, or most is below 1.
            DatasetError: The image can't be read.
        """
        if split not in self._dataset.splits:
            there = ", ".join(self._dataset.splits)
            raise ParameterError(f"split: expected one of {there}. Got {split!r} instead.")
        found = self._dataset.splits[split]
        if not 0 <= index < len(found):
            raise ParameterError(
                f"index: expected an image of the {split} split, 0 to {len(found) - 1}. "
                f"Got {index} instead."
            )
        shape = found.image_shape
        if most < 1 or (shape is not None and max(shape[:2]) <= most):
            return encode(found.images[index], most)
        return self._kept(found, index, most)

    def _kept(self, split: Split, index: int, most: int) -> tuple[bytes, str]:
        """The picture from the cache, or made and put there."""
        images, i = unwrap(split.images, index)
        files = images if isinstance(images, Previewed) else None
        name = f"{index}" if files is None else f"{index}-{files.stamp(i)}"
        place = self._place(split) / str(most) / f"{index >> 10}"
        for ending, media_type in _ENDINGS.items():
            with contextlib.suppress(OSError):
                return (place / f"{name}{ending}").read_bytes(), media_type
        if files is not None and (original := files.original(i, most)):
            return original
        image = images[i] if files is None else files.preview(i, most)
        content, media_type = encode(image, most)
        (ending,) = (e for e, kind in _ENDINGS.items() if kind == media_type)
        with contextlib.suppress(OSError):
            write_bytes(place / f"{name}{ending}", content)
            self._make_room(len(content))
        return content, media_type

    def _place(self, split: Split) -> Path:
        return self._folder / hashlib.sha256(split.items_fingerprint.encode()).hexdigest()[:32]

    def _make_room(self, written: int) -> None:
        """Now and then, remove the oldest pictures beyond what all may take."""
        self._written += written
        if self._written < _CHECK_AFTER_BYTES:
            return
        self._written = 0
        # Not what somebody else may have put into the folder.
        places = [place for place in self._folder.iterdir() if _PLACE.fullmatch(place.name)]
        found = (file for place in places for file in place.glob("*/*/*"))
        files = [file for file in found if file.suffix in _ENDINGS]
        states = sorted((state.st_mtime, state.st_size, file) for file, state in _stated(files))
        excess = sum(size for _, size, _ in states) - _MOST_BYTES
        for _, size, file in states:
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size


def _stated(files: Sequence[Path]) -> list[tuple[Path, os.stat_result]]:
    """The files that are still there, with what the system knows of them."""
    found = []
    for file in files:
        with contextlib.suppress(OSError):
            found.append((file, file.stat()))
    return found


def _plain(image: Array) -> Array:
    """An image without the axis of a single channel."""
    return image[..., 0] if image.shape[2:] == (1,) else image


def _fitted(images: Sequence[Array], width: int, height: int) -> ByteArray:
    """Images in cells of one size (N, height, width, 2 or 4): the last channel is opacity."""
    colours = 3 if any(image.ndim == 3 for image in images) else 1
    cells = np.zeros((len(images), height, width, colours + 1), dtype=np.uint8)
    for cell, image in zip(cells, images, strict=True):
        small = image
        if image.shape[0] > height or image.shape[1] > width:
            small = np.asarray(_shrunk(image, width, height))
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        inside = cell[top : top + small.shape[0], left : left + small.shape[1]]
        inside[..., :colours] = small if small.ndim == 3 else small[..., None]
        inside[..., colours] = 255
    opaque = bool((cells[..., colours] == 255).all())
    return (cells[..., 0] if colours == 1 else cells[..., :3]) if opaque else cells


def _sheet(cells: Array, columns: int) -> Array:
    """Cells (N, h, w[, C]) as one image (rows h, columns w[, C]); the last row is filled up."""
    count, height, width, *channels = cells.shape
    rows = -(-count // columns)
    full = np.zeros((rows * columns, height, width, *channels), dtype=np.uint8)
    full[:count] = cells
    grid = full.reshape(rows, columns, height, width, *channels).swapaxes(1, 2)
    return np.ascontiguousarray(grid).reshape(rows * height, columns * width, *channels)


def _shrunk(image: Array, width: int, height: int) -> Image.Image:
    """An image scaled down to fit, in its own proportions."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((width, height))
    return picture


def _png(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.save(buffer, "PNG", compress_type=_RUN_LENGTHS)
    return buffer.getvalue()
