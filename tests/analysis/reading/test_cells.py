from collections.abc import Callable
from typing import Any

import numpy as np

from misread.analysis.reading.cells import reading_cells
from misread.analysis.reading.tally import ReaderTally, tally_readings
from misread.tables.readings import NO_ANSWER, Readings


def test_images_by_who_misreads_them(plan_of: Any, follow: Callable[..., Readings]) -> None:
    plan, labels = plan_of(), np.zeros(200, np.int16)
    mistakes = np.zeros(200, bool)
    mistakes[[0, 40, 60]] = True
    tallies: list[ReaderTally] = []
    for number in range(3):
        answers = np.zeros(200, int)
        answers[[0, 20]] = 1
        answers[40] = number == 0
        answers[80] = NO_ANSWER
        answers[100] = NO_ANSWER if number == 2 else number
        tallies += tally_readings(plan, labels, follow(plan, answers, number=number))
    found = reading_cells(tallies, mistakes)
    assert found.both.tolist() == [0]
    assert found.model_only.tolist() == [40, 60]
    assert found.people_only.tolist() == [20]
    assert 80 not in found.index
    place = {int(index): at for at, index in enumerate(found.index)}
    assert (found.answers[place[100]], found.wrong[place[100]]) == (2, 1)
    # One of two readers misreads it: it is in no cell.
    assert found.divided.tolist() == [100]
    assert (found.answers[place[40]], found.wrong[place[40]]) == (3, 1)
    read = set(np.concatenate([one.item for one in tallies]).tolist())
    assert set(found.index.tolist()) == read - {80}
    cells = (found.both, found.model_only, found.people_only, found.neither, found.divided)
    assert sorted(np.concatenate(cells).tolist()) == sorted(found.index.tolist())
    share = found.wrong / found.answers
    assert (np.diff(share) <= 0).all()


def test_nobody_read_anything() -> None:
    assert len(reading_cells([], np.zeros(5, bool))) == 0
