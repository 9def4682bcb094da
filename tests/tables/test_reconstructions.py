import dataclasses
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
from misread.tables import Origin, Provenance, Reconstructions
from misread.tables.reconstructions_parquet import read_reconstructions, write_reconstructions

PROVENANCE = Provenance("capsnet", "short", 3, "test", Origin.HELD_OUT, ("é", "b"), "sha256:0", "2")


def make(
    rows: int = 5,
    drawn: tuple[int, ...] = (2, 6),
    shape: tuple[int, int, int] = (3, 4, 1),
    draw: int = 0,
    **changed: object,
) -> Reconstructions:
    generator = np.random.default_rng(draw)
    errors = generator.random((2, rows)).astype(np.float32)
    pictures = generator.integers(0, 256, (2, len(drawn), *shape), dtype=np.uint8)
    parts: dict[str, object] = {
        "index": np.arange(rows, dtype=np.int32) * 2,
        "given": generator.integers(0, 2, rows).astype(np.int16),
        "predicted": generator.integers(0, 2, rows).astype(np.int16),
        "error_given": errors[0],
        "error_predicted": errors[1],
        "drawn": np.array(drawn, np.int32),
        "as_given": pictures[0],
        "as_predicted": pictures[1],
        "provenance": PROVENANCE,
    }
    return Reconstructions(**(parts | changed))  # type: ignore[arg-type]


WRONG: list[tuple[dict[str, object], str]] = [
    ({"given": np.zeros(4, np.int16)}, r"given must be int16 \(5,\). Got int16 \(4,\)"),
    ({"predicted": np.zeros(5, np.int32)}, r"predicted must be int16 \(5,\). Got int32"),
    ({"predicted": np.full(5, 2, np.int16)}, "predicted must be classes from 0 to 1"),
    ({"given": np.full(5, -1, np.int16)}, "given must be classes from 0 to 1"),
    ({"error_given": np.zeros(5)}, r"error_given must be float32 \(5,\). Got float64"),
    ({"error_predicted": np.full(5, np.nan, np.float32)}, r"error_predicted must be in \[0, 1\]"),
    ({"error_given": np.full(5, 1.5, np.float32)}, r"error_given must be in \[0, 1\]"),
    ({"index": np.array([0, 2, 2, 6, 8], np.int32)}, "index must be"),
    ({"drawn": np.array([6, 2], np.int32)}, "drawn must be"),
    ({"drawn": np.array([2, 3], np.int32)}, "drawn must be part of index"),
    ({"as_given": np.zeros((1, 3, 4, 1), np.uint8)}, r"as_given must be uint8 \(2, 3, 4, 1\)"),
    ({"as_predicted": np.zeros((2, 4, 3, 1), np.uint8)}, r"as_predicted must be uint8 \(2, 3, 4"),
    ({"as_given": np.zeros((2, 3, 4, 2), np.uint8)}, r"as_given must be uint8 \(2, 3, 4, 1\)"),
    ({"as_given": np.zeros((2, 3), np.uint8)}, "as_given must be uint8"),
]


@pytest.mark.parametrize(("changed", "says"), WRONG)
def test_what_does_not_fit_together_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(PredictionsError, match=says) as caught:
        make(**changed)  # type: ignore[arg-type]
    assert str(caught.value).startswith("capsnet-short-s3: ")


@pytest.mark.parametrize(
    ("misread", "apart", "alike"),
    [(10, 0.0, True), (10, 0.05, True), (10, 0.3, False), (4, 0.0, False), (0, 0.0, False)],
)
def test_a_decoder_that_draws_the_same_for_every_class_is_found(
    misread: int, apart: float, alike: bool
) -> None:
    """By the misread images alone, and by no fewer than five: here with an error of 0.09 each."""
    drawings = np.full((12, 3, 4, 1), 100, np.uint8)
    other = drawings + np.uint8(round(255 * apart))
    given = np.zeros(12, np.int16)
    table = make(
        rows=12, drawn=tuple(range(0, 24, 2)), given=given,
        predicted=(np.arange(12) < misread).astype(np.int16),
        error_predicted=np.full(12, 0.09, np.float32), as_given=drawings, as_predicted=other,
    )  # fmt: skip
    assert table.draws_alike is alike


