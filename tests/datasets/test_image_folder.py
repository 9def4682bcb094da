import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import misread
from misread.datasets import Dataset, Split
from misread.datasets.image_folder import load_image_folder
from misread.errors import DatasetError

# A grey PNG of one pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63680000000200018000a9b50000000049454e44ae426082"
)


def write(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(PIXEL)
    return root


def given_names(dataset: Dataset, split: str) -> dict[str, str]:
    """Path -> given class."""
    found = dataset.splits[split]
    names = found.files()
    assert names is not None
    return {name: dataset.classes[label] for name, label in zip(names, found.labels, strict=True)}


def test_splits_and_classes_are_folders(tmp_path: Path) -> None:
    root = write(tmp_path / "birds", "train/owl/1.png", "train/duck/1.png", "test/owl/2.png")
    dataset = load_image_folder(root)
    assert dataset.name == "birds"
    assert dataset.classes == ("duck", "owl")
    assert list(dataset.splits) == ["train", "test"]
    assert given_names(dataset, "train") == {"train/duck/1.png": "duck", "train/owl/1.png": "owl"}
    assert given_names(dataset, "test") == {"test/owl/2.png": "owl"}
    assert dataset.source == str(root)
    assert dataset.notes == ()
    assert repr(dataset) == "birds: train 2, test 1, 2 classes"


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train", "train"), ("TRAIN", "train"), ("training", "train"), ("Test", "test"),
        ("testing", "test"), ("val", "val"), ("VALID", "val"), ("Validation", "validation"),
    ],
)  # fmt: skip
def test_splits_have_several_names(tmp_path: Path, folder: str, split: str) -> None:
    root = write(tmp_path / "data", f"{folder}/a/1.png")
    assert list(load_image_folder(root).splits) == [split]
    assert list(load_image_folder(root / folder).splits) == [split]
    assert load_image_folder(root / folder).splits[split].files() == ["a/1.png"]


def test_splits_are_in_one_order(tmp_path: Path) -> None:
    write(tmp_path, "test/a/1.png", "validation/a/1.png", "val/a/1.png", "train/a/1.png")
    assert list(load_image_folder(tmp_path).splits) == ["train", "val", "validation", "test"]


def test_classes_alone_are_the_test_split(tmp_path: Path) -> None:
    dataset = load_image_folder(write(tmp_path / "data", "a/1.png", "b/1.png"))
    assert given_names(dataset, "test") == {"a/1.png": "a", "b/1.png": "b"}


def test_names_are_sorted_as_text_and_exact(tmp_path: Path) -> None:
    names = ["10", "2", "Zebra", "a b", "ä", "$x$", "<script>", "日本", "a.png"]
    dataset = load_image_folder(write(tmp_path, *(f"test/{name}/1.png" for name in names)))
    assert dataset.classes == tuple(sorted(names))
    assert dataset.test.labels.tolist() == list(range(len(names)))


def test_the_order_is_class_folder_name(tmp_path: Path) -> None:
    """As torchvision's `ImageFolder`, so that predictions made with it fit: against a walk."""
    files = ["a/2.png", "a/10.png", "a/sub/1.png", "a-b/1.png", "a/sub-1/1.png", "B/1.png"]
    write(tmp_path / "test", *files)
    expected = [
        f"test/{Path(folder, name).relative_to(tmp_path / 'test')}"
        for label in sorted(place.name for place in (tmp_path / "test").iterdir())
        for folder, _, names in sorted(os.walk(tmp_path / "test" / label))
        for name in sorted(names)
    ]
    found = load_image_folder(tmp_path).test.files()
    assert found is not None
    assert found.tolist() == expected
    assert expected[0] == "test/B/1.png"


def test_a_class_may_lack_images_in_one_split(tmp_path: Path) -> None:
    write(tmp_path, "train/a/1.png", "train/b/1.png", "test/b/1.png")
    (tmp_path / "test/a").mkdir()
    dataset = load_image_folder(tmp_path)
    assert dataset.classes == ("a", "b")
    assert dataset.test.labels.tolist() == [1]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    write(tmp_path, "train/a/1.png", "train/loose.png", "preview.jpg", "train/a/.hidden.png")
    write(tmp_path, "labels.csv", "train/a/1.txt", "train/a/2.txt", "train/a/1.heic", "notes/a.md")
    dataset = load_image_folder(tmp_path)
    assert len(dataset.train) == 1
    assert dataset.notes == (
        "left out 5 files that aren't images (.txt 2, .csv 1, .heic 1, .md 1)",
        "left out 1 hidden file or folder",
        "left out 2 images in no class folder",
    )


