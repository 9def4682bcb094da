import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from misread.analysis.intervals import Estimate
from misread.analysis.reading.consistency import consistency_limits, error_consistency

counts = st.integers(0, 60)


@given(counts, counts, counts, counts)
def test_kappa_is_cohens(both: int, first: int, second: int, neither: int) -> None:
    total = both + first + second + neither
    assume(total)
    found = error_consistency(both, first, second, total)
    undefined = first == second == 0 and 0 in (both, neither)
    if undefined:
        assert np.isnan(found)
        return
    with np.errstate(all="ignore"):
        expected = cohens_kappa([[both, first], [second, neither]]).kappa
    assert found == pytest.approx(expected, abs=1e-9)
    assert -1 - 1e-9 <= found <= 1 + 1e-9


def test_kappa_in_words() -> None:
    assert error_consistency(10, 0, 0, 100) == pytest.approx(1)
    assert error_consistency(1, 9, 9, 100) == pytest.approx(0)
    assert error_consistency(0, 10, 10, 100) < 0
    # Geirhos et al. (2020): as right and as wrong as chance would have it, at 0.5 each: -1 to 1.
    assert error_consistency(0, 50, 50, 100) == pytest.approx(-1)


@given(counts, counts, counts, counts, st.data())
def test_limits_hold_every_kappa_between(
    both: int, people_only: int, model_only: int, neither: int, data: st.DataObject
) -> None:
    """That kappa is monotone in both counts, which the limits rely on."""
    total = both + people_only + model_only + neither
    assume(total)
    mistakes = both + model_only
    low_b, high_b = sorted(data.draw(st.tuples(*2 * [st.integers(0, mistakes)])))
    low_p, high_p = sorted(data.draw(st.tuples(*2 * [st.integers(0, total - mistakes)])))
    found = consistency_limits(
        Estimate(low_b, low_b, high_b), Estimate(low_p, low_p, high_p), mistakes, total
    )
    inner_b = data.draw(st.integers(low_b, high_b))
    inner_p = data.draw(st.integers(low_p, high_p))
    inside = error_consistency(inner_b, inner_p, mistakes - inner_b, total)
    if not np.isnan([inside, found.low, found.high]).any():
        assert found.low - 1e-9 <= inside <= found.high + 1e-9


def test_undefined_limits_stay_undefined() -> None:
    """A model without mistakes: chance or nothing, and no limit where people have none either."""
    found = consistency_limits(Estimate(0, 0, 0), Estimate(3, 0, 9), 0, 100)
    assert found.value == 0
    assert found.low == 0
    assert np.isnan(found.high)
