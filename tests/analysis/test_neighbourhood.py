from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.neighbourhood import Neighbourhood, look_around
from misread.tables import Neighbours, Predictions
from misread.types import Array

MakePredictions = Callable[..., Predictions]
MakeNeighbours = Callable[..., Neighbours]

IMAGES, CLASSES, TRAIN = 40, 5, 60


class Case:
    """Random images, their labels and what is nearest to them by several networks."""

    def __init__(
        self, make: MakePredictions, near: MakeNeighbours, widths: tuple[int, ...], seed: int = 0
    ) -> None:
        generator = np.random.default_rng(seed)
        self.labels = generator.integers(0, CLASSES, TRAIN).astype(np.int16)
        self.given, self.read_as = generator.integers(0, CLASSES, (2, IMAGES)).astype(np.int16)
        names = tuple("abcde")
        table = make(given=self.given, classes=names)
        self.tables = [
            near(table, generator.integers(0, TRAIN, (IMAGES, width))) for width in widths
        ]

    def look(self) -> Neighbourhood:
        return look_around(self.tables, self.labels, self.given, self.read_as, CLASSES)


@pytest.mark.parametrize("widths", [(1,), (20,), (20, 20, 7)])
def test_shares_are_those_of_a_slow_loop(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours, widths: tuple[int, ...]
) -> None:
    case = Case(make_predictions, make_neighbours, widths)
    found = case.look()
    assert (found.count, found.networks) == (sum(widths), len(widths))
    for row in range(IMAGES):
        counts = Counter(
            int(case.labels[place]) for table in case.tables for place in table.neighbours[row]
        )
        label, read_as = int(case.given[row]), int(case.read_as[row])
        assert found.given[row] == np.float32(counts[label] / sum(widths))
        assert found.read_as[row] == np.float32(counts[read_as] / sum(widths))
        others = {k: counts[k] for k in range(CLASSES) if k != label}
        rival = max(others, key=lambda k: (others[k], -k))  # of several the first
        assert found.rival[row] == rival
        assert found.of_rival[row] == np.float32(others[rival] / sum(widths))
        assert found.disagreement[row] == np.float32(1) - np.float32(counts[label] / sum(widths))
        assert found.number(found.given[row]) == counts[label]


def assert_same(one: Neighbourhood, other: Neighbourhood, rows: Array | slice) -> None:
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value[rows], theirs, err_msg=name)
        else:
            assert value == theirs


def test_chunks_and_the_order_of_networks_change_nothing(
    make_predictions: MakePredictions,
    make_neighbours: MakeNeighbours,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(make_predictions, make_neighbours, (4, 9, 2))
    whole = case.look()
    case.tables.reverse()
    assert_same(whole, case.look(), slice(None))
    for most in (1, CLASSES * 7):
        monkeypatch.setattr("misread.analysis.neighbourhood._MOST_COUNTS", most)
        assert_same(whole, case.look(), slice(None))


@hypothesis_given(order=st.permutations(range(IMAGES)))
@settings(deadline=None, max_examples=20)
def test_the_order_of_images_goes_through(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours, order: list[int]
) -> None:
    case = Case(make_predictions, make_neighbours, (6,))
    whole, rows = case.look(), np.array(order)
    table = make_predictions(given=case.given[rows], classes=tuple("abcde"))
    moved = make_neighbours(table, case.tables[0].neighbours[rows])
    found = look_around([moved], case.labels, case.given[rows], case.read_as[rows], CLASSES)
    assert_same(whole, found, rows)


@hypothesis_given(names=st.permutations(range(CLASSES)))
@settings(deadline=None, max_examples=20)
def test_other_numbers_of_the_classes_change_no_share(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours, names: list[int]
) -> None:
    case = Case(make_predictions, make_neighbours, (6,))
    renamed = np.array(names, np.int16)
    found = look_around(
        case.tables, renamed[case.labels], renamed[case.given], renamed[case.read_as], CLASSES
    )
    for name in ("given", "read_as", "of_rival"):
        np.testing.assert_array_equal(getattr(found, name), getattr(case.look(), name))


def test_every_share_of_any_number_counts_right() -> None:
    nothing = np.empty(0, np.float32)
    for count in (1, 3, 20, 60, 1_000):
        around = Neighbourhood(count, 1, nothing, nothing, np.empty(0, np.int16), nothing)
        shares = np.arange(count + 1, dtype=np.float32) / np.float32(count)
        assert [around.number(share) for share in shares] == list(range(count + 1))
