from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, norm, t
from statsmodels.stats.proportion import proportion_confint

from misread.analysis.intervals import Rate, clopper_pearson, korn_graubard, wilson
from misread.errors import ParameterError

Interval = Callable[..., Rate]
GRID = [
    (count, total)
    for total in (1, 2, 5, 17, 100, 892, 10_000)
    for count in sorted({0, 1, 2, 3, total // 7, total // 2, total - 1, total})
    if count <= total
]


@pytest.mark.parametrize(
    ("interval", "method"), [(wilson, "wilson"), (clopper_pearson, "beta")], ids=["wilson", "exact"]
)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.9999])
def test_limits_are_those_of_statsmodels(interval: Interval, method: str, level: float) -> None:
    for count, total in GRID:
        rate = interval(count, total, level)
        low, high = proportion_confint(count, total, alpha=1 - level, method=method)
        assert rate.low == pytest.approx(low, abs=1e-12)
        assert rate.high == pytest.approx(high, abs=1e-12)
        assert rate.value == count / total
        assert 0 <= rate.low <= rate.value <= rate.high <= 1


def coverage(interval: Interval, total: int, rate: float) -> float:
    """Exact coverage: the probability of all counts whose interval holds the true rate."""
    limits = [interval(count, total) for count in range(total + 1)]
    holds = np.array([made.low <= rate <= made.high for made in limits])
    return float(binom.pmf(np.arange(total + 1), total, rate)[holds].sum())


@pytest.mark.parametrize("total", [1, 5, 20, 100])
def test_clopper_pearson_covers_at_least_its_level(total: int) -> None:
    """Enumerated over all counts, so without Monte Carlo error."""
    for rate in [0.0, 1e-4, 0.0025, 0.0062, 0.05, 0.2, 0.31, 0.5, 0.77, 0.999, 1.0]:
        assert coverage(clopper_pearson, total, rate) >= 0.95 - 1e-12


@pytest.mark.parametrize(("total", "tolerance"), [(20, 0.01), (50, 0.007), (200, 0.004)])
def test_wilson_covers_its_level_on_average(total: int, tolerance: float) -> None:
    """Averaged over an even grid of 999 true rates (Brown, Cai & DasGupta 2001, figure 5)."""
    limits = [wilson(count, total) for count in range(total + 1)]
    rates = np.linspace(0, 1, 1_001)[1:-1]
    low = np.array([made.low for made in limits])[:, None]
    high = np.array([made.high for made in limits])[:, None]
    holds = (low <= rates) & (rates <= high)
    probability = binom.pmf(np.arange(total + 1)[:, None], total, rates)
    assert (probability * holds).sum(axis=0).mean() == pytest.approx(0.95, abs=tolerance)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_edges(interval: Interval) -> None:
    assert interval(0, 50).low == 0
    assert interval(50, 50).high == 1
    assert 0 < interval(0, 50).high < 0.1
    assert 0.9 < interval(50, 50).low < 1
    nothing = interval(0, 0)
    assert (nothing.count, nothing.total) == (0, 0)
    assert all(np.isnan([nothing.value, nothing.low, nothing.high]))


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize(
    ("count", "total", "level", "says"),
    [
        (-1, 10, 0.95, "count must be in 0..total. Got -1 of 10"),
        (11, 10, 0.95, "Got 11 of 10"),
        (0, -1, 0.95, "Got 0 of -1"),
        (1, 10, 0.0, "level must be in (0, 1)"),
        (1, 10, 1.0, "level must be in (0, 1)"),
        (1, 10, 95, "Got 95 instead"),
        (1, 10, float("nan"), "level must be in (0, 1)"),
    ],
)
def test_what_is_out_of_range_is_refused(
    interval: Interval, count: int, total: int, level: float, says: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        interval(count, total, level)
    assert says in str(caught.value)


@given(
    st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.01, 0.999),
)
def test_intervals_mirror_and_widen(counts: tuple[int, int], level: float) -> None:
    count, total = counts
    for interval in (wilson, clopper_pearson):
        rate = interval(count, total, level)
        other = interval(total - count, total, level)
        assert 0 <= rate.low <= rate.high <= 1
        assert rate.low == pytest.approx(1 - other.high, abs=1e-9)
        wider = interval(count, total, (1 + level) / 2)
        assert wider.low <= rate.low + 1e-12
        assert wider.high >= rate.high - 1e-12


def test_the_figures_of_the_design() -> None:
    """25 errors in 10,000 is 0.17% to 0.37%."""
    assert str(wilson(25, 10_000)) == "0.25% (0.17 to 0.37)"
    assert str(clopper_pearson(0, 100)) == "0.00% (0.00 to 3.62)"


def test_korn_graubard_without_clusters_is_the_exact_interval() -> None:
    for count, total in GRID:
        found, exact = korn_graubard(count, total, 1, np.inf), clopper_pearson(count, total)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


@pytest.mark.parametrize(("effect", "freedom"), [(1.0, 5), (2.3, 47), (4.0, np.inf)])
def test_korn_graubard_takes_quantiles_of_the_beta_distribution(
    effect: float, freedom: float
) -> None:
    student = norm.ppf(0.995) if freedom == np.inf else t.ppf(0.995, freedom)
    images = 5_000 / effect * (norm.ppf(0.995) / student) ** 2
    mistakes = images * 34 / 5_000
    found = korn_graubard(34, 5_000, effect, freedom, 0.99)
    assert found.low == pytest.approx(beta.ppf(0.005, mistakes, images - mistakes + 1))
    assert found.high == pytest.approx(beta.ppf(0.995, mistakes + 1, images - mistakes))
    assert (found.count, found.total) == (34, 5_000)


def test_korn_graubard_of_next_to_nothing_says_next_to_nothing() -> None:
    rate = korn_graubard(0, 3, 50.0, 1, 0.999)
    assert rate.low == 0
    assert rate.high > 0.99
    assert np.isnan(korn_graubard(0, 0, 1, 1).value)
    for effect, freedom in ((0.9, 5), (np.nan, 5), (np.inf, 5), (1, 0.5)):
        with pytest.raises(ParameterError, match="design_effect and freedom"):
            korn_graubard(1, 10, effect, freedom)
