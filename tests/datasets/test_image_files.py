import hashlib
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from misread.datasets import Split, folder_listing
from misread.datasets.folder_listing import listing_file
from misread.datasets.folder_scan import scan_tree
from misread.datasets.image_files import ImageFiles
from misread.datasets.image_folder import load_image_folder
from misread.datasets.images import Previewed
from misread.errors import DatasetError
from misread.types import Array
from misread.views.thumbnails import Thumbnails


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(file: Path, image: Array) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(file)


def images_in(root: Path, inside: str = "") -> ImageFiles:
    listing = scan_tree(root)
    folders = [folder for path, folder in sorted(listing.items()) if len(folder)]
    return ImageFiles(root, inside, folders)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, name in enumerate(["b/2.png", "b/10.bmp", "a/x/é 1.png", "a/z.png", "top.png"]):
        save(tmp_path / "tree" / name, noise(4 + number, 5, seed=number))
    return tmp_path / "tree"


def test_images_are_read_in_the_order_of_folder_and_name(root: Path) -> None:
    files = images_in(root)
    names = ["top.png", "a/z.png", "a/x/é 1.png", "b/10.bmp", "b/2.png"]
    assert [files.name(i) for i in range(len(files))] == names
    for i, name in enumerate(names):
        np.testing.assert_array_equal(files[i], np.asarray(Image.open(root / name)))


def test_they_can_be_iterated_and_end(root: Path) -> None:
    assert len(list(images_in(root))) == 5  # type: ignore[call-overload]
    for i in (-1, 5):
        with pytest.raises(IndexError):
            images_in(root)[i]


def test_the_fingerprint_is_over_paths_sizes_and_a_sample(root: Path) -> None:
    """Against a slow loop over the files themselves."""
    digest = hashlib.sha256(b"image files: folder, names, sizes, sample\n")
    contents = b""
    for folder in ("", "a", "a/x", "b"):
        names = sorted(f.name for f in (root / folder).iterdir() if f.is_file())
        digest.update(f"{folder}\n{len(names)}\n".encode())
        digest.update("".join(f"{name}/" for name in names).encode())
        for name in names:
            content = (root / folder / name).read_bytes()
            digest.update(len(content).to_bytes(8, "little"))
            contents += content
    digest.update(contents)
    assert images_in(root).fingerprint() == f"sha256:{digest.hexdigest()}"


def test_another_name_or_size_is_another_fingerprint_and_another_place_is_not(
    root: Path, tmp_path: Path
) -> None:
    before = images_in(root).fingerprint()
    root.rename(tmp_path / "moved")
    root = tmp_path / "moved"
    assert images_in(root).fingerprint() == before
    (root / "b/2.png").rename(root / "b/3.png")
    renamed = images_in(root).fingerprint()
    with (root / "b/3.png").open("ab") as file:
        file.write(b"more")
    assert len({before, renamed, images_in(root).fingerprint()}) == 3


def test_other_images_of_the_same_names_and_sizes_have_another_fingerprint(tmp_path: Path) -> None:
    """As of two splits of uncompressed images, numbered alike."""
    for i in range(200):
        save(tmp_path / f"train/a/{i}.bmp", noise(4, 4, seed=i))
        save(tmp_path / f"test/a/{i}.bmp", noise(4, 4, seed=1000 + i))
    train, test = images_in(tmp_path, "train"), images_in(tmp_path, "test")
    sizes = [[len(split.content(i)) for i in range(200)] for split in (train, test)]
    assert sizes[0] == sizes[1]
    assert train.fingerprint() != test.fingerprint()


def test_the_fingerprint_of_files_that_are_gone_is_refused(root: Path) -> None:
    files = images_in(root)
    (root / "b/2.png").unlink()
    with pytest.raises(DatasetError, match=r"b/2\.png"):
        files.fingerprint()


def test_the_splits_own_folder_is_not_part_of_the_fingerprint(tmp_path: Path) -> None:
    save(tmp_path / "x/train/a/1.png", noise(3, 3))
    save(tmp_path / "y/test/a/1.png", noise(3, 3))
    first = images_in(tmp_path / "x", "train")
    assert first.fingerprint() == images_in(tmp_path / "y", "test").fingerprint()
    assert first.fingerprint() == images_in(tmp_path / "x/train").fingerprint()


