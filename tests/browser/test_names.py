"""Names from the data are text, whatever they hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Page, expect

from misread.datasets import Dataset, Split
from misread.store import Study
from misread.tables.metadata import Metadata

SCRIPT = "<script>alert(1)</script>"
PICTURE = "<img src=x onerror=alert(2)>"
ARABIC = "قطة سوداء"
LONG = "a class whose name goes on and on " * 6
CLASSES = (SCRIPT, PICTURE, ARABIC, LONG, " ", "</bdi><b>bold</b>")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, tools: Any) -> tuple[Dataset, Path]:
    """Six classes with names that would do harm if they were HTML, and metadata like them."""
    folder = tmp_path_factory.mktemp("hostile")
    labels = (np.arange(90) % len(CLASSES)).astype(np.int16)
    images = np.random.default_rng(0).integers(0, 255, (90, 9, 7, 3), dtype=np.uint8)
    split = Split("test", images, labels)
    dataset = tools.save_npz(folder / "x.npz", Dataset(SCRIPT, CLASSES, {"test": split}, ""))
    study = Study.create(folder / "study", dataset, note=PICTURE)
    probabilities = tools.guesses(labels, len(CLASSES), 0.5, 1)
    study.save_predictions(tools.predict(dataset, probabilities))
    values = pa.array([SCRIPT, PICTURE, '"&quot;', None, ARABIC] * 18, pa.string())
    column = values.dictionary_encode().cast(pa.dictionary(pa.int32(), pa.string()))
    table = pa.table({"<b>who</b>": column})
    study.save_metadata(Metadata("test", dataset.test.items_fingerprint, table))
    return dataset, study.path


@pytest.fixture
def shown(
    hostile: tuple[Dataset, Path], serve: Callable[..., Any], page: Page,
    wait_for_images: Callable[[Page], None],
) -> Page:  # fmt: skip
    dataset, study = hostile
    page.goto(f"{serve(study, dataset).url}/?split=test&group=given&sort=index&side=confusions")
    wait_for_images(page)
    return page


def test_names_are_shown_as_they_are(shown: Page, errors: list[str]) -> None:
    page = shown
    expect(page.locator("#grid").get_by_role("rowheader").first).to_have_accessible_name(
        f"Given {SCRIPT}, 15 images"
    )
    page.locator("#side .cell").first.wait_for()
    page.click("[data-filter='given'].pill")
    options = page.locator(".pop .option").all_inner_texts()
    assert [" ".join(text.split()) for text in options] == [
        SCRIPT, PICTURE, ARABIC, LONG.strip(), "(no name)", "</bdi><b>bold</b>"
    ]  # fmt: skip
    page.keyboard.press("Enter")
    expect(page.locator("#chips")).to_contain_text(SCRIPT)
    page.wait_for_function("() => document.querySelector('#count strong').textContent === '15'")
    page.click("[data-filter='meta'].pill")
    page.locator(".pop .option").first.click()
    assert PICTURE in page.locator(".pop").inner_text()
    page.keyboard.press("Escape")
    page.locator("#tile-0").click()
    expect(page.locator("#viewer-title")).to_contain_text(SCRIPT)
    expect(page.locator("#details")).to_contain_text("<b>who</b>")
    page.keyboard.press("l")
    expect(page.locator("#viewer-bar")).to_contain_text("</bdi><b>bold</b>")
    page.keyboard.press("2")
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    page.keyboard.press("?")
    assert page.evaluate("() => document.querySelectorAll('script:not([src])').length") == 1
    assert page.locator("img[src='x'], b").count() == 0
    assert errors == []


def test_text_from_right_to_left_stays_apart(shown: Page) -> None:
    """An Arabic name doesn't turn the words around it about."""
    boxes = shown.evaluate(
        """() => {
          const read = [...document.querySelectorAll(".caption")].find((caption) =>
            caption.querySelector(".arrow + .read")?.textContent.startsWith("قطة"));
          const left = (part) => read.querySelector(part).getBoundingClientRect().left;
          return [left(".arrow"), left(".read"), left(".chance")];
        }"""
    )
    assert boxes == sorted(boxes)


@pytest.mark.parametrize("width", [390, 1280])
def test_long_names_break_nothing(shown: Page, width: int) -> None:
    page = shown
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(100)
    fits = "() => document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    page.goto(page.url.replace("side=confusions", "given=3&predicted=3"))
    page.wait_for_selector(".tile[data-drawn]")
    assert page.evaluate(fits)
    page.locator("#tile-0").click()
    page.wait_for_selector("#viewer .bars")
    assert page.evaluate(
        "() => { const side = document.querySelector('.viewer-side');"
        "return side.scrollWidth <= side.clientWidth; }"
    )
