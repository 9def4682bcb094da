from pathlib import Path

import numpy as np
import pytest

from misread.datasets.idx import write_idx
from misread.datasets.idx_folder import load_idx_folder
from misread.errors import DatasetError

PIXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([0, 2, 1], np.uint8)


def put(folder: Path, prefix: str, separator: str = "-", ending: str = "", add: int = 0) -> None:
    write_idx(folder / f"{prefix}-images{separator}idx3-ubyte{ending}", PIXELS + np.uint8(add))
    write_idx(folder / f"{prefix}-labels{separator}idx1-ubyte{ending}", LABELS)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("prefix", ["t10k", "test"])
def test_every_spelling_of_the_names(
    tmp_path: Path, prefix: str, separator: str, ending: str
) -> None:
    put(tmp_path, "train", separator, ending)
    put(tmp_path, prefix, separator, ending, add=1)
    dataset = load_idx_folder(tmp_path)
    assert list(dataset.splits) == ["train", "test"]
    np.testing.assert_array_equal(dataset.train.pixels(), PIXELS)
    np.testing.assert_array_equal(dataset.test.pixels(), PIXELS + 1)
    np.testing.assert_array_equal(dataset.train.labels, LABELS)
    assert dataset.classes == ("0", "1", "2")
    assert dataset.name == tmp_path.name
    assert dataset.source == str(tmp_path.resolve())


@pytest.mark.parametrize(("prefix", "split"), [("train", "train"), ("t10k", "test")])
def test_one_split_is_enough(tmp_path: Path, prefix: str, split: str) -> None:
    put(tmp_path, prefix)
    assert list(load_idx_folder(tmp_path).splits) == [split]


def test_a_plain_file_is_preferred_and_mapped(tmp_path: Path) -> None:
    put(tmp_path, "train", ending=".gz", add=9)
    put(tmp_path, "train")
    images = load_idx_folder(tmp_path).train.images
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, PIXELS)


def test_a_folder_in_place_of_a_file_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "train", ending=".gz")
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert len(load_idx_folder(tmp_path).train) == 3


def test_relative_paths_give_an_absolute_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "train")
    monkeypatch.chdir(tmp_path)
    assert load_idx_folder(".").source == str(tmp_path.resolve())
    assert load_idx_folder(".").name == tmp_path.name


def damage_labels(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte", LABELS[:2])


def negative_labels(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte", LABELS.astype(np.int8) - np.int8(1))


def float_images(folder: Path) -> None:
    write_idx(folder / "train-images-idx3-ubyte", PIXELS.astype(np.float32))


def swapped(folder: Path) -> None:
    write_idx(folder / "train-images-idx3-ubyte", LABELS)


def no_images(folder: Path) -> None:
    write_idx(folder / "train-images-idx3-ubyte", PIXELS[:0])


def without_labels(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").unlink()


def without_images(folder: Path) -> None:
    (folder / "train-images-idx3-ubyte").unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_labels, "3 images and 2 labels"),
        (negative_labels, "got -1 to 1"),
        (float_images, "uint8, got float32"),
        (swapped, "(N, H, W)"),
        (no_images, "no images"),
        (without_labels, "images without labels"),
        (without_images, "labels without images"),
    ],
)
def test_what_does_not_fit_together(tmp_path: Path, damage: object, says: str) -> None:
    put(tmp_path, "train")
    assert callable(damage)
    damage(tmp_path)
    with pytest.raises(DatasetError) as caught:
        load_idx_folder(tmp_path)
    message = str(caught.value)
    assert says in message
    assert str(tmp_path / "train-") in message
    assert "\n" not in message


def test_folders_with_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no IDX files in this folder; expected train-images"):
        load_idx_folder(tmp_path)
    with pytest.raises(DatasetError, match="No such file"):
        load_idx_folder(tmp_path / "absent")
