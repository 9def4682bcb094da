import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from misread.errors import MetadataError
from misread.tables.metadata import TEXT
from misread.tables.reading_metadata import read_table, split_rows

SIZES = {"train": 4, "test": 3}
CSV = """index,writer,page,size,blurred,day,note
2,ann,3,0.5,true,2020-01-31,"a, b"
0,"NA",4,,false,2020-02-01,
1,,NA,1,true,2020-02-01,"two
lines"
"""


def write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.tsv", "a.csv.gz", "a.tsv.gz"])
def test_text_is_read_into_typed_columns(tmp_path: Path, name: str) -> None:
    separator = "\t" if "tsv" in name else ","
    text = CSV if separator == "," else CSV.replace("a, b", "a; b").replace(",", "\t")
    table = read_table(write(tmp_path / name, text))
    types = [TEXT, pa.int64(), pa.float64(), pa.bool_(), TEXT, TEXT]
    assert table.schema.types == [pa.int64(), *types]
    assert table["writer"].to_pylist() == ["ann", "NA", None]
    assert table["page"].to_pylist() == [3, 4, None]
    assert table["size"].to_pylist() == [0.5, None, 1.0]
    assert table["day"].to_pylist() == ["2020-01-31", "2020-02-01", "2020-02-01"]
    assert table["note"].to_pylist()[2] == "two\nlines"


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("index,a\n0,1\n", encoding="utf-8-sig")
    assert read_table(tmp_path / "a.csv").column_names == ["index", "a"]


def test_types_are_inferred_from_the_whole_file(tmp_path: Path) -> None:
    rows = "".join(f"{number}\n" for number in range(300_000))
    table = read_table(write(tmp_path / "a.csv", "a\n" + rows + "last\n"))
    assert table["a"].type == TEXT
    assert table["a"][0].as_py() == "0"


def test_parquet_of_many_types_is_read(tmp_path: Path) -> None:
    source = pa.table(
        {
            "small": pa.array([1, 2], pa.int8()),
            "half": pa.array([0.5, float("nan")], pa.float32()),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "large": pa.array(["a", "b"], pa.large_string()),
            "time": pa.array([0, 1], pa.timestamp("s")),
            "nothing": pa.nulls(2),
            "number_kind": pa.array([7, 7]).dictionary_encode(),
        }
    )
    pq.write_table(source, tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table.schema.types == [pa.int64(), pa.float64(), TEXT, TEXT, TEXT, TEXT, pa.int64()]
    assert table["half"].to_pylist() == [0.5, None]
    assert table["time"].to_pylist()[0].startswith("1970-01-01")
    assert table["nothing"].null_count == 2


def test_files_that_are_no_tables_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    (tmp_path / "latin.csv").write_bytes(b"a\ngr\xfc\xdfe\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a\n1\n" * 5000)[:-9])
    (tmp_path / "folder.csv").mkdir()
    pq.write_table(pa.table({"a": [[1]]}), tmp_path / "list.parquet")
    pq.write_table(pa.table({"a": pa.array([2**63], pa.uint64())}), tmp_path / "big.parquet")
    cases = {
        "absent.csv": "expected a file of metadata, found none",
        "a.xlsx": "expected metadata as .csv, .tsv",
        "junk.parquet": "expected a table",
        "latin.csv": "expected UTF-8 text",
        "cut.csv.gz": "expected a table",
        "folder.csv": "expected a table",
        "list.parquet": "column 'a': expected UTF-8 text, numbers",
        "big.parquet": "column 'a'",
        write(tmp_path / "empty.csv", "").name: "expected a table",
        write(tmp_path / "ragged.csv", "a,b\n1,2\n1\n").name: "expected a table",
        write(tmp_path / "semi.csv", "index;a\n0;1\n").name: "found ';' between them",
        write(tmp_path / "tabs.csv", "index\ta\n0\t1\n").name: "found '\\t' between them",
        write(tmp_path / "twice.csv", "a,a\n1,2\n").name: "2 columns are named 'a'",
        write(tmp_path / "pandas.csv", ",a\n0,2\n").name: "column 1 has no name",
    }
    for name, says in cases.items():
        with pytest.raises(MetadataError) as caught:
            read_table(tmp_path / name)
        assert says in str(caught.value), name
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def rows(columns: dict[str, object], split: str | None = None) -> dict[str, dict[str, object]]:
    arrays = {
        name: pa.array(values).dictionary_encode() if name == "split" else pa.array(values)
        for name, values in columns.items()
    }
    found = split_rows(Path("a.csv"), pa.table(arrays), SIZES, split)
    return {name: part.table.to_pydict() | {"rows": part.rows} for name, part in found.items()}


def test_rows_find_their_images() -> None:
    assert rows({"index": [2, 0], "a": [5, 6]}) == {"test": {"a": [6, None, 5], "rows": 2}}
    assert rows({"a": [5, 6, 7]}) == {"test": {"a": [5, 6, 7], "rows": 3}}
    assert rows({"a": [5, 6, 7, 8]}, "train")["train"]["a"] == [5, 6, 7, 8]
    assert rows({"split": ["test", "train", "test"], "index": [1, 3, 0], "a": [5, 6, 7]}) == {
        "test": {"a": [7, 5, None], "rows": 2},
        "train": {"a": [None, None, None, 6], "rows": 1},
    }
    names = ["test", "train", "train", "test", "train", "test", "train"]
    assert rows({"split": names, "a": list(range(7))}) == {
        "test": {"a": [0, 3, 5], "rows": 3},
        "train": {"a": [1, 2, 4, 6], "rows": 4},
    }


def test_any_order_gives_the_same() -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 99, 50)
    order = generator.permutation(50)
    table = pa.table({"index": order, "a": values[order]})
    found = split_rows(Path("a.csv"), table, {"test": 50}, None)["test"].table
    assert found["a"].to_pylist() == values.tolist()


def test_rows_that_fit_no_images_are_refused() -> None:
    cases: list[tuple[dict[str, object], str | None, str]] = [
        ({"a": [1, 2]}, None, "no column 'index', so expected 3 rows, one per image of the test"),
        ({"a": [1]}, "val", "split: expected one of train, test. Got 'val' instead"),
        (
            {"index": [0, 3], "a": [1, 2]},
            None,
            "expected 0 to 2 for the test split. Got 3",
        ),
        ({"index": [-1], "a": [1]}, None, "Got -1 in row 1"),
        ({"index": [1, 0, 1], "a": [1, 2, 3]}, None, "found #1 of the test split 2 times"),
        ({"index": [0.0], "a": [1]}, None, "expected a whole number in every row"),
        ({"index": [0, None], "a": [1, 2]}, None, "expected a whole number in every row"),
        ({"index": [0]}, None, "expected columns beside index and split"),
        ({"split": ["val"], "a": [1]}, None, "column 'split': expected train, test in every row"),
        ({"split": ["test", None], "a": [1, 2]}, None, "Got a missing value"),
        ({"split": ["test"] * 3, "a": [1, 2, 3]}, "test", "leave --split out"),
        ({"split": ["test"], "index": [3], "a": [1]}, None, "Got 3 in row 1"),
    ]
    for columns, split, says in cases:
        with pytest.raises(MetadataError) as caught:
            rows(columns, split)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(MetadataError, match="column 'split'"):
        split_rows(Path("a.csv"), pa.table({"split": [1], "a": [1]}), SIZES, None)
