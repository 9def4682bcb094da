"""Errors after verdicts, counted one answer at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.analysis.adjudication import AdjudicatedLabels, Case, adjudicate
from misread.analysis.reading.adjudicated import judge, measure_after
from misread.analysis.reading.people import measure_people
from misread.errors import VerdictsError
from misread.tables.readings import Readings, join
from misread.tables.verdicts import CODES, Verdict, Verdicts

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)
# Image: the verdict and the right class, if it is said.
SAID = {
    0: (Verdict.LABEL, 1), 1: (Verdict.LABEL, -1), 2: (Verdict.AMBIGUOUS, -1),
    3: (Verdict.UNREADABLE, -1), 4: (Verdict.MODEL, -1), 5: (Verdict.FINE, -1),
    20: (Verdict.LABEL, 2), 40: (Verdict.AMBIGUOUS, -1), 60: (Verdict.LABEL, -1),
}  # fmt: skip


def labels_after(said: dict[int, tuple[Verdict, int]]) -> AdjudicatedLabels:
    rows = sorted(said)
    return adjudicate(
        LABELS,
        Verdicts(
            split="test",
            index=np.array(rows, np.int32),
            verdict=np.array([CODES[said[row][0]] for row in rows], np.int8),
            label=np.array([said[row][1] for row in rows], np.int16),
            given=np.zeros(len(rows), np.int16),
            revision=np.arange(1, len(rows) + 1),
            decided_at=np.zeros(len(rows), np.int64),
            person=np.full(len(rows), "", np.str_),
        ),
    )


def errors_of(answer: Any) -> list[int]:
    """As labelled, after, at best and at worst, of one class for each of the 200 images."""
    counts = [0, 0, 0, 0]
    for image, read in enumerate(answer):
        verdict, right = SAID.get(image, (None, -1))
        as_labelled = bool(read != 0)
        after = low = high = as_labelled
        if verdict == Verdict.LABEL and right >= 0:
            after = low = high = bool(read != right)
        elif verdict == Verdict.LABEL:
            after, low, high = True, not as_labelled, True
        elif verdict in (Verdict.AMBIGUOUS, Verdict.UNREADABLE):
            low, high = False, True
        for place, wrong in enumerate((as_labelled, after, low, high)):
            counts[place] += wrong
    return counts


def test_whoever_reads_everything_is_counted(plan_of: Any, follow: Follow) -> None:
    """Two readers and a model of all 200 images: no sampling, every rate is a count."""
    plan = plan_of(answers=200)
    generator = np.random.default_rng(0)
    answers = [np.where(generator.random(200) < 0.2, generator.integers(0, 3, 200), 0)
               for _ in range(3)]  # fmt: skip
    for answer in answers:
        answer[[0, 1, 2, 20]] = generator.integers(0, 3, 4)
    readings = join([follow(plan, answers[n], number=n, name=f"r{n}") for n in range(2)])
    model = answers[2].astype(np.int16)
    measured = measure_people(plan, LABELS, readings, {"net.test.held-out": model != LABELS})
    found = measure_after(plan, measured.estimate, labels_after(SAID), {"net.test.held-out": model})
    counts = [errors_of(answer) for answer in answers]
    for rates, expected in zip((*found.readers, *found.models), counts, strict=True):
        values = (rates.as_labelled, rates.after, rates.lowest, rates.highest)
        assert [200 * one.value for one in values] == pytest.approx(expected)
        assert all(one.low == pytest.approx(one.high) for one in values)
    assert 200 * found.together.after.value == pytest.approx((counts[0][1] + counts[1][1]) / 2)
    (against,) = found.against
    assert against.mistakes == counts[2][1]
    assert 200 * against.difference.value == pytest.approx(
        (counts[0][1] + counts[1][1]) / 2 - counts[2][1]
    )


def test_a_sample_s_interval_holds_the_truth(plan_of: Any, follow: Follow) -> None:
    plan = plan_of()
    answer = np.zeros(200, np.int16)
    answer[[0, 7, 20, 33]] = 1
    readings = follow(plan, answer)
    measured = measure_people(plan, LABELS, readings, {})
    found = measure_after(plan, measured.estimate, labels_after(SAID), {})
    truth = errors_of(answer)
    rates = found.together
    for one, count in zip(
        (rates.as_labelled, rates.after, rates.lowest, rates.highest), truth, strict=True
    ):
        assert one.low <= count / 200 <= one.high
    assert rates.lowest.value <= rates.after.value <= rates.highest.value
    # What isn't known of an answer isn't known after verdicts either.
    for case in Case:
        (tally,) = judge(measured.estimate.tallies, labels_after(SAID), case)
        assert not (tally.wrong & ~tally.known).any()


def test_whose_errors_were_reviewed_is_said(plan_of: Any, follow: Follow) -> None:
    plan = plan_of(answers=200)
    answer, model = np.zeros((2, 200), np.int16)
    answer[[20, 40, 60]], model[[20, 100]] = 1, 1
    measured = measure_people(
        plan, LABELS, follow(plan, answer), {"net-s0.test.held-out": model > 0}
    )
    predicted = {"net-s0.test.held-out": model}

    def caution(said: dict[int, tuple[Verdict, int]]) -> str:
        return measure_after(plan, measured.estimate, labels_after(said), predicted).caution

    assert caution({20: (Verdict.MODEL, -1)}) == (
        "Reviewed of the images: 1 of the 2 that net-s0 misreads, 1 of the 3 that a reader "
        "misreads. After verdicts, whoever's errors were reviewed more is favoured."
    )
    everything = dict.fromkeys((20, 40, 60, 100), (Verdict.MODEL, -1))
    assert caution(everything).startswith("Every error of people and models was reviewed")


def test_labels_of_other_images_are_refused(plan_of: Any, follow: Follow) -> None:
    plan = plan_of(images=100, answers=50, hard=range(0, 100, 20))
    labels = np.zeros(100, np.int16)
    measured = measure_people(plan, labels, follow(plan, labels), {})
    with pytest.raises(VerdictsError, match=r"expected those of 100 images\. Got 200"):
        measure_after(plan, measured.estimate, labels_after(SAID), {})
