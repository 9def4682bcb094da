"""Limits for the number of errors that hold however the reading came to its end.

After m answers without replacement, x of them wrong, the hypothesis of K errors among N items is
given up once the answers were 1/alpha times likelier under a bet fixed beforehand:

    E_m(K) = P(x | bet) / P(x | K) = [B(a+x, b+m-x) / B(a, b)] C(N, K) / C(N-m, K-x)

The bet is a beta distribution of the error rate. Under the true K, E_m(K) is a martingale that
starts at 1, so that it ever reaches 1/alpha with a probability of at most alpha (Ville 1939). The
bet changes the width of the limits, never their validity.

ln E_m is convex in K: E_m(K+1) / E_m(K) = [1 + (m-x)/(N-m-K+x)] [1 - x/(K+1)], and both factors
rise with K. The set {K : E_m(K) < 1/alpha} is thus an interval around the K that makes the answers
likeliest, and never empty.

Source: Waudby-Smith & Ramdas (2020), Confidence sequences for sampling without replacement,
arXiv 2006.04347, section 2, the prior-posterior-ratio martingale.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from misread.analysis.reading.exact import DoubleArray, check_alpha, log_factorials
from misread.errors import ParameterError
from misread.types import IntArray

# What the bet expects unless told otherwise: the error rate outside the hard items.
EXPECTED_RATE = 0.003
_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class LimitSequence:
    """Limits after each answer of one reader, one after another.

    Attributes:
        low: (m + 1,) int64, the limit before the first answer, after the first, ...; never falls.
        high: (m + 1,) int64; never rises while the sets agree.
        contradicts: Whether the sets after different answers have nothing in common. If all answers
            are about one fixed set of errors, that happens with a probability of at most alpha:
            more likely the reader changed as he went on. The limits are then those of each answer's
            own set.
    """

    low: IntArray
    high: IntArray
    contradicts: bool

    @property
    def last(self) -> tuple[int, int]:
        """The limits after all answers."""
        return int(self.low[-1]), int(self.high[-1])


def beta_bet(rate: float = EXPECTED_RATE) -> tuple[float, float]:
    """The two parameters of the bet on an error rate: a = 0.5 and b so that its mean is `rate`.

    Raises:
        ParameterError: The rate isn't in (0, 1).
    """
    if not 0 < rate < 1:
        raise ParameterError(f"expected_rate must be in (0, 1), as 0.003. Got {rate} instead.")
    return _WEIGHT, _WEIGHT * (1 - rate) / rate


def log_evidence(
    errors: npt.ArrayLike,
    wrong: npt.ArrayLike,
    read: npt.ArrayLike,
    items: int,
    expected_rate: float = EXPECTED_RATE,
) -> DoubleArray:
    """The evidence against K errors among N items, ln E_m(K).

    Args:
        errors: K, integers that broadcast with the others.
        wrong: x, errors among the items read, 0 to m.
        read: m, items read in their random order, 0 to N.
        items: N.
        expected_rate: What the bet expects, in (0, 1).

    Returns:
        float64 of the common shape; infinite where `wrong` of `read` can't come from `errors`.
    """
    a, b = beta_bet(expected_rate)
    errors, wrong, read = (np.asarray(part, np.int64) for part in (errors, wrong, read))
    possible = (wrong <= errors) & (errors <= items - read + wrong)
    errors = np.where(possible, errors, wrong)
    evidence = _bet(wrong, read, a, b) + _against(errors, wrong, read, items)
    return np.where(possible, evidence, np.inf)


def _bet(wrong: IntArray, read: IntArray, a: float, b: float) -> DoubleArray:
    bet: DoubleArray = betaln(a + wrong, b + read - wrong) - betaln(a, b)
    return bet


def _against(errors: IntArray, wrong: IntArray, read: IntArray, items: int) -> DoubleArray:
    """The part of ln E_m(K) that K is in: ln [C(N, K) / C(N - m, K - x)]."""
    table = log_factorials(items)
    unread, hidden = items - read, errors - wrong
    against: DoubleArray = (
        table[items] - table[errors] - table[items - errors]
        - table[unread] + table[hidden] + table[unread - hidden]
    )  # fmt: skip
    return against


def anytime_limits(
    wrong: npt.ArrayLike,
    read: npt.ArrayLike,
    items: int,
    alpha: float = 0.05,
    expected_rate: float = EXPECTED_RATE,
) -> tuple[IntArray, IntArray]:
    """The anytime-valid interval of the number of errors K among N items.

    Args:
        wrong: x, errors among the items read; any shape.
        read: m, items read in their random order, of the same shape.
        items: N.
        alpha: Largest probability that the interval ever misses K, at any m, in (0, 1).
        expected_rate: What the bet expects, in (0, 1).

    Returns:
        The smallest and the largest K that aren't given up, int64 of the common shape.

    Raises:
        ParameterError: Numbers that are out of range.

    Example:
        >>> low, high = anytime_limits(0, 938, 9_938)
        >>> int(low), int(high)
        (0, 39)
    """
    check_alpha(alpha)
    a, b = beta_bet(expected_rate)
    wrong, read = np.broadcast_arrays(np.asarray(wrong, np.int64), np.asarray(read, np.int64))
    if not ((wrong >= 0) & (wrong <= read) & (read <= items)).all():
        raise ParameterError("wrong, read and items must rise from 0 in every place.")
    first, last = wrong, items - read + wrong
    # The likeliest K: the first one whose step is upward.
    likeliest = -(-wrong * (items + 1) // np.maximum(read, 1)) - 1
    likeliest = np.clip(likeliest, first, last)
    room = -np.log(alpha) - _bet(wrong, read, a, b)

    def is_in(errors: IntArray) -> npt.NDArray[np.bool_]:
        inside: npt.NDArray[np.bool_] = _against(errors, wrong, read, items) < room
        return inside

    return _lowest(first, likeliest, is_in), _highest(likeliest, last, is_in)


def limit_sequence(
    wrong: npt.ArrayLike,
    items: int,
    alpha: float = 0.05,
    expected_rate: float = EXPECTED_RATE,
) -> LimitSequence:
    """The limits after each answer: what all sets so far have in common.

    That too misses K with a probability of at most alpha, and is narrower than the last set.

    Args:
        wrong: (m,) bool, whether each answer is an error, in the order of reading.
        items: N >= m.
        alpha: Largest probability that a set ever misses K.
        expected_rate: What the bet expects, in (0, 1).
    """
    count = np.concatenate([[0], np.cumsum(np.asarray(wrong, np.int64))])
    low, high = anytime_limits(count, np.arange(len(count)), items, alpha, expected_rate)
    highest, lowest = np.maximum.accumulate(low), np.minimum.accumulate(high)
    apart = highest > lowest
    # K is missed already where they are apart: whatever is shown there costs no validity.
    return LimitSequence(
        np.where(apart, low, highest), np.where(apart, high, lowest), bool(apart.any())
    )


def _lowest(
    low: IntArray, high: IntArray, is_in: Callable[[IntArray], npt.NDArray[np.bool_]]
) -> IntArray:
    """The smallest K in of low..high, where all from it up to `high` are in."""
    low, high = low.copy(), high.copy()
    while (low < high).any():
        middle = (low + high) // 2
        inside = is_in(middle)
        high = np.where(inside, middle, high)
        low = np.where(inside, low, np.minimum(middle + 1, high))
    return low


def _highest(
    low: IntArray, high: IntArray, is_in: Callable[[IntArray], npt.NDArray[np.bool_]]
) -> IntArray:
    """The largest K in of low..high, where all from `low` up to it are in."""
    low, high = low.copy(), high.copy()
    while (low < high).any():
        middle = (low + high + 1) // 2
        inside = is_in(middle)
        low = np.where(inside, middle, low)
        high = np.where(inside, high, np.maximum(middle - 1, low))
    return high
