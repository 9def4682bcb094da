"""How estimates are printed."""

import pytest

from misread.analysis.intervals import Estimate
from misread.cli.output.estimates import count, difference, plain


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((1300.4, 144.2, 4010.0), "1,300 (144 to 4,010)"),
        ((99.7, 0.25, 999.6), "100 (0.25 to 1,000)"),
        ((13.14, 13.14, 13.14), "13.1"),
        ((float("nan"), 0.0, 1.0), "not known"),
    ],
)
def test_counts_have_no_exponent(numbers: tuple[float, float, float], told: str) -> None:
    assert count(Estimate(*numbers)) == told


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert plain(Estimate(-0.0004, -0.2, 0.001)) == "0.00 (-0.20 to 0.00)"
    assert difference(Estimate(0.00001, -0.00001, 0.0012)) == "0.00 (0.00 to +0.12)"