def test_a_decoder_is_not_judged_by_one_image_in_ten() -> None:
    drawings = np.full((20, 3, 4, 1), 100, np.uint8)
    for others, alike in ((2, True), (3, False)):
        other = drawings.copy()
        other[:others] = 200
        table = make(
            rows=20, drawn=tuple(range(0, 40, 2)), given=np.zeros(20, np.int16),
            predicted=np.ones(20, np.int16), error_predicted=np.full(20, 0.09, np.float32),
            as_given=drawings, as_predicted=other,
        )  # fmt: skip
        assert table.draws_alike is alike


def test_images_are_found_by_their_position() -> None:
    table = make()
    assert [table.row(index) for index in (0, 1, 8, 9)] == [0, None, 4, None]
    as_given, as_predicted = table.drawings(6) or (None, None)
    np.testing.assert_array_equal(as_given, table.as_given[1])
    np.testing.assert_array_equal(as_predicted, table.as_predicted[1])
    assert table.drawings(4) is None
    assert table.drawings(100) is None


def test_the_share_drawn_better_is_a_count() -> None:
    table = make(rows=40)
    errors = np.concatenate([table.error_predicted, np.array([0, 1], np.float32)])
    expected = [np.mean([other < error for other in table.error_predicted]) for error in errors]
    np.testing.assert_allclose(table.share_better(errors), expected)


def assert_same(one: Reconstructions, other: Reconstructions) -> None:
    for field in dataclasses.fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
            assert mine.dtype == theirs.dtype
        else:
            assert mine == theirs


@settings(max_examples=25, deadline=None)
@hypothesis_given(
    rows=st.integers(0, 30), chosen=st.sets(st.integers(0, 29)), size=st.integers(1, 5),
    channels=st.sampled_from([1, 3]), draw=st.integers(0, 9),
)  # fmt: skip
def test_a_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: int, chosen: set[int], size: int,
    channels: int, draw: int,
) -> None:  # fmt: skip
    drawn = tuple(sorted(2 * row for row in chosen if row < rows))
    table = make(rows, drawn, (size, size + 1, channels), draw)
    path = tmp_path_factory.mktemp("files") / "a.parquet"
    write_reconstructions(path, table)
    assert_same(read_reconstructions(path), table)


def damage(path: Path, **columns: Any) -> None:
    table = pq.read_table(path)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path)


DAMAGES: list[tuple[dict[str, Any], str]] = [
    ({"as_given": pa.array([None, b"short", None, b"x" * 12, None], pa.binary())}, "reshape"),
    ({"as_given": pa.array([None, None, None, b"x" * 12, None], pa.binary())}, "are missing"),
    ({"as_given": pa.array(["a"] * 5)}, "as_given must be binary, got string"),
    ({"given": pa.array([0, 1, 0, None, 1], pa.int16())}, "without missing values"),
    ({"error_given": pa.array([0.0] * 5)}, "error_given must be float"),
]


@pytest.mark.parametrize(("columns", "says"), DAMAGES)
def test_a_damaged_file_is_refused(tmp_path: Path, columns: dict[str, Any], says: str) -> None:
    path = tmp_path / "a.parquet"
    write_reconstructions(path, make())
    damage(path, **columns)
    with pytest.raises(PredictionsError, match=says) as caught:
        read_reconstructions(path)
    assert str(caught.value).startswith(f"{path}: damaged table of reconstructions: ")
    assert "\n" not in str(caught.value)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"index": [1]}), path)
    with pytest.raises(PredictionsError, match="expected"):
        read_reconstructions(path)
    with pytest.raises(PredictionsError, match="none"):
        read_reconstructions(tmp_path / "none")
