import os
import stat
from pathlib import Path

import pytest

from misread.files import cache_folder, replacing, write_bytes, write_text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    write_text(path, "first é")
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_writer_that_raises_leaves_the_former_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file.bin"
    write_bytes(path, b"former")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        assert path.read_bytes() == b"former"
        raise error
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_stands_at_the_path_before_the_writer_is_done(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with replacing(path) as temporary:
        temporary.write_bytes(b"whole")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename across file systems isn't atomic
    assert path.read_bytes() == b"whole"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_file_has_the_rights_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "file.txt", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == 0o666 & ~umask


def test_the_cache_is_the_users_unless_the_variable_names_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MISREAD_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.setenv("MISREAD_CACHE", "")
    assert "misread" in cache_folder().parts
