"""Opening `study.sqlite`, to read and to write.

It is kept in WAL mode with `synchronous=FULL`: once `Database.writing` has ended, its events
survive a killed process and a power cut. Threads and processes of one machine may write at once;
each waits for the others. Machines that share a network folder must not: SQLite's locks don't
reach that far.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from misread.errors import StudyError
from misread.store.database.events import Batch, Events
from misread.store.database.failures import WAIT, damaged, explain, is_unwritable
from misread.store.database.schema import prepare

FILE = "study.sqlite"

_SETTINGS = ("synchronous = FULL", "fullfsync = ON", "foreign_keys = ON", "secure_delete = ON")


class _Kind(Protocol):
    """Rows of one kind: `what` they are, for people."""

    what: ClassVar[str]

    def __init__(self, connection: sqlite3.Connection) -> None: ...


_Rows = TypeVar("_Rows", bound=_Kind)


class Database:
    """The file, opened when it is first needed and made when it is first written.

    Not to be used by two threads at once.

    Attributes:
        path: The file.
        generation: Goes up when another file is opened: what was read before is void then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.generation = 0
        self._connection: sqlite3.Connection | None = None
        self._close: Callable[[], object] = _nothing
        self._file: tuple[object, ...] = ()
        self._copied = False

    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self.path.exists()

    def events(self, after: int = 0) -> Batch:
        """The events with a higher revision than `after`, in order; none if there is no file.

        Works in a folder that can't be written, too.

        Raises:
            StudyError: The file is damaged, locked, or of a newer version of misread.
        """
        with self.reading(Events) as events:
            return Batch() if events is None else events.after(after)

    @contextlib.contextmanager
    def reading(self, rows: type[_Rows]) -> Iterator[_Rows | None]:
        """Read rows of one kind; None if there is no file. Raises as `events`."""
        with self._explained("read", rows.what):
            connection = self._open_to_read()
            yield None if connection is None else rows(connection)

    @contextlib.contextmanager
    def writing(self, rows: type[_Rows]) -> Iterator[_Rows]:
        """Add rows, all or none: nobody else writes meanwhile, and they last once this ends.

        Args:
            rows: `Events`, or another class of rows.

        Raises:
            StudyError: The file can't be written, is damaged, locked, or of a newer version.
        """
        with self._explained("write", rows.what):
            connection = self._open_to_write()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield rows(connection)
                connection.execute("COMMIT")
            except BaseException:
                # A COMMIT that failed may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def vacuum(self) -> None:
        """Leave nothing in the file of what was deleted."""
        with self._explained("write", "readings"):
            connection = self._open_to_write()
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; it is opened again when it is next needed."""
        self._close()
        self._connection, self._close = None, _nothing

    def _open_to_read(self) -> sqlite3.Connection | None:
        if self._connection is not None and self._look() == self._file:
            return self._connection
        self.close()
        self._copied = False
        if not self.path.exists():
            self._file, self.generation = (), self.generation + 1
            return None
        try:
            connection = _open(self.path)
        except sqlite3.OperationalError as error:
            if not is_unwritable(error):
                raise
            # WAL mode needs files beside the database even to read it: read a copy instead.
            self._copied = True
            connection = _copy(self.path)
        return self._keep(connection)

    def _open_to_write(self) -> sqlite3.Connection:
        if self._connection is not None and not self._copied and self._look() == self._file:
            return self._connection
        self.close()
        self._copied = False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self._keep(_open(self.path))

    def _keep(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        # Closed with this object at the latest: an open file can't be removed on Windows.
        self._close = weakref.finalize(self, connection.close)
        self._connection, self._file = connection, self._look()
        self.generation += 1
        return connection

    def _look(self) -> tuple[object, ...]:
        """Which file there is; of one that was copied also in which state. () for none."""
        found = _stat(self.path)
        if found is None or not self._copied:
            return () if found is None else (found.st_dev, found.st_ino)
        states = [_stat(self.path.with_name(FILE + suffix)) for suffix in ("", "-wal")]
        return tuple(None if each is None else (each.st_mtime_ns, each.st_size) for each in states)

    @contextlib.contextmanager
    def _explained(self, doing: str, what: str) -> Iterator[None]:
        """Turn what SQLite says into one line about the file."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a bug of ours
        except sqlite3.DatabaseError as error:
            self.close()
            raise explain(self.path, doing, what, error) from error
        except UnicodeDecodeError as error:
            # What SQLite says of a damaged file may quote it.
            self.close()
            raise damaged(self.path, "it isn't UTF-8 where it should be") from error
        except OSError as error:
            raise StudyError(f"{self.path}: can't {doing} {what}: {error.strerror}") from error


def _open(path: Path, place: Path | None = None) -> sqlite3.Connection:
    """Open a file, check it and bring it to this version.

    Args:
        path: The file, to be named in errors.
        place: Where it is read, if that is a copy.
    """
    connection = sqlite3.connect(
        place or path, timeout=WAIT, isolation_level=None, check_same_thread=False
    )
    try:
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(path: Path) -> sqlite3.Connection:
    """A copy in memory of a file in a folder that can't be written."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copyfile(source, Path(folder, source.name))
        with contextlib.closing(_open(path, Path(folder, path.name))) as copied:
            copied.backup(memory)
    return memory


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _nothing() -> None:
    """What there is to do to close no file."""
