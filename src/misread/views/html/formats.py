"""How numbers read on a page."""

import math

from misread.views.pages.parts import Interval, Share


def count(value: int) -> str:
    """A whole number with commas: `60,000`."""
    return f"{value:,}"


def rate(share: Share) -> str:
    """A share as per cent: `0.62%`; a dash where there is none."""
    return "-" if share.value is None else f"{100 * share.value:.2f}%"


def limits(share: Share | Interval, digits: int = 2) -> str:
    """The limits of an interval in per cent: `0.48 to 0.79`; "" where there are none."""
    if share.low is None or share.high is None:
        return ""
    low, high = (decimal(100 * part, digits=digits) for part in (share.low, share.high))
    return f"{low} to {high}"


def decimal(value: float, sign: str = "", digits: int = 2) -> str:
    """A number to some digits, with "+" its sign too; what rounds to zero has none."""
    told = f"{value:{sign}.{digits}f}"
    return told if float(told) else told.lstrip("+-")


def percent(interval: Interval, digits: int = 2) -> str:
    """An estimated share as per cent: `0.62%`; a dash where there is none."""
    return "-" if interval.value is None else f"{100 * interval.value:.{digits}f}%"


def number(value: float) -> str:
    """An estimated number of images, to a tenth: `16.7`, `9,926`, `<0.1`."""
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return "<0.1" if 0 < value < 0.05 else f"{value:.1f}"


def probability(value: float) -> str:
    """A probability as per cent, never rounded to certainty: `>99.9%`."""
    percent = 100 * value
    if percent < 0.1:
        return "<0.1%"
    if percent > 99.9:
        return ">99.9%"
    return f"{percent:.1f}%" if percent < 10 or percent > 99 else f"{percent:.0f}%"


def p_value(p: float) -> str:
    """A p-value, always to four digits so that points line up: `0.0310`, `<0.0001`."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def heat(value: int, largest: int) -> int:
    """A level of colour, 1 to 5, for a count of 1 or more; growing with its square root."""
    return max(1, min(5, round(5 * math.sqrt(value / largest))))


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 image`, `2 images`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
