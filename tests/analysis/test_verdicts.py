import dataclasses
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from misread.analysis.evidence import Evidence
from misread.analysis.verdicts import Suggestion, Thresholds, listed, suggest
from misread.errors import ParameterError
from misread.tables.verdicts import Verdict

MakeEvidence = Callable[..., Evidence]

USUAL = Thresholds()

# Rows of probabilities over the classes 4, 9 and 7; the images are given 9, whose number is 1.
FOUR, NINE, SEVEN = [0.96, 0.02, 0.02], [0.02, 0.96, 0.02], [0.02, 0.02, 0.96]
FOURS = [0] * 20


def panel(fours: int, nines: int = 0, sevens: int = 0) -> list[list[list[float]]]:
    return [[FOUR]] * fours + [[NINE]] * nines + [[SEVEN]] * sevens


def one(evidence: Evidence, thresholds: Thresholds | None = None) -> Suggestion:
    (suggestion,) = suggest(evidence, np.array([0]), thresholds)
    return suggestion


def test_a_label_that_all_evidence_contradicts_seems_wrong(make_evidence: MakeEvidence) -> None:
    found = one(make_evidence([1], *panel(5), around=[[FOURS]], suspicion=0.99))
    assert found == Suggestion(
        Verdict.LABEL,
        0,
        "5 of 5 models that never saw it read 4, the least sure at 0.96; "
        "20 of its 20 nearest training images are labelled 4, none 9",
        "",
    )


@pytest.mark.parametrize(
    ("members", "reads"), [(1, "the model reads"), (3, "every model of the panel reads")]
)
def test_what_nobody_misreads_is_fine_unless_it_is_suspicious(
    make_evidence: MakeEvidence, members: int, reads: str
) -> None:
    found = one(make_evidence([1], *panel(0, members), suspicion=0.4999))
    assert (found.verdict, found.label) == (Verdict.FINE, None)
    assert found.reason == f"{reads} it as given, and its suspicion is 0.49, below 0.5"
    found = one(make_evidence([1], *panel(0, members), around=[[FOURS]], suspicion=0.5))
    assert (found.verdict, found.label) == (Verdict.AMBIGUOUS, None)
    assert found.reason == f"{reads} it as given"
    assert "20 of its 20 nearest training images are labelled 4" not in found.evidence
    assert found.evidence.endswith(
        "none of its 20 nearest training images is labelled 9, 20 are labelled 4"
    )


# What is just enough for a verdict on the label, what is just too little, and the reason then.
NEARLY: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "contradiction": (
        {"panel": panel(4, 1)},
        {"panel": panel(3, 1)},
        "only 3 of 4 models contradict the label",
    ),
    "agreement": (
        {"panel": panel(4, 0, 1)},
        {"panel": panel(3, 0, 1)},
        "only 3 of 4 models read 4",
    ),
    "neighbours": (
        {"around": [[0] * 12 + [2] * 8]},
        {"around": [[0] * 11 + [2] * 9]},
        "only 11 of its 20 nearest training images are labelled 4",
    ),
    "neighbours_given": (
        {"around": [[0] * 16 + [1] * 4]},
        {"around": [[0] * 15 + [1] * 5]},
        "5 of its 20 nearest training images are labelled 9, too",
    ),
    "confidence": (
        {"panel": [[[0.76, 0.12, 0.12]]] * 5},
        {"panel": [[[0.7496, 0.1252, 0.1252]]] * 5},
        "the panel as a whole is not sure of 4: 0.749, below 0.75",
    ),
    "suspicion": ({"suspicion": 0.5}, {"suspicion": 0.4999}, "its suspicion is 0.49, below 0.5"),
    "members": (
        {"panel": panel(3), "around": []},
        {"panel": panel(2), "around": []},
        "without nearest training images, it takes 3 models to tell a wrong label from a blunder",
    ),
}


@pytest.mark.parametrize("name", NEARLY)
def test_every_threshold_decides_and_is_named(make_evidence: MakeEvidence, name: str) -> None:
    def suggestion(changed: dict[str, object]) -> Suggestion:
        parts = {"panel": panel(5), "around": [FOURS], "suspicion": 0.99} | changed
        around = [[labels] for labels in parts["around"]]  # type: ignore[attr-defined]
        return one(
            make_evidence([1], *parts["panel"], around=around, suspicion=parts["suspicion"])  # type: ignore[misc]
        )

    enough, too_little, reason = NEARLY[name]
    assert suggestion(enough).verdict == Verdict.LABEL
    found = suggestion(too_little)
    assert found.verdict == Verdict.AMBIGUOUS
    assert (found.label, found.reason) == (None, reason)


