import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from misread.analysis.adjudication import (
    AdjudicatedError,
    adjudicate,
    adjudicated_error,
    comparison_caution,
)
from misread.analysis.outcomes import Outcomes
from misread.errors import ParameterError, VerdictsError
from misread.tables import Origin, Provenance
from misread.tables.verdicts import CODES, Verdict, Verdicts

CLASSES = ("a", "b", "c", "d")


def provenance(model: str = "oracle") -> Provenance:
    return Provenance(model, "imported", 0, "test", Origin.HELD_OUT, CLASSES, "", "2025-01-01")


def outcomes(
    given: list[int], predicted: list[int], index: list[int] | None = None, model: str = "oracle"
) -> Outcomes:
    rows = np.arange(len(given)) if index is None else np.array(index)
    half = np.full(len(given), 0.5, np.float32)
    return Outcomes(
        provenance(model), rows.astype(np.int32), np.array(given, np.int16),
        np.array(predicted, np.int16), half, half, half.astype(np.float64),
    )  # fmt: skip


def verdicts(said: dict[int, tuple[Verdict, int, int]]) -> Verdicts:
    """By image: the verdict, the right class or -1, the label at the time or -1."""
    rows = sorted(said)
    return Verdicts(
        split="test",
        index=np.array(rows, np.int32),
        verdict=np.array([CODES[said[row][0]] for row in rows], np.int8),
        label=np.array([said[row][1] for row in rows], np.int16),
        given=np.array([said[row][2] for row in rows], np.int16),
        revision=np.arange(1, len(rows) + 1),
        decided_at=np.zeros(len(rows), np.int64),
        person=np.full(len(rows), "", np.str_),
    )


@st.composite
def reviews(
    draw: st.DrawFn, stale: bool = True
) -> tuple[list[int], list[int], dict[int, tuple[Verdict, int, int]]]:
    """Given labels, predicted classes, and verdicts on some of the images."""
    classes = st.integers(0, len(CLASSES) - 1)
    given = draw(st.lists(classes, max_size=25))
    predicted = draw(st.lists(classes, min_size=len(given), max_size=len(given)))
    said = {}
    for row, label in enumerate(given):
        if draw(st.booleans()):
            verdict = draw(st.sampled_from(list(Verdict)))
            against = draw(st.one_of(st.just(-1), classes)) if stale else label
            right = draw(st.one_of(st.just(-1), classes)) if verdict == Verdict.LABEL else -1
            said[row] = (verdict, -1 if right == against else right, against)
    return given, predicted, said


def judge(
    given: int, predicted: int, said: tuple[Verdict, int, int] | None
) -> tuple[int, bool, bool, bool, bool]:
    """One image at a time: label, counted as reviewed, mistake, at best, at worst."""
    if said is None:
        wrong = predicted != given
        return given, False, wrong, wrong, wrong
    verdict, right, against = said
    if verdict in (Verdict.MODEL, Verdict.FINE):
        label = given if against == -1 else against
    elif verdict == Verdict.LABEL and right != -1:
        label = right
    elif verdict == Verdict.LABEL:
        if against not in (-1, given):
            wrong = predicted != given
            return given, False, wrong, wrong, wrong
        return given, True, True, predicted == given, True
    else:
        return given, True, predicted != given, False, True
    return label, True, predicted != label, predicted != label, predicted != label


@given_by(reviews())
@settings(deadline=None, max_examples=300)
def test_it_counts_as_a_loop_over_images_does(
    review: tuple[list[int], list[int], dict[int, tuple[Verdict, int, int]]],
) -> None:
    given, predicted, said = review
    one_by_one = [
        judge(g, p, said.get(row)) for row, (g, p) in enumerate(zip(given, predicted, strict=True))
    ]
    labels = adjudicate(np.array(given, np.int16), verdicts(said))
    assert labels.label.tolist() == [each[0] for each in one_by_one]
    assert labels.label.dtype == np.int16
    assert labels.reviewed.tolist() == [each[1] for each in one_by_one]
    assert labels.changed.tolist() == [
        each[0] != g for each, g in zip(one_by_one, given, strict=True)
    ]
    found = adjudicated_error(outcomes(given, predicted), labels)
    wrong = [p != g for p, g in zip(predicted, given, strict=True)]
    pairs = list(zip(wrong, one_by_one, strict=True))
    assert found.as_labelled.count == sum(wrong)
    assert found.after.count == sum(each[2] for each in one_by_one)
    assert found.lowest.count == sum(each[3] for each in one_by_one)
    assert found.highest.count == sum(each[4] for each in one_by_one)
    assert found.reviewed_mistakes == sum(w and each[1] for w, each in pairs)
    assert found.reviewed_others == sum(not w and each[1] for w, each in pairs)
    assert found.righted == sum(w and not each[2] for w, each in pairs)
    assert found.added == sum(not w and each[2] for w, each in pairs)
    # No image is ever left out.
    for rate in (found.as_labelled, found.after, found.lowest, found.highest):
        assert rate.total == len(given)
        if given:
            low, high = proportion_confint(rate.count, rate.total, method="wilson")
            assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-12)
    assert found.lowest.count <= found.after.count <= found.highest.count
    assert found.after.count == found.as_labelled.count - found.righted + found.added


