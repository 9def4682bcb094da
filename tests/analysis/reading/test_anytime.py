import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, hypergeom

from misread.analysis.reading.anytime import (
    anytime_limits,
    beta_bet,
    limit_sequence,
    log_evidence,
)
from misread.errors import ParameterError

Floats = npt.NDArray[np.float64]


def slow_evidence(wrong: list[bool], items: int, rate: float) -> Floats:
    """(m + 1, N + 1) the martingale as a bet, answer by answer, for every K.

    Before each answer the beta bet says how likely an error is; the capital is multiplied by that
    over the chance that an error has if there are K.
    """
    a, b = beta_bet(rate)
    capital = np.ones(items + 1)
    history = [capital.copy()]
    seen = 0
    for done, error in enumerate(wrong):
        bet = (a + seen) / (a + b + done)
        for errors in range(items + 1):
            chance = (errors - seen) / (items - done)
            truth = chance if error else 1 - chance
            capital[errors] = (
                np.inf if truth <= 0 else capital[errors] * (bet if error else 1 - bet) / truth
            )
        seen += error
        history.append(capital.copy())
    return np.array(history)


answers = st.integers(1, 30).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.booleans(), min_size=1, max_size=n))
)


@given(answers, st.sampled_from([0.003, 0.05, 0.5]))
def test_evidence_is_the_bet_played_answer_by_answer(
    numbers: tuple[int, list[bool]], rate: float
) -> None:
    items, wrong = numbers
    slow = slow_evidence(wrong, items, rate)
    count, read = np.append(0, np.cumsum(wrong)), np.arange(len(wrong) + 1)
    found = log_evidence(
        np.arange(items + 1), count[:, None].astype(int), read[:, None], items, rate
    )
    with np.errstate(divide="ignore"):
        expected = np.log(slow)
    assert np.array_equal(np.isinf(found), np.isinf(slow))
    assert found[np.isfinite(found)] == pytest.approx(expected[np.isfinite(expected)], abs=1e-8)


def test_evidence_is_a_ratio_of_two_distributions() -> None:
    a, b = beta_bet()
    errors = np.arange(3, 60)
    expected = betabinom.logpmf(3, 500, a, b) - hypergeom.logpmf(3, 2_000, errors, 500)
    assert log_evidence(errors, 3, 500, 2_000) == pytest.approx(expected, abs=1e-8)


@given(answers, st.sampled_from([0.003, 0.2]), st.sampled_from([0.05, 0.4]))
def test_limits_are_those_of_every_k(
    numbers: tuple[int, list[bool]], rate: float, alpha: float
) -> None:
    """Also that the set has no gap, which the search relies on."""
    items, wrong = numbers
    slow = slow_evidence(wrong, items, rate)
    count, read = np.append(0, np.cumsum(wrong)), np.arange(len(wrong) + 1)
    low, high = anytime_limits(count, read, items, alpha, rate)
    for m, evidence in enumerate(slow):
        inside = np.flatnonzero(evidence * alpha < 1 - 1e-9)
        near = np.abs(evidence * alpha - 1) < 1e-9
        if near.any():
            continue
        assert (low[m], high[m]) == (inside[0], inside[-1])
        assert len(inside) == inside[-1] - inside[0] + 1


@given(
    st.integers(1, 100_000).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(1, n)).flatmap(
            lambda p: st.tuples(st.just(p[0]), st.just(p[1]), st.integers(0, p[1]))
        )
    )
)
def test_evidence_is_convex_and_limits_hold_the_likeliest(numbers: tuple[int, int, int]) -> None:
    items, read, wrong = numbers
    errors = np.unique(np.linspace(wrong, items - read + wrong, 200).astype(np.int64))
    evidence = log_evidence(errors, wrong, read, items)
    if len(errors) > 2:
        slopes = np.diff(evidence) / np.diff(errors)
        assert (np.diff(slopes) >= -1e-7).all()
    low, high = (int(limit) for limit in anytime_limits(wrong, read, items))
    assert wrong <= low <= round(wrong / read * items) <= high <= items - read + wrong
    assert log_evidence([low, high], wrong, read, items).max() < np.log(20)
    for outside in (low - 1, high + 1):
        assert log_evidence(outside, wrong, read, items) >= np.log(20) - 1e-9


