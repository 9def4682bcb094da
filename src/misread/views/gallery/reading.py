"""What readers answered, for the gallery: read when first asked for, noticed when it changes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from misread.store import Study
from misread.views.gallery.answers import ReadingAnswer
from misread.views.gallery.holdings import Stamp, stamp
from misread.views.gallery.memo import Memo

if TYPE_CHECKING:
    # Both load SciPy, which would delay the first picture.
    from misread.analysis.reading.described import Described
    from misread.analysis.reading.result import PeopleResult
    from misread.tables.readings import Readings


# Seconds without an answer after which readings count as evidence on labels.
_SETTLED = 60.0


@dataclass(frozen=True)
class ReadingSource:
    """Where readings come from.

    Attributes:
        load: All readings of the study; None if there are none.
        measure: What they say of people and models; None where nobody has read.
    """

    load: "Callable[[], Readings | None]"
    measure: "Callable[[], PeopleResult | Described | None]"


class ReadingHoldings:
    """A study's readings.

    Args:
        study: The study.
        source: Where its readings come from; None for a gallery without.
        clock: Tells seconds.
    """

    def __init__(
        self,
        study: Study,
        source: ReadingSource | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study, self._source, self._clock = study, source, clock
        self._lock = threading.Lock()
        # The newest stamp and since when it is, and the one that evidence is made by.
        self._waiting: tuple[object, float] | None = None
        self._settled: object = None
        self._log = study.reading_log
        self._loaded = Memo["Readings | None"](0, lambda found: 1)

    @property
    def stamp(self) -> tuple[Stamp, tuple[int, int, int]] | None:
        """By which it is told whether readings are others than before; None without any."""
        if self._source is None:
            return None
        folder = self._study.plan_file.parent
        if not folder.is_dir():
            return None
        # The database's file changes with every verdict: what is in it is asked for.
        files = stamp(folder, "*.csv") + stamp(folder, "*.npz") + stamp(folder, "plan.json")
        return files, self._log.stamp()

    @property
    def settled(self) -> object:
        """The stamp once nobody has answered for a minute, or as it was when first asked for.

        While people read, the evidence on labels, and with it suggested verdicts, stay as they
        are: neither is worked out anew with every answer.
        """
        now, moment = self.stamp, self._clock()
        with self._lock:
            if self._waiting is None:
                self._waiting = now, moment
                self._settled = now
            elif self._waiting[0] != now:
                self._waiting = now, moment
            elif moment - self._waiting[1] >= _SETTLED:
                self._settled = now
            return self._settled

    def measure(self) -> "PeopleResult | Described | None":
        """What the readings say of people and models, computed anew; None as in `ReadingSource`.

        Raises:
            ReadingsError: They are damaged.
        """
        return None if self.stamp is None or self._source is None else self._source.measure()

    def load(self) -> "Readings | None":
        """All readings; None if there are none.

        Raises:
            ReadingsError: They are damaged.
        """
        now, source = self.stamp, self._source
        if now is None or source is None:
            return None
        return self._loaded.get(now, source.load)

    def of(self, split: str, index: int) -> list[ReadingAnswer]:
        """What each reader called an image, in the order of the readers; repeats aren't counted.

        Raises:
            ReadingsError: They are damaged.
        """
        found = self.load()
        if found is None or found.split != split:
            return []
        from misread.tables.readings import NO_ANSWER, Purpose

        rows = np.flatnonzero(
            (found.index == index) & (found.purpose == Purpose.MAIN) & (found.answer != NO_ANSWER)
        )
        rows = rows[np.argsort(found.reader[rows], kind="stable")]
        readers = [found.readers[number] for number in found.reader[rows].tolist()]
        return [
            ReadingAnswer(reader.name, int(answer), bool(unsure), reader.simulated, reader.blind)
            for reader, answer, unsure in zip(
                readers, found.answer[rows], found.unsure[rows], strict=True
            )
        ]
