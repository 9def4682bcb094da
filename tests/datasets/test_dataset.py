import hashlib
import pickle
from typing import Any

import numpy as np
import pytest

from misread.datasets.dataset import Dataset, Split
from misread.errors import DatasetError
from misread.types import Array

ZERO = np.zeros(1, np.int16)


class MixedSizes:
    """Images of several sizes, as a folder of files would give them; counts what is read."""

    def __init__(self, sizes: list[tuple[int, ...]]) -> None:
        self.sizes = sizes
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, i: int, /) -> Array:
        self.read.append(i)
        return np.full(self.sizes[i], i, dtype=np.uint8)


class Files(MixedSizes):
    def fingerprint(self) -> str:
        return "sha256:of-paths-and-sizes"


def split(n: int = 4, name: str = "test", labels: Any = None) -> Split:
    images = np.arange(n * 6, dtype=np.uint8).reshape(n, 2, 3)
    given = np.arange(n) if labels is None else labels
    return Split(name, images, np.asarray(given, np.int16))


def zeros(*shape: int) -> Array:
    return np.zeros(shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (zeros(3, 2, 2), np.zeros(2, int), "3 images and 2 labels"),
        (zeros(3, 2, 2), np.zeros((3, 1), int), "(N,) integers, got (3, 1)"),
        (zeros(3, 2, 2), np.zeros(3), "integers, got (3,) float64"),
        (zeros(3, 2, 2), np.zeros(3, bool), "integers, got (3,) bool"),
        (zeros(2, 2, 2), [[0], [1, 2]], "ragged"),
        (zeros(3, 2, 2), np.array([0, -1, 2]), "got -1 to 2"),
        (zeros(1, 2, 2), np.array([2**64 - 1], np.uint64), "from 0 to 32766"),
        (zeros(3, 2, 2).astype(float), np.zeros(3, int), "uint8, got float64"),
        (zeros(3, 4), np.zeros(3, int), "(N, H, W)"),
        (zeros(), np.zeros(0, int), "(N, H, W)"),
        (zeros(3, 3, 8, 8), np.zeros(3, int), "transpose(0, 2, 3, 1)"),
        (zeros(3, 8, 8, 4), np.zeros(3, int), "(3, 8, 8, 4)"),
        (zeros(3, 0, 8), np.zeros(3, int), "at least one pixel"),
    ],
)
def test_a_split_refuses_what_it_cannot_be(images: Array, labels: Any, says: str) -> None:
    with pytest.raises(DatasetError) as caught:
        Split("test", images, labels)
    message = str(caught.value)
    assert says in message
    assert "'test'" in message
    assert "\n" not in message


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3)])
def test_a_split_accepts_grey_and_colour(shape: tuple[int, ...]) -> None:
    made = Split("train", zeros(2, *shape), np.array([0, 1], np.uint8))
    assert len(made) == 2
    assert made.labels.dtype == np.int16
    assert made.image_shape == shape


