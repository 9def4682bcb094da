"""The readers who are reading: a desk for each, set up when he comes, and the images."""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from misread.analysis.reading.estimate import width_reached
from misread.analysis.reading.stopping import fewest_answers
from misread.analysis.reading.tally import tally_readings
from misread.datasets import Dataset
from misread.store.database import ReaderRow, ReadingRow
from misread.store.reading_log import ReadingLog, now
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Seen
from misread.views.thumbnails import encode
from misread.web.reader.clerk import Clerk
from misread.web.reader.desk import Desk, Place

# Longer side, in pixels, of what is sent of a large image.
_MOST_PIXELS = 1024


class Room:
    """Everything that the handlers share.

    Args:
        plan: The plan.
        log: Where readers and answers are.
        dataset: With the images.
        clock: Milliseconds since 1970.
    """

    def __init__(
        self, plan: ReadingPlan, log: ReadingLog, dataset: Dataset, clock: Callable[[], int] = now
    ) -> None:
        self.plan, self.log, self.clock = plan, log, clock
        self.clerk = Clerk(log)
        self._dataset = dataset
        self._desks: dict[str, Desk] = {}
        self._opening = asyncio.Lock()
        # With fewer answers no interval is as narrow as the plan's width: nobody need look.
        self._fewest = fewest_answers(plan) if plan.width is not None else 0

    async def desk(self, token: str) -> Desk | None:
        """The desk of the reader whose link this is; None for a link that is nobody's."""
        desk = self._desks.get(token)
        if desk is not None:
            return desk
        async with self._opening:
            if token not in self._desks:
                opened = await run_in_threadpool(self._open, token)
                if opened is None:
                    return None
                self._desks[token] = opened
            return self._desks[token]

    def _open(self, token: str) -> Desk | None:
        reader = self.log.reader_of(token)
        if reader is None or reader.plan != self.plan.hash:
            return None
        desk = Desk(self.plan, reader, self.log.answers(reader))
        desk.stopped = self._is_narrow(reader)
        return desk

    async def agree(self, desk: Desk, seen: Seen) -> None:
        """Note what a reader says before he begins."""
        await run_in_threadpool(self.log.agree, desk.reader, seen)
        desk.reader = desk.reader._replace(agreed_at=self.clock(), seen=str(seen))

    async def record(self, desk: Desk, answers: list[ReadingRow]) -> list[str]:
        """Return once a reader's answers are on disk, and his desk knows them.

        Returns:
            Events of those that are not: their images were answered otherwise already.
        """
        written = await self.clerk.record(answers)
        for answer in written:
            if answer is not None:
                desk.take(answer)
        if self.plan.width is not None and desk.done >= self._fewest:
            # The program looks at the interval; whoever reads never sees it.
            desk.stopped = await run_in_threadpool(self._is_narrow, desk.reader)
        return [given.event for given, kept in zip(answers, written, strict=True) if kept is None]

    def _is_narrow(self, reader: ReaderRow) -> bool:
        if self.plan.width is None:
            return False
        readings = self.log.load(self.plan, [reader])
        if not len(readings):
            return False
        labels = self._dataset.splits[self.plan.target.split].labels
        tally = tally_readings(self.plan, labels, readings)[0]
        return width_reached(
            self.plan,
            hard_unread=len(self.plan.hard) - tally.hard_known,
            read=len(tally.rest_wrong),
            wrong=int(tally.rest_wrong.sum()),
            missing=int((~tally.rest_known).sum()),
        )

    async def picture(self, place: Place) -> tuple[bytes, str]:
        """An image as it is shown: pixels and nothing else; content and media type."""
        split = self.plan.practice_split if place.practice else self.plan.target.split
        images = self._dataset.splits[split].images
        return await run_in_threadpool(lambda: encode(images[place.item], _MOST_PIXELS))
