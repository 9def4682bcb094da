"""The reliability diagram: how often a model is right, by how sure it is."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from misread.analysis.calibration import Calibration, Floats
from misread.views import tiles
from misread.views.tiles import ACCENT, FAINT, INK

# Both axes show 1 - p on a logarithmic scale, so that 99% and 99.9% are as far apart as 90% and
# 99%: where a good model is right nearly always, a linear scale shows a single dot.
_TICKS = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
_WIDTH, _HEIGHT = 5.4, 6.2
_STRIP = 0.8
_BELOW = 0.5
_HEADING = 1.0


def draw_calibration(before: Calibration, after: Calibration | None = None) -> Figure:
    """A reliability curve with intervals above a strip that shows where the images are.

    Above the diagonal the model is right more often than it says, below it less often. A bin
    without a mistake stands at the top edge, as an open circle.

    Args:
        before: The calibration of the predictions.
        after: Of the same after temperature scaling.

    Returns:
        A figure that no window and no global state know of.
    """
    figure, canvas = tiles.blank_figure(_WIDTH, _HEIGHT)
    provenance = before.provenance
    tiles.draw_title(
        canvas,
        "How sure it is, and how often it is right",
        f"{tiles.shorten(provenance.run_name, 40)}, {provenance.split} ({provenance.origin}), "
        f"{before.misread.total:,} images; 95% intervals; open: no mistake",
    )
    shown = [before] if after is None else [before, after]
    end = _end(shown)
    left, width = 0.82, _WIDTH - 1.02
    bottom = _BELOW + _STRIP + 0.12
    curve = _axes(figure, (left, bottom, width, _HEIGHT - bottom - _HEADING))
    strip = _axes(figure, (left, _BELOW, width, _STRIP))
    for axes in (curve, strip):
        axes.set_xscale("log")
        axes.set_xlim(1, end)
        _ticks(axes, end, "x")
    curve.set_yscale("log")
    curve.set_ylim(1, end)
    _ticks(curve, end, "y")
    curve.plot([1, end], [1, end], color=FAINT, linewidth=0.8, dashes=(4, 3))
    curve.tick_params(labelbottom=False)
    curve.set_ylabel("share read as given", size=8, color=INK)
    strip.set_yscale("log")
    strip.set_ylim(0.5, 2 * before.misread.total)
    strip.yaxis.set_ticks([], minor=True)
    strip.set_ylabel("images", size=8, color=INK)
    strip.set_xlabel("probability of the predicted class", size=8, color=INK)
    names = ("as predicted", "after temperature scaling")
    for line, (calibration, color, name) in enumerate(
        zip(shown, (INK, ACCENT), names, strict=False)
    ):
        _draw_curve(curve, calibration, color, end)
        _draw_strip(strip, calibration, color, end)
        canvas.text(
            tiles.MARGIN, 0.54 + 0.15 * line, f"{name}: {_ece(calibration)}",
            size=8, color=color, va="top",
        )  # fmt: skip
    return figure


def _ece(calibration: Calibration) -> str:
    ece = calibration.ece
    return f"calibration error {100 * ece.value:.2f}% ({100 * ece.low:.2f} to {100 * ece.high:.2f})"


def _end(shown: list[Calibration]) -> float:
    """The right edge, as 1 / (1 - p): beyond the surest bin, and no more than the last tick."""
    surest = min(row.doubt for calibration in shown for row in calibration.bins)
    return float(np.clip(2.5 / max(surest, 1e-12), 25, 1 / (1 - _TICKS[-1])))


def _axes(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    left, bottom, width, height = box
    axes = figure.add_axes((left / _WIDTH, bottom / _HEIGHT, width / _WIDTH, height / _HEIGHT))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(labelsize=7, colors=INK, which="both", length=3, color=FAINT)
    return axes


def _ticks(axes: Axes, end: float, side: str) -> None:
    shown = [tick for tick in _TICKS if 1 / (1 - tick) <= end * 1.001]
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_ticks([1 / (1 - tick) for tick in shown], [f"{100 * tick:g}%" for tick in shown])
    axis.set_ticks([], minor=True)


def _draw_curve(axes: Axes, calibration: Calibration, color: str, end: float) -> None:
    rows = calibration.bins
    x = _scale([row.doubt for row in rows], end)
    y = _scale([row.misread.value for row in rows], end)
    low = _scale([row.misread.high for row in rows], end)
    high = _scale([row.misread.low for row in rows], end)
    none = np.array([row.misread.count == 0 for row in rows])
    axes.vlines(x, low, high, color=color, linewidth=0.9, alpha=0.55, clip_on=False)
    axes.plot(x, y, color=color, linewidth=0.8, alpha=0.35, clip_on=False)
    axes.plot(x[~none], y[~none], "o", color=color, markersize=4, clip_on=False)
    axes.plot(
        x[none], y[none], "o", color=color, markersize=4, markerfacecolor="white", clip_on=False
    )


def _scale(shares: list[float], end: float) -> Floats:
    """Shares of mistakes as 1 / share, within the frame."""
    return np.minimum(1 / np.maximum(shares, 1 / end), end)


def _draw_strip(axes: Axes, calibration: Calibration, color: str, end: float) -> None:
    """How many images each bin has."""
    x = _scale([row.doubt for row in calibration.bins], end)
    images = [row.misread.total for row in calibration.bins]
    axes.vlines(x, 0.5, images, color=color, linewidth=2.2, alpha=0.7, clip_on=False)
