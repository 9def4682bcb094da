"""Metadata made elsewhere: CSV, TSV or Parquet, a row per image, joined on its position."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from misread.errors import MetadataError
from misread.tables.metadata import TEXT, first_line
from misread.types import Array

KINDS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")

# How a missing value is written, unless in quotation marks.
NULLS = ["", "NA", "N/A", "NaN", "nan", "null"]


def read_table(path: Path) -> pa.Table:
    """Read a file of any known kind into columns of known types.

    Args:
        path: `.csv`, `.tsv` (either gzipped or not) with a line of names, or `.parquet`.

    Returns:
        Columns of text (a dictionary of strings), int64, float64 or bool, null where missing.

    Raises:
        MetadataError: The file is missing, damaged, of another kind, or holds other things.
    """
    name = path.name.lower()
    if not name.endswith(KINDS):
        raise MetadataError(f"{path}: expected metadata as {', '.join(KINDS)}")
    try:
        if name.endswith(".parquet"):
            table = pq.read_table(path)
        else:
            table = _read_text(path, "\t" if ".tsv" in name[-7:] else ",")
    except FileNotFoundError:
        raise MetadataError(f"{path}: expected a file of metadata, found none") from None
    except (OSError, ValueError, pa.ArrowException, MemoryError) as error:
        raise MetadataError(f"{path}: expected a table: {first_line(error)}") from error
    names = table.column_names
    if len(names) == 1 and (separator := set(";\t|") & set(names[0])):
        raise MetadataError(
            f"{path}: expected columns between commas (.csv) or tabs (.tsv), found "
            f"{separator.pop()!r} between them"
        )
    for number, column in enumerate(names, 1):
        if not column.strip():
            raise MetadataError(
                f"{path}: column {number} has no name; if these are row numbers (as pandas writes "
                "them), name it 'index' or leave it out"
            )
        if names.count(column) > 1:
            raise MetadataError(f"{path}: {names.count(column)} columns are named {column!r}")
    columns = [_typed(path, column, table[column]) for column in names]
    return pa.Table.from_arrays(columns, names=names)


def _read_text(path: Path, delimiter: str) -> pa.Table:
    with pa.input_stream(str(path), compression="detect") as stream:
        content = stream.read()
    return pacsv.read_csv(
        pa.BufferReader(content),
        # One block: a column's type is inferred from all of its values.
        read_options=pacsv.ReadOptions(block_size=max(len(content), 1) + 1),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            null_values=NULLS, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def _typed(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as one of the types that metadata has."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_boolean(kind):
        target = pa.bool_()
    elif pa.types.is_integer(kind):
        target = pa.int64()
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        target = pa.float64()
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        target = pa.string()
    elif pa.types.is_temporal(kind):
        target = pa.string()  # a date's ISO 8601 text sorts as the date does
    else:
        raise MetadataError(
            f"{path}: column {name!r}: expected UTF-8 text, numbers or truth values. "
            f"Got {kind} instead."
        )
    try:
        converted = column.cast(target)
    except pa.ArrowException as error:
        raise MetadataError(f"{path}: column {name!r}: {first_line(error)}") from error
    if target == pa.float64():
        converted = pc.if_else(pc.is_nan(converted), None, converted)
    return pc.dictionary_encode(converted) if target == pa.string() else converted


@dataclass(frozen=True, eq=False)
class SplitRows:
    """What a file says of one split.

    Attributes:
        table: A row per image of the split in its order, null where the file has none; without the
            columns `index` and `split`.
        rows: Number of the file's rows that are about this split.
    """

    table: pa.Table
    rows: int


def split_rows(
    path: Path, table: pa.Table, sizes: Mapping[str, int], split: str | None
) -> dict[str, SplitRows]:
    """Put the rows of a table in the order of the images they are about.

    Args:
        path: The file, to be named in errors.
        table: As `read_table` gives it. Its column `split`, if there, names the split of each row;
            its column `index` the image's position in the split; without `index` the rows are all
            images of the split in order.
        sizes: Number of images of each split.
        split: The split of a table that doesn't say; None means `test`.

    Raises:
        MetadataError: Splits or positions are unknown, missing or named twice, or there is nothing
            but these.
    """
    columns = table.drop_columns([n for n in ("index", "split") if n in table.column_names])
    if not columns.num_columns:
        raise MetadataError(f"{path}: expected columns beside index and split, found none")
    if not table.num_rows:
        raise MetadataError(f"{path}: expected a row per image, found no rows")
    index = table["index"] if "index" in table.column_names else None
    found = {}
    for name, rows in _rows_by_split(path, table, sizes, split).items():
        if index is None:
            _check_count(path, len(rows), name, sizes[name])
            taken = pa.array(rows)
        else:
            taken = _rows_of_images(path, index, rows, name, sizes[name])
        found[name] = SplitRows(columns.take(taken), len(rows))
    return found


def _rows_by_split(
    path: Path, table: pa.Table, sizes: Mapping[str, int], split: str | None
) -> dict[str, Array]:
    if "split" not in table.column_names:
        name = split or "test"
        if name not in sizes:
            raise MetadataError(
                f"split: expected one of {', '.join(sizes)}. Got {name!r} instead; --split names it"
            )
        return {name: np.arange(table.num_rows)}
    column = table["split"].combine_chunks()
    names = column.dictionary.to_pylist() if column.type == TEXT else [str(column.type)]
    if column.type != TEXT or column.null_count or not set(names) <= set(sizes):
        unknown = next((name for name in names if name not in sizes), "a missing value")
        raise MetadataError(
            f"{path}: column 'split': expected {', '.join(sizes)} in every row. "
            f"Got {unknown} instead."
        )
    if split is not None:
        raise MetadataError(f"split: {path} has a column 'split' itself; leave --split out")
    codes = column.indices.to_numpy()
    return {name: np.flatnonzero(codes == code) for code, name in enumerate(names)}


def _check_count(path: Path, rows: int, split: str, images: int) -> None:
    if rows != images:
        raise MetadataError(
            f"{path}: has no column 'index', so expected {images:,} rows, one per image of the "
            f"{split} split in its order. Got {rows:,} instead."
        )


def _rows_of_images(
    path: Path, index: pa.ChunkedArray, rows: Array, split: str, images: int
) -> pa.Array:
    """(images,) which row of the file each image of the split has, null for none."""
    if index.type != pa.int64() or index.null_count:
        raise MetadataError(
            f"{path}: column 'index': expected a whole number in every row, the image's position "
            "in its split"
        )
    positions = index.to_numpy()[rows]
    outside = (positions < 0) | (positions >= images)
    if outside.any():
        raise MetadataError(
            f"{path}: column 'index': expected 0 to {images - 1:,} for the {split} split. "
            f"Got {positions[outside][0]} in row {rows[outside][0] + 1:,} instead."
        )
    counts = np.bincount(positions, minlength=images)
    if counts.max(initial=0) > 1:
        raise MetadataError(
            f"{path}: column 'index': expected each image once, found #{counts.argmax()} of the "
            f"{split} split {counts.max()} times"
        )
    taken = np.full(images, -1, np.int64)
    taken[positions] = rows
    return pa.array(taken, mask=taken < 0)
