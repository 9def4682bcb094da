"""IDX files, the format of MNIST and its relatives: one array a file, gzipped or not.

Format (from the MNIST page of Y. LeCun, C. Cortes and C. Burges): two zero bytes, a byte for the
type, a byte for the number of dimensions, the dimensions as big-endian 32-bit integers, the values.
"""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np

from misread.datasets._files import DEFLATE_RATIO, open_input, read_up_to, show
from misread.errors import DatasetError
from misread.files import write_bytes
from misread.types import Array

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _DTYPES.items()}
_MAX_DIMENSIONS = 32  # of a NumPy 1 array


@dataclass(frozen=True)
class _Header:
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return 4 + 4 * len(self.shape)

    @property
    def values_size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_idx(path: str | Path, *, mapped: bool = False) -> Array:
    """Read the array in an IDX file, gzipped or not (told by its first bytes, not by its name).

    Args:
        path: the file.
        mapped: memory-map a file that isn't gzipped, read-only, instead of reading it. Values of
            more than one byte stay big-endian then.

    Returns:
        Array of the shape in the file's header and its dtype: uint8, int8, int16, int32, float32
        or float64.

    Raises:
        DatasetError: missing, not an IDX file, truncated, corrupt, or longer or shorter than its
            header says. The header is checked before memory is taken.
    """
    path = Path(path)
    with open_input(path, "an IDX file") as (stream, size):
        if stream.peek(2)[:2] != b"\x1f\x8b":
            return _read_plain(stream, path, size, mapped)
        try:
            with gzip.GzipFile(fileobj=stream, mode="rb") as unzipped:
                return _read_gzipped(cast(BufferedIOBase, unzipped), path, size)
        except EOFError as error:
            raise DatasetError(
                f"{show(path)}: the gzipped file ends before its data do; copy or download it again"
            ) from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise DatasetError(
                f"{show(path)}: the gzipped file is damaged ({error}); copy or download it again"
            ) from error


def write_idx(path: str | Path, array: Array) -> None:
    """Write an array as an IDX file, gzipped if the name ends in ".gz".

    Args:
        path: the file; one that is there is replaced whole.
        array: uint8, int8, int16, int32, float32 or float64, with 1 to 32 dimensions.

    Raises:
        DatasetError: another dtype or no dimensions, or the file can't be written.
    """
    path = Path(path)
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        accepted = ", ".join(str(dtype) for dtype in _CODES)
        raise DatasetError(f"{show(path)}: an IDX file holds {accepted}, got {array.dtype}")
    if not 1 <= array.ndim <= _MAX_DIMENSIONS or max(array.shape) >= 1 << 32:
        raise DatasetError(
            f"{show(path)}: an IDX file holds 1 to {_MAX_DIMENSIONS} dimensions "
            f"below 2**32, got shape {array.shape}"
        )
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    values = np.ascontiguousarray(array, dtype=_DTYPES[code]).tobytes()
    content = header + values
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)  # no time stamp: equal arrays, equal files
    try:
        write_bytes(path, content)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{show(path)}: can't be written: {error}") from error


def _read_plain(stream: BufferedIOBase, path: Path, size: int, mapped: bool) -> Array:
    header = _read_header(stream, path)
    _check_size(path, header, size - header.size)
    if mapped and header.values_size:
        # np.memmap takes the open file; its stub asks for a narrower type than it needs.
        return np.memmap(
            cast("str", stream), header.dtype, "r", offset=header.size, shape=header.shape
        )
    values = read_up_to(stream, header.values_size)
    _check_size(path, header, len(values))
    return _as_array(values, header, path)


def _read_gzipped(stream: BufferedIOBase, path: Path, size: int) -> Array:
    header = _read_header(stream, path)
    if header.values_size > size * DEFLATE_RATIO:
        raise DatasetError(
            f"{show(path)}: the header promises {header.shape} {header.dtype.name}, "
            f"more than {size:,} gzipped bytes can hold; download it again"
        )
    values = read_up_to(stream, header.values_size)
    # Reading on to the end also has gzip compare its checksum.
    _check_size(path, header, len(values) + len(stream.read(1)))
    return _as_array(values, header, path)


def _read_header(stream: BufferedIOBase, path: Path) -> _Header:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise DatasetError(
            f"{show(path)}: expected an IDX file (first bytes 00 00, a type, the "
            f"number of dimensions), found {magic.hex(' ') or 'nothing'}"
        )
    if not 1 <= magic[3] <= _MAX_DIMENSIONS:
        raise DatasetError(
            f"{show(path)}: expected an IDX file of 1 to {_MAX_DIMENSIONS} "
            f"dimensions, found {magic[3]}"
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DatasetError(f"{show(path)}: the IDX file ends within its header; download it again")
    return _Header(np.dtype(_DTYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes))


def _check_size(path: Path, header: _Header, found: int) -> None:
    if found != header.values_size:
        relation = "fewer" if found < header.values_size else "more"
        raise DatasetError(
            f"{show(path)}: the header promises {header.shape} {header.dtype.name}, "
            f"{header.values_size:,} bytes, but {relation} follow; "
            "copy or download it again"
        )


def _as_array(values: Array, header: _Header, path: Path) -> Array:
    try:
        array = values.view(header.dtype).reshape(header.shape)
    except ValueError as error:  # no values, but dimensions beyond what NumPy can count
        raise DatasetError(
            f"{show(path)}: the header's shape {header.shape} is impossible; "
            "copy or download it again"
        ) from error
    return array.astype(header.dtype.newbyteorder("="), copy=False)
