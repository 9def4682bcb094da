import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from misread.analysis import temperature
from misread.analysis.temperature import Temperature, fit_temperature
from misread.errors import PredictionsError
from misread.tables import Origin, Predictions, Provenance
from misread.types import Array

Make = Callable[..., Predictions]
CLASSES = ("a", "b", "c", "d")


def simulated(
    count: int, heat: float, seed: int, split: str = "train", origin: Origin = Origin.CROSS_FITTED
) -> Predictions:
    """Given labels drawn from softmax(logits / heat) where the model says softmax(logits)."""
    generator = np.random.default_rng(seed)
    logits = 3 * generator.standard_normal((count, 4))
    sums = softmax(logits / heat, axis=1).cumsum(axis=1)
    given = (generator.random(count)[:, None] > sums).sum(axis=1).clip(0, 3)
    provenance = Provenance(
        model="m", recipe="r", seed=0, split=split, origin=origin, classes=CLASSES,
        items_fingerprint=f"sha256:{split}", created="",
    )  # fmt: skip
    index = np.arange(count, dtype=np.int32)
    probabilities = softmax(logits, axis=1).astype(np.float32)
    return Predictions(index, given.astype(np.int16), probabilities, provenance)


def loss(predictions: Predictions, value: float) -> float:
    scores = log_softmax(np.log(predictions.probabilities.astype(float)) / value, axis=1)
    return -float(scores[np.arange(len(scores)), predictions.given].sum())


@pytest.mark.parametrize("heat", [0.4, 1.0, 2.5])
def test_it_minimises_the_loss(heat: float) -> None:
    predictions = simulated(2_000, heat, seed=1)
    fitted = fit_temperature(predictions)
    best = minimize_scalar(
        lambda log: loss(predictions, np.exp(log)), bounds=(-3, 3), method="bounded",
        options={"xatol": 1e-8},
    )  # fmt: skip
    assert fitted.value == pytest.approx(np.exp(best.x), rel=1e-5)
    assert fitted.low < fitted.value < fitted.high
    assert fitted.low < heat < fitted.high
    assert fitted.images == 2_000
    assert fitted.zeros == 0


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = simulated(1_000, 1.5, seed=2)
    whole = fit_temperature(predictions)
    scaled = whole.apply(simulated(200, 1.5, seed=3, split="test")).probabilities
    monkeypatch.setattr(temperature, "_CHUNK", 64)
    parts = fit_temperature(predictions)
    assert parts.value == pytest.approx(whole.value, rel=1e-9)
    assert parts.low == pytest.approx(whole.low, rel=1e-9)
    again = parts.apply(simulated(200, 1.5, seed=3, split="test")).probabilities
    np.testing.assert_allclose(again, scaled, rtol=1e-6)


def coverage(draw: Callable[[int], Predictions], target: float, samples: int) -> float:
    fits = [fit_temperature(draw(seed)) for seed in range(samples)]
    return float(np.mean([fit.low <= target <= fit.high for fit in fits]))


def test_the_interval_covers_where_a_temperature_makes_it_right() -> None:
    """400 samples: Monte Carlo error 1.1 percentage points, so 3 of them below 95%."""
    assert coverage(lambda seed: simulated(400, 1.7, seed), 1.7, 400) >= 0.95 - 3 * 0.011


def distorted(count: int, seed: int) -> Predictions:
    """A tenth of the labels are drawn at random: no temperature makes these probabilities right."""
    clean = simulated(count, 1.0, seed)
    generator = np.random.default_rng([seed, 1])
    flipped = np.where(generator.random(count) < 0.1, generator.integers(0, 4, count), clean.given)
    return dataclasses.replace(clean, given=flipped.astype(np.int16))


def test_the_interval_covers_where_none_makes_it_right() -> None:
    """Its target is then the best temperature for new images, here of 400,000."""
    target = fit_temperature(distorted(400_000, seed=10**6)).value
    assert target > 1.1
    assert coverage(lambda seed: distorted(500, seed), target, 400) >= 0.95 - 3 * 0.011


