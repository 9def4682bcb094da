"""Rates as dots with intervals on one scale, a row each: what pictures of rates share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from misread.views.tiles import FAINT


@dataclass(frozen=True)
class Scale:
    """Rates from 0 to a limit, from a left edge in inches to a right one."""

    left: float
    right: float
    limit: float

    def x(self, rate: float) -> float:
        """Where a rate lies; one beyond the limit at the right edge."""
        return self.left + (self.right - self.left) * min(rate / self.limit, 1.0)


def fair_limit(rates: Sequence[float], ends: Sequence[float], widest: float) -> float:
    """The end of a scale: all rates fit, and all intervals but the odd very wide one.

    Args:
        rates: The rates, in [0, 1].
        ends: Upper limits of their intervals.
        widest: A further upper limit, that of what they are held against.
    """
    fair = max(1.25 * max(rates, default=0), 4 * float(np.median(list(ends) or [1.0])))
    return min(max([*ends, widest], default=1.0), fair, 1.0) * 1.02 or 1.0


def draw_dot(
    axes: Axes, rate: tuple[float, float, float], y: float, scale: Scale, color: str, fill: str = ""
) -> None:
    """A rate as a dot with its interval; an arrow where that goes beyond the scale.

    Args:
        axes: In inches.
        rate: The rate and its limits.
        y: The row's middle.
        scale: Where rates lie.
        color: Of dot and line.
        fill: Of the dot, if another.
    """
    value, low, high = rate
    end = scale.x(high)
    axes.plot([scale.x(low), end], [y, y], color=color, lw=1.1, solid_capstyle="butt")
    if high > scale.limit:
        axes.plot([end], [y], marker=">", markersize=3.5, color=color)
    axes.plot(
        [scale.x(value)], [y], marker="o", markersize=4.5, color=color,
        markerfacecolor=fill or color,
    )  # fmt: skip


def draw_ticks(axes: Axes, scale: Scale, bottom: float) -> None:
    """The scale below the rows, with round numbers."""
    axes.plot([scale.left, scale.right], [bottom, bottom], color=FAINT, lw=0.6)
    ticks = np.asarray(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(0, 100 * scale.limit))
    for tick in ticks[(ticks >= 0) & (ticks <= 100 * scale.limit)]:
        x = scale.x(tick / 100)
        axes.plot([x, x], [bottom, bottom + 0.04], color=FAINT, lw=0.6)
        axes.text(x, bottom + 0.08, f"{tick:g}%", size=7, color=FAINT, ha="center", va="top")
