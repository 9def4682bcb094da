import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from misread.errors import ParameterError, StudyError
from misread.store import Change, Decision, SplitRecord, Undone, VerdictLog
from misread.tables.verdicts import Verdict

SPLITS = {"train": SplitRecord(30, "items-a", "labels-a"), "test": SplitRecord(12, "items-b", "l")}
MODEL, LABEL, FINE = Verdict.MODEL, Verdict.LABEL, Verdict.FINE


@pytest.fixture
def log(tmp_path: Path) -> Iterator[VerdictLog]:
    made = VerdictLog(tmp_path, SPLITS, classes=3)
    yield made
    made.close()


def standing(log: VerdictLog, split: str = "test", **kwargs: Any) -> dict[int, Any]:
    state = log.state(split, **kwargs)
    return {int(index): state.find(int(index)) for index in state.index}


def test_nothing_is_decided_and_no_file_made_before_the_first_verdict(
    log: VerdictLog, tmp_path: Path
) -> None:
    assert log.revision() == 0
    assert len(log.state("test")) == len(log.state("train", as_of=0)) == 0
    assert log.changes(0) == []
    assert log.undo("tab", event="u") is log.redo("tab", event="r") is None
    assert list(tmp_path.iterdir()) == []


def test_a_decision_stands_until_another_one(log: VerdictLog) -> None:
    assert log.decide("test", [3], MODEL, None, event="a", tab="t") == 1
    assert log.decide("test", [3, 1], LABEL, 2, event="b", tab="t", given=[0, 1]) == 2
    assert log.decide("train", [3], FINE, None, event="c", tab="t") == 3
    assert standing(log) == {1: (LABEL, 2), 3: (LABEL, 2)}
    assert standing(log, "train") == {3: (FINE, None)}
    assert log.decide("test", [1], None, None, event="d", tab="t") == 4
    assert standing(log) == {3: (LABEL, 2)}
    assert standing(log, as_of=1) == {3: (MODEL, None)}
    assert standing(log, as_of=2) == {1: (LABEL, 2), 3: (LABEL, 2)}
    assert standing(log, as_of=0) == {}


def test_the_given_label_who_and_when_are_kept(log: VerdictLog) -> None:
    decision = Decision("test", [9, 2], LABEL, None, "a", [2, 1], "Ana", 1_700_000_000_123)
    log.decide_all([decision], tab="t")
    log.decide("test", [4], FINE, event="b", tab="t")
    state = log.state("test")
    assert state.index.tolist() == [2, 4, 9]
    assert state.given.tolist() == [1, -1, 2]
    assert state.person.tolist() == ["Ana", "", "Ana"]
    assert state.label.tolist() == [-1, -1, -1]
    assert state.decided_at.tolist()[::2] == [1_700_000_000_123] * 2
    assert state.revision.tolist() == [1, 2, 1]


def test_an_undo_takes_back_its_own_tab_only(log: VerdictLog) -> None:
    log.decide("test", [1], MODEL, event="a", tab="one")
    log.decide("test", [1, 2], FINE, event="b", tab="two")
    log.decide("test", [5], FINE, event="c", tab="one")
    assert log.undo("one", event="u1") == Undone(4, "test", (5,), (None,), (None,))
    # What the other tab decided since stays on top.
    assert log.undo("one", event="u2") == Undone(5, "test", (1,), (FINE,), (None,))
    assert standing(log) == {1: (FINE, None), 2: (FINE, None)}
    assert log.undo("one", event="u3") is None
    assert log.undo("two", event="u4") == Undone(6, "test", (1, 2), (None, None), (None, None))
    assert log.redo("one", event="r1") == Undone(7, "test", (1,), (MODEL,), (None,))
    assert log.redo("two", event="r2") == Undone(8, "test", (1, 2), (FINE, FINE), (None, None))
    assert standing(log, as_of=7) == {1: (MODEL, None)}
    log.decide("test", [0], FINE, event="d", tab="one")
    assert log.redo("one", event="r3") is None
    assert standing(log, as_of=3) == {1: (FINE, None), 2: (FINE, None), 5: (FINE, None)}


