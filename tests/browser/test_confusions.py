"""Confusions: a matrix of a few classes, a list of many, each leading to its images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from misread.datasets import Dataset, Split
from misread.store import Study

Open = Callable[[str], Page]
CLASSES = 1000


def test_cells_lead_to_their_images(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index")
    page.get_by_role("button", name="Confusions", exact=True).click()
    cells = page.locator("#side .cell:not(.diagonal)")
    cells.first.wait_for()
    label = cells.first.get_attribute("aria-label") or ""
    given, predicted = (cells.first.get_attribute(f"data-{w}") for w in ("given", "predicted"))
    images = cells.first.inner_text()
    assert label.startswith(f"Given {given}, read as {predicted}: {images} image")
    cells.first.click()
    expect(page.locator("#count strong")).to_have_text(images)
    assert f"given={given}&predicted={predicted}" in page.url
    expect(cells.first).to_have_attribute("aria-pressed", "true")
    # The panel still shows all confusions.
    assert cells.count() > 10
    page.go_back()
    expect(page.locator("#count strong")).to_have_text("600")
    page.keyboard.press("v")
    expect(page.locator("#side")).to_be_hidden()


def test_counts_are_those_of_the_predictions(opened: Open, panel: Any, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index&side=confusions")
    page.locator("#side .cell").first.wait_for()
    shown = page.locator("#side .cell:not(.diagonal)").evaluate_all(
        "(cells) => cells.map((c) =>"
        " [c.dataset.given, c.dataset.predicted, c.textContent].map(Number))"
    )
    rows = np.load(Path(server.dataset.source).with_name("rows.npy"))
    predicted = panel[0].predicted[rows]
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (server.dataset.test.labels, predicted), 1)
    np.fill_diagonal(expected, 0)
    assert sorted(shown) == [
        [int(g), int(p), int(expected[g, p])] for g, p in np.argwhere(expected)
    ]


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory, tools: Any) -> tuple[Dataset, Path]:
    """1,000 classes, 4,000 images, one in three misread."""
    folder = tmp_path_factory.mktemp("thousand")
    labels = (np.arange(4 * CLASSES) % CLASSES).astype(np.int16)
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 6, 6), dtype=np.uint8)
    classes = tuple(f"{'long-tailed ' * (n % 3)}species {n:04}" for n in range(CLASSES))
    split = Split("test", images, labels)
    dataset = tools.save_npz(folder / "many.npz", Dataset("many", classes, {"test": split}, ""))
    study = Study.create(folder / "study", dataset)
    probabilities = tools.guesses(labels, CLASSES, 0.33, 0)
    study.save_predictions(tools.predict(dataset, probabilities))
    return dataset, study.path


@pytest.fixture
def many(
    thousand: tuple[Dataset, Path], serve: Callable[..., Any], page: Page,
    wait_for_images: Callable[[Page], None],
) -> Page:  # fmt: skip
    dataset, study = thousand
    server = serve(study, dataset)
    page.goto(f"{server.url}/?split=test&group=none&sort=index&side=confusions")
    wait_for_images(page)
    page.locator(".confusion").first.wait_for()
    return page


def test_a_thousand_classes_are_a_list(many: Page) -> None:
    rows = many.locator(".confusion")
    assert rows.count() == 100
    assert many.locator(".cell").count() == 0
    assert many.evaluate("() => document.querySelectorAll('*').length") < 3500
    many.get_by_role("button", name="Show 100 more").click()
    assert rows.count() == 200
    label = rows.nth(150).get_attribute("aria-label") or ""
    given = label.removeprefix("Given ").partition(", read as ")[0]
    many.get_by_role("searchbox", name="Find confusions").fill(given)
    expect(rows.first).to_contain_text(given)
    for row in rows.all():
        assert given in row.inner_text()
    rows.first.click()
    images = (rows.first.get_attribute("aria-label") or "").rpartition(": ")[2].split()[0]
    expect(many.locator("#count strong")).to_have_text(images)
    many.get_by_role("searchbox", name="Find confusions").fill("no such species")
    expect(many.locator("#side-body")).to_contain_text("No confusion of such classes here")


def test_the_right_class_of_a_thousand_is_typed(many: Page) -> None:
    many.locator("#grid").focus()
    many.keyboard.press("l")
    field = many.get_by_role("combobox", name="Right class")
    expect(field).to_be_focused()
    assert many.locator(".pop [role=option]").count() <= 60
    many.keyboard.type("species 0777")
    many.keyboard.press("Enter")
    many.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    many.wait_for_function("() => document.querySelector('#tile-0').dataset.verdict === 'label'")
    assert "species 0777" in (many.get_attribute("#tile-0", "aria-label") or "")
    assert many.get_attribute("#grid", "aria-activedescendant") == "tile-1"
    many.keyboard.press("l")
    many.keyboard.type("m")  # typed, not judged
    many.keyboard.press("Escape")
    expect(field).to_be_hidden()
    assert many.get_attribute("#tile-1", "data-verdict") == ""
    many.locator("#grid").focus()
    many.keyboard.press("Backspace")
    many.wait_for_function("() => document.querySelector('#tile-0').dataset.verdict === ''")


def test_the_key_after_a_choice_that_was_given_up_is_not_the_choice_s(many: Page) -> None:
    grid = many.locator("#grid")
    grid.focus()
    many.keyboard.press("m")
    expect(many.locator("#tile-0")).to_have_attribute("data-verdict", "model")
    many.keyboard.press("l")
    expect(many.get_by_role("combobox", name="Right class")).to_be_focused()
    # The browser has closed it and has not told so yet, when the next key comes.
    many.evaluate("""() => {
      document.querySelector(".pop").hidePopover();
      const key = { key: "Backspace", bubbles: true, cancelable: true };
      document.getElementById("grid").dispatchEvent(new KeyboardEvent("keydown", key));
    }""")
    expect(many.locator("#tile-0")).to_have_attribute("data-verdict", "")
    expect(many.locator(".pop")).to_have_count(0)


@pytest.mark.parametrize(
    "pressed", ["[data-filter='given'].pill", "#verdict-bar [data-verdict='label']", "#export"]
)
def test_a_second_press_closes(many: Page, pressed: str) -> None:
    button = many.locator(pressed)
    button.click()
    expect(many.locator(".pop")).to_be_visible()
    button.click()
    many.wait_for_timeout(50)
    expect(many.locator(".pop")).to_have_count(0)
    button.click()
    expect(many.locator(".pop")).to_be_visible()
    many.keyboard.press("Escape")
    expect(many.locator(".pop")).to_have_count(0)


def test_a_filter_by_one_of_a_thousand(many: Page) -> None:
    many.click("[data-filter='given'].pill")
    many.keyboard.type("0123")
    expect(many.locator(".pop [role=option]").first).to_contain_text("species 0123")
    many.keyboard.press("Enter")
    expect(many.locator("#count strong")).to_have_text("4")
    assert "given=123" in many.url


def test_groups_of_a_thousand(many: Page) -> None:
    many.click("#group")
    # Pressed as the view is here: before it, End would go to the end of the former one.
    many.wait_for_selector("#group[aria-pressed='true']")
    many.locator("#grid").focus()
    many.keyboard.press("End")
    many.wait_for_selector("#tile-3999[data-drawn]")
    expect(many.locator("#grid").get_by_text("species 0999").first).to_be_visible()
    assert many.evaluate("() => document.querySelectorAll('*').length") < 3500
