from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.analysis.reading.order import reading_order
from misread.store import Study
from misread.store.database import ReaderRow, ReadingRow
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Purpose
from misread.web.reader.desk import PAUSE_MS, Desk, Place

Row = Callable[..., ReadingRow]
NOW = 1_000_000


@pytest.fixture
def reader(study: Study, plan: ReadingPlan) -> ReaderRow:
    return study.reading_log.enrol(plan, "ann")


def upcoming(desk: Desk, after: str = "", count: int = 1000, now: int = NOW) -> list[Place]:
    return [place for _, place in desk.upcoming(after, count, now)]


def past_practice(desk: Desk, row: Row) -> None:
    for place in upcoming(desk):
        if place.practice:
            desk.take(row(desk.reader.number, place))


def test_practice_comes_first_then_the_planned_order(plan: ReadingPlan, reader: ReaderRow) -> None:
    desk = Desk(plan, reader, [])
    places = upcoming(desk)
    assert [p.item for p in places[:10]] == list(plan.practice)
    assert all(p.practice for p in places[:10])
    order = reading_order(plan, reader.place)
    assert [p.position for p in places[10:]] == list(range(order.planned))
    assert [p.item for p in places[10:]] == order.item[: order.planned].tolist()
    assert [p.repeat_of for p in places[10:]] == order.repeat_of[: order.planned].tolist()
    assert {p.item for p in places[10:] if p.hard} == set(plan.hard)
    assert (desk.done, desk.planned) == (0, plan.answers + plan.repeats) == (0, 15)


def test_tokens_name_positions_and_no_items(
    study: Study, plan: ReadingPlan, reader: ReaderRow
) -> None:
    desk = Desk(plan, reader, [])
    tokens = [token for token, _ in desk.upcoming("", 1000, NOW)]
    assert len(set(tokens)) == len(tokens)
    # The same item has other names at other positions and with other readers.
    other = Desk(plan, study.reading_log.enrol(plan, "bob"), [])
    assert not set(tokens) & {token for token, _ in other.upcoming("", 1000, NOW)}
    again = Desk(plan, reader, [])
    assert [again.locate(token) for token in tokens] == upcoming(desk)
    assert desk.locate("nonsense") is None
    assert other.locate(tokens[0]) is None


def test_after_goes_on_where_the_page_is(plan: ReadingPlan, reader: ReaderRow) -> None:
    desk = Desk(plan, reader, [])
    everything = desk.upcoming("", 1000, NOW)
    seen: list[tuple[str, Place]] = []
    while more := desk.upcoming(seen[-1][0] if seen else "", 4, NOW):
        seen += more
    assert seen == everything


def test_after_is_known_after_a_restart(plan: ReadingPlan, reader: ReaderRow) -> None:
    """What the page has, and has not sent yet, isn't shown twice."""
    seen = Desk(plan, reader, []).upcoming("", 14, NOW)
    anew = Desk(plan, reader, [])
    assert [place.position for place in upcoming(anew, seen[-1][0], 3)] == [4, 5, 6]


def test_all_answered_is_done(plan: ReadingPlan, reader: ReaderRow, row: Row) -> None:
    desk = Desk(plan, reader, [])
    past_practice(desk, row)
    places = upcoming(desk)
    for number, place in enumerate(places):
        assert not desk.is_done(NOW)
        desk.take(row(reader.number, place))
        assert desk.done == number + 1
    assert desk.is_done(NOW)
    assert desk.is_done(NOW + 2 * PAUSE_MS)  # no practice for nothing


@pytest.mark.parametrize("fault", [{"rt_ms": 120.0}, {"unfocused": 1}, {"answer": None}])
def test_excluded_answers_are_asked_again_at_the_end(
    plan: ReadingPlan, reader: ReaderRow, row: Row, fault: dict[str, object]
) -> None:
    desk = Desk(plan, reader, [])
    past_practice(desk, row)
    places = upcoming(desk)
    bad = next(place for place in places if place.purpose == Purpose.MAIN)
    desk.take(row(reader.number, bad, **fault))
    assert desk.planned == 16
    again = upcoming(desk)[-1]
    order = reading_order(plan, reader.place)
    assert again == Place(len(order), bad.item, bad.hard, Purpose.AGAIN, bad.position)
    # Excluded once more: asked once more, at a new position.
    desk.take(row(reader.number, again, **fault))
    assert upcoming(desk)[-1].position == len(order) + 1
    desk.take(row(reader.number, upcoming(desk)[-1]))
    assert all(place.purpose != Purpose.AGAIN for place in upcoming(desk))
    assert desk.planned == 17


