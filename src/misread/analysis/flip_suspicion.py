"""One suspicion out of all the evidence, calibrated on planted label flips."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from misread.types import Array, FloatArray

# A probability below this is no evidence beyond it: float32 softmax knows nothing there.
_SMALLEST = 1e-6
# A neighbour more or less, where there are few.
_PSEUDO = 0.025
# Normal consistency of the median absolute deviation.
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Weights:
    """Coefficients of a logistic regression on the evidence.

    Attributes:
        intercept: Log-odds where everything is zero.
        models: Per unit of log(p_rival / p_given), of the panel's mean.
        right: The same with the label noise undone.
        neighbours: Per unit of log(share of the rival / share of the given label).
        training: Per robust standard deviation that the area under the margin lies below the
            median.
    """

    intercept: float
    models: float
    right: float
    neighbours: float = 0.0
    training: float = 0.0


# By what there is: (neighbours, training). Fitted by benchmarks/planted_flips.py --fit.
WEIGHTS = {
    (False, False): Weights(-4.0, 0.5, 0.5),
    (True, False): Weights(-4.0, 0.5, 0.5, 0.5),
    (False, True): Weights(-8.0, 0.5, 0.5, 0.0, 0.5),
    (True, True): Weights(-8.0, 0.5, 0.5, 0.3, 0.5),
}


@dataclass(frozen=True, eq=False)
class FlipEvidence:
    """What the suspicion weighs; pairs are of the given label and of its strongest rival.

    Attributes:
        models: Two (N,) float32 in [0, 1], a panel's mean probabilities, out-of-sample.
        right: Two (N,) float32 in [0, 1], the same with the label noise undone.
        neighbours: Two (N,) float32 in [0, 1], shares of the nearest training images; None if they
            aren't known.
        margin: (N,) float32, standardised area under the margin; None if it isn't known.
    """

    models: tuple[FloatArray, FloatArray]
    right: tuple[FloatArray, FloatArray]
    neighbours: tuple[FloatArray, FloatArray] | None = None
    margin: FloatArray | None = None

    def columns(self) -> dict[str, Array]:
        """(N,) float64 for each weight that there is evidence for; higher is more suspicious."""
        found = {
            "models": _log_ratio(self.models, _SMALLEST),
            "right": _log_ratio(self.right, _SMALLEST),
        }
        if self.neighbours is not None:
            found["neighbours"] = _log_ratio(self.neighbours, _PSEUDO)
        if self.margin is not None:
            found["training"] = -self.margin.astype(np.float64)
        return found


def planted_flip_suspicion(evidence: FlipEvidence) -> FloatArray:
    """How much each image looks like one whose label was flipped on purpose.

    A logistic regression on log-odds, fitted on label flips planted in MNIST and Fashion-MNIST,
    since of real wrong labels no truth is known. So it ranks, and 0.5 is a sensible place to start
    looking; it is not the probability that a label of yours is wrong: that depends on how many
    are, and on whether they are as random as planted ones.

    Args:
        evidence: On the labels of N images.

    Returns:
        (N,) float32 in [0, 1], higher is more suspicious.
    """
    weights = WEIGHTS[evidence.neighbours is not None, evidence.margin is not None]
    score = np.full(len(evidence.models[0]), weights.intercept)
    for name, column in evidence.columns().items():
        score += getattr(weights, name) * column
    suspicion: FloatArray = expit(score).astype(np.float32)
    return suspicion


def _log_ratio(pair: tuple[FloatArray, FloatArray], smallest: float) -> Array:
    given, rival = pair
    ratio: Array = np.log((rival.astype(np.float64) + smallest) / (given + smallest))
    return ratio


def standardised(values: FloatArray) -> FloatArray:
    """Distance from the median in robust standard deviations (1.4826 x the median of distances).

    Half of the images may be strange, and the scale still is that of the others.

    Args:
        values: (N,) float32.

    Returns:
        (N,) float32; zeros where more than half of the values are the same.
    """
    if not len(values):
        return values
    distance = values - np.median(values)
    scale = _MAD_TO_SD * np.median(np.abs(distance))
    standard: FloatArray = (distance / scale if scale > 0 else 0 * distance).astype(np.float32)
    return standard
