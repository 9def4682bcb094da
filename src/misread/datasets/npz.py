"""NumPy .npz files with images and labels, named as Keras, MedMNIST and others name them."""

import math
import zipfile
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np

from misread.datasets._files import DEFLATE_RATIO, open_input, read_up_to, show, unreadable
from misread.datasets.dataset import Dataset, Split, numbered_classes
from misread.errors import DatasetError
from misread.types import Array, ByteArray

EXPECTED = "x_train and y_train (and x_test, y_test), or train_images and train_labels"

_STYLES = (
    ("x_{}", "y_{}"),
    ("X_{}", "y_{}"),
    ("{}_images", "{}_labels"),
    ("images_{}", "labels_{}"),
)
_CHUNK_IMAGES = 4096


def load_npz(path: str | Path) -> Dataset:
    """Load an .npz file that holds images and labels of a train split, a test split or both.

    Keys: `x_train`, `y_train`, `x_test`, `y_test`; or `train_images`, `train_labels`, ...; or
    `images_train`, `labels_train`, ...; and `classes`, (K,) unicode names, if it is there.
    Images: (N, H, W), (N, H, W, 1) or (N, H, W, 3), uint8, bool, or floats that all are in
    [0, 1], which become round(255 x). Labels: (N,) or (N, 1), integers of any size.

    Args:
        path: the file. Nothing in it is unpickled.

    Returns:
        Dataset with the splits "train" and "test", or the one that is there.

    Raises:
        DatasetError: not an .npz file or a damaged one, missing keys, or arrays of another
            dtype or layout.
    """
    path = Path(path)
    with open_input(path, "an .npz file") as (stream, _):
        try:
            with zipfile.ZipFile(stream) as archive:
                keys = {name.removesuffix(".npy"): name for name in archive.namelist()}
                splits = {
                    name: _read_split(archive, keys, path, name, *found)
                    for name in ("train", "test")
                    if (found := _find(keys, path, name))
                }
                classes = _read_classes(archive, keys, path)
        # Zip and NumPy's header parser meet damaged bytes with a dozen kinds of exception.
        except Exception as error:
            if isinstance(error, DatasetError):
                raise
            raise unreadable(path, "an .npz file", error) from error
    if not splits:
        there = ", ".join(sorted(map(ascii, keys))[:10]) or "none"
        raise DatasetError(f"{show(path)}: expected the keys {EXPECTED}, found {there}")
    full = path.resolve()
    try:
        return Dataset(path.stem, classes or numbered_classes(splits), splits, str(full))
    except DatasetError as error:
        raise DatasetError(f"{show(path)}: {error}") from error


def _find(keys: dict[str, str], path: Path, split: str) -> tuple[str, str] | None:
    for images, labels in ((a.format(split), b.format(split)) for a, b in _STYLES):
        if images in keys and labels in keys:
            return images, labels
        if images in keys:
            raise DatasetError(f"{show(path)}: {images} without labels; add the key {labels}")
    return None


def _read_split(
    archive: zipfile.ZipFile, keys: dict[str, str], path: Path, name: str, images: str, labels: str
) -> Split:
    given = _read_array(archive, keys[labels], path)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    pixels = _as_bytes(f"{show(path)}: {images}", _read_array(archive, keys[images], path))
    if pixels.ndim and not len(pixels):
        raise DatasetError(f"{show(path)}: {images} holds no images; leave it out or fill it")
    try:
        return Split(name, pixels, given)
    except DatasetError as error:
        raise DatasetError(f"{show(path)}: {images} and {labels}: {error}") from error


def _read_classes(
    archive: zipfile.ZipFile, keys: dict[str, str], path: Path
) -> tuple[str, ...] | None:
    if "classes" not in keys:
        return None
    classes = _read_array(archive, keys["classes"], path)
    if classes.ndim != 1 or classes.dtype.kind != "U":
        raise DatasetError(
            f"{show(path)}: classes must be (K,) unicode strings, "
            f"got {classes.shape} {classes.dtype}"
        )
    return tuple(classes.tolist())


def _read_array(archive: zipfile.ZipFile, member: str, path: Path) -> Array:
    """Read one array once its header has been checked against the archive's own sizes."""
    info = archive.getinfo(member)
    at = f"{show(path)}: {member.removesuffix('.npy')}"
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise DatasetError(f"{at}: expected a plain array, found .npy version {version}")
        if dtype.hasobject or dtype.names:
            raise DatasetError(
                f"{at}: expected numbers or unicode strings, found Python objects "
                "or records; save it as a plain array of one dtype"
            )
        size = math.prod(shape) * dtype.itemsize
        most = info.compress_size * (DEFLATE_RATIO if info.compress_type else 1)
        if min(shape, default=0) < 0 or stream.tell() + size != info.file_size or size > most:
            raise DatasetError(
                f"{at}: the header promises {shape} {dtype}, which isn't what the "
                "file holds; copy or download it again"
            )
        values = read_up_to(cast(BufferedIOBase, stream), size)
    array: Array = np.ndarray(shape, dtype, values, order="F" if fortran else "C")
    return array


def _as_bytes(where: str, images: Array) -> Array:
    """Bool and floats in [0, 1] as uint8 of 0 to 255; other dtypes as they are."""
    if images.dtype == np.bool_:
        return images.astype(np.uint8) * np.uint8(255)
    if images.dtype.kind != "f":
        return images
    pixels: ByteArray = np.empty(images.shape, dtype=np.uint8)
    if images.ndim == 0:
        return pixels
    # In chunks, and not in half precision, which can't hold 255 times a float16 exactly.
    for start in range(0, len(images), _CHUNK_IMAGES):
        chunk = images[start : start + _CHUNK_IMAGES].astype(np.float64)
        if not ((chunk >= 0) & (chunk <= 1)).all():
            raise DatasetError(
                f"{where}: images of {images.dtype} must all be in [0, 1], got "
                f"{chunk.min():g} to {chunk.max():g}; scale them, or use uint8"
            )
        pixels[start : start + _CHUNK_IMAGES] = np.round(255 * chunk)
    return pixels
