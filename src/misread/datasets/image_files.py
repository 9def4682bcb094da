"""The images of one split of a folder, read from their files when they are asked for."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from misread.datasets.encoded import EncodedImages
from misread.datasets.folder_listing import listing_file
from misread.datasets.folder_scan import Folder
from misread.datasets.pictures import check_unchanged, read_file
from misread.errors import DatasetError
from misread.types import ByteArray, IntArray

_SLASH = ord("/")
# What a fingerprint takes of the files' content: images without compression have equal sizes, and
# are often numbered alike in every split.
_SAMPLED = 64
_SAMPLE_BYTES = 1 << 14


class ImageFiles(EncodedImages):
    """Image files in order, each read when asked for.

    A million names take their bytes in UTF-8 and 16 more each; no Python object is kept per file.

    Args:
        root: The dataset's folder.
        inside: The split's folder, relative to the root; "" if it is the root.
        folders: Its folders with images, in order.
    """

    def __init__(self, root: Path, inside: str, folders: Sequence[Folder]) -> None:
        self._root = root
        self._inside = inside
        self._paths = [folder.path for folder in folders]
        counts = [len(folder) for folder in folders]
        self._starts: IntArray = np.cumsum([0, *counts], dtype=np.int64)
        self._sizes: IntArray = np.concatenate([np.empty(0, np.int64), *(f.sizes for f in folders)])
        self._names: ByteArray = np.frombuffer(b"".join(f.names for f in folders), np.uint8)
        # Where each name begins, and where one more would.
        ends = np.flatnonzero(self._names == _SLASH)
        self._begins: IntArray = np.concatenate([[0], ends + 1]).astype(np.int64)

    def __len__(self) -> int:
        return len(self._sizes)

    def place(self, i: int) -> Path:
        """Where an image's file is."""
        return self._root / self.name(i)

    def content(self, i: int) -> bytes:
        """An image's file, if it is as large as when it was listed."""
        with self._forgetting_listing():
            return read_file(self.place(i), int(self._sizes[i]))

    def stamp(self, i: int, /) -> str:
        """When the file was last written: changes with it even where its size doesn't."""
        with self._forgetting_listing():
            return f"{check_unchanged(self.place(i), int(self._sizes[i])):x}"

    def name(self, i: int) -> str:
        """The file's path, relative to the dataset's folder, with "/"."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        folder = self._paths[int(np.searchsorted(self._starts, i, side="right")) - 1]
        name = self._names[self._begins[i] : self._begins[i + 1] - 1].tobytes().decode()
        return f"{folder}/{name}" if folder else name

    def names(self, indices: IntArray) -> list[str]:
        """The paths of several files."""
        folder = np.searchsorted(self._starts, indices, side="right") - 1
        begin, end = self._begins[indices], self._begins[indices + 1] - 1
        names = self._names.data
        starts = [f"{path}/" if path else "" for path in self._paths]
        return [
            starts[place] + str(names[first:last], "utf-8")
            for place, first, last in zip(
                folder.tolist(), begin.tolist(), end.tolist(), strict=True
            )
        ]

    def fingerprint(self) -> str:
        """Over each file's path, from the split's folder on, its size, and a sample of content.

        The sample is the beginning of at most 64 files, evenly spread.

        Raises:
            DatasetError: One of these is gone.
        """
        digest = hashlib.sha256(b"image files: folder, names, sizes, sample\n")
        skip = len(self._inside) + 1 if self._inside else 0
        for path, start, stop in zip(self._paths, self._starts, self._starts[1:], strict=False):
            digest.update(f"{path[skip:]}\n{stop - start}\n".encode())
            digest.update(self._names[self._begins[start] : self._begins[stop]].data)
            digest.update(self._sizes[start:stop].astype("<i8").data)
        sampled = min(len(self), _SAMPLED)
        for k in range(sampled):
            digest.update(self._beginning(k * len(self) // sampled))
        return f"sha256:{digest.hexdigest()}"

    def _beginning(self, i: int) -> bytes:
        """The first bytes of a file; none of one that may not be read, as long as it is there."""
        self.stamp(i)
        with contextlib.suppress(PermissionError), self.place(i).open("rb") as file:
            return file.read(_SAMPLE_BYTES)
        return b""

    @contextlib.contextmanager
    def _forgetting_listing(self) -> Iterator[None]:
        """If a file has changed since it was listed, the next opening isn't to believe the list."""
        try:
            yield
        except DatasetError:
            with contextlib.suppress(OSError):
                listing_file(self._root).unlink(missing_ok=True)
            raise