def test_every_threshold_has_a_case() -> None:
    elsewhere = {
        "upheld", "upheld_neighbours", "upheld_probability", "readers", "reader_agreement"
    }  # fmt: skip
    assert set(NEARLY) | elsewhere == {field.name for field in dataclasses.fields(Thresholds)}


def test_the_label_stands_where_the_panel_upholds_it(make_evidence: MakeEvidence) -> None:
    found = one(make_evidence([1], *panel(2, 3), suspicion=0.9))
    assert (found.verdict, found.label) == (Verdict.MODEL, None)
    assert found.reason == "the panel as a whole reads it as given, 9"
    found = one(make_evidence([1], *panel(1, 1, 0), [[0.2, 0.41, 0.39]], [SEVEN], suspicion=0.9))
    assert found.verdict == Verdict.AMBIGUOUS  # read as given, by 2 of 4 only
    assert found.reason == "the panel as a whole reads it as given, 9"


@pytest.mark.parametrize(
    ("p_given", "alike", "verdict"),
    [
        (0.06, 12, Verdict.MODEL),
        (0.04, 12, Verdict.AMBIGUOUS),
        (0.06, 11, Verdict.AMBIGUOUS),
        (0.04, 11, Verdict.AMBIGUOUS),
    ],
)
def test_the_label_stands_where_its_neighbours_uphold_it_and_the_panel_does_not_rule_it_out(
    make_evidence: MakeEvidence, p_given: float, alike: int, verdict: Verdict
) -> None:
    row = [[1 - p_given, p_given, 0]]
    around = [[[1] * alike + [0] * (20 - alike)]]
    found = one(make_evidence([1], row, row, row, around=around, suspicion=0.9))
    assert found.verdict == verdict
    assert found.reason == f"{alike} of its 20 nearest training images are labelled 9, too"


ALONE: list[tuple[list[list[int]], float, Verdict, str]] = [
    ([FOURS], 0.9, Verdict.LABEL, ""),
    ([], 0.9, Verdict.AMBIGUOUS, "without nearest training images, it takes 3 models to tell"),
    ([[1] * 20], 0.9, Verdict.AMBIGUOUS, "20 of its 20 nearest training images are labelled 9"),
    ([[2] * 20], 0.9, Verdict.AMBIGUOUS, "none of its 20 nearest training images is labelled 4"),
    ([FOURS], 0.3, Verdict.AMBIGUOUS, "its suspicion is 0.30, below 0.5"),
]


@pytest.mark.parametrize(("around", "suspicion", "verdict", "reason"), ALONE)
def test_one_model_alone(
    make_evidence: MakeEvidence, around: list[list[int]], suspicion: float, verdict: Verdict,
    reason: str,
) -> None:  # fmt: skip
    evidence = make_evidence([1], [FOUR], around=[[a] for a in around], suspicion=suspicion)
    found = one(evidence)
    assert found.verdict == verdict
    assert found.reason.startswith(reason)
    assert (found.reason == "") is (reason == "")


def test_one_model_that_wavers_says_so_of_itself(make_evidence: MakeEvidence) -> None:
    found = one(make_evidence([1], [[0.6, 0.3, 0.1]], around=[[FOURS]], suspicion=0.9))
    assert found.reason == "the model is not sure of 4: 0.600, below 0.75"


def test_one_of_two_contradicts_in_the_singular(make_evidence: MakeEvidence) -> None:
    found = one(make_evidence([1], [FOUR], [[0.4, 0.6, 0]], around=[[FOURS]], suspicion=0.9))
    assert found.reason == "only 1 of 2 models contradicts the label"


def test_other_thresholds_turn_elsewhere(make_evidence: MakeEvidence) -> None:
    evidence = make_evidence([1], *panel(2), suspicion=0.9)
    assert one(evidence).verdict == Verdict.AMBIGUOUS
    assert one(evidence, Thresholds(members=2)).verdict == Verdict.LABEL
    assert one(evidence, Thresholds(members=2, suspicion=0.95)).verdict == Verdict.AMBIGUOUS


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Thresholds)])
def test_a_threshold_out_of_range_is_refused(name: str) -> None:
    bad = (0, -1) if name in ("members", "readers") else (-0.01, 1.01, float("nan"))
    for value in bad:
        with pytest.raises(ParameterError, match=rf"{name} must be .*Got {value} instead"):
            Thresholds(**{name: value})  # type: ignore[arg-type]
    Thresholds(**{name: 1})


