from collections.abc import Callable
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from misread.analysis.intervals import Estimate
from misread.analysis.reading.anytime import anytime_limits
from misread.analysis.reading.estimate import (
    Census,
    basis_of,
    count_together,
    estimate_people,
    estimate_reader,
    estimate_together,
    narrow,
    sample_of,
    width_reached,
)
from misread.analysis.reading.exact import exact_limits
from misread.analysis.reading.limits import Basis
from misread.analysis.reading.order import reading_order
from misread.analysis.reading.tally import ReaderTally, tally_readings
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Reader, Readings

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)
ANSWERS = np.zeros(200, int)
# Three hard items, and every thirtieth of the others.
ANSWERS[[0, 20, 100]] = 1
ANSWERS[3::30] = 2


@pytest.fixture
def plan(plan_of: Any) -> ReadingPlan:
    made: ReadingPlan = plan_of()
    return made


def tally(plan: ReadingPlan, readings: Readings) -> ReaderTally:
    return tally_readings(plan, LABELS, readings)[0]


def test_the_planned_stop_has_the_exact_interval(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow(plan, ANSWERS))
    found = estimate_reader(plan, one)
    x = int(one.rest_wrong.sum())
    low, high = exact_limits(x, 50, 190)
    assert found.basis == Basis.PLANNED
    assert (found.census.wrong, found.census.unread, found.wrong, found.read) == (3, 0, x, 50)
    assert found.error.value == pytest.approx((3 + 190 * x / 50) / 200)
    assert (found.error.low, found.error.high) == ((3 + low) / 200, (3 + high) / 200)
    assert (found.answers, found.missing, found.contradicts) == (60, 0, False)


def test_the_estimate_is_unbiased_at_the_planned_stop(plan: ReadingPlan, follow: Follow) -> None:
    """Mean over 1,500 readers' orders; its standard error is printed by what it is compared to."""
    truth = (ANSWERS != LABELS).sum() / 200
    values = [
        estimate_reader(plan, tally(plan, follow(plan, ANSWERS, number=number))).error.value
        for number in range(1_500)
    ]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 3.5 * error


def test_an_early_stop_has_the_anytime_interval_and_bounds_what_is_unread(
    plan: ReadingPlan, follow: Follow
) -> None:
    one = tally(plan, follow(plan, ANSWERS, stop=15))
    found = estimate_reader(plan, one)
    assert found.basis == Basis.ANYTIME
    assert found.error == found.anytime
    unread = 10 - one.hard_known
    assert found.census.unread == unread > 0
    assert found.error.low == pytest.approx((one.hard_wrong + found.rest.low) / 200)
    assert found.error.high == pytest.approx((one.hard_wrong + unread + found.rest.high) / 200)


def test_reading_on_past_the_plan_has_the_anytime_interval(
    plan: ReadingPlan, follow: Follow
) -> None:
    found = estimate_reader(plan, tally(plan, follow(plan, ANSWERS, stop=100)))
    assert found.basis == Basis.ANYTIME
    everything = estimate_reader(
        plan, tally(plan, follow(plan, ANSWERS, stop=len(reading_order(plan, 0))))
    )
    truth = (ANSWERS != LABELS).sum() / 200
    assert everything.error == Estimate(truth, truth, truth)


def test_a_plan_that_stops_at_a_width_never_has_the_planned_interval(
    plan_of: Any, follow: Follow
) -> None:
    """At its last planned answer the reader is one of those whose answers didn't stop him."""
    plan = plan_of(width=0.2)
    one = tally(plan, follow(plan, LABELS))
    assert basis_of(plan, [one]) == Basis.ANYTIME
    assert estimate_reader(plan, one).basis == Basis.ANYTIME


def test_the_program_stops_a_reader_at_the_planned_width(plan_of: Any, follow: Follow) -> None:
    plan = plan_of(width=0.15)
    for stop in range(1, 150):
        one = tally(plan, follow(plan, ANSWERS, stop=stop))
        sample = sample_of(one)
        numbers = {
            "hard_unread": 10 - one.hard_known, "read": len(sample),
            "wrong": int(sample.wrong.sum()),
        }  # fmt: skip
        shown = estimate_reader(plan, one).error
        if width_reached(plan, **numbers):
            assert shown.high - shown.low <= 0.15 + 1e-12
            assert not width_reached(plan, **numbers, missing=len(sample) - numbers["wrong"])
            assert not width_reached(plan_of(), **numbers)
            break
        low, high = anytime_limits(numbers["wrong"], numbers["read"], 190)
        assert high - low + numbers["hard_unread"] > 0.15 * 200
    else:
        pytest.fail("never stopped")


def test_coverage_of_whole_studies(plan: ReadingPlan, follow: Follow) -> None:
    """800 readers at the planned stop and 800 who stop at any answer; Monte Carlo error 0.8."""
    truth = (ANSWERS != LABELS).mean()
    generator = np.random.default_rng(0)
    order = reading_order(plan, 0)
    for stop in (None, "any"):
        held = []
        for number in range(800):
            places = None if stop is None else int(generator.integers(1, order.planned))
            found = estimate_reader(plan, tally(plan, follow(plan, ANSWERS, places, number=number)))
            held.append(found.error.low - 1e-12 <= truth <= found.error.high + 1e-12)
        assert np.mean(held) >= 0.95 - 3 * 0.0077


