import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.errors import PredictionsError
from misread.tables import Origin, Predictions, Provenance
from misread.tables.parquet import (
    FORMAT,
    PredictionsFile,
    read_predictions,
    read_provenance,
    write_parts,
    write_predictions,
)
from misread.tables.predictions import row_ranges

# Each example writes over the one before.
SHARED_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXT = st.text(max_size=20)


@st.composite
def tables(draw: st.DrawFn) -> Predictions:
    """Predictions over one class or more, of no images or more, named however."""
    classes = tuple(draw(st.lists(TEXT, min_size=1, max_size=6, unique=True)))
    count = draw(st.integers(0, 12))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    index = np.sort(generator.choice(2**31 - 1, count, replace=False)).astype(np.int32)
    probabilities = generator.dirichlet(np.full(len(classes), 0.1), count)
    return Predictions(
        index,
        generator.integers(0, len(classes), count).astype(np.int16),
        probabilities.astype(np.float32).reshape(count, len(classes)),
        Provenance(
            model=draw(TEXT),
            recipe=draw(TEXT),
            seed=draw(st.integers(0, 2**70)),
            split=draw(TEXT),
            origin=draw(st.sampled_from(Origin)),
            classes=classes,
            items_fingerprint=draw(TEXT),
            created=draw(TEXT),
            repeat=draw(st.none() | st.integers(0, 1_000)),
        ),
    )


