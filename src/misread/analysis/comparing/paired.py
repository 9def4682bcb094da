"""Two columns of right and wrong on the same images: McNemar's test, the difference, kappa."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, ndtri

from misread.analysis.intervals import Estimate
from misread.analysis.reading.consistency import error_consistency
from misread.errors import ParameterError

_NOT_KNOWN = Estimate(math.nan, math.nan, math.nan)
# Halvings of an interval within [-1, 1] until its limits stand still.
_HALVINGS = 60


@dataclass(frozen=True)
class Paired:
    """How the mistakes of two models on the same images fall.

    Attributes:
        both: Images that both misread.
        first_only: Images that only the first misreads.
        second_only: Images that only the second misreads.
        images: N, all images.
    """

    both: int
    first_only: int
    second_only: int
    images: int

    def __post_init__(self) -> None:
        counts = (self.both, self.first_only, self.second_only)
        if min(counts) < 0 or sum(counts) > self.images:
            raise ParameterError(
                "both, first_only and second_only must be 0 or more, and no more than images in "
                f"sum. Got {self} instead."
            )


def mcnemar(pair: Paired) -> float:
    """McNemar's exact test of two models' error rates being the same.

    Of the images that one of the two misreads, each would be either's with probability 1/2. The
    p-value is twice the smaller binomial tail, at most 1; 1 where the two misread the same images.

    Source: McNemar (1947); the exact form as in Fagerland, Lydersen & Laake (2013), section 2.

    Example:
        >>> round(mcnemar(Paired(both=21, first_only=41, second_only=14, images=10_000)), 5)
        0.00036
    """
    smaller, either = min(pair.first_only, pair.second_only), pair.first_only + pair.second_only
    return min(1.0, 2 * float(bdtr(smaller, either, 0.5))) if either else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for all comparisons that were made, in the order in which they came.

    If each difference with a corrected p-value of at most 0.05 is taken for real, the probability
    of being wrong at all is at most 0.05, however the comparisons depend on each other.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.

    Example:
        >>> holm([0.04, 0.01, 0.5])
        [0.08, 0.03, 0.5]
    """
    order = np.argsort(p_values, kind="stable")
    times = len(order) - np.arange(len(order))
    grown = np.maximum.accumulate(times * np.asarray(p_values, np.float64)[order])
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(grown, 1.0)
    return [float(p) for p in corrected]


def difference(pair: Paired, level: float = 0.95) -> Estimate:
    """The first model's error rate minus the second's, with Tango's score interval.

    Its target is new images of the same kind, drawn independently of each other. It keeps its
    level where few images are misread by only one of the two, and even none.

    Args:
        pair: How the mistakes fall.
        level: Confidence level, in (0, 1).

    Returns:
        The difference in [-1, 1]; NaN of no images.

    Raises:
        ParameterError: The level is out of range.

    Source: Tango (1998), Equivalence test and confidence interval for the difference in
        proportions for the paired-sample design, section 3.

    Example:
        >>> found = difference(Paired(both=1, first_only=1, second_only=7, images=21))
        >>> f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
        '-0.286 (-0.517 to -0.026)'
    """
    z = _quantile(level)
    n, b, c = pair.images, pair.first_only, pair.second_only
    if not n:
        return _NOT_KNOWN
    value = (b - c) / n

    def outside(delta: float) -> bool:
        # The probability of "only the second", as likely as it can be made at this difference.
        middle = (2 * n - b + c) * delta - b - c
        root = math.sqrt(max(0.0, middle**2 + 8 * n * c * delta * (1 - delta)))
        second = (root - middle) / (4 * n)
        variance = n * (2 * second + delta * (1 - delta))
        return (b - c - n * delta) ** 2 > z * z * variance

    return Estimate(value, _edge(value, -1.0, outside), _edge(value, 1.0, outside))


def consistency(pair: Paired, level: float = 0.95) -> Estimate:
    """Error consistency of two models, with a score interval.

    The limits are the values of kappa that lie no more standard errors from the observed one than
    the level allows, the standard error being that *at* the value, at the observed error rates: so
    that they keep their level where one would be tempted to trust an observed 0 or 1. Their target
    is new images of the same kind, drawn independently of each other.

    Args:
        pair: How the mistakes fall.
        level: Confidence level, in (0, 1).

    Returns:
        Kappa in [-1, 1]; NaN where one of the two misreads nothing, or everything.

    Raises:
        ParameterError: The level is out of range.

    Source: kappa as in Geirhos, Meding & Wichmann (2020), section 2; its variance by the delta
        method, as in Fleiss, Cohen & Everitt (1969).

    Example:
        >>> found = consistency(Paired(both=21, first_only=41, second_only=14, images=10_000))
        >>> f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
        '0.43 (0.31 to 0.55)'
    """
    z = _quantile(level)
    n, first, second = (
        pair.images, pair.both + pair.first_only, pair.both + pair.second_only
    )  # fmt: skip
    if first in (0, n) or second in (0, n):
        return _NOT_KNOWN
    value = error_consistency(pair.both, pair.first_only, pair.second_only, n)
    p, q = first / n, second / n

    def outside(kappa: float) -> bool:
        return (value - kappa) ** 2 > z * z * _kappa_variance(kappa, p, q) / n

    return Estimate(value, _edge(value, -1.0, outside), _edge(value, 1.0, outside))


def _kappa_variance(kappa: float, p: float, q: float) -> float:
    """N times the variance of kappa's estimate, at this kappa and these error rates.

    kappa = 2 (a - p q) / d with d = p + q - 2 p q and a the share that both misread.
    """
    d = p + q - 2 * p * q
    a = min(max(p * q + kappa * d / 2, p + q - 1, 0.0), p, q)
    # Shares of both, only the first, only the second; kappa's slope along each.
    shares = (a, p - a, q - a)
    slopes = (
        2 * (1 - p - q) * (1 - kappa) / d,
        -(2 * q + kappa * (1 - 2 * q)) / d,
        -(2 * p + kappa * (1 - 2 * p)) / d,
    )
    mean = sum(share * slope for share, slope in zip(shares, slopes, strict=True))
    square = sum(share * slope**2 for share, slope in zip(shares, slopes, strict=True))
    return max(0.0, square - mean**2)


def _edge(inside: float, end: float, outside: Callable[[float], bool]) -> float:
    """Where the values that aren't outside end, from one of them towards an end."""
    if inside == end or not outside(end):
        return end
    near, far = inside, end
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        if outside(middle):
            far = middle
        else:
            near = middle
    return near


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ParameterError(f"level must be in (0, 1), as 0.95. Got {level} instead.")
    return float(ndtri((1 + level) / 2))
