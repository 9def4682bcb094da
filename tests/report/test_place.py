import json
import os
import stat
from pathlib import Path

import pytest

from misread.errors import ParameterError
from misread.report import Report, check_place, put_report
from misread.report.document import GENERATOR, MANIFEST


def folder_report(**files: str) -> Report:
    contents = {name.replace("_", "."): text.encode() for name, text in files.items()}
    names = sorted([*contents, MANIFEST])
    manifest = json.dumps({"format": "misread report 1", "files": names}).encode()
    return Report(contents | {MANIFEST: manifest}, single_file=False)


def single(text: str = "") -> Report:
    return Report({"index.html": f"<!doctype html>{GENERATOR}{text}".encode()}, single_file=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_and_its_parents_are_made(tmp_path: Path) -> None:
    page = put_report(folder_report(index_html="a"), tmp_path / "a" / "b")
    assert page == tmp_path / "a" / "b" / "index.html"
    assert page.read_text() == "a"
    assert names(tmp_path / "a") == ["b"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o777 & ~umask


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert put_report(folder_report(index_html="a"), tmp_path).read_text() == "a"


def test_a_former_report_is_replaced_whole(tmp_path: Path) -> None:
    place = tmp_path / "report"
    put_report(folder_report(index_html="old", gone_html="x"), place)
    put_report(folder_report(index_html="new"), place)
    assert names(place) == ["index.html", MANIFEST]
    assert (place / "index.html").read_text() == "new"
    assert names(tmp_path) == ["report"]


@pytest.mark.parametrize("name", ["notes.txt", "index.htm", ".git"])
def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path, name: str) -> None:
    place = tmp_path / "report"
    put_report(folder_report(index_html="old"), place)
    (place / name).write_text("mine")
    with pytest.raises(ParameterError, match=rf"holds '{name}', which no report.*name another"):
        put_report(folder_report(index_html="new"), place)
    assert (place / "index.html").read_text() == "old"
    assert (place / name).read_text() == "mine"


def test_a_folder_that_never_was_a_report_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my own page")
    for manifest in (None, "{", '{"format": "other 1", "files": ["index.html"]}', "[]"):
        if manifest is not None:
            (tmp_path / MANIFEST).write_text(manifest)
        with pytest.raises(ParameterError, match="which no report of misread's has written"):
            check_place(tmp_path, single_file=False)
    assert (tmp_path / "index.html").read_text() == "my own page"


def test_a_file_in_a_folders_place(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(ParameterError, match="is a file; name another place"):
        check_place(tmp_path / "report", single_file=False)
    with pytest.raises(ParameterError, match="--single-file writes one file"):
        check_place(tmp_path / "report.html", single_file=False)


def test_single_files(tmp_path: Path) -> None:
    place = tmp_path / "new" / "report.html"
    assert put_report(single("one"), place) == place
    assert put_report(single("two"), place).read_text().endswith("two")
    with pytest.raises(ParameterError, match=r"expected a \.html file"):
        put_report(single(), tmp_path / "report")
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(ParameterError, match="is no report of misread's; name another file"):
        put_report(single(), tmp_path / "mine.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ParameterError, match="can't replace"):
        put_report(single(), tmp_path / "folder.html")


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put_report(folder_report(index_html="a"), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "index.html").read_text() == "a"


def test_the_former_report_stays_if_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "report"
    put_report(folder_report(index_html="old"), place)
    rename, calls = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(self.name)
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(ParameterError, match=r"can't write .*No space left on device"):
        put_report(folder_report(index_html="new"), place)
    assert (place / "index.html").read_text() == "old"
    assert names(tmp_path) == ["report"]
    assert calls == ["report", "new", "old"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_place(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ParameterError, match=r"can't write .*Permission denied"):
        put_report(folder_report(index_html="a"), tmp_path / "report")


def test_a_place_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="can't write"):
        put_report(folder_report(index_html="a"), tmp_path / "file" / "report")
    with pytest.raises(ParameterError, match="can't write"):
        put_report(single(), tmp_path / "file" / "report.html")