@pytest.mark.parametrize(
    ("files", "folders", "says"),
    [
        ([], [], "found nothing"),
        (["a.txt"], [], "found 1 file that isn't an image (.txt 1)"),
        (["a.png", "b.png"], [], "found 2 images in no class; put images into a folder per class"),
        (["a/x.heic", "b/y.heic"], [], "found no images, only 2 files that aren't images (.heic"),
        ([], ["a", "b"], "found no images"),
        (["test/1.png"], [], "test: expected a folder of images per class, or per split (train,"),
        (["train/a/1.png", "test/1.png"], [], "found 1 image in no class"),
        (["train/a/1.png"], ["val"], "val: expected a folder of images per class"),
        (["train/a/1.png"], ["val/a"], "val: expected a folder of images per class"),
        (["a/1.png"], ["b"], "b: no images in this class; add some, or remove the folder"),
        (["train/a/1.png", "test/a/1.png"], ["test/b"], "test/b: no images in this class"),
        (["train/a/1.png", "car/1.png"], [], "classes or of splits, found both, car and train"),
        (["train/a/1.png", "Train/a/1.png"], [], "Train and train would be one split"),
        (["val/a/1.png", "valid/a/1.png"], [], "val and valid would be one split"),
        (["Cat/1.png", "cat/1.png"], [], "Cat and cat differ in capital letters"),
        (["train/Cat/1.png", "test/cat/1.png"], [], "train/Cat and test/cat differ in capital"),
        (["caf\u00e9/1.png", "cafe\u0301/1.png"], [], "differ in capital letters or accents"),
        (["birds/train/a/1.png"], [], "found the split train in birds; give "),
        (["a/Test/1.png", "b/Test/1.png"], [], "found the split Test in a; give "),
    ],
)
def test_what_is_no_such_folder_is_one_line(
    tmp_path: Path, files: list[str], folders: list[str], says: str
) -> None:
    root = write(tmp_path / "data", *files)
    root.mkdir(exist_ok=True)
    for folder in folders:
        (root / folder).mkdir(parents=True)
    with pytest.raises(DatasetError) as caught:
        load_image_folder(root)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(root))
    assert "\n" not in str(caught.value)


def test_folders_without_images_beside_the_splits_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "train/a/1.png", "scripts/run.py", ".git/x.png")
    assert list(load_image_folder(tmp_path).splits) == ["train"]


def test_a_class_called_train_is_possible(tmp_path: Path) -> None:
    write(tmp_path, "test/train/1.png", "test/car/1.png")
    assert load_image_folder(tmp_path).classes == ("car", "train")


def test_a_link_that_leads_in_a_circle_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png")
    (tmp_path / "a/again").symlink_to(tmp_path)
    with pytest.raises(DatasetError, match=r"a/again: .* remove the link"):
        load_image_folder(tmp_path)


def test_a_folder_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "store", "a/1.png")
    (tmp_path / "link").symlink_to("store")
    assert load_image_folder(tmp_path / "link").source == str(tmp_path / "store")


def test_it_loads_again_from_its_source_and_after_it_moved(tmp_path: Path) -> None:
    write(tmp_path / "data", "train/a/1.png", "train/b/1.png", "test/a/1.png")
    dataset = misread.load(tmp_path / "data")

    def fingerprints(dataset: misread.Dataset) -> list[tuple[str, str]]:
        return [(s.items_fingerprint, s.labels_fingerprint) for s in dataset.splits.values()]

    before = fingerprints(dataset)
    assert fingerprints(misread.load(dataset.source)) == before
    shutil.move(tmp_path / "data", tmp_path / "moved")
    assert fingerprints(misread.load(str(tmp_path / "moved"))) == before


names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/."), min_size=1)


@settings(deadline=None, max_examples=40)
@given(
    labels=st.lists(names.map(lambda n: n[:20].lower()), min_size=1, max_size=6),
    counts=st.lists(st.integers(1, 4), min_size=6, max_size=6),
)
def test_every_image_is_found_with_its_folders_name(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], counts: list[int]
) -> None:
    root = tmp_path_factory.mktemp("data")
    expected = {}
    for label, count in zip(dict.fromkeys(labels), counts, strict=False):
        for number in range(count):
            expected[f"train/{label}/{number}.png"] = label
    write(root, *expected)
    try:
        dataset = load_image_folder(root)
    except DatasetError as error:
        assert "differ in capital letters" in str(error)
    else:
        assert given_names(dataset, "train") == expected


def test_images_of_one_size_become_one_array(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_images: Callable[[Path, Split, tuple[str, ...]], None],
) -> None:
    original = make_dataset(train=12, test=6)
    for name, split in original.splits.items():
        write_images(tmp_path / "bars" / name, split, original.classes)
    dataset = misread.load(tmp_path / "bars")
    assert set(dataset.classes) == set(original.classes)
    for name, split in dataset.splits.items():
        pixels, found = split.pixels(), split.files()
        assert found is not None
        for i, path in enumerate(found):
            number = int(Path(path).stem)
            np.testing.assert_array_equal(pixels[i], original.splits[name].images[number])
            given = original.classes[original.splits[name].labels[number]]
            assert dataset.classes[split.labels[i]] == given == Path(path).parent.name
