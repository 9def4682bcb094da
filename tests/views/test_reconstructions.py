"""Pictures of drawings, by what their artists hold."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from misread.datasets import Dataset
from misread.tables import Predictions, Reconstructions
from misread.types import Array
from misread.views.reconstructions import Turned, draw_reconstructions, draw_turned


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def pixels(figure: Figure) -> list[Array]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


@pytest.fixture(scope="module")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture(scope="module")
def table(
    dataset: Dataset, make_predictions: Callable[..., Predictions],
    make_reconstructions: Callable[..., Reconstructions],
) -> Reconstructions:  # fmt: skip
    return make_reconstructions(make_predictions(dataset.test), range(90))


def test_each_image_stands_beside_its_drawings(dataset: Dataset, table: Reconstructions) -> None:
    wrong = table.given != table.predicted
    shown = np.array([np.flatnonzero(wrong)[3], np.flatnonzero(~wrong)[0]])
    figure = draw_reconstructions(dataset.test, table, shown, 7, by_panel=True)
    one, other = shown.tolist()
    expected = [
        dataset.test.images[one], table.as_given[one], table.as_predicted[one],
        dataset.test.images[other], table.as_given[other],
    ]  # fmt: skip
    for found, image in zip(pixels(figure), expected, strict=True):
        np.testing.assert_array_equal(found, image)
    assert {image.get_interpolation() for image in figure.axes[0].images} == {"nearest"}
    classes, said = dataset.classes, texts(figure)
    assert said[0] == "What oracle-imported-s0 thinks it saw"
    assert "the first 2 of 7" in said[1]
    assert said[2:8] == [
        f"given {classes[table.given[one]]}",
        f"#{one}",
        f"as {classes[table.given[one]]}",
        f"{table.error_given[one]:.3f}",
        f"as {classes[table.predicted[one]]}",
        f"{table.error_predicted[one]:.3f}",
    ]
    assert len(said) == 2 + 6 + 4
    worst = draw_reconstructions(dataset.test, table, shown, 2, by_panel=False)
    assert texts(worst)[1].endswith("the most difficult are those drawn worst")


def test_an_image_without_a_drawing_is_no_tile(dataset: Dataset, table: Reconstructions) -> None:
    with pytest.raises(LookupError, match="image 90 has no drawing"):
        draw_reconstructions(dataset.test, table, np.array([90]), 1, by_panel=True)


def test_rows_are_numbers_and_columns_are_steps(dataset: Dataset, table: Reconstructions) -> None:
    steps = np.array([-0.1, 0, 0.1])
    drawn = np.random.default_rng(0).integers(0, 256, (2, 4, 3, 12, 10, 3), dtype=np.uint8)
    blocks = [Turned(0, steps, drawn[0]), Turned(2, steps, drawn[1])]
    figure = draw_turned(dataset.test, 5, 1, blocks, table.provenance)
    found = pixels(figure)
    np.testing.assert_array_equal(found[0], dataset.test.images[5])
    np.testing.assert_array_equal(found[1:], drawn.reshape(24, 12, 10, 3))
    said = texts(figure)
    assert said[0] == "Image 5 of test, given middle"
    assert said.count("+0.10") == said.count("-0.10") == said.count("4") == 2
    assert [text for text in said if text.startswith("capsule of")] == [
        "capsule of top", "capsule of bottom",
    ]  # fmt: skip
    # A column's images stand below its heading, a row's beside its number.
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    left, right, bottom, top = figure.axes[0].images[1 + 3 * 3 + 2].get_extent()
    assert left < right
    assert places["capsule of bottom"][0] > right
    first = next(t for t in figure.axes[0].texts if t.get_text() == "+0.10").get_position()
    fourth = next(t for t in figure.axes[0].texts if t.get_text() == "4").get_position()
    assert left < first[0] < right
    assert min(top, bottom) < fourth[1] < max(top, bottom)
