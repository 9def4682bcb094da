import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from misread.errors import PredictionsError
from misread.tables import Origin, Predictions, Provenance
from misread.types import Array

PROVENANCE = Provenance(
    "net", "short", 3, "test", Origin.HELD_OUT, ("cat", "dog"), "sha256:x", "2025-01-01"
)


def build(**changes: Any) -> Predictions:
    fields: dict[str, Any] = {
        "index": np.array([0, 2, 5], np.int32),
        "given": np.array([0, 1, 1], np.int16),
        "probabilities": np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]], np.float32),
        "provenance": PROVENANCE,
    }
    return Predictions(**(fields | changes))


def rows(*values: list[float]) -> Array:
    return np.array([[0.9, 0.1], *values], np.float32)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"probabilities": np.full(3, 1, np.float32)}, "must be (N, 2)"),
        ({"probabilities": np.full((3, 3), 1 / 3, np.float32)}, "Got (3, 3) instead"),
        ({"probabilities": np.full((3, 1), 1, np.float32)}, "Got (3, 1) instead"),
        ({"probabilities": np.full((2, 2), 0.5, np.float32)}, "equally long"),
        ({"index": np.array([0, 1], np.int32)}, "Got 2, 3 and 3 instead"),
        ({"given": np.zeros(4, np.int16)}, "Got 3, 4 and 3 instead"),
        ({"given": np.zeros((3, 1), np.int16)}, "equally long"),
        ({"index": np.array(0, np.int32)}, "equally long"),
        ({"index": np.array([0, 2, 2], np.int32)}, "strictly increasing"),
        ({"index": np.array([2, 1, 0], np.int32)}, "strictly increasing"),
        ({"index": np.array([-1, 0, 1], np.int32)}, "0 or more"),
        ({"given": np.array([0, 1, 2], np.int16)}, "0..1. Got 0..2 instead"),
        ({"given": np.array([0, 1, -1], np.int16)}, "0..1. Got -1..1 instead"),
        ({"probabilities": rows([0.5, 0.4], [0.5, 0.5])}, "Row 1 has minimum 0.4 and sum 0.9"),
        ({"probabilities": rows([0.5, 0.5], [0.5, 0.6])}, "Row 2 has minimum 0.5 and sum 1.1"),
        ({"probabilities": rows([1.5, -0.5], [0.5, 0.5])}, "Row 1 has minimum -0.5"),
        ({"probabilities": rows([0.5, 0.5], [NAN, 1])}, "row 2 holds NaN"),
        ({"probabilities": rows([NAN, NAN], [0, 1])}, "row 1 holds NaN"),
        ({"probabilities": rows([INF, 0], [0, 1])}, "sum inf"),
        ({"probabilities": rows([INF, -INF], [0, 1])}, "Row 1"),
        ({"probabilities": rows([3, -1], [0, 1])}, "need a softmax first"),
        (
            {
                "probabilities": np.zeros((3, 0), np.float32),
                "provenance": dataclasses.replace(PROVENANCE, classes=()),
            },
            "net-short-s3.test.held-out",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
def test_what_are_no_predictions_is_refused_in_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(PredictionsError) as caught:
        build(**changes)
    message = str(caught.value)
    assert says in message
    assert message.startswith("net-short-s3.test.held-out: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    "changes",
    [
        {"probabilities": np.full((3, 2), 0.5, np.float64)},
        {"index": np.array([0, 2, 5], np.int64)},
        {"given": np.array([0, 1, 1], np.int64)},
    ],
)
def test_other_number_types_become_the_documented_ones_or_are_refused(
    changes: dict[str, Any],
) -> None:
    """A notebook's float64 softmax must not give a table that can't be read back."""
    try:
        made = build(**changes)
    except PredictionsError:
        return
    assert made.index.dtype == np.int32
    assert made.given.dtype == np.int16
    assert made.probabilities.dtype == np.float32


def test_empty_predictions_are_predictions() -> None:
    empty = build(
        index=np.zeros(0, np.int32),
        given=np.zeros(0, np.int16),
        probabilities=np.zeros((0, 2), np.float32),
    )
    assert len(empty) == 0
    assert empty.predicted.shape == (0,)
    assert empty.predicted.dtype == np.int16


def test_the_first_class_wins_a_tie() -> None:
    made = build()
    assert made.predicted.tolist() == [0, 1, 0]
    assert made.predicted.dtype == np.int16


def test_half_precision_sums_are_close_enough() -> None:
    generator = np.random.default_rng(0)
    halves = generator.dirichlet(np.ones(1_000), 20).astype(np.float16)
    provenance = dataclasses.replace(PROVENANCE, classes=tuple(map(str, range(1_000))))
    Predictions(
        np.arange(20, dtype=np.int32),
        np.zeros(20, np.int16),
        halves.astype(np.float32),
        provenance,
    )


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 5), st.just(2)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_accepted_rows_are_probabilities(array: Array) -> None:
    """Whatever the numbers, either they are refused or a slow loop finds them right."""
    count = len(array)
    try:
        made = build(
            index=np.arange(count, dtype=np.int32),
            given=np.zeros(count, np.int16),
            probabilities=array,
        )
    except PredictionsError:
        assert any(not (min(row) >= 0 and abs(sum(map(float, row)) - 1) <= 1e-2) for row in array)
        return
    for row in made.probabilities:
        assert all(float(p) >= 0 for p in row)
        assert abs(sum(map(float, row)) - 1) <= 1e-2


def test_names(make_predictions: Callable[..., Predictions]) -> None:
    made = make_predictions(given=[0, 1], seed=7, model="net", recipe="short")
    assert made.provenance.run_name == "net-short-s7"
    assert made.provenance.name == "net-short-s7.test.held-out"
    repeated = dataclasses.replace(made.provenance, repeat=2, origin=Origin.CROSS_FITTED)
    assert repeated.name == "net-short-s7-r2.test.cross-fitted"
    assert repr(made) == "Predictions(net-short-s7.test.held-out: 2 x 3)"
    assert made.classes == ("top", "middle", "bottom")
