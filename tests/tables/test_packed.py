import lzma
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.errors import PredictionsError
from misread.tables import Dynamics, Origin, Provenance
from misread.tables.packed import (
    STEP,
    pack_dynamics,
    pack_neighbours,
    pack_probabilities,
    unpack_dynamics,
    unpack_neighbours,
    unpack_probabilities,
)

PROVENANCE = Provenance("quick", "short", 0, "train", Origin.IN_SAMPLE, ("a", "b"), "", "2025", 1)


def labels_of(count: int, classes: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, classes, count).astype(np.int16)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, Any]:
    """Probabilities from nearly even to nearly certain, some of them 0 and some equal."""
    classes, count = draw(st.integers(1, 12)), draw(st.integers(0, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([0.001, 0.03, 0.3, 3.0, 100.0]))
    table = generator.dirichlet(np.full(classes, spread), count).reshape(count, classes)
    rounded = table.round(draw(st.sampled_from([1, 3, 12])))
    rounded[rounded.sum(axis=1) == 0, 0] = 1
    return rounded.astype(np.float32), generator.integers(0, classes, count).astype(np.int16)


def read_slowly(codes: list[int]) -> list[float]:
    """One row, from the module's own words."""
    worth = [1.0 if code == 0 else float(np.exp(-(code - 0.5) * STEP)) for code in codes]
    return [each / sum(worth) for each in worth]


@settings(deadline=None)
@given(tables())
def test_what_packing_changes_is_bounded(table: tuple[Any, Any]) -> None:
    before, labels = table
    after = unpack_probabilities(pack_probabilities(before, labels), labels, before.shape[1])
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    exact = before.astype(np.float64) / before.sum(axis=1, keepdims=True)
    assert np.abs(after - exact).max(initial=0) <= STEP / 4 + 1e-6
    assert (
        np.abs(after.max(axis=1) - exact.max(axis=1, initial=0)).max(initial=0) <= STEP / 8 + 1e-6
    )
    # Odds, wherever a class isn't below what is told apart.
    told = (exact > exact.max(axis=1, keepdims=True) * np.exp(-250 * STEP)) & (exact < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log(after / (1.0 - after)) - np.log(exact / (1 - exact))
    rest = told & (1 - exact > 1e-3)  # float32 tells 1 - p no better
    assert np.abs(change[rest]).max(initial=0) <= STEP + 1e-3


@settings(deadline=None)
@given(tables())
def test_the_order_within_a_row_stays(table: tuple[Any, Any]) -> None:
    before, labels = table
    after = unpack_probabilities(pack_probabilities(before, labels), labels, before.shape[1])
    for old, new in zip(before, after, strict=True):
        assert np.all((old[:, None] >= old) | (new[:, None] <= new))


def test_codes_are_as_documented() -> None:
    before = np.array([[0.5, 0.49, 0.01, 0.0], [0.1, 0.1, 0.7, 0.1]], np.float32)
    labels = np.array([1, 0], np.int16)  # the second row comes first
    content = pack_probabilities(before, labels)
    codes = np.frombuffer(lzma.decompress(content), np.uint8).reshape(4, 2).T
    # ln(0.5 / 0.49) = 0.020, ln(50) = 3.91, ln(7) = 1.95
    assert codes.tolist() == [[20, 20, 0, 20], [0, 1, 40, 255]]
    after = unpack_probabilities(content, labels, 4)
    np.testing.assert_allclose(after[1], read_slowly([20, 20, 0, 20]), rtol=1e-6)
    np.testing.assert_allclose(after[0], read_slowly([0, 1, 40, 255]), rtol=1e-6)


def test_the_same_table_gives_the_same_bytes() -> None:
    before, labels = np.full((5, 3), 1 / 3, np.float32), labels_of(5, 3)
    assert pack_probabilities(before, labels) == pack_probabilities(before.copy(), labels)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 70_000), st.integers(0, 2**32))
def test_neighbours_come_back(rows: int, width: int, images: int, seed: int) -> None:
    images = min(images, 1 << 16)
    generator = np.random.default_rng(seed)
    train, labels = labels_of(images, 5, seed), labels_of(rows, 5, seed + 1)
    before = generator.integers(0, images, (rows, width)).astype(np.int32)
    content = pack_neighbours(before, labels, train)
    after = unpack_neighbours(content, width, labels, train)
    assert after.dtype == np.int32
    np.testing.assert_array_equal(before, after)


def test_more_training_images_than_two_bytes_hold() -> None:
    train = np.zeros((1 << 16) + 1, np.int16)
    near = np.zeros((2, 1), np.int32)
    with pytest.raises(PredictionsError, match="at most 65,536"):
        pack_neighbours(near, labels_of(2, 1), train)


def test_a_neighbour_outside_the_training_split() -> None:
    content = pack_neighbours(np.full((3, 2), 9, np.int32), labels_of(3, 1), labels_of(10, 1))
    with pytest.raises(PredictionsError, match="expected ranks below 9"):
        unpack_neighbours(content, 2, labels_of(3, 1), labels_of(9, 1))


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 300), st.integers(0, 2**32))
def test_dynamics_come_back(rows: int, networks: int, epochs: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = labels_of(rows, 4, seed)
    learned = generator.integers(1, epochs + 2, (networks, rows)).mean(axis=0)
    forgotten = generator.integers(0, epochs, (networks, rows)).mean(axis=0)
    before = Dynamics(
        index=np.arange(rows, dtype=np.int32),
        area_under_margin=generator.normal(0, 30, rows).astype(np.float32),
        first_learned=learned.astype(np.float32),
        forgotten=forgotten.astype(np.float32),
        epochs=epochs,
        networks=networks,
        provenance=PROVENANCE,
    )
    after = unpack_dynamics(pack_dynamics(before, labels), labels, epochs, networks, PROVENANCE)
    np.testing.assert_array_equal(before.index, after.index)
    np.testing.assert_array_equal(before.first_learned, after.first_learned)
    np.testing.assert_array_equal(before.forgotten, after.forgotten)
    worst = np.abs(before.area_under_margin - after.area_under_margin).max(initial=0)
    assert worst <= 1 / 32 + 1e-6
    assert (after.epochs, after.networks, after.provenance) == (epochs, networks, PROVENANCE)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda content: content[:-20], "expected 30 codes. Got 30, or a damaged end"),
        (lambda content: b"PK" + content[2:], "found damaged data"),
        (lambda content: lzma.compress(bytes(29)), "expected 30 codes. Got 29, or a"),
        (lambda content: lzma.compress(bytes(31)), "expected 30 codes. Got more instead"),
        (lambda content: lzma.compress(bytes(5_000_000)), "expected 30 codes. Got more instead"),
    ],
)
def test_damage_is_told(damage: Any, match: str) -> None:
    labels = labels_of(10, 3)
    content = pack_probabilities(np.full((10, 3), 1 / 3, np.float32), labels)
    with pytest.raises(PredictionsError, match=match):
        unpack_probabilities(damage(content), labels, 3)
