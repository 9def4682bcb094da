from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from misread.analysis.reading.order import (
    REPEAT_GAP,
    ReadingOrder,
    check_order,
    draw_order,
    reading_order,
)
from misread.errors import ReadingsError
from misread.types import IntArray


@st.composite
def designs(draw: st.DrawFn) -> tuple[int, tuple[int, ...], int, int]:
    images = draw(st.integers(1, 300))
    answers = draw(st.integers(1, images))
    most = images if answers == images else answers // 2
    hard = draw(st.sets(st.integers(0, images - 1), max_size=most))
    return images, tuple(sorted(hard)), answers, draw(st.integers(0, answers))


@given(designs(), st.integers(0, 2**63), st.integers(0, 1_000))
def test_orders_hold_what_the_design_promises(
    design: tuple[int, tuple[int, ...], int, int], seed: int, reader: int
) -> None:
    images, hard, answers, repeats = design
    order = draw_order(images, hard, answers, repeats, seed=seed, reader=reader)
    first = order.repeat_of < 0
    main = np.flatnonzero(first)
    # Every item once, all positions of the plan at the front.
    assert np.array_equal(np.sort(order.item[main]), np.arange(images))
    assert (order.planned, len(order)) == (answers + repeats, images + repeats)
    assert first[: order.planned].sum() == answers
    assert first[order.planned :].all()
    # Hard items in the first half of the answers (all of them where everything is read).
    assert np.array_equal(order.hard, np.isin(order.item, hard))
    half = max(answers // 2, len(hard))
    assert not order.hard[main[half:]].any()
    # At most one hard item in each of as many equal parts: thinly scattered.
    if hard:
        slots = np.flatnonzero(order.hard[main])
        edges = np.arange(len(hard) + 1) * half // len(hard)
        assert (np.histogram(slots, edges)[0][:-1] == 1).all()
    # Repeats: other items each, later than the first time, and as late as they can be.
    at = np.flatnonzero(~first)
    assert len(set(order.item[at].tolist())) == repeats
    assert np.array_equal(order.item[at], order.item[order.repeat_of[at]])
    count: IntArray = np.cumsum(first)
    between = count[at] - count[order.repeat_of[at]]
    early = count[order.repeat_of[at]] <= answers - min(REPEAT_GAP, answers // 4)
    assert (between[early] >= min(REPEAT_GAP, answers // 4)).all()
    assert (at > order.repeat_of[at]).all()
    # The same numbers, the same order.
    again = draw_order(images, hard, answers, repeats, seed=seed, reader=reader)
    assert again.digest == order.digest


def test_half_of_the_repeats_are_hard_ones() -> None:
    order = draw_order(1_000, tuple(range(40)), 400, 20, seed=0, reader=0)
    assert order.hard[order.repeat_of >= 0].sum() == 10
    few = draw_order(1_000, (3, 4), 400, 20, seed=0, reader=0)
    assert few.hard[few.repeat_of >= 0].sum() == 2
    assert (few.repeat_of >= 0).sum() == 20


def test_the_sample_is_a_simple_random_one() -> None:
    """Each item and each pair is as likely as any other, for 4,000 readers."""
    orders = [draw_order(8, (0,), 4, 0, seed=1, reader=reader) for reader in range(4_000)]
    samples = Counter(frozenset(order.item[:4].tolist()) - {0} for order in orders)
    assert len(samples) == 35
    assert chisquare(list(samples.values())).pvalue > 0.001
    first = Counter(next(int(i) for i in order.item if i) for order in orders)
    assert chisquare(list(first.values())).pvalue > 0.001


def test_readers_draw_independently() -> None:
    """Two readers' samples share as many items as chance has them share."""
    plain = [
        set(draw_order(100, (), 50, 0, seed=7, reader=r).item[:50].tolist()) for r in range(400)
    ]
    shared = [len(one & other) for one, other in zip(plain[::2], plain[1::2], strict=True)]
    # Hypergeometric mean 25, standard deviation 2.5; of 200 pairs 0.18.
    assert abs(np.mean(shared) - 25) < 0.6
    assert 2.0 < np.std(shared) < 3.0


FROZEN = [5, 3, 2, 11, 9, 7, 9, 0, 10, 1, 4, 6, 8]


def test_the_order_is_the_same_for_ever() -> None:
    """Raw Philox numbers: if this fails, frozen plans can't be read on with."""
    order = draw_order(12, (2, 5), 6, 1, seed=42, reader=3)
    assert order.item.tolist() == FROZEN
    assert draw_order(12, (2, 5), 6, 1, seed=42, reader=4).item.tolist() != FROZEN


def test_a_plan_knows_its_order(plan_of: Any) -> None:
    plan = plan_of()
    check_order(plan)
    assert reading_order(plan, 0).digest == plan.first_order
    assert isinstance(reading_order(plan, 5), ReadingOrder)
    other = plan_of(seed=4)
    object.__setattr__(other, "first_order", plan.first_order)
    with pytest.raises(ReadingsError, match="drew another one"):
        check_order(other)
    with pytest.raises(ReadingsError, match="a number of 0 or more"):
        reading_order(plan, -1)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 50))
def test_orders_of_other_readers_and_seeds_differ(seed: int, reader: int) -> None:
    def digest(seed: int, reader: int) -> str:
        return draw_order(60, (1, 2), 30, 3, seed=seed, reader=reader).digest

    assert len({digest(seed, reader), digest(seed + 1, reader), digest(seed, reader + 1)}) == 3
