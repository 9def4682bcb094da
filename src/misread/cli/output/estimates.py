"""Estimates with their intervals, for people and for programs."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from misread.analysis.intervals import Estimate, Rate


def rate(estimate: "Estimate") -> str:
    """In per cent, to two digits: `0.42% (0.31 to 0.58)`."""
    return _told(estimate, "{:.2f}%", "{:.2f}", 100)


def percent(estimate: "Estimate") -> str:
    """In whole per cent."""
    return _told(estimate, "{:.0f}%", "{:.0f}", 100)


def difference(estimate: "Estimate") -> str:
    """In points, with its sign: `+0.12 (-0.03 to +0.27)`."""
    return _told(estimate, "{:+.2f}", "{:+.2f}", 100)


def count(estimate: "Estimate") -> str:
    """A number of images, to three digits, large ones whole."""
    value, low, high = estimate.value, estimate.low, estimate.high
    if math.isnan(value):
        return "not known"
    return _many(value) if low == high else f"{_many(value)} ({_many(low)} to {_many(high)})"


def _many(number: float) -> str:
    """Without an exponent: `0.25`, `13.1`, `4,010`."""
    return f"{number:,.0f}" if abs(number) >= 99.5 else f"{number:.3g}"


def plain(estimate: "Estimate") -> str:
    """As it is, to two digits."""
    return _told(estimate, "{:.2f}", "{:.2f}", 1)


def _told(estimate: "Estimate", first: str, others: str, times: float) -> str:
    """A number with its interval, where it has one."""
    value, low, high = (times * part for part in (estimate.value, estimate.low, estimate.high))
    if math.isnan(value):
        return "not known"
    told, low_told, high_told = (
        _no_minus_zero(form.format(part))
        for form, part in ((first, value), (others, low), (others, high))
    )
    return told if low == high else f"{told} ({low_told} to {high_told})"


def _no_minus_zero(told: str) -> str:
    """What rounds to zero has no sign: "-0.00" is "0.00"."""
    return told if any(digit in told for digit in "123456789") else told.lstrip("+-")


def share(of: "Rate") -> str:
    """A rate with its interval, in whole per cent."""
    return f"{100 * of.value:.0f}% ({100 * of.low:.0f} to {100 * of.high:.0f})"


def data(value: Any) -> Any:
    """A dataclass of numbers as JSON has it: no NaN."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: data(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value
