"""Several processes on one study, and processes that are killed at random moments."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from misread.store import SplitRecord, VerdictLog

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are made by os.fork")

SPLITS = {"test": SplitRecord(100_000, "a", "b")}

# Makes a writer for each line that it reads, quickly, since all is imported. A writer decides one
# image after another and notes each in a file when it is acknowledged.
NURSERY = """
import os, signal, sys, time
from pathlib import Path
from misread.store import SplitRecord, VerdictLog

def write(folder, name, first, count, undo_every):
    log = VerdictLog(Path(folder), {"test": SplitRecord(100_000, "a", "b")}, 3)
    with Path(folder, name).open("wb", buffering=0) as notes:
        for item in range(first, first + count):
            revision = log.decide("test", [item], "fine", event=f"{name}-{item}", tab=name)
            notes.write(f"{item} {revision}\\n".encode())
            if undo_every and item % undo_every == 3:
                log.undo(name, event=f"{name}-{item}-undo")
                log.redo(name, event=f"{name}-{item}-redo")
            time.sleep(0.001)  # SQLite's lock isn't fair: one writer would keep the others off
        notes.write(b"done\\n")

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    folder, name, *numbers = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if not pid:
        try:
            write(folder, name, *map(int, numbers))
        finally:
            os._exit(0)
    print(pid, flush=True)
"""

Spawn = Callable[..., int]


@pytest.fixture(scope="module")
def spawn() -> Iterator[Spawn]:
    """Start a writer; gives its process id."""
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        order, answer = nursery.stdin, nursery.stdout

        def start(folder: Path, name: str, first: int, count: int, undo_every: int = 0) -> int:
            order.write(
                "\t".join([str(folder), name, *map(str, (first, count, undo_every))]) + "\n"
            )
            order.flush()
            return int(answer.readline())

        yield start


def noted(file: Path) -> list[list[str]]:
    """The whole lines that a writer has noted so far."""
    content = file.read_text() if file.exists() else ""
    return [line.split() for line in content[: content.rfind("\n") + 1].splitlines()]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_processes_that_start_together_lose_nothing(tmp_path: Path, spawn: Spawn) -> None:
    """They make the file together, too."""
    count = 40
    for n in range(3):
        spawn(tmp_path, f"w{n}", 100 * n, count, undo_every=7)
    files = [tmp_path / f"w{n}" for n in range(3)]
    wait_for(lambda: all(noted(file)[-1:] == [["done"]] for file in files))
    revisions = [int(line[1]) for file in files for line in noted(file)[:-1]]
    assert len(set(revisions)) == 3 * count
    log = VerdictLog(tmp_path, SPLITS, 3)
    expected = [100 * n + item for n in range(3) for item in range(count)]
    assert log.state("test").index.tolist() == expected
    undone = sum(item % 7 == 3 for item in expected)
    assert log.revision() == 3 * count + 2 * undone
    log.close()


def test_killing_writers_loses_no_acknowledged_verdict(tmp_path: Path, spawn: Spawn) -> None:
    generator = random.Random(0)
    log = VerdictLog(tmp_path, SPLITS, 3)
    files: list[Path] = []
    for turn in range(10):
        names = [f"w{turn}-{n}" for n in range(3)]
        pids = [spawn(tmp_path, name, 3000 * turn + 1000 * n, 1000) for n, name in enumerate(names)]
        files += [tmp_path / name for name in names]
        for pid, file in zip(pids, files[-3:], strict=True):
            least = generator.randint(0, 5)
            wait_for(lambda file=file, least=least: len(noted(file)) >= least)  # type: ignore[misc]
            time.sleep(generator.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
        acknowledged = {int(line[0]) for file in files for line in noted(file)}
        # The log that was open all the time and a new one tell the same.
        fresh = VerdictLog(tmp_path, SPLITS, 3)
        for reader in (log, fresh):
            found = set(reader.state("test").index.tolist())
            assert acknowledged <= found
            # Beyond these, at most the one that each writer had no time to note.
            assert len(found - acknowledged) <= len(files)
        fresh.close()
    assert len(files) == 30
    assert len(acknowledged) >= 30
    log.close()
