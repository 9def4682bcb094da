"""The readers of a reader study, and what they answered."""

import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from misread.errors import ReadingsError
from misread.store.database import FILE, Database, ReaderRow, ReadingRow, ReadingRows
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER, Reader, Readings, Seen

_TOKEN_BYTES = 16
_SECRET_BYTES = 32


class ReadingLog:
    """Readers and their answers, for any number of threads and processes.

    Answers are only ever added: an answer that was taken back stays beside the one that counts.
    `forget` is the one exception: a reader may have his answers deleted. When a method that writes
    has returned, what it wrote survives a killed process and a power cut.

    `StudyError` is raised throughout if `study.sqlite` is damaged, of a newer version of misread,
    held by another process for 10 seconds, or can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._database = Database(folder / FILE)

    # Readers

    def readers(self, plan: ReadingPlan) -> list[ReaderRow]:
        """The readers of a plan, in the order of their links; forgotten ones are left out."""
        with self._lock, self._database.reading(ReadingRows) as rows:
            found = [] if rows is None else rows.readers(plan.hash)
        return [reader for reader in found if reader.forgotten_at is None]

    def reader_of(self, token: str) -> ReaderRow | None:
        """Whose link this token is from, None if it is nobody's."""
        with self._lock, self._database.reading(ReadingRows) as rows:
            return None if rows is None else rows.reader_of(token)

    def enrol(self, plan: ReadingPlan, name: str) -> ReaderRow:
        """The reader of this name: who is there already, or a new one with a link of his own.

        Raises:
            ReadingsError: The name can't be used.
        """
        Reader(name)  # checks the name
        if name.startswith("#"):
            raise ReadingsError(f"reader: expected a name that doesn't begin with #. Got {name!r}.")
        with self._lock, self._database.writing(ReadingRows) as rows:
            there = rows.readers(plan.hash)
            for reader in there:
                if reader.name == name:
                    return reader
            place = 1 + max((reader.place for reader in there), default=-1)
            return rows.enrol(
                ReaderRow(
                    0, plan.hash, place, name, secrets.token_urlsafe(_TOKEN_BYTES),
                    secrets.token_bytes(_SECRET_BYTES), str(Seen.UNKNOWN), None,
                    now(), None,
                )
            )  # fmt: skip

    def agree(self, reader: ReaderRow, seen: Seen) -> None:
        """Note that a reader has agreed, and what he had seen before; the first time stands."""
        with self._lock, self._database.writing(ReadingRows) as rows:
            rows.agree(reader.number, str(seen), now())

    def find(self, plan: ReadingPlan, name: str) -> ReaderRow:
        """The reader of this name.

        Raises:
            ReadingsError: There is no such reader.
        """
        named = {reader.name: reader for reader in self.readers(plan)}
        if name not in named:
            raise ReadingsError(
                f"reader: expected one of {', '.join(named) or '(none)'}. Got {name!r} instead."
            )
        return named[name]

    def forget(self, plan: ReadingPlan, name: str) -> int:
        """Delete a reader's name, link and answers for good; how many answers there were.

        Raises:
            ReadingsError: There is no such reader.
        """
        reader = self.find(plan, name)
        with self._lock:
            with self._database.writing(ReadingRows) as rows:
                count = rows.forget(reader.number, now())
            self._database.vacuum()
        return count

    # Serving

    def settings(self, plan: ReadingPlan) -> dict[str, str]:
        """What is kept of how the pages of a plan are served, by name."""
        with self._lock, self._database.reading(ReadingRows) as rows:
            return {} if rows is None else rows.settings(plan.hash)

    def keep(self, plan: ReadingPlan, **settings: str) -> None:
        """Keep settings for the next time; what has the name already is replaced."""
        with self._lock, self._database.writing(ReadingRows) as rows:
            for name, value in settings.items():
                rows.keep(plan.hash, name, value)

    # Answers

    def stamp(self) -> tuple[int, int, int]:
        """By which it is told whether readers or answers are others than before."""
        with self._lock, self._database.reading(ReadingRows) as rows:
            return (0, 0, 0) if rows is None else rows.stamp()

    def record(self, answers: Sequence[ReadingRow]) -> list[ReadingRow | None]:
        """Add answers; those whose event is there already change nothing.

        An image that has an answer takes another one only in the place of one of its own: a second
        page, which showed the image meanwhile, replaces nothing.

        Returns:
            The answers as they are in the file; None for each that came too late.

        Raises:
            ReadingsError: An event stands for another reader's or another image's answer already.
        """
        if not answers:
            return []
        with self._lock, self._database.writing(ReadingRows) as rows:
            return [_add(rows, answer) for answer in answers]

    def answers(self, reader: ReaderRow) -> list[ReadingRow]:
        """Everything that a reader answered, practice and what he took back too, as it arrived."""
        with self._lock, self._database.reading(ReadingRows) as rows:
            return [] if rows is None else rows.readings(reader.number)

    def load(self, plan: ReadingPlan, of: Sequence[ReaderRow] | None = None) -> Readings:
        """The final answers of those readers of a plan who answered anything.

        Args:
            plan: The plan.
            of: Only these readers; None for all.
        """
        readers: list[Reader] = []
        chosen: list[list[tuple[object, ...]]] = []
        for row in self.readers(plan) if of is None else of:
            answers = [each for each in self.answers(row) if each.position >= 0]
            if answers:
                chosen.append(_final(answers, len(readers)))
                readers.append(Reader(row.name, row.place, Seen(row.seen)))
        names = (
            "reader", "index", "answer", "position", "session", "hard", "purpose", "repeat_of",
            "first_answer", "undone", "unsure", "rt_ms", "onset", "unfocused", "screen", "zoom",
        )  # fmt: skip
        rows = [row for each in chosen for row in each]
        columns = (
            {name: np.array([row[at] for row in rows]) for at, name in enumerate(names)}
            if rows
            else {name: np.empty(0, np.int64) for name in names[:3]}
        )
        return Readings(
            plan.target.split, plan.target.classes, plan.hash, tuple(readers), **columns
        )

    def close(self) -> None:
        """Close the file; it is opened again when it is next needed."""
        with self._lock:
            self._database.close()