def test_what_is_sent_twice_counts_once(log: VerdictLog) -> None:
    for _ in range(2):
        assert log.decide("test", [2, 1], LABEL, 0, event="a", tab="t", given=[1, 2]) == 1
    log.decide("test", [1], FINE, event="b", tab="t")
    first = log.undo("t", event="u")
    assert first == log.undo("t", event="u") == Undone(3, "test", (1,), (LABEL,), (0,))
    again = log.redo("t", event="r")
    assert again == log.redo("t", event="r")
    assert log.revision() == 4
    others: list[dict[str, Any]] = [
        {"items": [1, 3]}, {"verdict": FINE, "label": None}, {"label": 1, "given": None},
        {"tab": "other"}, {"split": "train"}, {"given": [2, 1]}, {"person": "Ana"},
    ]  # fmt: skip
    same: dict[str, Any] = {"split": "test", "items": [2, 1], "verdict": LABEL, "label": 0}
    same |= {"event": "a", "tab": "t", "given": [1, 2]}
    for other in others:
        with pytest.raises(ParameterError, match="event 'a': stands for something else already"):
            log.decide(**same | other)
    for change in (log.undo, log.redo):
        with pytest.raises(ParameterError, match="stands for something else already"):
            change("t", event="a")
        with pytest.raises(ParameterError, match="stands for something else already"):
            change("other", event="u")
    with pytest.raises(ParameterError, match="stands for something else already"):
        log.redo("t", event="u")
    assert log.revision() == 4


def test_several_decisions_are_recorded_together_or_not_at_all(log: VerdictLog) -> None:
    some = [Decision("test", [i], FINE, None, f"e{i}") for i in range(5)]
    with pytest.raises(ParameterError, match="stands for something else"):
        log.decide_all([*some, Decision("test", [7], MODEL, None, "e0")], tab="t")
    assert log.revision() == 0
    assert log.decide_all(some, tab="t") == [1, 2, 3, 4, 5]
    assert log.decide_all(some, tab="t") == [1, 2, 3, 4, 5]
    assert log.decide_all([], tab="t") == []


