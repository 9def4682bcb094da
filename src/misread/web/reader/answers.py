"""What a reader's page sends, checked field by field."""

import math
import re
from collections.abc import Callable
from typing import Any

from misread.errors import ReadingsError
from misread.store.database import ReadingRow
from misread.tables.readings import Seen
from misread.web.reader.desk import Desk

MOST_ANSWERS = 100

_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")
_DAY_MS = 86_400_000
_FIELDS = (
    "event", "session", "trial", "attempt", "undoes", "exposures", "answer", "unsure", "rt",
    "onset", "blurred", "screen",
)  # fmt: skip


def parse_agreement(content: dict[str, Any]) -> Seen:
    """What a reader says before he begins.

    Raises:
        ReadingsError: He doesn't agree, or it is something else.
    """
    seen = content.get("seen")
    known = {"no": Seen.NOTHING, "images": Seen.IMAGES, "study": Seen.MISTAKES}
    if seen not in known:
        raise ReadingsError(f"seen: expected one of {', '.join(known)}")
    if content.get("agreed") is not True:
        raise ReadingsError("agreed: reading begins once you agree that your answers are kept")
    return known[seen]


def parse_answers(content: dict[str, Any], desk: Desk, classes: int, now: int) -> list[ReadingRow]:
    """The answers of one request, as rows for the log.

    Args:
        content: The JSON.
        desk: Of the reader who sends them.
        classes: Number of classes.
        now: Milliseconds since 1970.

    Raises:
        ReadingsError: A field is missing or can't be, or a trial isn't this reader's.
    """
    answers = content.get("answers")
    if not isinstance(answers, list) or not 1 <= len(answers) <= MOST_ANSWERS:
        raise ReadingsError(f"answers: expected a list of 1 to {MOST_ANSWERS}")
    return [_row(answer, desk, classes, now) for answer in answers]


def _row(answer: Any, desk: Desk, classes: int, now: int) -> ReadingRow:
    if not isinstance(answer, dict) or set(answer) != set(_FIELDS):
        raise ReadingsError(f"answer: expected the fields {', '.join(_FIELDS)}")
    trial = answer["trial"]
    place = desk.locate(trial) if isinstance(trial, str) else None
    if place is None:
        raise ReadingsError("trial: expected one that this page was given")
    screen = answer["screen"]
    if not isinstance(screen, dict):
        raise ReadingsError("screen: expected its measures")
    chosen = answer["answer"]
    if chosen is not None:
        chosen = _whole(answer, "answer", 0, classes - 1)
    undoes = None if answer["undoes"] is None else _name(answer, "undoes")
    return ReadingRow(
        number=0,
        event=_name(answer, "event"),
        reader=desk.reader.number,
        session=_name(answer, "session"),
        position=place.position,
        attempt=_whole(answer, "attempt", 1, 1_000),
        item=place.item,
        hard=int(place.hard),
        purpose=int(place.purpose),
        repeat_of=place.repeat_of,
        answer=chosen,
        undoes=undoes,
        unsure=int(_truth(answer, "unsure")),
        exposures=_whole(answer, "exposures", 1, 1_000),
        rt_ms=_number(answer, "rt", 0, _DAY_MS),
        onset=round(_number(answer, "onset", 0, 1e14)),
        unfocused=int(_truth(answer, "blurred")),
        screen=f"{_measure(screen, 'width')}x{_measure(screen, 'height')}",
        zoom=_number(screen, "ratio", 0, 100) * _number(screen, "zoom", 0, 100),
        received_at=now,
    )


def _name(content: dict[str, Any], key: str) -> str:
    def good(value: Any) -> bool:
        return isinstance(value, str) and _NAME.fullmatch(value) is not None

    return str(_checked(content, key, "8 to 64 of A-Z a-z 0-9 _ -", good))


def _whole(content: dict[str, Any], key: str, low: int, high: int) -> int:
    # type() rather than isinstance(): true is no number.
    def good(value: Any) -> bool:
        return type(value) is int and low <= value <= high

    return int(_checked(content, key, f"a whole number in {low}..{high}", good))


def _truth(content: dict[str, Any], key: str) -> bool:
    return bool(_checked(content, key, "true or false", lambda value: type(value) is bool))


def _number(content: dict[str, Any], key: str, low: float, high: float) -> float:
    def good(value: Any) -> bool:
        return type(value) in (int, float) and math.isfinite(value) and low <= value <= high

    return float(_checked(content, key, f"a number in {low:g}..{high:g}", good))


def _measure(content: dict[str, Any], key: str) -> int:
    return round(_number(content, key, 0, 100_000))


def _checked(content: dict[str, Any], key: str, expected: str, good: Callable[[Any], bool]) -> Any:
    value = content.get(key)
    if not good(value):
        raise ReadingsError(f"{key}: expected {expected}. Got {str(value)[:40]!r} instead.")
    return value