def at(value: float, provenance: Provenance) -> Temperature:
    return Temperature(value, value, value, 1, 0, provenance)


@settings(deadline=None)
@given(
    value=st.floats(0.05, 20),
    logits=st.lists(
        st.lists(st.floats(-60, 60, width=32), min_size=4, max_size=4), min_size=1, max_size=5
    ),
)
def test_scaling_is_softmax_of_logits_over_t(value: float, logits: list[list[float]]) -> None:
    base = simulated(len(logits), 1, seed=0, split="test", origin=Origin.HELD_OUT)
    scores = np.array(logits)
    probabilities = softmax(scores, axis=1).astype(np.float32)
    predictions = Predictions(base.index, base.given, probabilities, base.provenance)
    scaled = at(value, simulated(1, 1, seed=0).provenance).apply(predictions)
    kept = np.log(np.maximum(probabilities.astype(float), np.finfo(np.float32).tiny))
    np.testing.assert_allclose(
        scaled.probabilities, softmax(kept / value, axis=1), rtol=1e-5, atol=1e-30
    )
    # Order is kept; rounding may only make ties of what differed.
    p_predicted = scaled.probabilities[np.arange(len(scaled)), predictions.predicted]
    assert np.all(p_predicted == scaled.probabilities.max(axis=1))


def test_the_name_says_that_it_is_scaled() -> None:
    fitted = fit_temperature(simulated(500, 2, seed=0))
    scaled = fitted.apply(simulated(50, 2, seed=1, split="test", origin=Origin.HELD_OUT))
    assert scaled.provenance.name == "m-r+T-s0.test.held-out"


def test_zeros_are_counted_and_have_a_finite_loss() -> None:
    predictions = simulated(500, 2, seed=0)
    probabilities = predictions.probabilities.copy()
    given = predictions.given.copy()
    probabilities[:3], given[:3] = [0, 1, 0, 0], 0
    fitted = fit_temperature(
        dataclasses.replace(predictions, probabilities=probabilities, given=given)
    )
    assert fitted.zeros == 3
    assert 2 < fitted.value < 20


def test_in_sample_predictions_are_refused() -> None:
    with pytest.raises(PredictionsError, match=r"in-sample ones instead.*`misread crossfit`"):
        fit_temperature(simulated(100, 1, seed=0, origin=Origin.IN_SAMPLE))


def of_rows(rows: Array, given: list[int]) -> Predictions:
    base = simulated(len(rows), 1, seed=0)
    return dataclasses.replace(
        base, probabilities=np.asarray(rows, np.float32), given=np.array(given, np.int16)
    )


@pytest.mark.parametrize(
    ("rows", "given"),
    [
        (np.full((3, 4), 0.1) + 0.6 * np.eye(4)[:3], [0, 1, 2]),  # no mistake
        (np.full((3, 4), 0.1) + 0.6 * np.eye(4)[:3], [3, 3, 3]),  # worse than chance
        (np.full((3, 4), 0.25), [0, 1, 2]),  # says nothing
        (np.empty((0, 4)), []),
    ],
)
def test_where_no_temperature_is_best_none_is_given(rows: Array, given: list[int]) -> None:
    with pytest.raises(PredictionsError, match="found none: it takes mistakes"):
        fit_temperature(of_rows(rows, given))


def test_it_is_never_applied_to_the_images_it_was_fitted_on() -> None:
    predictions = simulated(500, 2, seed=0)
    fitted = fit_temperature(predictions)
    with pytest.raises(PredictionsError, match="expected other images than those of m-r-s0"):
        fitted.apply(predictions)
    other = dataclasses.replace(predictions.provenance, classes=("w", "x", "y", "z"), split="test")
    with pytest.raises(PredictionsError, match="has other classes than m-r-s0"):
        fitted.apply(dataclasses.replace(predictions, provenance=other))
