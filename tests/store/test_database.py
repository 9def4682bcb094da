"""What can happen to `study.sqlite`: damage, missing rights, other versions, other programs."""

import ast
import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import misread
from misread.errors import StudyError
from misread.store import SplitRecord, VerdictLog
from misread.store.database import FILE, Database, failures, schema
from misread.store.database import file as database_file
from misread.tables.verdicts import Verdict

SPLITS = {"test": SplitRecord(1_000, "a", "b")}
FINE = Verdict.FINE


VERSION = len(schema.MIGRATIONS)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[VerdictLog]:
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as made:
        yield made


def decided(folder: Path, count: int = 300) -> Path:
    """A closed database with some verdicts."""
    with contextlib.closing(VerdictLog(folder, SPLITS, 3)) as log:
        for item in range(count):
            log.decide("test", [item, 999 - item], FINE, event=f"e{item}", tab="t", given=[0, 1])
    return folder / FILE


def one_line(caught: pytest.ExceptionInfo[StudyError], path: Path) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_only_the_database_speaks_sql() -> None:
    source = Path(misread.__file__).parent
    users = set()
    for file in source.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if "sqlite3" in {name.split(".")[0] for name in names}:
                users.add(file.relative_to(source).as_posix())
    assert users
    assert all(user.startswith("store/database/") for user in users), users


def test_what_is_acknowledged_is_on_the_disk(log: VerdictLog, tmp_path: Path) -> None:
    """WAL with `synchronous=FULL`: the write-ahead log is flushed before `decide` returns."""
    log.decide("test", [1], FINE, event="a", tab="t")
    connection = log._database._connection
    assert connection is not None
    settings = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "user_version": VERSION}
    for setting, expected in settings.items():
        assert connection.execute(f"PRAGMA {setting}").fetchone() == (expected,)
    # A copy of the files as they are now, taken from under the open log, has the verdict.
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.glob(FILE + "*"):
        shutil.copy(file, copy)
    (copy / f"{FILE}-shm").unlink()
    with contextlib.closing(VerdictLog(copy, SPLITS, 3)) as other:
        assert other.state("test").index.tolist() == [1]


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    assert list(decided(tmp_path, 2).parent.iterdir()) == [tmp_path / FILE]


