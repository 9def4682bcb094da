import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.calibration import calibration_curve

from misread.analysis.calibration import (
    BINNINGS,
    Calibration,
    mean_with_interval,
    measure_calibration,
)
from misread.errors import ParameterError, PredictionsError
from misread.tables import Origin, Predictions

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from calibration_coverage import SHAPES, row

Make = Callable[..., Predictions]


@pytest.fixture
def predictions(make_predictions: Make) -> Predictions:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([0.3, 0.3, 0.3], 3_000)
    given = (generator.random(3_000)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return make_predictions(None, probabilities, given=given)


@pytest.mark.parametrize(("binning", "strategy"), [("width", "uniform"), ("images", "quantile")])
def test_the_curve_is_that_of_scikit_learn(
    predictions: Predictions, binning: str, strategy: str
) -> None:
    found = measure_calibration(predictions, 12, binning)
    right, confidence = calibration_curve(
        predictions.predicted == predictions.given,
        predictions.probabilities.max(axis=1),
        n_bins=12, strategy=strategy,
    )  # fmt: skip
    # scikit-learn interpolates quantiles, so that an image at an edge may be a bin further.
    tolerance = 1e-6 if binning == "width" else 0.01
    np.testing.assert_allclose([b.confidence for b in found.bins], confidence, atol=tolerance)
    np.testing.assert_allclose([1 - b.misread.value for b in found.bins], right, atol=tolerance)


def by_hand(predictions: Predictions, found: Calibration) -> float:
    """The expected calibration error image by image, in the bins that were found."""
    right = (predictions.predicted == predictions.given).tolist()
    sure = predictions.probabilities.max(axis=1).astype(float).tolist()
    total = 0.0
    for one in found.bins:
        inside = [i for i, p in enumerate(sure) if one.low - 1e-7 <= p <= one.high + 1e-7]
        assert len(inside) == one.misread.total
        share = sum(right[i] for i in inside) / len(inside)
        mean = sum(sure[i] for i in inside) / len(inside)
        total += len(inside) / len(sure) * abs(share - mean)
    return total


def slow_loss(predictions: Predictions) -> float:
    rows = zip(predictions.probabilities, predictions.given, strict=True)
    return -sum(math.log(row[given]) for row, given in rows) / len(predictions)


@pytest.mark.parametrize("binning", BINNINGS)
def test_the_error_is_that_of_a_slow_loop(predictions: Predictions, binning: str) -> None:
    found = measure_calibration(predictions, 7, binning)
    assert found.ece.value == pytest.approx(by_hand(predictions, found), abs=1e-6)
    assert found.loss.value == pytest.approx(slow_loss(predictions), rel=1e-5)
    assert sum(b.misread.total for b in found.bins) == found.misread.total == 3_000
    assert [b.confidence for b in found.bins] == sorted(b.confidence for b in found.bins)


def test_bins_expect_equally_many_mistakes(predictions: Predictions) -> None:
    found = measure_calibration(predictions, 10)
    expected = [b.doubt * b.misread.total for b in found.bins]
    assert len(expected) == 10
    assert max(expected) - min(expected) < 2  # an image's doubt is below 2 / 3


def test_the_test_and_the_null_are_those_of_resampling(predictions: Predictions) -> None:
    """Against drawing every image's mistake from its own probability."""
    found = measure_calibration(predictions, 10, "width", resamples=4_000)
    sure = predictions.probabilities.max(axis=1).astype(float)
    place = np.digitize(sure, np.arange(1, 10) / 10)
    generator = np.random.default_rng(1)
    drawn = []
    for _ in range(2_000):
        wrong = generator.random(3_000) > sure
        drawn.append(np.abs(np.bincount(place, wrong - (1 - sure))).sum() / 3_000)
    assert found.ece_if_calibrated == pytest.approx(np.mean(drawn), rel=0.03)
    assert found.p_value == pytest.approx(np.mean(np.array(drawn) >= found.ece.value), abs=0.05)


def test_the_debiased_error_is_the_mean_over_halves(make_predictions: Make) -> None:
    """One bin of 2,000: sign from one half of normal noise, size from the other, by simulation."""
    count, mistakes = 2_000, 130
    given = np.zeros(count, int)
    given[:mistakes] = 1
    found = measure_calibration(
        make_predictions(None, np.tile([0.94, 0.05, 0.01], (count, 1)), given=given), 1
    )
    rate = (mistakes + 0.5) / (count + 1)
    spread = np.sqrt(count * rate * (1 - rate))
    noise = np.random.default_rng(0).normal(0, spread, 2_000_000)
    difference = mistakes - 0.06 * count
    halves = np.sign(difference + noise) * (difference - noise)
    assert found.ece_debiased == pytest.approx(max(0, halves.mean()) / count, abs=2e-5)
    assert found.ece_debiased < found.ece.value


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), bins=st.integers(1, 20),
    binning=st.sampled_from(BINNINGS), sharp=st.sampled_from([0.001, 0.1, 1.0, 100.0]),
)  # fmt: skip
def test_what_always_holds(
    make_predictions: Make, seed: int, count: int, bins: int, binning: str, sharp: float
) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([sharp] * 3, count)
    table = make_predictions(None, probabilities, given=generator.integers(0, 3, count))
    found = measure_calibration(table, bins, binning, resamples=100)
    assert 1 <= len(found.bins) <= bins
    assert all(b.misread.total > 0 for b in found.bins)
    assert sum(b.misread.total for b in found.bins) == count
    assert 0 <= found.ece.low <= found.ece.value <= found.ece.high <= 1
    assert 0 <= found.ece_debiased <= found.ece.value + 1e-12
    assert 0 < found.p_value <= 1
    again = measure_calibration(table, bins, binning, resamples=100)
    assert again.ece == found.ece
    assert again.p_value == found.p_value
    # Fewer, merged bins never see more: with one, only the difference of the means is left.
    assert found.ece.value >= abs(found.misread.value - found.doubt) - 1e-9


