"""Readings in the gallery: when they count as evidence on labels."""

from pathlib import Path

import pytest

from misread.store import Study
from misread.views.gallery import reading
from misread.views.gallery.reading import ReadingHoldings, ReadingSource


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_readings_count_once_nobody_has_answered_for_a_minute(
    whole_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, stamps = Clock(), ["before"]
    monkeypatch.setattr(ReadingHoldings, "stamp", property(lambda self: stamps[-1]))
    holdings = ReadingHoldings(whole_study, ReadingSource(lambda: None, lambda: None), clock)
    assert holdings.settled == "before"
    for second in range(0, 3_000, 50):
        clock.now = second
        stamps.append(f"answer {second}")
        assert holdings.settled == "before"
    clock.now += reading._SETTLED - 1
    assert holdings.settled == "before"
    clock.now += 1
    assert holdings.settled == stamps[-1]
    stamps.append("another day")
    assert holdings.settled == stamps[-2]


def test_without_readings_there_is_nothing_to_wait_for(tmp_path: Path, whole_study: Study) -> None:
    assert ReadingHoldings(whole_study, None).settled is None
