from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from misread.errors import MetadataError
from misread.tables.file_positions import find_files
from misread.tables.reading_metadata import split_rows
from misread.types import Array

FILE = Path("scans.csv")
FILES: dict[str, Array] = {
    "train": np.array(["train/a/1.png", "train/a/2.png", "train/b/1.png"], object),
    "test": np.array(["test/a/1.png", "test/b/ä 1.png"], object),
}


def table(**columns: list[object]) -> pa.Table:
    made = pa.table(columns)
    for name in ("file", "split"):
        if name in columns:
            at = made.column_names.index(name)
            made = made.set_column(at, name, made[name].dictionary_encode())
    return made


def test_rows_find_their_images_in_all_splits() -> None:
    rows = table(
        file=["test/b/ä 1.png", "train/b/1.png", "train/a/1.png", "test/a/1.png"], age=[1, 2, 3, 4]
    )
    found = find_files(FILE, rows, FILES, None)
    assert found["split"].to_pylist() == ["test", "train", "train", "test"]
    assert found["index"].to_pylist() == [1, 2, 0, 0]
    joined = split_rows(FILE, found, {"train": 3, "test": 2}, None)
    assert joined["train"].table["age"].to_pylist() == [3, None, 2]
    assert joined["test"].table["age"].to_pylist() == [4, 1]
    assert joined["test"].table.column_names == ["age"]


def test_a_split_that_is_said_must_be_the_images() -> None:
    rows = table(file=["test/a/1.png"], age=[1])
    assert find_files(FILE, rows, FILES, "test")["index"].to_pylist() == [0]
    with pytest.raises(MetadataError, match=r"of the train split\. Got 'test/a/1\.png' of test"):
        find_files(FILE, rows, FILES, "train")
    rows = table(file=["test/a/1.png", "train/a/2.png"], split=["test", "test"], age=[1, 2])
    with pytest.raises(MetadataError, match=r"of the test split\. .* of train in row 2 instead"):
        find_files(FILE, rows, FILES, None)


@pytest.mark.parametrize("name", ["1.png", "/train/a/1.png", "Train/a/1.png", "", None])
def test_a_path_of_no_image_is_one_line(name: str | None) -> None:
    rows = table(file=["test/a/1.png", name], age=[1, 2])
    with pytest.raises(MetadataError, match=r"as train/a/1\.png\. Got .* in row 2 instead"):
        find_files(FILE, rows, FILES, None)
