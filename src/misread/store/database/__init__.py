"""`study.sqlite`: events that are only ever added. The only package that speaks SQL."""

from misread.store.database.events import Batch, Event, Events, SplitRow
from misread.store.database.failures import damaged
from misread.store.database.file import FILE, Database
from misread.store.database.readings import ReaderRow, ReadingRow, ReadingRows

__all__ = [
    "FILE",
    "Batch",
    "Database",
    "Event",
    "Events",
    "ReaderRow",
    "ReadingRow",
    "ReadingRows",
    "SplitRow",
    "damaged",
]