def test_certain_and_right(make_predictions: Make) -> None:
    given = np.arange(30) % 3
    found = measure_calibration(make_predictions(None, np.eye(3)[given], given=given))
    assert len(found.bins) == 1
    assert found.ece.value == 0
    assert found.ece.low == 0
    assert found.ece.high > 0
    assert found.p_value == 1


# Monte Carlo error of a coverage of 97.5% at 200 samples: 1.1 percentage points.
@pytest.mark.parametrize(
    ("shape", "a", "b"), [(0, 0.0, 1.0), (0, 0.7, 1.0), (2, 0.0, 1.3), (4, 0.0, 0.7), (5, 0.0, 1.0)]
)
def test_the_interval_covers(shape: int, a: float, b: float) -> None:
    """The benchmark's rows in small: at zero, near it and far from it."""
    found = row(SHAPES[shape], a, b, samples=200, seed=0)
    assert float(found["low"]) >= 0.975 - 3 * 0.011
    assert float(found["high"]) >= 0.975 - 3 * 0.011
    if (a, b) == (0.0, 1.0):
        # The test is at its level, and the debiased estimate leaves little of the plug-in's bias.
        assert float(found["rejects"]) <= 0.05 + 3 * 0.0155
        assert float(found["debiased"]) < 0.3 * float(found["plug-in"])


def test_a_mean_has_its_normal_interval() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = mean_with_interval(values, 0.9)
    low, high = norm.interval(0.9, values.mean(), values.std(ddof=1) / 20)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert mean_with_interval(np.array([1.0])).high == np.inf


def test_in_sample_predictions_are_refused(make_predictions: Make) -> None:
    table = make_predictions(None, None, given=[0, 1, 2], origin=Origin.IN_SAMPLE)
    with pytest.raises(PredictionsError, match="expected held-out or cross-fitted"):
        measure_calibration(table)


def test_no_images_are_refused(make_predictions: Make) -> None:
    with pytest.raises(PredictionsError, match="expected images, found none"):
        measure_calibration(make_predictions(None, np.empty((0, 3)), given=[]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"bins": 0}, "bins must be 1 or more. Got 0 instead."),
        ({"binning": "depth"}, "binning: expected one of mistakes, images, width. Got 'depth'"),
        ({"level": 1.0}, "level must be in"),
        ({"resamples": 10}, "resamples must be 100 or more. Got 10"),
    ],
)
def test_bad_settings_are_refused(
    predictions: Predictions, settings: dict[str, object], says: str
) -> None:
    with pytest.raises(ParameterError, match=says):
        measure_calibration(predictions, **settings)  # type: ignore[arg-type]
