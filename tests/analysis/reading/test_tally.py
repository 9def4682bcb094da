from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.order import reading_order
from misread.analysis.reading.tally import check_follows, tally_readings, usable_answers
from misread.errors import ReadingsError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER, Purpose, Reader, Readings, join

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)


@pytest.fixture
def plan(plan_of: Any) -> ReadingPlan:
    made: ReadingPlan = plan_of()
    return made


def again(
    plan: ReadingPlan, readings: Readings, position: int, answer: int, **more: Any
) -> Readings:
    """The same readings, and an item asked again after all of them."""
    row = int(np.flatnonzero(readings.position == position)[0])
    place = max(len(reading_order(plan, 0)), int(readings.position.max()) + 1)
    columns = {
        "reader": 0, "index": readings.index[row], "answer": answer, "position": place,
        "hard": readings.hard[row], "purpose": Purpose.AGAIN, "repeat_of": position,
        "rt_ms": 500.0, "unfocused": False,
    } | more  # fmt: skip
    one = Readings(
        readings.split, readings.classes, readings.design, (Reader("again"),),
        **{name: np.array([value]) for name, value in columns.items()},
    )  # fmt: skip
    both = join([readings, one])
    return replace(both, readers=readings.readers, reader=np.zeros(len(both), int))


def test_errors_are_counted_apart_and_in_order(plan: ReadingPlan, follow: Follow) -> None:
    answer = np.zeros(200, int)
    answer[[0, 20, 3]] = 1, 2, 1
    readings = follow(plan, answer)
    shuffled = readings.pick(np.random.default_rng(0).permutation(len(readings)))
    for table in (readings, shuffled):
        (tally,) = tally_readings(plan, LABELS, table)
        order = reading_order(plan, 0)
        main = order.item[: order.planned][order.repeat_of[: order.planned] < 0]
        assert tally.item.tolist() == main.tolist()
        assert len(tally) == 60
        assert (tally.hard_wrong, tally.hard_known) == (2, 10)
        assert tally.rest_wrong.sum() == (3 in main)
        assert len(tally.rest_known) == 50
        assert tally.finished
        assert set(tally.item[tally.wrong].tolist()) == {0, 20, *({3} & set(main.tolist()))}


def test_who_stops_early_or_reads_on_has_not_finished(plan: ReadingPlan, follow: Follow) -> None:
    order = reading_order(plan, 0)
    for stop, finished in ((order.planned, True), (order.planned - 10, False), (150, False)):
        (tally,) = tally_readings(plan, LABELS, follow(plan, LABELS, stop))
        assert tally.finished == finished
    stranger = replace(follow(plan, LABELS), readers=(Reader("eve"),))
    assert not tally_readings(plan, LABELS, stranger)[0].finished


def test_exclusions_follow_the_plan(plan_of: Any, follow: Follow) -> None:
    plan = plan_of()
    rows = reading_order(plan, 0).planned
    rt, unfocused = np.full(rows, 400.0), np.zeros(rows, bool)
    rt[0], rt[1], rt[2], unfocused[3] = 149.9, 150, np.nan, True
    answer = np.zeros(200, int)
    readings = follow(plan, answer, rt_ms=rt, unfocused=unfocused)
    silent = readings.answer.copy()
    silent[4] = NO_ANSWER
    readings = replace(readings, answer=silent)
    assert np.flatnonzero(~usable_answers(plan, readings)).tolist() == [0, 3, 4]
    lenient = replace(plan, exclude_unfocused=False, shortest_ms=0.0)
    assert np.flatnonzero(~usable_answers(lenient, readings)).tolist() == [4]


def test_an_excluded_answer_is_replaced_by_the_first_usable_one(
    plan: ReadingPlan, follow: Follow
) -> None:
    rows = reading_order(plan, 0).planned
    rt = np.full(rows, 400.0)
    rt[[2, 5, 7]] = 20.0
    answer = np.zeros(200, int)
    readings = follow(plan, answer, rt_ms=rt)
    readings = again(plan, readings, 5, 1, rt_ms=30.0)  # again too fast
    readings = again(plan, readings, 5, 2)
    readings = again(plan, readings, 5, 1)  # too late: the one before counts
    readings = again(plan, readings, 7, 0)
    (tally,) = tally_readings(plan, LABELS, readings)
    place = {int(item): at for at, item in enumerate(tally.item)}
    items = [place[int(readings.index[at])] for at in (2, 5, 7)]
    assert tally.known[items].tolist() == [False, True, True]
    assert tally.answer[items][1:].tolist() == [2, 0]
    assert tally.wrong[items].tolist() == [False, True, False]
    assert tally.known.sum() == 59
    # Without exclusions the first answers count as they were given.
    (plain,) = tally_readings(plan, LABELS, readings, exclude=False)
    assert plain.known.all()
    assert not plain.wrong.any()
    assert plain.item.tolist() == tally.item.tolist()


