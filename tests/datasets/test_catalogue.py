import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import BUILTIN, load
from misread.datasets.idx import write_idx
from misread.errors import DatasetError

PIXELS = np.zeros((2, 4, 5), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_idx(tmp_path / "train-images-idx3-ubyte", PIXELS)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1], np.uint8))
    np.savez(tmp_path / "a.npz", x_train=PIXELS, y_train=[0, 1])
    return tmp_path


def test_a_source_loads_the_same_dataset_again(folder: Path) -> None:
    for source in (folder, str(folder), folder / "a.npz", str(folder / "a.npz")):
        dataset = load(source)
        again = load(dataset.source)
        assert again.name == dataset.name
        assert again.train.items_fingerprint == dataset.train.items_fingerprint


def test_built_in_datasets_are_what_their_record_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path))
    for name, record in BUILTIN.items():
        dataset = load(name)
        assert dataset.name == dataset.source == record.name == name
        assert {split: len(made) for split, made in dataset.splits.items()} == record.sizes
        assert dataset.licence == record.licence


def test_a_path_may_have_a_built_in_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    Path("mnist").mkdir()
    with pytest.raises(DatasetError, match="found nothing"):
        load("./mnist/")
    with pytest.raises(DatasetError, match="found nothing"):
        load(Path("mnist"))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("mnits", "did you mean 'mnist'?"),
        ("MNIST", "did you mean 'mnist'?"),
        (
            "imagenet",
            "expected a built-in name (mnist) or the path of a folder of images per class",
        ),
        ("", "unknown dataset ''"),
        ("two\nlines", "unknown dataset 'two\\nlines'"),
        ("absent/folder", "no such file or folder"),
        ("absent.npz", "no such file or folder"),
        ("~nobody-of-that-name/x", "can't be read"),
        ("nul\0", "unknown dataset"),
        ("x" * 5000, "can't be read"),
        ("a.txt", "another kind of file"),
        ("train-images-idx3-ubyte", "give the folder it is in"),
        ("empty", "expected a folder of images per class, or per split (train, test, val)"),
        ("halves", "images without labels; put the labels of split 'train' beside it"),
        ("texts", "found 2 files that aren't images (.csv 1, .txt 1)"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, says: str
) -> None:
    monkeypatch.chdir(folder)
    Path("a.txt").write_text("text", encoding="utf-8")
    for name in ("empty", "halves", "texts"):
        Path(name).mkdir()
    write_idx(Path("halves/train-images-idx3-ubyte"), PIXELS)
    Path("texts/a.txt").touch()
    Path("texts/labels.csv").touch()
    with pytest.raises(DatasetError) as caught:
        load(source)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'scipy', 'matplotlib', 'pyarrow', 'PIL'}"
    code = f"import sys, misread.datasets; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
