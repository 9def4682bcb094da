import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.analysis.reading.anytime import limit_sequence
from misread.analysis.reading.exact import exact_limits
from misread.analysis.reading.limits import (
    Basis,
    Sample,
    narrowing,
    one_reader,
    several_readers,
)
from misread.analysis.reading.pooled import anytime_sum_limits, planned_limits

BOTH = [Basis.PLANNED, Basis.ANYTIME]


def sample(wrong: int, read: int, missing: int = 0, seed: int = 0) -> Sample:
    """The last `missing` answers before shuffling aren't known."""
    order = np.random.default_rng(seed).permutation(read)
    return Sample((np.arange(read) < wrong)[order], (np.arange(read) < read - missing)[order])


def test_one_reader_has_the_limits_of_the_basis() -> None:
    one = sample(4, 500)
    planned = one_reader(one, 3_000, Basis.PLANNED, 0.05)
    assert (planned.low, planned.high) == exact_limits(4, 500, 3_000)
    always = one_reader(one, 3_000, Basis.ANYTIME, 0.05)
    assert (always.low, always.high) == limit_sequence(one.wrong, 3_000).last
    assert planned.value == always.value == 24


@pytest.mark.parametrize("basis", BOTH)
@given(st.integers(0, 40).flatmap(lambda m: st.tuples(
    st.just(m), st.integers(0, m))), st.integers(0, 9), st.integers(0, 5))  # fmt: skip
def test_missing_answers_widen_to_both_sides(
    basis: Basis, numbers: tuple[int, int], missing: int, seed: int
) -> None:
    """Whatever the missing answers would have been, the limits hold those of the full sample."""
    read, wrong = numbers
    missing = min(missing, read - wrong)
    part = sample(wrong, read, missing, seed)
    found = one_reader(part, 60, basis, 0.1)
    gone = np.flatnonzero(~part.known)
    for would_be in range(missing + 1):
        full = part.wrong.copy()
        full[gone[:would_be]] = True
        whole = one_reader(Sample(full, np.ones(read, bool)), 60, basis, 0.1)
        assert found.low <= whole.low <= whole.high <= found.high
    if read > missing:
        assert found.value == pytest.approx(wrong / (read - missing) * 60)
    else:
        assert np.isnan(found.value)


def test_the_narrowing_of_a_sample_with_gaps() -> None:
    part = sample(3, 100, missing=10)
    found = narrowing(part, 400, 0.05)
    assert np.array_equal(found.low, limit_sequence(part.wrong, 400).low)
    assert np.array_equal(found.high, limit_sequence(part.worst, 400).high)


@pytest.mark.parametrize("basis", BOTH)
def test_several_readers_take_their_mean(basis: Basis) -> None:
    samples = [sample(2, 300, seed=1), sample(9, 300, seed=2), sample(4, 300, seed=3)]
    found = several_readers(samples, 2_000, basis, 0.05)
    assert found.value == pytest.approx(15 / 900 * 2_000)
    if basis == Basis.PLANNED:
        assert (found.low, found.high) == planned_limits(15, 300, 3, 2_000)
    else:
        wrong = np.sum([one.wrong for one in samples], axis=0)
        low, high = anytime_sum_limits(wrong, 3, 2_000)
        assert (found.low, found.high) == (low / 3, high / 3)


def test_unequal_readers_count_up_to_the_shortest() -> None:
    samples = [sample(2, 300, seed=1), sample(50, 400, seed=2)]
    cut = [Sample(one.wrong[:300], one.known[:300]) for one in samples]
    found = several_readers(samples, 2_000, Basis.ANYTIME, 0.05)
    assert found == several_readers(cut, 2_000, Basis.ANYTIME, 0.05)


@pytest.mark.parametrize("basis", BOTH)
def test_missing_answers_of_several_readers(basis: Basis) -> None:
    full = [sample(2, 80, seed=1), sample(9, 80, seed=2)]
    part = [Sample(full[0].wrong, np.arange(80) < 78), full[1]]
    one, other = (several_readers(samples, 200, basis, 0.05) for samples in (full, part))
    assert other.low <= one.low
    assert other.high > one.high


@pytest.mark.parametrize("basis", BOTH)
def test_one_of_several_is_one(basis: Basis) -> None:
    one = sample(4, 50)
    assert several_readers([one], 300, basis, 0.1) == one_reader(one, 300, basis, 0.1)


@pytest.mark.parametrize("basis", BOTH)
def test_nothing_read_says_nothing(basis: Basis) -> None:
    nothing = sample(0, 0)
    for found in (
        one_reader(nothing, 30, basis, 0.05),
        several_readers([nothing, sample(1, 5)], 30, basis, 0.05),
    ):
        assert np.isnan(found.value)
        assert (found.low, found.high) == (0, 30)


@pytest.mark.parametrize("basis", BOTH)
def test_no_items_have_no_errors(basis: Basis) -> None:
    nothing = sample(0, 0)
    for samples in ([nothing], [nothing, nothing]):
        found = several_readers(samples, 0, basis, 0.05)
        assert (found.value, found.low, found.high) == (0, 0, 0)
