"""Error rates of slices as dots with intervals, the worst at the top."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from misread.analysis.intervals import Rate
from misread.analysis.slices import SliceError, SliceErrors, Target
from misread.views import tiles
from misread.views.tiles import ACCENT, FAINT, INK

MOST_ROWS = 40

# Inches.
_WIDTH = 7.4
_PLOT = (2.0, 5.5)
_COUNTS = 6.55
_RATES = _WIDTH - tiles.MARGIN
_ROW = 0.21
_TOP = tiles.TITLE + 0.3
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
    tiles.draw_title(axes, title, subtitle + (f", the worst {len(shown)}, {more:,} more" if more else ""))
    overall = errors.overall_clustered or errors.overall
    limit = _limit(shown, overall)
    _draw_overall(axes, overall, limit, bottom)
    for row, part in enumerate(shown):
        _draw_row(axes, part, _TOP + _ROW * (row + 0.5), limit)
    _draw_scale(axes, limit, bottom)
    axes.text(
        tiles.MARGIN, bottom + 0.48, _footnote(errors, cluster), size=7, color=FAINT, va="top",
        parse_math=False, linespacing=1.3,
    )  # fmt: skip
    return figure


def target_text(errors: SliceErrors, cluster: str | None) -> str:
    """What the slices' intervals are about: `new images of new writers`, say."""
    name = cluster or "cluster"
    return {
        Target.IMAGES: "new images of the same kind, drawn independently",
        Target.CLUSTERS: f"new images, each {name} a new one",
        Target.SAME_CLUSTERS: f"new images, each {name} as here",
    }[errors.target]


def _limit(shown: tuple[SliceError, ...], overall: Rate) -> float:
    """The right end of the scale: all rates fit, and all intervals but the odd very wide one."""
    rates = [part.error.value for part in shown]
    ends = [part.error.high for part in shown] or [1.0]
    fair = max([1.25 * max(rates, default=0), 4 * float(np.median(ends)), 1.5 * overall.high])
    return min(max(*ends, overall.high), fair, 1.0) or 1.0


def _x(rate: float, limit: float) -> float:
    left, right = _PLOT
    return left + (right - left) * min(rate / limit, 1.0)


def _draw_overall(axes: Axes, overall: Rate, limit: float, bottom: float) -> None:
    x = _x(overall.value, limit)
    axes.fill_betweenx(
        [_TOP - 0.04, bottom], _x(overall.low, limit), _x(overall.high, limit), color=_BAND, lw=0
    )
    axes.plot([x, x], [_TOP - 0.04, bottom], color=FAINT, lw=0.8)
    axes.text(x, _TOP - 0.08, f"all {100 * overall.value:.2f}%", size=7, color=FAINT, ha="center")


def _draw_row(axes: Axes, part: SliceError, y: float, limit: float) -> None:
    color = ACCENT if part.difference.differs else INK
    rate = part.error
    start, middle, end = (_x(value, limit) for value in (rate.low, rate.value, rate.high))
    axes.plot([start, end], [y, y], color=color, lw=1.1, solid_capstyle="butt")
    if rate.high > limit:
        axes.plot([end], [y], marker=">", markersize=3.5, color=color)
    axes.plot([middle], [y], marker="o", markersize=4.5, color=color)
    text = {"y": y, "size": 8, "color": color, "va": "center", "parse_math": False}
    axes.text(tiles.MARGIN, s=tiles.shorten(part.name, 30), **text)
    axes.text(_COUNTS, s=f"{rate.count:,} of {rate.total:,}", ha="right", **text)
    axes.text(_RATES, s=f"{100 * rate.value:.2f}%", ha="right", **text)


def _draw_scale(axes: Axes, limit: float, bottom: float) -> None:
    axes.plot(_PLOT, [bottom, bottom], color=FAINT, lw=0.6)
    ticks = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(0, 100 * limit)
    for tick in ticks[(ticks >= 0) & (ticks <= 100 * limit)]:
        x = _x(tick / 100, limit)
        axes.plot([x, x], [bottom, bottom + 0.04], color=FAINT, lw=0.6)
        axes.text(x, bottom + 0.08, f"{tick:g}%", size=7, color=FAINT, ha="center", va="top")


def _footnote(errors: SliceErrors, cluster: str | None) -> str:
    overall = errors.overall_clustered or errors.overall
    level = f"{100 * errors.level:g}%"
    return (
        f"Intervals: all {len(errors.slices):,} hold together at {level}, for "
        f"{target_text(errors, cluster)}. Band: all images, {overall}.\n"
        "In colour: differs from all other slices together, corrected for their number."
    )