def test_misread_or_suspicious_images_are_listed_worst_first(make_evidence: MakeEvidence) -> None:
    first = [FOUR, NINE, FOUR, NINE, NINE, NINE]
    second = [NINE, NINE, FOUR, NINE, SEVEN, NINE]
    suspicion = [0.7, 0.5, 0.9, 0.4999, 0.7, 0.5]
    evidence = make_evidence([1] * 6, first, second, suspicion=suspicion)
    assert listed(evidence, USUAL).tolist() == [2, 0, 4, 1, 5]
    assert listed(evidence, Thresholds(suspicion=0.6)).tolist() == [2, 0, 4]
    assert listed(evidence, Thresholds(suspicion=0)).tolist() == [2, 0, 4, 1, 5, 3]


def by_the_book(
    votes: list[int], rows: list[list[float]], around: list[int] | None, suspicion: float
) -> Verdict:
    """The table of docs/audit.md, for an image given 9, in whole numbers."""
    members, counts = len(votes), Counter(votes)
    mean = np.mean(rows, axis=0)
    majority = max(counts, key=lambda k: (counts[k], mean[k]))
    against = Fraction(members - counts[1], members)
    if against == 0:
        return Verdict.FINE if suspicion < 0.5 else Verdict.AMBIGUOUS
    label = (
        against >= Fraction(4, 5)
        and Fraction(counts[majority], members) >= Fraction(4, 5)
        and majority != 1
        and mean[majority] >= 0.75
        and suspicion >= 0.5
    )
    alike = Fraction(0)
    if around is None:
        label = label and members >= 3
    else:
        alike = Fraction(around.count(1), len(around))
        theirs = Fraction(around.count(majority), len(around))
        label = label and theirs >= Fraction(3, 5) and alike <= Fraction(1, 5)
    if label:
        return Verdict.LABEL
    upheld = majority == 1 and 1 - against >= Fraction(3, 5)
    if upheld or (alike >= Fraction(3, 5) and mean[1] >= 0.05):
        return Verdict.MODEL
    return Verdict.AMBIGUOUS


@hypothesis_given(
    votes=st.lists(st.sampled_from([0, 0, 0, 0, 1, 2]), min_size=1, max_size=10),
    sure=st.sampled_from([0.5, 0.7, 0.88, 0.99]),
    around=st.none()
    | st.tuples(st.integers(0, 20), st.integers(0, 20)).map(
        lambda n: ([0] * n[0] + [1] * n[1] + [2] * 20)[:20]
    ),
    suspicion=st.sampled_from([0.1, 0.4999, 0.5, 0.9]),
)
@settings(deadline=None, max_examples=300)
def test_the_verdict_is_that_of_the_documented_table(
    make_evidence: MakeEvidence, votes: list[int], sure: float, around: list[int] | None,
    suspicion: float,
) -> None:  # fmt: skip
    # Unequal shares of the rest, so that the mean settles every tie.
    rows = [
        [sure + 0.001 * n if k == vote else (1 - sure - 0.001 * n) / 2 for k in range(3)]
        for n, vote in enumerate(votes)
    ]
    mean = np.mean(rows, axis=0)
    assume(all(abs(mean - limit).min() > 1e-6 for limit in (0.05, 0.75)))  # float32 rounds there
    evidence = make_evidence(
        [1], *([row] for row in rows), around=[] if around is None else [[around]],
        suspicion=suspicion,
    )  # fmt: skip
    found = one(evidence)
    assert found.verdict == by_the_book(votes, rows, around, suspicion)
    assert (found.label is not None) is (found.verdict == Verdict.LABEL)
    assert (found.reason == "") is (found.verdict == Verdict.LABEL)
    if found.label is not None:
        assert found.label == evidence.panel.majority[0] != 1
    for text in (found.evidence, found.reason):
        assert "\n" not in text
        assert text == text.strip()


