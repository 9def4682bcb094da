"""Predictions as Parquet files: the probabilities in one fixed-size list column."""

import dataclasses
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import PredictionsError
from misread.files import replacing
from misread.tables.predictions import (
    Origin,
    Predictions,
    Provenance,
    check_probabilities,
    check_rows,
    row_ranges,
)
from misread.types import Array, FloatArray, IndexArray, LabelArray

FORMAT = "misread predictions 1"
_DAMAGED = (OSError, ValueError, pa.ArrowException)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions atomically; the same predictions give the same bytes.

    Columns: `index` int32, `given` int16, `probabilities` fixed_size_list<float32>[K]. The file's
    metadata has every field of the provenance under its own name.
    """
    write_parts(path, predictions.provenance, [predictions])


def write_parts(path: Path, provenance: Provenance, parts: Iterable[Predictions]) -> None:
    """Write predictions that never are in memory as a whole, atomically.

    Args:
        path: The file.
        provenance: Where all of them come from.
        parts: Consecutive parts, of any number of rows each.

    Raises:
        PredictionsError: A part is of other classes, or its index starts before the last one's end.
    """
    classes = len(provenance.classes)
    last = -1
    with replacing(path) as temporary, _writer(temporary, provenance) as writer:
        for part in parts:
            if part.classes != provenance.classes or (len(part) and part.index[0] <= last):
                raise PredictionsError(
                    f"{path}: expected parts of the same {classes} classes whose index goes on "
                    f"after {last}. Got {part} instead."
                )
            last = int(part.index[-1]) if len(part) else last
            for start, stop in row_ranges(len(part), classes) or [(0, 0)]:
                flat = np.ascontiguousarray(part.read(start, stop)).reshape(-1)
                columns = [
                    pa.array(part.index[start:stop]),
                    pa.array(part.given[start:stop]),
                    pa.FixedSizeListArray.from_arrays(pa.array(flat), type=_list_of(classes)),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=writer.schema))


def _list_of(classes: int) -> Any:
    # Without room for missing values it is read 1.5 times as fast.
    return pa.list_(pa.field("element", pa.float32(), nullable=False), classes)


def _writer(path: Path, provenance: Provenance) -> Any:
    metadata = {"format": FORMAT} | {
        key: json.dumps(value) for key, value in dataclasses.asdict(provenance).items()
    }
    schema = pa.schema(
        [
            pa.field("index", pa.int32()),
            pa.field("given", pa.int16()),
            pa.field("probabilities", _list_of(len(provenance.classes)), nullable=False),
        ],
        metadata=metadata,
    )
    # Probabilities hardly repeat: a dictionary would only cost time. Their first bytes do: put
    # together, they compress better and are read faster.
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=False,
        use_byte_stream_split=["probabilities.list.element"],
    )


@dataclass(frozen=True, eq=False)
class PredictionsFile:
    """A predictions file whose probabilities are read a range of rows at a time.

    Made by `PredictionsFile.open`. It reads what stood at the path then, even if another file
    takes its place; several threads may read at once.

    Attributes:
        path: The file.
        provenance: Where the predictions come from.
        index: (N,) int32, position of each image in its split; strictly increasing.
        given: (N,) int16, given labels in [0, K).

    Example:
        ```python
        file = misread.PredictionsFile.open("convnet-short-s0.test.held-out.parquet")
        for start, stop in file.ranges():
            probabilities = file.read(start, stop)  # (stop - start, K) float32
        ```
    """

    path: Path
    provenance: Provenance
    index: IndexArray = field(repr=False)
    given: LabelArray = field(repr=False)
    _ends: tuple[int, ...] = field(repr=False)
    _metadata: Any = field(repr=False)
    _handle: Any = field(repr=False)

    @classmethod
    def open(cls, path: Path | str) -> "PredictionsFile":
        """Open a file; read and check all but its probabilities.

        Raises:
            PredictionsError: The file is missing, damaged or none of misread's.
        """
        path = Path(path)
        try:
            handle = pa.OSFile(str(path))
            file = pq.ParquetFile(handle)
            metadata, schema = file.metadata, file.schema_arrow
        except _DAMAGED as error:
            raise PredictionsError(f"{path}: expected a Parquet file: {_line(error)}") from error
        provenance = _provenance(path, schema.metadata or {})
        _check_schema(path, schema, len(provenance.classes))
        try:
            table = file.read(columns=["index", "given"], use_threads=False).combine_chunks()
        except _DAMAGED as error:
            raise PredictionsError(f"{path}: damaged Parquet file: {_line(error)}") from error
        if any(column.null_count for column in table.columns):
            raise PredictionsError(f"{path}: expected a value in every row, found missing ones")
        index = as_numbers(table["index"], np.int32)
        given = as_numbers(table["given"], np.int16)
        check_rows(str(path), index, given, len(provenance.classes))
        groups = (metadata.row_group(at).num_rows for at in range(metadata.num_row_groups))
        ends = tuple(accumulate(groups, initial=0))
        return cls(path, provenance, index, given, ends, metadata, handle)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the columns."""
        return self.provenance.classes

    def ranges(self) -> list[tuple[int, int]]:
        """The ranges of rows (start, stop) that the file's row groups hold."""
        return [(start, stop) for start, stop in pairwise(self._ends) if start < stop]

    def read(self, start: int, stop: int) -> FloatArray:
        """Read and check the probabilities of some rows; a whole row group at the least is read.

        Args:
            start: First row.
            stop: The row after the last.

        Returns:
            (stop - start, K) float32.

        Raises:
            PredictionsError: The file is damaged or holds something else than probabilities.
        """
        first, last = bisect_right(self._ends, start) - 1, bisect_left(self._ends, stop)
        groups = list(range(first, last))
        skipped, classes = start - self._ends[first], len(self.classes)
        try:
            file = pq.ParquetFile(self._handle, metadata=self._metadata)
            column = file.read_row_groups(groups, columns=["probabilities"], use_threads=False)
            lists = _whole(column["probabilities"]).slice(skipped, stop - start)
        except _DAMAGED as error:
            raise PredictionsError(f"{self.path}: damaged Parquet file: {_line(error)}") from error
        flat = lists.flatten()
        if lists.null_count or flat.null_count or len(flat) != (stop - start) * classes:
            raise PredictionsError(f"{self.path}: expected {classes} probabilities in every row")
        probabilities: FloatArray = as_numbers(flat, np.float32).reshape(stop - start, classes)
        check_probabilities(str(self.path), probabilities, start)
        return probabilities


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
    except _DAMAGED as error:
        raise PredictionsError(f"{path}: expected a Parquet file: {_line(error)}") from error
    return _provenance(path, metadata, expected)


