"""Pairs of images that are the same or nearly so, side by side."""

from matplotlib.figure import Figure

from misread.analysis.duplicates import Duplicates
from misread.datasets import Dataset
from misread.views import tiles
from misread.views.tiles import ACCENT, FAINT, INK, Tile, shorten

# Inches.
_HEADING = 0.2
_INNER = 0.05
_PAIR = 2 * tiles.TILE + _INNER
_GAP = 0.3
_ROW = _HEADING + tiles.TILE + 2 * tiles.CAPTION_LINE + 0.22


def draw_duplicates(
    dataset: Dataset, duplicates: Duplicates, rows: int = 6, columns: int = 4
) -> Figure:
    """The worst pairs: label conflicts and leaks first, then the closest.

    Above each pair are its kind and its distance; below each image its split, its position and its
    given label.

    Args:
        dataset: The images.
        duplicates: What `find_duplicates` found in them.
        rows: Most rows of pairs.
        columns: Pairs in a row.

    Returns:
        A figure that no window and no global state know of.
    """
    pairs = duplicates.pairs
    shown = min(len(pairs), rows * columns)
    columns = max(1, min(columns, shown))
    width = max(tiles.NARROWEST, 2 * tiles.MARGIN + columns * _PAIR + (columns - 1) * _GAP)
    lines = -(-shown // columns)
    figure, axes = tiles.blank_figure(width, tiles.TITLE + lines * _ROW + tiles.MARGIN / 2)
    count = f"{len(pairs):,} pairs of duplicates" if len(pairs) != 1 else "1 pair of duplicates"
    more = f", the worst {shown}" if shown < len(pairs) else ""
    tiles.draw_title(
        axes,
        f"{shorten(dataset.name, 24)}: {count}",
        f"of {duplicates.images:,} images, within a distance of {duplicates.distance:g}{more}",
    )
    for number in range(shown):
        line, column = divmod(number, columns)
        left = tiles.MARGIN + column * (_PAIR + _GAP)
        top = tiles.TITLE + line * _ROW
        kind, distance = str(pairs.kind[number]), float(pairs.distance[number])
        text = f"{kind}, " + ("identical" if distance == 0 else f"distance {distance:.4f}")
        color = INK if kind == "repeat" else ACCENT
        axes.text(left, top, text, size=8, color=color, va="top", parse_math=False)
        for side, (split, index, given) in enumerate(_images(duplicates, number)):
            label_color = ACCENT if "conflict" in kind else INK
            caption = (
                (f"{shorten(split, 9)} #{index}", FAINT),
                (f"given {shorten(dataset.classes[given], 9)}", label_color),
            )
            tile = Tile(dataset.splits[split].images[index], caption)
            tiles.draw_tile(axes, tile, left + side * (tiles.TILE + _INNER), top + _HEADING)
    return figure


def _images(duplicates: Duplicates, pair: int) -> tuple[tuple[str, int, int], ...]:
    pairs = duplicates.pairs
    return (
        (str(pairs.split_a[pair]), int(pairs.index_a[pair]), int(pairs.given_a[pair])),
        (str(pairs.split_b[pair]), int(pairs.index_b[pair]), int(pairs.given_b[pair])),
    )
