import numpy as np
import pytest
from matplotlib.figure import Figure

from misread.analysis.slices import SliceErrors, slice_errors
from misread.views.slices import MOST_ROWS, draw_slices
from misread.views.tiles import ACCENT, INK


def make(slices: int = 5, size: int = 200, seed: int = 0) -> SliceErrors:
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(slices), size)
    wrong = generator.random(len(groups)) < np.where(groups == 0, 0.2, 0.01)
    return slice_errors(wrong, [f"value {k}" for k in range(slices)], groups, np.arange(len(wrong)))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_row_for_each_slice_worst_first() -> None:
    errors = make()
    figure = draw_slices(errors, "Error rate by $a", "model", "writer")
    axes = figure.axes[0]
    names = [t for t in axes.texts if t.get_text().startswith("value")]
    assert [t.get_text() for t in names] == [part.name for part in errors.slices]
    heights = [t.get_position()[1] for t in names]
    assert heights == sorted(heights)
    assert names[0].get_color() == ACCENT
    assert {t.get_color() for t in names[1:]} <= {ACCENT, INK}
    assert sum(line.get_marker() == "o" for line in axes.lines) == 5
    counts = [f"{p.error.count:,} of {p.error.total:,}" for p in errors.slices]
    assert set(counts) <= set(texts(figure))
    assert "Error rate by $a" in texts(figure)
    assert "images of a new writer" in texts(figure)[-1]
    figure.canvas.draw()


def test_dots_and_intervals_are_where_they_should_be() -> None:
    """All lie on one scale from 0: places are proportional to rates."""
    errors = make()
    lines = draw_slices(errors, "", "").axes[0].lines
    dots = [float(np.asarray(line.get_xdata())[0]) for line in lines if line.get_marker() == "o"]
    rates = [part.error.value for part in errors.slices]
    slope, left = np.polyfit(rates, dots, 1)
    np.testing.assert_allclose(dots, left + slope * np.array(rates))
    spans = [
        np.asarray(line.get_xdata(), float)
        for line in lines
        if line.get_color() in (INK, ACCENT) and len(np.asarray(line.get_xdata())) == 2
    ]
    for (start, end), part in zip(spans, errors.slices, strict=True):
        assert start == pytest.approx(left + slope * part.error.low)
        # The widest one is cut off at the end of the scale.
        assert end == pytest.approx(min(left + slope * part.error.high, max(s[1] for s in spans)))


def test_only_the_worst_are_drawn() -> None:
    errors = make(slices=60, size=20)
    figure = draw_slices(errors, "", "model")
    assert sum(text.startswith("value") for text in texts(figure)) == MOST_ROWS
    assert "model, the worst 40 of 60" in texts(figure)


def test_one_wide_interval_does_not_squash_the_others() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), [4, 900, 900, 900, 900, 900])
    wrong = (generator.random(len(groups)) < 0.01) & (groups > 0)
    errors = slice_errors(wrong, [f"value {k}" for k in range(6)], groups)
    lines = draw_slices(errors, "", "").axes[0].lines
    assert sum(line.get_marker() == ">" for line in lines) == 1


def test_nothing_leaves_the_figure() -> None:
    for errors in (make(slices=1), make(slices=8)):
        figure = draw_slices(errors, "title", "subtitle", "patient_identifier")
        width, height = figure.get_size_inches()
        figure.canvas.draw()
        for text in figure.axes[0].texts:
            box = text.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height
