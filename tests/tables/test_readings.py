from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.errors import ReadingsError
from misread.tables.readings import (
    DTYPES,
    NO_ANSWER,
    Purpose,
    Reader,
    Readings,
    Seen,
    find_repeats,
    join,
)

CLASSES = ("ant", "bee", "cow")


def make(
    reader: Any = (0, 0, 1), index: Any = (5, 2, 5), answer: Any = (0, 2, 1), **columns: Any
) -> Readings:
    readers = columns.pop("readers", (Reader("ann"), Reader("bob")))
    split, design = columns.pop("split", "test"), columns.pop("design", "")
    classes = columns.pop("classes", CLASSES)
    arrays = {name: np.asarray(value) for name, value in columns.items()}
    return Readings(
        split, classes, design, readers, np.array(reader), np.array(index), np.array(answer),
        **arrays,
    )  # fmt: skip


def test_columns_that_are_left_out_have_defaults() -> None:
    made = make()
    assert len(made) == 3
    assert made.position.tolist() == [0, 1, 0]
    assert made.session.tolist() == [1, 1, 1]
    assert made.purpose.tolist() == [Purpose.MAIN] * 3
    assert made.repeat_of.tolist() == [-1] * 3
    assert made.first_answer.tolist() == made.answer.tolist()
    assert np.isnan([made.rt_ms, made.onset, made.zoom]).all()
    assert not (made.hard | made.unsure | made.unfocused | (made.undone > 0)).any()
    assert made.screen.tolist() == [""] * 3
    for name, dtype in DTYPES.items():
        assert getattr(made, name).dtype.kind == np.dtype(dtype).kind, name
        if name != "screen":
            assert getattr(made, name).dtype == dtype, name


@given(st.lists(st.integers(0, 4), max_size=40))
def test_positions_count_each_readers_rows(rows: list[int]) -> None:
    readers = tuple(Reader(str(number)) for number in range(5))
    made = make(rows, np.zeros(len(rows), int), np.zeros(len(rows), int), readers=readers)
    assert made.position.tolist() == [rows[:at].count(one) for at, one in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reader": (0, 2, 1)}, "reader must be in 0..1. Got 2 in row 1"),
        ({"reader": (0.0, 0.0, 1.0)}, "reader must be (3,) int32. Got float64"),
        ({"reader": ((0, 0, 1),)}, "reader must be (3,) int32"),
        ({"index": (5, 2)}, "index must be (3,) int32. Got int64 (2,)"),
        ({"index": (5, -2, 5)}, "index must be in 0.."),
        ({"index": (5, 2**40, 5)}, "numbers out of its range"),
        ({"answer": (0, 3, 1)}, "answer must be in -1..2. Got 3 in row 1"),
        ({"first_answer": (0, -2, 1)}, "first_answer must be in -1..2. Got -2"),
        ({"position": (4, 4, 4)}, "expected each position of a reader once. Got 4 of ann again"),
        ({"session": (1, 0, 1)}, "session must be in 1.."),
        ({"purpose": (0, 3, 0), "repeat_of": (-1, 0, -1)}, "purpose must be in 0..2"),
        ({"purpose": (0, 1, 0)}, "repeat_of must be -1 for what is shown first"),
        ({"repeat_of": (-1, 0, -1)}, "repeat_of must be -1 for what is shown first"),
        ({"undone": (0, -1, 0)}, "undone must be in 0.."),
        ({"unsure": (0, 1, 0)}, "unsure must be (3,) bool"),
        ({"rt_ms": (1.0, -1.0, 1.0)}, "rt_ms must be 0 or more, or NaN. Got -1.0 in row 1"),
        ({"zoom": (1.0, np.inf, 1.0)}, "zoom must be 0 or more"),
        ({"onset": ("a", "b", "c")}, "onset must be (3,) float64"),
        ({"readers": (Reader("ann"), Reader("ann"))}, "expected each reader once, found ann"),
        ({"classes": ()}, "expected one class or more"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ReadingsError) as caught:
        make(**change)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", " ann", "ann ", "a\nb", "a\x00", "\ud800"])
def test_readers_need_a_printable_name(name: str) -> None:
    with pytest.raises(ReadingsError, match="expected a printable name"):
        Reader(name)


def test_readers_say_what_they_had_seen() -> None:
    assert Reader("ann", 3, Seen.NOTHING).blind
    assert not any(Reader("ann", seen=seen).blind for seen in Seen if seen != Seen.NOTHING)
    with pytest.raises(ReadingsError, match="expected a number of 0 or more"):
        Reader("ann", -1)
    with pytest.raises(ReadingsError, match="below 2"):
        Reader("ann", 2**31)


def test_no_answer_is_an_answer_of_its_own() -> None:
    assert make(answer=(NO_ANSWER, 0, 1)).answer.tolist() == [-1, 0, 1]


def test_readings_of_some_readers() -> None:
    made = make(rt_ms=(100.0, 200.0, 300.0))
    some = made.of(["bob"])
    assert [reader.name for reader in some.readers] == ["bob"]
    assert (some.reader.tolist(), some.index.tolist(), some.rt_ms.tolist()) == ([0], [5], [300])
    turned = made.of(["bob", "ann", "bob"])
    assert [reader.name for reader in turned.readers] == ["bob", "ann"]
    assert turned.reader.tolist() == [1, 1, 0]
    with pytest.raises(ReadingsError, match=r"expected one of ann, bob\. Got 'eve'"):
        made.of(["eve"])
    assert made.pick(made.answer == 2).index.tolist() == [2]


def test_tables_are_joined() -> None:
    other = make((0,), (9,), (1,), readers=(Reader("eve", simulated=True),), zoom=(2.0,))
    both = join([make(), other])
    assert [reader.name for reader in both.readers] == ["ann", "bob", "eve"]
    assert both.reader.tolist() == [0, 0, 1, 2]
    assert both.zoom.tolist()[3] == 2
    assert both.simulated
    assert not make().simulated
    for change in ({"split": "train"}, {"design": "sha256:x"}, {"classes": ("a", "b", "c")}):
        with pytest.raises(ReadingsError, match=f"expected all of one {next(iter(change))}"):
            join([make(), make(**change)])
    with pytest.raises(ReadingsError, match="found ann twice"):
        join([make(), make()])
    with pytest.raises(ReadingsError, match="one table or more"):
        join([])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=30), st.randoms())
def test_repeats_are_found(rows: list[tuple[int, int]], random: Any) -> None:
    """Whatever the rows' order: the first position of a reader and an image is the first time."""
    readers = tuple(Reader(str(number)) for number in range(3))
    who = np.array([reader for reader, _ in rows], int)
    what = np.array([index for _, index in rows], int)
    position = make(who, what, np.zeros(len(rows), int), readers=readers).position
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    found = find_repeats(
        make(
            who[shuffled], what[shuffled], np.zeros(len(rows), int), readers=readers,
            position=position[shuffled],
        )
    )  # fmt: skip
    for row, at in enumerate(shuffled):
        earlier = [
            position[other] for other in range(len(rows))
            if rows[other] == rows[at] and position[other] < position[at]
        ]  # fmt: skip
        assert found.repeat_of[row] == (min(earlier) if earlier else -1)
        assert found.purpose[row] == (Purpose.REPEAT if earlier else Purpose.MAIN)


def test_no_readings_are_a_table_too() -> None:
    empty = make((), (), ())
    assert len(empty) == 0
    assert len(find_repeats(empty)) == 0
    assert len(join([empty, make((0,), (1,), (1,), readers=(Reader("eve"),))])) == 1
