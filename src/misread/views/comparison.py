"""Models, people and the literature as dots with intervals; what only one of two misreads."""

import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from misread.datasets import Split
from misread.views import tiles
from misread.views.dots import Scale, draw_dot, draw_ticks, fair_limit
from misread.views.html.formats import probability
from misread.views.pages.compare import ComparePage
from misread.views.pages.compared import ComparedImage, ComparedPair, OnlyOne
from misread.views.tiles import ACCENT, FAINT, INK, MARGIN, TITLE

# Inches.
_WIDTH = 8.2
_RIGHT = 6.2
_COUNTS = 7.3
_RATES = _WIDTH - MARGIN
_ROW = 0.21
_TOP = TITLE + 0.26
_LINE = 0.13
_LONGEST_NAME = 36
_LETTER = 0.066
_BAND = "#ececec"
_WRAP = 146

# Images that only one of two misreads, each.
_COLUMNS = 8
_MOST_ROWS = 3
_HEADING = 0.24


@dataclass(frozen=True)
class _Row:
    """A row of the picture: a name, a rate with limits, a count, colours."""

    name: str
    rate: tuple[float, float, float]
    count: str
    color: str
    fill: str = ""


def draw_comparison(page: ComparePage) -> Figure:
    """One row for each model, for people and for each figure of the literature.

    A line and a band show the reference with its interval; models that differ from it are in
    colour, quoted figures are open dots in grey.

    Args:
        page: What stands side by side; the best 40 models are drawn.

    Returns:
        A figure that no window and no global state know of.
    """
    rows = _rows(page)
    bottom = _TOP + _ROW * len(rows)
    notes = [line for text in _notes(page) for line in textwrap.wrap(text, _WRAP)]
    figure, axes = tiles.blank_figure(_WIDTH, bottom + 0.56 + _LINE * len(notes))
    tiles.draw_title(axes, "Models side by side", _subtitle(page))
    letters = max(min(len(row.name), _LONGEST_NAME) for row in rows)
    rates, ends = [row.rate[0] for row in rows], [row.rate[2] for row in rows]
    scale = Scale(MARGIN + 0.3 + _LETTER * letters, _RIGHT, fair_limit(rates, ends, 0.0))
    _draw_reference(axes, page, scale, bottom)
    for x, text in ((_COUNTS, "misread"), (_RATES, "error")):
        axes.text(x, _TOP - 0.08, text, size=7, color=FAINT, ha="right")
    for number, row in enumerate(rows):
        _draw_row(axes, row, _TOP + _ROW * (number + 0.5), scale)
    draw_ticks(axes, scale, bottom)
    axes.text(
        MARGIN, bottom + 0.44, "\n".join(notes), size=7, color=FAINT, va="top", parse_math=False,
        linespacing=1.3,
    )  # fmt: skip
    return figure


def _subtitle(page: ComparePage) -> str:
    shown = min(len(page.models), _MOST_MODELS)
    hidden = page.hidden_models + len(page.models) - shown
    return f"{page.split}, {page.images:,} images" + (f"; {hidden:,} more models" if hidden else "")


# More make a picture that nobody scrolls through.
_MOST_MODELS = 40


def _rows(page: ComparePage) -> list[_Row]:
    settled = {pair.run for pair in page.pairs if pair.better != "unsettled"}
    rows = []
    for one in page.best(_MOST_MODELS):
        rate = (one.error.value or 0.0, one.error.low or 0.0, one.error.high or 0.0)
        color = ACCENT if one.run in settled else INK
        rows.append(_Row(one.run, rate, f"{one.error.count:,} of {one.error.total:,}", color))
    people = page.people
    if people is not None and people.error.value is not None:
        value = people.error.value
        low = value if people.error.low is None else people.error.low
        high = value if people.error.high is None else people.error.high
        name = f"{people.readers} {'SIMULATED ' if people.simulated else ''}reader"
        rows.append(_Row(name + "s" * (people.readers != 1), (value, low, high), "", INK))
    for quoted in page.quoted:
        error = quoted.error
        rate = (error.value or 0.0, error.low or 0.0, error.high or 0.0)
        name = f"quoted: {quoted.name}"
        rows.append(_Row(name, rate, f"{error.count:,} of {error.total:,}", FAINT, "white"))
    return rows


