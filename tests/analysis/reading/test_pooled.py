from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom
from statsmodels.stats.proportion import proportion_confint

from misread.analysis.reading.anytime import anytime_limits, beta_bet, limit_sequence
from misread.analysis.reading.pooled import (
    anytime_sum_limits,
    planned_limits,
    rounds_to_settle,
)
from misread.errors import ParameterError


def slow_evidence(wrong: list[int], readers: int, items: int, total: float, rate: float) -> float:
    """The running product of the module's docstring, round by round."""
    a, b = beta_bet(rate)
    evidence, before, seen = 0.0, 0, sum(wrong)
    if not seen <= total <= readers * (items - len(wrong)) + seen:
        return np.inf
    for done, errors in enumerate(wrong):
        q = (a + before) / (a + b + readers * done)
        p = (total - before) / (readers * (items - done))
        if (errors and p <= 0) or (errors < readers and p >= 1) or p < 0 or p > 1:
            return np.inf
        if errors:
            evidence += errors * np.log(q / p)
        if errors < readers:
            evidence += (readers - errors) * np.log((1 - q) / (1 - p))
        before += errors
    return evidence


def slow_sum_limits(
    wrong: list[int], readers: int, items: int, alpha: float, rate: float
) -> tuple[int, int]:
    inside = [
        total
        for total in range(readers * items + 1)
        if slow_evidence(wrong, readers, items, total, rate) < np.log(1 / alpha)
    ]
    return inside[0], inside[-1]


rounds = st.tuples(st.integers(1, 4), st.integers(1, 12)).flatmap(
    lambda n: st.tuples(st.just(n[0]), st.just(n[1]), st.lists(st.integers(0, n[0]), max_size=n[1]))
)


@given(rounds, st.sampled_from([0.05, 0.3]), st.sampled_from([0.003, 0.2]))
def test_limits_are_those_of_every_sum(
    numbers: tuple[int, int, list[int]], alpha: float, rate: float
) -> None:
    readers, items, wrong = numbers
    found = anytime_sum_limits(wrong, readers, items, alpha, rate)
    assert found == slow_sum_limits(wrong, readers, items, alpha, rate)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.booleans(), max_size=n))))  # fmt: skip
def test_one_reader_has_his_own_limits(numbers: tuple[int, list[bool]]) -> None:
    items, wrong = numbers
    low, high = anytime_limits(sum(wrong), len(wrong), items)
    assert anytime_sum_limits(np.array(wrong, int), 1, items) == (int(low), int(high))


def chance_of_ever_missing(errors: tuple[int, ...], items: int, alpha: float) -> float:
    """Exact: all sequences of rounds of readers with K_1, K_2, ... errors among their items."""
    readers, total = len(errors), sum(errors)
    # State: errors of each reader so far, with the sequences of rounds that lead there.
    alive: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {((0,) * readers, ()): 1.0}
    missed = 0.0
    for done in range(items):
        following: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
        for (seen, history), chance in alive.items():
            for step in product((0, 1), repeat=readers):
                here = chance
                for one, error, so_far in zip(errors, step, seen, strict=True):
                    p = (one - so_far) / (items - done)
                    here *= p if error else 1 - p
                if here <= 0:
                    continue
                state = tuple(np.add(seen, step).tolist())
                rounds_so_far = (*history, sum(step))
                low, high = anytime_sum_limits(rounds_so_far, readers, items, alpha, 0.1)
                if low <= total <= high:
                    key = (state, rounds_so_far)
                    following[key] = following.get(key, 0.0) + here
                else:
                    missed += here
        alive = following
    return missed


@pytest.mark.parametrize("alpha", [0.1, 0.4])
def test_optional_stopping_exactly(alpha: float) -> None:
    """Readers with different rates, stopped the moment the truth is excluded, enumerated."""
    worst = max(
        chance_of_ever_missing(errors, items, alpha)
        for items, errors in [
            (5, (0, 0)), (5, (0, 5)), (5, (1, 3)), (5, (2, 2)), (6, (0, 3)), (6, (1, 1)),
            (4, (0, 1, 4)), (4, (2, 2, 2)), (4, (0, 0, 4)),
        ]
    )  # fmt: skip
    assert worst <= alpha
    assert worst > 0


def test_unequal_stops_simulated() -> None:
    """2,000 studies of 5 unlike readers, some careless; Monte Carlo error 0.49 points at 95%."""
    generator = np.random.default_rng(5)
    items, studies, missed = 2_000, 2_000, 0
    errors = np.array([2, 3, 5, 10, 60])
    for _ in range(studies):
        stops = generator.integers(100, 900, len(errors))
        shortest = int(stops.min())
        wrong = np.zeros(shortest, np.int64)
        for one in errors:
            places = generator.choice(items, one, replace=False)
            wrong += np.bincount(places, minlength=items)[:shortest]
        low, high = anytime_sum_limits(wrong, len(errors), items)
        missed += not low <= errors.sum() <= high
    assert missed / studies <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_more_readers_narrow_the_mean_and_limits_at_a_part_of_alpha_do_not() -> None:
    """Why the mean of each reader's own limits at alpha / J isn't used."""
    generator = np.random.default_rng(0)
    items, read = 9_938, 938
    widths, others = [], []
    for readers in (2, 20):
        wrong = generator.random((readers, read)) < 0.0016
        low, high = anytime_sum_limits(wrong.sum(axis=0), readers, items)
        widths.append((high - low) / readers)
        apart = [limit_sequence(one, items, 0.05 / readers).last for one in wrong]
        others.append(np.mean([high - low for low, high in apart]))
    assert widths[1] < 0.5 * widths[0] < 0.5 * others[0]
    assert others[1] > others[0]


