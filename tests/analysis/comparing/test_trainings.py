import numpy as np
import pytest
from scipy import stats

from misread.analysis.comparing.trainings import mean_of_trainings
from misread.errors import ParameterError


def test_the_interval_is_students() -> None:
    rates = [0.0047, 0.0058, 0.0045]
    found = mean_of_trainings(rates)
    expected = stats.ttest_1samp(rates, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(0.005)


def test_it_covers_the_mean_of_further_trainings_at_three() -> None:
    """The error rates of three trainings, binomial and spread by chance of the seed besides.

    20,000 draws: two Monte Carlo errors of 95% are 0.003. A bootstrap over three would cover 75%.
    """
    generator = np.random.default_rng(0)
    rates = generator.binomial(10_000, generator.normal(0.005, 0.0005, (20_000, 3))) / 10_000
    found = [mean_of_trainings(row.tolist()) for row in rates]
    held = np.mean([one.low <= 0.005 <= one.high for one in found])
    assert held == pytest.approx(0.95, abs=0.006)


def test_two_are_too_few_for_an_interval() -> None:
    found = mean_of_trainings([0.01, 0.03])
    assert found.value == pytest.approx(0.02)
    assert np.isnan([found.low, found.high]).all()


def test_rates_that_are_all_alike_say_nothing_of_others() -> None:
    found = mean_of_trainings([0.02, 0.02, 0.02])
    assert found.value == pytest.approx(0.02)
    assert np.isnan([found.low, found.high]).all()


def test_limits_stay_rates() -> None:
    found = mean_of_trainings([0.0, 0.0, 0.9])
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(("rates", "level"), [([], 0.95), ([0.1], 1.0)])
def test_what_it_cannot_take(rates: list[float], level: float) -> None:
    with pytest.raises(ParameterError, match="expected one rate or more"):
        mean_of_trainings(rates, level)
