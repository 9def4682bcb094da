"""What a reader sees next, from what he has answered: no clock, no storage, no server."""

from collections.abc import Sequence
from dataclasses import dataclass

from misread.analysis.reading.order import REPEAT_GAP, ReadingOrder
from misread.tables.readings import Purpose

# An item whose answer was excluded is asked again at most so often.
MOST_AGAIN = 3


@dataclass(frozen=True)
class Answered:
    """One position that has a final answer.

    Attributes:
        position: The position.
        usable: Whether the answer counts, rather than being excluded.
        repeat_of: For an item asked again, the position it was asked at first; else -1.
    """

    position: int
    usable: bool
    repeat_of: int = -1


@dataclass(frozen=True)
class Trial:
    """What to show next.

    Attributes:
        position: Where the answer is filed.
        item: Position of the image in its split.
        purpose: Why it is shown.
        repeat_of: The position of the item's first time, -1 if this is it.
    """

    position: int
    item: int
    purpose: Purpose
    repeat_of: int = -1


def next_trial(
    order: ReadingOrder, answered: Sequence[Answered], *, beyond: bool = False
) -> Trial | None:
    """The next item of a reader.

    The order is followed. An item whose answer was excluded is asked again, `REPEAT_GAP` answers
    later or, if the plan ends before, at its end; `MOST_AGAIN` times at most.

    Args:
        order: The reader's order.
        answered: All his final answers, in the order they were given.
        beyond: Go on when the plan is done, up to the last item of the split.

    Returns:
        The trial, None if there is nothing left.
    """
    done = {one.position for one in answered if one.position < len(order)}
    again = len(answered) - len(done)
    waiting = _waiting(order, answered)
    end = len(order) if beyond else order.planned
    following = next((at for at in range(end) if at not in done), None)
    due = next((at for at, last in waiting if len(answered) - last > REPEAT_GAP), None)
    if due is None and following is None and waiting:
        due = waiting[0][0]
    if due is not None:
        return Trial(len(order) + again, int(order.item[due]), Purpose.AGAIN, due)
    if following is None:
        return None
    first = int(order.repeat_of[following])
    purpose = Purpose.MAIN if first < 0 else Purpose.REPEAT
    return Trial(following, int(order.item[following]), purpose, first)


def _waiting(order: ReadingOrder, answered: Sequence[Answered]) -> list[tuple[int, int]]:
    """(position, place of the last try) of items without a usable answer, the oldest first."""
    tries: dict[int, list[int]] = {}
    settled = set()
    for place, one in enumerate(answered):
        position = one.position if one.position < len(order) else one.repeat_of
        if order.repeat_of[position] >= 0:
            continue  # a repeat is outside of the estimate
        tries.setdefault(position, []).append(place)
        if one.usable:
            settled.add(position)
    return [
        (position, places[-1])
        for position, places in tries.items()
        if position not in settled and len(places) <= MOST_AGAIN
    ]
