"""The reliability diagram: how often a model is right, by how sure it is."""

import math

from markupsafe import Markup

from misread.views.charts import svg
from misread.views.pages.results import Reliability, ReliabilityBin

_SIDE = 270.0
_LEFT, _TOP = 66.0, 12.0
_WIDTH, _HEIGHT = _LEFT + _SIDE + 14, _TOP + _SIDE + 46

# Both axes show 1 - p on a logarithmic scale, so that 99% and 99.9% are as far apart as 90% and
# 99%: where a good model is right nearly always, a linear scale shows a single dot.
_TICKS = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)


def draw_reliability(reliability: Reliability) -> Markup:
    """The share of images read as given by the probability of the predicted class, bin by bin.

    Above the diagonal the model is right more often than it says, below it less often. A bin
    without a mistake is an open circle at the top edge.

    Args:
        reliability: With one bin or more.
    """
    # As far as the surest bin on the one axis, or the one with the fewest mistakes on the other.
    shares = [row.doubt for row in reliability.bins]
    shares += [_misread(row) for row in reliability.bins if row.misread.count]
    surest = min(shares)
    end = min(max(2.5 / max(surest, 1e-12), 25.0), 1 / (1 - _TICKS[-1]))

    def at(share: float) -> float:
        """How far along an axis a share of mistakes lies, 0 (all) to 1 (none)."""
        return math.log(min(1 / max(share, 1 / end), end)) / math.log(end)

    def x(share: float) -> float:
        return _LEFT + _SIDE * at(share)

    def y(share: float) -> float:
        return _TOP + _SIDE * (1 - at(share))

    bottom, right = _TOP + _SIDE, _LEFT + _SIDE
    parts = [
        svg.element("rect", x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, class_="frame"),
        svg.line(_LEFT, bottom, right, _TOP, "diagonal"),
    ]
    for tick in _TICKS:
        if 1 / (1 - tick) > end * 1.001:
            break
        label = f"{100 * tick:g}%"
        parts += [
            svg.line(x(1 - tick), bottom, x(1 - tick), bottom + 4, "axis"),
            svg.text(x(1 - tick), bottom + 18, label, "middle"),
            svg.line(_LEFT - 4, y(1 - tick), _LEFT, y(1 - tick), "axis"),
            svg.text(_LEFT - 8, y(1 - tick) + 4, label, "end"),
        ]
    parts.append(svg.text((_LEFT + right) / 2, bottom + 38, _X, "middle"))
    parts.append(
        svg.element(
            "text", _Y, x=0, y=0, text_anchor="middle", class_="label",
            transform=f"translate(12 {_TOP + _SIDE / 2:g}) rotate(-90)",
        )
    )  # fmt: skip
    parts.append(svg.path([(x(row.doubt), y(_misread(row))) for row in reliability.bins], "faint"))
    for row in reliability.bins:
        if row.misread.low is not None and row.misread.high is not None:
            low, high = y(row.misread.high), y(row.misread.low)
            parts.append(svg.line(x(row.doubt), low, x(row.doubt), high, "whisker"))
        kind = "dot" if row.misread.count else "dot open"
        parts.append(
            svg.element("circle", cx=x(row.doubt), cy=y(_misread(row)), r=3.5, class_=kind)
        )
    return svg.picture(_title(reliability), _WIDTH, _HEIGHT, "reliability", parts)


_X = "probability of the predicted class"
_Y = "share read as given"


def _misread(row: ReliabilityBin) -> float:
    return row.misread.value or 0.0


def _title(reliability: Reliability) -> str:
    misread = reliability.misread.value or 0.0
    return (
        f"Reliability diagram, {len(reliability.bins)} bins: {100 * misread:.2f}% misread where "
        f"the model expects {100 * reliability.expected:.2f}%"
    )
