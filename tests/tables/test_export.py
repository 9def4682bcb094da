import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from misread.errors import ParameterError
from misread.tables.export import KINDS, check_kind, class_names, write_columns
from misread.types import Array

ROWS = [
    {"index": 3, "given": "cat, small", "p": 0.25, "sure": True, "label": None},
    {"index": 1, "given": 'dög "x"\n', "p": 1.0, "sure": False, "label": "cat, small"},
]


def columns(rows: int = 2) -> dict[str, Array]:
    return {
        "index": np.array([3, 1], np.int32)[:rows],
        "given": np.array([row["given"] for row in ROWS])[:rows],
        "p": np.array([0.25, 1], np.float32)[:rows],
        "sure": np.array([True, False])[:rows],
        "label": np.array([None, "cat, small"], dtype=object)[:rows],
    }


def test_each_kind_holds_the_same_rows(tmp_path: Path) -> None:
    for kind in KINDS:
        write_columns(tmp_path / "new" / f"table{kind}", columns())
    assert json.loads((tmp_path / "new" / "table.json").read_text(encoding="utf-8")) == ROWS
    assert pq.read_table(tmp_path / "new" / "table.parquet").to_pylist() == ROWS
    with (tmp_path / "new" / "table.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert read == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in ROWS
    ]


@pytest.mark.parametrize("rows", [0, 1])
def test_parquet_columns_have_types_whatever_they_hold(rows: int, tmp_path: Path) -> None:
    """A column of texts that has none stays one of texts."""
    write_columns(tmp_path / "table.parquet", columns(rows))
    schema = pq.read_schema(tmp_path / "table.parquet")
    assert {field.name: field.type for field in schema} == {
        "index": pa.int32(),
        "given": pa.string(),
        "p": pa.float32(),
        "sure": pa.bool_(),
        "label": pa.string(),
    }


@pytest.mark.parametrize("name", ["table", "table.txt", "table.csv.gz", ".csv"])
def test_other_kinds_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"output: expected \.csv, \.parquet, \.json\. Got"):
        check_kind(Path(name))
    with pytest.raises(ParameterError):
        write_columns(tmp_path / name, columns())
    assert list(tmp_path.iterdir()) == []
    check_kind(Path("TABLE.CSV"))


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(ValueError, match="zip"):
        write_columns(path, {"a": np.arange(2), "b": np.arange(3)})
    assert path.read_text(encoding="utf-8") == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    with pytest.raises(ParameterError, match=r"output: can't write .*table\.csv/a\.json: "):
        write_columns(path / "a.json", columns())


def test_labels_have_the_names_of_their_classes() -> None:
    assert class_names(np.array([1, 0, 1], np.int16), ("é", "b")).tolist() == ["b", "é", "b"]
    assert class_names(np.empty(0, np.int16), ("é", "b")).tolist() == []
    assert class_names(np.empty(0, np.int16), ("é", "b")).dtype.kind == "U"
