"""Several models on the same images: error rates, and each against one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.analysis.comparing.paired import Paired, consistency, difference, holm, mcnemar
from misread.analysis.comparing.trainings import Trainings, mean_of_trainings
from misread.analysis.intervals import Estimate, Rate, wilson
from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.analysis.panel import PanelMean, check_panel
from misread.errors import ParameterError
from misread.tables.predictions import PredictionSource
from misread.types import IndexArray

# Largest corrected p-value at which a difference is taken for real.
ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Compared:
    """One model of a comparison, or the mean of all.

    Attributes:
        outcomes: What it makes of each image.
        is_panel: Whether it is the mean prediction of all models.
        error: Error rate, with Wilson's 95% interval.
    """

    outcomes: Outcomes
    is_panel: bool
    error: Rate


@dataclass(frozen=True, eq=False)
class Against:
    """One model against the reference, image by image.

    Attributes:
        model: The model.
        pair: How the mistakes fall; the first is the model, the second the reference.
        difference: Error rate of the model minus the reference's, with Tango's 95% interval.
        p_value: McNemar's exact test.
        corrected: The same, corrected for all comparisons (Holm).
        consistency: Error consistency with its 95% interval.
        only: Positions in the split of the images that only the model misreads, most confident
            first.
        only_reference: Of those that only the reference misreads, likewise.
    """

    model: Compared
    pair: Paired
    difference: Estimate
    p_value: float
    corrected: float
    consistency: Estimate
    only: IndexArray
    only_reference: IndexArray

    @property
    def differs(self) -> bool:
        """Whether the corrected p-value says that the two error rates differ."""
        return self.corrected <= ALPHA


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models side by side.

    Attributes:
        images: N.
        reference: The model that the others are held against.
        models: All models by error rate, the lowest first, with the mean prediction of all at the
            end where there are 2 or more.
        against: All of these but the reference, in the same order.
        trainings: Trainings of one recipe, summed up; recipes with 2 or more.
    """

    images: int
    reference: Compared
    models: tuple[Compared, ...]
    against: tuple[Against, ...]
    trainings: tuple[Trainings, ...]


def compare_models(panel: Sequence[PredictionSource], reference: int = 0) -> Comparison:
    """Hold several models against one of them, on the same images.

    Args:
        panel: M >= 1 held-out or cross-fitted predictions of the same images, in memory or files.
        reference: Which of them the others are held against.

    Raises:
        PredictionsError: There are none, some are in-sample, or they are of other images, labels
            or classes.
        ParameterError: There is no such reference.
    """
    check_panel(panel)
    if not 0 <= reference < len(panel):
        raise ParameterError(f"reference must be in 0..{len(panel) - 1}. Got {reference} instead.")
    members = [_compared(read_outcomes(source)) for source in panel]
    chosen = members[reference]
    ranked = sorted(members, key=lambda one: (one.error.count, one.outcomes.provenance.name))
    if len(members) > 1:
        ranked.append(_compared(read_outcomes(PanelMean(panel)), is_panel=True))
    others = [one for one in ranked if one is not chosen]
    pairs = [pair_up(one.outcomes, chosen.outcomes) for one in others]
    corrected = holm([mcnemar(pair) for pair in pairs])
    return Comparison(
        images=len(chosen.outcomes),
        reference=chosen,
        models=tuple(ranked),
        against=tuple(
            _against(model, chosen, pair, p)
            for model, pair, p in zip(others, pairs, corrected, strict=True)
        ),
        trainings=_trainings(members),
    )


def pair_up(first: Outcomes, second: Outcomes) -> Paired:
    """How the mistakes of two models on the same images fall."""
    one, other = first.wrong, second.wrong
    return Paired(
        both=int((one & other).sum()),
        first_only=int((one & ~other).sum()),
        second_only=int((other & ~one).sum()),
        images=len(first),
    )


def _compared(outcomes: Outcomes, *, is_panel: bool = False) -> Compared:
    return Compared(outcomes, is_panel, wilson(int(outcomes.wrong.sum()), len(outcomes)))


def _against(model: Compared, reference: Compared, pair: Paired, corrected: float) -> Against:
    mine, others = model.outcomes, reference.outcomes
    return Against(
        model=model,
        pair=pair,
        difference=difference(pair),
        p_value=mcnemar(pair),
        corrected=corrected,
        consistency=consistency(pair),
        only=_surest(mine, others),
        only_reference=_surest(others, mine),
    )


def _surest(outcomes: Outcomes, others: Outcomes) -> IndexArray:
    """Positions of what only the first misreads, those of which it is surest first."""
    rows = np.flatnonzero(outcomes.wrong & ~others.wrong)
    return outcomes.index[rows[np.argsort(outcomes.doubt[rows], kind="stable")]]


def _trainings(members: Sequence[Compared]) -> tuple[Trainings, ...]:
    alike: dict[tuple[str, str, bool], list[Compared]] = {}
    for one in members:
        made = one.outcomes.provenance
        # Imported predictions share a recipe's name and nothing else that is known.
        if made.recipe != "imported":
            alike.setdefault((made.model, made.recipe, made.is_mean), []).append(one)
    found = []
    for (model, recipe, _), several in sorted(alike.items()):
        if len(several) < 2:
            continue
        rates = [one.error.value for one in several]
        names = sorted(one.outcomes.provenance.run_name for one in several)
        found.append(
            Trainings(
                model, recipe, tuple(names), mean_of_trainings(rates), float(np.std(rates, ddof=1))
            )
        )
    return tuple(found)
