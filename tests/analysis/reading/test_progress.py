from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.analysis.reading.order import REPEAT_GAP, ReadingOrder, draw_order
from misread.analysis.reading.progress import MOST_AGAIN, Answered, Trial, next_trial
from misread.tables.readings import Purpose


@pytest.fixture(scope="module")
def order() -> ReadingOrder:
    return draw_order(300, tuple(range(10)), 100, 8, seed=0, reader=0)


def read(order: ReadingOrder, excluded: Any, beyond: bool = False) -> list[Trial]:
    """Read to the end; `excluded(trial, n)` says whether the n-th answer is excluded."""
    answered: list[Answered] = []
    trials: list[Trial] = []
    while (trial := next_trial(order, answered, beyond=beyond)) is not None:
        trials.append(trial)
        again = trial.purpose == Purpose.AGAIN
        usable = not excluded(trial, len(answered))
        answered.append(Answered(trial.position, usable, trial.repeat_of if again else -1))
        assert len(trials) < 10_000
    return trials


def test_without_exclusions_the_order_is_followed(order: ReadingOrder) -> None:
    trials = read(order, lambda trial, n: False)
    assert [trial.position for trial in trials] == list(range(order.planned))
    assert [trial.item for trial in trials] == order.item[: order.planned].tolist()
    assert [trial.repeat_of for trial in trials] == order.repeat_of[: order.planned].tolist()
    for trial in trials:
        assert trial.purpose == (Purpose.MAIN if trial.repeat_of < 0 else Purpose.REPEAT)
    assert len(read(order, lambda trial, n: False, beyond=True)) == len(order)


def test_what_was_excluded_is_asked_again_later(order: ReadingOrder) -> None:
    trials = read(order, lambda trial, n: n in (3, 80))
    again = [at for at, trial in enumerate(trials) if trial.purpose == Purpose.AGAIN]
    first = trials[again[0]]
    assert again[0] == 3 + REPEAT_GAP + 1
    assert (first.repeat_of, first.item) == (3, trials[3].item)
    assert first.position == len(order)
    # The plan ends before the gap does: it comes at the end then.
    assert again[1] == len(trials) - 1 == order.planned + 1
    assert trials[again[1]].position == len(order) + 1


def test_nobody_is_asked_for_ever(order: ReadingOrder) -> None:
    trials = read(order, lambda trial, n: 5 in (trial.position, trial.repeat_of))
    again = [trial for trial in trials if trial.purpose == Purpose.AGAIN]
    assert [trial.repeat_of for trial in again] == [5] * MOST_AGAIN


def test_an_excluded_repeat_is_not_asked_again(order: ReadingOrder) -> None:
    trials = read(order, lambda trial, n: trial.purpose == Purpose.REPEAT)
    assert len(trials) == order.planned


@given(st.sets(st.integers(0, 150), max_size=40), st.integers(0, 5), st.booleans())
def test_every_item_is_read_and_positions_are_used_once(
    excluded: set[int], reader: int, beyond: bool
) -> None:
    order = draw_order(120, (1, 2, 3), 60, 5, seed=1, reader=reader)
    trials = read(order, lambda trial, n: n in excluded, beyond)
    end = len(order) if beyond else order.planned
    positions = [trial.position for trial in trials]
    assert len(set(positions)) == len(positions)
    assert [p for p in positions if p < len(order)] == list(range(end))
    again = [trial for trial in trials if trial.position >= len(order)]
    assert [trial.position for trial in again] == list(range(len(order), len(order) + len(again)))
    assert all(trial.item == order.item[trial.repeat_of] for trial in again)


def test_an_answer_that_was_taken_back_is_asked_first(order: ReadingOrder) -> None:
    """After an undo the position has no answer: it is the next one, whatever came later."""
    answered = [Answered(position, True) for position in (0, 1, 3)]
    trial = next_trial(order, answered)
    assert trial is not None
    assert trial.position == 2
    assert np.array_equal(order.item[2], trial.item)
