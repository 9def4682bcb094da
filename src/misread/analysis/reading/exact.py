"""Exact limits for the number of errors among N items, of which m were drawn at random and read."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from misread.errors import ParameterError

DoubleArray = npt.NDArray[np.float64]

# A tail that equals alpha / 2 but for rounding stays in: the interval is wider, never narrower.
_ROUNDING = 1 - 1e-7


@lru_cache(maxsize=8)
def log_factorials(largest: int) -> DoubleArray:
    """(largest + 1,) float64, ln 0!, ln 1!, ..., read-only: looking up is faster than computing."""
    table: DoubleArray = gammaln(np.arange(1, largest + 2, dtype=np.float64))
    table.flags.writeable = False
    return table


@lru_cache(maxsize=65_536)
def exact_limits(wrong: int, read: int, items: int, alpha: float = 0.05) -> tuple[int, int]:
    """The exact interval of the number of errors K among N items, for a number read fixed before.

    K_L is the smallest K under which `wrong` or more would be seen with a probability above
    alpha / 2; K_U the largest under which `wrong` or fewer would. Whatever K is, the interval
    holds it with a probability of 1 - alpha or more.

    Args:
        wrong: x, errors among the items read, in 0..m.
        read: m, items read, in 0..N: a simple random sample without replacement, whose size was
            fixed before the first was read.
        items: N, 0 or more.
        alpha: Largest probability that the interval misses K, in (0, 1).

    Returns:
        K_L and K_U, within x..N - m + x.

    Raises:
        ParameterError: A number is out of range.

    Source: the tails of Clopper & Pearson (1934) for the hypergeometric distribution; Wright
        (1991), Exact confidence bounds when sampling from small finite universes.

    Example:
        >>> exact_limits(0, 938, 9_938)
        (0, 37)
    """
    check_counts(wrong, read, items, alpha)
    if 2 * wrong > read:
        # The rarer of errors and right answers is counted, so that the sums are short.
        low, high = exact_limits(read - wrong, read, items, alpha)
        return items - high, items - low
    enough = alpha / 2 * _ROUNDING
    last = items - read + wrong

    def is_low_enough(errors: int) -> bool:
        return 1 - lower_tail(wrong - 1, read, items, errors) >= enough

    def is_too_high(errors: int) -> bool:
        return lower_tail(wrong, read, items, errors) < enough

    low = smallest(wrong, last, is_low_enough) if wrong else 0
    return low, smallest(wrong, last + 1, is_too_high) - 1


def lower_tail(wrong: int, read: int, items: int, errors: int) -> float:
    """P(X <= wrong) for X errors among m items drawn from N that hold `errors`."""
    table = log_factorials(items)
    right = items - errors
    seen = np.arange(max(0, read - right), min(wrong, errors) + 1)
    logs = (
        table[errors] + table[right] + table[read] + table[items - read] - table[items]
        - table[seen] - table[errors - seen] - table[read - seen] - table[right - read + seen]
    )  # fmt: skip
    return float(np.exp(logs).sum())


def check_counts(wrong: int, read: int, items: int, alpha: float) -> None:
    """Refuse counts that can't be, and levels that are none.

    Raises:
        ParameterError: Not 0 <= wrong <= read <= items, or alpha isn't in (0, 1).
    """
    if not 0 <= wrong <= read <= items:
        raise ParameterError(
            f"wrong, read and items must rise from 0. Got {wrong}, {read} and {items} instead."
        )
    check_alpha(alpha)


def check_alpha(alpha: float) -> None:
    """Refuse a probability of missing that isn't in (0, 1).

    Raises:
        ParameterError: It isn't.
    """
    if not 0 < alpha < 1:
        raise ParameterError(f"alpha must be in (0, 1), as 0.05. Got {alpha} instead.")


def smallest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The smallest k in low..high that holds, where all above it do; `high` is taken to hold."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
