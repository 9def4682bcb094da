import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.errors import PredictionsError
from misread.tables import Dynamics, Neighbours, Origin, Provenance
from misread.tables.evidence_parquet import (
    read_dynamics,
    read_neighbours,
    write_dynamics,
    write_neighbours,
)
from misread.types import Array

FIGURES = ("area_under_margin", "first_learned", "forgotten")


def provenance(origin: Origin = Origin.IN_SAMPLE) -> Provenance:
    return Provenance("quick", "short", 3, "train", origin, ("é", 'a"b'), "sha256:0", "2025", 2)


def dynamics(places: Iterable[int] = range(4), draw: int = 0, **changed: object) -> Dynamics:
    index = np.fromiter(places, np.int32)
    drawn = np.random.default_rng(draw).normal(size=(3, len(index))).astype(np.float32)
    columns: dict[str, object] = dict(zip(FIGURES, drawn, strict=True))
    parts = {"index": index, "epochs": 7, "networks": 4, "provenance": provenance(), **columns}
    return Dynamics(**(parts | changed))  # type: ignore[arg-type]


def neighbours(rows: int = 4, width: int = 3, **changed: object) -> Neighbours:
    drawn = np.random.default_rng(0).integers(0, 90, (rows, width)).astype(np.int32)
    parts: dict[str, object] = {
        "index": np.arange(rows, dtype=np.int32),
        "neighbours": drawn,
        "provenance": provenance(Origin.CROSS_FITTED),
    }
    return Neighbours(**(parts | changed))  # type: ignore[arg-type]


def assert_equal(one: object, other: object) -> None:
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, theirs, err_msg=name)
            assert value.dtype == theirs.dtype
        else:
            assert value == theirs


SHORT = np.zeros(3, np.float32)
WRONG_DYNAMICS: list[tuple[dict[str, object], str]] = [
    ({"area_under_margin": SHORT}, r"area_under_margin must be float32 \(4,\). Got float32 \(3,\)"),
    ({"first_learned": SHORT}, r"first_learned must be float32 \(4,\). Got float32 \(3,\)"),
    ({"forgotten": SHORT}, r"forgotten must be float32 \(4,\). Got float32 \(3,\)"),
    ({"forgotten": np.zeros(4)}, r"forgotten must be float32 \(4,\). Got float64 \(4,\) instead"),
    ({"forgotten": np.full(4, np.nan, np.float32)}, "forgotten must be finite"),
    ({"index": np.array([0, 1, 1, 2], np.int32)}, "strictly increasing"),
    ({"index": np.array([-1, 0, 1, 2], np.int32)}, "0 or more"),
    ({"index": np.arange(4)}, r"index must be \(N,\) int32"),
]


@pytest.mark.parametrize(("changed", "says"), WRONG_DYNAMICS)
def test_dynamics_that_do_not_fit_together_are_refused(
    changed: dict[str, object], says: str
) -> None:
    with pytest.raises(PredictionsError, match=says) as caught:
        dynamics((0, 1, 2, 3), 0, **changed)
    assert str(caught.value).startswith("quick-short-s3-r2: ")


WRONG_NEIGHBOURS: list[tuple[Array, str]] = [
    (np.zeros((3, 2), np.int32), r"neighbours must be int32 \(4, 2\). Got int32 \(3, 2\) instead"),
    (np.zeros((4, 0), np.int32), r"neighbours must be int32 \(4, 1\). Got int32 \(4, 0\) instead"),
    (np.zeros(4, np.int32), r"neighbours must be int32 \(4, 1\). Got int32 \(4,\) instead"),
    (np.zeros((4, 2)), r"neighbours must be int32 \(4, 2\). Got float64 \(4, 2\) instead"),
]


@pytest.mark.parametrize(("places", "says"), WRONG_NEIGHBOURS)
def test_neighbours_that_do_not_fit_together_are_refused(places: Array, says: str) -> None:
    with pytest.raises(PredictionsError, match=says):
        neighbours(neighbours=places)
    with pytest.raises(PredictionsError, match="strictly increasing"):
        neighbours(index=np.array([3, 2, 1, 0], np.int32))


def test_tables_know_their_size() -> None:
    assert (len(dynamics()), len(neighbours(5, 2)), neighbours(5, 2).width) == (4, 5, 2)


