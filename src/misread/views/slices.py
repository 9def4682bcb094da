"""Error rates of slices as dots with intervals, the worst at the top."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from misread.analysis.intervals import Rate
from misread.analysis.slices import SliceError, SliceErrors, Target, target_text
from misread.views import tiles
from misread.views.dots import Scale, draw_dot, draw_ticks, fair_limit
from misread.views.tiles import ACCENT, FAINT, INK

MOST_ROWS = 40

# Inches.
_WIDTH = 7.4
_RIGHT = 5.5
_COUNTS = 6.55
_RATES = _WIDTH - tiles.MARGIN
_ROW = 0.21
_TOP = tiles.TITLE + 0.26
_LONGEST_NAME = 30
_LETTER = 0.068
_BAND = "#ececec"


def draw_slices(
    errors: SliceErrors, title: str, subtitle: str, cluster: str | None = None
) -> Figure:
    """One row per slice: name, error rate with its interval, mistakes and images.

    A line and a band show the error rate of all images with its interval; slices that differ from
    the rest are in colour. Intervals that would squash all others are cut off, with an arrow.

    Args:
        errors: Error rates; the worst 40 are drawn.
        title: Heading.
        subtitle: Fainter line below it.
        cluster: What images cluster by, to be named.

    Returns:
        A figure that no window and no global state know of.
    """
    shown = errors.slices[:MOST_ROWS]
    bottom = _TOP + _ROW * len(shown)
    figure, axes = tiles.blank_figure(_WIDTH, bottom + 0.78)
    more = len(errors.slices) - len(shown)
    subtitle += f", the worst {len(shown)} of {len(errors.slices):,}" if more else ""
    tiles.draw_title(axes, title, subtitle)
    overall = _overall(errors)
    letters = max((min(len(part.name), _LONGEST_NAME) for part in shown), default=0)
    rates, ends = [part.error.value for part in shown], [part.error.high for part in shown]
    limit = fair_limit(rates, ends, overall.high)
    scale = Scale(tiles.MARGIN + 0.3 + _LETTER * letters, _RIGHT, limit)
    _draw_overall(axes, overall, scale, bottom)
    for x, text in ((_COUNTS, "misread"), (_RATES, "error")):
        axes.text(x, _TOP - 0.08, text, size=7, color=FAINT, ha="right")
    for row, part in enumerate(shown):
        _draw_row(axes, part, _TOP + _ROW * (row + 0.5), scale)
    draw_ticks(axes, scale, bottom)
    axes.text(
        tiles.MARGIN, bottom + 0.44, _footnote(errors, shown, cluster), size=7, color=FAINT,
        va="top", parse_math=False, linespacing=1.3,
    )  # fmt: skip
    return figure


def _overall(errors: SliceErrors) -> Rate:
    """The error rate of all images, its interval about the same as the slices'."""
    clustered = errors.overall_clustered
    return clustered if clustered and errors.target == Target.CLUSTERS else errors.overall


def _draw_overall(axes: Axes, overall: Rate, scale: Scale, bottom: float) -> None:
    x, heights = scale.x(overall.value), [_TOP - 0.04, bottom]
    axes.fill_betweenx(heights, scale.x(overall.low), scale.x(overall.high), color=_BAND, lw=0)
    axes.plot([x, x], heights, color=FAINT, lw=0.8)
    axes.text(x, _TOP - 0.08, f"all {100 * overall.value:.2f}%", size=7, color=FAINT, ha="center")


def _draw_row(axes: Axes, part: SliceError, y: float, scale: Scale) -> None:
    color = ACCENT if part.difference.differs else INK
    rate = part.error
    draw_dot(axes, (rate.value, rate.low, rate.high), y, scale, color)
    for x, text, side in (
        (tiles.MARGIN, tiles.shorten(part.name, _LONGEST_NAME), "left"),
        (_COUNTS, f"{rate.count:,} of {rate.total:,}", "right"),
        (_RATES, f"{100 * rate.value:.2f}%", "right"),
    ):
        axes.text(x, y, text, size=8, color=color, ha=side, va="center", parse_math=False)


def _footnote(errors: SliceErrors, shown: Sequence[SliceError], cluster: str | None) -> str:
    together = f"all {len(errors.slices):,} hold together at" if len(errors.slices) > 1 else "at"
    lines = [
        f"Intervals: {together} {100 * errors.level:g}%, for {target_text(errors, cluster)}.",
        f"Band: all images, {_overall(errors)}.",
    ]
    if any(part.difference.differs for part in shown):
        lines[1] += " In colour: differs from all other slices together."
    return "\n".join(lines)