def test_events_are_never_changed_nor_removed(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(decided(tmp_path, 2))) as connection:
        for change in ("UPDATE events SET verdict = 'model'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="events are only ever added"):
                connection.execute(change)


def test_any_sqlite_can_read_it(tmp_path: Path) -> None:
    """As the documentation shows."""
    with contextlib.closing(sqlite3.connect(decided(tmp_path, 2))) as connection:
        rows = connection.execute(
            "SELECT revision, value, verdict FROM events, json_each(items) WHERE kind = 'decide'"
        ).fetchall()
    assert rows == [(1, 0, "fine"), (1, 999, "fine"), (2, 1, "fine"), (2, 998, "fine")]


# Damage


def test_a_file_of_something_else_is_refused(log: VerdictLog, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but longer than a header of one" * 100)
    for use in (log.revision, lambda: log.decide("test", [1], FINE, event="a", tab="t")):
        with pytest.raises(StudyError) as caught:
            use()
        assert "damaged: file is not a database; move it" in one_line(caught, tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")


def test_a_database_of_another_program_is_refused(log: VerdictLog, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    for use in (log.revision, lambda: log.decide("test", [1], FINE, event="a", tab="t")):
        with pytest.raises(StudyError) as caught:
            use()
        assert "expected a database of misread; move it away" in one_line(caught, tmp_path / FILE)


def test_a_folder_in_its_place_is_refused(log: VerdictLog, tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    for use in (log.revision, lambda: log.decide("test", [1], FINE, event="a", tab="t")):
        with pytest.raises(StudyError) as caught:
            use()
        one_line(caught, tmp_path / FILE)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = decided(tmp_path)
    content = path.read_bytes()
    for length in (100, 4096, len(content) // 2, len(content) - 4096):
        path.write_bytes(content[:length])
        with (
            contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log,
            pytest.raises(StudyError) as caught,
        ):
            log.revision()
        assert "damaged" in one_line(caught, path)


def test_a_flipped_byte_is_read_or_refused(tmp_path: Path) -> None:
    path = decided(tmp_path, 30)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for position in generator.choice(len(content), 150, replace=False):
        damaged = bytearray(content)
        damaged[position] ^= int(generator.integers(1, 256))
        path.write_bytes(damaged)
        with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log:
            try:
                assert len(log.state("test")) <= 1_000
            except StudyError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET items = '[2, 5000]'",
        "UPDATE events SET items = '[-2]'",
        "UPDATE events SET items = '[1'",
        "UPDATE events SET items = '[]'",
        "UPDATE events SET items = '[1.5]'",
        "UPDATE events SET items = '[1],[2]'",
        "UPDATE events SET given = '[1]'",
        "UPDATE events SET split = 7",
        "UPDATE events SET kind = 'undo', items = NULL, target = 1 WHERE revision = 1",
        "UPDATE events SET kind = 'undo', items = NULL, target = 1 WHERE revision = 3",
        "UPDATE events SET items = CAST(X'ff' AS TEXT)",
        "DROP TABLE events",
        "DROP TABLE splits",
    ],
)
def test_events_that_cannot_be_are_refused(tmp_path: Path, change: str) -> None:
    path = decided(tmp_path, 3)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER events_unchanged")
        connection.execute("DROP TRIGGER events_kept")
        connection.execute(change)
        connection.commit()
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log:
        for _ in range(2):
            with pytest.raises(StudyError) as caught:
                log.state("test")
            assert "damaged" in one_line(caught, path)


# Versions


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = decided(tmp_path, 1)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log:
        for use in (log.revision, lambda: log.decide("test", [1], FINE, event="a", tab="t")):
            with pytest.raises(StudyError) as caught:
                use()
            assert f"expected version {VERSION} at most. Got 9" in one_line(caught, path)


NEXT = ("CREATE TABLE moods (mood TEXT)", "ALTER TABLE events ADD COLUMN mood TEXT")


def version_of(path: Path) -> int:
    """From the header, which can be read in any folder."""
    return int.from_bytes(path.read_bytes()[60:64], "big")


def test_a_file_of_an_older_version_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = decided(tmp_path, 3)
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, NEXT])
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log:
        assert log.revision() == 3
        log.decide("test", [500], FINE, event="new", tab="t")
        assert len(log.state("test")) == 7
    assert version_of(path) == VERSION + 1


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = decided(tmp_path, 3)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, (NEXT[0], "CREATE TABLE events(")])
        with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log, pytest.raises(StudyError):
            log.revision()
    assert version_of(path) == VERSION
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as log:
        assert log.revision() == 3


