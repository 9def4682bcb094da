"""What a split's images are: an array, or anything else that gives one image at a time."""

import hashlib
from typing import Protocol, runtime_checkable

import numpy as np

from misread.errors import DatasetError
from misread.types import Array, ByteArray, IntArray

_CHUNK_BYTES = 1 << 24


class Images(Protocol):
    """Images in order, each (H, W), (H, W, 1) or (H, W, 3) uint8, of one size or of several.

    A NumPy array (N, H, W) or (N, H, W, C) is one as it is, memory-mapped or not. An
    implementation that reads files may have more methods, as `ImageFiles` has:

    - `fingerprint() -> str`, so that a million files need not all be read to tell whether they are
      the same;
    - `name(i) -> str`, by which people know the image: its file's path; and `names(indices)`, the
      same for many;
    - `preview(i, most) -> Array`, `original(i, most)` and `stamp(i) -> str` for thumbnails.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, i: int, /) -> Array: ...


@runtime_checkable
class _Fingerprinted(Protocol):
    def fingerprint(self) -> str: ...


@runtime_checkable
class _Named(Protocol):
    def name(self, i: int, /) -> str | None: ...


@runtime_checkable
class _NamedAtOnce(Protocol):
    def names(self, indices: IntArray, /) -> list[str] | None: ...


@runtime_checkable
class Previewed(Protocol):
    """Images that can be had smaller than they are, faster than by reading all of their pixels."""

    def preview(self, i: int, most: int, /) -> Array:
        """One image, with fewer pixels if that is faster, but enough for a side of `most`."""
        ...

    def original(self, i: int, most: int, /) -> tuple[bytes, str] | None:
        """The file and its media type, if a browser may have it and no side is over `most`."""
        ...

    def stamp(self, i: int, /) -> str:
        """Changes when the image does; a short text for names of files."""
        ...


class Subset:
    """Some images of a larger collection, in the order of `indices`, read when asked for."""

    def __init__(self, images: Images, indices: IntArray) -> None:
        self._images = images
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, i: int, /) -> Array:
        return self._images[int(self._indices[i])]

    def fingerprint(self) -> str:
        """Over the collection's fingerprint and the indices: no image is read for it."""
        digest = hashlib.sha256(fingerprint(self._images).encode())
        digest.update(self._indices.astype("<i8").tobytes())
        return f"sha256:{digest.hexdigest()}"

    def unwrap(self, i: int) -> tuple[Images, int]:
        """The collection that image i comes from, and its position there."""
        return self._images, int(self._indices[i])

    def unwrap_all(self, indices: IntArray) -> tuple[Images, IntArray]:
        """The same for several images."""
        return self._images, self._indices[indices]


def unwrap(images: Images, i: int) -> tuple[Images, int]:
    """The collection that has an image itself, and its position there."""
    while isinstance(images, Subset):
        images, i = images.unwrap(i)
    return images, i


def image_name(images: Images, i: int) -> str | None:
    """By what name people know an image, None where it has none."""
    source, place = unwrap(images, i)
    return source.name(place) if isinstance(source, _Named) else None


def image_names(images: Images, indices: IntArray) -> list[str] | None:
    """The names of several images, None where images have none."""
    while isinstance(images, Subset):
        images, indices = images.unwrap_all(indices)
    if isinstance(images, _NamedAtOnce):
        return images.names(indices)
    if not isinstance(images, _Named) or not len(images) or images.name(0) is None:
        return None
    return [str(images.name(i)) for i in indices.tolist()]


def fingerprint(images: Images) -> str:
    """Fingerprint of the images: "sha256:" and 64 hex digits.

    Over shape, dtype and pixels, a chunk at a time; a collection that has a method
    `fingerprint()` is asked instead.
    """
    if isinstance(images, np.ndarray):
        return array_fingerprint(images)
    if isinstance(images, _Fingerprinted):
        return images.fingerprint()
    digest = hashlib.sha256()
    for i in range(len(images)):
        digest.update(array_fingerprint(images[i]).encode())
    return f"sha256:{digest.hexdigest()}"


def array_fingerprint(array: Array) -> str:
    """SHA-256 over dtype, shape and values; the same on every platform and memory layout."""
    little = array.dtype.newbyteorder("<")
    digest = hashlib.sha256(f"{little.str} {array.shape}\n".encode())
    step = max(1, _CHUNK_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), step):
        digest.update(np.ascontiguousarray(array[start : start + step], dtype=little).data)
    return f"sha256:{digest.hexdigest()}"


def check_array(where: str, images: Array) -> None:
    """Refuse an array that isn't (N, H, W), (N, H, W, 1) or (N, H, W, 3) uint8.

    Raises:
        DatasetError: says what was expected and found; `where` opens the line.
    """
    if images.dtype != np.uint8:
        raise DatasetError(
            f"{where}: images must be uint8, got {images.dtype.name}; "
            "scale them to 0..255 and convert them with .astype(numpy.uint8)"
        )
    shape = images.shape
    if len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise DatasetError(
            f"{where}: images must have their channels last, (N, H, W, {shape[1]}), "
            f"got {shape}; use images.transpose(0, 2, 3, 1)"
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise DatasetError(
            f"{where}: images must be (N, H, W), (N, H, W, 1) or (N, H, W, 3), got {shape}"
        )
    if 0 in shape[1:]:
        raise DatasetError(f"{where}: images must have at least one pixel, got {shape}")


def stack(where: str, images: Images, operation: str) -> ByteArray:
    """The images as one array (N, H, W[, C]) uint8: itself where it is one already.

    Where some are grey and others in colour, all get three channels.

    Raises:
        DatasetError: there are none, they have several sizes, or they don't fit in memory.
    """
    if isinstance(images, np.ndarray):
        return images
    if len(images) == 0:
        raise DatasetError(f"{where}: {operation} needs images, got none")
    first = images[0]
    pixels = _room(where, len(images), first.shape, operation)
    for i in range(len(images)):
        image = images[i]
        if image.shape[:2] != first.shape[:2]:
            raise DatasetError(
                f"{where}: {operation} needs images of one size, but image 0 is "
                f"{describe(first.shape)} and image {i} is {describe(image.shape)}; "
                "resize them to one size first"
            )
        if image.shape[2:] == (3,) and pixels.shape[3:] != (3,):
            # The first one in colour: those before it are grey, and stay so.
            grey, pixels = pixels, _room(where, len(images), image.shape, operation)
            pixels[:i] = grey[:i].reshape(i, *image.shape[:2], 1)
        pixels[i] = image if image.shape == pixels.shape[1:] else _reshaped(image, pixels.shape[1:])
    return pixels


def _room(where: str, count: int, shape: tuple[int, ...], operation: str) -> ByteArray:
    try:
        return np.empty((count, *shape), dtype=np.uint8)
    except MemoryError as error:
        raise DatasetError(
            f"{where}: {operation} needs all images in memory, and {count:,} "
            f"of {describe(shape)} don't fit; take fewer"
        ) from error


def _reshaped(image: Array, shape: tuple[int, ...]) -> Array:
    """A grey image with the channels of others: none, one, or three that are equal."""
    grey = image[..., 0] if image.ndim == 3 else image
    return grey if len(shape) == 2 else np.broadcast_to(grey[..., None], shape)


def describe(shape: tuple[int, ...]) -> str:
    """An image's shape in words, height first: "28 x 28 grey", "32 x 32 colour"."""
    colour = "colour" if len(shape) == 3 and shape[2] == 3 else "grey"
    return f"{shape[0]} x {shape[1]} {colour}"