def _provenance(path: Path, metadata: dict[bytes, bytes], expected: str = FORMAT) -> Provenance:
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


def _check_schema(path: Path, schema: Any, classes: int) -> None:
    lists = pa.list_(pa.float32(), classes)
    expected = {
        "index": [pa.int32()],
        "given": [pa.int16()],
        # Files of before have room for missing values.
        "probabilities": [lists, _list_of(classes)],
    }
    found = {name: schema.field(name).type for name in expected if schema.names.count(name) == 1}
    if any(found.get(name) not in types for name, types in expected.items()):
        named = ", ".join(f"{name} {types[0]}" for name, types in expected.items())
        got = ", ".join(f"{one.name} {one.type}" for one in schema)
        raise PredictionsError(f"{path}: expected the columns {named}. Got {got} instead.")


def read_predictions(path: Path) -> Predictions:
    """Read and check a whole predictions file.

    Raises:
        PredictionsError: The file is missing, damaged or none of misread's.
    """
    file = PredictionsFile.open(path)
    return Predictions(file.index, file.given, file.read(0, len(file)), file.provenance)


def _whole(column: Any) -> Any:
    """One array of a column's chunks; copied only where there are several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def as_numbers(values: Any, dtype: type[np.generic]) -> Array:
    """A view of numbers without missing ones. PyArrow's own way to NumPy would import pandas.

    Args:
        values: A column or an array of PyArrow.
        dtype: Of its numbers.
    """
    array = _whole(values) if isinstance(values, pa.ChunkedArray) else values
    if not len(array):
        return np.empty(0, dtype)
    offset = array.offset * np.dtype(dtype).itemsize
    return np.frombuffer(array.buffers()[1], dtype, len(array), offset)


def _line(error: Exception) -> str:
    """The first line of a library's message: ours are one line each."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
