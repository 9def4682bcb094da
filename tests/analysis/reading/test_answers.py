from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from misread.analysis.reading.answers import crowd_error, label_readings, tallied_answers
from misread.analysis.reading.tally import tally_readings
from misread.tables.answer_counts import AnswerCounts
from misread.tables.readings import NO_ANSWER, Readings

CLASSES = ("ant", "bee", "cow")
LABELS = np.array([0, 1, 2, 0, 1], np.int16)
COUNTS = AnswerCounts(
    CLASSES,
    np.array([0, 1, 2, 3]),
    np.array([[5, 0, 0], [1, 1, 3], [0, 0, 0], [2, 2, 0]]),
)


def test_who_contradicts_a_label_comes_first() -> None:
    found = label_readings(COUNTS, LABELS)
    assert found.index.tolist() == [1, 3, 0]
    assert found.answers.tolist() == [5, 4, 5]
    assert found.votes_label.tolist() == [1, 2, 5]
    assert found.majority.tolist() == [2, 1, 0]
    assert found.votes.tolist() == [3, 2, 5]
    # A draw contradicts nothing.
    assert found.contradicted.tolist() == [True, False, False]
    assert len(found) == 3
    assert not found.simulated
    marked = AnswerCounts(CLASSES, COUNTS.index, COUNTS.counts, simulated=True)
    assert label_readings(marked, LABELS).simulated


def test_the_crowds_error_is_of_answers() -> None:
    found = crowd_error(COUNTS, LABELS)
    low, high = proportion_confint(6, 14, method="beta")
    assert (found.count, found.total) == (6, 14)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_answers_that_count_in_the_estimate_are_counted(
    plan_of: Any, follow: Callable[..., Readings]
) -> None:
    plan, labels = plan_of(), np.zeros(200, np.int16)
    answers = np.zeros(200, int)
    answers[[0, 20]] = 1, NO_ANSWER
    tallies = [
        tally_readings(plan, labels, follow(plan, answers, number=number))[0] for number in range(2)
    ]
    found = tallied_answers(tallies, CLASSES)
    table = found.table(200)
    assert table[0].tolist() == [0, 2, 0]
    assert table[20].tolist() == [0, 0, 0]
    assert table[40].tolist() == [2, 0, 0]
    assert table.sum() == 2 * 60 - 2
    assert not found.simulated
    assert len(tallied_answers([], CLASSES)) == 0
