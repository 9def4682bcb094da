"""What is known of each image of a split besides its label: writer, source, size, ..."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from misread.errors import MetadataError
from misread.files import replacing
from misread.tables.parquet import as_numbers
from misread.types import Array

FORMAT = "misread metadata 1"
TEXT = pa.dictionary(pa.int32(), pa.string())
_KINDS = {TEXT: "text", pa.int64(): "whole numbers", pa.float64(): "numbers", pa.bool_(): "yes/no"}

# What the study itself says of each image.
RESERVED = ("index", "split", "given")


@dataclass(frozen=True, eq=False)
class Metadata:
    """Columns of one value per image, which may be missing; checked once, here.

    Attributes:
        split: Name of the split.
        items_fingerprint: Of the split's images.
        table: A row per image in the split's order. Columns are text (as a dictionary of strings),
            int64, float64 or bool; null where a value is missing.
        cluster: The column that says which images belong together (a writer, a patient, a video),
            None if nothing does.

    Raises:
        MetadataError: A column is of another type or has an unusable name, or the cluster's column
            isn't there.
    """

    split: str
    items_fingerprint: str
    table: pa.Table
    cluster: str | None = None

    def __post_init__(self) -> None:
        for field in self.table.schema:
            if field.type not in _KINDS:
                raise MetadataError(
                    f"column {field.name!r}: expected text, whole numbers, numbers or truth "
                    f"values. Got {field.type} instead."
                )
        names = self.columns
        for name in names:
            if not name.strip() or name in RESERVED or names.count(name) > 1:
                raise MetadataError(
                    f"column {name!r}: expected a name of its own that isn't empty, nor one of "
                    f"{', '.join(RESERVED)}"
                )
        if self.cluster is not None:
            self._check_has(self.cluster, "cluster")
            if self.table.schema.field(self.cluster).type == pa.float64():
                raise MetadataError(
                    f"cluster: expected a column of text or whole numbers. Got {self.cluster!r} "
                    "instead, which has fractions."
                )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.table.column_names)

    def kind(self, column: str) -> str:
        """`text`, `whole numbers`, `numbers` or `yes/no`."""
        return _KINDS[self.table.schema.field(column).type]

    def missing(self, column: str) -> int:
        """Number of images without a value in this column."""
        return int(self.table[column].null_count)

    def values(self, column: str) -> tuple[Array, Array]:
        """The distinct values of a column, and which image has which.

        Returns:
            (N,) int64, position of each image's value, -1 where it is missing; and the V distinct
            values: objects (str), int64, float64 or bool.

        Raises:
            MetadataError: There is no such column.
        """
        self._check_has(column, "column")
        chunk = self.table[column].combine_chunks()
        encoded = chunk if chunk.type == TEXT else chunk.dictionary_encode()
        indices = encoded.indices
        codes = as_numbers(indices, np.int32).astype(np.int64)
        if indices.null_count:
            # Filling them with a number would import pandas.
            codes[as_numbers(indices.is_null().cast(pa.uint8()), np.uint8) == 1] = -1
        return codes, _values(encoded.dictionary)

    def _check_has(self, column: str, what: str) -> None:
        if column not in self.table.column_names:
            raise MetadataError(
                f"{what}: expected one of the columns {', '.join(self.columns) or '(none)'} of the "
                f"{self.split} split's metadata. Got {column!r} instead."
            )


def _values(distinct: Any) -> Array:
    """PyArrow's distinct values as an array; its own way to NumPy would import pandas."""
    if pa.types.is_int64(distinct.type):
        return as_numbers(distinct, np.int64).copy()
    if pa.types.is_float64(distinct.type):
        return as_numbers(distinct, np.float64).copy()
    kind = np.bool_ if pa.types.is_boolean(distinct.type) else np.object_
    return np.array(distinct.to_pylist(), dtype=kind)


def merge(old: Metadata, new: Metadata, *, replace: bool = False) -> Metadata:
    """Add the columns of one table to another of the same split.

    A column in both keeps the values of either; where both have different ones it is refused, or
    with `replace` taken whole from the new table. The new table's cluster wins, if it has one.

    Raises:
        MetadataError: A column is there already with other values.
    """
    table = old.table
    for name in new.columns:
        column = new.table[name]
        if name not in table.column_names:
            table = table.append_column(name, column)
            continue
        merged = column if replace else _merge_columns(name, table[name], column, new.split)
        table = table.set_column(table.column_names.index(name), name, merged)
    return Metadata(old.split, old.items_fingerprint, table, new.cluster or old.cluster)


def _merge_columns(
    name: str, old: pa.ChunkedArray, new: pa.ChunkedArray, split: str
) -> pa.ChunkedArray:
    if {old.type, new.type} == {pa.int64(), pa.float64()}:
        old, new = old.cast(pa.float64()), new.cast(pa.float64())
    if old.type != new.type:
        raise MetadataError(
            f"column {name!r}: is {_KINDS[old.type]} in the {split} split's metadata already. Got "
            f"{_KINDS[new.type]} instead; --replace takes the new ones"
        )
    before, after = (_plain(column) for column in (old, new))
    differ = pc.fill_null(pc.not_equal(before, after), False).to_numpy()
    if differ.any():
        row = int(np.argmax(differ))
        raise MetadataError(
            f"column {name!r}: has other values for {differ.sum():,} images of the {split} split "
            f"already (image #{row}: {before[row]} there, {after[row]} here); --replace takes the "
            "new ones"
        )
    return pc.coalesce(before, after).cast(old.type)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if column.type == TEXT else column


def write_metadata(path: Path, metadata: Metadata) -> None:
    """Write metadata atomically: the columns and `index` int32, what else is known beside them."""
    index = pa.array(np.arange(len(metadata), dtype=np.int32))
    table = metadata.table.add_column(0, "index", index).replace_schema_metadata(
        {
            "format": FORMAT,
            "split": json.dumps(metadata.split),
            "items_fingerprint": json.dumps(metadata.items_fingerprint),
            "cluster": json.dumps(metadata.cluster),
        }
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_metadata(path: Path) -> Metadata:
    """Read and check a file that `write_metadata` wrote.

    Raises:
        MetadataError: The file is missing, damaged or none of misread's.
    """
    try:
        table = pq.ParquetFile(path).read()
        said = {key.decode(): value for key, value in (table.schema.metadata or {}).items()}
        if said.get("format") != FORMAT.encode():
            raise ValueError(f"it hasn't the metadata 'format: {FORMAT}'")
        split, items, cluster = (
            json.loads(said[key]) for key in ("split", "items_fingerprint", "cluster")
        )
        index = as_numbers(table["index"].cast(pa.int64()), np.int64)
        if not np.array_equal(index, np.arange(table.num_rows)):
            raise ValueError("its index isn't 0, 1, 2, ...")
        if not (isinstance(split, str) and isinstance(items, str)):
            raise TypeError("split and fingerprint must be text")
        return Metadata(split, items, table.drop_columns(["index"]), cluster)
    except (OSError, ValueError, TypeError, KeyError, MetadataError, pa.ArrowException) as error:
        raise MetadataError(
            f"{path}: expected metadata written by misread: {first_line(error)}; move it away and "
            "import the metadata again"
        ) from error


def first_line(error: Exception) -> str:
    """The first line of a library's message: ours are one line each."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
