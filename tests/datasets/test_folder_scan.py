import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.datasets import folder_scan
from misread.datasets.folder_scan import Folder, scan_tree
from misread.errors import DatasetError


def write(root: Path, *files: str) -> None:
    """Files whose sizes are the lengths of their paths."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"x" * len(file))


def settle(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all changes had been made a while ago."""
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr("time.time_ns", lambda: later)


def listed(folder: Folder) -> dict[str, int]:
    names = folder.names.decode().split("/")[:-1]
    return dict(zip(names, folder.sizes.tolist(), strict=True))


def test_images_are_found_by_their_endings_with_their_sizes(tmp_path: Path) -> None:
    write(tmp_path, "b/2.PNG", "b/10.png", "b/1.jpeg", "b/deep/er/x.tiff", "a.webp")
    found = scan_tree(tmp_path)
    assert list(found) == ["", "b", "b/deep", "b/deep/er"]
    assert listed(found[""]) == {"a.webp": 6}
    assert listed(found["b"]) == {"1.jpeg": 8, "10.png": 8, "2.PNG": 7}
    assert listed(found["b/deep"]) == {}
    assert listed(found["b/deep/er"]) == {"x.tiff": 16}
    assert found[""].subfolders == ("b",)
    assert found["b"].sizes.dtype == np.int64


def test_hidden_and_other_files_are_counted(tmp_path: Path) -> None:
    write(tmp_path, ".hidden.png", ".git/a.png", "__MACOSX/a.png", "a.txt", "b.TXT", "noending")
    write(tmp_path, "c.png.bak", "odd.averyverylongending")
    os.mkfifo(tmp_path / "pipe.png")
    found = scan_tree(tmp_path)
    assert list(found) == [""]
    assert found[""].hidden == 3
    assert found[""].others == {".txt": 2, "": 2, ".bak": 1, ".png": 1}
    assert not len(found[""])


@settings(deadline=None)
@given(
    files=st.sets(
        st.lists(st.sampled_from(["a", "b", "é", "a b", "Z"]), min_size=1, max_size=4).map(
            lambda parts: "/".join([*parts[:-1], f"{parts[-1]}.png"])
        ),
        max_size=15,
    )
)
def test_it_finds_what_a_walk_finds(
    tmp_path_factory: pytest.TempPathFactory, files: set[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    write(root, *files)
    found = scan_tree(root)
    paths = {
        f"{path}/{name}".lstrip("/"): size
        for path, folder in found.items()
        for name, size in listed(folder).items()
    }
    walked = {str(file.relative_to(root)): file.stat().st_size for file in root.rglob("*.png")}
    assert paths == walked
    assert set(found) == {
        "" if folder == root else str(folder.relative_to(root))
        for folder in (root, *(place for place in root.rglob("*") if place.is_dir()))
    }


def test_links_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "store/one.png", "tree/a/two.png")
    (tmp_path / "tree/b").symlink_to(tmp_path / "store")
    (tmp_path / "tree/a/three.png").symlink_to("two.png")
    found = scan_tree(tmp_path / "tree")
    assert listed(found["b"]) == {"one.png": 13}
    assert listed(found["a"]) == {"three.png": 14, "two.png": 14}


@pytest.mark.parametrize("target", ["..", ".", "../..", "/"])
def test_a_link_to_where_it_lies_is_refused(tmp_path: Path, target: str) -> None:
    write(tmp_path, "tree/a/one.png")
    (tmp_path / "tree/a/loop").symlink_to(target)
    with pytest.raises(DatasetError, match=r"a/loop: expected a folder, found a link .* remove"):
        scan_tree(tmp_path / "tree")


def test_two_links_that_lead_to_each_other_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "tree/a/one.png", "elsewhere/two.png")
    (tmp_path / "tree/a/out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"back: .* a link to a folder that it lies in"):
        scan_tree(tmp_path / "tree")
    (tmp_path / "elsewhere/back").unlink()
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "tree/a")
    with pytest.raises(DatasetError, match=r"back: .* a link to a folder that it lies in"):
        scan_tree(tmp_path / "tree")


@pytest.mark.parametrize("name", ["self", "self.png"])
def test_a_link_to_itself_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(name)
    with pytest.raises(DatasetError, match=rf"{name}: expected .* can't be read: \w+"):
        scan_tree(tmp_path)


def test_a_link_to_nothing_is_one_line_if_it_has_an_images_name(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to("nowhere")
    assert scan_tree(tmp_path)[""].others == {".txt": 1}
    (tmp_path / "gone.png").symlink_to("nowhere")
    with pytest.raises(DatasetError, match=r"gone\.png: expected .* can't be read: No such file"):
        scan_tree(tmp_path)


def test_a_name_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"caf\xe9"):
        root = tmp_path / ("file" if name.endswith(b"png") else "folder")
        root.mkdir()
        place = os.path.join(os.fsencode(root), name)  # noqa: PTH118
        if name.endswith(b"png"):
            Path(os.fsdecode(place)).touch()
        else:
            Path(os.fsdecode(place)).mkdir()
        with pytest.raises(DatasetError, match="expected a name in UTF-8; rename it") as caught:
            scan_tree(root)
        str(caught.value).encode()


def test_a_file_or_nothing_at_all_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, "file.png")
    for path in (tmp_path / "file.png", tmp_path / "nothing"):
        with pytest.raises(DatasetError, match="expected a folder of image files"):
            scan_tree(path)


def test_only_folders_that_have_changed_are_looked_through_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a/1.png", "b/1.png", "c/1.png", "c/d/1.png", "e/1.png", "f/1.png")
    settle(tmp_path, monkeypatch)
    before = scan_tree(tmp_path)
    write(tmp_path, "a/2.png", "c/d/new/1.png")
    (tmp_path / "b/1.png").unlink()
    (tmp_path / "e/1.png").rename(tmp_path / "e/2.png")
    (tmp_path / "other.png").write_bytes(b"another")
    (tmp_path / "other.png").rename(tmp_path / "f/1.png")
    now = scan_tree(tmp_path, before)
    same = {path for path, folder in now.items() if before.get(path) is folder}
    assert same == {"c"}
    afresh = scan_tree(tmp_path)
    assert {p: listed(f) for p, f in now.items()} == {p: listed(f) for p, f in afresh.items()}


def test_a_folder_that_has_just_changed_is_looked_through_again(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png")
    before = scan_tree(tmp_path)
    assert {folder.stamp for folder in before.values()} == {""}
    assert not set(before.values()) & set(scan_tree(tmp_path, before).values())


def test_a_folder_whose_time_was_set_back_is_looked_through_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a/1.png")
    os.utime(tmp_path / "a", (1, 1))
    settle(tmp_path, monkeypatch)
    before = scan_tree(tmp_path)
    write(tmp_path, "a/2.png")
    os.utime(tmp_path / "a", (1, 1))
    assert listed(scan_tree(tmp_path, before)["a"]) == {"1.png": 7, "2.png": 7}


def test_a_slow_disk_is_asked_many_things_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *(f"{folder:02}/deep/{file}.png" for folder in range(30) for file in range(3)))
    expected = scan_tree(tmp_path)
    monkeypatch.setattr(folder_scan, "_PATIENCE", -1.0)
    found = scan_tree(tmp_path)
    assert list(found) == list(expected)
    assert [listed(f) for f in found.values()] == [listed(f) for f in expected.values()]
    (tmp_path / "07/deep/gone.png").symlink_to("nowhere")
    with pytest.raises(DatasetError, match=r"gone\.png"):
        scan_tree(tmp_path)