@hypothesis_given(members=st.lists(st.sets(st.integers(0, 12)), min_size=1, max_size=5).filter(any))
@settings(deadline=None)
def test_a_mean_is_over_the_networks_that_were_trained_on_an_image(
    members: list[set[int]],
) -> None:
    tables = [dynamics(sorted(places), seed) for seed, places in enumerate(members)]
    found = Dynamics.mean(tables, provenance(Origin.IN_SAMPLE))
    images = sorted(set().union(*members))
    assert found.index.tolist() == images
    assert (found.epochs, found.provenance) == (7, provenance())
    seen_by = [[table for table in tables if image in table.index] for image in images]
    assert found.networks == max(len(trained) for trained in seen_by)
    for row, trained in enumerate(seen_by):
        for name in FIGURES:
            values = [getattr(t, name)[list(t.index).index(images[row])] for t in trained]
            assert getattr(found, name)[row] == pytest.approx(np.mean(values), abs=1e-6)


# Parquet


@pytest.mark.parametrize("rows", [0, 1, 700])
def test_files_give_back_what_was_written(rows: int, tmp_path: Path) -> None:
    table = dynamics(range(0, 2 * rows, 2))
    write_dynamics(tmp_path / "new" / "d.parquet", table)
    assert_equal(table, read_dynamics(tmp_path / "new" / "d.parquet"))
    near = neighbours(rows, 20)
    write_neighbours(tmp_path / "n.parquet", near)
    assert_equal(near, read_neighbours(tmp_path / "n.parquet"))
    # A part of a larger table lies otherwise in memory.
    part = dataclasses.replace(near, neighbours=near.neighbours[:, 3:9])
    write_neighbours(tmp_path / "n.parquet", part)
    assert_equal(part, read_neighbours(tmp_path / "n.parquet"))


def test_other_programs_can_read_them(tmp_path: Path) -> None:
    near = neighbours()
    write_neighbours(tmp_path / "n.parquet", near)
    table = pq.read_table(tmp_path / "n.parquet")
    assert table["neighbours"].to_pylist() == near.neighbours.tolist()
    assert table.schema.metadata[b"model"] == b'"quick"'


Reader = Callable[[Path], object]
READERS: list[tuple[Reader, str]] = [(read_dynamics, "dynamics"), (read_neighbours, "neighbours")]


@pytest.mark.parametrize(("read", "what"), READERS)
def test_what_is_no_such_table_is_refused(read: Reader, what: str, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    with pytest.raises(PredictionsError, match=r"table\.parquet"):
        read(path)
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(PredictionsError, match=r"table\.parquet"):
        read(path)
    if what == "dynamics":
        write_neighbours(path, neighbours())
    else:
        write_dynamics(path, dynamics())
    with pytest.raises(PredictionsError, match=r"table\.parquet"):
        read(path)


@pytest.mark.parametrize(
    ("read", "damage"),
    [
        (read_dynamics, {"forgotten": None}),
        (read_dynamics, {"index": pa.array([0, 0, 1, 2], pa.int32())}),
        (read_dynamics, {"forgotten": pa.array([0.5, None, 1, 2], pa.float32())}),
        (read_dynamics, {"forgotten": pa.array(["a", "b", "c", "d"])}),
        (read_dynamics, {b"epochs": b"many"}),
        (read_dynamics, {b"networks": None}),
        (read_neighbours, {"neighbours": None}),
        (read_neighbours, {"neighbours": pa.array([[1], [2], [3], [4]])}),
        (read_neighbours, {"neighbours": pa.array([1, 2, 3, 4])}),
        (read_neighbours, {"index": None}),
        (read_neighbours, {"index": pa.array([0, 0, 1, 2], pa.int32())}),
        (
            read_neighbours,
            {"neighbours": pa.array([[1], None, [3], [4]], pa.list_(pa.int32(), 1))},
        ),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(
    read: Reader, damage: dict[str | bytes, object], tmp_path: Path
) -> None:
    path = tmp_path / "table.parquet"
    if read is read_dynamics:
        write_dynamics(path, dynamics())
    else:
        write_neighbours(path, neighbours())
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata)
    columns = {name: table[name] for name in table.column_names}
    for name, value in damage.items():
        where: dict[Any, Any] = metadata if isinstance(name, bytes) else columns
        if value is None:
            del where[name]
        else:
            where[name] = value
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    with pytest.raises(PredictionsError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
