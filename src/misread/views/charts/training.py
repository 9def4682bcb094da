"""How loss and accuracy went over the epochs of a training."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from misread.views.charts import svg
from misread.views.pages.models import TrainingCurve

_WIDTH, _HEIGHT = 340.0, 150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 62.0, 32.0, 22.0


def draw_training(curve: TrainingCurve) -> tuple[Markup, Markup]:
    """The training loss and the share misread in training, each on its own chart.

    Shares misread rather than right, and on a logarithmic scale: the step from 98% to 99% is as
    large as that from 80% to 90%.

    Args:
        curve: One epoch or more.
    """
    epochs = [point.epoch for point in curve.points]
    losses = [point.loss for point in curve.points]
    wrong = [100 * (1 - point.accuracy) for point in curve.points]
    return (
        _draw(curve.run, "training loss", epochs, losses, ""),
        _draw(curve.run, "misread in training", epochs, wrong, "%"),
    )


def _draw(run: str, what: str, epochs: Sequence[int], values: Sequence[float], unit: str) -> Markup:
    first, last = values[0], values[-1]
    title = (
        f"{run}, {what} by epoch: {_number(first)}{unit} in epoch {epochs[0]}, "
        f"{_number(last)}{unit} in epoch {epochs[-1]}"
    )
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    # Where nothing is misread any more, there is no logarithm: as if it were half the least.
    floor = min((value for value in values if value > 0), default=1.0) / 2
    heights = [math.log(max(value, floor)) for value in values]
    low, span = min(heights), max(heights) - min(heights)

    def x(epoch: int) -> float:
        width = right - _LEFT
        return _LEFT + width * (epoch - epochs[0]) / max(epochs[-1] - epochs[0], 1)

    def y(height: float) -> float:
        share = (height - low) / span if span else 0.5
        return bottom - 8 - (bottom - 8 - _TOP - 6) * share

    points = [(x(epoch), y(height)) for epoch, height in zip(epochs, heights, strict=True)]
    end_x, end_y = points[-1]
    parts = [
        svg.text(_LEFT, 14, what, kind="heading"),
        svg.line(_LEFT, bottom, right, bottom, "axis"),
        svg.path(points, "line"),
        svg.element("circle", cx=end_x, cy=end_y, r=3.5, class_="dot"),
        svg.text(end_x + 8, end_y + 4, f"{_number(last)}{unit}", kind="value"),
        svg.text(_LEFT, _HEIGHT - 6, f"epoch {epochs[0]}"),
    ]
    if len(points) > 1:
        start_x, start_y = points[0]
        parts += [
            svg.text(start_x + 8, start_y - 2, f"{_number(first)}{unit}"),
            svg.text(right, _HEIGHT - 6, str(epochs[-1]), "end"),
        ]
    return svg.picture(title, _WIDTH, _HEIGHT, "training", parts)


def _number(value: float) -> str:
    return f"{value:.3g}"
