"""Many small groups of captioned images on one figure, flowing like words in a paragraph."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from misread.views import tiles
from misread.views.tiles import INK, Tile

# Inches.
_SIDE = 0.62
_PITCH = _SIDE + 0.1
_GROUP_GAP = 0.16
_HEADING = 0.2
_ROW = _HEADING + _SIDE + tiles.CAPTION_LINE + 0.2
_WIDTH = 12 * _PITCH + 4 * _GROUP_GAP


@dataclass(frozen=True)
class Group:
    """Tiles under one heading.

    Attributes:
        heading: One line above the tiles.
        tiles: One or more, each with one line of caption.
    """

    heading: str
    tiles: tuple[Tile, ...]

    @property
    def width(self) -> float:
        """Inches; no less than a heading needs."""
        return max(0.95, len(self.tiles) * _PITCH - (_PITCH - _SIDE))


def draw_overview(groups: Sequence[Group], title: str, subtitle: str) -> Figure:
    """Groups side by side, each in one piece, as many in a row as fit.

    Args:
        groups: What to draw, in order.
        title: Heading of the figure.
        subtitle: Fainter line below the title.

    Returns:
        A figure that no window and no global state know of.
    """
    places = _flow(groups)
    rows = max((row for row, _ in places), default=-1) + 1
    right = max((x + group.width for group, (_, x) in zip(groups, places, strict=True)), default=0)
    width = max(tiles.NARROWEST, right + tiles.MARGIN)
    figure, axes = tiles.blank_figure(width, tiles.TITLE + 0.06 + rows * _ROW)
    tiles.draw_title(axes, title, subtitle)
    for group, (row, x) in zip(groups, places, strict=True):
        top = tiles.TITLE + 0.06 + row * _ROW
        axes.text(x, top, group.heading, size=8, color=INK, va="top", parse_math=False)
        for number, tile in enumerate(group.tiles):
            tiles.draw_tile(axes, tile, x + number * _PITCH, top + _HEADING, _SIDE)
    return figure


def _flow(groups: Sequence[Group]) -> list[tuple[int, float]]:
    """Row and left edge of each group."""
    places: list[tuple[int, float]] = []
    row, x = 0, tiles.MARGIN
    for group in groups:
        if x > tiles.MARGIN and x + group.width > tiles.MARGIN + _WIDTH:
            row, x = row + 1, tiles.MARGIN
        places.append((row, x))
        x += group.width + _GROUP_GAP + (_PITCH - _SIDE)
    return places
