"""Reading files so that what goes wrong is one line that names the file."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader
from pathlib import Path

import numpy as np

from misread.errors import DatasetError
from misread.types import ByteArray

_CHUNK = 1 << 20

# Deflate can't do better than 1032 to 1 (zlib's technical notes): whoever promises more, lies.
DEFLATE_RATIO = 1032


def show(path: str | os.PathLike[str]) -> str:
    """The path for a message: as it is, or quoted where it would break the line."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)


def unreadable(path: Path, expected: str, error: Exception) -> DatasetError:
    """What to raise where the system or a parser refuses a file, in words rather than codes."""
    if isinstance(error, MemoryError):
        why = "it doesn't fit in this computer's memory"
    else:
        why = getattr(error, "strerror", None) or " ".join(str(error).split()) or "unknown error"
    return DatasetError(f"{show(path)}: expected {expected}, but it can't be read: {why}")


@contextmanager
def open_input(path: Path, expected: str) -> Iterator[tuple[BufferedReader, int]]:
    """Open a regular, non-empty file for reading; yields the stream and the size in bytes.

    Raises:
        DatasetError: missing, a folder, not a regular file, empty, or not readable, whether on
            opening it or while the block reads from it.
    """
    try:
        # Looked at before it is opened: opening a named pipe would wait for a writer for ever.
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            found = "a folder" if stat.S_ISDIR(info.st_mode) else "something that isn't a file"
            raise DatasetError(f"{show(path)}: expected {expected}, found {found}")
        if info.st_size == 0:
            raise DatasetError(
                f"{show(path)}: expected {expected}, found an empty file; copy or download it again"
            )
        with path.open("rb") as stream:
            yield stream, info.st_size
    except (OSError, ValueError, MemoryError) as error:
        raise unreadable(path, expected, error) from error


def read_up_to(stream: BufferedIOBase, size: int) -> ByteArray:
    """Up to `size` bytes from the stream as uint8, shorter where the stream ends before.

    The caller has checked `size` against the file, so that a damaged header can't ask for more
    memory than the data could fill.
    """
    buffer = np.empty(size, dtype=np.uint8)
    view = buffer.data
    filled = 0
    while filled < size:
        count = stream.readinto(view[filled : filled + _CHUNK])
        if not count:
            break
        filled += count
    return buffer[:filled]
