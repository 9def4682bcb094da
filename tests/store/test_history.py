"""Undo and redo of several tabs, against a model that keeps plain lists and folds them anew."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from misread.store import SplitRecord, VerdictLog
from misread.tables.verdicts import Verdict

SPLITS = {"train": SplitRecord(5, "a", "b"), "test": SplitRecord(3, "c", "d")}
TABS = st.sampled_from(["one", "two"])
Standing = dict[tuple[str, int], tuple[Verdict, int | None]]


@st.composite
def decisions(draw: st.DrawFn) -> dict[str, Any]:
    split = draw(st.sampled_from(list(SPLITS)))
    items = draw(st.sets(st.integers(0, SPLITS[split].images - 1), min_size=1))
    verdict = draw(st.sampled_from([*Verdict, None]))
    label = draw(st.none() | st.integers(0, 2)) if verdict == Verdict.LABEL else None
    return {"split": split, "items": sorted(items), "verdict": verdict, "label": label}


STEPS = st.tuples(st.sampled_from(["decide", "decide", "undo", "redo"]), TABS, decisions())


class Tabs(RuleBasedStateMachine):
    """Records are (kind, tab, target, decision); a decision's number is its place, from 1."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.logs = [VerdictLog(Path(self.folder.name), SPLITS, 3) for _ in range(2)]
        self.records: list[tuple[str, str, int, dict[str, Any]]] = []
        self.after: list[Standing] = [{}]

    def teardown(self) -> None:
        for log in getattr(self, "logs", []):
            log.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def fold(self) -> Standing:
        undone = set()
        for kind, _, target, _ in self.records:
            if kind == "undo":
                undone.add(target)
            elif kind == "redo":
                undone.remove(target)
        standing: Standing = {}
        for number, (kind, _, _, decision) in enumerate(self.records, start=1):
            if kind != "decide" or number in undone:
                continue
            for item in decision["items"]:
                standing.pop((decision["split"], item), None)
                if decision["verdict"] is not None:
                    place = (decision["split"], item)
                    standing[place] = (decision["verdict"], decision["label"])
        return standing

    def to_undo(self, tab: str) -> int | None:
        """The newest decision of the tab that isn't undone."""
        undone = set()
        for kind, _, target, _ in self.records:
            if kind == "undo":
                undone.add(target)
            elif kind == "redo":
                undone.remove(target)
        mine = [
            number
            for number, (kind, whose, _, _) in enumerate(self.records, start=1)
            if kind == "decide" and whose == tab and number not in undone
        ]
        return max(mine, default=None)

    def to_redo(self, tab: str) -> int | None:
        """The last undo of the tab that wasn't redone, unless it decided since."""
        redone = 0
        target: int
        for kind, whose, target, _ in reversed(self.records):
            if whose != tab:
                continue
            if kind == "decide":
                return None
            if kind == "undo" and redone == 0:
                return target
            redone += 1 if kind == "redo" else -1
        return None

    def record(self, kind: str, tab: str, target: int, decision: dict[str, Any]) -> None:
        self.records.append((kind, tab, target, decision))
        self.after.append(self.fold())

    @rule(steps=st.lists(STEPS, min_size=2, max_size=10), log=st.integers(0, 1))
    def work(self, steps: list[tuple[str, str, dict[str, Any]]], log: int) -> None:
        """Several at once: Hypothesis by itself calls a rule too seldom to get anywhere."""
        for kind, tab, decision in steps:
            if kind == "decide":
                self.decide(decision, tab, log)
            else:
                self.undo_or_redo(tab, kind, log)

    def decide(self, decision: dict[str, Any], tab: str, log: int) -> None:
        event = f"e{len(self.records)}"
        revision = self.logs[log].decide(**decision, event=event, tab=tab)
        self.record("decide", tab, 0, decision)
        assert revision == len(self.records)

    def undo_or_redo(self, tab: str, kind: str, log: int) -> None:
        target = self.to_undo(tab) if kind == "undo" else self.to_redo(tab)
        event = f"e{len(self.records)}"
        found = getattr(self.logs[log], kind)(tab, event=event)
        if target is None:
            assert found is None
            return
        decision = self.records[target - 1][3]
        self.record(kind, tab, target, decision)
        assert found.revision == len(self.records)
        assert (found.split, list(found.items)) == (decision["split"], decision["items"])
        now = [self.after[-1].get((found.split, item)) for item in found.items]
        assert list(found.verdicts) == [each and each[0] for each in now]
        assert list(found.labels) == [each and each[1] for each in now]

    @precondition(lambda self: self.records)
    @rule(which=st.integers(0), log=st.integers(0, 1))
    def send_again(self, which: int, log: int) -> None:
        place = which % len(self.records)
        kind, tab, _, decision = self.records[place]
        event = f"e{place}"
        if kind == "decide":
            assert self.logs[log].decide(**decision, event=event, tab=tab) == place + 1
        else:
            assert getattr(self.logs[log], kind)(tab, event=event).revision == place + 1

    @rule(log=st.integers(0, 1))
    def restart(self, log: int) -> None:
        self.logs[log].close()
        self.logs[log] = VerdictLog(Path(self.folder.name), SPLITS, 3)

    @rule(revision=st.integers(0), log=st.integers(0, 1))
    def look_back(self, revision: int, log: int) -> None:
        revision %= len(self.records) + 1
        assert self.read(log, revision) == self.after[revision]

    @rule(since=st.integers(0), log=st.integers(0, 1))
    def ask_for_changes(self, since: int, log: int) -> None:
        since %= len(self.records) + 1
        touched: dict[tuple[str, int], int] = {}
        for number, (_, _, _, decision) in enumerate(self.records, start=1):
            if number > since:
                touched |= {(decision["split"], item): number for item in decision["items"]}
        found = {(c.split, c.index): c for c in self.logs[log].changes(since)}
        assert {place: change.revision for place, change in found.items()} == touched
        for place, change in found.items():
            stands = self.after[-1].get(place)
            assert (change.verdict, change.label) == (stands or (None, None))

    def read(self, log: int, revision: int | None) -> Standing:
        standing: Standing = {}
        for split in SPLITS:
            state = self.logs[log].state(split, as_of=revision)
            for index in state.index.tolist():
                found = state.find(index)
                assert found is not None
                standing[split, index] = found
        return standing

    @invariant()
    def both_logs_tell_the_same(self) -> None:
        for log in range(len(getattr(self, "logs", []))):
            assert self.logs[log].revision() == len(self.records)
            assert self.read(log, None) == self.after[-1]


@pytest.mark.slow
def test_tabs_against_a_model_of_lists() -> None:
    run_state_machine_as_test(
        Tabs,
        settings=settings(
            max_examples=60,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