def _notes(page: ComparePage) -> list[str]:
    notes = [page.target]
    if page.people is not None:
        notes[0] += " Those of readers are about these images and these readers."
    if page.pairs:
        settled = any(pair.better != "unsettled" for pair in page.pairs)
        colour = " In colour: differs from it." if settled else ""
        notes.append(f"Band: {page.reference}.{colour} {page.corrected}")
    if page.choice:
        notes.append(page.choice)
    if page.quoted:
        told = "; ".join(f"{one.name}: {one.source}" for one in page.quoted)
        notes.append(
            "Quoted, not measured here, with exact intervals of as many mistakes in 10,000: "
            f"{told}."
        )
    return notes


def _draw_reference(axes: Axes, page: ComparePage, scale: Scale, bottom: float) -> None:
    error = next(one.error for one in page.models if one.run == page.reference)
    if error.value is None or error.low is None or error.high is None:
        return
    heights = [_TOP - 0.04, bottom]
    axes.fill_betweenx(heights, scale.x(error.low), scale.x(error.high), color=_BAND, lw=0)
    axes.plot([scale.x(error.value)] * 2, heights, color=FAINT, lw=0.8)


def _draw_row(axes: Axes, row: _Row, y: float, scale: Scale) -> None:
    draw_dot(axes, row.rate, y, scale, row.color, row.fill)
    for x, text, side in (
        (MARGIN, tiles.shorten(row.name, _LONGEST_NAME), "left"),
        (_COUNTS, row.count, "right"),
        (_RATES, f"{100 * row.rate[0]:.2f}%", "right"),
    ):
        axes.text(x, y, text, size=8, color=row.color, ha=side, va="center", parse_math=False)


def draw_pair(page: ComparePage, pair: ComparedPair, split: Split) -> Figure:
    """The images that only one of two models misreads, as two grids.

    Args:
        page: The comparison.
        pair: A model against the reference.
        split: The images.
    """
    parts = [(pair.run, pair.only), (page.reference, pair.only_reference)]
    parts = [(name, part) for name, part in parts if part.images]
    rows = [-(-min(len(part.shown), _COLUMNS * _MOST_ROWS) // _COLUMNS) for _, part in parts]
    pitch = tiles.TILE + 3 * tiles.CAPTION_LINE + tiles.GAP
    width = 2 * MARGIN + _COLUMNS * tiles.TILE + (_COLUMNS - 1) * tiles.GAP
    height = TITLE + sum(_HEADING + pitch * number for number in rows) + MARGIN / 2
    figure, axes = tiles.blank_figure(width, height)
    title = f"{tiles.shorten(pair.run, 40)} against {tiles.shorten(page.reference, 40)}"
    tiles.draw_title(axes, title, f"{page.split}: {pair.both:,} images are misread by both")
    top = TITLE
    for (name, part), number in zip(parts, rows, strict=True):
        _draw_only(axes, name, part, split, top)
        top += _HEADING + pitch * number
    return figure


def _draw_only(axes: Axes, name: str, part: OnlyOne, split: Split, top: float) -> None:
    shown = part.shown[: _COLUMNS * _MOST_ROWS]
    heading = f"only {tiles.shorten(name, 40)} misreads: {part.images:,}"
    if len(shown) < part.images:
        heading += f", the {len(shown)} most confident"
    axes.text(MARGIN, top, heading, size=9, weight="bold", color=INK, va="top", parse_math=False)
    pitch = tiles.TILE + 3 * tiles.CAPTION_LINE + tiles.GAP
    for number, image in enumerate(shown):
        row, column = divmod(number, _COLUMNS)
        tile = tiles.Tile(split.images[image.picture.index], _caption(image))
        left = MARGIN + column * (tiles.TILE + tiles.GAP)
        tiles.draw_tile(axes, tile, left, top + _HEADING + row * pitch)


def _caption(image: ComparedImage) -> tuple[tuple[str, str], ...]:
    read, given = tiles.shorten(image.read_as.name, 9), tiles.shorten(image.given.name, 9)
    return (
        (f"read {read}  {probability(image.p_read_as)}", ACCENT),
        (f"given {given}  {probability(image.p_given)}", INK),
        (f"#{image.picture.index}", FAINT),
    )
