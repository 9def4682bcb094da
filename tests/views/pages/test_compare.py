"""The page of models side by side, of many models and many classes."""

from collections.abc import Callable

import numpy as np
import pytest
from markupsafe import Markup

from misread.datasets import Dataset, Split
from misread.store import Study
from misread.tables import Predictions
from misread.views.comparing import find_comparison
from misread.views.comparison import draw_comparison, draw_pair
from misread.views.html import Renderer
from misread.views.html.links import Size
from misread.views.pages import Limits, StudyTables, build_compare
from misread.views.pages.compare import ComparePage
from misread.views.pages.parts import Picture

CLASSES = tuple(f"<b>a rather long name of class {number}</b>" for number in range(1_000))
IMAGES = 1_200


class Plain:
    """Links that lead nowhere, and images as text."""

    def mistakes(
        self, key: str, given: int | None = None, predicted: int | None = None
    ) -> str | None:
        return None

    def audit(self, split: str) -> str | None:
        return None

    def compare(self, split: str) -> str | None:
        return None

    def methods(self) -> str | None:
        return None

    def image(self, picture: Picture) -> str | None:
        return None

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        return Markup('<i class="tile" title="{}">{}</i>').format(label, picture.index)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 6, 8, 3), dtype=np.uint8)
    labels = (np.arange(IMAGES) % 1_000).astype(np.int16)
    return Dataset("kinds", CLASSES, {"test": Split("test", images, labels)}, "kinds")


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset,
    make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
) -> Study:  # fmt: skip
    """Twelve models; number 3 is the oldest, and the further from 0 the worse."""
    labels = dataset.test.labels.astype(np.int64)
    generator = np.random.default_rng(1)
    made = []
    for number in range(12):
        wrong = generator.random(IMAGES) < 0.05 + number / 50
        table = np.full((IMAGES, 1_000), 1e-6)
        table[np.arange(IMAGES), np.where(wrong, (labels + 7) % 1_000, labels)] = 1 - 999e-6
        made.append(
            make_predictions(
                dataset.test, table, classes=CLASSES, model=f"model-{number:02}",
                created=f"2025-01-{1 + (number - 3) % 12:02}T00:00:00+00:00",
            )
        )  # fmt: skip
    return make_study(tmp_path_factory.mktemp("many") / "study", dataset, *made)


def page_of(study: Study, dataset: Dataset, limits: Limits | None = None) -> ComparePage:
    result = find_comparison(study, "test")
    assert result is not None
    return build_compare(StudyTables(study, dataset, {}, None, limits or Limits()), result)


def test_twelve_models_of_a_thousand_classes(study: Study, dataset: Dataset) -> None:
    page = page_of(study, dataset)
    assert page.reference == "model-03-imported-s0"
    assert (len(page.models), len(page.pairs), page.comparisons) == (13, 12, 12)
    assert "12 are held against model-03-imported-s0" in page.corrected
    with_images = [pair.run for pair in page.pairs if pair.only.shown]
    assert with_images == [pair.run for pair in page.pairs[:8]]
    for pair in page.pairs:
        for part in (pair.only, pair.only_reference):
            assert len(part.shown) + part.hidden == part.images
            assert len(part.shown) <= 12
    better = {pair.run: pair.better for pair in page.pairs}
    assert better["model-00-imported-s0"] == "better"
    assert better["model-11-imported-s0"] == "worse"


def test_what_is_left_out_is_counted_and_the_reference_stays(
    study: Study, dataset: Dataset
) -> None:
    page = page_of(study, dataset, Limits(compared=4, pairs=1, only=2))
    assert [row.run for row in page.models] == [
        "model-00-imported-s0", "model-01-imported-s0", "model-03-imported-s0",
        "mean of all models",
    ]  # fmt: skip
    assert page.hidden_models == 9
    # P-values are corrected for what was compared, not for what is shown.
    assert page.comparisons == 12
    whole = {pair.run: pair.corrected for pair in page_of(study, dataset).pairs}
    assert [pair.corrected for pair in page.pairs] == [whole[pair.run] for pair in page.pairs]
    assert [bool(pair.only.shown) for pair in page.pairs] == [True, False, False]
    assert len(page.pairs[0].only.shown) == 2


def test_it_is_rendered_with_names_escaped(study: Study, dataset: Dataset) -> None:
    page = page_of(study, dataset)
    html = Renderer(Plain()).compare(page)
    shown = [one for pair in page.pairs for part in (pair.only, pair.only_reference)
             for one in part.shown]  # fmt: skip
    assert html.count('class="tile"') == len(shown)
    assert "<b>a rather" not in html and "&lt;b&gt;a rather" in html
    assert "style=" not in html and "<script" not in html
    assert len(html) < 1_000_000
    # Once for a wide page and once for a narrow one.
    assert html.count('width="340"') == html.count('width="132"') == 1 + len(page.models)
    assert "more images that it is less sure of are not shown." in html


def test_its_pictures_have_a_row_for_each(study: Study, dataset: Dataset) -> None:
    page = page_of(study, dataset)
    texts = [text.get_text() for text in draw_comparison(page).axes[0].texts]
    for row in page.models:
        assert row.run in texts
        assert f"{row.error.count:,} of 1,200" in texts
    assert any("Taking the best model" in text for text in texts)
    pair = page.pairs[0]
    drawn = draw_pair(page, pair, dataset.test)
    assert len(drawn.axes[0].images) == len(pair.only.shown) + len(pair.only_reference.shown)
    headings = [text.get_text() for text in drawn.axes[0].texts]
    assert any(
        text.startswith(f"only {pair.run} misreads: {pair.only.images}") for text in headings
    )
