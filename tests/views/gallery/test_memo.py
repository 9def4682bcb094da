import threading
import time

import pytest

from misread.views.gallery.background import Task
from misread.views.gallery.memo import Memo


def test_a_value_is_computed_once_for_all_threads() -> None:
    memo, calls = Memo[int](100, lambda value: 1), []
    gate = threading.Barrier(8)

    def compute() -> int:
        calls.append(1)
        time.sleep(0.05)
        return 7

    def ask() -> None:
        gate.wait()
        assert memo.get("key", compute) == 7

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_what_was_used_longest_ago_is_dropped_and_computed_again() -> None:
    memo, calls = Memo[str](25, lambda value: 10), []

    def ask(key: str) -> None:
        memo.get(key, lambda: calls.append(key) or key)  # type: ignore[func-returns-value]

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert calls == ["a", "b", "c", "b"]


def test_the_newest_value_stays_however_large() -> None:
    memo, calls = Memo[int](10, lambda value: value), []
    for _ in range(3):
        assert memo.get("large", lambda: calls.append(1) or 1_000) == 1_000  # type: ignore[func-returns-value]
    assert calls == [1]


def test_an_error_is_raised_and_not_kept() -> None:
    memo = Memo[int](10, lambda value: 1)

    def fail() -> int:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            memo.get("key", fail)
    assert memo.get("key", lambda: 5) == 5


def test_a_task_ends_with_its_result_or_its_error() -> None:
    good = Task(lambda: 3)
    assert good.wait(5) and good.result == 3 and good.error is None

    def fail() -> int:
        raise ValueError("no")

    bad = Task(fail)
    assert bad.wait(5) and bad.result is None
    assert isinstance(bad.error, ValueError)


def test_a_task_waits_until_it_is_hurried() -> None:
    task = Task(lambda: 3, delay=60)
    time.sleep(0.05)
    assert not task.done and task.result is None and task.error is None
    task.hurry()
    assert task.wait(5) and task.result == 3
