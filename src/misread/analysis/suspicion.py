"""Suspicion of a given label from one model's probabilities: higher is more suspicious.

One model's confident blunder and a wrong label look the same here: the score says how much the
model disagrees, not who is right.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from misread.analysis.scores import ImageScores
from misread.types import FloatArray


def self_confidence(scores: ImageScores) -> FloatArray:
    """How improbable the given class is: 1 - p(given).

    Returns:
        (N,) float32 in [0, 1]; 1 minus cleanlab's label quality `self_confidence`.

    Source: Northcutt, Jiang & Chuang (2021), section 2.
    """
    return 1 - scores.p_given


def normalised_margin(scores: ImageScores) -> FloatArray:
    """How much more probable the best other class is: (1 - (p(given) - p(best other))) / 2.

    Returns:
        (N,) float32 in [0, 1]; above 1/2 the model reads another class. 1 minus cleanlab's label
        quality `normalized_margin`.

    Source: Northcutt, Jiang & Chuang (2021), section 3.2; Wei et al. (2018).
    """
    return (1 - (scores.p_given - scores.p_other)) / np.float32(2)


SUSPICION: Mapping[str, Callable[[ImageScores], FloatArray]] = MappingProxyType(
    {"self-confidence": self_confidence, "normalised-margin": normalised_margin}
)
"""Every suspicion of one model by its name."""
