import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from misread.types import Array
from misread.views.tiles import Tile, draw_grid, shorten, to_rgb


def pictures(figure: Figure) -> list[AxesImage]:
    return [image for axes in figure.axes for image in axes.images]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def extent(image: AxesImage) -> tuple[float, float, float, float]:
    left, right, bottom, top = image.get_extent()
    return float(left), float(right), float(bottom), float(top)


def tile(image: Array, *lines: str) -> Tile:
    return Tile(image, tuple((line, "#000000") for line in lines))


def grey(*shape: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 12])
def test_tiles_go_row_by_row_from_the_upper_left(count: int) -> None:
    images = [np.full((4, 4), number, np.uint8) for number in range(count)]
    figure = draw_grid([tile(image, f"#{n}") for n, image in enumerate(images)], 4, "t", "s")
    drawn = pictures(figure)
    assert [int(np.asarray(image.get_array())[0, 0, 0]) for image in drawn] == list(range(count))
    corners = [(extent(image)[3], extent(image)[0]) for image in drawn]
    assert corners == sorted(corners)
    assert len({round(top, 6) for top, _ in corners}) == -(-count // 4)
    assert texts(figure) == ["t", "s", *(f"#{number}" for number in range(count))]


@pytest.mark.parametrize("shape", [(5, 5), (5, 5, 1), (9, 3), (3, 9, 3), (1, 1)])
def test_every_pixel_is_drawn_in_its_own_proportions(shape: tuple[int, ...]) -> None:
    image = grey(*shape)
    figure = draw_grid([tile(image, "")], 1, "t")
    drawn = pictures(figure)[0]
    expected = np.repeat(image.reshape(*shape[:2], -1), 1 if shape[2:] == (3,) else 3, axis=2)
    np.testing.assert_array_equal(np.asarray(drawn.get_array()), expected)
    left, right, bottom, top = extent(drawn)
    assert (right - left) / (bottom - top) == pytest.approx(shape[1] / shape[0])
    assert max(right - left, bottom - top) == pytest.approx(1)
    assert drawn.get_interpolation() == "nearest"


def test_the_first_row_is_at_the_top() -> None:
    image = np.zeros((4, 4), np.uint8)
    image[:2] = 255
    figure = draw_grid([tile(image, "")], 1, "t")
    assert figure.axes[0].get_ylim()[0] > figure.axes[0].get_ylim()[1]
    _, _, bottom, top = extent(pictures(figure)[0])
    assert top < bottom


def test_nothing_lies_outside_the_figure() -> None:
    figure = draw_grid([tile(grey(6, 5), "a", "b", "c")] * 7, 3, "t", "s")
    width, height = figure.get_size_inches()
    for image in pictures(figure):
        left, right, bottom, top = extent(image)
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for text in figure.axes[0].texts[2:]:
        assert 0 < text.get_position()[0] < width
        assert 0 < text.get_position()[1] < height


def test_large_images_are_scaled_down() -> None:
    assert to_rgb(grey(1_000, 500, 3)).shape == (256, 128, 3)
    assert to_rgb(grey(256, 256)).shape == (256, 256, 3)
    assert to_rgb(grey(3_000, 1)).shape == (256, 1, 3)


def test_a_read_only_and_a_strided_image_are_fine() -> None:
    image = grey(8, 6, 3)
    image.flags.writeable = False
    np.testing.assert_array_equal(to_rgb(image[::2, ::-1]), image[::2, ::-1])


def test_shorten() -> None:
    assert shorten("a" * 12) == "a" * 12
    assert shorten("a" * 13) == "a" * 6 + "…" + "a" * 5


def test_the_title_of_few_tiles_is_whole() -> None:
    title = "MNIST test: 3 images, label seems wrong"
    figure = draw_grid([Tile(np.zeros((8, 8), np.uint8), ())] * 3, 12, title, "a subtitle")
    ends = [text.get_window_extent().x1 for text in figure.axes[0].texts]
    assert max(ends) <= figure.get_figwidth() * figure.dpi
    assert [text.get_text() for text in figure.axes[0].texts[:2]] == [title, "a subtitle"]
    endless = draw_grid([Tile(np.zeros((8, 8), np.uint8), ())], 12, "x" * 1000)
    assert endless.get_figwidth() == 14
