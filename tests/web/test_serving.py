"""The real command in a process of its own: ports, Ctrl-C, kills, two processes on one study."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from misread.datasets import Dataset
from misread.errors import ServerError
from misread.store import Study
from misread.tables import Predictions
from misread.web.serving import DEFAULT_PORT, address, listen

MISREAD = [sys.executable, "-m", "misread"]


@pytest.fixture
def study(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
    make_predictions: Callable[..., Predictions],
) -> Study:
    """A study that another process can open."""
    from misread.datasets import load

    dataset = load(write_npz(tmp_path / "bars.npz", make_dataset()))
    place = Study.create(tmp_path / "bars-study", dataset)
    place.save_predictions(make_predictions(dataset.test))
    return place


class Running:
    """A running `misread open`."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url
        self.http = httpx.Client(base_url=url, timeout=20)
        self.token = self.http.get("/api/boot").json()["token"]

    def post(self, url: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Origin": self.url.rstrip("/"), "X-Misread-Token": self.token}
        return self.http.post(url, json=body, headers=headers)

    def decide(self, items: list[int], verdict: str, event: str, tab: str) -> httpx.Response:
        body = {"split": "test", "items": items, "verdict": verdict, "label": None}
        return self.post("/api/verdicts", body | {"event": event, "tab": tab})


@contextmanager
def opened(study: Study) -> Iterator[Running]:
    command = [*MISREAD, "open", "--study", str(study.path), "--no-browser", "--port", "0"]
    process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, "misread open ended at once"
        text += line
    running = Running(process, json.loads(text)["url"])
    try:
        yield running
    finally:
        running.http.close()
        process.kill()
        process.wait()
        process.stdout.close()


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*MISREAD, *arguments], capture_output=True, text=True, timeout=60)


def test_ctrl_c_ends_it_well_and_soon(study: Study) -> None:
    with opened(study) as running:
        assert running.http.get("/").status_code == 200
        started = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 0
        assert time.monotonic() - started < 10


def test_a_port_in_use_is_one_line(study: Study) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = run("open", "--study", str(study.path), "--no-browser", "--port", port)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"misread: port: {port} is in use; --port 0 takes a free one\n"


def test_a_missing_study_is_one_line(tmp_path: Path) -> None:
    done = run("open", "--study", str(tmp_path / "nothing"), "--no-browser")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "expected a study" in done.stderr


def test_a_dataset_that_was_moved_is_one_line(study: Study, tmp_path: Path) -> None:
    (tmp_path / "bars.npz").rename(tmp_path / "moved.npz")
    done = run("open", "--study", str(study.path), "--no-browser", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "bars.npz" in done.stderr


def test_an_address_of_another_machine_is_one_line(study: Study) -> None:
    done = run("open", "--study", str(study.path), "--no-browser", "--host", "192.0.2.1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "host: expected an address" in done.stderr


def test_the_usual_port_gives_way_to_a_free_one() -> None:
    try:
        first = listen("127.0.0.1", DEFAULT_PORT)
    except ServerError:
        first = None  # somebody has a gallery open
    second = listen("127.0.0.1", None)
    try:
        assert second.getsockname()[1] != DEFAULT_PORT
        assert address("0.0.0.0", second).startswith("http://127.0.0.1:")
    finally:
        second.close()
        if first is not None:
            first.close()


def verdicts_of(study: Study) -> dict[int, str]:
    """What a process that opens the study anew reads."""
    state = Study.open(study.path).verdicts.state("test")
    found = {int(index): state.find(int(index)) for index in state.index}
    return {index: str(entry[0]) for index, entry in found.items() if entry}


VERDICTS = ("model", "ambiguous", "unreadable", "fine")


def test_kill_9_loses_no_acknowledged_verdict(study: Study) -> None:
    """Killed while it saves, at another moment each time; counted in answers, not in seconds."""
    rng = random.Random(0)
    standing: dict[int, str] = {}
    answered = 0
    for round_number in range(5):
        with opened(study) as running:
            # Somewhere between two answers, a few milliseconds after this many.
            before, delay = rng.randrange(5, 25), rng.uniform(0, 0.02)
            killer = threading.Timer(delay, running.process.kill)
            for number in itertools.count():
                index, verdict = rng.randrange(90), rng.choice(VERDICTS)
                if number == before:
                    killer.start()
                try:
                    answer = running.decide([index], verdict, f"{round_number}-{number}", "tab")
                except httpx.TransportError:
                    break
                assert answer.status_code == 200
                standing[index] = verdict
                answered += 1
            killer.join()
        found = verdicts_of(study)
        # Only the verdict that was on its way may stand or not.
        assert found.pop(index, None) in (verdict, standing.pop(index, None))
        assert found == standing
        standing = verdicts_of(study)
    assert answered >= 5 * 5


def test_two_processes_on_one_study_lose_nothing_and_tell_each_other(study: Study) -> None:
    with opened(study) as one, opened(study) as two:
        failures: list[object] = []

        def work(running: Running, name: str, verdict: str, first: int) -> None:
            for number in range(40):
                index = first + number
                answer = running.decide([index], verdict, f"{name}-{number}", name)
                if answer.status_code != 200:
                    failures.append(answer.text)

        threads = [
            threading.Thread(target=work, args=(one, "one", "fine", 0)),
            threading.Thread(target=work, args=(two, "two", "ambiguous", 45)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        expected = dict.fromkeys(range(40), "fine") | dict.fromkeys(range(45, 85), "ambiguous")
        assert verdicts_of(study) == expected
        for running in (one, two):
            told = running.http.get("/api/changes?since=0").json()
            assert told["revision"] == 80
            assert {index: verdict for _, index, verdict, _ in told["changes"]} == expected
        # An undo in one process takes back what its own tab did, not the other's.
        undone = one.post("/api/undo", {"tab": "one", "event": "undo"}).json()
        assert undone["items"] == [39]
        assert two.http.get("/api/changes?since=80").json()["changes"] == [["test", 39, None, None]]


def test_a_folder_that_cannot_be_written_is_shown(study: Study) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    study.path.chmod(0o500)
    try:
        with opened(study) as running:
            assert running.http.get("/api/boot").json()["writable"] is False
            assert running.http.get("/api/view?decided=none").json()["total"] == 90
            assert running.decide([1], "fine", "e", "t").status_code == 403
    finally:
        study.path.chmod(0o700)