@given(rounds, st.sampled_from([0.003, 0.2, 0.9]))
def test_some_sum_always_stays(numbers: tuple[int, int, list[int]], rate: float) -> None:
    """The sum that goes with the overall mean is never less likely than the bet."""
    readers, items, wrong = numbers
    seen, done = sum(wrong), len(wrong)
    mean = seen / (readers * done) if done else 0.5
    total = seen + mean * readers * (items - done)
    assert slow_evidence(wrong, readers, items, total, rate) <= 1e-9


def test_everything_read_leaves_one_sum() -> None:
    assert anytime_sum_limits([1, 0, 3, 0], 3, 4) == (4, 4)
    assert anytime_sum_limits([], 3, 4) == (0, 12)


@pytest.mark.parametrize(
    ("wrong", "readers", "items"), [([0, 0], 1, 1), ([2], 1, 5), ([-1], 2, 5), ([0], 0, 5)]
)
def test_what_is_out_of_range_is_refused(wrong: list[int], readers: int, items: int) -> None:
    with pytest.raises(ParameterError, match="rounds with 0 to"):
        anytime_sum_limits(wrong, readers, items)


@pytest.mark.parametrize(("wrong", "read", "readers"), [(0, 50, 2), (7, 100, 5), (300, 100, 3)])
def test_planned_limits_are_those_of_statsmodels(wrong: int, read: int, readers: int) -> None:
    low, high = proportion_confint(wrong, read * readers, alpha=0.1, method="beta")
    assert planned_limits(wrong, read, readers, 900, 0.1) == pytest.approx((900 * low, 900 * high))


def test_planned_limits_cover_readers_with_different_rates() -> None:
    """Exact: the sum's distribution is a convolution of hypergeometric ones (Hoeffding 1956)."""
    items, worst = 40, 1.0
    for read in (5, 20, 39):
        for errors in [(0, 0), (0, 1), (0, 40), (3, 3), (1, 12), (20, 20), (0, 0, 6), (2, 5, 30)]:
            chance = np.ones(1)
            for one in errors:
                chance = np.convolve(chance, hypergeom.pmf(np.arange(read + 1), items, one, read))
            mean = np.mean(errors)
            limits = [planned_limits(x, read, len(errors), items, 0.1) for x in range(len(chance))]
            holds = np.array([low - 1e-9 <= mean <= high + 1e-9 for low, high in limits])
            worst = min(worst, float(chance[holds].sum()))
    assert 0.9 <= worst < 0.98


def test_pooling_unequal_numbers_would_miss() -> None:
    """Why `planned_limits` is for equal numbers only: a careless reader who read little."""
    items, read, errors = 1_000, (800, 40), (0, 200)
    seen = hypergeom.pmf(np.arange(41), items, errors[1], read[1])
    limits = [proportion_confint(x, sum(read), method="beta") for x in range(41)]
    mean = np.mean(errors) / items
    holds = np.array([low <= mean <= high for low, high in limits])
    assert float(seen[holds].sum()) < 0.01


def test_planned_limits_at_the_ends() -> None:
    assert planned_limits(14, 7, 4, 7) == (3.5, 3.5)
    assert planned_limits(0, 0, 4, 7) == (0, 7)


@given(rounds, st.integers(0, 48), st.sampled_from([0.05, 0.3]))
def test_rounds_to_settle_play_on_at_the_rate_so_far(
    numbers: tuple[int, int, list[int]], total: int, alpha: float
) -> None:
    readers, items, wrong = numbers
    found = rounds_to_settle(wrong, readers, items, total, alpha, 0.05)
    low, high = slow_sum_limits(wrong, readers, items, alpha, 0.05)
    seen = sum(wrong)
    possible = seen <= total <= readers * (items - len(wrong)) + seen
    evidence = slow_evidence(wrong, readers, items, total, 0.05)
    if not possible or evidence >= np.log(1 / alpha):
        assert found == 0
        return
    assert low <= total <= high
    if not wrong:
        assert found is None
        return
    a, b = beta_bet(0.05)
    rate = seen / (readers * len(wrong))
    for more in range(1, items - len(wrong) + 1):
        done = len(wrong) + more - 1
        before = seen + readers * rate * (more - 1)
        q = (a + before) / (a + b + readers * done)
        p = (total - before) / (readers * (items - done))
        gain = 0.0
        if rate > 0:
            gain += rate * np.log(q / p) if p > 0 else np.inf
        if rate < 1:
            gain += (1 - rate) * np.log((1 - q) / (1 - p)) if p < 1 else np.inf
        evidence += readers * gain
        after = seen + readers * rate * more
        left = readers * (items - done - 1)
        out = total - after < -1e-9 or total - after > left + 1e-9
        if evidence >= np.log(1 / alpha) or out:
            assert found == more
            return
    assert found is None


def test_rounds_to_settle_in_numbers() -> None:
    """Two errors in 938 answers, against a model at 41 errors outside the hard items."""
    wrong = np.zeros(938, int)
    wrong[[100, 500]] = 1
    more = rounds_to_settle(wrong, 1, 9_938, 41)
    assert more == 3_378
    # With twice the readers at the same rate far fewer rounds do.
    again = rounds_to_settle(2 * wrong, 2, 9_938, 82)
    assert again is not None
    assert again < 0.8 * more
    # At the model's own rate nothing settles it but a tie's end.
    assert rounds_to_settle([1, 0, 0, 0], 1, 20, 5) is None
