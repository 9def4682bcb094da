"""Tables for other programs: columns of equal length as CSV, Parquet or JSON."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import ParameterError
from misread.files import replacing
from misread.types import Array

KINDS = (".csv", ".parquet", ".json")

# An array, or a column of Arrow where values are missing or lists.
Column: TypeAlias = "Array | pa.Array"

# Rows that are text at a time.
_CHUNK = 16_384


def check_kind(path: Path) -> None:
    """Refuse a file whose name doesn't end in one of `KINDS`, before there is work to lose.

    Raises:
        ParameterError: Its name ends otherwise.
    """
    if path.suffix.lower() not in KINDS:
        raise ParameterError(f"output: expected {', '.join(KINDS)}. Got {str(path)!r} instead.")


def write_columns(
    path: Path, columns: Mapping[str, Column], about: Mapping[str, Any] | None = None
) -> None:
    """Write a table atomically, in the format of the file's name.

    Args:
        path: `.csv` with a line of names; `.parquet`; or `.json`, a list of one object per row.
        columns: Columns (M,) by name, in order; arrays of objects hold texts and None.
        about: What is to be known of the table; see `dump_columns`.

    Raises:
        ParameterError: The file's name is of another kind, or it can't be written.
    """
    check_kind(path)
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            dump_columns(file, path.suffix.lower(), columns, about)
    except OSError as error:
        raise ParameterError(f"output: can't write {path}: {error.strerror}") from error


def encode_columns(
    kind: str, columns: Mapping[str, Column], about: Mapping[str, Any] | None = None
) -> bytes:
    """The content of the file that `write_columns` would write."""
    file = io.BytesIO()
    dump_columns(file, kind, columns, about)
    return file.getvalue()


def dump_columns(
    file: BinaryIO, kind: str, columns: Mapping[str, Column], about: Mapping[str, Any] | None = None
) -> None:
    """Write a table into an open file, some thousand rows at a time.

    Args:
        file: Where to.
        kind: One of `KINDS`. Missing values are empty in CSV and null elsewhere.
        columns: Columns (M,) by name, in order; arrays of objects hold texts and None.
        about: What is to be known of the table, plain values by name. Parquet has them as JSON in
            the file's metadata, each under its name; JSON as an object with `about` and `rows`
            in place of a list of rows; CSV has no place for them.
    """
    if kind == ".parquet":
        table = pa.table({name: _arrow(values) for name, values in columns.items()})
        said = {
            name: json.dumps(value, ensure_ascii=False) for name, value in (about or {}).items()
        }
        pq.write_table(table.replace_schema_metadata(said or None), file, compression="zstd")
        return
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    if kind == ".csv":
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for rows in _chunks(columns):
            writer.writerows(rows)
    else:
        _dump_json(text, columns, about)
    text.flush()
    text.detach()


def _dump_json(
    text: io.TextIOWrapper, columns: Mapping[str, Column], about: Mapping[str, Any] | None
) -> None:
    """Rows as `json.dumps(..., indent=1)` would write them, but for one row to a line."""
    if about is not None:
        text.write('{\n"about": ' + json.dumps(about, ensure_ascii=False, indent=1) + ',\n"rows": ')
    separator = "[\n"
    for rows in _chunks(columns):
        for row in rows:
            content = json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False)
            text.write(separator + content)
            separator = ",\n"
    text.write(("[" if separator == "[\n" else "\n") + ("]\n" if about is None else "]\n}\n"))


def _chunks(columns: Mapping[str, Column]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Rows of plain Python values."""
    length = max((len(column) for column in columns.values()), default=0)
    for start in range(0, length, _CHUNK):
        parts = [column[start : start + _CHUNK].tolist() for column in columns.values()]
        yield zip(*parts, strict=True)


def _arrow(values: Column) -> "pa.Array":
    if not isinstance(values, np.ndarray):
        return values
    # Without it a column that is None throughout would be of no type.
    return pa.array(values, pa.string() if values.dtype == object else None)


def class_names(labels: Array, classes: tuple[str, ...]) -> Array:
    """Labels (M,) by the names of their classes, for a reader who doesn't know the numbers."""
    return np.array(classes)[labels] if len(labels) else np.empty(0, np.str_)
