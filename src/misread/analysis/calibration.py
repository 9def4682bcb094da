"""Whether a model is right as often as it says: reliability curve and calibration error."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from misread.analysis.intervals import Estimate, Rate, wilson
from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.errors import ParameterError, PredictionsError
from misread.tables.predictions import PredictionSource, Provenance

BINNINGS = ("mistakes", "images", "width")

_SMALLEST = float(np.finfo(np.float32).tiny)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bin:
    """Images whose predicted classes have similar probabilities.

    Attributes:
        low: Lowest probability of a predicted class in the bin.
        high: Highest.
        confidence: Mean probability of the predicted class.
        doubt: 1 - confidence, without the rounding: the share of mistakes the model expects.
        misread: Share of mistakes, with its Wilson interval.
    """

    low: float
    high: float
    confidence: float
    doubt: float
    misread: Rate


@dataclass(frozen=True)
class Calibration:
    """How well one model's probabilities of the predicted classes fit how often it is right.

    Attributes:
        provenance: Of the predictions.
        bins: The reliability curve, least sure first; empty bins are left out.
        misread: Share of mistakes.
        doubt: Share of mistakes that the probabilities promise.
        ece: Expected calibration error, plugged in, in [0, 1], with its interval. It is never
            below its target on average, and far above it where the model is well calibrated.
        ece_if_calibrated: What `ece` would be on average if the probabilities were right.
        ece_debiased: An estimate that is about 0 if they are right; it leans low where the error
            is as small as its noise. Never below 0.
        p_value: How often right probabilities would give an `ece` as large as this.
        loss: Mean of -ln(probability of the given label), in nats, with a normal interval.
    """

    provenance: Provenance
    bins: tuple[Bin, ...]
    misread: Rate
    doubt: float
    ece: Estimate
    ece_if_calibrated: float
    ece_debiased: float
    p_value: float
    loss: Estimate


def measure_calibration(
    predictions: PredictionSource | Outcomes,
    bins: int = 15,
    binning: str = "mistakes",
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 2_000,
) -> Calibration:
    """Compare how sure a model is of its predicted classes with how often it is right.

    The target of the interval is the calibration error that these bins can see on new images of the
    same kind, drawn independently: sum over bins of share x |share right - mean probability|. It
    covers it at least as often as it says, at zero too, and is wider than need be far from zero.

    Args:
        predictions: N held-out or cross-fitted predictions, N at least 1, in memory or in a file;
            or what was read of them.
        bins: Most bins, 1 or more.
        binning: `mistakes`, equally many expected mistakes in each; `images`, equally many images;
            or `width`, equally wide in probability. None of them looks at the labels.
        level: Confidence level of each interval, in (0, 1).
        seed: Of the resampling.
        resamples: Number of resamples, 100 or more.

    Returns:
        The reliability curve and the calibration error.

    Raises:
        PredictionsError: The predictions are in-sample, or there are none.
        ParameterError: An argument is out of range.

    Sources: expected calibration error: Naeini, Cooper & Hauskrecht (2015); Guo et al. (2017),
    eq. 3. Its bias: Kumar, Liang & Ma (2019). Resampling from the probabilities: Bröcker & Smith
    (2007).

    Example:
        >>> import misread
        >>> found = measure_calibration(misread.demo_predictions())
        >>> found.ece.low < found.ece.value < found.ece.high
        True
    """
    predictions.provenance.require_out_of_sample()
    found = read_outcomes(predictions)
    _check(found, bins, binning, level, resamples)
    doubt, wrong = found.doubt, found.wrong
    place = _assign(doubt, bins, binning)
    count = np.bincount(place)
    expected: Floats = np.bincount(place, doubt).astype(np.float64)
    mistakes = np.bincount(place, wrong).astype(np.int64)
    generator = np.random.default_rng(seed)
    ece, null = _error(count, expected, mistakes, level, generator, resamples)
    return Calibration(
        provenance=found.provenance,
        bins=_curve(doubt, place, count, expected, mistakes, level),
        misread=wilson(int(wrong.sum()), len(wrong), level),
        doubt=float(doubt.mean()),
        ece=ece,
        ece_if_calibrated=float(null.mean()),
        ece_debiased=_debiased(count, expected, mistakes),
        p_value=float((1 + np.sum(null >= ece.value)) / (1 + resamples)),
        loss=mean_with_interval(losses(found), level),
    )


def losses(predictions: PredictionSource | Outcomes) -> Floats:
    """(N,) float64: -ln(probability of the given label), in nats; finite for a zero in float32."""
    p_given = read_outcomes(predictions).p_given
    found: Floats = -np.log(np.maximum(p_given, _SMALLEST, dtype=np.float64))
    return found


def mean_with_interval(values: Floats, level: float = 0.95) -> Estimate:
    """A mean with its normal interval: the central limit theorem, for some hundred values or more.

    Args:
        values: (N,) float64, N at least 1.
        level: Confidence level, in (0, 1).
    """
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.inf
    half = float(ndtri((1 + level) / 2)) * error
    return Estimate(mean, mean - half, mean + half)


def _check(predictions: Outcomes, bins: int, binning: str, level: float, resamples: int) -> None:
    if len(predictions) == 0:
        raise PredictionsError(f"{predictions.provenance.name}: expected images, found none")
    if bins < 1:
        raise ParameterError(f"bins must be 1 or more. Got {bins} instead.")
    if binning not in BINNINGS:
        raise ParameterError(f"binning: expected one of {', '.join(BINNINGS)}. Got {binning!r}.")
    if not 0 < level < 1:
        raise ParameterError(f"level must be in (0, 1), as 0.95. Got {level} instead.")
    if resamples < 100:
        raise ParameterError(f"resamples must be 100 or more. Got {resamples} instead.")


def _assign(doubt: Floats, bins: int, binning: str) -> Integers:
    """The bin of each image, 0 the least sure; equal doubts share a bin, no bin is empty."""
    if binning == "width":
        edges = np.arange(1, bins) / bins
    elif binning == "images":
        edges = np.quantile(doubt, np.arange(1, bins) / bins, method="inverted_cdf")
    else:
        falling = np.sort(doubt)[::-1]
        sums = np.cumsum(falling)
        edges = falling[np.searchsorted(sums, sums[-1] * np.arange(1, bins) / bins)]
    place = np.searchsorted(np.unique(edges), doubt, side="right")
    found: Integers = np.unique(-place, return_inverse=True)[1]
    return found


def _error(
    count: Integers, expected: Floats, mistakes: Integers,
    level: float, generator: np.random.Generator, resamples: int,
) -> tuple[Estimate, Floats]:  # fmt: skip
    """The calibration error with its interval, and what it is where probabilities are right.

    Write d for a bin's difference between mistakes and expected ones, e for its mean over samples.
    Lower limit: sum |d| - sum |e| <= sum |d - e|, whose distribution is sampled. Upper limit:
    sum |e| - sum |d| <= sum of +-(e - d), whose signs are those of e and whose variance is the sum
    of the bins'. Both hold whatever e is.
    """
    total = count.sum()
    value = float(np.abs(mistakes - expected).sum() / total)
    # Binomial: no less spread than mistakes of unequal probabilities (Hoeffding 1956).
    promised = np.minimum(1.0, expected / count)
    size = (resamples, len(count))
    null = np.abs(generator.binomial(count, promised, size) - expected).sum(axis=1) / total
    rates = _rates(count, expected, mistakes)
    noise = np.abs(generator.binomial(count, rates, size) - count * rates).sum(axis=1) / total
    tail = (1 + level) / 2
    low = value - float(np.quantile(noise, tail))
    high = value + float(ndtri(tail) * np.sqrt(np.sum(count * rates * (1 - rates))) / total)
    return Estimate(value, max(0.0, low), min(1.0, high)), null


def _rates(count: Integers, expected: Floats, mistakes: Integers) -> Floats:
    """How often each bin's images may really be misread: what the spread is computed from.

    A bin that by chance has no mistake would seem to have no spread just where it is far off. So
    the promised rate counts where it has the larger spread and is within three standard errors.
    """
    promised = np.minimum(1.0, expected / count)
    own = (mistakes + 0.5) / (count + 1)
    spread = promised * (1 - promised)
    possible = np.abs(mistakes - expected) <= 3 * np.sqrt(count * spread)
    rates: Floats = np.where(possible & (spread > own * (1 - own)), promised, own)
    return rates


def _debiased(count: Integers, expected: Floats, mistakes: Integers) -> float:
    """The calibration error, each bin's sign taken from one half of the noise, its size from both.

    With d ~ N(e, s^2) split into halves d + u and d - u, u ~ N(0, s^2), the mean of
    sign(d + u)(d - u) over u is d (2 Phi(d / s) - 1) - 2 s phi(d / s): its own mean is 0 where e is
    0, |e| where e is large, and never above |e|.
    """
    rates = _rates(count, expected, mistakes)
    spread = np.sqrt(count * rates * (1 - rates))
    z = (mistakes - expected) / spread
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    parts = spread * (z * (2 * ndtr(z) - 1) - 2 * density)
    return max(0.0, float(parts.sum() / count.sum()))


def _curve(
    doubt: Floats, place: Integers, count: Integers,
    expected: Floats, mistakes: Integers, level: float,
) -> tuple[Bin, ...]:  # fmt: skip
    made = []
    order = np.argsort(place, kind="stable")
    for number, doubts in enumerate(np.split(doubt[order], np.cumsum(count)[:-1])):
        mean = float(expected[number] / count[number])
        made.append(
            Bin(
                low=1 - float(doubts.max()),
                high=1 - float(doubts.min()),
                confidence=1 - mean,
                doubt=mean,
                misread=wilson(int(mistakes[number]), int(count[number]), level),
            )
        )
    return tuple(made)
