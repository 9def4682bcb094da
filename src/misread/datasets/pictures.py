"""Image files as arrays: grey (H, W) or colour (H, W, 3) uint8, whatever the file holds."""

import contextlib
import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from misread.datasets._files import open_input, show, unreadable
from misread.errors import DatasetError
from misread.types import Array, ByteArray

EXPECTED = "an image"

# Not all that Pillow knows: an EPS file, under any name, would start another program.
_FORMATS = ("JPEG", "PNG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Files that a browser shows just as `decode` reads them, if nothing else is in them.
_BROWSER = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_HARMLESS = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive"} | {
    "progression", "adobe", "adobe_transform", "loop", "background", "timestamp", "duration"
}  # fmt: skip
_LONGEST_HEADER = 4096
_END_OF_JPEG = b"\xff\xd9"


def check_unchanged(path: Path, size: int) -> int:
    """When an image file was last written, in nanoseconds.

    Raises:
        DatasetError: It is missing or has another size than when it was listed.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise unreadable(path, EXPECTED, error) from error
    _check_size(path, size, state.st_size)
    return state.st_mtime_ns


def read_file(path: Path, size: int) -> bytes:
    """The content of an image file.

    Args:
        path: The file.
        size: How many bytes it had when it was listed.

    Raises:
        DatasetError: It is missing, empty, can't be read, or has another size.
    """
    with open_input(path, EXPECTED) as (stream, now):
        _check_size(path, size, now)
        return stream.read()


def _check_size(path: Path, size: int, now: int) -> None:
    if now != size:
        raise DatasetError(
            f"{show(path)}: had {size:,} bytes when the dataset was opened, and has {now:,} now; "
            "open the dataset again"
        )


def decode(path: Path, content: bytes, most: int | None = None) -> ByteArray:
    """The pixels of an image file.

    Of several frames the first is taken, and EXIF's orientation is applied. Grey files, and
    palettes of grey alone, give (H, W), all others (H, W, 3). What is transparent is shown on
    white. 16 bits a channel are scaled to 8 by their full range, and floating-point numbers in
    [0, 1] to 0 to 255. CMYK, YCbCr and Lab become RGB; colour profiles are not applied.

    Args:
        path: For errors.
        content: Of the file.
        most: Decode faster to something smaller, but not under twice this many pixels on the
            longest side, where the format can; None for all pixels.

    Raises:
        DatasetError: It isn't an image, is damaged, or has numbers outside those ranges.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as picture:
            if most is not None:
                picture.draft(None, (2 * most, 2 * most))
            picture.load()
            return np.ascontiguousarray(_pixels(path, picture))
    # Pillow meets damaged bytes with a dozen kinds of exception.
    except Exception as error:
        if isinstance(error, DatasetError):
            raise
        raise _undecodable(path, error) from error


def browser_type(content: bytes, most: int) -> str | None:
    """The media type of a file that a browser may be given as it is, None if it may not.

    It may where its longest side is `most` pixels or fewer, and where it holds nothing but 8-bit
    pixels without transparency: no orientation, no colour profile, no place where it was taken.
    """
    if len(content) > 4 * most * most + _LONGEST_HEADER:
        return None
    with contextlib.suppress(Exception), Image.open(io.BytesIO(content), formats=_formats()) as one:
        plain = one.mode in ("L", "RGB") and getattr(one, "n_frames", 1) == 1
        if plain and max(one.size) <= most and not _says_more(one, content):
            return _BROWSER.get(one.format or "")
    return None


def _says_more(picture: Image.Image, content: bytes) -> bool:
    """Whether a file holds more than its pixels."""
    # Asked first: it reads what a PNG file has behind its pixels.
    if picture.getexif() or not set(picture.info) <= _HARMLESS:
        return True
    segments = {name for name, _ in getattr(picture, "applist", ())}
    return picture.format == "JPEG" and not (
        segments <= {"APP0", "APP14"} and content.endswith(_END_OF_JPEG)
    )


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of the formats that the installed Pillow can read."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _undecodable(path: Path, error: Exception) -> DatasetError:
    if isinstance(error, UnidentifiedImageError):
        return DatasetError(
            f"{show(path)}: expected {EXPECTED}, found another kind of file, or a damaged one"
        )
    if isinstance(error, MemoryError):
        why = "it doesn't fit in this computer's memory"
    else:
        why = " ".join(str(error).split()) or type(error).__name__
    return DatasetError(f"{show(path)}: expected {EXPECTED}, found a damaged one: {why}")


def _pixels(path: Path, picture: Image.Image) -> Array:
    upright = _UPRIGHT.get(_orientation(picture))
    grey = picture.mode in ("1", "L", "LA", "La") or _has_grey_palette(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        wide = picture if upright is None else picture.transpose(upright)
        return _to_bytes(path, np.asarray(wide))
    if picture.has_transparency_data:
        shown = Image.new("RGBA", picture.size, "white")
        shown.alpha_composite(picture.convert("RGBA"))
        picture = shown
    plain = picture.convert("RGB").getchannel(0) if grey else picture.convert("RGB")
    return np.asarray(plain if upright is None else plain.transpose(upright))


def _orientation(picture: Image.Image) -> int:
    # Damaged EXIF doesn't make the pixels unreadable.
    with contextlib.suppress(Exception):
        return int(picture.getexif().get(_ORIENTATION, 1))
    return 1


def _has_grey_palette(picture: Image.Image) -> bool:
    if picture.mode not in ("P", "PA"):
        return False
    palette = np.asarray(picture.getpalette("RGB") or [0, 0, 0], np.uint8).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _to_bytes(path: Path, values: Array) -> ByteArray:
    """16-bit integers, and floats in [0, 1], as uint8."""
    if not values.size:
        return values.astype(np.uint8)
    top = 1 if values.dtype.kind == "f" else 65_535
    low, high = values.min(), values.max()
    # Written so that nan is refused too.
    if not (low >= 0 and high <= top):
        raise DatasetError(
            f"{show(path)}: expected values from 0 to {top:,}, as {values.dtype} has no other "
            f"white, got {low:g} to {high:g}; convert it to 8 bits"
        )
    return np.round(values.astype(np.float64) * (255 / top)).astype(np.uint8)
