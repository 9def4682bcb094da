"""Error rates as a dot with its interval, one small chart a row, all on one scale."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from misread.views.charts import svg
from misread.views.pages.parts import Share

# Pixels: beside other columns or on a phone, and where the chart is the main thing.
WIDTH, BROAD, HEIGHT = 132.0, 340.0, 18.0
# Room for half a dot and half a tick's text at both ends.
_MARGIN = 14.0


@dataclass(frozen=True)
class Scale:
    """Shares from 0 to a limit, on the width of a whisker chart.

    Attributes:
        limit: The largest share shown, above 0.
        width: Of the chart, in pixels.
    """

    limit: float
    width: float = WIDTH

    @classmethod
    def of(cls, shares: Iterable[Share], overall: Share, width: float = WIDTH) -> "Scale":
        """A scale on which all shares fit, and all intervals but the odd very wide one."""
        known = [share for share in (*shares, overall) if share.value is not None]
        ends = sorted(share.high if share.high is not None else share.value or 0 for share in known)
        if not ends:
            return cls(1.0, width)
        largest = max(share.value or 0 for share in known)
        fair = max(1.25 * largest, 4 * ends[len(ends) // 2])
        return cls(min(ends[-1], fair, 1.0) or 1.0, width)

    def x(self, share: float) -> float:
        """Where a share lies, in pixels."""
        return _MARGIN + (self.width - 2 * _MARGIN) * min(share / self.limit, 1.0)

    @property
    def ticks(self) -> list[float]:
        """Round shares from 0 to the limit: three or four of them."""
        rough = self.limit / 3
        power = 10 ** math.floor(math.log10(rough))
        step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough * 0.999)
        return [step * n for n in range(int(self.limit / step + 1e-9) + 1)]


def draw_whisker(share: Share, scale: Scale, overall: Share) -> Markup:
    """A dot with its interval, over a band that is the interval of all images.

    An interval that ends beyond the scale ends in an arrow.

    Args:
        share: What is drawn; without a value nothing is.
        scale: That of the table.
        overall: Share of all images.
    """
    middle, parts = HEIGHT / 2, []
    if overall.low is not None and overall.high is not None:
        left, right = scale.x(overall.low), scale.x(overall.high)
        parts.append(
            svg.element("rect", x=left, y=0, width=right - left, height=HEIGHT, class_="band")
        )
    if overall.value is not None:
        x = scale.x(overall.value)
        parts.append(svg.line(x, 0, x, HEIGHT, "mean"))
    if share.low is not None and share.high is not None:
        end = scale.x(share.high)
        parts.append(svg.line(scale.x(share.low), middle, end, middle, "whisker"))
        if share.high > scale.limit * 1.0001:
            arrow = [(end, middle - 3.5), (end + 5, middle), (end, middle + 3.5)]
            parts.append(svg.path(arrow, "arrow"))
    if share.value is not None:
        parts.append(svg.element("circle", cx=scale.x(share.value), cy=middle, r=3.5, class_="dot"))
    # The numbers stand beside it in the table: read aloud, the drawing would only repeat them.
    return svg.element(
        "svg", *parts, class_="chart small", aria_hidden="true",
        viewBox=f"0 0 {scale.width:g} {HEIGHT:g}", width=scale.width, height=HEIGHT,
    )  # fmt: skip


def draw_axis(scale: Scale) -> Markup:
    """The ticks of the scale, for the head of the table."""
    parts = []
    for tick in scale.ticks:
        x = scale.x(tick)
        parts += [
            svg.text(x, 11, f"{100 * tick:.3g}%", "middle"),
            svg.line(x, 14, x, HEIGHT, "axis"),
        ]
    return svg.element(
        "svg", *parts, class_="chart small", aria_hidden="true",
        viewBox=f"0 0 {scale.width:g} {HEIGHT:g}", width=scale.width, height=HEIGHT,
    )  # fmt: skip
