"""Writes answers to disk: those that come in together are written together.

A commit waits for the disk. With one commit for each answer two hundred readers would wait for one
another; one for all that has come in meanwhile keeps up.
"""

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from misread.errors import MisreadError, ReadingsError
from misread.store.database import ReadingRow
from misread.store.reading_log import ReadingLog


@dataclass(frozen=True)
class _Task:
    answers: Sequence[ReadingRow]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[list[ReadingRow | None]]"

    def tell(self, told: list[ReadingRow | None] | MisreadError) -> None:
        def finish() -> None:
            if self.done.done():
                return
            if isinstance(told, MisreadError):
                self.done.set_exception(told)
            else:
                self.done.set_result(told)

        # The server may have stopped meanwhile: nobody waits any more.
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(finish)


class Clerk:
    """One thread that writes what handlers hand it; ends with `close`."""

    def __init__(self, log: ReadingLog) -> None:
        self._log = log
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="readings", daemon=True)
        self._thread.start()

    async def record(self, answers: Sequence[ReadingRow]) -> list[ReadingRow | None]:
        """Return these, as they are in the file, once they are on disk; None for each too late.

        Raises:
            ReadingsError: One of them can't be: none of this call's is then.
            StudyError: The file can't be written.
        """
        loop = asyncio.get_running_loop()
        task = _Task(answers, loop, loop.create_future())
        self._tasks.put(task)
        return await task.done

    def close(self) -> None:
        """Write what is waiting, then end."""
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            batch = [task]
            while not self._tasks.empty():
                following = self._tasks.get()
                if following is None:
                    self._write(batch)
                    return
                batch.append(following)
            self._write(batch)

    def _write(self, batch: list[_Task]) -> None:
        try:
            written = self._log.record([answer for task in batch for answer in task.answers])
        except ReadingsError as error:
            if len(batch) == 1:
                batch[0].tell(error)
                return
            # One of them is at fault: each by itself, so that the others' are kept.
            for task in batch:
                self._write([task])
        except MisreadError as error:
            for task in batch:
                task.tell(error)
        else:
            for task in batch:
                task.tell(written[: len(task.answers)])
                written = written[len(task.answers) :]