def test_a_file_whose_maker_died_is_completed(log: VerdictLog, tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    assert log.revision() == 0
    assert log.decide("test", [1], FINE, event="a", tab="t") == 1


# Rights and room


class Locked:
    """A folder that its reader can't write; root, who can write anything, becomes somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = os.geteuid()
        # Whatever is imported late is imported now: somebody else may not read it.
        with contextlib.closing(VerdictLog(folder, SPLITS, 3)) as log:
            log.decide("test", [1], FINE, event="a", tab="t")
            log.state("test")
        database_file._copy(folder / FILE).close()
        (folder / FILE).unlink()

    def lock(self) -> None:
        for file in self.folder.iterdir():
            file.chmod(0o444)
        self.folder.chmod(0o555)
        if self._user == 0:
            os.seteuid(65534)

    def unlock(self) -> None:
        os.seteuid(self._user)
        self.folder.chmod(0o755)


@pytest.fixture
def locked() -> Iterator[Locked]:
    if not hasattr(os, "geteuid"):
        pytest.skip("rights of folders work otherwise here")
    # Not in tmp_path, which is its owner's only.
    made = Locked(Path(tempfile.mkdtemp()))
    yield made
    made.unlock()
    shutil.rmtree(made.folder)


def test_a_folder_that_cannot_be_written_can_be_read(locked: Locked) -> None:
    locked.lock()
    with contextlib.closing(VerdictLog(locked.folder, SPLITS, 3)) as log:
        assert log.revision() == 0
        assert len(log.state("test")) == 0
        with pytest.raises(StudyError) as caught:
            log.decide("test", [1], FINE, event="a", tab="t")
        text = one_line(caught, locked.folder / FILE)
        assert "can't write verdicts: the file or its folder can't be written" in text


def test_verdicts_in_a_folder_that_cannot_be_written_can_be_read(
    locked: Locked, tmp_path: Path
) -> None:
    decided(tmp_path, 3)
    # An open log keeps its newest events in a file beside the database: they count, too.
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as writer:
        writer.decide("test", [500], FINE, event="late", tab="t")
        for name in (FILE, f"{FILE}-wal"):
            shutil.copy(tmp_path / name, locked.folder / name)
    locked.lock()
    with contextlib.closing(VerdictLog(locked.folder, SPLITS, 3)) as log:
        for _ in range(2):
            assert len(log.state("test")) == 7
            with pytest.raises(StudyError, match="can't write verdicts"):
                log.decide("test", [1], FINE, event="a", tab="t")
            with pytest.raises(StudyError, match="can't write verdicts"):
                log.undo("t", event="u")
    assert sorted(file.name for file in locked.folder.iterdir()) == [FILE, f"{FILE}-wal"]


def test_a_read_only_copy_is_read_anew_when_it_changes(locked: Locked, tmp_path: Path) -> None:
    shutil.copy(decided(tmp_path, 3), locked.folder)
    locked.lock()
    with contextlib.closing(VerdictLog(locked.folder, SPLITS, 3)) as log:
        assert log.revision() == 3
        locked.unlock()
        shutil.copyfile(decided(tmp_path, 5), locked.folder / FILE)
        locked.lock()
        assert log.revision() == 5
        assert len(log.state("test")) == 10


def test_a_file_that_is_older_and_read_only_can_be_read(
    locked: Locked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(decided(tmp_path, 3), locked.folder)
    locked.lock()
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, NEXT])
    with contextlib.closing(VerdictLog(locked.folder, SPLITS, 3)) as log:
        assert log.revision() == 3
    assert version_of(locked.folder / FILE) == VERSION


def test_a_full_disk_keeps_what_was_acknowledged(log: VerdictLog) -> None:
    log.decide("test", [1], FINE, event="a", tab="t")
    connection = log._database._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StudyError, match="full; what wasn't acknowledged isn't saved; make room"):
        log.decide("test", range(1_000), FINE, event="b", tab="t", given=[0] * 1_000)
    assert log.state("test").index.tolist() == [1]
    # It was closed, and opens without the limit.
    assert log.decide("test", range(1_000), FINE, event="b", tab="t", given=[0] * 1_000) == 2


def test_a_writer_that_never_ends_is_not_waited_for(
    tmp_path: Path, log: VerdictLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = decided(tmp_path, 1)
    monkeypatch.setattr(database_file, "WAIT", 0.05)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert log.revision() == 1  # readers don't wait at all
        with pytest.raises(StudyError, match="another process has held it for over 10 seconds"):
            log.decide("test", [5], FINE, event="x", tab="t")
        other.execute("ROLLBACK")
    assert log.decide("test", [5], FINE, event="x", tab="t") == 2
    assert failures.WAIT == 10


def test_a_file_that_was_replaced_is_read_anew(log: VerdictLog, tmp_path: Path) -> None:
    log.decide("test", [1, 2], FINE, event="a", tab="t")
    log.close()
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        shutil.move(decided(Path(folder), 5), tmp_path / FILE)
    assert log.revision() == 5
    assert log.state("test").index.tolist() == [0, 1, 2, 3, 4, 995, 996, 997, 998, 999]


@pytest.mark.skipif(os.name == "nt", reason="an open file can't be removed there")
def test_a_file_that_was_removed_is_made_anew(log: VerdictLog, tmp_path: Path) -> None:
    """Rather than written on where nobody will ever find it."""
    log.decide("test", [1], FINE, event="a", tab="t")
    for file in tmp_path.glob(FILE + "*"):
        file.unlink()
    assert log.revision() == 0
    assert len(log.state("test")) == 0
    assert log.decide("test", [7], FINE, event="b", tab="t") == 1
    assert log.state("test").index.tolist() == [7]
    with contextlib.closing(VerdictLog(tmp_path, SPLITS, 3)) as other:
        assert other.state("test").index.tolist() == [7]


def test_odd_folders_are_just_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=ro#x%20é"
    folder.mkdir()
    decided(folder, 2)
    assert [file.name for file in folder.iterdir()] == [FILE]
    assert Database(folder / FILE).events(1).revision == (2,)
