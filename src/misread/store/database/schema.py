"""The tables of `study.sqlite`, and how an older file becomes one of this version."""

import sqlite3
import time
from pathlib import Path

from misread.errors import StudyError
from misread.store.database.failures import WAIT, code

_APPLICATION = 0x6D737264  # "msrd", so that tools can tell whose file it is

# The statements that lead from each version to the next; `user_version` counts what was run.
MIGRATIONS: list[tuple[str, ...]] = [
    (
        """
        CREATE TABLE splits (
          number INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          images INTEGER NOT NULL,
          items_fingerprint TEXT NOT NULL,
          labels_fingerprint TEXT NOT NULL,
          UNIQUE (name, images, items_fingerprint, labels_fingerprint)
        )
        """,
        """
        CREATE TABLE events (
          revision INTEGER PRIMARY KEY CHECK (revision > 0),
          event TEXT NOT NULL UNIQUE,
          tab TEXT NOT NULL,
          kind TEXT NOT NULL CHECK (kind IN ('decide', 'undo', 'redo')),
          target INTEGER REFERENCES events (revision),
          split INTEGER NOT NULL REFERENCES splits (number),
          items TEXT,
          given TEXT,
          verdict TEXT CHECK (verdict IN ('model', 'label', 'ambiguous', 'unreadable', 'fine')),
          label INTEGER CHECK (label >= 0),
          person TEXT NOT NULL,
          decided_at INTEGER NOT NULL,
          recorded_at INTEGER NOT NULL,
          CHECK ((kind = 'decide') = (items IS NOT NULL)),
          CHECK ((kind = 'decide') = (target IS NULL))
        )
        """,
        """
        CREATE TRIGGER events_unchanged BEFORE UPDATE ON events
        BEGIN SELECT RAISE (ABORT, 'events are only ever added'); END
        """,
        """
        CREATE TRIGGER events_kept BEFORE DELETE ON events
        BEGIN SELECT RAISE (ABORT, 'events are only ever added'); END
        """,
    ),
    (
        """
        CREATE TABLE readers (
          number INTEGER PRIMARY KEY,
          plan TEXT NOT NULL,
          place INTEGER NOT NULL CHECK (place >= 0),
          name TEXT NOT NULL,
          token TEXT NOT NULL UNIQUE,
          secret BLOB NOT NULL,
          seen TEXT NOT NULL DEFAULT 'unknown',
          agreed_at INTEGER,
          enrolled_at INTEGER NOT NULL,
          forgotten_at INTEGER,
          UNIQUE (plan, place),
          UNIQUE (plan, name)
        )
        """,
        """
        CREATE TABLE readings (
          number INTEGER PRIMARY KEY,
          event TEXT NOT NULL UNIQUE,
          reader INTEGER NOT NULL REFERENCES readers (number),
          session TEXT NOT NULL,
          position INTEGER NOT NULL,
          attempt INTEGER NOT NULL CHECK (attempt > 0),
          item INTEGER NOT NULL CHECK (item >= 0),
          hard INTEGER NOT NULL CHECK (hard IN (0, 1)),
          purpose INTEGER NOT NULL,
          repeat_of INTEGER NOT NULL,
          answer INTEGER CHECK (answer >= 0),
          undoes TEXT,
          unsure INTEGER NOT NULL CHECK (unsure IN (0, 1)),
          exposures INTEGER NOT NULL CHECK (exposures > 0),
          rt_ms REAL NOT NULL CHECK (rt_ms >= 0),
          onset INTEGER NOT NULL,
          unfocused INTEGER NOT NULL CHECK (unfocused IN (0, 1)),
          screen TEXT NOT NULL,
          zoom REAL NOT NULL,
          received_at INTEGER NOT NULL,
          UNIQUE (reader, position, attempt)
        )
        """,
        """
        CREATE TRIGGER readings_unchanged BEFORE UPDATE ON readings
        BEGIN SELECT RAISE (ABORT, 'readings are only ever added'); END
        """,
        # A reader may have his answers deleted: the one exception.
        """
        CREATE TRIGGER readings_kept BEFORE DELETE ON readings
        WHEN (SELECT forgotten_at FROM readers WHERE number = OLD.reader) IS NULL
        BEGIN SELECT RAISE (ABORT, 'readings are only ever added'); END
        """,
    ),
    (
        """
        CREATE TABLE reading_settings (
          plan TEXT NOT NULL,
          name TEXT NOT NULL,
          value TEXT NOT NULL,
          PRIMARY KEY (plan, name)
        )
        """,
    ),
]


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file and bring it to this version."""
    version = _version(connection, path)
    if version:
        _check(connection)
    if version == len(MIGRATIONS):
        return
    _switch_to_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        for statements in MIGRATIONS[_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Version of the file, 0 for an empty one.

    Raises:
        StudyError: It is newer than this misread, or not misread's.
    """
    version, application = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("user_version", "application_id")
    )
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != _APPLICATION and not (empty and application == version == 0):
        raise StudyError(f"{path}: expected a database of misread; move it away")
    if version > len(MIGRATIONS):
        raise StudyError(
            f"{path}: expected version {len(MIGRATIONS)} at most. Got {version} instead; a newer "
            "misread wrote it: pip install --upgrade misread"
        )
    return version


def _check(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(str(found).strip().splitlines()[-1])


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch, waiting for others: SQLite itself doesn't wait here."""
    until = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
