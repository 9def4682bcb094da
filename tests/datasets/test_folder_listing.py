import os
import time
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import folder_listing
from misread.datasets.folder_listing import Listing, list_tree, listing_file
from misread.datasets.folder_scan import scan_tree

FILES = [f"{folder}/{file}.png" for folder in ("a", "b/c", "é") for file in range(12)]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree that counts as large, and that was made a while ago."""
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folder_listing, "_FEWEST_FILES", 30)
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr("time.time_ns", lambda: later)
    for file in [*FILES, "notes.txt", ".hidden"]:
        place = tmp_path / "tree" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"x" * len(file))
    return tmp_path / "tree"


def content(listing: Listing) -> dict[str, object]:
    return {
        path: (f.subfolders, bytes(f.names), f.sizes.tolist(), f.hidden, dict(f.others))
        for path, f in listing.items()
    }


def count_scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that are looked through from now on."""
    scanned: list[str] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        scanned.append(path.name)
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    return scanned


def test_a_second_listing_is_the_same_without_looking_through_the_folders(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list_tree(root)
    assert content(first) == content(scan_tree(root))
    scanned = count_scans(monkeypatch)
    second = list_tree(root)
    assert scanned == []
    assert content(second) == content(first)


def test_what_has_changed_is_noticed_and_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_tree(root)
    (root / "a/new.png").write_bytes(b"new")
    (root / "b/c/3.png").unlink()
    (root / "late/folder").mkdir(parents=True)
    (root / "late/folder/1.png").write_bytes(b"1")
    scanned = count_scans(monkeypatch)
    second = list_tree(root)
    assert sorted(scanned) == ["a", "c", "folder", "late", "tree"]
    assert content(second) == content(scan_tree(root))
    scanned.clear()
    assert content(list_tree(root)) == content(second)
    assert scanned == []


def test_a_folder_that_is_gone_is_gone(root: Path) -> None:
    list_tree(root)
    for file in (root / "b/c").iterdir():
        file.unlink()
    (root / "b/c").rmdir()
    (root / "a/12.png").write_bytes(b"more, so that it still counts as large")
    for number in range(13, 30):
        (root / f"a/{number}.png").write_bytes(b"more")
    assert content(list_tree(root)) == content(scan_tree(root))
    assert content(list_tree(root)) == content(scan_tree(root))


def test_files_written_over_in_their_place_are_noticed_by_their_sizes(root: Path) -> None:
    list_tree(root)
    with (root / "b/c/5.png").open("ab") as file:
        file.write(b"longer")
    assert content(list_tree(root)) == content(scan_tree(root))


def test_of_many_files_some_are_looked_at_in_every_large_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 36 files 4 are looked at, and the first and the last are among them.
    monkeypatch.setattr(folder_listing, "_LOOKED_AT", 4)
    first = list_tree(root)
    with (root / "b/c/5.png").open("ab") as file:
        file.write(b"longer")
    assert content(list_tree(root)) == content(first)
    for folder in root.rglob("*"):
        if folder.is_dir():
            for picture in folder.glob("*.png"):
                with picture.open("ab") as file:
                    file.write(b"longer")
    assert content(list_tree(root)) == content(scan_tree(root))


def test_a_linked_file_that_vanishes_is_noticed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "target.png").write_bytes(b"x")
    (root / "a/link.png").symlink_to(tmp_path / "target.png")
    list_tree(root)
    (tmp_path / "target.png").write_bytes(b"longer")
    assert content(list_tree(root)) == content(scan_tree(root))


def test_small_trees_are_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_tree(root)
    assert listing_file(root).exists()
    monkeypatch.setattr(folder_listing, "_FEWEST_FILES", 100)
    (root / "a/new.png").write_bytes(b"new")
    list_tree(root)
    assert not listing_file(root).exists()


@pytest.mark.parametrize("damage", ["nothing", "half", "text", "other", "format", "counts"])
def test_a_damaged_listing_only_costs_time(root: Path, damage: str) -> None:
    first = list_tree(root)
    file = listing_file(root)
    whole = file.read_bytes()
    with np.load(file) as arrays:
        kept = dict(arrays)
    match damage:
        case "nothing":
            file.write_bytes(b"")
        case "half":
            file.write_bytes(whole[: len(whole) // 2])
        case "text":
            file.write_text("not a listing")
        case "other":
            np.savez(file, names=np.zeros(3))
        case "format":
            table = kept["table"].tobytes().replace(b'"format": 1', b'"format": 0')
            np.savez(file, **{**kept, "table": np.frombuffer(table, np.uint8)})
        case "counts":
            np.savez(file, **{**kept, "sizes": kept["sizes"][1:]})
    assert content(list_tree(root)) == content(first)
    assert file.read_bytes() == whole


def test_a_listing_of_another_folder_is_not_believed(root: Path, tmp_path: Path) -> None:
    list_tree(root)
    other = tmp_path / "other"
    (other / "x").mkdir(parents=True)
    listing_file(root).rename(listing_file(other))
    assert list(list_tree(other)) == ["", "x"]


def test_a_cache_that_cannot_be_written_only_costs_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path / "file"))
    assert content(list_tree(root)) == content(list_tree(root)) == content(scan_tree(root))
