import pytest

from misread.views.times import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7.4, "7 s"), (125.0, "2 min 5 s"), (8_949.0, "2 h 29 min"), (12_000.0, "3 h 20 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
