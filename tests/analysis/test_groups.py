import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.analysis.groups import MISSING, group_values
from misread.errors import ParameterError


def test_text_is_grouped_by_value_and_missing_ones_come_last() -> None:
    made = group_values(np.array([1, 0, -1, 1, 3]), np.array(["b", "a", "unused", "c"], object))
    assert made.names == ("a", "b", "c", MISSING)
    assert made.codes.tolist() == [0, 1, 3, 0, 2]
    assert not made.binned


def test_numbers_are_sorted_as_numbers_and_truth_values_named() -> None:
    assert group_values(np.arange(3), np.array([10, 9, -1])).names == ("-1", "9", "10")
    assert group_values(np.arange(2), np.array([True, False])).names == ("false", "true")
    assert group_values(np.arange(2), np.array([0.5, 1e-7])).names == ("1e-07", "0.5")


@given(st.lists(st.none() | st.integers(-50, 50), min_size=1, max_size=200), st.integers(2, 6))
def test_bins_are_ranges_that_hold_their_numbers(numbers: list[int | None], bins: int) -> None:
    values = np.array(sorted({n for n in numbers if n is not None}), np.int64)
    codes = np.array([-1 if n is None else int(np.searchsorted(values, n)) for n in numbers])
    made = group_values(codes, values, bins)
    assert set(made.codes.tolist()) == set(range(len(made.names)))
    assert made.binned == (len(values) > bins)
    assert len(made.names) <= bins + 1
    for number, code in zip(numbers, made.codes, strict=True):
        name = made.names[code]
        assert (name == MISSING) == (number is None)
        if number is not None:
            ends = [int(part) for part in name.split(" to ")]
            assert ends[0] <= number <= ends[-1]


def test_bins_are_about_equally_large() -> None:
    made = group_values(np.arange(1000), np.random.default_rng(0).random(1000))
    assert made.binned
    assert np.bincount(made.codes).tolist() == [200] * 5
    assert group_values(np.arange(1000), np.arange(1000), 0).names[-1] == "999"
    assert not group_values(np.arange(20), np.arange(20)).binned
    assert group_values(np.arange(21), np.arange(21)).names[0] == "0 to 4"


def test_what_cannot_be_grouped_is_refused() -> None:
    for bins in (-1, 1):
        with pytest.raises(ParameterError, match="bins must be 2 or more"):
            group_values(np.arange(3), np.arange(3), bins)
    with pytest.raises(ParameterError, match="only numbers"):
        group_values(np.arange(3), np.array(["a", "b", "c"], object), 3)
    with pytest.raises(ParameterError, match=r"at most 10,000 values\. Got 10,001"):
        group_values(np.arange(10_001), np.arange(10_001), 0)
