"""Predictions as Parquet files: the probabilities in one fixed-size list column."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import PredictionsError
from misread.files import replacing
from misread.tables.predictions import Origin, Predictions, Provenance

FORMAT = "misread predictions 1"
_ROW_GROUP = 65_536
_COLUMNS = ("index", "given", "probabilities")


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions atomically; the same predictions give the same bytes.

    Columns: `index` int32, `given` int16, `probabilities` fixed_size_list<float32>[K]. The file's
    metadata has every field of the provenance under its own name.
    """
    flat = pa.array(np.ascontiguousarray(predictions.probabilities).reshape(-1))
    columns = [
        pa.array(predictions.index),
        pa.array(predictions.given),
        pa.FixedSizeListArray.from_arrays(flat, len(predictions.classes)),
    ]
    metadata = {"format": FORMAT} | {
        key: json.dumps(value) for key, value in dataclasses.asdict(predictions.provenance).items()
    }
    table = pa.Table.from_arrays(columns, names=list(_COLUMNS)).replace_schema_metadata(metadata)
    with replacing(path) as temporary:
        # Probabilities hardly repeat: a dictionary would only cost time.
        pq.write_table(
            table, temporary, row_group_size=_ROW_GROUP, compression="zstd", use_dictionary=False
        )


def read_provenance(path: Path, expected: str = FORMAT) -> Provenance:
    """Where the predictions in this file come from, without reading them.

    Args:
        path: The file.
        expected: The format that its metadata must name.

    Raises:
        PredictionsError: The file is missing, damaged or none of misread's.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PredictionsError(f"{path}: expected a Parquet file: {_line(error)}") from error
    if metadata.get(b"format") != expected.encode():
        raise PredictionsError(
            f"{path}: expected Parquet written by misread, with the metadata 'format: {expected}'; "
            "a table made elsewhere comes in as .npy, .npz, .csv or .tsv"
        )
    try:
        fields = {
            field.name: json.loads(metadata[field.name.encode()])
            for field in dataclasses.fields(Provenance)
        }
        fields["origin"] = Origin(fields["origin"])
        if not isinstance(fields["classes"], list):
            raise TypeError("classes must be a list")
        fields["classes"] = tuple(fields["classes"])
        return Provenance(**fields)
    except (KeyError, TypeError, ValueError, PredictionsError) as error:
        raise PredictionsError(f"{path}: damaged provenance: {_line(error)}") from error


def read_predictions(path: Path) -> Predictions:
    """Read and check a predictions file.

    Raises:
        PredictionsError: The file is missing, damaged or none of misread's.
    """
    provenance = read_provenance(path)
    classes = len(provenance.classes)
    expected = pa.schema(
        [
            ("index", pa.int32()),
            ("given", pa.int16()),
            ("probabilities", pa.list_(pa.float32(), classes)),
        ]
    )
    try:
        table = pq.read_table(path, columns=list(_COLUMNS)).combine_chunks()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PredictionsError(f"{path}: damaged Parquet file: {_line(error)}") from error
    if not table.schema.equals(expected):
        found = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise PredictionsError(
            f"{path}: expected the columns {', '.join(f'{f.name} {f.type}' for f in expected)}. "
            f"Got {found} instead."
        )
    if any(column.null_count for column in table.columns):
        raise PredictionsError(f"{path}: expected a value in every row, found missing ones")
    flat = table["probabilities"].combine_chunks().flatten()
    if flat.null_count or len(flat) != len(table) * classes:
        raise PredictionsError(f"{path}: expected {classes} probabilities in every row")
    return Predictions(
        index=table["index"].to_numpy(),
        given=table["given"].to_numpy(),
        probabilities=flat.to_numpy(zero_copy_only=False).reshape(len(table), classes),
        provenance=provenance,
    )


def _line(error: Exception) -> str:
    """The first line of a library's message: ours are one line each."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
