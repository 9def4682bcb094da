"""Dynamics and neighbours as Parquet files."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import PredictionsError
from misread.files import replacing
from misread.tables.evidence import Dynamics, Neighbours
from misread.tables.metadata import first_line
from misread.tables.parquet import as_numbers, read_provenance
from misread.tables.predictions import Provenance
from misread.types import Array

_FIGURES = ("area_under_margin", "first_learned", "forgotten")
_DYNAMICS = "misread dynamics 1"
_NEIGHBOURS = "misread neighbours 1"


def write_dynamics(path: Path, dynamics: Dynamics) -> None:
    """Write dynamics atomically: a column per array, the rest as metadata."""
    more = {"epochs": str(dynamics.epochs), "networks": str(dynamics.networks)}
    columns = {field: pa.array(getattr(dynamics, field)) for field in ("index", *_FIGURES)}
    write_evidence(path, _DYNAMICS, columns, dynamics.provenance, more)


def read_dynamics(path: Path) -> Dynamics:
    """Read what `write_dynamics` wrote.

    Raises:
        PredictionsError: The file is missing, damaged or holds something else.
    """
    provenance = read_provenance(path, _DYNAMICS)
    try:
        table = pq.ParquetFile(path).read()
        metadata = table.schema.metadata
        return Dynamics(
            index=read_column(table, "index", np.int32),
            **{field: read_column(table, field, np.float32) for field in _FIGURES},
            epochs=int(metadata[b"epochs"]),
            networks=int(metadata[b"networks"]),
            provenance=provenance,
        )
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise PredictionsError(
            f"{path}: damaged table of training dynamics: {first_line(error)}"
        ) from error


def write_neighbours(path: Path, neighbours: Neighbours) -> None:
    """Write neighbours atomically: their positions as fixed-size lists."""
    flat = pa.array(np.ascontiguousarray(neighbours.neighbours).reshape(-1))
    columns = {
        "index": pa.array(neighbours.index),
        "neighbours": pa.FixedSizeListArray.from_arrays(flat, neighbours.width),
    }
    write_evidence(path, _NEIGHBOURS, columns, neighbours.provenance, {})


def read_neighbours(path: Path) -> Neighbours:
    """Read what `write_neighbours` wrote.

    Raises:
        PredictionsError: The file is missing, damaged or holds something else.
    """
    provenance = read_provenance(path, _NEIGHBOURS)
    try:
        table = pq.ParquetFile(path).read(columns=["index", "neighbours"])
        lists = table["neighbours"].combine_chunks()
        flat = as_numbers(_checked("neighbours", lists.flatten(), np.int32), np.int32)
        width = lists.type.list_size
        index = read_column(table, "index", np.int32)
        return Neighbours(index, flat.reshape(len(index), width), provenance)
    except (OSError, KeyError, ValueError, AttributeError, pa.ArrowException) as error:
        raise PredictionsError(
            f"{path}: damaged table of neighbours: {first_line(error)}"
        ) from error


def read_column(table: Any, name: str, dtype: type[np.generic]) -> Array:
    """A column of numbers as an array.

    Raises:
        ValueError: It is of another type, or values are missing.
    """
    return as_numbers(_checked(name, table[name], dtype), dtype)


def _checked(name: str, values: Any, dtype: type[np.generic]) -> Any:
    expected = pa.from_numpy_dtype(dtype)
    if values.type != expected or values.null_count:
        raise ValueError(f"{name} must be {expected} without missing values, got {values.type}")
    return values


def write_evidence(
    path: Path,
    kind: str,
    columns: dict[str, Any],
    provenance: Provenance,
    more: dict[str, str],
) -> None:
    """Write columns atomically, with their provenance and more texts as metadata."""
    metadata = {"format": kind} | more
    metadata |= {k: json.dumps(v) for k, v in dataclasses.asdict(provenance).items()}
    table = pa.table(columns).replace_schema_metadata(metadata)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", use_dictionary=False)
