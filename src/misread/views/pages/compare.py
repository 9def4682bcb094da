"""Models, people and the literature side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from misread.analysis.comparing.models import Against, Compared
from misread.analysis.comparing.result import CompareResult, PeopleCompared
from misread.analysis.intervals import Estimate
from misread.analysis.outcomes import Outcomes
from misread.models import Card
from misread.types import IndexArray
from misread.views.pages.compared import (
    ComparedImage,
    ComparedModel,
    ComparedPair,
    ComparedPeople,
    OnlyOne,
    PeopleAgainst,
    QuotedRate,
    TrainingGroup,
)
from misread.views.pages.parts import Interval, Picture, Share
from misread.views.pages.study_tables import StudyTables
from misread.views.pages.versus import to_interval

T = TypeVar("T")

TARGET = (
    "As labelled. Intervals are 95%, each by itself (error rates Wilson's, differences Tango's, "
    "error consistency by score), for these trained models on new images of the same kind, drawn "
    "independently of each other."
)
CHOICE = (
    "Taking the best model of this table is a choice made on this split: its error rate here is "
    "then too low a guess for new images."
)


@dataclass(frozen=True)
class ComparePage:
    """Models, people and the literature side by side, on one split.

    Attributes:
        split: Name of the split.
        images: N.
        reference: The run that the others are held against.
        chosen: Whether it was asked for, rather than being the oldest.
        selected: Whether models were named, rather than all of the study taken.
        models: All models, the lowest error rate first; the mean of all at the end.
        hidden_models: Number of further models.
        pairs: Each of `models` against the reference.
        comparisons: How many comparisons the p-values are corrected for.
        trainings: Trainings of one recipe, summed up.
        people: People; None where nobody has read.
        readings_problem: Why what people read can't be shown; "" if it can, or nobody has read.
        quoted: Error rates of the literature.
        left_out: Predictions that aren't of all images.
        target: What the intervals are about.
        corrected: What is said of several comparisons; "" of a single model.
        choice: What to know before a model is chosen by this page; "" of a single model.
    """

    split: str
    images: int
    reference: str
    chosen: bool
    selected: bool
    models: tuple[ComparedModel, ...]
    hidden_models: int
    pairs: tuple[ComparedPair, ...]
    comparisons: int
    trainings: tuple[TrainingGroup, ...]
    people: ComparedPeople | None
    readings_problem: str
    quoted: tuple[QuotedRate, ...]
    left_out: tuple[str, ...]
    target: str
    corrected: str
    choice: str

    @property
    def title(self) -> str:
        """Heading of the page, and its name in a navigation."""
        return f"Side by side: {self.split}"

    def best(self, most: int) -> tuple[ComparedModel, ...]:
        """The first models, with the reference and the mean of all among them."""
        special = [one.kind == "panel" or one.run == self.reference for one in self.models]
        return tuple(_first(self.models, special, most))


def build_compare(tables: StudyTables, result: CompareResult) -> ComparePage:
    """The page of one split.

    Args:
        tables: The study's tables.
        result: What is known of the split.
    """
    found, limits = result.comparison, tables.limits
    shown = _shown(result, limits.compared)
    reference = _name(result, found.reference)
    pairs = [one for one in found.against if one.model in shown]
    count = len(found.against)
    return ComparePage(
        split=result.split,
        images=found.images,
        reference=reference,
        chosen=result.chosen,
        selected=result.selected,
        models=tuple(_model(tables, result, one) for one in shown),
        hidden_models=len(found.models) - len(shown),
        pairs=tuple(
            _pair(tables, result, one, limits.only if place < limits.pairs else 0)
            for place, one in enumerate(pairs)
        ),
        comparisons=count,
        trainings=tuple(
            TrainingGroup(
                f"{one.model}-{one.recipe}", one.runs, _interval(one.error), one.deviation
            )
            for one in found.trainings
        ),
        people=None if result.people is None else _people(result, result.people, shown),
        quoted=tuple(
            QuotedRate(one.name, Share.of(one.error), one.source) for one in result.quoted
        ),
        readings_problem=tables.readings_problem,
        left_out=result.left_out,
        target=TARGET,
        corrected=corrected_text(count, reference) if count else "",
        choice=CHOICE if count else "",
    )


def corrected_text(comparisons: int, reference: str) -> str:
    """What is said of several comparisons."""
    if comparisons == 1:
        return f"One comparison, with {reference}: McNemar's exact test, settled at 0.05 or less."
    return (
        f"{comparisons:,} are held against {reference}. The p-values (McNemar's exact test) are "
        f"corrected for these {comparisons:,} comparisons (Holm); a difference is settled at 0.05 "
        "or less. Intervals aren't corrected."
    )


def _shown(result: CompareResult, most: int) -> list[Compared]:
    """The first models, with the reference and the mean of all among them."""
    found = result.comparison
    special = [one.is_panel or one is found.reference for one in found.models]
    return _first(found.models, special, most)


def _first(models: Sequence[T], special: Sequence[bool], most: int) -> list[T]:
    """The first models and the special ones, in their order: `most`, or all that are special."""
    left = most - sum(special)
    kept = []
    for model, always in zip(models, special, strict=True):
        if always or left > 0:
            kept.append(model)
        left -= not always
    return kept


def _name(result: CompareResult, model: Compared) -> str:
    """The run's name; that of the mean says whether it is of all models or of those named."""
    if not model.is_panel:
        return model.outcomes.provenance.run_name
    number = len(result.comparison.models) - 1
    return f"mean of these {number:,} models" if result.selected else "mean of all models"