def test_an_answer_asked_again_needs_no_exclusion_to_be_passed_over(
    plan: ReadingPlan, follow: Follow
) -> None:
    readings = again(plan, follow(plan, LABELS), 5, 2)
    (tally,) = tally_readings(plan, LABELS, readings)
    assert not tally.wrong.any()


def test_no_answer_in_time_is_an_error_only_without_exclusions(
    plan: ReadingPlan, follow: Follow
) -> None:
    readings = follow(plan, np.full(200, NO_ANSWER), stop=8)
    (tally,) = tally_readings(plan, LABELS, readings)
    assert not tally.known.any()
    assert not tally.wrong.any()
    (plain,) = tally_readings(plan, LABELS, readings, exclude=False)
    assert plain.wrong.all()


def test_other_labels_give_other_errors(plan: ReadingPlan, follow: Follow) -> None:
    readings = follow(plan, LABELS)
    adjudicated = LABELS.copy()
    adjudicated[:] = 1
    assert tally_readings(plan, adjudicated, readings)[0].wrong.all()


def test_several_readers_and_one_without_answers(plan: ReadingPlan, follow: Follow) -> None:
    tables = [
        follow(plan, np.full(200, number), number=number, name=f"r{number}") for number in range(3)
    ]
    both = join([*tables, replace(tables[0], readers=(Reader("eve", 9),)).pick(np.array([], int))])
    tallies = tally_readings(plan, LABELS, both)
    assert [len(tally) for tally in tallies] == [60, 60, 60, 0]
    assert [int(tally.wrong.sum()) for tally in tallies] == [0, 60, 60, 0]
    assert [tally.reader.name for tally in tallies] == ["r0", "r1", "r2", "eve"]


def test_a_part_of_the_items(plan: ReadingPlan, follow: Follow) -> None:
    (tally,) = tally_readings(plan, LABELS, follow(plan, np.ones(200, int)))
    members = np.arange(200) < 40
    part = tally.among(members)
    assert (part.item < 40).all()
    assert len(part) == (tally.item < 40).sum()
    assert (part.hard_wrong, part.finished) == (2, True)


def test_what_does_not_fit_is_refused(plan: ReadingPlan, follow: Follow) -> None:
    readings = follow(plan, LABELS)
    with pytest.raises(ReadingsError, match=r"labels must be \(200,\)"):
        tally_readings(plan, LABELS[:-1], readings)
    with pytest.raises(ReadingsError, match="expected the plan's split 'test'"):
        tally_readings(plan, LABELS, replace(readings, split="train"))
    with pytest.raises(ReadingsError, match="and its classes"):
        tally_readings(plan, LABELS, replace(readings, classes=("a", "b", "c")))
    index = readings.index.copy()
    index[3] = 200
    with pytest.raises(ReadingsError, match="index must be below 200"):
        tally_readings(plan, LABELS, replace(readings, index=index))
    main = np.flatnonzero(readings.purpose == Purpose.MAIN)
    index = readings.index.copy()
    index[main[3]] = index[main[0]]
    with pytest.raises(ReadingsError, match=f"#{index[main[0]]} twice; mark the later one"):
        tally_readings(plan, LABELS, replace(readings, index=index))


def test_readings_must_follow_the_plan(plan: ReadingPlan, follow: Follow) -> None:
    readings = again(plan, follow(plan, LABELS, stop=150), 5, 2)
    check_follows(plan, readings)
    check_follows(plan, readings.pick(np.array([], int)))
    with pytest.raises(ReadingsError, match=r"expected those of the plan sha256.*Got 'none'"):
        check_follows(plan, replace(readings, design=""))
    with pytest.raises(ReadingsError, match="expected the number of his order"):
        check_follows(plan, replace(readings, readers=(Reader("ann"),)))
    with pytest.raises(ReadingsError, match="reader ann: expected the items of order 1"):
        check_follows(plan, replace(readings, readers=(Reader("ann", 1),)))
    index = readings.index.copy()
    index[12] = (index[12] + 1) % 200
    with pytest.raises(ReadingsError, match=f"Got image #{index[12]} at position 12"):
        check_follows(plan, replace(readings, index=index))
    position = readings.position.copy()
    position[12] = 9_999
    with pytest.raises(ReadingsError, match="at position 9999"):
        check_follows(plan, replace(readings, position=position))
    last = len(readings) - 1
    assert readings.purpose[last] == Purpose.AGAIN
    for name, value in (("index", 3), ("repeat_of", 6), ("repeat_of", 9_999), ("position", 150)):
        changed = getattr(readings, name).copy()
        assert changed[last] != value
        changed[last] = value
        with pytest.raises(ReadingsError, match="expected the items of order 0"):
            check_follows(plan, replace(readings, **{name: changed}))
    repeat = int(np.flatnonzero(readings.purpose == Purpose.REPEAT)[0])
    repeat_of = readings.repeat_of.copy()
    repeat_of[repeat] += 1
    with pytest.raises(ReadingsError, match=f"at position {repeat}"):
        check_follows(plan, replace(readings, repeat_of=repeat_of))
