import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from misread.datasets import Split
from misread.errors import ParameterError, PredictionsError
from misread.tables import Predictions
from misread.types import Array
from misread.views.mistakes import Mistakes, save_grids, show_mistakes

Make = Callable[..., Predictions]
CLASSES = ("cat", "dog", "owl")

# given, probabilities of the three classes
ROWS = [
    (0, (0.30, 0.60, 0.10)),  # 0: cat read as dog
    (0, (0.90, 0.05, 0.05)),  # 1: right
    (0, (0.04, 0.06, 0.90)),  # 2: cat read as owl, more confident
    (1, (0.0001, 0.9998, 0.0001)),  # 3: right
    (1, (0.9996, 0.0003, 0.0001)),  # 4: dog read as cat, certain
    (0, (0.30, 0.60, 0.10)),  # 5: a tie with image 0
    (0, (0.001, 0.994, 0.005)),  # 6: cat read as dog, most confident
]


class OfSeveralSizes:
    """Images as a folder of files would give them."""

    def __init__(self, images: list[Array]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int, /) -> Array:
        return self.images[i]


def images(count: int) -> Array:
    """Each image is of one grey, its own number."""
    return np.repeat(np.arange(count, dtype=np.uint8), 20).reshape(count, 5, 4)


def make(make_predictions: Make, classes: tuple[str, ...] = CLASSES) -> Mistakes:
    split = Split("test", images(len(ROWS)), np.array([given for given, _ in ROWS]))
    return show_mistakes(split, make_predictions(split, [row for _, row in ROWS], classes=classes))


@pytest.fixture
def mistakes(make_predictions: Make) -> Mistakes:
    return make(make_predictions)


