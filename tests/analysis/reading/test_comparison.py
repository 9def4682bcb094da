from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.analysis.intervals import Estimate
from misread.analysis.reading.comparison import Better, Comparison, compare
from misread.analysis.reading.consistency import error_consistency
from misread.analysis.reading.estimate import estimate_reader, estimate_together
from misread.analysis.reading.exact import exact_limits
from misread.analysis.reading.order import reading_order
from misread.analysis.reading.pooled import rounds_to_settle
from misread.analysis.reading.tally import ReaderTally, tally_readings
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Readings

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)
HARD = np.arange(0, 200, 20)
ANSWERS = np.zeros(200, int)
ANSWERS[[0, 20, 100]] = 1
ANSWERS[3::30] = 2


def mistakes_at(*items: int) -> Any:
    wrong = np.zeros(200, bool)
    wrong[list(items)] = True
    return wrong


@pytest.fixture
def plan(plan_of: Any) -> ReadingPlan:
    made: ReadingPlan = plan_of()
    return made


def tally(
    plan: ReadingPlan,
    follow: Follow,
    number: int = 0,
    stop: int | None = None,
    answers: Any = ANSWERS,
) -> ReaderTally:
    readings = follow(plan, answers, stop, number=number, name=f"r{number}")
    return tally_readings(plan, LABELS, readings)[0]


def test_mistakes_inside_the_census_are_counted_exactly(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow)
    found = compare(plan, [one], "m", mistakes_at(0, 20, 40, 60))
    assert (found.model, found.images, found.mistakes, found.inside) == ("m", 200, 4, True)
    assert found.both == Estimate(2, 2, 2)
    assert found.model_only == Estimate(2, 2, 2)
    x = int(one.rest_wrong.sum())
    low, high = exact_limits(x, 50, 190)
    assert found.people_only == Estimate(1 + 190 * x / 50, 1 + low, 1 + high)
    assert found.neither.low == 196 - found.people_only.high
    error = estimate_reader(plan, one).error
    assert numbers(found.difference) == pytest.approx(
        (error.value - 0.02, error.low - 0.02, error.high - 0.02)
    )
    # The post's figure, and what it leaves out.
    assert found.read_right == Estimate(0.5, 0.5, 0.5)
    assert found.least_error == Estimate(0.01, 0.01, 0.01)
    assert found.least_error.value <= error.low
    assert found.consistency.value == error_consistency(2, found.people_only.value, 2, 200)
    assert found.consistency.low == error_consistency(2, found.people_only.high, 2, 200)
    assert found.consistency.high == error_consistency(2, found.people_only.low, 2, 200)


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def test_a_known_difference_is_the_same(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow)
    wrong = mistakes_at(0, 20, 40)
    rest = estimate_reader(plan, one).rest
    assert compare(plan, [one], "m", wrong, rest) == compare(plan, [one], "m", wrong)


def test_mistakes_outside_the_census_are_a_part_of_their_own(
    plan: ReadingPlan, follow: Follow
) -> None:
    one = tally(plan, follow)
    wrong = mistakes_at(0, *range(1, 200, 3))
    found = compare(plan, [one], "m", wrong)
    assert not found.inside
    outside = wrong.copy()
    outside[HARD] = False
    drawn = one.among(outside)
    low, high = exact_limits(int(drawn.wrong.sum()), len(drawn), int(outside.sum()), 0.025)
    hard = int((wrong[HARD] & (ANSWERS[HARD] != 0)).sum())
    assert (found.both.low, found.both.high) == (hard + low, hard + high)
    # The difference needs no parts: its interval is at the whole alpha.
    error = estimate_reader(plan, one).error
    assert found.difference.low == pytest.approx(error.low - wrong.sum() / 200)
    total = found.both.value + found.people_only.value + found.model_only.value
    assert total + found.neither.value == pytest.approx(200)