def test_together_at_the_plan_and_otherwise(plan: ReadingPlan, follow: Follow) -> None:
    ends = [None, None, None]
    tallies = [
        tally(plan, follow(plan, ANSWERS, stop, number=number, name=f"r{number}"))
        for number, stop in enumerate(ends)
    ]
    found = estimate_together(plan, tallies)
    assert (found.readers, found.basis, found.rounds) == (3, Basis.PLANNED, 50)
    apart = [estimate_reader(plan, one).error.value for one in tallies]
    assert found.error.value == pytest.approx(np.mean(apart))
    assert found.error.low < found.error.value < found.error.high
    assert found.people is None
    early = tally(plan, follow(plan, ANSWERS, 40, number=3, name="early"))
    mixed = estimate_together(plan, [*tallies, early])
    assert mixed.basis == Basis.ANYTIME
    assert mixed.rounds == int((~early.hard).sum())
    assert mixed.shortest.name == "early"
    assert mixed.error.high - mixed.error.low > found.error.high - found.error.low


def test_one_reader_together_is_the_reader(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow(plan, ANSWERS))
    alone, together = estimate_reader(plan, one), estimate_together(plan, [one])
    assert together.error == alone.error
    assert together.rest == alone.rest
    with pytest.raises(ParameterError, match="one or more"):
        estimate_together(plan, [])


def test_the_census_of_several_is_a_mean(plan: ReadingPlan, follow: Follow) -> None:
    whole = tally(plan, follow(plan, ANSWERS, name="a"))
    part = tally(plan, follow(plan, ANSWERS, 15, number=1, name="b"))
    found = estimate_together(plan, [whole, part]).census
    assert found.wrong == (3 + part.hard_wrong) / 2
    assert found.unread == (10 - part.hard_known) / 2


def test_people_in_general_are_students_interval() -> None:
    rates = [0.004, 0.002, 0.009, 0.003, 0.0025, 0.0031]
    found = estimate_people(rates)
    assert found is not None
    low, high = student.interval(
        0.95, 5, loc=np.mean(rates), scale=np.std(rates, ddof=1) / np.sqrt(6)
    )
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(rates), low, high))
    assert estimate_people(rates[:4]) is None
    assert estimate_people([0.0, 0.0, 0.0, 0.0, 0.01]).low == 0  # type: ignore[union-attr] # 5


def test_a_census_that_nobody_began() -> None:
    assert np.isnan(Census(10, 0, 10).value)
    assert Census(0, 0, 0).value == 0
    assert Census(10, 2, 5).value == 4
    assert Census(10, 2, 5).plus(Estimate(3, 1, 7), 100) == Estimate(0.07, 0.03, 0.14)


def test_missing_answers_are_bounded(plan: ReadingPlan, follow: Follow) -> None:
    rows = reading_order(plan, 0).planned
    rt = np.full(rows, 500.0)
    plain = estimate_reader(plan, tally(plan, follow(plan, ANSWERS, rt_ms=rt)))
    readings = follow(plan, ANSWERS, rt_ms=rt)
    fast = np.flatnonzero((readings.repeat_of < 0) & ~readings.hard)[:4]
    rt[fast] = 10
    found = estimate_reader(plan, tally(plan, replace(readings, rt_ms=rt)))
    assert found.basis == Basis.PLANNED
    assert (found.missing, found.read, found.answers) == (4, 50, 56)
    assert found.error.low <= plain.error.low
    assert found.error.high > plain.error.high


def test_the_interval_narrows_answer_by_answer(plan: ReadingPlan, follow: Follow) -> None:
    one = tally(plan, follow(plan, ANSWERS, stop=120))
    found = narrow(plan, one)
    assert (found.low[0], found.high[0]) == (0, 1)
    assert (np.diff(found.low) >= 0).all()
    assert (np.diff(found.high) <= 0).all()
    last = estimate_reader(plan, one).anytime
    assert (found.low[-1], found.high[-1]) == (last.low, last.high)
    for stop in (5, 20, 60):
        at = tally(plan, follow(plan, ANSWERS, stop=stop))
        here = estimate_reader(plan, at).anytime
        assert (found.low[len(at)], found.high[len(at)]) == (here.low, here.high)


def test_the_mean_of_those_who_count_holds_whoever_leaves_early(plan_of: Any) -> None:
    """600 studies: each of three readers stops at 5, at 40 or at 60 answers, by chance.

    95% of them at least, less three Monte Carlo errors of 0.9 points.
    """
    plan, rng = plan_of(), np.random.default_rng(7)
    images, hard = plan.target.images, np.zeros(plan.target.images, bool)
    hard[list(plan.hard)] = True
    held = together = 0
    for _ in range(600):
        tallies, rates = [], []
        for number, stop in enumerate(rng.choice([5, 40, 60], 3)):
            errors = rng.random(images) < np.where(hard, 0.4, rng.choice([0.02, 0.15]))
            order = reading_order(plan, int(rng.integers(1 << 20)))
            item = order.item[(order.repeat_of < 0).nonzero()[0]][:stop]
            wrong = errors[item]
            tallies.append(
                ReaderTally(
                    Reader(f"r{number}", number), item, hard[item], np.zeros(stop, np.int16),
                    np.ones(stop, bool), wrong, bool(stop == plan.answers),
                )
            )  # fmt: skip
            rates.append(errors.mean())
        counted = count_together(plan, tallies)
        assert counted == tuple(len(each) >= 30 for each in tallies) or all(counted)
        together += sum(counted) > 1
        error = estimate_together(plan, list(compress(tallies, counted))).error
        truth = float(np.mean(list(compress(rates, counted))))
        held += error.low - 1e-12 <= truth <= error.high + 1e-12
    assert together > 300
    assert held / 600 > 0.95 - 3 * 0.009
