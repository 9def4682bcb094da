"""How often a model is right on a split: loss, accuracy, error rates, what is read as what."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.intervals import Rate, wilson
from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.tables.predictions import PredictionSource

# A probability that underflowed to zero still has a finite loss.
_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class ClassErrors:
    """The errors among the images given one label.

    Attributes:
        given: The class.
        error: Error rate with its interval.
        read_as: Pairs (predicted class, number of images), most frequent first.
    """

    given: int
    error: Rate
    read_as: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Evaluation:
    """One model on one split, as labelled.

    Attributes:
        loss: Mean of -ln(probability of the given class), in nats.
        error: Error rate over all images with its interval.
        classes: The errors of each class that has images, by class.
    """

    loss: float
    error: Rate
    classes: tuple[ClassErrors, ...]

    @property
    def accuracy(self) -> float:
        """Share read as given, in [0, 1]."""
        return 1 - self.error.value


def evaluate(predictions: PredictionSource | Outcomes, level: float = 0.95) -> Evaluation:
    """Loss and error rates of one model's predictions, against the given labels.

    Every interval is Wilson's; its target is new images of the same kind, drawn independently.

    Args:
        predictions: N predictions over K classes, in memory or in a file; or what was read of them.
        level: Confidence level of each interval, in (0, 1).

    Returns:
        The evaluation; with no images its rates are NaN.

    Raises:
        ParameterError: The level is out of range.
    """
    found = read_outcomes(predictions)
    losses = -np.log(np.maximum(found.p_given, _SMALLEST, dtype=np.float64))
    return Evaluation(
        loss=float(losses.mean()) if len(losses) else float("nan"),
        error=wilson(int(found.wrong.sum()), len(found), level),
        classes=_by_class(found, level),
    )


def _by_class(found: Outcomes, level: float) -> tuple[ClassErrors, ...]:
    # Only pairs that occur are counted: nothing grows with the square of the classes.
    width = len(found.provenance.classes)
    pairs, counts = np.unique(
        found.given[found.wrong].astype(np.int64) * width + found.predicted[found.wrong],
        return_counts=True,
    )
    read_as: dict[int, list[tuple[int, int]]] = {}
    # A stable sort: equally frequent ones stay in the order of the classes.
    for place in np.argsort(-counts, kind="stable"):
        given, predicted = divmod(int(pairs[place]), width)
        read_as.setdefault(given, []).append((predicted, int(counts[place])))
    images = np.bincount(found.given, minlength=width)
    classes = []
    for label in np.flatnonzero(images):
        read = read_as.get(int(label), [])
        mistakes = sum(count for _, count in read)
        error = wilson(mistakes, int(images[label]), level)
        classes.append(ClassErrors(given=int(label), error=error, read_as=tuple(read)))
    return tuple(classes)
