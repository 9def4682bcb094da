import numpy as np
from matplotlib.figure import Figure

from misread.views.overview import Group, draw_overview
from misread.views.tiles import Tile

IMAGE = np.zeros((4, 4), np.uint8)


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Left, right, top and bottom of each image, in inches from the upper left corner."""
    found = []
    for image in figure.axes[0].images:
        left, right, bottom, top = image.get_extent()
        found.append((left, right, top, bottom))
    return found


def draw(*counts: int) -> Figure:
    groups = [
        Group(f"given {number}", tuple(Tile(IMAGE, (("read 1", "black"),)) for _ in range(count)))
        for number, count in enumerate(counts)
    ]
    return draw_overview(groups, "title", "subtitle")


def test_groups_flow_and_stay_whole() -> None:
    figure = draw(1, 3, 1, 2, 4, 5, 10, 7, 4, 10)
    found = boxes(figure)
    assert len(found) == 47
    tops = [top for _, _, top, _ in found]
    starts = np.cumsum([0, 1, 3, 1, 2, 4, 5, 10, 7, 4])
    for start, count in zip(starts, (1, 3, 1, 2, 4, 5, 10, 7, 4, 10), strict=True):
        assert len(set(tops[start : start + count])) == 1  # one row for each group
    assert tops == sorted(tops)
    assert len(set(tops)) < 10  # some share a row


def test_nothing_overlaps_or_leaves_the_figure() -> None:
    figure = draw(12, 1, 1, 1, 30, 2)
    width, height = figure.get_size_inches()
    found = boxes(figure)
    for left, right, top, bottom in found:
        assert 0 < left < right < width
        assert 0 < top < bottom < height
    for number, (left, right, top, _) in enumerate(found):
        for other_left, other_right, other_top, _ in found[:number]:
            assert top != other_top or left >= other_right or right <= other_left


def test_no_groups_are_a_title() -> None:
    assert [text.get_text() for text in draw().axes[0].texts] == ["title", "subtitle"]