def assert_same(one: Predictions, other: Predictions) -> None:
    for name in ("index", "given", "probabilities"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()
    assert one.provenance == other.provenance


@given(table=tables())
@SHARED_FOLDER
def test_what_is_written_is_read_back_bit_for_bit(table: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, table)
    first = path.read_bytes()
    assert_same(read_predictions(path), table)
    assert read_provenance(path) == table.provenance
    write_predictions(path, table)
    assert path.read_bytes() == first


@pytest.fixture
def written(tmp_path: Path, make_predictions: Callable[..., Predictions]) -> Path:
    path = tmp_path / "p.parquet"
    write_predictions(path, make_predictions(given=np.arange(40) % 3, repeat=4))
    return path


def test_the_documented_schema_is_what_pyarrow_finds(
    written: Path, make_predictions: Callable[..., Predictions]
) -> None:
    table = make_predictions(given=np.arange(40) % 3, repeat=4)
    file = pq.ParquetFile(written)
    assert file.schema_arrow.names == ["index", "given", "probabilities"]
    assert file.schema_arrow.types == [
        pa.int32(),
        pa.int16(),
        pa.list_(pa.field("element", pa.float32(), nullable=False), 3),
    ]
    found = file.read()
    assert found["index"].to_pylist() == list(range(40))
    assert found["given"].to_pylist() == table.given.tolist()
    assert found["probabilities"].to_pylist() == table.probabilities.tolist()
    metadata = {
        key.decode(): value.decode()
        for key, value in file.schema_arrow.metadata.items()
        if key != b"ARROW:schema"
    }
    assert metadata.pop("format") == "misread predictions 1"
    assert {key: json.loads(value) for key, value in metadata.items()} == {
        "model": "oracle",
        "recipe": "imported",
        "seed": 0,
        "split": "test",
        "origin": "held-out",
        "classes": ["top", "middle", "bottom"],
        "items_fingerprint": "",
        "created": "2025-01-01T00:00:00+00:00",
        "repeat": 4,
    }


def test_many_rows_span_several_row_groups(
    tmp_path: Path, make_predictions: Callable[..., Predictions]
) -> None:
    table = make_predictions(given=np.arange(150_000) % 3)
    write_predictions(tmp_path / "p.parquet", table)
    assert pq.ParquetFile(tmp_path / "p.parquet").num_row_groups == 3
    assert_same(read_predictions(tmp_path / "p.parquet"), table)


@pytest.mark.parametrize("folder", ["index=3", "given=x", "a=b", "100%", "sp ace", "naïve"])
def test_folders_may_be_named_like_partitions(written: Path, tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder / "model=1.parquet"
    place.parent.mkdir()
    place.write_bytes(written.read_bytes())
    assert_same(read_predictions(place), read_predictions(written))


def test_another_process_writes_the_same_bytes(written: Path, tmp_path: Path) -> None:
    code = """
import sys, pathlib
from misread.tables.parquet import read_predictions, write_predictions
write_predictions(pathlib.Path(sys.argv[2]), read_predictions(pathlib.Path(sys.argv[1])))
"""
    other = tmp_path / "other.parquet"
    subprocess.run([sys.executable, "-c", code, str(written), str(other)], check=True)
    assert other.read_bytes() == written.read_bytes()


def read_damaged(path: Path) -> Predictions | None:
    """Valid predictions, or None where the file is refused in one line that names it."""
    try:
        return read_predictions(path)
    except PredictionsError as error:
        assert "\n" not in str(error)
        return None


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"\0" * 500, b"x,y\n1,2\n"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(content)
    with pytest.raises(PredictionsError, match=r"p\.parquet: "):
        read_predictions(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.parquet", tmp_path):
        with pytest.raises(PredictionsError) as caught:
            read_predictions(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_every_truncation_is_refused(written: Path) -> None:
    content = written.read_bytes()
    for length in range(0, len(content), 7):
        written.write_bytes(content[:length])
        assert read_damaged(written) is None


@given(junk=st.binary(max_size=300))
@SHARED_FOLDER
def test_junk_is_refused(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1" + junk + b"PAR1")
    assert read_damaged(path) is None


def test_flipped_bytes_give_valid_predictions_or_one_error(written: Path) -> None:
    """Every byte once, one random bit of it: what is read is either refused or checked."""
    content = written.read_bytes()
    bits = np.random.default_rng(0).integers(0, 8, len(content))
    for position, bit in enumerate(bits):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(bit)
        written.write_bytes(damaged)
        read_damaged(written)


def rewrite(path: Path, **changes: Any) -> None:
    """The same table with other metadata; None removes a key."""
    table = pq.read_table(path)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    for key, value in changes.items():
        metadata.pop(key, None)
        if value is not None:
            metadata[key] = value
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": None},
        {"format": "misread predictions 2"},
        {"model": None},
        {"model": "not json"},
        {"model": "5"},
        {"model": "null"},
        {"recipe": "[]"},
        {"seed": '"zero"'},
        {"seed": "1.5"},
        {"seed": "true"},
        {"split": "{}"},
        {"origin": '"guessed"'},
        {"origin": "null"},
        {"classes": "null"},
        {"classes": "7"},
        {"classes": '"cat"'},
        {"classes": '["a", "b"]'},
        {"classes": "[]"},
        {"items_fingerprint": "null"},
        {"created": "null"},
        {"created": "2025"},
        {"repeat": '"two"'},
        {"repeat": None},
    ],
    ids=str,
)
def test_metadata_of_another_kind_are_refused(
    written: Path, changes: dict[str, str | None]
) -> None:
    rewrite(written, **changes)
    with pytest.raises(PredictionsError) as caught:
        read_predictions(written)
    assert str(written) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("index", pa.array([0, 1], pa.int64())),
        ("index", pa.array([0, None], pa.int32())),
        ("given", pa.array([0, 1], pa.int32())),
        ("given", pa.array([0, None], pa.int16())),
        ("probabilities", pa.array([[0.5, 0.5], [0, 1]], pa.list_(pa.float32()))),
        ("probabilities", pa.array([[0.5, 0.5], [0, 1]], pa.list_(pa.float64(), 2))),
        ("probabilities", pa.array([[1], [1]], pa.list_(pa.float32(), 1))),
        ("probabilities", pa.array([[0.5, 0.5], None], pa.list_(pa.float32(), 2))),
        ("probabilities", pa.array([[0.5, 0.5], [None, 1]], pa.list_(pa.float32(), 2))),
        ("probabilities", pa.array([[0.5, 0.6], [0, 1]], pa.list_(pa.float32(), 2))),
        ("probabilities", pa.array(["a", "b"])),
        ("probabilities", None),
    ],
    ids=str,
)
def test_columns_of_another_kind_are_refused(
    tmp_path: Path, make_predictions: Callable[..., Predictions], column: str, values: Any
) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, make_predictions(given=[0, 1], classes=("a", "b")))
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    table = table.remove_column(place)
    if values is not None:
        table = table.add_column(place, column, values)
    pq.write_table(table, path)
    with pytest.raises(PredictionsError) as caught:
        read_predictions(path)
    assert "\n" not in str(caught.value)


def test_further_columns_do_no_harm(written: Path) -> None:
    table = pq.read_table(written)
    before = read_predictions(written)
    pq.write_table(table.append_column("note", pa.array(["x"] * len(table))), written)
    assert_same(read_predictions(written), before)
    assert FORMAT.encode() in written.read_bytes()


@pytest.fixture
def in_groups(
    tmp_path: Path, make_predictions: Callable[..., Predictions], monkeypatch: pytest.MonkeyPatch
) -> tuple[PredictionsFile, Predictions]:
    """100 rows of 3 classes in row groups of 7."""
    monkeypatch.setattr("misread.tables.predictions.RANGE_BYTES", 7 * 12)
    table = make_predictions(given=np.arange(100) % 3)
    write_predictions(tmp_path / "g.parquet", table)
    return PredictionsFile.open(tmp_path / "g.parquet"), table