def test_an_undo_makes_asking_again_needless(
    plan: ReadingPlan, reader: ReaderRow, row: Row
) -> None:
    desk = Desk(plan, reader, [])
    past_practice(desk, row)
    first = next(place for place in upcoming(desk) if place.purpose == Purpose.MAIN)
    desk.take(row(reader.number, first, rt_ms=20.0))
    assert desk.planned == 16
    desk.take(row(reader.number, first, attempt=2))
    assert desk.planned == 15
    assert all(place.purpose != Purpose.AGAIN for place in upcoming(desk))


def test_excluded_repeats_are_not_asked_again(
    plan: ReadingPlan, reader: ReaderRow, row: Row
) -> None:
    desk = Desk(plan, reader, [])
    repeat = next(place for place in upcoming(desk) if place.purpose == Purpose.REPEAT)
    desk.take(row(reader.number, repeat, rt_ms=20.0))
    assert desk.planned == 15


def test_practice_again_after_a_pause(plan: ReadingPlan, reader: ReaderRow, row: Row) -> None:
    desk = Desk(plan, reader, [])
    past_practice(desk, row)
    place = upcoming(desk)[0]
    last = NOW + 1_000
    desk.take(row(reader.number, place, received_at=last))
    assert not upcoming(desk, now=last + PAUSE_MS)[0].practice
    later = upcoming(desk, now=last + PAUSE_MS + 1)
    assert [p.position for p in later[:10]] == list(range(-11, -21, -1))
    assert [p.item for p in later[:10]] == list(plan.practice)
    # Begun, it is finished; then reading goes on.
    desk.take(row(reader.number, later[0], received_at=last + PAUSE_MS + 1))
    assert [p.position for p in upcoming(desk, now=last + PAUSE_MS + 2)[:9]] == list(
        range(-12, -21, -1)
    )


def test_a_stop_shows_nothing_more(plan: ReadingPlan, reader: ReaderRow) -> None:
    desk = Desk(plan, reader, [])
    desk.stopped = True
    assert upcoming(desk) == []
    assert desk.is_done(NOW)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_desk_set_up_anew_stands_where_the_old_one_stood(
    plan: ReadingPlan, reader: ReaderRow, row: Row, data: st.DataObject
) -> None:
    """Answers, exclusions and undos in any order: what is on disk is all that counts."""
    desk, log, attempts = Desk(plan, reader, []), [], dict[int, int]()
    for _ in range(data.draw(st.integers(0, 40))):
        waiting = upcoming(desk)
        answered = [desk._place(position) for position in attempts]
        if not waiting and not answered:
            break
        undo = bool(answered) and (not waiting or data.draw(st.booleans()))
        place = data.draw(st.sampled_from(answered)) if undo else waiting[0]
        attempts[place.position] = attempts.get(place.position, 0) + 1
        answer = row(
            reader.number, place, attempt=attempts[place.position],
            rt_ms=data.draw(st.sampled_from([20.0, 900.0])), received_at=NOW,
        )  # fmt: skip
        log.append(answer)
        desk.take(answer)
    anew = Desk(plan, reader, log)
    assert upcoming(anew) == upcoming(desk)
    assert (anew.done, anew.planned) == (desk.done, desk.planned)
    # Every item of the plan is either usable, or waits, or is asked again: none is lost.
    usable = {a.item for a in log if a.position >= 0 and a.rt_ms > 150}
    waits = {place.item for place in upcoming(desk) if not place.practice}
    order = reading_order(plan, reader.place)
    assert usable | waits >= set(order.item[: order.planned].tolist())
