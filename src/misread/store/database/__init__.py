"""`study.sqlite`: events that are only ever added. The only package that speaks SQL."""

from misread.store.database.events import Event, Events, SplitRow
from misread.store.database.failures import damaged
from misread.store.database.file import FILE, Database

__all__ = ["FILE", "Database", "Event", "Events", "SplitRow", "damaged"]
