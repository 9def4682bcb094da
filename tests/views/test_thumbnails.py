"""Sheets and files are decoded again and compared with the arrays, pixel by pixel."""

import io
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from misread.datasets import Dataset, Split
from misread.errors import DatasetError, ParameterError
from misread.types import Array
from misread.views import thumbnails
from misread.views.thumbnails import Sprite, Thumbnails, encode, sprite


def decode(content: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(content)))


def cells(sheet: Sprite, count: int) -> list[Array]:
    """The cells of a sheet by the positions that its attributes promise."""
    pixels = decode(sheet.png)
    found = []
    for number in range(count):
        row, column = divmod(number, sheet.columns)
        top, left = row * sheet.height, column * sheet.width
        found.append(pixels[top : top + sheet.height, left : left + sheet.width])
    assert pixels.shape[0] == -(-count // sheet.columns) * sheet.height
    assert pixels.shape[1] == sheet.columns * sheet.width
    return found


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("columns", [1, 3, 7, 50])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3), (1, 1), (1, 1, 1), (4, 1, 3)])
@pytest.mark.parametrize("as_list", [False, True])
def test_each_cell_holds_its_image(shape: tuple[int, ...], columns: int, as_list: bool) -> None:
    images = noise(7, *shape)
    sheet = sprite(list(images) if as_list else images, columns)
    assert (sheet.columns, sheet.width, sheet.height) == (min(columns, 7), shape[1], shape[0])
    plain = images[..., 0] if shape[2:] == (1,) else images
    for cell, image in zip(cells(sheet, 7), plain, strict=True):
        np.testing.assert_array_equal(cell, image)


@st.composite
def mixed_images(draw: st.DrawFn) -> list[Array]:
    side = st.integers(1, 9)
    channels = st.sampled_from([(), (1,), (3,)])
    shapes = draw(st.lists(st.tuples(side, side, channels), min_size=1, max_size=12))
    return [noise(h, w, *c, seed=seed) for seed, (h, w, c) in enumerate(shapes)]


@settings(deadline=None)
@given(images=mixed_images(), columns=st.integers(1, 15))
def test_images_of_several_sizes_are_centred_and_keep_their_pixels(
    images: list[Array], columns: int
) -> None:
    sheet = sprite(images, columns)
    colour = any(image.shape[2:] == (3,) for image in images)
    for cell, image in zip(cells(sheet, len(images)), images, strict=True):
        height, width = image.shape[:2]
        top, left = (sheet.height - height) // 2, (sheet.width - width) // 2
        inside = np.zeros((sheet.height, sheet.width), bool)
        inside[top : top + height, left : left + width] = True
        opaque = {1: None, 2: 1, 3: None, 4: 3}[1 if cell.ndim == 2 else cell.shape[2]]
        if opaque is not None:
            np.testing.assert_array_equal(cell[..., opaque], 255 * inside)
            cell = cell[..., :opaque] if colour else cell[..., 0]
        else:
            assert inside.all()
        expected = image[..., 0] if image.shape[2:] == (1,) else image
        if colour and expected.ndim == 2:
            expected = np.repeat(expected[..., None], 3, axis=2)
        shown = cell[top : top + height, left : left + width]
        np.testing.assert_array_equal(shown, expected)


def test_a_larger_image_is_scaled_down_into_its_cell_and_a_smaller_one_is_not_enlarged() -> None:
    large = np.full((40, 80), 200, np.uint8)
    small = noise(3, 3)
    wide, tiny = cells(sprite([large, small], 2, cell=(20, 16)), 2)
    assert np.flatnonzero(wide[:, 0, 1]).tolist() == list(range(3, 13))  # 20 x 10, centred
    assert (wide[3:13, :, 0] == 200).all()
    np.testing.assert_array_equal(tiny[6:9, 8:11, 0], small)
    assert (tiny[..., 1] > 0).sum() == 9


def test_what_is_left_of_the_last_row_is_empty() -> None:
    pixels = decode(sprite(np.full((4, 2, 2), 9, np.uint8), 3).png)
    assert pixels.shape == (4, 6)
    assert (pixels[2:, 2:] == 0).all()


def test_sheets_of_digits_are_grey_and_small() -> None:
    import misread

    digits = misread.load("mnist").test
    sheet = sprite(digits.take(range(1000)).pixels(), 40)
    assert Image.open(io.BytesIO(sheet.png)).mode == "L"
    assert len(sheet.png) < 190 * 1000
    np.testing.assert_array_equal(cells(sheet, 1000)[999], digits.images[999])


