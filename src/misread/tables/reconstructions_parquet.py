"""Reconstructions as Parquet files: a row per image, drawings as bytes where there are any."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import PredictionsError
from misread.tables.evidence_parquet import read_column, write_evidence
from misread.tables.metadata import first_line
from misread.tables.parquet import read_provenance
from misread.tables.reconstructions import Reconstructions
from misread.types import Array, ByteArray, IndexArray

_FORMAT = "misread reconstructions 1"
_NUMBERS: dict[str, type[np.generic]] = {
    "index": np.int32,
    "given": np.int16,
    "predicted": np.int16,
    "error_given": np.float32,
    "error_predicted": np.float32,
}
_DRAWINGS = ("as_given", "as_predicted")


def write_reconstructions(path: Path, table: Reconstructions) -> None:
    """Write reconstructions atomically: a row per image, null where no drawing is kept."""
    columns: dict[str, Any] = {name: pa.array(getattr(table, name)) for name in _NUMBERS}
    rows = np.searchsorted(table.index, table.drawn)
    for name in _DRAWINGS:
        cells: list[bytes | None] = [None] * len(table)
        for row, picture in zip(rows.tolist(), getattr(table, name), strict=True):
            cells[row] = picture.tobytes()
        columns[name] = pa.array(cells, pa.binary())
    more = {"shape": json.dumps(table.as_given.shape[1:])}
    write_evidence(path, _FORMAT, columns, table.provenance, more)


def read_reconstructions(path: Path) -> Reconstructions:
    """Read what `write_reconstructions` wrote.

    Raises:
        PredictionsError: The file is missing, damaged or holds something else.
    """
    provenance = read_provenance(path, _FORMAT)
    try:
        table = pq.ParquetFile(path).read()
        shape = tuple(int(side) for side in json.loads(table.schema.metadata[b"shape"]))
        numbers: dict[str, Array] = {
            name: read_column(table, name, dtype) for name, dtype in _NUMBERS.items()
        }
        drawn, as_given = _drawings(table, "as_given", numbers["index"], shape)
        other, as_predicted = _drawings(table, "as_predicted", numbers["index"], shape)
        if not np.array_equal(drawn, other):
            raise ValueError("drawings of one class are missing")
        return Reconstructions(
            **numbers,
            drawn=drawn,
            as_given=as_given,
            as_predicted=as_predicted,
            provenance=provenance,
        )
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise PredictionsError(
            f"{path}: damaged table of reconstructions: {first_line(error)}"
        ) from error


def _drawings(
    table: Any, name: str, index: IndexArray, shape: tuple[int, ...]
) -> tuple[IndexArray, ByteArray]:
    """Positions of the images that have a drawing, and the drawings."""
    column = table[name].combine_chunks()
    if column.type != pa.binary():
        raise ValueError(f"{name} must be binary, got {column.type}")
    there = np.asarray(column.is_valid())
    joined = b"".join(column.drop_null().to_pylist())
    # A drawing that is too short or too long doesn't fit the shape.
    pictures = np.frombuffer(joined, np.uint8).reshape(int(there.sum()), *shape)
    return index[there], pictures
