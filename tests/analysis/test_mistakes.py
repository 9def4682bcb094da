from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.analysis.mistakes import find_mistakes
from misread.tables import Origin, Predictions, Provenance
from misread.types import Array


def slow_mistakes(predictions: Predictions) -> list[tuple[int, int, int, float, float]]:
    """One image at a time; sorting is stable, so ties stay in the split's order."""
    found = []
    for index, label, row in zip(
        predictions.index, predictions.given, predictions.probabilities, strict=True
    ):
        best = max(range(len(row)), key=lambda k: (row[k], -k))
        if best != label:
            found.append((int(index), int(label), best, float(row[best]), float(row[label])))
    return sorted(found, key=lambda mistake: -mistake[3])


def as_list(predictions: Predictions) -> list[tuple[int, int, int, float, float]]:
    table = find_mistakes(predictions)
    columns = (table.index, table.given, table.predicted, table.p_predicted, table.p_given)
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def coarse(seed: int, count: int, classes: int) -> Predictions:
    """Probabilities in eighths: with many ties, within rows and between them."""
    generator = np.random.default_rng(seed)
    parts = generator.multinomial(8, np.full(classes, 1 / classes), count)
    return Predictions(
        np.sort(generator.choice(10 * count + 1, count, replace=False)).astype(np.int32),
        generator.integers(0, classes, count).astype(np.int16),
        (parts / 8).astype(np.float32).reshape(count, classes),
        Provenance(
            "net", "r", 0, "test", Origin.HELD_OUT, tuple(map(str, range(classes))), "", "now"
        ),
    )


@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(1, 5))
@settings(deadline=None)
def test_mistakes_are_those_of_a_slow_loop(seed: int, count: int, classes: int) -> None:
    predictions = coarse(seed, count, classes)
    assert as_list(predictions) == slow_mistakes(predictions)


def test_columns_have_the_documented_types() -> None:
    table = find_mistakes(coarse(0, 50, 3))
    assert len(table) > 5
    assert [table.index.dtype, table.given.dtype, table.predicted.dtype] == [
        np.int32,
        np.int16,
        np.int16,
    ]
    assert table.p_predicted.dtype == table.p_given.dtype == np.float32


def test_of_class_and_first_keep_the_order() -> None:
    table = find_mistakes(coarse(1, 200, 4))
    for label in range(4):
        mine = table.of_class(label)
        assert set(mine.given.tolist()) <= {label}
        assert mine.index.tolist() == [
            i for i, g in zip(table.index.tolist(), table.given.tolist(), strict=True) if g == label
        ]
        np.testing.assert_array_equal(mine.first(3).p_predicted, mine.p_predicted[:3])
    assert sum(len(table.of_class(label)) for label in range(4)) == len(table)
    assert len(table.first(10_000)) == len(table)
    assert len(table.first(0)) == 0


@pytest.mark.parametrize("probabilities", [np.zeros((0, 3)), np.eye(3)])
def test_no_mistakes_are_an_empty_table(
    probabilities: Array, make_predictions: Callable[..., Predictions]
) -> None:
    table = find_mistakes(make_predictions(None, probabilities, given=range(len(probabilities))))
    assert len(table) == 0
    assert len(table.of_class(0)) == len(table.first(5)) == 0


def test_a_tie_with_the_given_class_is_decided_by_the_first_class(
    make_predictions: Callable[..., Predictions],
) -> None:
    halves = [[0.5, 0.5, 0], [0.5, 0.5, 0]]
    table = find_mistakes(make_predictions(None, halves, given=[0, 1]))
    assert table.index.tolist() == [1]
    assert table.predicted.tolist() == [0]