def _model(tables: StudyTables, result: CompareResult, model: Compared) -> ComparedModel:
    made, models = model.outcomes.provenance, result.comparison.models
    several = [one for one in models if not one.is_panel] if model.is_panel else [model]
    names = [one.outcomes.provenance.run_name for one in several]
    known = [tables.cards.get(name, ()) for name in names]
    cards = [card for of_run in known for card in of_run] if all(known) else []
    one = None if model.is_panel or not cards else cards[0]
    return ComparedModel(
        run=_name(result, model),
        kind="panel" if model.is_panel else "folds" if made.is_mean else "model",
        origin=str(made.origin),
        error=Share.of(model.error),
        networks=len(cards) or None,
        parameters=sum(card.parameters for card in cards) or None,
        epochs=_epochs(one),
        images=None if one is None else one.trained_images,
        seconds=sum(card.seconds for card in cards) if cards else None,
    )


def _epochs(card: Card | None) -> int | None:
    return len(card.log) or None if card is not None else None


def _pair(tables: StudyTables, result: CompareResult, one: Against, most: int) -> ComparedPair:
    mine, others = one.model.outcomes, result.comparison.reference.outcomes
    better = "unsettled"
    if one.differs:
        better = "better" if one.difference.value < 0 else "worse"
    return ComparedPair(
        run=_name(result, one.model),
        difference=to_interval(one.difference),
        p_value=one.p_value,
        corrected=one.corrected,
        better=better,
        consistency=to_interval(one.consistency),
        both=one.pair.both,
        only=_only(tables, mine, others, one.only, most),
        only_reference=_only(tables, others, mine, one.only_reference, most),
    )


def _only(
    tables: StudyTables, wrong: Outcomes, right: Outcomes, index: IndexArray, most: int
) -> OnlyOne:
    split = wrong.provenance.split
    shown = []
    for position in index[:most].tolist():
        # All images of the split were predicted: the position is the row.
        shown.append(
            ComparedImage(
                picture=Picture(split, position),
                file=tables.file(split, position),
                given=tables.labels[wrong.given[position]],
                read_as=tables.labels[wrong.predicted[position]],
                p_read_as=float(wrong.p_predicted[position]),
                p_given=float(wrong.p_given[position]),
                p_other=float(right.p_given[position]),
            )
        )
    return OnlyOne(len(index), tuple(shown), len(index) - len(shown))


def _people(
    result: CompareResult, found: PeopleCompared, shown: Sequence[Compared]
) -> ComparedPeople:
    estimate = found.people.estimate
    together = estimate.together
    against = [
        PeopleAgainst(
            run=_name(result, model),
            difference=to_interval(one.difference),
            better=str(one.better),
            consistency=to_interval(one.consistency),
        )
        for model, one in zip(result.comparison.models, found.against, strict=True)
        if model in shown
    ]
    return ComparedPeople(
        readers=together.readers,
        simulated=found.people.simulated,
        answers=sum(
            each.answers
            for each, counts in zip(estimate.readers, estimate.counted, strict=True)
            if counts
        ),
        error=to_interval(together.error),
        basis=str(together.basis),
        against=tuple(against),
    )


def _interval(estimate: Estimate) -> Interval:
    """An estimate whose limits may not be known."""
    if estimate.low != estimate.low:
        return Interval(estimate.value, None, None)
    return to_interval(estimate)
