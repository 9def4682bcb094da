from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from misread.analysis.reading.design import (
    PRACTICE,
    as_random_sample,
    choose_hard,
    draw_plan,
    expected_width,
    most_hard,
)
from misread.analysis.reading.exact import exact_limits
from misread.errors import ParameterError, ReadingsError


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60), st.integers(0, 70))
def test_the_hard_items_are_the_most_difficult_mistakes(
    items: list[tuple[bool, int]], most: int
) -> None:
    wrong = np.array([one for one, _ in items], bool)
    difficulty = np.array([two for _, two in items], float)
    hard = choose_hard(wrong, difficulty, most)
    assert len(hard) == min(most, wrong.sum())
    assert (np.diff(hard) > 0).all()
    assert wrong[hard].all()
    left = wrong.copy()
    left[hard] = False
    if len(hard) and left.any():
        assert difficulty[hard].min() >= difficulty[left].max()


def test_how_many_hard_items_fit() -> None:
    assert most_hard(1_000, 10_000) == 150
    assert most_hard(200, 10_000) == 50
    assert most_hard(100, 100) == 150


def test_the_same_arguments_give_the_same_plan(plan_of: Any) -> None:
    options = {"practice_split": "train", "practice_images": 500, "width": 0.01, "brief": True}
    plan, again = plan_of(**options), plan_of(**options)
    assert plan == again
    assert plan.hash == again.hash
    assert (plan.rest, plan.sample, plan.repeats) == (190, 50, 3)
    assert len(set(plan.practice)) == PRACTICE
    assert max(plan.practice) < 500
    other = plan_of(**(options | {"seed": 4}))
    assert other.practice != plan.practice
    assert other.first_order != plan.first_order


def test_practice_images_are_as_many_as_there_are(plan_of: Any) -> None:
    assert sorted(plan_of(practice_split="train", practice_images=4).practice) == [0, 1, 2, 3]
    plan = plan_of(practice_split="train", practice_images=0)
    assert (plan.practice, plan.practice_split) == ((), "")


def test_what_makes_no_plan_is_refused(plan_of: Any) -> None:
    with pytest.raises(ParameterError, match="repeated must be in"):
        plan_of(repeated=1.5)
    with pytest.raises(ReadingsError, match="at most half as many hard items"):
        plan_of(answers=15)
    with pytest.raises(ReadingsError, match="1 to 200 answers"):
        plan_of(answers=201)


def test_readings_made_elsewhere_stand_for_a_sample_of_everything(plan_of: Any) -> None:
    plan = as_random_sample(plan_of().target)
    assert (plan.hard, plan.rest, plan.repeats) == ((), 200, 0)


def width(errors: int, read: int, items: int) -> float:
    """Mean width of the exact interval, by the definition."""
    seen = np.arange(min(errors, read) + 1)
    limits = np.array([exact_limits(int(x), read, items) for x in seen])
    return float(hypergeom.pmf(seen, items, errors, read) @ (limits[:, 1] - limits[:, 0]))


@pytest.mark.parametrize(
    ("answers", "census", "simple", "ratio"),
    [(1_000, 0.583, 0.795, 0.74), (2_000, 0.348, 0.507, 0.69)],
)
def test_the_census_narrows_the_interval(
    answers: int, census: float, simple: float, ratio: float
) -> None:
    """62 mistakes of the model of which 21 are misread, and 14 errors elsewhere, of 10,000."""
    with_census, coverage = expected_width(14, answers - 62, 9_938)
    without, _ = expected_width(35, answers, 10_000)
    assert with_census / 100 == pytest.approx(census, abs=0.0005)
    assert without / 100 == pytest.approx(simple, abs=0.0005)
    assert with_census / without <= ratio
    assert coverage >= 0.95
    assert with_census == pytest.approx(width(14, answers - 62, 9_938), abs=1e-6)


def test_widths_at_the_ends() -> None:
    assert expected_width(0, 30, 30) == (0, 1)
    assert expected_width(5, 0, 30) == (30, 1)


def test_draw_plan_takes_arrays(plan_of: Any) -> None:
    plan = draw_plan(
        plan_of().target, 60, hard=np.array([4, 9], np.int32), seed=0, created="", models=("m",)
    )
    assert plan.hard == (4, 9)
    assert plan.models == ("m",)
