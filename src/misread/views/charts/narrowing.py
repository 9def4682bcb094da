"""How a reader's interval narrowed as his answers came in."""

from collections.abc import Iterable

from markupsafe import Markup

from misread.views.charts import svg
from misread.views.pages.people import NarrowingCurve

_WIDTH, _HEIGHT = 340.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 62.0, 32.0, 22.0
# Nearer than this, two lines of text would touch.
_APART = 14.0


def narrowing_limit(curves: Iterable[NarrowingCurve], others: Iterable[float]) -> float:
    """The largest error rate on charts of all these readers, so that they can be compared.

    Intervals begin at everything: what lies above a few times their last upper limit is cut off.

    Args:
        curves: With one point or more.
        others: Error rates that are drawn beside them.
    """
    ends = [curve.points[-1].high for curve in curves]
    return min(1.0, max([3 * max(ends, default=0.0), *(1.5 * rate for rate in others), 1e-6]))


def draw_narrowing(
    curve: NarrowingCurve, limit: float, model: str = "", error: float | None = None
) -> Markup:
    """The lower and the upper limit after each of a reader's answers.

    Args:
        curve: One point or more.
        limit: The largest error rate on the chart.
        model: Name of a model whose error rate is drawn as a line.
        error: Its error rate; None for no line.
    """
    points, last = curve.points, curve.points[-1]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    most = max(last.answers, 1)

    def x(answers: int) -> float:
        return _LEFT + (right - _LEFT) * answers / most

    def y(rate: float) -> float:
        return bottom - (bottom - _TOP) * min(max(rate, 0.0), limit) / limit

    low = [(x(point.answers), y(point.low)) for point in points]
    high = [(x(point.answers), y(point.high)) for point in points]
    # The upper limit starts above the chart: drawn is how it comes down.
    above = [point.high >= limit for point in points]
    seen = next((row for row, off in enumerate(above[1:]) if not off), 0)
    parts = [
        svg.text(_LEFT, 14, curve.reader, kind="heading"),
        svg.element(
            "polygon", class_="band",
            points=" ".join(f"{px:.1f},{py:.1f}" for px, py in [*low, *reversed(high)]),
        ),
        svg.line(_LEFT, bottom, right, bottom, "axis"),
        svg.text(_LEFT - 6, bottom + 4, "0%", "end"),
        svg.text(_LEFT - 6, _TOP + 8, _short(100 * limit), "end"),
        svg.path(low, "line"),
        svg.path(high[seen:], "line"),
        svg.text(right, _HEIGHT - 6, f"{last.answers:,} answers", "end"),
        *_ends(right + 8, y(last.low), y(last.high), last.low, last.high),
    ]  # fmt: skip
    title = (
        f"{curve.reader}: after {last.answers:,} answers the error rate lies between "
        f"{100 * last.low:.2f}% and {100 * last.high:.2f}%"
    )
    if error is not None:
        parts.append(svg.line(_LEFT, y(error), right, y(error), "diagonal"))
        title += f"; that of {model} is {100 * error:.2f}%"
    return svg.picture(title, _WIDTH, _HEIGHT, "narrowing", parts)


def _short(per_cent: float) -> str:
    """To two digits, without an exponent: 0.0012%, 3.4%, 100%."""
    if per_cent >= 10:
        return f"{per_cent:.0f}%"
    return f"{float(f'{per_cent:.2g}'):.6f}".rstrip("0").rstrip(".") + "%"


def _ends(x: float, low_y: float, high_y: float, low: float, high: float) -> tuple[Markup, Markup]:
    """Both limits as text, apart from each other."""
    short = max(0.0, _APART - (low_y - high_y)) / 2
    return (
        svg.text(x, low_y + 4 + short, f"{100 * low:.2f}%", kind="value"),
        svg.text(x, high_y + 4 - short, f"{100 * high:.2f}%", kind="value"),
    )
