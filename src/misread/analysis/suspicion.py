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
        neighbours: Per unit of log(share of the rival / share of the given label).
        training: Per robust standard deviation that the area under the margin lies below the
            median.
    """

    intercept: float
    models: float
    neighbours: float = 0.0
    training: float = 0.0


# By what there is: (neighbours, training). Fitted by benchmarks/planted_flips.py --calibrate.
WEIGHTS = {
    (False, False): Weights(-3.0, 1.0),
    (True, False): Weights(-3.0, 1.0, 0.5),
    (False, True): Weights(-8.0, 1.0, 0.0, 1.0),
    (True, True): Weights(-8.0, 1.0, 0.5, 1.0),
}


def planted_flip_suspicion(
    p_given: FloatArray,
    p_rival: FloatArray,
    neighbour_shares: tuple[FloatArray, FloatArray] | None = None,
    margin: FloatArray | None = None,
) -> FloatArray:
    """How much an image looks like one whose label was flipped on purpose.

    A logistic regression on log-odds, fitted on label flips planted in MNIST and Fashion-MNIST,
    since of real wrong labels no truth is known. So it ranks, and 0.5 is a sensible place to start
    looking; it is not the probability that a label of yours is wrong: that depends on how many
    are, and on whether they are as random as planted ones.

    Args:
        p_given: (N,) float32 in [0, 1], a panel's mean probability of the given label,
            out-of-sample.
        p_rival: (N,) float32 in [0, 1], the highest of any other class.
        neighbour_shares: Two (N,) float32 in [0, 1]: the share of the nearest training images with
            the image's given label, and that of the most frequent other label.
        margin: (N,) float32, standardised area under the margin.

    Returns:
        (N,) float32 in [0, 1], higher is more suspicious.
    """
    weights = WEIGHTS[neighbour_shares is not None, margin is not None]
    score = np.full(len(p_given), weights.intercept)
    for weight, column in zip(
        (weights.models, weights.neighbours, weights.training),
        evidence_columns(p_given, p_rival, neighbour_shares, margin),
        strict=True,
    ):
        if column is not None:
            score += weight * column
    suspicion: FloatArray = expit(score).astype(np.float32)
    return suspicion


def evidence_columns(
    p_given: FloatArray,
    p_rival: FloatArray,
    neighbour_shares: tuple[FloatArray, FloatArray] | None,
    margin: FloatArray | None,
) -> tuple[Array, Array | None, Array | None]:
    """What the weights of `planted_flip_suspicion` weigh: (N,) float64 each, None if not known."""
    models = _log_ratio(p_rival, p_given, _SMALLEST)
    neighbours = None
    if neighbour_shares is not None:
        of_given, of_rival = neighbour_shares
        neighbours = _log_ratio(of_rival, of_given, _PSEUDO)
    return models, neighbours, None if margin is None else -margin.astype(np.float64)


def _log_ratio(above: FloatArray, below: FloatArray, smallest: float) -> Array:
    ratio: Array = np.log((above.astype(np.float64) + smallest) / (below + smallest))
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
