import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from misread.datasets import Dataset, Split
from misread.errors import ParameterError
from misread.tables.export import write_columns
from misread.workflows.duplicates import show_duplicates


@pytest.fixture
def dataset() -> Dataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (6, 9, 7), dtype=np.uint8)
    train = Split("train", images[[0, 1, 1, 2]], np.array([0, 1, 0, 1]))
    test = Split("test", images[[3, 2]], np.array([0, 1]))
    return Dataset("six", ("cat, small", "dög"), {"train": train, "test": test}, "nowhere")


ROWS = [
    ("train", 1, "dög", "train", 2, "cat, small", 0.0, "conflict"),
    ("train", 3, "dög", "test", 1, "dög", 0.0, "leak"),
]
NAMES = [
    "split_a", "index_a", "given_a", "split_b", "index_b", "given_b", "distance", "kind"
]  # fmt: skip


def test_the_table_has_names_of_classes(dataset: Dataset, tmp_path: Path) -> None:
    result = show_duplicates(dataset, output=tmp_path / "new" / "pairs.csv")
    assert result.table is not None
    assert result.picture is None
    lines = result.table.read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(NAMES)
    assert lines[1] == 'train,1,dög,train,2,"cat, small",0.0,conflict'
    assert len(lines) == 3

    parquet = show_duplicates(dataset, output=tmp_path / "pairs.parquet").table
    table = pq.read_table(parquet)
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS

    made = show_duplicates(dataset, output=tmp_path / "pairs.JSON").table
    assert made is not None
    assert [tuple(row.values()) for row in json.loads(made.read_text("utf-8"))] == ROWS


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_no_pairs_make_a_table_without_rows(kind: str, dataset: Dataset, tmp_path: Path) -> None:
    lonely = Dataset("one", dataset.classes, {"test": dataset.test.take([0])}, "nowhere")
    result = show_duplicates(lonely, save=tmp_path / "none.png", output=tmp_path / f"none.{kind}")
    assert result.picture is None
    assert result.table is not None
    if kind == "parquet":
        table = pq.read_table(result.table)
        assert (table.num_rows, table.column_names) == (0, NAMES)
    else:
        assert len(result.table.read_text().splitlines()) == 1
    assert not (tmp_path / "none.png").exists()


def test_the_picture_is_written(dataset: Dataset, tmp_path: Path) -> None:
    result = show_duplicates(dataset, save=tmp_path / "pairs.png")
    assert result.picture == tmp_path / "pairs.png"
    with Image.open(tmp_path / "pairs.png") as picture:
        assert picture.width > 400


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"save": "pairs.jpg"}, r"save: expected a .png file. Got 'pairs.jpg'"),
        ({"output": "pairs.txt"}, r"output: expected .csv, .parquet, .json. Got 'pairs.txt'"),
    ],
)
def test_other_kinds_of_files_are_refused_before_the_work(
    files: dict[str, str], says: str, dataset: Dataset, tmp_path: Path
) -> None:
    paths: dict[str, Any] = {name: Path(file) for name, file in files.items()}
    with pytest.raises(ParameterError, match=says):
        show_duplicates(dataset, distance=2.0, **paths)


def test_what_cannot_be_written_is_one_line(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("save", "output"):
        suffix = ".png" if name == "save" else ".csv"
        path: dict[str, Any] = {name: tmp_path / "file" / f"pairs{suffix}"}
        with pytest.raises(ParameterError, match=f"{name}: can't write .*pairs"):
            show_duplicates(dataset, **path)
    with pytest.raises(ParameterError, match="output: expected"):
        write_columns(tmp_path / "pairs", {"a": np.arange(2)})
