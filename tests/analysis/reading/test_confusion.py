from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.confusion import model_confusion, people_confusion
from misread.analysis.reading.tally import tally_readings
from misread.tables.readings import NO_ANSWER, Readings

Follow = Callable[..., Readings]


def test_weights_make_it_about_all_images(plan_of: Any, follow: Follow) -> None:
    """Mean over 400 readers of every cell, against the confusion of all 200 images."""
    plan = plan_of()
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 200).astype(np.int16)
    answers = np.where(generator.random(200) < 0.8, labels, generator.integers(0, 3, 200))
    answers[::20] = (labels[::20] + 1) % 3  # people misread the hard ones
    cells = np.array(
        [
            people_confusion(
                plan, tally_readings(plan, labels, follow(plan, answers, number=number)), labels
            ).matrix(3)
            for number in range(400)
        ]
    )
    assert cells.sum(axis=(1, 2)) == pytest.approx(200)
    whole = model_confusion(labels, answers).matrix(3)
    error = cells.std(axis=0) / np.sqrt(400)
    assert (np.abs(cells.mean(axis=0) - whole) <= 3.5 * error + 1e-9).all()
    expected = np.zeros((3, 3))
    np.add.at(expected, (labels, answers), 1)
    assert np.array_equal(whole, expected)


def test_a_hard_item_stands_for_one_and_another_for_many(plan_of: Any, follow: Follow) -> None:
    plan, labels = plan_of(), np.zeros(200, np.int16)
    answers = np.zeros(200, int)
    answers[20] = 1
    (tally,) = tally_readings(plan, labels, follow(plan, answers))
    matrix = people_confusion(plan, [tally], labels).matrix(3)
    assert matrix[0].tolist() == pytest.approx([199, 1, 0])
    both = people_confusion(plan, [tally, tally], labels)
    alone = people_confusion(plan, [tally], labels)
    assert (alone.read_as.tolist(), both.answers.tolist()) == ([0, 1], (2 * alone.answers).tolist())
    assert alone.answers[1] == 1 and alone.answers.sum() == (tally.answer != NO_ANSWER).sum()
    assert both.matrix(3) == pytest.approx(matrix)
    # An unfinished census stands for all of it.
    part = tally_readings(plan, labels, follow(plan, answers, stop=12))
    assert people_confusion(plan, part, labels).images.sum() == pytest.approx(200)


def test_what_has_no_answer_is_left_out(plan_of: Any, follow: Follow) -> None:
    plan, labels = plan_of(), np.zeros(200, np.int16)
    answers = np.zeros(200, int)
    answers[7] = NO_ANSWER
    (tally,) = tally_readings(plan, labels, follow(plan, answers), exclude=False)
    found = people_confusion(plan, [tally], labels)
    assert found.read_as.tolist() == [0]
    assert found.images.tolist() == pytest.approx([200])
    assert people_confusion(plan, [], labels).images.tolist() == []
