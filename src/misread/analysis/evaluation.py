"""How often a model is right on a split: loss, accuracy, error rates, what is read as what."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.intervals import Rate, wilson
from misread.tables import Predictions

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


def evaluate(predictions: Predictions, level: float = 0.95) -> Evaluation:
    """Loss and error rates of one model's predictions, against the given labels.

    Every interval is Wilson's; its target is new images of the same kind, drawn independently.

    Args:
        predictions: N predictions over K classes.
        level: Confidence level of each interval, in (0, 1).

    Returns:
        The evaluation; with no images its rates are NaN.

    Raises:
        ParameterError: The level is out of range.
    """
    given, predicted = predictions.given, predictions.predicted
    wrong = predicted != given
    p_given = predictions.probabilities[np.arange(len(given)), given]
    losses = -np.log(np.maximum(p_given, _SMALLEST, dtype=np.float64))
    classes = []
    # Classes by their images, not by a K x K matrix: nothing grows with the square of the classes.
    for label in np.unique(given):
        mine = given == label
        read, counts = np.unique(predicted[mine & wrong], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        classes.append(
            ClassErrors(
                given=int(label),
                error=wilson(int(counts.sum()), int(mine.sum()), level),
                read_as=tuple((int(read[i]), int(counts[i])) for i in order),
            )
        )
    return Evaluation(
        loss=float(losses.mean()) if len(losses) else float("nan"),
        error=wilson(int(wrong.sum()), len(wrong), level),
        classes=tuple(classes),
    )
