from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from misread.analysis.reading.exact import exact_limits, lower_tail
from misread.errors import ParameterError


def slow_limits(wrong: int, read: int, items: int, alpha: float) -> tuple[int, int]:
    """The definition, over every K, with SciPy's tails."""
    errors = np.arange(wrong, items - read + wrong + 1)
    upper = hypergeom.sf(wrong - 1, items, errors, read)
    lower = hypergeom.cdf(wrong, items, errors, read)
    return int(errors[upper > alpha / 2].min()), int(errors[lower > alpha / 2].max())


# Levels at which no tail of so few items can equal alpha / 2.
@pytest.mark.parametrize("alpha", [0.05003, 0.21017])
@pytest.mark.parametrize("items", [1, 2, 7, 23])
def test_limits_are_those_of_the_definition(items: int, alpha: float) -> None:
    for read in range(items + 1):
        for wrong in range(read + 1):
            assert exact_limits(wrong, read, items, alpha) == slow_limits(wrong, read, items, alpha)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_coverage_is_never_below_the_level(alpha: float) -> None:
    """Enumerated over every K, every m and everything that can be seen: no Monte Carlo error."""
    worst = 1.0
    for items in (1, 2, 3, 5, 8, 13, 30):
        for read in range(items + 1):
            limits = np.array([exact_limits(x, read, items, alpha) for x in range(read + 1)])
            errors = np.arange(items + 1)
            holds = (limits[:, :1] <= errors) & (errors <= limits[:, 1:])
            seen = hypergeom.pmf(np.arange(read + 1)[:, None], items, errors, read)
            coverage = (seen * holds).sum(axis=0)
            assert coverage.min() >= 1 - alpha - 1e-9
            worst = min(worst, float(coverage.min()))
    # The test could fail: discreteness doesn't hide the level.
    assert worst < 1 - alpha + 0.04


@given(
    st.integers(1, 3_000).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, n)).flatmap(
            lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[1]))
        )
    ),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_limits_of_larger_samples(numbers: tuple[int, int, int], alpha: float) -> None:
    items, read, wrong = numbers
    low, high = exact_limits(wrong, read, items, alpha)
    assert wrong <= low <= high <= items - read + wrong
    # Inside the tails are above alpha / 2, one step further they aren't.
    enough, little = alpha / 2 * (1 - 1e-6), alpha / 2 * (1 + 1e-6)
    assert hypergeom.sf(wrong - 1, items, low, read) >= enough
    assert hypergeom.cdf(wrong, items, high, read) >= enough
    if low > wrong:
        assert hypergeom.sf(wrong - 1, items, low - 1, read) <= little
    if high < items - read + wrong:
        assert hypergeom.cdf(wrong, items, high + 1, read) <= little
    # Right answers counted in the place of errors are the mirror image.
    assert exact_limits(read - wrong, read, items, alpha) == (items - high, items - low)


def test_a_tail_that_equals_the_level_stays_in() -> None:
    """One of 40 items, one read: P(X <= 0 | K) = (40 - K) / 40 is 1/40 at K = 39, alpha / 2."""
    assert exact_limits(0, 1, 40, 0.05) == (0, 39)
    assert exact_limits(1, 1, 40, 0.05) == (1, 40)


def test_tails_are_exact() -> None:
    """Against whole numbers, where a sum of logarithms could lose digits."""
    items, read, errors = 400, 150, 37
    total = comb(items, read)
    for wrong in (0, 3, 14, 36):
        ways = sum(comb(errors, x) * comb(items - errors, read - x) for x in range(wrong + 1))
        exact = float(Fraction(ways, total))
        assert lower_tail(wrong, read, items, errors) == pytest.approx(exact, rel=1e-10)


def test_nothing_read_and_everything_read() -> None:
    assert exact_limits(0, 0, 50) == (0, 50)
    assert exact_limits(7, 50, 50) == (7, 7)
    assert exact_limits(0, 0, 0) == (0, 0)


def test_a_million_items_are_no_more_work() -> None:
    low, high = exact_limits(31, 12_000, 1_000_000)
    assert 0 < low < 31 / 12_000 * 1_000_000 < high < 4_000


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((-1, 5, 10, 0.05), "Got -1, 5 and 10"),
        ((6, 5, 10, 0.05), "must rise from 0"),
        ((0, 11, 10, 0.05), "must rise from 0"),
        ((0, 5, 10, 0.0), "alpha must be in (0, 1)"),
        ((0, 5, 10, 95.0), "Got 95.0 instead"),
    ],
)
def test_what_is_out_of_range_is_refused(numbers: tuple[int, int, int, float], says: str) -> None:
    with pytest.raises(ParameterError) as caught:
        exact_limits(*numbers)
    assert says in str(caught.value)