def test_a_damaged_image_is_met_when_it_is_read(root: Path) -> None:
    (root / "b/2.png").write_bytes((root / "b/2.png").read_bytes()[:40])
    files = images_in(root)
    files[0]
    with pytest.raises(
        DatasetError, match=r"b/2\.png: expected an image, found another kind of file, or"
    ):
        files[4]


def test_a_name_is_kept_where_images_are_chosen(root: Path) -> None:
    split = Split("test", images_in(root), np.zeros(5, int))
    names = split.files()
    assert names is not None
    assert names.tolist()[2] == "a/x/é 1.png"
    chosen = split.take([4, 2]).take([1])
    assert chosen.files() == ["a/x/é 1.png"]
    assert split.files([3, 3]) == pytest.approx(["b/10.bmp", "b/10.bmp"])
    array = Split("test", np.zeros((2, 3, 3), np.uint8), np.zeros(2, int))
    assert array.files() is None
    assert array.take([1]).files() is None


def test_a_changed_file_is_refused_and_the_listing_is_forgotten(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_listing, "_FEWEST_FILES", 1)
    monkeypatch.setattr(folder_listing, "_LOOKED_AT", 1)
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr("time.time_ns", lambda: later)
    load_image_folder(root)
    save(root / "b/2.png", noise(30, 30))
    # The listing is believed: the folder's time is the same, and this file isn't looked at.
    test = load_image_folder(root).test
    assert listing_file(root).exists()
    names = test.files()
    assert names is not None
    with pytest.raises(DatasetError, match="open the dataset again"):
        test.images[names.tolist().index("b/2.png")]
    assert not listing_file(root).exists()
    np.testing.assert_array_equal(load_image_folder(root).test.images[3], noise(30, 30))


def test_a_file_that_says_nothing_else_is_given_to_a_browser_as_it_is(root: Path) -> None:
    files = images_in(root)
    assert isinstance(files, Previewed)
    assert files.original(4, 224) == ((root / "b/2.png").read_bytes(), "image/png")
    assert files.original(3, 224) is None  # a bitmap
    assert files.original(4, 3) is None


def test_a_preview_has_pixels_enough(tmp_path: Path) -> None:
    save(tmp_path / "a/large.jpg", noise(900, 700, 3))
    small = images_in(tmp_path).preview(0, 100)
    assert 200 <= max(small.shape) < 900


def test_a_stamp_changes_when_the_file_is_written_again(root: Path) -> None:
    files = images_in(root)
    before = files.stamp(0)
    os.utime(root / "top.png", ns=(0, 10**18))
    assert files.stamp(0) != before
    with (root / "top.png").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DatasetError, match="open the dataset again"):
        files.stamp(0)


def test_thumbnails_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "tree/a/small.png", noise(20, 30, 3))
    save(tmp_path / "tree/a/large.bmp", noise(300, 200))
    save(tmp_path / "tree/a/large.jpg", noise(900, 700, 3))
    dataset = load_image_folder(tmp_path / "tree")
    maker = Thumbnails(dataset, tmp_path / "kept")
    content, media_type = maker.get("test", 2)
    assert (content, media_type) == ((tmp_path / "tree/a/small.png").read_bytes(), "image/png")
    for index, size in ((0, (149, 224)), (1, (174, 224))):
        content, media_type = maker.get("test", index)
        assert media_type == "image/jpeg"
        assert Image.open(io.BytesIO(content)).size == size
        monkeypatch.setattr(ImageFiles, "preview", None)
        assert maker.get("test", index) == (content, media_type)
        monkeypatch.undo()
    # Written over with as many bytes: the old picture isn't shown for the new one.
    before = maker.get("test", 0)
    save(tmp_path / "tree/a/large.bmp", noise(300, 200, seed=1))
    os.utime(tmp_path / "tree/a/large.bmp", ns=(0, 10**18))
    assert maker.get("test", 0) != before
