import pytest

from misread.views.html import formats
from misread.views.pages.parts import Interval, Share


def test_rates_and_their_limits() -> None:
    share = Share(62, 10_000, 0.0062, 0.00484, 0.00794)
    assert formats.rate(share) == "0.62%"
    assert formats.limits(share) == "0.48 to 0.79"
    assert formats.limits(Share(1, 10, 0.1, None, None)) == ""
    assert formats.rate(Share(0, 0, None, None, None)) == "-"
    assert formats.limits(Interval(0.89, 0.36, 0.96), 0) == "36 to 96"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [formats.decimal(x) for x in (-0.001, 0.001, -0.006)] == ["0.00", "0.00", "-0.01"]
    assert [formats.decimal(x, "+") for x in (-0.001, 0.001, 0.4)] == ["0.00", "0.00", "+0.40"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, ">99.9%"), (0.9995, ">99.9%"), (0.995, "99.5%"), (0.62, "62%"), (0.051, "5.1%"),
     (0.0005, "<0.1%"), (0.0, "<0.1%")],
)  # fmt: skip
def test_probabilities_are_never_rounded_to_certainty(value: float, text: str) -> None:
    assert formats.probability(value) == text


def test_p_values_line_up() -> None:
    told = [formats.p_value(p) for p in (0.07, 0.0731, 0.0025, 1.0, 0.00003)]
    assert told == ["0.0700", "0.0731", "0.0025", "1.0000", "<0.0001"]


def test_heat_grows_and_is_never_nothing() -> None:
    levels = [formats.heat(count, 100) for count in range(1, 101)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (1, 5)
    assert formats.heat(1, 1) == 5


def test_numbers_with_their_nouns() -> None:
    assert formats.plural(1, "image") == "1 image"
    assert formats.plural(60_000, "image") == "60,000 images"
    assert formats.plural(2, "class", "classes") == "2 classes"
    assert formats.count(1_234_567) == "1,234,567"
