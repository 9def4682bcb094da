"""Links of a reader study that stay the same from one start to the next."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from misread.datasets import Dataset, load
from misread.errors import ParameterError, ServerError
from misread.store import Study
from misread.web.reader.app import make_reading_app
from misread.web.serving import listen, network_address
from misread.workflows import read as workflow
from misread.workflows.read import ReadingLinks, read

Start = Callable[..., ReadingLinks]


@pytest.fixture
def study(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Study:
    dataset = load(str(write_npz(tmp_path / "bars.npz", make_dataset(test=300))))
    return Study.create(tmp_path / "study", dataset)


@pytest.fixture
def free_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port, as the usual one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    monkeypatch.setattr("misread.web.serving.DEFAULT_PORT", port)
    monkeypatch.setattr("misread.workflows.read.DEFAULT_PORT", port)
    return port


@pytest.fixture
def start(study: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts to serve and ends at once; what the page is made of is in `.pages`."""

    def run(app: Any, listening: socket.socket, started: Callable[[], None]) -> None:
        started()
        listening.close()

    def go(**options: Any) -> ReadingLinks:
        found: list[ReadingLinks] = []
        read(Study.open(study.path), **options, browser=False, on_start=found.append)
        return found[0]

    monkeypatch.setattr(workflow, "run_server", run)
    yield go


def port_of(link: str) -> int:
    return int(link.split("/")[2].rpartition(":")[2])


def test_every_link_is_the_same_after_a_restart(start: Start, free_port: int) -> None:
    first = start(readers=["ann", "bob"])
    assert set(first.readers) == {"ann", "bob"}
    assert first.notes == ()
    again = start()
    assert again == first
    assert port_of(again.owner) == free_port


def test_a_taken_port_is_told_and_its_substitute_stays(start: Start, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        first = start(readers=["ann"])
    port = port_of(first.readers["ann"])
    assert port != free_port
    assert first.notes == (
        f"port {free_port} is in use: port {port} is taken instead, from now on",
    )
    # The usual port is free now; the link that Ann has names the other one.
    again = start()
    assert again.readers == first.readers
    assert again.notes == ()


def test_links_that_would_be_dead_are_refused(start: Start, free_port: int) -> None:
    first = start(readers=["ann"])
    with socket.create_server(("127.0.0.1", free_port)):
        with pytest.raises(ServerError, match=f"port: {free_port} is in use, and the links") as why:
            start(readers=["bob"])
        assert "--port 0" in str(why.value)
        moved = start(port=0)
    assert set(moved.readers) == {"ann"}
    assert moved.readers != first.readers
    (note,) = moved.notes
    assert f"named port {free_port}" in note


def test_the_network_is_given_an_address_that_it_can_open(
    start: Start, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = start(readers=["ann"], host="0.0.0.0")
    for link in (found.owner, *found.readers.values()):
        assert "127.0.0.1" not in link
        assert "0.0.0.0" not in link
        assert port_of(link) == free_port
    local = start(host="127.0.0.1")
    assert local.owner.startswith(f"http://127.0.0.1:{free_port}/")
    # Without a way to anywhere: by name.
    monkeypatch.setattr("misread.web.serving._own_address", lambda family, beyond: None)
    assert start(host="0.0.0.0").owner.startswith(f"http://{socket.gethostname()}:{free_port}/")


def test_the_address_is_that_of_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Probe:
        def __init__(self, family: int, kind: int) -> None:
            assert kind == socket.SOCK_DGRAM

        def __enter__(self) -> "Probe":
            return self

        def __exit__(self, *error: object) -> None: ...

        def connect(self, to: tuple[str, int]) -> None:
            assert to[0].startswith("192.0.2.")  # reserved for documentation

        def getsockname(self) -> tuple[str, int]:
            return "10.1.2.3", 5

    listening = listen("0.0.0.0", 0)
    port = listening.getsockname()[1]
    with monkeypatch.context() as patch:
        patch.setattr("misread.web.serving.socket.socket", Probe)
        assert network_address("0.0.0.0", listening) == f"http://10.1.2.3:{port}"
    listening.close()


def test_keys_and_contact_are_remembered(
    start: Start, free_port: int, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str | None, str]] = []

    def note(reading: Any, door: Any) -> Any:
        seen.append((reading.keys, reading.contact))
        return make_reading_app(reading, door)

    monkeypatch.setattr(workflow, "make_reading_app", note)
    start(readers=["ann"], keys="xcv", contact="Eve, eve@example.org")
    start()
    with pytest.raises(ParameterError, match="keys: expected 3"):
        start(keys="xc")
    start()
    start(keys="", contact="")
    start()
    kept = ("xcv", "Eve, eve@example.org")
    assert [seen[0], seen[1], seen[3]] == [kept] * 3
    assert seen[4:] == [(None, "")] * 2


def test_a_study_that_cant_be_written_is_told_of_readings(
    start: Start, free_port: int, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    start(readers=["ann"])

    def refuse(path: Path, place: Path | None = None) -> sqlite3.Connection:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY
        raise error

    monkeypatch.setattr("misread.store.database.file._open", refuse)
    from misread.errors import StudyError

    with pytest.raises(StudyError, match="can't write readings: the file or its folder"):
        study.reading_log.enrol(study.load_plan() or pytest.fail("no plan"), "bob")
