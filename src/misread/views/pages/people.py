"""People against models: what a reader study measured."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from misread.analysis.reading.estimate import ReaderEstimate, narrow
from misread.analysis.reading.notes import tell_notes
from misread.analysis.reading.people import People
from misread.analysis.reading.quality import Exclusions, ReaderTimes
from misread.analysis.reading.result import PeopleResult
from misread.analysis.reading.tally import ReaderTally
from misread.tables.reading_plan import ReadingPlan
from misread.views.pages.after import AfterVerdicts, build_after
from misread.views.pages.calls import CalledOther, called_other
from misread.views.pages.parts import Interval, Share
from misread.views.pages.study_tables import StudyTables
from misread.views.pages.versus import Versus, build_versus, known, to_interval

SIMULATED = (
    "SIMULATED: programs gave these answers. They show what a study may look like; nothing here is "
    "about people."
)


@dataclass(frozen=True)
class ReaderRow:
    """One reader.

    Attributes:
        reader: A pseudonym.
        blind: Whether he said that he had seen neither images nor mistakes.
        counted: Whether he counts in the mean of these readers.
        answers: Images that he read, repeats not among them.
        hard: Of the hard images, which everyone reads, how many he read and misread.
        others: Of the others that were drawn for him, likewise.
        error: His error rate over all images of the split, with its interval.
        after: The same after the decided verdicts; None where there are none.
        basis: What the interval relies on: `planned` for a stop that was fixed beforehand, else
            `anytime`.
        contradicts: Whether his error rate changed as he went on.
        median_ms: Median time of an answer; None where it isn't known.
        low_ms: First decile.
        high_ms: Ninth decile.
        wrong_ms: Median time of those answered otherwise than labelled; None likewise.
        first_answers: Number of first answers.
        too_fast: Of these, given faster than the plan allows.
        unfocused: Given after the page had lost the focus.
        unanswered: Without an answer in time.
        excluded: Excluded for any of these reasons.
        missing: Of these, not read again.
    """

    reader: str
    blind: bool
    counted: bool
    answers: int
    hard: Share
    others: Share
    error: Interval
    after: Interval | None
    basis: str
    contradicts: bool
    median_ms: float | None
    low_ms: float | None
    high_ms: float | None
    wrong_ms: float | None
    first_answers: int
    too_fast: int
    unfocused: int
    unanswered: int
    excluded: int
    missing: int


@dataclass(frozen=True)
class NarrowingPoint:
    """The anytime interval after some answers.

    Attributes:
        answers: How many.
        low: Lower limit of the error rate over all images.
        high: Upper limit.
    """

    answers: int
    low: float
    high: float


@dataclass(frozen=True)
class NarrowingCurve:
    """How one reader's interval narrowed as his answers came in.

    Attributes:
        reader: A pseudonym.
        points: From the first answer to the last, thinned.
    """

    reader: str
    points: tuple[NarrowingPoint, ...]


@dataclass(frozen=True)
class SlipCounts:
    """Images that were shown twice: slips or misreadings?

    Attributes:
        same: How many were answered the same both times.
        misreadings: Wrong both times, in the same way.
        slips: Wrong the first time and right the second.
        later_slips: Right the first time and wrong the second.
        changed: Wrong both times, in different ways.
    """

    same: Share
    misreadings: int
    slips: int
    later_slips: int
    changed: int


@dataclass(frozen=True)
class PeoplePage:
    """What a reader study measured.

    Attributes:
        split: Name of the split.
        images: N.
        hard: Number of hard images, which everyone reads.
        planned: Planned number of answers of each reader.
        confidence: Confidence of the intervals that the plan fixed, as "95%".
        brief: Whether images were shown for a moment and masked.
        simulated: "", or what it means that readers are programs.
        target: What the intervals are about.
        readers: Each reader, in the order of the readings.
        hidden_readers: Number of further readers.
        count: Number of all readers.
        counted: Number of those who count together.
        together: Mean error rate of those.
        together_blind: The same of those who said that they had seen neither images nor mistakes;
            None where all say so, or nobody.
        notes: What the mean leaves out, in sentences.
        basis: What its interval relies on.
        people: Error rate of people like these, approximately; None for too few readers.
        without_exclusions: The mean with every first answer as it was given; None where nothing
            was excluded.
        after: The same after the decided verdicts; None where there are none.
        versus: Against each model.
        hidden_models: Number of further models.
        slips: Images shown twice; None if there were none.
        narrowing: How intervals narrowed.
        called_other: Images that readers call something else than labelled.
        hidden_called: Number of further ones.
    """

    split: str
    images: int
    hard: int
    planned: int
    confidence: str
    brief: bool
    simulated: str
    target: str
    readers: tuple[ReaderRow, ...]
    hidden_readers: int
    count: int
    counted: int
    together: Interval
    together_blind: Interval | None
    notes: tuple[str, ...]
    basis: str
    people: Interval | None
    without_exclusions: Interval | None
    after: AfterVerdicts | None
    versus: tuple[Versus, ...]
    hidden_models: int
    slips: SlipCounts | None
    narrowing: tuple[NarrowingCurve, ...]
    called_other: tuple[CalledOther, ...]
    hidden_called: int


def build_people(tables: StudyTables, result: PeopleResult) -> PeoplePage:
    """The page of a reader study.

    Args:
        tables: The study's tables.
        result: What its readings say.
    """
    measured, limits = result.people, tables.limits
    plan, estimate = measured.plan, measured.estimate
    split = plan.target.split
    called, hidden_called = called_other(tables, result.labels, split, limits.called)
    excluded = any(each.excluded for each in measured.exclusions)
    plain = measured.without_exclusions.together.error
    adjudicated = result.adjudicated
    after = [None] * len(estimate.readers) if adjudicated is None else adjudicated.readers
    rows = [
        _reader(
            each, counts, None if rates is None else to_interval(rates.after), times, exclusions
        )
        for each, counts, rates, times, exclusions in zip(
            estimate.readers,
            estimate.counted,
            after,
            measured.times,
            measured.exclusions,
            strict=True,
        )
    ]
    together = estimate.together
    return PeoplePage(
        split=split,
        images=plan.target.images,
        hard=len(plan.hard),
        planned=plan.answers,
        confidence=plan.confidence,
        brief=bool(plan.brief),
        simulated=SIMULATED if measured.simulated else "",
        target=_target(plan, together.readers),
        readers=tuple(rows[: limits.readers]),
        hidden_readers=max(0, len(rows) - limits.readers),
        count=len(rows),
        counted=together.readers,
        together=to_interval(together.error),
        together_blind=None if measured.blind is None else to_interval(measured.blind.error),
        notes=tell_notes(measured),
        basis=str(together.basis),
        people=None if together.people is None else to_interval(together.people),
        without_exclusions=to_interval(plain) if excluded else None,
        after=build_after(result, limits.versus),
        versus=tuple(
            build_versus(tables, result, each) for each in estimate.against[: limits.versus]
        ),
        hidden_models=max(0, len(estimate.against) - limits.versus),
        slips=_slips(measured),
        narrowing=_narrowing(plan, estimate.tallies[: limits.narrowing]),
        called_other=called,
        hidden_called=hidden_called,
    )


def _target(plan: ReadingPlan, readers: int) -> str:
    whose = "this reader" if readers == 1 else "these readers"
    return (
        f"Intervals ({plan.confidence}) are about these "
        f"{plan.target.images:,} images and {whose}, not about new images or other people."
    )


def _reader(
    each: ReaderEstimate,
    counted: bool,
    after: Interval | None,
    times: ReaderTimes,
    exclusions: Exclusions,
) -> ReaderRow:
    census = each.census
    return ReaderRow(
        reader=each.reader.name,
        blind=each.reader.blind or each.reader.simulated,
        counted=counted,
        answers=each.answers,
        hard=Share.of_count(round(census.wrong), round(census.items - census.unread)),
        others=Share.of_count(each.wrong, each.read - each.missing),
        error=to_interval(each.error),
        after=after,
        basis=str(each.basis),
        contradicts=each.contradicts,
        median_ms=known(times.all.median),
        low_ms=known(times.all.low),
        high_ms=known(times.all.high),
        wrong_ms=known(times.wrong.median),
        first_answers=exclusions.answers,
        too_fast=exclusions.too_fast,
        unfocused=exclusions.unfocused,
        unanswered=exclusions.unanswered,
        excluded=exclusions.excluded,
        missing=exclusions.missing,
    )


def _slips(measured: People) -> SlipCounts | None:
    found = measured.slips[0]
    if not found.pairs:
        return None
    return SlipCounts(
        same=Share.of(found.same),
        misreadings=found.misreadings,
        slips=found.slips,
        later_slips=found.later_slips,
        changed=found.changed,
    )


def _narrowing(
    plan: ReadingPlan, tallies: Iterable[ReaderTally], most: int = 100
) -> tuple[NarrowingCurve, ...]:
    curves = []
    for tally in tallies:
        found = narrow(plan, tally)
        rows = np.unique(np.linspace(0, len(found.answers) - 1, most).round().astype(np.int64))
        points = [
            NarrowingPoint(int(found.answers[row]), float(found.low[row]), float(found.high[row]))
            for row in rows
        ]
        curves.append(NarrowingCurve(tally.reader.name, tuple(points)))
    return tuple(curves)
