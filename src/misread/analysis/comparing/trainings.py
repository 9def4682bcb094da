"""Several trainings of one recipe, summed up: how much the seed matters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from misread.analysis.intervals import Estimate
from misread.errors import ParameterError

# Of two trainings, Student's interval is some 18 times as wide as they lie apart.
FEWEST_FOR_INTERVAL = 3


@dataclass(frozen=True)
class Trainings:
    """Trainings of one recipe that differ in nothing but chance.

    Attributes:
        model: Name of the model.
        recipe: Name of the recipe.
        runs: Names of the runs, 2 or more.
        error: Mean error rate on these images, with an interval over trainings; its limits are NaN
            for fewer than 3.
        deviation: Standard deviation of their error rates.
    """

    model: str
    recipe: str
    runs: tuple[str, ...]
    error: Estimate
    deviation: float


def mean_of_trainings(rates: Sequence[float], level: float = 0.95) -> Estimate:
    """The mean error rate of several trainings, with Student's interval over them.

    It is about further trainings of the same recipe, judged by the same images: it knows nothing of
    other images. Three trainings say too little of how rates spread for a bootstrap, whose interval
    would be much too narrow; Student's pays for that with its width.

    Args:
        rates: Error rates of one training or more, in [0, 1].
        level: Confidence level, in (0, 1).

    Returns:
        The mean; its limits, in [0, 1], are NaN for fewer than 3 trainings.

    Raises:
        ParameterError: There is no rate, or the level is out of range.

    Example:
        >>> found = mean_of_trainings([0.0047, 0.0058, 0.0045])
        >>> f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"
        '0.0050 (0.0033 to 0.0067)'
    """
    if not rates or not 0 < level < 1:
        raise ParameterError(
            f"expected one rate or more, and a level in (0, 1). Got {len(rates)} and {level}."
        )
    mean, count = float(np.mean(rates)), len(rates)
    if count < FEWEST_FOR_INTERVAL:
        return Estimate(mean, math.nan, math.nan)
    student = float(stdtrit(count - 1, (1 + level) / 2))
    half = student * float(np.std(rates, ddof=1)) / math.sqrt(count)
    if half == 0:
        # All alike, as rates of few images can be: that says nothing of how far others lie.
        return Estimate(mean, math.nan, math.nan)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half))
