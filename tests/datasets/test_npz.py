import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.datasets.npz import load_npz
from misread.errors import DatasetError
from misread.types import Array

PIXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([0, 2, 1])


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def load_images(path: Path, images: Array) -> Array:
    return load_npz(save(path, x_train=images, y_train=np.zeros(len(images), int))).train.pixels()


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("images", "labels"),
    [("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("images_{}", "labels_{}"), ("X_{}", "y_{}")],
)
def test_every_style_of_keys(tmp_path: Path, images: str, labels: str, write: Any) -> None:
    path = tmp_path / "shapes.npz"
    arrays = {images.format("train"): PIXELS, labels.format("train"): LABELS}
    arrays |= {images.format("test"): PIXELS[:2], labels.format("test"): LABELS[:2]}
    write(path, **arrays)
    dataset = load_npz(path)
    np.testing.assert_array_equal(dataset.train.pixels(), PIXELS)
    np.testing.assert_array_equal(dataset.test.labels, LABELS[:2])
    assert dataset.name == "shapes"
    assert dataset.source == str(path.resolve())
    assert dataset.classes == ("0", "1", "2")


def test_one_split_and_class_names(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x_test=PIXELS, y_test=LABELS, classes=["ant", "bee", "cat"])
    dataset = load_npz(path)
    assert list(dataset.splits) == ["test"]
    assert dataset.classes == ("ant", "bee", "cat")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64, np.int8, ">i4"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_labels_of_any_integer_dtype(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    path = save(tmp_path / "a.npz", x_train=PIXELS, y_train=LABELS.astype(dtype).reshape(shape))
    np.testing.assert_array_equal(load_npz(path).train.labels, LABELS)


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 1), (3, 4, 5, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts(tmp_path: Path, shape: tuple[int, ...], order: Any) -> None:
    images = np.asarray(np.resize(PIXELS, shape), order=order)
    np.testing.assert_array_equal(load_images(tmp_path / "a.npz", images), images)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_from_0_to_1_become_bytes(tmp_path: Path, dtype: Any) -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    # 255ths are nearest to themselves in each of these dtypes, so they must come back.
    images = (every / 255).astype(dtype)
    np.testing.assert_array_equal(load_images(tmp_path / "a.npz", images), every)


def test_bools_become_black_and_white(tmp_path: Path) -> None:
    images = PIXELS % 2 == 0
    np.testing.assert_array_equal(load_images(tmp_path / "a.npz", images), np.where(images, 255, 0))


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({}, "expected the keys x_train and y_train"),
        ({"pictures": PIXELS}, "found 'pictures'"),
        ({"x_train": PIXELS}, "x_train without labels; add the key y_train"),
        ({"x_train": PIXELS, "y_train": LABELS[:2]}, "3 images and 2 labels"),
        ({"x_train": PIXELS, "y_train": LABELS / 1}, "(N,) integers, got (3,) float64"),
        ({"x_train": PIXELS, "y_train": LABELS - 1}, "got -1 to 1"),
        ({"x_train": PIXELS, "y_train": np.eye(3, dtype=int)}, "(N,) integers, got (3, 3)"),
        ({"x_train": PIXELS, "y_train": np.array(5)}, "(N,) integers, got ()"),
        ({"x_train": PIXELS, "y_train": np.array([0, None, 1])}, "Python objects"),
        (
            {"x_train": np.array([PIXELS, None, 1], dtype=object), "y_train": LABELS},
            "Python objects",
        ),
        ({"x_train": PIXELS.astype(int), "y_train": LABELS}, "uint8, got int64"),
        ({"x_train": PIXELS / 1, "y_train": LABELS}, "in [0, 1], got 0 to 59"),
        ({"x_train": np.full((3, 2, 2), np.nan), "y_train": LABELS}, "in [0, 1], got nan"),
        ({"x_train": np.full((3, 2, 2), np.inf), "y_train": LABELS}, "in [0, 1], got inf"),
        ({"x_train": np.array(0.5), "y_train": LABELS}, "(N, H, W)"),
        ({"x_train": PIXELS[:0], "y_train": LABELS[:0]}, "no images"),
        ({"x_train": np.zeros((3, 1, 8, 8), np.uint8), "y_train": LABELS}, "channels last"),
        (
            {"x_train": PIXELS, "y_train": LABELS, "classes": ["a", "b"]},
            "0 to 1 (2 classes), got 2",
        ),
        ({"x_train": PIXELS, "y_train": LABELS, "classes": [1, 2, 3]}, "unicode strings"),
        ({"x_train": PIXELS, "y_train": LABELS, "classes": np.array("a")}, "unicode strings"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    path = save(tmp_path / "a.npz", **arrays)
    with pytest.raises(DatasetError) as caught:
        load_npz(path)
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def npy(shape: tuple[int, ...], content: bytes) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("shape", [(1 << 20, 1 << 20, 1 << 20), (2, 2, 2), (-1, -1, 4), (0, 9, 9)])
def test_a_header_that_promises_something_else(
    tmp_path: Path, shape: tuple[int, ...], method: int
) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("x_train.npy", npy(shape, b"four"))
        archive.writestr("y_train.npy", npy((4,), b"\0\0\0\0"))
    with pytest.raises(DatasetError, match="x_train: the header promises"):
        load_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty file"), (b"junk", "not a zip file"), (b"PK\x03\x04", "not a zip file")],
)
def test_what_is_not_an_archive(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=says):
        load_npz(tmp_path / "a.npz")


def test_folders_and_absent_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found a folder"):
        load_npz(tmp_path)
    with pytest.raises(DatasetError, match="No such file"):
        load_npz(tmp_path / "absent.npz")


@given(st.data(), st.booleans())
@settings(deadline=None)
def test_damaged_files_give_a_dataset_or_a_dataset_error(
    data: st.DataObject, compressed: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.npz")
        write: Any = np.savez_compressed if compressed else np.savez
        write(path, x_train=PIXELS, y_train=LABELS, classes=["a", "b", "c"])
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content[: data.draw(st.integers(1, 2 * len(content)))])
        try:
            dataset = load_npz(path)
        except DatasetError as error:
            assert "\n" not in str(error)
        else:
            assert len(dataset.train) == 3