def chance_of_ever_missing(errors: int, items: int, alpha: float, rate: float) -> float:
    """Exact, by dynamic programming over (answers, errors seen) up to the last item."""
    alive = np.zeros(errors + 2)  # probability by errors seen, K not given up so far
    alive[0] = 1.0
    missed = 0.0
    seen = np.arange(errors + 2)
    for read in range(1, items + 1):
        chance = np.clip((errors - seen) / (items - read + 1), 0, 1)
        alive = alive * (1 - chance) + np.append(0, (alive * chance)[:-1])
        possible = (seen <= read) & (seen <= errors) & (read - seen <= items - errors)
        low, high = anytime_limits(
            np.where(possible, seen, 0), np.full(len(seen), read), items, alpha, rate
        )
        outside = possible & ((errors < low) | (errors > high))
        missed += float(alive[outside].sum())
        alive[outside] = 0
    return missed


@pytest.mark.parametrize("rate", [0.003, 0.1, 0.5])
@pytest.mark.parametrize("alpha", [0.05, 0.25])
def test_optional_stopping_exactly(rate: float, alpha: float) -> None:
    """Whoever stops the moment the truth is excluded does so with at most probability alpha."""
    worst = max(
        chance_of_ever_missing(errors, items, alpha, rate)
        for items in (1, 2, 6, 25, 60)
        for errors in range(items + 1)
    )
    assert worst <= alpha
    # Not vacuous: some K is given up nearly as often as allowed.
    assert worst > alpha / 5


def test_optional_stopping_simulated() -> None:
    """2,000 studies of 2,000 answers; Monte Carlo error of a rate of 5%: 0.49 points."""
    generator = np.random.default_rng(11)
    items, read, errors, studies = 9_938, 2_000, 30, 2_000
    # Where the errors lie in a random order says all.
    places = generator.random((studies, items)).argpartition(errors, axis=1)[:, :errors]
    wrong = np.array([np.searchsorted(np.sort(one), np.arange(read + 1)) for one in places])
    against = log_evidence(errors, wrong, np.arange(read + 1), items)
    missed = float((against.max(axis=1) >= np.log(20)).mean())
    assert 0 < missed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_the_sequence_only_narrows_and_holds_all_sets() -> None:
    generator = np.random.default_rng(3)
    wrong = generator.random(2_000) < 0.004
    found = limit_sequence(wrong, 9_938)
    assert not found.contradicts
    assert (np.diff(found.low) >= 0).all()
    assert (np.diff(found.high) <= 0).all()
    assert (found.low[0], found.high[0]) == (0, 9_938)
    count, read = np.append(0, np.cumsum(wrong)), np.arange(2_001)
    low, high = anytime_limits(count, read, 9_938)
    assert np.array_equal(found.low, np.maximum.accumulate(low))
    assert np.array_equal(found.high, np.minimum.accumulate(high))
    # What they have in common is narrower than the last one alone.
    assert found.last[1] - found.last[0] < high[-1] - low[-1]


def test_a_reader_who_changes_is_told() -> None:
    """No error in 1,000 answers, then every second one: no number of errors fits both."""
    wrong = np.concatenate([np.zeros(1_000, bool), np.arange(200) % 2 == 0])
    found = limit_sequence(wrong, 3_000)
    assert found.contradicts
    # Shown is each answer's own set, which is never empty.
    assert (found.low <= found.high).all()
    low, high = anytime_limits(100, 1_200, 3_000)
    assert found.last == (int(low), int(high))


def test_everything_read_leaves_one_number() -> None:
    wrong = np.arange(40) < 7
    assert limit_sequence(wrong, 40).last == (7, 7)
    assert limit_sequence([], 40).last == (0, 40)


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_a_bet_needs_a_rate(rate: float) -> None:
    with pytest.raises(ParameterError, match="expected_rate must be in"):
        anytime_limits(0, 5, 10, 0.05, rate)


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ParameterError, match="must rise from 0"):
        anytime_limits([0, 3], [5, 2], 10)
    with pytest.raises(ParameterError, match="must rise from 0"):
        anytime_limits(0, 11, 10)
    with pytest.raises(ParameterError, match="alpha must be in"):
        anytime_limits(0, 5, 10, 1.0)
