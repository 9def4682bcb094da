import math
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.analysis.intervals import wilson
from misread.views.charts import Scale, draw_axis, draw_reliability, draw_training, draw_whisker
from misread.views.charts.narrowing import draw_narrowing, narrowing_limit
from misread.views.charts.whisker import WIDTH
from misread.views.pages.models import EpochPoint, TrainingCurve
from misread.views.pages.parts import Interval, Share
from misread.views.pages.people import NarrowingCurve, NarrowingPoint
from misread.views.pages.results import Reliability, ReliabilityBin


def parse(svg: str) -> ElementTree.Element:
    """The elements of a chart: well formed, without style of their own."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert "style" not in element.attrib
        for value in element.attrib.values():
            assert "nan" not in value.lower().split() and "inf" not in value.lower().split()
    return root


def of_class(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if kind in element.attrib.get("class", "").split()]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name])


def share(count: int, total: int) -> Share:
    return Share.of(wilson(count, total))


def test_a_whisker_is_where_its_numbers_are() -> None:
    overall, mine = share(50, 1000), share(9, 90)
    scale = Scale(0.3)
    root = parse(draw_whisker(mine, scale, overall))
    (line,), (dot,), (band,) = (of_class(root, kind) for kind in ("whisker", "dot", "band"))

    def x(value: float) -> float:
        return 14 + (WIDTH - 28) * value / 0.3

    assert mine.low is not None and mine.high is not None
    assert overall.low is not None and overall.high is not None
    assert number(dot, "cx") == pytest.approx(x(0.1), abs=0.01)
    assert number(line, "x1") == pytest.approx(x(mine.low), abs=0.01)
    assert number(line, "x2") == pytest.approx(x(mine.high), abs=0.01)
    assert number(band, "x") == pytest.approx(x(overall.low), abs=0.01)
    assert number(band, "width") == pytest.approx(x(overall.high) - x(overall.low), abs=0.02)
    assert root.attrib["aria-hidden"] == "true"


def test_an_interval_beyond_the_scale_ends_in_an_arrow() -> None:
    scale = Scale(0.1)
    inside = parse(draw_whisker(share(50, 1000), scale, share(50, 1000)))
    beyond = parse(draw_whisker(share(1, 10), scale, share(50, 1000)))
    assert of_class(inside, "arrow") == []
    assert len(of_class(beyond, "arrow")) == 1
    for element in beyond.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert float(element.attrib.get(name, 0)) <= WIDTH


def test_without_an_interval_there_is_a_dot_and_a_line() -> None:
    bare = Share.of(wilson(5, 100), interval=False)
    root = parse(draw_whisker(bare, Scale(0.1), bare))
    assert of_class(root, "whisker") == of_class(root, "band") == []
    assert len(of_class(root, "dot")) == len(of_class(root, "mean")) == 1
    nothing = Share(0, 0, None, None, None)
    assert list(parse(draw_whisker(nothing, Scale(0.1), nothing))) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 5_000)), min_size=1, max_size=20))
def test_every_rate_fits_the_scale_and_ticks_are_round(pairs: list[tuple[int, int]]) -> None:
    shares = [share(*pair) for pair in pairs]
    overall = share(sum(n for n, _ in pairs), sum(total for _, total in pairs))
    scale = Scale.of(shares, overall)
    assert 0 < scale.limit <= 1
    for one in (*shares, overall):
        assert one.value is not None
        assert one.value <= scale.limit * (1 + 1e-9)
    ticks = scale.ticks
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 4
    assert ticks[-1] <= scale.limit * (1 + 1e-9)
    steps = {round(math.log10(b - a) % 1, 6) for a, b in pairwise(ticks)}
    assert steps <= {round(math.log10(n) % 1, 6) for n in (1, 2, 2.5, 5)}
    labels = [element.text for element in parse(draw_axis(scale)).iter() if element.text]
    assert labels[0] == "0%"
    assert len(labels) == len(ticks)


def reliability(*bins: tuple[float, int, int]) -> Reliability:
    """Bins of (doubt, mistakes, images)."""
    mistakes, images = sum(b[1] for b in bins), sum(b[2] for b in bins)
    return Reliability(
        bins=tuple(ReliabilityBin(1 - doubt, doubt, share(n, total)) for doubt, n, total in bins),
        misread=share(mistakes, images), expected=0.05, ece=Interval(0.01, 0.0, 0.02),
        ece_if_calibrated=0.005, ece_debiased=0.0, p_value=0.4,
    )  # fmt: skip


def test_a_calibrated_bin_lies_on_the_diagonal() -> None:
    root = parse(draw_reliability(reliability((0.5, 50, 100), (0.1, 10, 100), (0.01, 10, 1000))))
    dots = of_class(root, "dot")
    (diagonal,) = of_class(root, "diagonal")
    x1, y1, x2, y2 = (number(diagonal, name) for name in ("x1", "y1", "x2", "y2"))
    assert len(dots) == 3
    for dot in dots:
        along = (number(dot, "cx") - x1) / (x2 - x1)
        assert number(dot, "cy") == pytest.approx(y1 + along * (y2 - y1), abs=0.02)


def test_more_mistakes_than_expected_lie_below_it_and_none_is_open_at_the_top() -> None:
    root = parse(draw_reliability(reliability((0.1, 40, 100), (0.001, 0, 500))))
    bad, good = of_class(root, "dot")
    (frame,) = of_class(root, "frame")
    assert "open" in good.attrib["class"].split()
    assert "open" not in bad.attrib["class"].split()
    assert number(good, "cy") == number(frame, "y")
    whisker = of_class(root, "whisker")[0]
    assert number(whisker, "y1") > number(bad, "cy") > number(whisker, "y2")
    (diagonal,) = of_class(root, "diagonal")
    along = (number(bad, "cx") - number(diagonal, "x1")) / number(frame, "width")
    assert number(bad, "cy") > number(diagonal, "y1") - along * number(frame, "height")
    assert "40" not in root.attrib["aria-label"]
    assert "6.67% misread where the model expects 5.00%" in root.attrib["aria-label"]
    assert root.attrib["role"] == "img"


def test_a_bin_with_mistakes_is_never_at_the_edge() -> None:
    """Of a model that is right far more often than it says."""
    root = parse(draw_reliability(reliability((0.3, 20, 100), (0.06, 2, 6000), (0.05, 0, 900))))
    _, unsure, none = of_class(root, "dot")
    top = number(of_class(root, "frame")[0], "y")
    assert number(unsure, "cy") > top + 5
    assert number(none, "cy") == top


def test_certain_models_and_single_bins_are_drawn() -> None:
    root = parse(draw_reliability(reliability((0.0, 0, 10))))
    (dot,) = of_class(root, "dot")
    (frame,) = of_class(root, "frame")
    assert number(dot, "cx") <= number(frame, "x") + number(frame, "width") + 0.01


def curve(*values: tuple[float, float]) -> TrainingCurve:
    points = [EpochPoint(n, loss, accuracy) for n, (loss, accuracy) in enumerate(values, start=1)]
    return TrainingCurve("net <b>", tuple(points))


def test_training_is_told_in_its_title_and_drawn_falling() -> None:
    loss, misread = draw_training(curve((1.0, 0.9), (0.5, 0.95), (0.25, 0.99)))
    root = parse(loss)
    assert root.attrib["aria-label"] == (
        "net <b>, training loss by epoch: 1 in epoch 1, 0.25 in epoch 3"
    )
    (line,) = of_class(root, "line")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [y for _, y in points]
    assert heights == sorted(heights)  # down on the screen
    # Halved twice: equal steps on a logarithmic scale.
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.02)
    assert "10% in epoch 1, 1% in epoch 3" in parse(misread).attrib["aria-label"]


@pytest.mark.parametrize(
    "values", [((0.3, 0.9),), ((0.3, 0.9), (0.3, 0.9)), ((0.1, 1.0), (0.0, 1.0))]
)
def test_short_and_flat_and_perfect_ones(values: tuple[tuple[float, float], ...]) -> None:
    for chart in draw_training(curve(*values)):
        assert len(of_class(parse(chart), "line")) == 1


@pytest.mark.parametrize(
    ("high", "told"), [(0.4, ">100%<"), (0.0041, ">1.2%<"), (0.06, ">18%<"), (1e-6, ">0.0003%<")]
)
def test_the_axis_of_narrowing_has_no_exponent(high: float, told: str) -> None:
    curve = NarrowingCurve("ann", (NarrowingPoint(0, 0.0, 1.0), NarrowingPoint(9, 0.0, high)))
    assert told in draw_narrowing(curve, narrowing_limit([curve], []))
