"""Difficulty from one model's probabilities, without the given label: higher is harder.

One model can't tell an ambiguous image from one that it has learned too little about; a panel can
(`misread.analysis.panel`). Nor is a probability a chance of being right before it is calibrated:
compare difficulties of one model, not of two.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from misread.analysis.scores import ImageScores
from misread.types import FloatArray


def entropy(scores: ImageScores) -> FloatArray:
    """How spread the probabilities are over the classes: -sum p ln p.

    Returns:
        (N,) float32 in [0, ln K], in nats; divided by ln K it is in [0, 1], as cleanlab has it.

    Source: Shannon (1948), section 6.
    """
    return scores.entropy


def least_confidence(scores: ImageScores) -> FloatArray:
    """How far the most probable class is from certain: 1 - p(predicted).

    Returns:
        (N,) float32 in [0, 1 - 1/K].

    Source: Lewis & Gale (1994); Settles (2009), section 3.1.
    """
    return 1 - scores.p_predicted


def closeness(scores: ImageScores) -> FloatArray:
    """How near the two most probable classes are: 1 - (p(predicted) - p(second)).

    Returns:
        (N,) float32 in [0, 1]; 1 where they tie.

    Source: Scheffer, Decomain & Wrobel (2001), whose margin this is 1 minus.
    """
    return 1 - (scores.p_predicted - scores.p_second)


DIFFICULTY: Mapping[str, Callable[[ImageScores], FloatArray]] = MappingProxyType(
    {"entropy": entropy, "least-confidence": least_confidence, "closeness": closeness}
)
"""Every difficulty of one model by its name."""