def test_parts_hold_together(plan: ReadingPlan, follow: Follow) -> None:
    """600 studies: both parts and kappa at once; Monte Carlo error 0.9 points at 95%."""
    wrong = mistakes_at(0, 40, *range(3, 200, 7))
    people = ANSWERS != LABELS
    both, only = int((wrong & people).sum()), int((~wrong & people).sum())
    kappa = error_consistency(both, only, int(wrong.sum()) - both, 200)
    held = []
    for number in range(600):
        found = compare(plan, [tally(plan, follow, number)], "m", wrong)
        held.append(
            found.both.low <= both <= found.both.high
            and found.people_only.low <= only <= found.people_only.high
            and found.consistency.low <= kappa <= found.consistency.high
        )
    assert np.mean(held) >= 0.95 - 3 * 0.009


def test_a_part_of_which_nothing_was_drawn(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow)
    unread = np.setdiff1d(np.arange(200), one.item)[:2]
    found = compare(plan, [one], "m", mistakes_at(*unread))
    assert (found.both.low, found.both.high) == (0, 2)
    assert found.both.value == pytest.approx(2 * one.rest_wrong.sum() / 50)


def test_an_unfinished_census_is_bounded(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow, stop=12)
    known = int(one.hard.sum())
    assert known < 10
    found = compare(plan, [one], "m", mistakes_at(*HARD))
    assert found.both.low == one.hard_wrong
    assert found.both.high == one.hard_wrong + 10 - known
    assert found.consistency.low < found.consistency.value < found.consistency.high


def test_who_is_better(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow)
    hopeless = compare(plan, [one], "m", np.ones(200, bool))
    assert (hopeless.better, hopeless.more) == (Better.PEOPLE, 0)
    careless = tally(plan, follow, answers=np.ones(200, int))
    perfect = compare(plan, [careless], "m", np.zeros(200, bool))
    assert (perfect.better, perfect.more) == (Better.MODEL, 0)
    assert np.isnan(perfect.read_right.value)
    assert perfect.least_error.value == 0
    close = compare(plan, [one], "m", mistakes_at(*HARD))
    assert close.better == Better.UNSETTLED
    assert close.difference.low <= 0 <= close.difference.high


def test_how_many_more_answers(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow)
    wrong = mistakes_at(*HARD)
    found = compare(plan, [one], "m", wrong)
    settle = rounds_to_settle(one.rest_wrong.astype(int), 1, 190, 10 - 3)
    assert found.more == (None if settle is None else max(1, settle))
    # With hard items unread, these come first.
    early = tally(plan, follow, stop=20)
    some = compare(plan, [early], "m", wrong)
    assert some.more is None or some.more >= 10 - early.hard_known
    nobody = compare(plan, [tally(plan, follow, stop=0)], "m", wrong)
    assert nobody.more is None
    assert np.isnan(nobody.difference.value)


def test_several_readers_are_compared_by_their_mean(plan: ReadingPlan, follow: Follow) -> None:
    tallies = [tally(plan, follow, number) for number in range(3)]
    wrong = mistakes_at(0, 20, 40)
    found = compare(plan, tallies, "m", wrong)
    error = estimate_together(plan, tallies).error
    assert found.difference.high == pytest.approx(error.high - 3 / 200)
    assert found.both.value == 2
    outside = compare(plan, tallies, "m", mistakes_at(*range(0, 200, 3)))
    assert not outside.inside
    assert outside.both.low < outside.both.value < outside.both.high


def test_everything_read_leaves_nothing_open(plan: ReadingPlan, follow: Follow) -> None:
    whole = tally(plan, follow, stop=len(reading_order(plan, 0)))
    wrong = mistakes_at(0, *range(3, 100, 5))
    found: Comparison = compare(plan, [whole], "m", wrong)
    people = ANSWERS != LABELS
    assert numbers(found.both) == 3 * ((wrong & people).sum(),)
    assert numbers(found.people_only) == 3 * ((~wrong & people).sum(),)
    assert found.consistency.low == found.consistency.high


def test_what_does_not_fit_is_refused(plan: ReadingPlan, follow: Follow) -> None:
    with pytest.raises(ParameterError, match=r"mistakes \(200,\). Got 1 and \(3,\)"):
        compare(plan, [tally(plan, follow)], "m", np.zeros(3, bool))
    with pytest.raises(ParameterError, match="one reader or more"):
        compare(plan, [], "m", np.zeros(200, bool))
