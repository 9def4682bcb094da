import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.errors import MetadataError
from misread.tables.metadata import TEXT, Metadata, merge, read_metadata, write_metadata

TABLE = pa.table(
    {
        "writer": pa.array(["ann", None, "bob", "ann"]).dictionary_encode(),
        "page": pa.array([3, 4, None, 3]),
        "size": pa.array([0.5, None, 1.5, 2.0]),
        "blurred": pa.array([True, False, None, True]),
    }
)


def make(table: pa.Table = TABLE, cluster: str | None = None) -> Metadata:
    return Metadata("test", "sha256:x", table, cluster)


def one_line(caught: pytest.ExceptionInfo[MetadataError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_are_codes_and_distinct_values() -> None:
    made = make()
    assert len(made) == 4
    assert [made.kind(c) for c in made.columns] == ["text", "whole numbers", "numbers", "yes/no"]
    for column in made.columns:
        codes, values = made.values(column)
        again = [None if code < 0 else values[code] for code in codes]
        assert again == TABLE[column].to_pylist()
        assert made.missing(column) == 1
    with pytest.raises(MetadataError, match="expected one of the columns writer, page, size"):
        made.values("nope")


cells = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=20)


@given(texts=cells, numbers=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_read_as_it_was_written(
    texts: list[str | None], numbers: list[int | None], tmp_path: Path
) -> None:
    size = min(len(texts), len(numbers))
    table = pa.table(
        {
            "text": pa.array(texts[:size], pa.string()).cast(TEXT),
            "numbers": pa.array(numbers[:size], pa.int64()),
        }
    )
    made = make(table, "text")
    write_metadata(tmp_path / "test.parquet", made)
    again = read_metadata(tmp_path / "test.parquet")
    assert again.table.to_pydict() == table.to_pydict()
    assert (again.split, again.items_fingerprint, again.cluster) == ("test", "sha256:x", "text")


def test_the_file_is_for_any_reader(tmp_path: Path) -> None:
    write_metadata(tmp_path / "test.parquet", make(cluster="writer"))
    table = pq.read_table(tmp_path / "test.parquet")
    assert table["index"].to_pylist() == [0, 1, 2, 3]
    assert json.loads(table.schema.metadata[b"cluster"]) == "writer"


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    write_metadata(path, make())
    whole, table = path.read_bytes(), pq.read_table(path)
    said = dict(table.schema.metadata)
    other = table.set_column(0, "index", pa.array([0, 1, 3, 2], pa.int32()))
    broken: list[pa.Table | bytes] = [
        whole[:-20],
        b"",
        table.replace_schema_metadata({}),
        table.replace_schema_metadata(said | {b"cluster": b'"nope"'}),
        table.replace_schema_metadata(said | {b"split": b"3"}),
        table.replace_schema_metadata(said | {b"split": b"{"}),
        table.drop_columns(["index"]),
        other,
    ]
    for content in broken:
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pq.write_table(content, path)
        with pytest.raises(MetadataError, match="expected metadata written by misread") as caught:
            read_metadata(path)
        assert one_line(caught).startswith(str(path))
    with pytest.raises(MetadataError):
        read_metadata(tmp_path / "absent.parquet")


def test_what_cannot_be_metadata_is_refused() -> None:
    cases = {
        "Got list": pa.table({"a": [[1], [2]]}),
        "Got int32": pa.table({"a": pa.array([1], pa.int32())}),
        "'given'": pa.table({"given": [1]}),
        "' '": pa.table({" ": [1]}),
        "'a'": pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
    }
    for says, table in cases.items():
        with pytest.raises(MetadataError) as caught:
            make(table)
        assert says in one_line(caught)
    with pytest.raises(MetadataError, match="cluster: expected one of the columns"):
        make(cluster="nope")
    with pytest.raises(MetadataError, match="has fractions"):
        make(cluster="size")


def test_columns_are_added() -> None:
    more = make(pa.table({"camera": pa.array([1, 2, 1, 2])}), "camera")
    both = merge(make(cluster="writer"), more)
    assert both.columns == ["writer", "page", "size", "blurred", "camera"]
    assert both.cluster == "camera"
    assert merge(more, make()).cluster == "camera"


def test_a_column_in_both_is_filled_up() -> None:
    other = make(pa.table({"writer": pa.array([None, "cid", "bob", None]).dictionary_encode()}))
    assert merge(make(), other).table["writer"].to_pylist() == ["ann", "cid", "bob", "ann"]
    whole, halves = make(pa.table({"a": [1, None]})), make(pa.table({"a": [None, 0.5]}))
    assert merge(whole, halves).table["a"].to_pylist() == [1.0, 0.5]


def test_other_values_are_refused_unless_they_replace() -> None:
    other = make(pa.table({"page": pa.array([3, None, 9, 7])}))
    with pytest.raises(MetadataError) as caught:
        merge(make(), other)
    said = one_line(caught)
    assert "other values for 1 images of the test split already (image #3: 3 there, 7 here)" in said
    assert "--replace" in said
    assert merge(make(), other, replace=True).table["page"].to_pylist() == [3, None, 9, 7]
    text = make(pa.table({"page": pa.array(["a"] * 4).dictionary_encode()}))
    with pytest.raises(MetadataError, match="is whole numbers in the test split's metadata"):
        merge(make(), text)
    assert merge(make(), text, replace=True).kind("page") == "text"


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), min_size=1)
)
@settings(deadline=None)
def test_merging_loses_nothing(pairs: list[tuple[int | None, int | None]]) -> None:
    old, new = ([pair[side] for pair in pairs] for side in (0, 1))
    before, after = (make(pa.table({"a": pa.array(x, pa.int64())})) for x in (old, new))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        with pytest.raises(MetadataError):
            merge(before, after)
        return
    merged = merge(before, after).table["a"].to_pylist()
    assert merged == [b if a is None else a for a, b in pairs]


def test_a_million_values_factorise() -> None:
    numbers = np.arange(1_000_000) % 1000
    codes, values = make(pa.table({"a": numbers})).values("a")
    np.testing.assert_array_equal(values[codes], numbers)