def _add(rows: ReadingRows, answer: ReadingRow) -> ReadingRow | None:
    before = rows.find(answer.event)
    if before is None:
        last = rows.last_attempt(answer.reader, answer.position)
        if last and not _goes_back(rows, answer):
            return None
        return rows.add(answer._replace(attempt=max(answer.attempt, last + 1)))
    if (before.reader, before.position) != (answer.reader, answer.position):
        raise ReadingsError(f"event {answer.event}: stands for another answer already")
    return before


def _goes_back(rows: ReadingRows, answer: ReadingRow) -> bool:
    """Whether an answer stands in for one of the same image that is in the file."""
    undone = None if answer.undoes is None else rows.find(answer.undoes)
    return undone is not None and (undone.reader, undone.position) == (
        answer.reader,
        answer.position,
    )


def _final(answers: list[ReadingRow], reader: int) -> list[tuple[object, ...]]:
    """The answer that counts at each position, the one of the last attempt."""
    sessions: dict[str, int] = {}
    attempts: dict[int, list[ReadingRow]] = {}
    for answer in answers:
        sessions.setdefault(answer.session, 1 + len(sessions))
        attempts.setdefault(answer.position, []).append(answer)
    found: list[tuple[object, ...]] = []
    for position, given in sorted(attempts.items()):
        given.sort(key=lambda answer: answer.attempt)
        first, last = given[0], given[-1]
        found.append(
            (
                reader, last.item, _class(last), position, sessions[last.session],
                bool(last.hard), last.purpose, last.repeat_of, _class(first), len(given) - 1,
                bool(last.unsure), last.rt_ms, float(last.onset), bool(last.unfocused),
                last.screen, last.zoom,
            )
        )  # fmt: skip
    return found


def _class(answer: ReadingRow) -> int:
    return NO_ANSWER if answer.answer is None else answer.answer


def now() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
