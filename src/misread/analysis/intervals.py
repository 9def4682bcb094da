"""Numbers and rates with their confidence intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from misread.errors import ParameterError


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: The estimate.
        low: Lower limit.
        high: Upper limit.
    """

    value: float
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Rate:
    """A share of N items with its confidence interval.

    Attributes:
        count: Number of items that have the property.
        total: Number of items; 0 gives NaN throughout.
        low: Lower limit, in [0, 1].
        high: Upper limit, in [0, 1].
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself, in [0, 1]."""
        return self.count / self.total if self.total else float("nan")

    def __str__(self) -> str:
        """Per cent with the interval: `0.62% (0.48 to 0.79)`."""
        return f"{100 * self.value:.2f}% ({100 * self.low:.2f} to {100 * self.high:.2f})"


def wilson(count: int, total: int, level: float = 0.95) -> Rate:
    """Wilson's score interval: close to nominal coverage on average over the true rate.

    Its target is the rate among new items drawn as these were, one by one and independently.

    Args:
        count: Items with the property, in 0..total.
        total: Items looked at, 0 or more.
        level: Confidence level, in (0, 1).

    Returns:
        The rate with its interval.

    Raises:
        ParameterError: Count or level is out of range.

    Source: Wilson (1927); Brown, Cai & DasGupta (2001), eq. 4.

    Example:
        >>> print(wilson(62, 10_000))
        0.62% (0.48 to 0.79)
    """
    _check(count, total, level)
    if total == 0:
        return Rate(0, 0, float("nan"), float("nan"))
    z = float(ndtri((1 + level) / 2))
    share = count / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    # At the ends the interval includes the end itself; rounding must not exclude it.
    low = 0.0 if count == 0 else max(0.0, float(centre - half))
    high = 1.0 if count == total else min(1.0, float(centre + half))
    return Rate(count, total, low, high)


def clopper_pearson(count: int, total: int, level: float = 0.95) -> Rate:
    """The exact binomial interval: at least nominal coverage, whatever the true rate.

    Args:
        count: Items with the property, in 0..total.
        total: Items looked at, 0 or more.
        level: Confidence level, in (0, 1).

    Returns:
        The rate with its interval.

    Raises:
        ParameterError: Count or level is out of range.

    Source: Clopper & Pearson (1934), through the beta quantiles.

    Example:
        >>> print(clopper_pearson(0, 100))
        0.00% (0.00 to 3.62)
    """
    _check(count, total, level)
    if total == 0:
        return Rate(0, 0, float("nan"), float("nan"))
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, tail))
    high = 1.0 if count == total else float(betaincinv(count + 1, total - count, 1 - tail))
    return Rate(count, total, low, high)


def korn_graubard(
    count: int, total: int, design_effect: float, freedom: float, level: float = 0.95
) -> Rate:
    """The exact interval with fewer images than there are, where images come in clusters.

    Images of one writer or patient tell less than as many independent ones: `total` counts as
    `total / design_effect`. With few clusters the design effect itself is uncertain, and the
    number shrinks once more, by the squared ratio of the normal to Student's quantile.

    Its target is the rate among new items of new clusters, drawn as these were.

    Args:
        count: Items with the property, in 0..total.
        total: Items looked at, 0 or more.
        design_effect: Variance over that of independent items, 1 or more.
        freedom: Degrees of freedom of the design effect, about the number of clusters; 1 or more,
            infinite for a known one.
        level: Confidence level, in (0, 1).

    Returns:
        The rate with its interval.

    Raises:
        ParameterError: Count, level, design effect or degrees of freedom are out of range.

    Source: Korn & Graubard (1998), Confidence intervals for proportions with small expected number
        of positive counts estimated from survey data, section 2.

    Example:
        >>> print(korn_graubard(16, 4_999, design_effect=2.1, freedom=47))
        0.32% (0.13 to 0.65)
    """
    _check(count, total, level)
    if not (1 <= design_effect < np.inf and freedom >= 1):
        raise ParameterError(
            "design_effect and freedom must be 1 or more. "
            f"Got {design_effect} and {freedom} instead."
        )
    if total == 0:
        return Rate(0, 0, float("nan"), float("nan"))
    tail = (1 - level) / 2
    student = stdtrit(freedom, 1 - tail) if np.isfinite(freedom) else ndtri(1 - tail)
    shrink = float(ndtri(1 - tail) / student) ** 2 / design_effect
    # No fewer than one image's worth: below it the beta distribution has no sensible shape.
    images = max(total * shrink, 1.0)
    mistakes = images * count / total
    low = 0.0 if count == 0 else float(betaincinv(mistakes, images - mistakes + 1, tail))
    high = 1.0 if count == total else float(betaincinv(mistakes + 1, images - mistakes, 1 - tail))
    return Rate(count, total, low, high)


def _check(count: int, total: int, level: float) -> None:
    if not 0 <= count <= total:
        raise ParameterError(f"count must be in 0..total. Got {count} of {total} instead.")
    if not 0 < level < 1:
        raise ParameterError(f"level must be in (0, 1), as 0.95. Got {level} instead.")