@given_by(reviews(stale=False))
@settings(deadline=None)
def test_reviewing_only_mistakes_can_only_lower_the_error(
    review: tuple[list[int], list[int], dict[int, tuple[Verdict, int, int]]],
) -> None:
    given, predicted, said = review
    mistakes_only = {row: v for row, v in said.items() if predicted[row] != given[row]}
    labels = adjudicate(np.array(given, np.int16), verdicts(mistakes_only))
    found = adjudicated_error(outcomes(given, predicted), labels)
    assert found.highest.count <= found.as_labelled.count
    assert found.added == found.reviewed_others == 0


def test_a_review_of_all_images_may_raise_the_error() -> None:
    said = {0: (Verdict.LABEL, 1, 0), 1: (Verdict.FINE, -1, 0), 2: (Verdict.MODEL, -1, 1)}
    labels = adjudicate(np.array([0, 0, 1], np.int16), verdicts(said))
    found = adjudicated_error(outcomes([0, 0, 1], [0, 0, 0]), labels)
    assert (found.as_labelled.count, found.after.count, found.added) == (1, 2, 1)
    assert found.caution == "Every image was reviewed."


def test_predictions_of_some_images_count_those_only() -> None:
    labels = adjudicate(np.array([0, 1, 2, 3], np.int16), verdicts({2: (Verdict.LABEL, 3, 2)}))
    found = adjudicated_error(outcomes([1, 2], [1, 3], index=[1, 2]), labels)
    assert (found.as_labelled.count, found.after.count, found.after.total) == (1, 0, 2)


def test_the_level_is_that_of_the_intervals() -> None:
    labels = adjudicate(np.array([0] * 20, np.int16), verdicts({}))
    found = adjudicated_error(outcomes([0] * 20, [1] * 5 + [0] * 15), labels, level=0.8)
    low, high = proportion_confint(5, 20, alpha=0.2, method="wilson")
    assert (found.after.low, found.after.high) == pytest.approx((low, high))
    with pytest.raises(ParameterError, match="level"):
        adjudicated_error(outcomes([0] * 20, [0] * 20), labels, level=1)


def test_what_does_not_fit_together_is_refused() -> None:
    given = np.array([0, 1], np.int16)
    with pytest.raises(VerdictsError, match="index must be below 2"):
        adjudicate(given, verdicts({2: (Verdict.FINE, -1, -1)}))
    labels = adjudicate(given, verdicts({}))
    for other in (outcomes([0, 0], [0, 0]), outcomes([0, 1], [0, 1], index=[1, 2])):
        with pytest.raises(VerdictsError, match="that were adjudicated"):
            adjudicated_error(other, labels)


def reviewed(
    mistakes: tuple[int, int], others: tuple[int, int], **changes: Any
) -> AdjudicatedError:
    """So many reviewed of so many."""
    total = mistakes[1] + others[1]
    said = dict.fromkeys(range(mistakes[0]), (Verdict.FINE, -1, 0))
    said |= dict.fromkeys(range(mistakes[1], mistakes[1] + others[0]), (Verdict.FINE, -1, 0))
    labels = adjudicate(np.zeros(total, np.int16), verdicts(said))
    made = adjudicated_error(outcomes([0] * total, [1] * mistakes[1] + [0] * others[1]), labels)
    return dataclasses.replace(made, **changes)


REVIEWED = "{} mistakes and {} images read as given were reviewed"


@pytest.mark.parametrize(
    ("mistakes", "others", "says"),
    [
        ((0, 5), (0, 95), "No image has a decided verdict"),
        ((3, 5), (0, 95), "Only mistakes were reviewed, and that can only lower the error: none"),
        ((5, 5), (95, 95), "Every image was reviewed."),
        ((5, 5), (0, 0), "Every image was reviewed."),
        ((3, 5), (0, 0), REVIEWED.format("3 of 5", "0 of 0") + "; the labels of all others"),
        ((3, 5), (10, 95), REVIEWED.format("3 of 5", "10 of 95") + ": the error after verdicts l"),
        ((1, 5), (19, 95), REVIEWED.format("1 of 5", "19 of 95") + "; the labels of all others"),
        ((0, 5), (19, 95), REVIEWED.format("0 of 5", "19 of 95") + "; the labels of all others"),
    ],
)
def test_the_caution_says_what_was_reviewed(
    mistakes: tuple[int, int], others: tuple[int, int], says: str
) -> None:
    found = reviewed(mistakes, others)
    assert found.caution.startswith(says)
    assert (found.mistakes, found.others) == (mistakes[1], others[1])


def test_models_whose_mistakes_were_reviewed_differently_are_not_compared() -> None:
    more = reviewed((5, 5), (0, 95), provenance=provenance("more"))
    less = reviewed((1, 4), (0, 96), provenance=provenance("less"))
    none = reviewed((0, 0), (0, 100), provenance=provenance("perfect"))
    assert comparison_caution([more, less, none]) == (
        "100% of the mistakes of more-imported-s0 were reviewed and 25% of those of "
        "less-imported-s0: compared after verdicts, the one that was reviewed more is favoured."
    )
    assert comparison_caution([less, less]) == comparison_caution([more]) == ""
    assert Fraction(less.reviewed_mistakes, less.mistakes) == Fraction(1, 4)
