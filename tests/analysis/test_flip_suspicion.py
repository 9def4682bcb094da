import math

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import median_abs_deviation

from misread.analysis.flip_suspicion import (
    WITH_TRAINING,
    WITHOUT_TRAINING,
    FlipEvidence,
    planted_flip_suspicion,
    standardised,
)
from misread.types import FloatArray


def evidence(count: int = 50, *, margin: bool = True) -> FlipEvidence:
    """Probabilities of the given label and of its rival, ends included."""
    drawn = np.random.default_rng(0).dirichlet(np.ones(3), count).astype(np.float32)
    drawn[0], drawn[1], drawn[2] = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    sd = np.linspace(-40, 40, count, dtype=np.float32)
    return FlipEvidence(drawn[:, 0], drawn[:, 1], sd if margin else None)


@pytest.mark.parametrize("margin", [False, True])
def test_it_is_a_logistic_regression_on_log_odds(margin: bool) -> None:
    known = evidence(margin=margin)
    weights = WITH_TRAINING if margin else WITHOUT_TRAINING
    found = planted_flip_suspicion(known)
    assert found.dtype == np.float32
    for row in range(50):
        given, rival = float(known.given[row]), float(known.rival[row])
        score = weights.intercept + weights.models * math.log((rival + 1e-6) / (given + 1e-6))
        if known.margin is not None:
            score -= weights.training * float(known.margin[row])
        exact = 1 / (1 + math.exp(-score)) if score > -700 else 0
        assert found[row] == pytest.approx(exact, rel=1e-4, abs=1e-7)


def test_suspicion_rises_with_the_rival_and_falls_with_the_given_label() -> None:
    steps, even = np.linspace(0, 1, 20, dtype=np.float32), np.full(20, 0.5, np.float32)
    for known, sign in ((FlipEvidence(even, steps), 1), (FlipEvidence(steps, even), -1)):
        assert (sign * np.diff(planted_flip_suspicion(known)) > 0).all()


def test_suspicion_falls_with_the_margin() -> None:
    even = np.full(20, 0.5, np.float32)
    known = FlipEvidence(even, even, margin=np.linspace(-9, 9, 20, dtype=np.float32))
    assert (np.diff(planted_flip_suspicion(known)) < 0).all()


@hypothesis_given(
    shares=arrays(np.float32, (2, 8), elements=st.floats(0, 1, width=32)),
    margin=arrays(np.float32, 8, elements=st.floats(-1e6, 1e6, width=32)),
)
def test_it_is_in_its_range_whatever_the_evidence(shares: FloatArray, margin: FloatArray) -> None:
    found = planted_flip_suspicion(FlipEvidence(shares[0], shares[1], margin))
    assert (found >= 0).all()
    assert (found <= 1).all()


def test_a_half_parts_what_everything_and_what_nothing_speaks_against() -> None:
    nothing, everything = np.zeros(1, np.float32), np.ones(1, np.float32)
    for margin in (None, -3 * everything):
        assert planted_flip_suspicion(FlipEvidence(nothing, everything, margin))[0] > 0.5
    for margin in (None, nothing):
        assert planted_flip_suspicion(FlipEvidence(everything, nothing, margin))[0] < 0.5


@hypothesis_given(
    values=arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e3, 1e3, width=16))
)
def test_the_scale_is_the_median_absolute_deviation(values: FloatArray) -> None:
    found = standardised(values)
    exact = values.astype(np.float64)
    scale = median_abs_deviation(exact, scale="normal")
    if scale < 1e-3:
        assert scale > 0 or not found.any()
        return
    np.testing.assert_allclose(found, (exact - np.median(exact)) / scale, rtol=1e-3, atol=1e-3)


def test_strange_images_do_not_stretch_the_scale() -> None:
    plain = np.random.default_rng(0).normal(7, 2, 5_000).astype(np.float32)
    strange = np.where(np.arange(5_000) < 1_500, -900, plain).astype(np.float32)
    rest = np.s_[1_500:]
    assert np.std(standardised(plain)) == pytest.approx(1, abs=0.03)
    assert 0.5 < np.std(standardised(strange)[rest]) < 1
    assert standardised(strange)[:1_500].max() < -100


def test_no_values_and_equal_ones_have_no_scale() -> None:
    assert standardised(np.empty(0, np.float32)).size == 0
    found = standardised(np.array([3, 3, 3, 9], np.float32))
    assert found.tolist() == [0, 0, 0, 0]
    assert found.dtype == np.float32
