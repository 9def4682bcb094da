"""Captioned images on a matplotlib figure: pixels exact, any size, grey or colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from misread.types import Array, ByteArray

# Inches. A caption line is as high as its 7-point type needs.
TILE = 1.0
GAP = 0.14
CAPTION_LINE = 0.13
MARGIN = 0.2
TITLE = 0.58
NARROWEST = 3.4
# No title makes a figure wider than this.
WIDEST = 14.0

INK = "#1a1a1a"
FAINT = "#6b6b6b"
ACCENT = "#b3261e"

# Larger images are scaled down to this many pixels a side before they are drawn.
_MOST_PIXELS = 256


@dataclass(frozen=True)
class Tile:
    """One image with lines of caption below it.

    Attributes:
        image: (H, W) or (H, W, C) uint8.
        caption: Lines of text, each with its colour.
    """

    image: Array
    caption: tuple[tuple[str, str], ...]


def draw_grid(tiles: Sequence[Tile], columns: int, title: str, subtitle: str = "") -> Figure:
    """Tiles in rows, left to right, on one figure.

    Args:
        tiles: One or more, all with equally many lines of caption.
        columns: Tiles in a full row, 1 or more.
        title: Heading of the figure.
        subtitle: Fainter line below the title.

    Returns:
        A figure that no window and no global state know of.
    """
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    width = max(NARROWEST, 2 * MARGIN + columns * TILE + (columns - 1) * GAP)
    row_height = TILE + CAPTION_LINE * len(tiles[0].caption) + GAP
    height = TITLE + rows * row_height + MARGIN / 2
    figure, axes = blank_figure(width, height)
    draw_title(axes, title, subtitle)
    # Few tiles are narrower than what stands above them.
    above = max(text.get_window_extent().width for text in axes.texts) / figure.dpi
    width = max(width, min(2 * MARGIN + above, WIDEST))
    figure.set_size_inches(width, height)
    axes.set_xlim(0, width)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        draw_tile(axes, tile, MARGIN + column * (TILE + GAP), TITLE + row * row_height)
    return figure


def blank_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of this size in inches, with one axes in inches from its upper left corner."""
    figure = Figure(figsize=(width, height), dpi=144, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def draw_title(axes: Axes, title: str, subtitle: str) -> None:
    """A heading at the top left, with a fainter line below it.

    `parse_math` is off throughout: class names may hold dollar signs.
    """
    axes.text(MARGIN, 0.14, title, size=11, weight="bold", color=INK, va="top", parse_math=False)
    axes.text(MARGIN, 0.35, subtitle, size=7, color=FAINT, va="top", parse_math=False)


def draw_tile(axes: Axes, tile: Tile, left: float, top: float, side: float = TILE) -> None:
    """One image, fitted into a square at this place, with its caption below."""
    pixels = to_rgb(tile.image)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    x = left + (side - width * scale) / 2
    y = top + (side - height * scale) / 2
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(
        pixels,
        extent=(x, x + width * scale, y + height * scale, y),
        interpolation="nearest",
        aspect="auto",
    )
    # imshow narrows the limits to its own extent.
    axes.set(xlim=limits[0], ylim=limits[1])
    for line, (text, color) in enumerate(tile.caption):
        axes.text(
            left + side / 2, top + side + CAPTION_LINE * (line + 0.25), text,
            size=7, color=color, ha="center", va="top", parse_math=False,
        )  # fmt: skip


def to_rgb(image: Array) -> ByteArray:
    """An image (H, W) or (H, W, C) uint8 as (H, W, 3) uint8, scaled down if it is large."""
    plain = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    picture = Image.fromarray(np.ascontiguousarray(plain)).convert("RGB")
    if max(picture.size) > _MOST_PIXELS:
        picture.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    return np.asarray(picture)


def shorten(name: str, length: int = 12) -> str:
    """A class name that fits: its beginning and its end, since either may tell it apart."""
    if len(name) <= length:
        return name
    return f"{name[: length // 2]}…{name[-((length - 1) // 2) :]}"
