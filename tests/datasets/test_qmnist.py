import gzip
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import qmnist
from misread.datasets.mnist import load_mnist
from misread.errors import DatasetError
from misread.types import IntArray

NAME = "qmnist-test-labels.tsv.gz"


def make_table(rows: int = 40) -> IntArray:
    """Digits of 8 writers, 5 each, of series 0, 1 and 4."""
    number = np.arange(rows)
    writer = number // 5
    hsf = np.array([0, 1, 4])[writer % 3]
    label = number % 10
    zeros = np.zeros(rows, np.int64)
    return np.stack([label, hsf, writer, number % 5, label + 30, number, zeros, zeros], axis=1)


def as_text(table: IntArray) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in table.tolist()).encode()


class Server(ThreadingHTTPServer):
    """A server of one file; how it answers can be changed."""

    content = b""
    status = 200
    cut = 0
    asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        known = self.path == f"/qmnist/{NAME}"
        self.send_response(self.server.status if known else 404)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: len(self.server.content) - self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has the official table of the test split, which is a small one here."""
    table = as_text(make_table())
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(qmnist.SHA256, "test", hashlib.sha256(table).hexdigest())
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with Server(("127.0.0.1", 0), Handler) as made:
        made.content = gzip.compress(table)
        monkeypatch.setenv("MISREAD_QMNIST_URL", f"http://127.0.0.1:{made.server_port}/qmnist/")
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def refused(folder: Path | None = None) -> str:
    with pytest.raises(DatasetError) as caught:
        qmnist.read_qmnist(folder, ["test"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_table_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        found = qmnist.read_qmnist(None, ["test"])
        np.testing.assert_array_equal(found["test"], make_table())
    assert server.asked == 1
    assert (tmp_path / "cache" / "qmnist" / NAME).exists()


def test_a_damaged_cache_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "qmnist" / NAME
    path.parent.mkdir(parents=True)
    for content in (b"junk", gzip.compress(b"another table"), b""):
        path.write_bytes(content)
        qmnist.read_qmnist(None, ["test"])
        assert path.read_bytes() == server.content
    assert server.asked == 3


def test_another_packing_of_the_same_table_is_fine(server: Server) -> None:
    server.content = gzip.compress(as_text(make_table()), compresslevel=1, mtime=1)
    assert len(qmnist.read_qmnist(None, ["test"])["test"]) == 40


def test_another_table_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.content = gzip.compress(as_text(make_table()[::-1]))
    assert "isn't QMNIST's table (SHA-256 differs)" in refused()
    assert not (tmp_path / "cache").exists()


def test_a_download_that_breaks_off_is_refused(server: Server, tmp_path: Path) -> None:
    server.cut = 50
    # Which of the two it is depends on the version of Python.
    assert re.search("broke off|IncompleteRead", refused())
    assert not (tmp_path / "cache").exists()
    server.cut = 0
    server.content = server.content[:-20]
    assert "damaged or cut off" in refused()
    server.content = b"<html>sign in</html>"
    assert "damaged or cut off" in refused()


def test_offline_says_how_to_go_on(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.status = 404
    said = refused()
    assert "404" in said
    assert "--from" in said
    for url in ("http://127.0.0.1:9/qmnist", "http://absent.invalid/", "no address"):
        monkeypatch.setenv("MISREAD_QMNIST_URL", url)
        said = refused()
        assert "can't be downloaded" in said
        assert "--from" in said


def test_a_cache_that_cannot_be_written_is_no_obstacle(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    assert len(qmnist.read_qmnist(None, ["test"])["test"]) == 40


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_read_without_a_checksum(tmp_path: Path, packed: bool) -> None:
    text = as_text(make_table())
    name = NAME if packed else NAME.removesuffix(".gz")
    (tmp_path / name).write_bytes(gzip.compress(text) if packed else text)
    np.testing.assert_array_equal(qmnist.read_qmnist(tmp_path, ["test"])["test"], make_table())


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    assert "expected qmnist-test-labels.tsv.gz or qmnist-test-labels.tsv here" in refused(tmp_path)
    path = tmp_path / "qmnist-test-labels.tsv"
    for content, says in {
        b"": "found an empty file",
        b"\n\n": "found nothing in it",
        b"1\t2\n3\t4\n": "expected 8 columns. Got 2",
        b"a\tb\n": "expected whole numbers between tabs",
        b"1\t2\n3\n": "expected whole numbers between tabs",
    }.items():
        path.write_bytes(content)
        assert says in refused(tmp_path)
    (tmp_path / NAME).write_bytes(gzip.compress(as_text(make_table()))[:-30])
    assert "damaged or cut off" in refused(tmp_path)


def test_series_have_names() -> None:
    names = [qmnist.series_name(hsf) for hsf in (0, 3, 4, 7)]
    assert names == ["census employees", "census employees", "students", "series 7"]


@pytest.mark.skipif("MISREAD_QMNIST" not in os.environ, reason="MISREAD_QMNIST names no folder")
def test_the_real_tables_describe_mnist() -> None:
    folder = Path(os.environ["MISREAD_QMNIST"])
    tables = qmnist.read_qmnist(folder, ["train", "test"])
    digits = load_mnist()
    for split, table in tables.items():
        text = gzip.decompress((folder / f"qmnist-{split}-labels.tsv.gz").read_bytes())
        assert hashlib.sha256(text).hexdigest() == qmnist.SHA256[split]
        given = digits.splits[split].labels
        mine = table[: len(given)]
        np.testing.assert_array_equal(mine[:, qmnist.CLASS], given)
        assert set(mine[:, qmnist.HSF].tolist()) == {0, 4}
        students = mine[:, qmnist.HSF] == qmnist.STUDENTS
        assert (mine[students, qmnist.WRITER] >= 2100).all()
        assert (mine[~students, qmnist.WRITER] < 500).all()
    train, test = (
        set(tables[split][:size, qmnist.WRITER].tolist())
        for split, size in (("train", 60_000), ("test", 10_000))
    )
    assert (len(train), len(test)) == (539, 297)
    assert not train & test
