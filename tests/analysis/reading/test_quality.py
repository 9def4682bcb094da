from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from misread.analysis.reading.order import reading_order
from misread.analysis.reading.quality import count_exclusions, find_slips, response_times
from misread.analysis.reading.tally import tally_readings
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER, Purpose, Readings, join

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)


@pytest.fixture
def plan(plan_of: Any) -> ReadingPlan:
    made: ReadingPlan = plan_of(repeated=0.3)
    return made


def test_slips_and_misreadings_are_told_apart(plan: ReadingPlan, follow: Follow) -> None:
    readings = follow(plan, LABELS)
    second = np.flatnonzero(readings.purpose == Purpose.REPEAT)
    place = {int(position): row for row, position in enumerate(readings.position)}
    first = np.array([place[int(position)] for position in readings.repeat_of[second]])
    answer = readings.answer.copy()
    cases = [(1, 1), (1, 0), (1, 0), (0, 2), (1, 2), (0, 0)]
    for (before, after), one, other in zip(cases, first, second, strict=False):
        answer[one], answer[other] = before, after
    rt = np.full(len(readings), 500.0)
    rt[second[6]] = 10  # excluded: no pair
    table = replace(readings, answer=answer, rt_ms=rt)
    shuffled = table.pick(np.random.default_rng(1).permutation(len(table)))
    for one in (table, shuffled):
        found = find_slips(plan, LABELS, one)
        assert found.pairs == 17
        assert (found.misreadings, found.slips, found.later_slips, found.changed) == (1, 2, 1, 1)
        assert (found.same.count, found.same.total) == (13, 17)
        assert (found.slip_share.count, found.slip_share.total) == (2, 4)
        low, high = proportion_confint(2, 4, method="beta")
        assert (found.slip_share.low, found.slip_share.high) == pytest.approx((low, high))
    hard, rest = (find_slips(plan, LABELS, table, hard=hard) for hard in (True, False))
    assert hard.pairs + rest.pairs == 17
    assert hard.pairs == (readings.hard[second] & (rt[second] > 100)).sum()
    assert hard.slips + rest.slips == 2


def test_no_repeats_say_nothing(plan: ReadingPlan, follow: Follow) -> None:
    found = find_slips(plan, LABELS, follow(plan, LABELS, stop=2))
    assert found.pairs == 0
    assert np.isnan([found.same.value, found.slip_share.high]).all()
    nothing = follow(plan, LABELS).pick(np.array([], int))
    assert find_slips(plan, LABELS, nothing).pairs == 0
    only = follow(plan, LABELS)
    assert find_slips(plan, LABELS, only.pick(only.purpose == Purpose.REPEAT)).pairs == 0


def test_repeats_belong_to_their_reader(plan: ReadingPlan, follow: Follow) -> None:
    one = follow(plan, LABELS, name="a")
    other = follow(plan, np.ones(200, int), number=1, name="b")
    both = join([one, other])
    assert find_slips(plan, LABELS, both).misreadings == plan.repeats
    assert find_slips(plan, LABELS, both).pairs == 2 * plan.repeats


def test_response_times_are_quantiles_of_what_counts(plan: ReadingPlan, follow: Follow) -> None:
    answers = np.zeros(200, int)
    answers[::20] = 1
    readings = follow(plan, answers)
    rt = np.linspace(400, 900, len(readings))
    rt[:4] = [10, np.nan, 500, 500]
    undone = np.zeros(len(readings), int)
    undone[2] = 1
    table = join([replace(readings, rt_ms=rt, undone=undone), follow(plan, answers, 0, 1, "b")])
    one, other = response_times(plan, LABELS, table)
    counted = (readings.purpose != Purpose.REPEAT) & (np.arange(len(rt)) > 2)
    kinds = {
        "all": counted, "wrong": counted & readings.hard, "right": counted & ~readings.hard,
        "hard": counted & readings.hard, "rest": counted & ~readings.hard,
    }  # fmt: skip
    for name, rows in kinds.items():
        found = getattr(one, name)
        assert found.answers == rows.sum()
        expected = np.quantile(rt[rows], [0.1, 0.5, 0.9])
        assert (found.low, found.median, found.high) == pytest.approx(expected)
    assert other.all.answers == 0
    assert np.isnan(other.all.median)


def test_exclusions_are_counted(plan: ReadingPlan, follow: Follow) -> None:
    readings = follow(plan, LABELS)
    main = np.flatnonzero(readings.purpose == Purpose.MAIN)
    rt, unfocused = np.full(len(readings), 500.0), np.zeros(len(readings), bool)
    answer = readings.answer.copy()
    rt[main[:2]], unfocused[main[1:4]], answer[main[5]] = 20, True, NO_ANSWER
    table = replace(readings, rt_ms=rt, unfocused=unfocused, answer=answer)
    tallies = tally_readings(plan, LABELS, table)
    (found,) = count_exclusions(plan, table, tallies)
    assert (found.answers, found.too_fast, found.unfocused, found.unanswered) == (60, 2, 3, 1)
    assert (found.excluded, found.missing) == (5, 5)
    lenient = replace(plan, exclude_unfocused=False)
    (found,) = count_exclusions(lenient, table, tally_readings(lenient, LABELS, table))
    assert (found.unfocused, found.excluded) == (0, 3)
    assert reading_order(plan, 0).planned == len(readings)
