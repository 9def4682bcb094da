"""Which images the study's models get wrong: what people are held against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.outcomes import read_outcomes
from misread.errors import ParameterError
from misread.store import Study
from misread.tables import Origin

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mistaken:
    """What one model gets wrong of all N images of a split.

    Attributes:
        name: Name of the predictions.
        predicted: (N,) int16, predicted classes.
        wrong: (N,) bool, other than the given label.
        doubt: (N,) float64 in [0, 1], 1 minus the probability of the predicted class.
    """

    name: str
    predicted: npt.NDArray[np.int16]
    wrong: BoolArray
    doubt: DoubleArray


def mistaken_by(study: Study, split: str, models: Sequence[str] = ()) -> list[Mistaken]:
    """What each model that never saw a split gets wrong of it, by its name.

    Single networks are held against people; the mean of a cross-fit's networks is taken only where
    it is named. Predictions of a part of the split are left out: a plan is about all of it.

    Args:
        study: Where the predictions are.
        split: Which split.
        models: Only these models (`convnet`) or runs (`convnet-short-s0`); none means all.

    Raises:
        ParameterError: A named one isn't there, or predicts a part of the split only.
    """
    images = study.splits[split].images
    found = [
        provenance
        for provenance in study.list_predictions(split)
        if provenance.origin != Origin.IN_SAMPLE
    ]
    named = [
        provenance
        for provenance in found
        if {provenance.model, provenance.run_name, provenance.name} & set(models)
    ]
    single = [provenance for provenance in found if not provenance.is_mean]
    for model in models:
        if not any(model in (p.model, p.run_name, p.name) for p in named):
            there = ", ".join(p.run_name for p in found) or "none"
            raise ParameterError(
                f"models: expected models that never saw the {split} split ({there}). "
                f"Got {model!r} instead."
            )
    mistaken = []
    for provenance in sorted(named if models else single or found, key=lambda p: p.name):
        source = study.open_predictions(provenance)
        if len(source.index) == images:
            outcomes = read_outcomes(source)
            mistaken.append(
                Mistaken(provenance.name, outcomes.predicted, outcomes.wrong, outcomes.doubt)
            )
        elif models:
            raise ParameterError(
                f"models: expected predictions of all {images:,} images of the {split} split. "
                f"Got {provenance.name} with {len(source.index):,}."
            )
    return mistaken
