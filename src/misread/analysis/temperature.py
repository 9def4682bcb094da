"""Temperature scaling: one number that makes a model's probabilities surer or less sure."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtri

from misread.errors import PredictionsError
from misread.tables import Predictions, Provenance
from misread.types import FloatArray

LOWEST, HIGHEST = 0.05, 20.0

# A float32 probability of zero says only that it was too small to write down. It is read as the
# smallest normal one.
_SMALLEST = float(np.finfo(np.float32).tiny)
_CHUNK = 1 << 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Temperature:
    """A temperature and where it comes from.

    Attributes:
        value: The temperature T; above 1 the model was too sure, below 1 not sure enough.
        low: Lower limit of its 95% interval.
        high: Upper limit.
        images: Number of images it was fitted on.
        zeros: How many of them give their given label a probability of zero in float32.
        provenance: Of the predictions it was fitted on.
    """

    value: float
    low: float
    high: float
    images: int
    zeros: int
    provenance: Provenance

    def apply(self, predictions: Predictions) -> Predictions:
        """Probabilities softmax(ln(p) / T), for other images than it was fitted on.

        The predicted classes stay the same.

        Args:
            predictions: N predictions over the same classes.

        Returns:
            The scaled predictions; `+T` is added to the name of their recipe.

        Raises:
            PredictionsError: Other classes, or images that the temperature was fitted on.
        """
        theirs, ours = predictions.provenance, self.provenance
        if theirs.classes != ours.classes:
            raise PredictionsError(
                f"{theirs.name}: has other classes than {ours.name}, on which the temperature was "
                "fitted"
            )
        same_images = theirs.items_fingerprint == ours.items_fingerprint
        if theirs.split == ours.split and same_images:
            raise PredictionsError(
                f"{theirs.name}: expected other images than those of {ours.name}, on which the "
                "temperature was fitted: it would look better on them than it is"
            )
        scaled = np.empty_like(predictions.probabilities)
        for rows in _chunks(predictions):
            powers = np.exp(_scores(predictions.probabilities[rows]) / self.value)
            scaled[rows] = powers / powers.sum(axis=1, keepdims=True)
        provenance = replace(theirs, recipe=f"{theirs.recipe}+T")
        return Predictions(predictions.index, predictions.given, scaled, provenance)


def fit_temperature(predictions: Predictions) -> Temperature:
    """Fit the temperature that gives the given labels the highest likelihood.

    Its target is the best temperature for new images of the same kind; its interval is a sandwich
    one on the scale of ln(T), so that it holds if no temperature makes the probabilities right.

    Args:
        predictions: N held-out or cross-fitted predictions over K classes. Never those of the
            split that is to be evaluated.

    Returns:
        The temperature.

    Raises:
        PredictionsError: The predictions are in-sample, or no temperature from 0.05 to 20 is best,
            as where there is no mistake.

    Source: Guo, Pleiss, Sun & Weinberger (2017), section 4.2; the interval: White (1982).

    Example:
        >>> import misread
        >>> fitted = fit_temperature(misread.demo_predictions())
        >>> fitted.low < fitted.value < fitted.high < 1
        True
    """
    provenance = predictions.provenance
    provenance.require_out_of_sample()

    def slope(log_sharpness: float) -> float:
        return _derivatives(predictions, np.exp(log_sharpness))[0]

    # The loss is convex in 1 / T: where its slope changes sign is its only minimum.
    low, high = np.log(1 / HIGHEST), np.log(1 / LOWEST)
    if len(predictions) == 0 or not slope(low) < 0 < slope(high):
        raise PredictionsError(
            f"{provenance.name}: expected predictions with a best temperature between {LOWEST:g} "
            f"and {HIGHEST:g}, found none: it takes mistakes, and probabilities better than chance"
        )
    sharpness = float(np.exp(brentq(slope, low, high, xtol=1e-6)))
    _, squares, curvature = _derivatives(predictions, sharpness)
    spread = np.exp(ndtri(0.975) * np.sqrt(squares) / curvature / sharpness)
    p_given = predictions.probabilities[np.arange(len(predictions)), predictions.given]
    return Temperature(
        value=1 / sharpness,
        low=float(1 / sharpness / spread),
        high=float(1 / sharpness * spread),
        images=len(predictions),
        zeros=int((p_given == 0).sum()),
        provenance=provenance,
    )


def _derivatives(predictions: Predictions, sharpness: float) -> tuple[float, float, float]:
    """Of the summed loss by 1 / T: the first, its sum of squares over images, and the second.

    With z = ln(p) and q = softmax(z / T), an image's first is E_q[z] - z_given, and its second is
    Var_q[z].
    """
    first = squares = second = 0.0
    for rows in _chunks(predictions):
        scores = _scores(predictions.probabilities[rows])
        weights = np.exp(sharpness * scores)
        weights /= weights.sum(axis=1, keepdims=True)
        mean = np.einsum("ij,ij->i", weights, scores)
        slopes = mean - scores[np.arange(len(scores)), predictions.given[rows]]
        scores -= mean[:, None]
        first += float(slopes.sum())
        squares += float(slopes @ slopes)
        second += float(np.einsum("ij,ij,ij->", weights, scores, scores))
    return first, squares, second


def _scores(probabilities: FloatArray) -> Floats:
    """ln(p), the highest of each row 0."""
    scores: Floats = np.log(np.maximum(probabilities, _SMALLEST, dtype=np.float64))
    scores -= scores.max(axis=1, keepdims=True)
    return scores


def _chunks(predictions: Predictions) -> list[slice]:
    step = max(1, _CHUNK // len(predictions.classes))
    return [slice(start, start + step) for start in range(0, len(predictions), step)]
