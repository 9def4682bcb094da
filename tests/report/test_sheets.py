import io
import re

import numpy as np
import pytest
from PIL import Image

from misread.datasets import Dataset, Split
from misread.report.sheets import COLUMNS, MOST_PIXELS, ROWS, Sheets, cell_rules
from misread.types import Array
from misread.views.pages.parts import Picture


class Mixed:
    """Images of several sizes, grey and colour, read one at a time."""

    def __init__(self, images: list[Array]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int, /) -> Array:
        return self.images[i]


def dataset_of(*shapes: tuple[int, ...]) -> Dataset:
    generator = np.random.default_rng(0)
    images = [generator.integers(1, 255, shape, dtype=np.uint8) for shape in shapes]
    split = Split("test", Mixed(images), np.zeros(len(shapes), np.int16))
    return Dataset("mixed", ("a",), {"test": split}, "mixed")


def grey(count: int, side: int) -> Dataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 255, (count, side, side), dtype=np.uint8)
    split = Split("test", images, np.zeros(count, np.int16))
    return Dataset("grey", ("a",), {"test": split}, "grey")


def pixels(png: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(png)))


def numbers(rule: str) -> dict[str, float]:
    return {key: float(value) for key, value in re.findall(r"--(\w+):([\d.]+)[;}]", rule)}


def test_an_image_has_one_cell_however_often_it_is_shown() -> None:
    sheets = Sheets(grey(3, 4))
    first = sheets.tile(Picture("test", 2), "two")
    second = sheets.tile(Picture("test", 1), "one")
    assert sheets.tile(Picture("test", 2), "two") == first
    assert 'class="tile s0 x0 y0"' in first
    assert 'class="tile s0 x1 y0"' in second
    (sheet,) = sheets.make()
    assert pixels(sheet.sprite.png).shape == (4, 8)


def test_full_sheets_are_followed_by_further_ones() -> None:
    full = COLUMNS * ROWS
    sheets = Sheets(grey(full + 1, 2))
    tiles = [sheets.tile(Picture("test", n), "") for n in range(full + 1)]
    assert f"s0 x{COLUMNS - 1} y{ROWS - 1}" in tiles[full - 1]
    assert "s1 x0 y0" in tiles[full]
    first, second = sheets.make()
    assert pixels(first.sprite.png).shape == (2 * ROWS, 2 * COLUMNS)
    assert pixels(second.sprite.png).shape == (2, 2)
    rules = cell_rules()
    assert rules.count("--x:") == COLUMNS
    assert rules.count("--y:") == ROWS


def test_what_a_tile_says_is_escaped() -> None:
    tile = Sheets(grey(1, 2)).tile(Picture("test", 0), '"><b>&', "large")
    assert 'aria-label="&#34;&gt;&lt;b&gt;&amp;"' in tile
    assert "y0 large" in tile


@pytest.mark.parametrize(
    ("side", "normal", "small", "large"),
    [(1, 96, 56, 112), (28, 3, 2, 4), (32, 3, 1, 3), (64, 1, 56 / 64, 1), (112, 1, 0.5, 1)],
)
def test_small_images_are_enlarged_by_whole_factors(
    side: int, normal: float, small: float, large: float
) -> None:
    sheets = Sheets(grey(1, side))
    sheets.tile(Picture("test", 0), "")
    (sheet,) = sheets.make()
    rule = sheet.rule("images/x.png")
    found = numbers(rule.split("}")[0] + "}")
    assert (found["w"], found["h"], found["c"]) == (side, side, 1)
    assert (found["z"], found["zs"], found["zl"]) == (normal, small, large)
    assert ('url("images/x.png")' in rule) and ("image-rendering" in rule) == (small < 1)
    np.testing.assert_array_equal(
        pixels(sheet.sprite.png), Sheets(grey(1, side))._image(Picture("test", 0))
    )


def test_images_of_several_sizes_share_a_cell_each_with_its_own_pixels() -> None:
    dataset = dataset_of((10, 20, 3), (30, 8), (5, 5, 1))
    sheets = Sheets(dataset)
    for n in range(3):
        sheets.tile(Picture("test", n), "")
    (sheet,) = sheets.make()
    assert (sheet.sprite.width, sheet.sprite.height) == (20, 30)
    shown = pixels(sheet.sprite.png)
    images = dataset.splits["test"].images
    np.testing.assert_array_equal(shown[10:20, 0:20, :3], images[0])
    for channel in range(3):
        np.testing.assert_array_equal(shown[0:30, 26:34, channel], images[1])


def test_large_images_are_scaled_down() -> None:
    sheets = Sheets(dataset_of((600, 300, 3), (40, 40, 3)))
    sheets.tile(Picture("test", 0), "")
    sheets.tile(Picture("test", 1), "")
    (sheet,) = sheets.make()
    assert (sheet.sprite.width, sheet.sprite.height) == (MOST_PIXELS // 2, MOST_PIXELS)
    assert "--tile" not in sheet.rule("x")
    wide = Sheets(dataset_of((300, 600, 3)))
    wide.tile(Picture("test", 0), "")
    assert "--tile:7rem" in next(wide.make()).rule("x")
