import pytest
from scipy import stats

from misread.analysis.comparing.quoted import quoted_rates
from misread.datasets import load


def test_they_stand_beside_mnists_test_split_only() -> None:
    digits = load("mnist")
    for name, split in digits.splits.items():
        found = quoted_rates(split.items_fingerprint, split.labels_fingerprint)
        assert len(found) == (3 if name == "test" else 0)
    test = digits.test
    assert quoted_rates(test.items_fingerprint, "sha256:other") == ()
    assert quoted_rates("", "") == ()


def test_each_has_its_exact_interval() -> None:
    test = load("mnist").test
    found = quoted_rates(test.items_fingerprint, test.labels_fingerprint)
    assert [one.error.value for one in found] == [0.0062, 0.0025, 0.0009]
    for one in found:
        assert one.error.total == 10_000 and one.source
        exact = stats.binomtest(one.error.count, 10_000).proportion_ci(method="exact")
        assert (one.error.low, one.error.high) == pytest.approx((exact.low, exact.high))