def test_suggestions_come_in_the_order_asked_for(make_evidence: MakeEvidence) -> None:
    evidence = make_evidence([1, 1], *([FOUR, NINE],) * 3, around=[[FOURS, [1] * 20]])
    found = suggest(evidence, np.array([1, 0, 1]))
    assert [each.verdict for each in found] == ["fine", "label", "fine"]
    assert suggest(evidence, np.array([], np.int64)) == []


# What the panel reads, what readers call the image (4, 9 or 7 by 0, 1, 2; it is given 9), the
# verdict, and why the label isn't flagged. 0.1 is a suspicion that flags nothing by itself.
BY_PEOPLE = [
    (panel(5), [1, 1, 1], Verdict.MODEL, "3 of 3 readers call it 9 as given"),
    (panel(5), [1, 1, 1, 1, 0], Verdict.MODEL, "4 of 5 readers call it 9 as given"),
    (panel(5), [1, 1, 1, 0], Verdict.AMBIGUOUS, "only 3 of 4 readers call it 9"),
    (panel(3, 2), [0, 0, 0], Verdict.LABEL, ""),
    (panel(3, 2), [0, 0, 0, 0, 2], Verdict.LABEL, ""),
    (panel(3, 2), [0, 0, 0, 2], Verdict.AMBIGUOUS, "only 3 of 4 readers call it 4"),
    (panel(2, 3), [0, 0, 0], Verdict.AMBIGUOUS,
     "3 of 3 readers call it 4, but the panel as a whole reads 9"),
    (panel(5), [2, 2, 2], Verdict.AMBIGUOUS,
     "3 of 3 readers call it 7, but the panel as a whole reads 4"),
    (panel(0, 5), [0, 0, 0], Verdict.AMBIGUOUS,
     "3 of 3 readers call it 4, but the panel as a whole reads 9"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "calls", "verdict", "reason"), BY_PEOPLE)
def test_enough_readers_decide(
    make_evidence: MakeEvidence, members: list[list[list[float]]], calls: list[int],
    verdict: Verdict, reason: str,
) -> None:  # fmt: skip
    """Whatever the neighbours are, all 4s or all 9s."""
    for around in ([FOURS], [[1] * 20]):
        found = one(make_evidence([1], *members, around=[around], suspicion=0.1, read=[calls]))
        assert (found.verdict, found.reason) == (verdict, reason)
        assert found.label == (0 if verdict == Verdict.LABEL else None)


@pytest.mark.parametrize("calls", [[1], [0], [1, 1], [0, 0]])
def test_few_readers_are_a_sentence_and_decide_nothing(
    make_evidence: MakeEvidence, calls: list[int]
) -> None:
    for members, suspicion in ((panel(5), 0.99), (panel(1, 4), 0.1), (panel(0, 5), 0.9)):
        without = make_evidence([1], *members, around=[[FOURS]], suspicion=suspicion)
        found = make_evidence([1], *members, around=[[FOURS]], suspicion=suspicion, read=[calls])
        before, after = one(without), one(found)
        assert dataclasses.replace(after, evidence=before.evidence) == before
        assert after.evidence != before.evidence
    alone = make_evidence([1], *panel(5), suspicion=0.1, read=[calls[:1]])
    by_one = one(alone, Thresholds(readers=1))
    assert by_one.verdict == (Verdict.MODEL if calls[0] else Verdict.LABEL)


def test_what_readers_call_something_else_is_listed(make_evidence: MakeEvidence) -> None:
    """Images that no model misreads and nothing makes suspicious."""
    rows = [NINE, NINE, NINE, NINE, NINE]
    calls = [[0, 0, 0], [1, 1, 1], [0, 1], [0], []]
    evidence = make_evidence([1] * 5, rows, rows, rows, suspicion=0.1, read=calls)
    assert sorted(listed(evidence, USUAL).tolist()) == [0, 3]
    said = suggest(evidence, np.arange(5))
    assert [each.verdict for each in said] == [
        Verdict.AMBIGUOUS, Verdict.FINE, Verdict.FINE, Verdict.FINE, Verdict.FINE
    ]  # fmt: skip
    # Suspicious, and three people read it as given: it is fine.
    suspicious = make_evidence([1] * 5, rows, rows, rows, suspicion=0.9, read=calls)
    assert [each.verdict for each in suggest(suspicious, np.arange(2))] == [
        Verdict.AMBIGUOUS, Verdict.FINE
    ]  # fmt: skip