def test_any_range_of_a_file_can_be_read(in_groups: tuple[PredictionsFile, Predictions]) -> None:
    file, table = in_groups
    assert len(file) == 100
    assert file.classes == table.classes
    assert file.index.tolist() == table.index.tolist()
    assert file.given.tolist() == table.given.tolist()
    assert file.ranges() == [(at, min(at + 7, 100)) for at in range(0, 100, 7)] == table.ranges()
    for start, stop in [*file.ranges(), (0, 100), (3, 4), (6, 8), (5, 50), (99, 100), (40, 40)]:
        found = file.read(start, stop)
        assert found.tobytes() == table.read(start, stop).tobytes()
        assert found.shape == (stop - start, 3)


def test_row_groups_are_bounded_by_bytes() -> None:
    assert row_ranges(200_000, 10)[0] == (0, 65_536)
    assert row_ranges(200_000, 1_000)[0] == (0, 2_097)
    assert row_ranges(3, 10**9) == [(0, 1), (1, 2), (2, 3)]
    assert row_ranges(0, 10) == []


def test_parts_give_the_file_of_the_whole(
    tmp_path: Path, make_predictions: Callable[..., Predictions]
) -> None:
    table = make_predictions(given=np.arange(100) % 3)
    cuts = [0, 30, 30, 31, 100]
    parts = [
        Predictions(table.index[a:b], table.given[a:b], table.probabilities[a:b], table.provenance)
        for a, b in pairwise(cuts)
    ]
    path = tmp_path / "parts.parquet"
    write_parts(path, table.provenance, iter(parts))
    assert_same(read_predictions(path), table)
    assert PredictionsFile.open(path).ranges() == [(0, 30), (30, 31), (31, 100)]
    before = path.read_bytes()
    with pytest.raises(PredictionsError, match="goes on after 29"):
        write_parts(path, table.provenance, [parts[0], parts[0]])
    assert path.read_bytes() == before
    other = make_predictions(given=[0], classes=("a", "b"))
    with pytest.raises(PredictionsError, match="same 3 classes"):
        write_parts(path, table.provenance, [other])
    write_parts(path, table.provenance, [])
    assert len(read_predictions(path)) == 0


def test_an_open_file_goes_on_reading_what_it_opened(
    in_groups: tuple[PredictionsFile, Predictions], make_predictions: Callable[..., Predictions]
) -> None:
    file, table = in_groups
    write_predictions(file.path, make_predictions(given=np.zeros(50), seed=9))
    assert file.read(0, 100).tobytes() == table.probabilities.tobytes()


def test_several_threads_may_read_one_file(in_groups: tuple[PredictionsFile, Predictions]) -> None:
    file, table = in_groups
    ranges = file.ranges() * 20
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda each: file.read(*each), ranges))
    for (start, stop), part in zip(ranges, parts, strict=True):
        assert part.tobytes() == table.read(start, stop).tobytes()


def test_a_damaged_row_of_a_file_is_named(
    tmp_path: Path, make_predictions: Callable[..., Predictions]
) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, make_predictions(given=np.arange(40) % 3))
    table = pq.read_table(path)
    rows = table["probabilities"].to_pylist()
    rows[33] = [0.5, 0.5, 0.5]
    place = table.schema.get_field_index("probabilities")
    column = pa.array(rows, pa.list_(pa.float32(), 3))
    pq.write_table(table.set_column(place, "probabilities", column), path)
    file = PredictionsFile.open(path)
    with pytest.raises(PredictionsError, match=r"p\.parquet: each row .* Row 33 has"):
        file.read(20, 40)
    with pytest.raises(PredictionsError, match=r"Row 33 has minimum 0\.5 and sum 1\.5"):
        read_predictions(path)


def test_files_with_room_for_missing_values_are_read(written: Path) -> None:
    """As they were written before."""
    before = read_predictions(written)
    table = pq.read_table(written)
    place = table.schema.get_field_index("probabilities")
    column = pa.array(table["probabilities"].to_pylist(), pa.list_(pa.float32(), 3))
    pq.write_table(table.set_column(place, "probabilities", column), written, compression="zstd")
    assert_same(read_predictions(written), before)


def test_reading_imports_no_pandas(written: Path) -> None:
    """It takes longer than most files, where it happens to be installed."""
    code = """
import sys, pathlib
from misread.tables.parquet import read_predictions
read_predictions(pathlib.Path(sys.argv[1]))
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(written)], check=True)
