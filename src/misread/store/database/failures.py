"""What SQLite's errors mean for the file, each in one line."""

import sqlite3
from pathlib import Path

from misread.errors import StudyError

WAIT = 10.0
"""Seconds for which a writer waits for another one."""


def code(error: sqlite3.Error) -> int:
    """Primary result code of SQLite, 0 for an error of our own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_unwritable(error: sqlite3.Error) -> bool:
    """Whether the file or its folder can't be written."""
    return code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def explain(path: Path, doing: str, what: str, error: sqlite3.Error) -> StudyError:
    """What to say when the file can't be read or written."""
    if is_unwritable(error):
        why = "the file or its folder can't be written; give yourself the right or copy the study"
    elif code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        why = f"another process has held it for over {WAIT:.0f} seconds; end that or try again"
    elif code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        why = f"{error}; what wasn't acknowledged isn't saved; make room and try again"
    else:
        return damaged(path, str(error))
    return StudyError(f"{path}: can't {doing} {what}: {why}")


def damaged(path: Path, what: str) -> StudyError:
    """What to say of a file that doesn't hold what it should."""
    return StudyError(
        f"{path}: damaged: {what}; move it and its -wal away, and bring exported verdicts back "
        "with `misread import labels`"
    )
