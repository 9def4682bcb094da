"""Suggested verdicts: is the model wrong, or the label, or could it be either?

A suggestion, with the evidence in words; people decide. Every threshold is in `Thresholds`.
"""

from dataclasses import dataclass

import numpy as np

from misread.analysis.evidence import Evidence
from misread.analysis.sentences import models, percent, tell_evidence
from misread.errors import ParameterError
from misread.tables.verdicts import Verdict
from misread.types import Array, IntArray

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

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "members":
                if value < 1:
                    raise ParameterError(f"members must be 1 or more. Got {value} instead.")
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
    """The images worth a look: misread by a model of the panel, or suspicious.

    Returns:
        (L,) int64, places in the panel, the most suspicious first; ties keep the split's order.
    """
    panel = evidence.panel
    misread = (panel.contradiction > 0) | (panel.majority != evidence.panel.given)
    rows = np.flatnonzero(misread | (evidence.suspicion >= thresholds.suspicion))
    ranked: IntArray = rows[np.argsort(-evidence.suspicion[rows], kind="stable")]
    return ranked


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
    panel, given = evidence.panel, int(evidence.panel.given[row])
    read_as, members = int(panel.majority[row]), len(evidence.members)
    if not panel.contradiction[row] and evidence.suspicion[row] < limits.suspicion:
        reason = "every model reads it as given, and nothing else speaks against the label"
        return Suggestion(Verdict.FINE, None, told, reason)
    missing = _missing(evidence, row, limits)
    if not missing:
        return Suggestion(Verdict.LABEL, read_as, told, "")
    around = evidence.neighbourhood
    upheld = panel.votes_given[row] / members >= limits.upheld and read_as == given
    upheld_around = (
        around is not None
        and around.given[row] >= limits.upheld_neighbours
        and panel.p_given[row] >= limits.upheld_probability
    )
    verdict = Verdict.MODEL if upheld or upheld_around else Verdict.AMBIGUOUS
    if read_as == given and not panel.contradiction[row]:
        verdict = Verdict.AMBIGUOUS  # nobody misreads it: no model to blame
    return Suggestion(verdict, None, told, missing[0])


def _missing(evidence: Evidence, row: int, limits: Thresholds) -> list[str]:
    """What keeps the label from being flagged, the weightiest first."""
    panel, panel, around = evidence.panel, evidence.panel, evidence.neighbourhood
    members, name = len(evidence.members), evidence.classes[int(panel.given[row])]
    against = f"{members - int(panel.votes_given[row])} of {models(members)}"
    other = evidence.classes[int(panel.majority[row])]
    found = []
    if panel.majority[row] == panel.given[row]:
        found.append(f"the panel as a whole reads it as given, {name}")
    if panel.contradiction[row] < limits.contradiction:
        found.append(f"only {against} contradict the label")
    if around is not None and around.given[row] > limits.neighbours_given:
        found.append(
            f"{percent(around.given[row])} of its nearest training images are given {name} too"
        )
    if around is not None and around.read_as[row] < limits.neighbours:
        found.append(
            f"only {percent(around.read_as[row])} of its nearest training images are given {other}"
        )
    if around is None and members < limits.members:
        found.append(
            f"{models(members)} without neighbours can't tell a wrong label from a blunder"
        )
    if panel.votes[row] / members < limits.agreement:
        found.append(f"the models that contradict the label don't agree on {other}")
    if panel.p_majority[row] < limits.confidence:
        sure = f"{panel.p_majority[row]:.3f}, below {limits.confidence:g}"
        found.append(f"the panel is not sure of {other}: {sure}")
    if evidence.suspicion[row] < limits.suspicion:
        found.append(f"its suspicion is {evidence.suspicion[row]:.2f}, below {limits.suspicion:g}")
    return found
