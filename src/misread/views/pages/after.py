"""Error rates of people and models after the decided verdicts."""

from dataclasses import dataclass

from misread.analysis.reading.adjudicated import RateAfter
from misread.analysis.reading.result import PeopleResult
from misread.views.pages.parts import Interval
from misread.views.pages.versus import run_of, to_interval


@dataclass(frozen=True)
class AfterRow:
    """An error rate over all images of the split, as labelled and after verdicts.

    Attributes:
        name: Name of a run; "" for the readers together.
        as_labelled: Against the given labels.
        after: Against the adjudicated ones.
        lowest: At best: what verdicts leave open is no error.
        highest: At worst: it is one.
        difference: Error rate of people minus that of the model after verdicts; None for people.
        better: `model` or `people` where that interval excludes 0, else `unsettled`; "" likewise.
    """

    name: str
    as_labelled: Interval
    after: Interval
    lowest: Interval
    highest: Interval
    difference: Interval | None
    better: str


@dataclass(frozen=True)
class AfterVerdicts:
    """What a reader study says after the decided verdicts.

    Attributes:
        reviewed: Images with a decided verdict.
        changed: Of these, given another label.
        refuted: Whose label is said to be wrong, without saying which is right.
        open: Said to be ambiguous or unreadable.
        rows: The readers together, then each model.
        caution: What to know before a comparison after verdicts is believed; "" if nothing.
    """

    reviewed: int
    changed: int
    refuted: int
    open: int
    rows: tuple[AfterRow, ...]
    caution: str


def build_after(result: PeopleResult, models: int) -> AfterVerdicts | None:
    """What a reader study says after verdicts; None where none was decided.

    Args:
        result: What its readings say.
        models: Most models that are told of.
    """
    found = result.adjudicated
    if found is None:
        return None
    split, labels = result.people.plan.target.split, found.labels
    rows = [_row("", found.together, None, "")]
    for each, rates in zip(found.against[:models], found.models[:models], strict=True):
        run = run_of(each.model, split)[0]
        rows.append(_row(run, rates, to_interval(each.difference), str(each.better)))
    return AfterVerdicts(
        reviewed=int(labels.reviewed.sum()),
        changed=int(labels.changed.sum()),
        refuted=int(labels.refuted.sum()),
        open=int(labels.open.sum()),
        rows=tuple(rows),
        caution=found.caution,
    )


def _row(name: str, rates: RateAfter, difference: Interval | None, better: str) -> AfterRow:
    return AfterRow(
        name=name,
        as_labelled=to_interval(rates.as_labelled),
        after=to_interval(rates.after),
        lowest=to_interval(rates.lowest),
        highest=to_interval(rates.highest),
        difference=difference,
        better=better,
    )
