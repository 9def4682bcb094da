from collections.abc import Callable

import numpy as np
import pytest

from misread.analysis.calibration import measure_calibration
from misread.tables import Predictions
from misread.views.calibration import draw_calibration


@pytest.fixture
def predictions(make_predictions: Callable[..., Predictions]) -> Predictions:
    doubt = np.repeat([0.4, 0.1, 0.001], [50, 200, 2_000])
    wrong = np.concatenate([np.arange(50) < 20, np.arange(200) < 10, np.zeros(2_000, bool)])
    probabilities = np.stack([1 - doubt, doubt, 0 * doubt], axis=1)
    return make_predictions(None, probabilities, given=wrong.astype(int))


def test_dots_are_where_the_bins_are(predictions: Predictions) -> None:
    found = measure_calibration(predictions, 3, "width")
    assert [b.misread.total for b in found.bins] == [50, 2_200]
    figure = draw_calibration(found)
    canvas, curve, strip = figure.axes
    end = curve.get_xlim()[1]
    dots = [line for line in curve.lines if line.get_marker() == "o"]
    filled, empty = (np.array(line.get_xydata()) for line in dots)
    doubt = (200 * 0.1 + 2_000 * 0.001) / 2_200
    expected = [(1 / 0.4, 1 / 0.4), (1 / doubt, 2_200 / 10)]
    np.testing.assert_allclose(filled, np.minimum(expected, end), rtol=1e-4)
    assert len(empty) == 0
    assert curve.get_xscale() == curve.get_yscale() == "log"
    assert [tick.get_text() for tick in strip.get_xticklabels()] == ["50%", "90%", "99%"]
    assert any("calibration error" in text.get_text() for text in canvas.texts)


def test_a_bin_without_mistakes_is_open_at_the_top(predictions: Predictions) -> None:
    before = measure_calibration(predictions, 15)
    figure = draw_calibration(before, before)
    canvas, curve, _ = figure.axes
    dots = [line for line in curve.lines if line.get_marker() == "o"]
    assert len(dots) == 4  # with and without a mistake, before and after
    top = curve.get_ylim()[1]
    assert all(y == top for _, y in np.array(dots[1].get_xydata()))
    assert dots[1].get_markerfacecolor() == "white"
    names = [text.get_text().split(":")[0] for text in canvas.texts[2:]]
    assert names == ["as predicted", "after temperature scaling"]
