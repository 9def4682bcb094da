"""Tables for other programs: columns of equal length as CSV, Parquet or JSON."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import ParameterError
from misread.files import replacing
from misread.types import Array

KINDS = (".csv", ".parquet", ".json")


def check_kind(path: Path) -> None:
    """Refuse a file whose name doesn't end in one of `KINDS`, before there is work to lose.

    Raises:
        ParameterError: Its name ends otherwise.
    """
    if path.suffix.lower() not in KINDS:
        raise ParameterError(f"output: expected {', '.join(KINDS)}. Got {str(path)!r} instead.")


def write_columns(path: Path, columns: Mapping[str, Array]) -> None:
    """Write a table atomically, in the format of the file's name.

    Args:
        path: `.csv` with a line of names; `.parquet`; or `.json`, a list of one object per row.
        columns: Arrays (M,) by name, in order; those of objects hold texts and None.

    Raises:
        ParameterError: The file's name is of another kind, or it can't be written.
    """
    check_kind(path)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    try:
        with replacing(path) as temporary:
            match path.suffix.lower():
                case ".parquet":
                    pq.write_table(
                        pa.table({name: _arrow(values) for name, values in columns.items()}),
                        temporary,
                    )
                case ".csv":
                    with temporary.open("w", newline="", encoding="utf-8") as file:
                        writer = csv.writer(file, lineterminator="\n")
                        writer.writerow(columns)
                        writer.writerows(rows)
                case _:
                    objects = [dict(zip(columns, row, strict=True)) for row in rows]
                    text = json.dumps(objects, ensure_ascii=False, indent=1)
                    temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"output: can't write {path}: {error.strerror}") from error


def _arrow(values: Array) -> "pa.Array":
    # Without it a column that is None throughout would be of no type.
    return pa.array(values, pa.string() if values.dtype == object else None)


def class_names(labels: Array, classes: tuple[str, ...]) -> Array:
    """Labels (M,) by the names of their classes, for a reader who doesn't know the numbers."""
    return np.array(classes)[labels] if len(labels) else np.empty(0, np.str_)
