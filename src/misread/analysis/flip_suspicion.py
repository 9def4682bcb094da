"""One suspicion out of all the evidence, calibrated on planted label flips."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from misread.types import Array, FloatArray

# A probability below this is no evidence beyond it: float32 softmax knows nothing there.
_SMALLEST = 1e-6
# Normal consistency of the median absolute deviation.
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Weights:
    """Coefficients of a logistic regression on the evidence.

    Attributes:
        intercept: Log-odds where everything is zero.
        models: Per unit of log(p_rival / p_given), of the panel's mean with the label noise undone.
        training: Per robust standard deviation that the area under the margin lies below the
            median.
    """

    intercept: float
    models: float
    training: float = 0.0


# Without and with training dynamics. Fitted by benchmarks/planted_flips.py --fit; neighbours and
# probabilities as they are add nothing to planted flips beside these.
WITHOUT_TRAINING = Weights(-5.225, 1.923)
WITH_TRAINING = Weights(-6.216, 1.695, 0.339)


@dataclass(frozen=True, eq=False)
class FlipEvidence:
    """What the suspicion weighs.

    Attributes:
        given: (N,) float32 in [0, 1], probability of the given label, out-of-sample: of a panel's
            mean with the label noise undone.
        rival: (N,) float32 in [0, 1], the highest of any other class.
        margin: (N,) float32, standardised area under the margin; None if it isn't known.
    """

    given: FloatArray
    rival: FloatArray
    margin: FloatArray | None = None

    @property
    def log_ratio(self) -> Array:
        """(N,) float64, log(p_rival / p_given)."""
        given, rival = self.given.astype(np.float64), self.rival.astype(np.float64)
        ratio: Array = np.log((rival + _SMALLEST) / (given + _SMALLEST))
        return ratio


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
    weights = WITHOUT_TRAINING if evidence.margin is None else WITH_TRAINING
    score = weights.intercept + weights.models * evidence.log_ratio
    if evidence.margin is not None:
        score -= weights.training * evidence.margin.astype(np.float64)
    suspicion: FloatArray = expit(score).astype(np.float32)
    return suspicion


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
