"""Where readers stop by a width: against a loop that looks after every answer."""

from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.estimate import width_reached
from misread.analysis.reading.order import reading_order
from misread.analysis.reading.simulation import simulate_readers, two_rates
from misread.analysis.reading.stopping import expect_stop, fewest_answers, stop_at_width
from misread.analysis.reading.tally import tally_readings
from misread.tables.readings import Purpose

WIDTH = 0.15


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1])
def test_simulated_readers_stop_as_soon_as_the_width_is_reached(plan_of: Any, rate: float) -> None:
    plan = plan_of(width=WIDTH)
    labels = np.arange(plan.target.images) % len(plan.target.classes)
    made = simulate_readers(plan, two_rates(plan, labels, rate, 0.5), 3, seed=3)
    stops = []
    for tally in tally_readings(plan, labels, made):
        hard, wrong = tally.hard, tally.wrong
        reached = [
            width_reached(
                plan,
                hard_unread=len(plan.hard) - int(hard[:count].sum()),
                read=int((~hard[:count]).sum()),
                wrong=int((wrong & ~hard)[:count].sum()),
            )
            for count in range(1, len(tally) + 1)
        ]
        assert not any(reached[:-1])
        assert reached[-1] or len(tally) == plan.answers
        stops.append(len(tally))
        assert stop_at_width(plan, hard, wrong) == (len(tally) if reached[-1] else None)
    assert rate > 0 or max(stops) < plan.answers
    assert fewest_answers(plan) <= min(stops)
    # Where it is told, nobody is stopped by the width.
    fixed = simulate_readers(plan, two_rates(plan, labels, rate, 0.5), 1, seed=3, answers=30)
    assert int((fixed.purpose == Purpose.MAIN).sum()) == 30


def test_the_expected_stop_is_that_of_readers_without_chance(plan_of: Any) -> None:
    plan = plan_of(width=WIDTH)
    labels = np.zeros(plan.target.images, int)
    expected = expect_stop(plan, 0.0)
    assert expected is not None
    made = simulate_readers(plan, two_rates(plan, labels, 0, 0), 20, seed=0)
    stops = [len(tally) for tally in tally_readings(plan, labels, made)]
    assert abs(expected - np.mean(stops)) < 3
    later = expect_stop(plan, 0.4)
    assert later is None or later > expected
    assert expect_stop(plan_of(width=1e-6), 0.0) is None
    # All hard images are shown by then, wherever the order puts them.
    assert reading_order(plan, 0).hard[: plan.answers // 2 + plan.repeats].sum() >= len(plan.hard)
