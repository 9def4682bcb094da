"""Where one reader stands: which image comes next, and what an answer of his page means.

Everything follows from the plan and from the answers on disk, so that a reload, a crash or another
day change nothing.
"""

import base64
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from misread.analysis.reading.order import reading_order
from misread.store.database import ReaderRow, ReadingRow
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Purpose

# After so long a pause the practice images come first again.
PAUSE_MS = 30 * 60_000
# Trials that a page may know of before it has answered those before them.
AHEAD = 16
# An image whose answers are excluded is asked again at most so often.
MOST_AGAIN = 3

_TOKEN_BYTES = 12


@dataclass(frozen=True)
class Place:
    """One position in a reader's order.

    Attributes:
        position: 0 and up; below 0 in practice.
        item: Position of the image in its split.
        hard: Whether it is of the census.
        purpose: Why it is shown; `MAIN` in practice, too.
        repeat_of: The earlier position that this one repeats, -1 for none.
    """

    position: int
    item: int
    hard: bool
    purpose: Purpose
    repeat_of: int

    @property
    def practice(self) -> bool:
        """Whether it is of the practice, and so of another split."""
        return self.position < 0


class Desk:
    """One reader of one plan. Not to be used by two threads at once.

    Args:
        plan: The plan.
        reader: Who.
        answers: What he has answered so far, as it arrived.
    """

    def __init__(self, plan: ReadingPlan, reader: ReaderRow, answers: Sequence[ReadingRow]) -> None:
        self.plan, self.reader = plan, reader
        self._order = reading_order(plan, reader.place)
        self._final: dict[int, ReadingRow] = {}
        # Roots of what is asked again, in the order in which they were first excluded: the numbers
        # of these positions never change, even where an undo makes one needless.
        self._again: list[int] = []
        self._places: dict[str, int] = {}
        self._first = 0
        self._newest = 0
        self._round = -1
        self.stopped = False
        for answer in answers:
            self.take(answer)

    def take(self, answer: ReadingRow) -> None:
        """Take in an answer that is on disk."""
        before = self._final.get(answer.position)
        if before is None or before.attempt < answer.attempt:
            self._final[answer.position] = answer
        self._newest = max(self._newest, answer.received_at)
        if answer.position < 0:
            self._round = max(self._round, self._round_of(answer.position))
        elif not self._counts(answer) and answer.purpose != Purpose.REPEAT:
            root = answer.position if answer.purpose == Purpose.MAIN else answer.repeat_of
            waiting = any(
                self._again[number] == root and len(self._order) + number not in self._final
                for number in range(len(self._again))
            )
            if not waiting and self._again.count(root) < MOST_AGAIN:
                self._again.append(root)
        while self._first in self._final:
            self._first += 1

    def _counts(self, answer: ReadingRow) -> bool:
        """Whether the plan's rules, fixed beforehand, leave it in."""
        too_fast = answer.rt_ms < self.plan.shortest_ms
        unfocused = self.plan.exclude_unfocused and answer.unfocused
        return answer.answer is not None and not too_fast and not unfocused

    # Numbers

    @property
    def done(self) -> int:
        """Images of the study that are answered, repeats among them, practice not."""
        planned = sum(1 for at in self._final if 0 <= at < self._order.planned)
        return planned + sum(1 for at in self._final if at >= len(self._order))

    @property
    def planned(self) -> int:
        """Images of the study to answer, with those that are asked again."""
        asked = sum(1 for number in range(len(self._again)) if self._is_asked(number))
        return self._order.planned + asked

    def is_done(self, now: int) -> bool:
        """Whether nothing is left to show."""
        return next(self._pending(now), None) is None

    # Trials

    def upcoming(self, after: str, count: int, now: int) -> list[tuple[str, Place]]:
        """The next trials with their tokens.

        Args:
            after: Token of the last trial that the page knows of, "" for none.
            count: At most so many.
            now: Milliseconds since 1970.
        """
        # After a restart, too, the page must not be given again what it has and is about to send.
        start = self.locate(after) if after else None
        found: list[tuple[str, Place]] = []
        for position in self._pending(now):
            if start is not None and self._rank(position) <= self._rank(start.position):
                continue
            found.append((self._token(position), self._place(position)))
            if len(found) == count:
                break
        return found

    def locate(self, token: str) -> Place | None:
        """The position that a token stands for; None for one that this reader can't know."""
        if token not in self._places:
            # After a restart pages still have trials of before.
            for position in self._known():
                self._token(position)
        found = self._places.get(token)
        return None if found is None else self._place(found)

    def _pending(self, now: int) -> Iterator[int]:
        """Positions that wait for an answer, in the order of showing."""
        if self.stopped:
            return
        yield from self._practice(now)
        for position in range(self._first, self._order.planned):
            if position not in self._final:
                yield position
        for number in range(len(self._again)):
            position = len(self._order) + number
            if position not in self._final and self._is_asked(number):
                yield position

    def _is_asked(self, number: int) -> bool:
        """Whether this one is asked again: it was already, or nothing usable was said of it yet."""
        if len(self._order) + number in self._final:
            return True
        root = self._again[number]
        earlier = [
            len(self._order) + other for other in range(number) if self._again[other] == root
        ]
        said = [self._final.get(position) for position in (root, *earlier)]
        return not any(answer is not None and self._counts(answer) for answer in said)

    def _known(self) -> Iterator[int]:
        count = len(self.plan.practice)
        yield from (-1 - at for at in range((self._round + 2) * count))
        yield from range(min(len(self._order), self._order.planned))
        yield from range(len(self._order), len(self._order) + len(self._again))

    def _rank(self, position: int) -> tuple[int, int]:
        """Practice first and from -1 down, then the order, then what is asked again."""
        return (0, -position) if position < 0 else (1, position)

    def _place(self, position: int) -> Place:
        if position < 0:
            item = self.plan.practice[(-1 - position) % len(self.plan.practice)]
            return Place(position, item, False, Purpose.MAIN, -1)
        again = position - len(self._order)
        root = self._again[again] if again >= 0 else position
        item, hard = int(self._order.item[root]), bool(self._order.hard[root])
        if again >= 0:
            return Place(position, item, hard, Purpose.AGAIN, root)
        repeated = int(self._order.repeat_of[position])
        purpose = Purpose.MAIN if repeated < 0 else Purpose.REPEAT
        return Place(position, item, hard, purpose, repeated)

    def _token(self, position: int) -> str:
        """An opaque name of a position: of reader and position alone, never of what is shown."""
        digest = hmac.digest(self.reader.secret, str(position).encode(), "sha256")
        token = base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()
        self._places[token] = position
        return token

    # Practice

    def _practice(self, now: int) -> Iterator[int]:
        """Positions of the practice that is due: at first, and after a long pause."""
        count = len(self.plan.practice)
        if not count or not self._left():
            return
        begun = self._round if self._round >= 0 else 0
        if self._final and now - self._newest > PAUSE_MS:
            begun += 1
        for at in range(begun * count, (begun + 1) * count):
            if -1 - at not in self._final:
                yield -1 - at

    def _left(self) -> bool:
        return self.done < self.planned

    def _round_of(self, position: int) -> int:
        return (-1 - position) // max(1, len(self.plan.practice))