def test_changes_tell_other_tabs_what_stands_now(log: VerdictLog) -> None:
    log.decide("test", [1, 2], FINE, event="a", tab="t")
    log.decide("train", [9], LABEL, 1, event="b", tab="t")
    log.decide("test", [2], MODEL, event="c", tab="t")
    assert log.changes(0) == [
        Change("train", 9, LABEL, 1, 2),
        Change("test", 1, FINE, None, 1),
        Change("test", 2, MODEL, None, 3),
    ]
    assert log.changes(2) == [Change("test", 2, MODEL, None, 3)]
    assert log.changes(3) == []
    log.undo("t", event="u")
    log.undo("t", event="v")
    assert log.changes(3) == [
        Change("train", 9, None, None, 5),
        Change("test", 2, FINE, None, 4),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"split": "validation"}, "split must be one of train, test. Got 'validation'"),
        ({"items": []}, "items must be one image or more, each once"),
        ({"items": [4, 4]}, "items must be one image or more, each once"),
        ({"items": [12]}, "items must be in 0..11. Got 12 instead"),
        ({"items": [-1]}, "items must be in 0..11. Got -1 instead"),
        ({"items": [1.0]}, "items must be in 0..11. Got 1.0 instead"),
        ({"items": [True]}, "items must be in 0..11. Got True instead"),
        ({"verdict": "wrong"}, "verdict must be one of model, label, ambiguous, unreadable, fine"),
        ({"verdict": FINE, "label": 1}, "label goes with the verdict `label` only"),
        ({"verdict": None, "label": 1}, "label goes with the verdict `label` only"),
        ({"label": 3}, "label must be in 0..2. Got 3 instead"),
        ({"label": -1}, "label must be in 0..2. Got -1 instead"),
        ({"label": True}, "label must be in 0..2. Got True instead"),
        ({"label": 1, "given": [1]}, "image 0 is given 1 already"),
        ({"given": [1, 2]}, "given must be a label in 0..2 for each of the 1 items"),
        ({"given": [3]}, "given must be a label in 0..2 for each of the 1 items"),
        ({"event": ""}, "event must be a text of 1 to 200 printable characters"),
        ({"event": "a\nb"}, "event must be a text of 1 to 200 printable characters"),
        ({"event": "\ud800"}, "event must be a text of 1 to 200 printable characters"),
        ({"tab": "t" * 201}, "tab must be a text of 1 to 200 printable characters"),
        ({"person": "a\0b"}, "person must be a text of 0 to 200 printable characters"),
    ],
)
def test_what_does_not_fit_is_refused(
    log: VerdictLog, changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    good: dict[str, Any] = {"split": "test", "items": [0], "verdict": LABEL, "label": None}
    good |= {"event": "a", "tab": "t"}
    with pytest.raises(ParameterError) as caught:
        log.decide(**good | changes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert log.decide(**good) == 1


def test_numbers_of_numpy_are_numbers(log: VerdictLog) -> None:
    items = np.array([5, 3], np.int32)
    log.decide("test", items, LABEL, np.int16(1), event="a", tab="t", given=np.array([0, 2]))  # type: ignore[arg-type]
    assert log.state("test").given.tolist() == [2, 0]


def test_unknown_splits_and_revisions_are_refused(log: VerdictLog) -> None:
    log.decide("test", [1], FINE, event="a", tab="t")
    with pytest.raises(ParameterError, match="split must be one of train, test"):
        log.state("validation")
    for wrong in (-1, 2):
        with pytest.raises(ParameterError, match=r"as_of must be in 0\.\.1, the newest revision"):
            log.state("test", as_of=wrong)


def test_verdicts_on_other_images_are_refused(log: VerdictLog, tmp_path: Path) -> None:
    log.decide("test", [1], FINE, event="a", tab="t")
    relabelled = SPLITS | {"test": dataclasses.replace(SPLITS["test"], labels_fingerprint="new")}
    assert standing(VerdictLog(tmp_path, relabelled, 3)) == {1: (FINE, None)}
    others = [
        {"train": SPLITS["train"]},
        SPLITS | {"test": dataclasses.replace(SPLITS["test"], items_fingerprint="other")},
        SPLITS | {"test": dataclasses.replace(SPLITS["test"], images=11)},
    ]
    for splits in others:
        with pytest.raises(StudyError, match="holds verdicts on other images than the study's 'te"):
            VerdictLog(tmp_path, splits, 3).revision()


def test_two_logs_of_one_folder_see_each_other(log: VerdictLog, tmp_path: Path) -> None:
    other = VerdictLog(tmp_path, SPLITS, 3)
    assert other.revision() == 0
    log.decide("test", [1], FINE, event="a", tab="one")
    assert standing(other) == {1: (FINE, None)}
    other.decide("test", [1], MODEL, event="b", tab="two")
    assert standing(log) == {1: (MODEL, None)}
    # An undo after a restart: the log is all there is.
    assert VerdictLog(tmp_path, SPLITS, 3).undo("two", event="u") == Undone(
        3, "test", (1,), (FINE,), (None,)
    )
    assert standing(log) == standing(other) == {1: (FINE, None)}
    other.close()


def test_many_threads_lose_nothing(log: VerdictLog) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                log.decide("train", [number], FINE, event=f"{number}-{turn}", tab=str(number))
                if turn % 4 == 3:
                    undone = log.undo(str(number), event=f"{number}-{turn}-u")
                    assert undone is not None
                    assert undone.items == (number,)
                assert len(log.state("train")) >= 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert log.revision() == 8 * 25
    assert standing(log, "train") == dict.fromkeys(range(8), (FINE, None))
