"""A picture of an audit: images with their evidence and their nearest training images."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from misread.tables.verdicts import Verdict
from misread.types import IntArray
from misread.views.audit import Audit, AuditRow
from misread.views.tiles import (
    ACCENT,
    FAINT,
    INK,
    MARGIN,
    TITLE,
    Tile,
    blank_figure,
    draw_tile,
    draw_title,
    shorten,
)

# Inches.
_SIDE = 0.86
_SMALL = 0.5
_TEXT = 4.0
_ROW = 1.16
_GAP = 0.16
_NEIGHBOURS = 8
_LINE = 0.128
_WRAP = 74

_COLOURS = {
    Verdict.LABEL: ACCENT,
    Verdict.AMBIGUOUS: "#8a5a00",
    Verdict.MODEL: "#1f5fa8",
    Verdict.FINE: FAINT,
}


def draw_audit(audit: Audit, places: Sequence[int] | IntArray, title: str) -> Figure:
    """Any images, each with its evidence and its nearest training images.

    Args:
        audit: What is known of them.
        places: Places in the panel, one or more.
        title: Heading of the picture.
    """
    shown = 0 if audit.neighbours is None else min(_NEIGHBOURS, audit.neighbours.width)
    width = 2 * MARGIN + _SIDE + _GAP + _TEXT + shown * (_SMALL + 0.06) + (_GAP if shown else 0)
    figure, axes = blank_figure(width, TITLE + max(1, len(places)) * _ROW + MARGIN / 2)
    draw_title(axes, title, _subtitle(audit, shown))
    for number, place in enumerate(places):
        _draw_row(audit, axes, int(place), TITLE + number * _ROW, shown)
    return figure


def _subtitle(audit: Audit, shown: int) -> str:
    members = [provenance.run_name for provenance in audit.evidence.members]
    named = members[0] if len(members) == 1 else f"{len(members)} models"
    if audit.neighbours is None or not shown:
        return f"panel: {named}"
    few = (
        f"{shown} nearest of {audit.neighbours.width}"
        if shown < audit.neighbours.width
        else "nearest"
    )
    return f"panel: {named}; at the right the {few} training images, with their given labels"


def _draw_row(audit: Audit, axes: Axes, place: int, top: float, shown: int) -> None:
    row = audit.row(place)
    draw_tile(axes, Tile(audit.split.images[row.index], ()), MARGIN, top, _SIDE)
    left = MARGIN + _SIDE + _GAP
    said, given = row.suggestion, shorten(row.given, 18)
    heading = f"given {given}, read as {shorten(row.read_as, 18)}"
    axes.text(left, top, heading, size=9, weight="bold", color=INK, va="top", parse_math=False)
    axes.text(
        left, top + 0.17, _verdict(row), size=7.5, weight="bold",
        color=_COLOURS[said.verdict], va="top", parse_math=False,
    )  # fmt: skip
    axes.text(
        left + _TEXT, top, f"#{row.index}  suspicion {row.suspicion:.2f}", size=7, color=FAINT,
        ha="right", va="top", parse_math=False,
    )  # fmt: skip
    told = said.evidence + (f". Not flagged: {said.reason}" if said.reason else "")
    for number, line in enumerate(textwrap.wrap(told, _WRAP, max_lines=6, placeholder=" …")):
        axes.text(
            left, top + 0.33 + number * _LINE, line, size=7, color=INK, va="top",
            parse_math=False,
        )  # fmt: skip
    if audit.neighbours is None or audit.train is None:
        return
    start = left + _TEXT + _GAP
    for number, position in enumerate(audit.neighbours.neighbours[place][:shown]):
        label = int(audit.train.labels[position])
        same = label == audit.evidence.panel.given[place]
        caption = (shorten(audit.classes[label], 7), INK if same else ACCENT)
        tile = Tile(audit.train.images[int(position)], (caption,))
        draw_tile(axes, tile, start + number * (_SMALL + 0.06), top, _SMALL)


def _verdict(row: AuditRow) -> str:
    """The suggested verdict as a heading."""
    if row.suggested_label is not None:
        return f"label seems wrong, suggested: {shorten(row.suggested_label, 18)}"
    verdict = row.suggestion.verdict
    return "model seems wrong" if verdict == Verdict.MODEL else str(verdict)
