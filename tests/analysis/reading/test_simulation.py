from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.order import reading_order
from misread.analysis.reading.simulation import (
    Behaviour,
    from_counts,
    simulate_readers,
    two_rates,
)
from misread.analysis.reading.tally import check_follows, tally_readings, usable_answers
from misread.errors import ParameterError
from misread.tables.readings import Purpose, Readings

LABELS = (np.arange(2_000) % 3).astype(np.int16)


def wrong_by_item(readings: Readings) -> tuple[Any, Any]:
    main = readings.purpose == Purpose.MAIN
    return readings.index[main], readings.answer[main] != LABELS[readings.index[main]]


def test_simulated_readers_follow_the_plan_and_are_marked(plan_of: Any) -> None:
    plan = plan_of(2_000, 400)
    made = simulate_readers(plan, two_rates(plan, LABELS, 0.05, 0.4), 5, seed=0)
    check_follows(plan, made)
    assert made.simulated
    assert all(reader.simulated and reader.name.startswith("simulated-") for reader in made.readers)
    assert usable_answers(plan, made).all()
    tallies = tally_readings(plan, LABELS, made)
    assert all(tally.finished for tally in tallies)
    assert made.rt_ms.min() >= plan.shortest_ms
    same = simulate_readers(plan, two_rates(plan, LABELS, 0.05, 0.4), 5, seed=0)
    other = simulate_readers(plan, two_rates(plan, LABELS, 0.05, 0.4), 5, seed=1)
    assert np.array_equal(made.answer, same.answer)
    assert np.array_equal(made.index, other.index)
    assert not np.array_equal(made.answer, other.answer)


def test_the_rates_are_those_asked_for(plan_of: Any) -> None:
    """40 readers of 1,000 answers: standard errors 0.1 points and 0.8 points."""
    plan = plan_of(2_000, 1_000)
    made = simulate_readers(plan, two_rates(plan, LABELS, 0.04, 0.3), 40, seed=2)
    index, wrong = wrong_by_item(made)
    hard = np.isin(index, plan.hard)
    assert wrong[~hard].mean() == pytest.approx(0.04, abs=4 * 0.001)
    assert wrong[hard].mean() == pytest.approx(0.3, abs=4 * 0.008)


def test_a_misreading_is_repeated_and_a_slip_is_not(plan_of: Any) -> None:
    plan = plan_of(2_000, 1_000, repeated=1.0)

    def pairs(behaviour: Behaviour) -> tuple[Any, Any]:
        made = simulate_readers(plan, behaviour, 2, seed=0)
        key = {int(k): row for row, k in enumerate(made.key(made.position))}
        second = np.flatnonzero(made.purpose == Purpose.REPEAT)
        first = [key[int(k)] for k in made.key(made.repeat_of)[second]]
        return made.answer[first], made.answer[second]

    before, after = pairs(two_rates(plan, LABELS, 0.3, 0.3))
    assert np.array_equal(before, after)
    before, after = pairs(two_rates(plan, LABELS, 0.0, 0.0, slips=0.2))
    # Of 2,000 pairs, 2 x 0.2 x 0.8 differ by one slip, and half of 0.04 by two.
    assert (before != after).mean() == pytest.approx(0.34, abs=0.045)


def test_readers_see_what_people_saw(plan_of: Any) -> None:
    plan = plan_of(2_000, 2_000, hard=())
    counts = np.zeros((2_000, 3), int)
    counts[np.arange(2_000), LABELS] = 8
    counts[:, 2] += 2
    counts[5] = 0
    made = simulate_readers(plan, from_counts(LABELS, counts), 30, seed=0)
    index, wrong = wrong_by_item(made)
    assert not wrong[index == 5].any()
    assert not wrong[LABELS[index] == 2].any()
    rest = LABELS[index] != 2
    assert wrong[rest].mean() == pytest.approx(0.2, abs=0.01)
    main = made.purpose == Purpose.MAIN
    assert set(made.answer[main][wrong].tolist()) == {2}


def test_readers_stop_where_they_are_told(plan_of: Any) -> None:
    plan = plan_of(2_000, 400)
    behaviour = two_rates(plan, LABELS, 0.0, 0.0)
    made = simulate_readers(plan, behaviour, 4, seed=0, answers=[1, 399, 400, 700])
    tallies = tally_readings(plan, LABELS, made)
    assert [len(tally) for tally in tallies] == [1, 399, 400, 700]
    assert [tally.finished for tally in tallies] == [False, False, True, False]
    assert len(simulate_readers(plan, behaviour, 2, seed=0, answers=50)) >= 100
    at_plan = made.reader == 2
    assert at_plan.sum() == reading_order(plan, 2).planned


def test_one_class_leaves_nothing_to_mistake(plan_of: Any) -> None:
    plan = plan_of()
    labels = np.zeros(200, np.int16)
    shrunk = type(plan)(**{**vars(plan), "target": type(plan.target)(
        **{**vars(plan.target), "classes": ("only",)})})  # fmt: skip
    made = simulate_readers(shrunk, Behaviour(labels, np.ones(200), slips=0.5), 1, seed=0)
    assert not made.answer.any()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"error_easy": 1.2}, "error_easy must be in [0, 1]"),
        ({"error_hard": -0.1}, "error_hard must be in [0, 1]"),
        ({"slips": 1.0}, "slips must be in [0, 1)"),
        ({"readers": 0}, "answers must be"),
        ({"answers": 0}, "answers must be 1 to 200"),
        ({"answers": 201}, "Got 201 instead"),
        ({"answers": [10, 20, 30]}, "for each of 2 readers"),
    ],
)
def test_what_is_out_of_range_is_refused(plan_of: Any, options: dict[str, Any], says: str) -> None:
    plan, labels = plan_of(), np.zeros(200, np.int16)
    rates = {"error_easy": 0.1, "error_hard": 0.1, "slips": 0.0} | options
    readers, answers = rates.pop("readers", 2), rates.pop("answers", None)
    with pytest.raises(ParameterError) as caught:
        simulate_readers(plan, two_rates(plan, labels, **rates), readers, seed=0, answers=answers)
    assert says in str(caught.value)


def test_probabilities_are_checked() -> None:
    with pytest.raises(ParameterError, match="wrong must be"):
        Behaviour(LABELS, np.full(3, 0.1))
    with pytest.raises(ParameterError, match="wrong must be"):
        Behaviour(LABELS, np.full(2_000, np.nan))