@pytest.mark.parametrize(
    ("images", "columns", "cell", "message"),
    [
        ([], 1, None, "images must be 1 or more"),
        (np.zeros((0, 3, 3), np.uint8), 1, None, "images must be 1 or more"),
        (np.zeros((1, 3, 3), np.uint8), 0, None, "columns must be 1 or more"),
        (np.zeros((1, 3, 3), np.uint8), 1, (0, 3), "cell must be 1 x 1 or more"),
    ],
)
def test_what_makes_no_sheet_is_refused(
    images: Sequence[Array], columns: int, cell: tuple[int, int] | None, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        sprite(images, columns, cell)


@settings(deadline=None)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    channels=st.sampled_from([(), (1,), (3,)]),
    most=st.sampled_from([None, 20, 1000]),
)
def test_an_image_that_fits_loses_nothing(
    height: int, width: int, channels: tuple[int, ...], most: int | None
) -> None:
    image = noise(height, width, *channels)
    content, media_type = encode(image, most)
    assert media_type == "image/png"
    expected = image[..., 0] if channels == (1,) else image
    np.testing.assert_array_equal(decode(content), expected)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((300, 600, 3), (50, 100, 3)), ((600, 300), (100, 50)), ((5000, 2, 1), (100, 1))],
)
def test_a_larger_image_becomes_a_small_jpeg(shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    ramp = np.linspace(0, 255, shape[0])[:, None, None]
    image = np.broadcast_to(ramp, (*shape[:2], 3)).astype(np.uint8)
    image = image if shape[2:] == (3,) else image[..., 0].reshape(shape)
    content, media_type = encode(image, 100)
    assert media_type == "image/jpeg"
    small = decode(content)
    assert small.shape == size
    expected = np.linspace(0, 255, size[0])
    assert np.abs(small.reshape(size[0], -1).mean(axis=1) - expected).max() < 6


def test_a_thumbnail_of_no_pixels_is_refused() -> None:
    with pytest.raises(ParameterError, match="most must be 1 or more"):
        encode(noise(3, 3), 0)


class Counted:
    """Images that aren't in memory; counts how often each is read."""

    def __init__(self, *images: Array) -> None:
        self.images = images
        self.read: list[int] = []
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int, /) -> Array:
        with self.lock:
            self.read.append(i)
        return self.images[i]

    def fingerprint(self) -> str:
        return "sha256:" + "ab" * 32


def counted(*images: Array) -> tuple[Counted, Dataset]:
    files = Counted(*images)
    split = Split("test", files, np.zeros(len(images), int))
    return files, Dataset("counted", ("one",), {"test": split}, "nowhere")


def test_a_thumbnail_is_made_once_and_kept(tmp_path: Path) -> None:
    files, dataset = counted(noise(300, 200, 3), noise(30, 20))
    first = Thumbnails(dataset, tmp_path / "kept")
    large, small = first.get("test", 0), first.get("test", 1)
    assert large == encode(files.images[0], 224)
    assert small == encode(files.images[1], 224)
    assert files.read == [0, 1]
    later = Thumbnails(dataset, tmp_path / "kept")
    assert (later.get("test", 0), later.get("test", 1)) == (large, small)
    assert files.read == [0, 1]
    assert later.get("test", 0, most=64) == encode(files.images[0], 64)
    assert files.read == [0, 1, 0]


def test_small_images_of_an_array_are_not_kept(tmp_path: Path) -> None:
    images = noise(3, 28, 28)
    dataset = Dataset("d", ("0",), {"test": Split("test", images, np.zeros(3, int))}, "d")
    content, media_type = Thumbnails(dataset, tmp_path / "kept").get("test", 2)
    assert media_type == "image/png"
    np.testing.assert_array_equal(decode(content), images[2])
    assert not (tmp_path / "kept").exists()


def test_threads_that_ask_for_the_same_get_whole_files(tmp_path: Path) -> None:
    files, dataset = counted(*(noise(260, 300, 3, seed=seed) for seed in range(4)))
    expected = [encode(image, 224) for image in files.images]
    makers = [Thumbnails(dataset, tmp_path) for _ in range(2)]

    def ask(number: int) -> bool:
        return makers[number % 2].get("test", number % 4) == expected[number % 4]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(160)))
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(file.name for file in written) == [f"{number}.jpg" for number in range(4)]


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    files, dataset = counted(noise(300, 200))
    unkept = Thumbnails(dataset, tmp_path / "file")
    assert unkept.get("test", 0) == unkept.get("test", 0) == encode(files.images[0], 224)
    assert files.read == [0, 0]


def test_the_oldest_are_removed_beyond_what_they_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, dataset = counted(*(noise(300, 300, 3, seed=seed) for seed in range(6)))
    size = len(encode(files.images[0], 224)[0])
    monkeypatch.setattr(thumbnails, "_CHECK_AFTER_BYTES", 1)
    monkeypatch.setattr(thumbnails, "_FIRST_CHECK_AFTER_BYTES", 1)
    other = tmp_path / "album" / "2024" / "may" / "me.jpg"
    other.parent.mkdir(parents=True)
    other.write_bytes(bytes(10 * size))
    os.utime(other, (0, 0))
    monkeypatch.setattr(thumbnails, "_MOST_BYTES", int(3.5 * size))
    maker = Thumbnails(dataset, tmp_path)
    for number in range(6):
        maker.get("test", number)
    kept = {file.stem for file in tmp_path.rglob("*.jpg")} - {"me"}
    assert other.exists()
    assert 1 <= len(kept) <= 3
    assert "5" in kept


@pytest.mark.parametrize(("split", "index"), [("train", 0), ("test", -1), ("test", 1)])
def test_an_image_that_is_not_there_is_refused(tmp_path: Path, split: str, index: int) -> None:
    _, dataset = counted(noise(3, 3))
    with pytest.raises(ParameterError, match=r"(split|index): expected"):
        Thumbnails(dataset, tmp_path).get(split, index)


def test_a_damaged_image_is_not_kept(tmp_path: Path) -> None:
    class Damaged(Counted):
        def __getitem__(self, i: int, /) -> Array:
            raise DatasetError("a.png: damaged")

    split = Split("test", Damaged(noise(3, 3)), np.zeros(1, int))
    dataset = Dataset("d", ("0",), {"test": split}, "d")
    with pytest.raises(DatasetError, match=r"a\.png"):
        Thumbnails(dataset, tmp_path).get("test", 0)
    assert not list(tmp_path.rglob("*.*"))