def test_a_split_cannot_change_once_checked() -> None:
    labels = np.array([0, 1, 2, 3], np.int16)
    made = split(labels=labels)
    labels[0] = 9
    assert made.labels[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        made.labels[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        made.pixels()[0] = 9


def test_items_fingerprint_is_over_dtype_shape_and_pixels() -> None:
    made = split()
    oracle = hashlib.sha256(b"|u1 (4, 2, 3)\n" + made.pixels().tobytes()).hexdigest()
    assert made.items_fingerprint == f"sha256:{oracle}"
    assert split(labels=[3, 2, 1, 0]).items_fingerprint == made.items_fingerprint
    reshaped = Split("test", made.pixels().reshape(4, 3, 2), made.labels)
    assert reshaped.items_fingerprint != made.items_fingerprint


def test_labels_fingerprint_is_over_the_labels_alone() -> None:
    made = split()
    oracle = hashlib.sha256(b"<i2 (4,)\n" + made.labels.astype("<i2").tobytes()).hexdigest()
    assert made.labels_fingerprint == f"sha256:{oracle}"
    assert split(labels=[3, 2, 1, 0]).labels_fingerprint != made.labels_fingerprint


def test_fingerprint_does_not_depend_on_chunks_or_memory_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = split(50).items_fingerprint
    monkeypatch.setattr("misread.datasets.images._CHUNK_BYTES", 7)
    assert split(50).items_fingerprint == whole
    fortran = Split("test", np.asfortranarray(split(50).pixels()), split(50).labels)
    assert fortran.items_fingerprint == whole


def test_a_collection_with_a_fingerprint_is_not_read() -> None:
    files = Files([(2, 2), (3, 3)])
    made = Split("test", files, np.array([0, 1]))
    assert made.items_fingerprint == "sha256:of-paths-and-sizes"
    assert made.take([1]).items_fingerprint != made.take([0]).items_fingerprint
    assert files.read == []


def test_a_collection_without_a_fingerprint_is_read_an_image_at_a_time() -> None:
    made = Split("test", MixedSizes([(2, 2), (3, 3)]), np.array([0, 1]))
    other = Split("test", MixedSizes([(2, 2), (3, 4)]), np.array([0, 1]))
    assert made.items_fingerprint.startswith("sha256:")
    assert made.items_fingerprint != other.items_fingerprint


@pytest.mark.parametrize("indices", [[2, 0], np.array([False, True, False, True]), [], [1, 1]])
def test_take_is_numpy_indexing(indices: Any) -> None:
    made, chosen = split(), np.asarray(indices, dtype=None if len(indices) else int)
    taken = made.take(indices)
    np.testing.assert_array_equal(taken.pixels(), made.pixels()[chosen])
    np.testing.assert_array_equal(taken.labels, made.labels[chosen])
    assert taken.name == made.name


def test_take_of_files_reads_only_what_is_looked_at() -> None:
    files = MixedSizes([(2, 2), (3, 3), (4, 4, 3)])
    taken = Split("test", files, np.array([0, 1, 2])).take([2, 0])
    assert files.read == []
    assert taken.images[0].shape == (4, 4, 3)
    assert taken.take([1]).images[0].shape == (2, 2)
    assert files.read == [2, 0]


@pytest.mark.parametrize("indices", [[4], [-1], [0.5], [[0, 1]], [True], ["a"]])
def test_take_refuses_indices_outside_the_split(indices: Any) -> None:
    with pytest.raises(DatasetError, match="'test': indices must be"):
        split().take(indices)


def test_pixels_stacks_files_of_one_size() -> None:
    made = Split("train", MixedSizes([(2, 2, 3)] * 3), np.array([0, 1, 2]))
    pixels = made.pixels()
    assert pixels.shape == (3, 2, 2, 3)
    assert pixels[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_pixels_of_mixed_sizes_says_what_needs_one_size() -> None:
    made = Split("train", MixedSizes([(2, 2), (3, 4)]), np.array([0, 1]))
    with pytest.raises(DatasetError, match=r"cross-fitting needs .* 2 x 2 grey and image 1 is 3 x"):
        made.pixels("cross-fitting")
    with pytest.raises(DatasetError, match="training needs images, got none"):
        made.take([]).pixels()


def dataset(**changes: Any) -> Dataset:
    splits = {"train": split(6, "train"), "test": split(4)}
    fields: dict[str, Any] = {
        "name": "shapes",
        "classes": tuple("abcdef"),
        "splits": splits,
        "source": "shapes",
    }
    return Dataset(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"classes": tuple("abcde")}, "from 0 to 4 (5 classes), got 5 at image 5"),
        ({"classes": ()}, "1 to 32,767 classes, got 0"),
        ({"classes": ("x",) * 32_768}, "got 32,768"),
        ({"splits": {}}, "at least one split"),
        ({"splits": {"train": split()}}, "'train' must have that name, got 'test'"),
    ],
)
def test_a_dataset_refuses_what_does_not_fit_together(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError) as caught:
        dataset(**changes)
    assert says in str(caught.value)
    assert "'shapes'" in str(caught.value)


def test_a_missing_split_is_named_with_those_that_are_there() -> None:
    made = dataset(splits={"val": split(name="val"), "test": split()})
    assert made.test.name == "test"
    with pytest.raises(DatasetError, match="no split 'train'; it has 'val', 'test'"):
        _ = made.train


@pytest.mark.parametrize(
    ("splits", "text"),
    [
        (
            {"train": Split("train", zeros(1200, 28, 28), zeros(1200)), "test": split()},
            "shapes: train 1,200, test 4, 6 classes",
        ),
        ({"test": split()}, "shapes: test 4, 6 classes, 2 x 3 grey"),
        (
            {"test": Split("test", zeros(1, 2, 2, 3), ZERO)},
            "shapes: test 1, 6 classes, 2 x 2 colour",
        ),
        ({"test": Split("test", MixedSizes([(2, 2)]), ZERO)}, "shapes: test 1, 6 classes"),
    ],
)
def test_a_dataset_shows_itself_in_one_line(splits: dict[str, Split], text: str) -> None:
    assert repr(dataset(splits=splits)) == str(dataset(splits=splits)) == text


def test_a_dataset_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(dataset()))
    assert copy.test.items_fingerprint == dataset().test.items_fingerprint
    assert repr(copy) == repr(dataset())
