"""Pictures of reconstructions: images beside what a network drew of them, and a capsule turned."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from misread.datasets import Split
from misread.tables import Provenance, Reconstructions
from misread.types import Array, ByteArray, IntArray
from misread.views.tiles import (
    ACCENT,
    CAPTION_LINE,
    FAINT,
    INK,
    MARGIN,
    TILE,
    TITLE,
    Tile,
    blank_figure,
    draw_tile,
    draw_title,
    shorten,
)

# Inches.
_CLOSE, _APART = 0.06, 0.34
_BLOCK = 3 * TILE + 2 * _CLOSE
_ROW = TILE + 2 * CAPTION_LINE + 0.16
_SMALL, _THIN = 0.5, 0.04
_LABEL = 0.3
# Images side by side.
_BLOCKS = 3


def draw_reconstructions(
    split: Split, table: Reconstructions, shown: IntArray, wanted: int, by_panel: bool
) -> Figure:
    """Images, each beside its drawings as the given and as the predicted class, with their errors.

    Args:
        split: The images.
        table: Has drawings of those that are shown.
        shown: Positions in the split, one or more.
        wanted: Number of images that were asked for, those left out included.
        by_panel: Whether it is the panel that finds images difficult.
    """
    columns = min(_BLOCKS, len(shown))
    rows = -(-len(shown) // columns)
    width = max(6.2, 2 * MARGIN + columns * _BLOCK + (columns - 1) * _APART)
    figure, axes = blank_figure(width, TITLE + rows * _ROW + MARGIN / 2)
    provenance = table.provenance
    more = f", the first {len(shown)} of {wanted}" if wanted > len(shown) else ""
    title = f"What {provenance.run_name} thinks it saw"
    hardest = "" if by_panel else "; the most difficult are those drawn worst"
    subtitle = (
        f"{provenance.split} ({provenance.origin}){more}: the image, drawn as the given class, "
        f"drawn as the predicted class, each with its mean squared error{hardest}"
    )
    draw_title(axes, title, subtitle)
    for number, index in enumerate(shown.tolist()):
        row, column = divmod(number, columns)
        left = MARGIN + column * (_BLOCK + _APART)
        _draw_block(axes, split, table, index, left, TITLE + row * _ROW)
    return figure


def _draw_block(
    axes: Axes, split: Split, table: Reconstructions, index: int, left: float, top: float
) -> None:
    row, drawings = table.row(index), table.drawings(index)
    if row is None or drawings is None:
        raise LookupError(f"image {index} has no drawing")
    classes = table.provenance.classes
    given, predicted = int(table.given[row]), int(table.predicted[row])
    colour = INK if given == predicted else ACCENT
    as_given, as_predicted = drawings
    tiles = (
        Tile(split.images[index], ((f"given {shorten(classes[given], 9)}", INK), _faint(index))),
        Tile(as_given, ((f"as {shorten(classes[given])}", INK), _error(table.error_given[row]))),
        Tile(
            as_predicted,
            ((f"as {shorten(classes[predicted])}", colour), _error(table.error_predicted[row])),
        ),
    )
    # What is drawn twice is shown once.
    for place, tile in enumerate(tiles[: 2 if given == predicted else 3]):
        draw_tile(axes, tile, left + place * (TILE + _CLOSE), top)


def _faint(index: int) -> tuple[str, str]:
    return f"#{index}", FAINT


def _error(error: float) -> tuple[str, str]:
    return f"{error:.3f}", FAINT


@dataclass(frozen=True, eq=False)
class Turned:
    """A capsule turned: what is drawn when something is added to one of its numbers.

    Attributes:
        label: The class of the capsule.
        steps: (S,) what is added.
        drawings: (D, S, H, W, C) uint8: row d has the capsule's d-th number turned.
    """

    label: int
    steps: Array
    drawings: ByteArray


def draw_turned(
    split: Split, index: int, given: int, blocks: Sequence[Turned], provenance: Provenance
) -> Figure:
    """One image, and the drawings of its turned capsules: a row per number, a column per step.

    Args:
        split: Has the image.
        index: Its position.
        given: Its given label.
        blocks: One or two capsules, of as many numbers and steps.
        provenance: Of the predictions of the network that draws.
    """
    classes = provenance.classes
    size, count = blocks[0].drawings.shape[:2]
    block = _LABEL + count * (_SMALL + _THIN)
    heading = TITLE + TILE + 0.56
    width = 2 * MARGIN + len(blocks) * block + (len(blocks) - 1) * _APART
    figure, axes = blank_figure(width, heading + size * (_SMALL + _THIN) + MARGIN)
    title = f"Image {index} of {split.name}, given {shorten(classes[given], 28)}"
    subtitle = f"{provenance.run_name}: each row turns one number of the capsule, by"
    draw_title(axes, title, f"{subtitle} {blocks[0].steps[0]:g} to {blocks[0].steps[-1]:g}")
    draw_tile(axes, Tile(split.images[index], ()), MARGIN, TITLE)
    for number, turned in enumerate(blocks):
        _draw_turned(axes, turned, MARGIN + number * (block + _APART), heading, classes)
    return figure


def _draw_turned(
    axes: Axes, turned: Turned, left: float, top: float, classes: Sequence[str]
) -> None:
    name = f"capsule of {shorten(classes[turned.label], 28)}"
    axes.text(left, top - 0.32, name, size=9, weight="bold", color=INK, parse_math=False)
    for column, step in enumerate(turned.steps.tolist()):
        middle = left + _LABEL + column * (_SMALL + _THIN) + _SMALL / 2
        axes.text(middle, top - 0.08, f"{step:+.2f}", size=7, color=FAINT, ha="center")
    for row, drawings in enumerate(turned.drawings):
        y = top + row * (_SMALL + _THIN)
        axes.text(left + _LABEL / 2, y + _SMALL / 2, f"{row + 1}", size=7, color=FAINT,
                  ha="center", va="center")  # fmt: skip
        for column, drawing in enumerate(drawings):
            x = left + _LABEL + column * (_SMALL + _THIN)
            draw_tile(axes, Tile(drawing, ()), x, y, _SMALL)