def texts(figure: matplotlib.figure.Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def drawn(figure: matplotlib.figure.Figure) -> list[int]:
    """Numbers of the images on a figure, in the order in which they are drawn."""
    return [int(np.asarray(i.get_array())[0, 0, 0]) for axes in figure.axes for i in axes.images]


def test_there_is_one_figure_per_given_class_with_mistakes(mistakes: Mistakes) -> None:
    grids = mistakes.plot()
    assert list(grids.figures) == [0, 1]  # no owl was given
    assert len(grids) == 2
    assert [drawn(figure) for figure in grids] == [[6, 2, 0, 5], [4]]
    assert grids[0] is grids.figures[0]
    assert grids[-1] is grids.figures[1]
    assert grids[:1] == [grids[0]]
    assert len(mistakes) == 5
    assert "5 of 7" in repr(mistakes)


def test_captions_have_both_classes_with_their_probabilities(mistakes: Mistakes) -> None:
    cat, dog = mistakes.plot()
    title, subtitle, *captions = texts(cat)
    assert title == "given cat"
    assert "oracle-imported-s0, test (held-out)" in subtitle
    assert "4 misread" in subtitle
    assert captions == [
        "read dog  99.4%", "given cat  0.1%", "#6",
        "read owl  90%", "given cat  4.0%", "#2",
        "read dog  60%", "given cat  30%", "#0",
        "read dog  60%", "given cat  30%", "#5",
    ]  # fmt: skip
    assert texts(dog)[2:] == ["read cat  >99.9%", "given dog  <0.1%", "#4"]


@pytest.mark.parametrize(("rows", "columns", "shown"), [(1, 1, 1), (1, 3, 3), (3, 4, 4), (2, 1, 2)])
def test_the_title_says_what_does_not_fit(
    mistakes: Mistakes, rows: int, columns: int, shown: int
) -> None:
    cat = mistakes.plot(rows, columns)[0]
    assert drawn(cat) == [6, 2, 0, 5][:shown]
    subtitle = next(text for text in texts(cat) if "misread" in text)
    assert "4 misread" in subtitle
    assert (f"the {shown} most confident" in subtitle) == (shown < 4)


def test_the_overview_has_a_group_for_each_class(mistakes: Mistakes) -> None:
    figure = mistakes.plot_overview(columns=3)
    assert drawn(figure) == [6, 2, 0, 4]
    found = texts(figure)
    assert found[0] == "5 of 7 misread"
    assert "given cat, 1 more" in found
    assert "given dog" in found
    assert "read dog  99.4%" in found
    assert not any("owl" in text and "given" in text for text in found)


@pytest.mark.parametrize("sizes", [{"rows": 0}, {"columns": 0}, {"rows": -1}])
def test_sizes_below_one_are_refused(mistakes: Mistakes, sizes: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="must be 1 or more"):
        mistakes.plot(**sizes)
    with pytest.raises(ParameterError, match=r"columns must be 1 or more\. Got 0"):
        mistakes.plot_overview(0)


NASTY = ("$\\frac{", "<script>", "&amp; \"x\" 'y'")


def test_dollar_signs_and_markup_in_class_names_are_harmless(make_predictions: Make) -> None:
    mistakes = make(make_predictions, NASTY)
    grids = mistakes.plot()
    captions = [text for figure in grids for text in texts(figure)]
    assert "given $\\frac{" in captions
    assert "read <script>  60%" in captions
    html = grids._repr_html_()  # renders: mathematics would fail here
    assert "<script>" not in html
    found: list[dict[str, str | None]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append(dict(attrs))
            else:
                assert tag == "br"

    Parser().feed(html)
    assert [img["alt"] for img in found] == [f"misread images given {NASTY[k]}" for k in (0, 1)]


def test_a_notebook_shows_every_figure(mistakes: Mistakes) -> None:
    html = mistakes.plot()._repr_html_()
    encoded = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(encoded) == 2
    for data, figure in zip(encoded, mistakes.plot(), strict=True):
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        assert picture.format == "PNG"
        width, height = figure.get_size_inches() * 144
        np.testing.assert_allclose(picture.size, (width, height), atol=1)


def test_no_mistakes_give_no_figures_but_an_overview(
    make_predictions: Make, tmp_path: Path
) -> None:
    split = Split("test", images(3), np.arange(3, dtype=np.int16))
    none = show_mistakes(split, make_predictions(split, np.eye(3), classes=CLASSES))
    assert len(none) == len(none.plot()) == 0
    assert none.plot()._repr_html_() == "<p>no mistakes</p>"
    assert texts(none.plot_overview())[0] == "0 of 3 misread"
    assert save_grids(none, tmp_path) == ()


def test_images_of_mixed_sizes_and_in_colour(make_predictions: Make) -> None:
    generator = np.random.default_rng(0)
    sizes = [(5, 4), (7, 9, 3), (30, 2, 1), (300, 400, 3)]
    mixed = OfSeveralSizes([generator.integers(0, 256, size, dtype=np.uint8) for size in sizes])
    split = Split("test", mixed, np.zeros(4, np.int16))
    probabilities = [[0, 0.9, 0.1], [0, 0.8, 0.2], [0, 0.7, 0.3], [0, 0.6, 0.4]]
    figure = show_mistakes(split, make_predictions(split, probabilities)).plot()[0]
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert [image.shape for image in shown] == [(5, 4, 3), (7, 9, 3), (30, 2, 3), (192, 256, 3)]
    np.testing.assert_array_equal(shown[1], mixed[1])


def test_predictions_of_other_images_are_refused(make_predictions: Make) -> None:
    split = Split("test", images(5), np.zeros(5, int))
    with pytest.raises(PredictionsError, match="predicts other images than the split 'test'"):
        show_mistakes(Split("test", images(6), np.zeros(6, int)), make_predictions(split))


def test_classes_of_the_same_name_hide_no_mistakes(make_predictions: Make) -> None:
    """Either they can't be, or each has its figure."""
    try:
        mistakes = make(make_predictions, ("crane", "crane", "owl"))
    except PredictionsError:
        return
    assert sum(len(drawn(figure)) for figure in mistakes.plot()) == len(mistakes)


@pytest.mark.parametrize("clear", [False, True])
def test_pictures_are_written_and_only_former_pictures_are_cleared(
    mistakes: Mistakes, tmp_path: Path, clear: bool
) -> None:
    (tmp_path / "given-old.png").touch()
    (tmp_path / "mine.png").touch()
    paths = save_grids(mistakes, tmp_path, rows=1, columns=2, clear=clear)
    assert [path.name for path in paths] == ["given-0-cat.png", "given-1-dog.png"]
    left = {"mine.png"} if clear else {"mine.png", "given-old.png"}
    assert {path.name for path in tmp_path.iterdir()} == left | {path.name for path in paths}
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n") for path in paths)


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (("0", "1", "2"), ["given-0.png", "given-1.png"]),
        (("1", "0", "2"), ["given-0-1.png", "given-1-0.png"]),
        (("../a/b", "..", "x"), ["given-0-___a_b.png", "given-1-__.png"]),
        (("a b", "a_b", "x"), ["given-0-a_b.png", "given-1-a_b.png"]),
        (("x" * 500, "é", "y"), [f"given-0-{'x' * 60}.png", "given-1-é.png"]),
        (("", "\n", "y"), ["given-0-.png", "given-1-_.png"]),
    ],
)
def test_class_names_become_file_names(
    make_predictions: Make, tmp_path: Path, classes: tuple[str, ...], names: list[str]
) -> None:
    paths = save_grids(make(make_predictions, classes), tmp_path)
    assert [path.name for path in paths] == names
    assert all(path.parent == tmp_path and path.exists() for path in paths)


def test_drawing_leaves_no_global_figures(mistakes: Mistakes) -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    mistakes.plot()
    mistakes.plot_overview()
    assert plt.get_fignums() == before


def test_an_overview_of_many_classes_shows_the_most_misread(make_predictions: Make) -> None:
    classes = tuple(f"c{number}" for number in range(100))
    # Classes 30 to 99 are misread once, 98 and 99 twice.
    given = np.array([*range(30, 100), 98, 99], np.int16)
    split = Split("test", images(len(given)), given)
    probabilities = np.eye(100)[np.zeros(len(given), int)]
    figure = show_mistakes(split, make_predictions(split, probabilities, classes=classes))
    found = texts(figure.plot_overview())
    headings = [text for text in found if text.startswith("given")]
    assert len(headings) == 60
    assert {"given c98", "given c99"} <= set(headings)
    assert "10 more classes" in found[1]
