"""The images of one split in Parquet files, read a group of rows at a time."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.datasets._files import show, unreadable
from misread.datasets.encoded import EncodedImages
from misread.errors import DatasetError
from misread.types import IntArray

EXPECTED = "a Parquet file of images"

# Groups of rows that stay in memory, as many as fit, the last one in any case.
_KEPT_BYTES = 256 << 20
_LARGEST_GROUP = 1 << 30
_SAMPLE_BYTES = 4096


@dataclass(frozen=True, eq=False)
class Shard:
    """One Parquet file, opened.

    Attributes:
        path: The file.
        metadata: Of the file: rows, groups of rows and their sizes.
        content: Path of the column with the images' files: `image` or `image.bytes`.
        names: Path of the column with their names, None if there is none.
        changed: When the file was last written, in nanoseconds.
    """

    path: Path
    metadata: pq.FileMetaData
    content: str
    names: str | None
    changed: int

    def read(self, column: str, group: int | None = None) -> pa.Array:
        """A column of texts or bytes, of one group of rows or of all.

        Raises:
            DatasetError: The file can't be read, or has changed since it was opened.
        """
        try:
            if self.path.stat().st_mtime_ns != self.changed:
                raise DatasetError(
                    f"{show(self.path)}: was written since the dataset was opened; open it again"
                )
            with pq.ParquetFile(self.path, metadata=self.metadata) as file:
                columns = [column]
                table = file.read(columns) if group is None else file.read_row_group(group, columns)
            name, *fields = column.split(".")
            values = table[name].combine_chunks()
            return values.field(fields[0]) if fields else values
        except (OSError, pa.ArrowException, MemoryError) as error:
            raise unreadable(self.path, EXPECTED, error) from error

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """Rows of each group of rows, and the bytes of their images' files."""
        return [(group.num_rows, column.total_uncompressed_size) for group, column in self._groups]

    @property
    def _groups(self) -> Iterator[tuple[pq.RowGroupMetaData, pq.ColumnChunkMetaData]]:
        """Each group of rows with its column of images' files."""
        for k in range(self.metadata.num_row_groups):
            group = self.metadata.row_group(k)
            columns = (group.column(number) for number in range(group.num_columns))
            yield group, next(one for one in columns if one.path_in_schema == self.content)

    def samples(self) -> Iterator[bytes]:
        """What tells each group of rows from another: its sizes, and the first 4 KiB of its images.

        Raises:
            DatasetError: The file can't be read.
        """
        try:
            with self.path.open("rb") as file:
                for group, column in self._groups:
                    size = column.total_compressed_size
                    yield f"{group.num_rows} {column.total_uncompressed_size} {size}\n".encode()
                    file.seek(
                        min(filter(None, (column.dictionary_page_offset, column.data_page_offset)))
                    )
                    yield file.read(min(size, _SAMPLE_BYTES))
        except OSError as error:
            raise unreadable(self.path, EXPECTED, error) from error


class ParquetImages(EncodedImages):
    """Images of one or more Parquet files, in their order.

    Args:
        shards: The files.

    Raises:
        DatasetError: A group of rows is too large to be read for the sake of one image.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = tuple(shards)
        found = [(shard, k, *size) for shard in shards for k, size in enumerate(shard.sizes)]
        self._groups = [(shard, k) for shard, k, _, _ in found]
        self._starts: IntArray = np.cumsum([0, *(rows for _, _, rows, _ in found)], dtype=np.int64)
        self._kept: OrderedDict[int, pa.Array] = OrderedDict()
        # Requests come from several threads, and each group is read once.
        self._lock = threading.Lock()
        for shard, _, rows, size in found:
            if size > _LARGEST_GROUP:
                raise DatasetError(
                    f"{show(shard.path)}: has {rows:,} images, {size / 1e9:.1f} GB, in one group "
                    "of rows, all to be read for each; write it with smaller groups (1,000 rows)"
                )

    def __len__(self) -> int:
        return int(self._starts[-1])

    def place(self, i: int) -> Path:
        """The file and the row in it, as far as a path can tell."""
        shard, row = self._find(i)
        return shard.path / f"row {row}"

    def content(self, i: int) -> bytes:
        """The file of an image, out of its row."""
        number, row = self._group(i)
        value = self._read(number)[row].as_py()
        if value is None:
            raise DatasetError(f"{show(self.place(i))}: expected an image, found nothing")
        return bytes(value)

    def stamp(self, i: int, /) -> str:
        """When the Parquet file was last written."""
        return f"{self._find(i)[0].changed:x}"

    def name(self, i: int) -> str | None:
        """The name that the image's file had, None where none is told."""
        name: str | None = None if self._names is None else self._names[i].as_py()
        return name

    def names(self, indices: IntArray) -> list[str] | None:
        """The names that the files of several images had, None where none are told."""
        if self._names is None:
            return None
        names: list[str] = self._names.take(pa.array(indices)).to_pylist()
        return names

    @cached_property
    def _names(self) -> pa.ChunkedArray | None:
        """The names of all images; None where some have none."""
        parts = [shard.read(shard.names) for shard in self._shards if shard.names is not None]
        whole = len(parts) == len(self._shards) and not any(part.null_count for part in parts)
        return pa.chunked_array(parts) if whole and parts else None

    def fingerprint(self) -> str:
        """Over the sizes of each group of rows and the beginning of its images' files."""
        digest = hashlib.sha256(b"parquet images: rows, bytes and beginning of each group\n")
        for shard in self._shards:
            for sample in shard.samples():
                digest.update(sample)
        return f"sha256:{digest.hexdigest()}"

    def _group(self, i: int) -> tuple[int, int]:
        """The group of rows of an image, and its row there."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        number = int(np.searchsorted(self._starts, i, side="right")) - 1
        return number, i - int(self._starts[number])

    def _find(self, i: int) -> tuple[Shard, int]:
        """The file of an image, and its row there."""
        number, row = self._group(i)
        shard, group = self._groups[number]
        return shard, row + sum(rows for rows, _ in shard.sizes[:group])

    def _read(self, number: int) -> pa.Array:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
            shard, group = self._groups[number]
            self._kept[number] = shard.read(shard.content, group)
            while len(self._kept) > 1 and sum(a.nbytes for a in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
            return self._kept[number]
