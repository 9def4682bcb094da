import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import mnist
from misread.datasets.dataset import Dataset, Split
from misread.errors import DatasetError

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that one load has filled; tests copy it."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISREAD_CACHE", str(folder))
        mnist.load_mnist()
    return folder


@pytest.fixture
def cache(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(filled, tmp_path / "cache")
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mnist"


def assert_official(dataset: Dataset) -> None:
    for split in dataset.splits.values():
        packed = mnist.IMAGES[split.name]
        header = b"\0\0\x08\x03" + np.array(packed.shape, ">u4").tobytes()
        content = header + split.pixels().tobytes()
        assert hashlib.sha256(content).hexdigest() == packed.sha256


def is_mapped(split: Split) -> bool:
    return isinstance(split.images, np.memmap)


def test_mnist_is_the_official_one(cache: Path) -> None:
    dataset = mnist.load_mnist()
    assert repr(dataset) == "mnist: train 60,000, test 10,000, 10 classes, 28 x 28 grey"
    assert dataset.classes == tuple("0123456789")
    assert dataset.source == "mnist"
    assert dataset.train.pixels().dtype == np.uint8
    assert np.bincount(dataset.train.labels).tolist() == TRAIN_COUNTS
    assert np.bincount(dataset.test.labels).tolist() == TEST_COUNTS
    assert_official(dataset)


def test_the_second_load_maps_the_cached_images(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack = mnist._unpack_stream
    monkeypatch.setattr(
        mnist, "_unpack_stream", lambda path: unpack(path) if "labels" in path.name else 1 / 0
    )
    dataset = mnist.load_mnist()
    assert is_mapped(dataset.train)
    assert is_mapped(dataset.test)
    assert not dataset.train.pixels().flags.writeable


def test_the_first_load_leaves_the_official_files_and_nothing_else(filled: Path) -> None:
    assert {entry.name for entry in (filled / "mnist").iterdir()} == {
        packed.file for packed in mnist.IMAGES.values()
    }
    for packed in mnist.IMAGES.values():
        content = (filled / "mnist" / packed.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == packed.sha256


@pytest.mark.parametrize("content", [b"", b"junk", b"\0\0\x08\x03\0\0", None])
def test_a_damaged_cache_is_made_anew(cache: Path, content: bytes | None) -> None:
    path = cache / mnist.IMAGES["test"].file
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    dataset = mnist.load_mnist()
    assert_official(dataset)
    assert is_mapped(dataset.test)
    assert path.stat().st_size == 16 + 10_000 * 784


def test_a_cache_file_of_another_dataset_is_replaced(cache: Path) -> None:
    shutil.copy(cache / mnist.IMAGES["train"].file, cache / mnist.IMAGES["test"].file)
    assert len(mnist.load_mnist().test) == 10_000


def test_a_cache_that_cannot_be_a_folder_falls_back_to_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MISREAD_CACHE", str(tmp_path / "file"))
    dataset = mnist.load_mnist()
    assert_official(dataset)
    assert not is_mapped(dataset.train)
    assert not dataset.train.pixels().flags.writeable


def test_a_disk_that_refuses_falls_back_to_memory(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / mnist.IMAGES["test"].file).unlink()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mnist, "write_bytes", full)
    dataset = mnist.load_mnist()
    assert_official(dataset)
    assert is_mapped(dataset.train)
    assert not is_mapped(dataset.test)


@pytest.mark.parametrize("damage", ["absent", "truncated", "flipped", "another"])
def test_a_damaged_package_is_noticed(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(mnist._DATA, data)
    stream = data / "t10k-labels-idx1-ubyte.0.xz"
    content = bytearray(stream.read_bytes())
    content[len(content) // 2] ^= 1
    match damage:
        case "absent":
            stream.unlink()
        case "truncated":
            stream.write_bytes(stream.read_bytes()[:-20])
        case "flipped":
            stream.write_bytes(content)
        case "another":
            shutil.copy(data / "train-labels-idx1-ubyte.0.xz", stream)
    monkeypatch.setattr(mnist, "_DATA", data)
    with pytest.raises(DatasetError, match=r"t10k-labels-idx1-ubyte.*reinstall misread"):
        mnist.load_mnist()


def test_two_processes_may_unpack_at_once(tmp_path: Path, cache: Path) -> None:
    # Programs of their own: a pool would import this module, which is found by name only where
    # pytest was started as a module.
    code = "from misread.datasets import mnist; print(mnist.load_mnist().train.items_fingerprint)"
    environment = os.environ | {"MISREAD_CACHE": str(tmp_path / "shared")}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    fingerprints = [process.communicate(timeout=300)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert set(fingerprints) == {mnist.load_mnist().train.items_fingerprint}
    assert len(list((tmp_path / "shared" / "mnist").iterdir())) == 2


def test_the_licence_travels_with_the_data() -> None:
    text = (mnist._DATA / "LICENSE-MNIST.md").read_text(encoding="utf-8")
    assert "Yann LeCun" in text
    assert "Corinna Cortes" in text
    assert "CC BY-SA 3.0" in text
    for packed in (*mnist.IMAGES.values(), *mnist.LABELS.values()):
        assert f"{packed.sha256}  {packed.file}" in text
