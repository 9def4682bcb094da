"""Suggested verdicts: is the model wrong, or the label, or could it be either?

A suggestion, with the evidence in words; people decide. Every threshold is in `Thresholds`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from misread.analysis.evidence import Evidence
from misread.analysis.sentences import below, models, tell_count, tell_evidence
from misread.errors import ParameterError
from misread.tables.verdicts import Verdict
from misread.types import Array, BoolArray, IntArray

SUGGESTED = (Verdict.MODEL, Verdict.LABEL, Verdict.AMBIGUOUS, Verdict.FINE)
"""What can be suggested: that an image is unreadable, only a person can say."""


@dataclass(frozen=True)
class Thresholds:
    """Where a suggestion turns; all are shares or probabilities in [0, 1].

    A *label* is suggested to be wrong if all of these hold:

    Attributes:
        contradiction: At least this share of the panel reads another class than the given one.
        agreement: At least this share of the panel reads one and the same class.
        confidence: The panel's mean probability of that class is at least this.
        neighbours: At least this share of the nearest training images is given that class.
        neighbours_given: At most this share of them is given the image's own label.
        suspicion: The planted-flip suspicion is at least this; also what makes an image that
            nobody misreads worth listing.
        members: Without neighbours, at least this many models; one alone can't tell.

    Otherwise the *model* is suggested to be wrong if the label is upheld:

    Attributes:
        upheld: At least this share of the panel reads the image as given, or
        upheld_neighbours: at least this share of the nearest training images has its label, while
            the panel's mean probability of the given label is at least `upheld_probability`.
        upheld_probability: See there.

    What is neither is *ambiguous*.

    Where enough people read a listed image, seeing neither label nor prediction, they decide
    instead. If they agree on the given class, the *model* is wrong, or all is *fine* where none
    misreads it. If they agree on another one that the panel as a whole reads, too, the *label* is.
    Otherwise it is *ambiguous*.

    Attributes:
        readers: At least so many; fewer are a sentence of the evidence, and decide nothing.
        reader_agreement: They agree if at least this share of them call it the same class.
    """

    contradiction: float = 0.8
    agreement: float = 0.8
    confidence: float = 0.75
    neighbours: float = 0.6
    neighbours_given: float = 0.2
    suspicion: float = 0.5
    members: int = 3
    upheld: float = 0.6
    upheld_neighbours: float = 0.6
    upheld_probability: float = 0.05
    readers: int = 3
    reader_agreement: float = 0.8

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in ("members", "readers"):
                if value < 1:
                    raise ParameterError(f"{name} must be 1 or more. Got {value} instead.")
            elif not 0 <= value <= 1:
                raise ParameterError(f"{name} must be in [0, 1]. Got {value} instead.")


@dataclass(frozen=True)
class Suggestion:
    """The suggested verdict on one image.

    Attributes:
        verdict: What seems to be the matter.
        label: The class suggested instead of the given label; None unless the verdict is `label`.
        evidence: What speaks for and against, in a sentence or two.
        reason: Why the label was not flagged as wrong, "" if it was.
    """

    verdict: Verdict
    label: int | None
    evidence: str
    reason: str


def listed(evidence: Evidence, thresholds: Thresholds) -> IntArray:
    """The images worth a look: misread by a model of the panel, suspicious, or read otherwise.

    Read otherwise: more readers call it one other class than call it its given label.

    Returns:
        (L,) int64, places in the panel, the most suspicious first; ties keep the split's order.
    """
    rows = np.flatnonzero(_is_listed(evidence, slice(None), thresholds))
    ranked: IntArray = rows[np.argsort(-evidence.suspicion[rows], kind="stable")]
    return ranked


def _is_listed(evidence: Evidence, rows: int | slice, thresholds: Thresholds) -> BoolArray:
    suspicious = evidence.suspicion[rows] >= thresholds.suspicion
    found: BoolArray = suspicious | (evidence.panel.contradiction[rows] > 0)
    if evidence.readers is not None:
        found = found | evidence.readers.contradicted[rows]
    return found


def suggest(
    evidence: Evidence, rows: Array, thresholds: Thresholds | None = None
) -> list[Suggestion]:
    """Suggest a verdict on each of these images.

    Args:
        evidence: On the labels of N images.
        rows: (L,) integers, places in the panel.
        thresholds: Where a suggestion turns; None for the usual ones.

    Returns:
        L suggestions, in the order of `rows`.
    """
    chosen = thresholds or Thresholds()
    return [_suggest_one(evidence, int(row), chosen) for row in rows]


def _suggest_one(evidence: Evidence, row: int, limits: Thresholds) -> Suggestion:
    told = tell_evidence(evidence, row)
    panel, around = evidence.panel, evidence.neighbourhood
    given, read_as = int(panel.given[row]), int(panel.majority[row])
    as_given = int(panel.votes_given[row]) / panel.models
    people = _people(evidence, row, limits)
    if people is not None and _is_listed(evidence, row, limits):
        return _by_people(evidence, row, people, told)
    if as_given == 1:
        reader = "the model reads" if panel.models == 1 else "every model of the panel reads"
        if evidence.suspicion[row] >= limits.suspicion:
            # Nobody misreads it: there is no model to blame.
            return Suggestion(Verdict.AMBIGUOUS, None, told, f"{reader} it as given")
        suspicion = below(evidence.suspicion[row], limits.suspicion, 2)
        reason = f"{reader} it as given, and its suspicion is {suspicion}"
        return Suggestion(Verdict.FINE, None, told, reason)
    missing = next(_missing(evidence, row, limits), None)
    if missing is None:
        return Suggestion(Verdict.LABEL, read_as, told, "")
    upheld = read_as == given and as_given >= limits.upheld
    upheld_around = (
        around is not None
        and around.number(around.given[row]) / around.count >= limits.upheld_neighbours
        and float(panel.p_given[row]) >= limits.upheld_probability
    )
    verdict = Verdict.MODEL if upheld or upheld_around else Verdict.AMBIGUOUS
    return Suggestion(verdict, None, told, missing)


@dataclass(frozen=True)
class _Said:
    """What enough readers said of an image: the class that most call it, and in words."""

    label: int
    agree: bool
    told: str


def _people(evidence: Evidence, row: int, limits: Thresholds) -> _Said | None:
    readers = evidence.readers
    if readers is None or readers.answers[row] < limits.readers:
        return None
    answers, as_given = int(readers.answers[row]), int(readers.votes_given[row])
    votes, label = int(readers.votes[row]), int(readers.called[row])
    if as_given >= votes:
        votes, label = as_given, int(evidence.panel.given[row])
    agree = votes / answers >= limits.reader_agreement
    call = f"{votes} of {answers} readers {'calls' if votes == 1 else 'call'} it"
    return _Said(label, agree, f"{call} {evidence.classes[label]}")


def _by_people(evidence: Evidence, row: int, people: _Said, told: str) -> Suggestion:
    """The verdict on an image that enough readers read, whatever its neighbours are."""
    panel = evidence.panel
    given, read_as = int(panel.given[row]), int(panel.majority[row])
    if not people.agree:
        return Suggestion(Verdict.AMBIGUOUS, None, told, f"only {people.told}")
    if people.label == given:
        # No model misreads it: there is none to blame.
        blamed = Verdict.FINE if panel.votes_given[row] == panel.models else Verdict.MODEL
        return Suggestion(blamed, None, told, f"{people.told} as given")
    if people.label == read_as:
        return Suggestion(Verdict.LABEL, read_as, told, "")
    whole = "the model" if panel.models == 1 else "the panel as a whole"
    reason = f"{people.told}, but {whole} reads {evidence.classes[read_as]}"
    return Suggestion(Verdict.AMBIGUOUS, None, told, reason)


def _missing(evidence: Evidence, row: int, limits: Thresholds) -> Iterator[str]:
    """What keeps the label of a misread image from being flagged, the weightiest first.

    Shares are compared as ratios of counts: 4 of 20 as float32 is more than 0.2.
    """
    panel, around, members = evidence.panel, evidence.neighbourhood, evidence.panel.models
    given, other = (evidence.classes[int(of[row])] for of in (panel.given, panel.majority))
    whole = "the model" if members == 1 else "the panel as a whole"
    if panel.majority[row] == panel.given[row]:
        yield f"{whole} reads it as given, {given}"
    against = members - int(panel.votes_given[row])
    if against / members < limits.contradiction:
        contradict = "contradicts" if against == 1 else "contradict"
        yield f"only {against} of {models(members)} {contradict} the label"
    if around is not None:
        alike = around.number(around.given[row])
        if alike / around.count > limits.neighbours_given:
            yield f"{tell_count(around, alike)} labelled {given}, too"
        theirs = around.number(around.read_as[row])
        if theirs / around.count < limits.neighbours:
            only = "only " if theirs else ""
            yield f"{only}{tell_count(around, theirs)} labelled {other}"
    elif members < limits.members:
        yield (
            f"without nearest training images, it takes {models(limits.members)} to tell a wrong "
            "label from a blunder"
        )
    votes = int(panel.votes[row])
    if votes / members < limits.agreement:
        read = "reads" if votes == 1 else "read"
        yield f"only {votes} of {models(members)} {read} {other}"
    if float(panel.p_majority[row]) < limits.confidence:
        sure = below(panel.p_majority[row], limits.confidence, 3)
        yield f"{whole} is not sure of {other}: {sure}"
    if float(evidence.suspicion[row]) < limits.suspicion:
        yield f"its suspicion is {below(evidence.suspicion[row], limits.suspicion, 2)}"
