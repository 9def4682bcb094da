"""Downloads, and what is said before somebody corrects a test split."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
VIEW = "?split=test&group=none&sort=index&right=no"


def saved(page: Page) -> None:
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")


def test_verdicts_and_labels_are_downloaded(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    index = int(page.get_attribute("#tile-0", "data-index") or -1)
    given = int(server.dataset.test.labels[index])
    page.keyboard.press("l")
    page.keyboard.press(str((given + 1) % 10))
    page.keyboard.press("m")
    saved(page)
    page.click("#export")
    with page.expect_download() as found:
        page.get_by_role("link", name="Verdicts as CSV").click()
    rows = list(csv.DictReader(io.StringIO(found.value.path().read_text(encoding="utf-8"))))
    assert [row["decided"] for row in rows if row["decided"]] == ["label", "model"]
    with page.expect_download() as found:
        page.get_by_role("link", name="Corrected labels as JSON").click()
    labels = json.loads(found.value.path().read_text(encoding="utf-8"))
    assert len(labels["rows"]) == 600  # none is left out
    with page.expect_download() as found:
        page.get_by_role("link", name="Corrected labels as Parquet").click()
    assert found.value.path().read_bytes()[:4] == b"PAR1"


def test_the_error_as_labelled_beside_the_one_after_verdicts(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    mistakes = int(page.locator("#count strong").inner_text())
    line = page.locator("#error-rate")
    rate = f"{100 * mistakes / 600:.1f}%"
    expect(line).to_contain_text(f"error as labelled {rate}")
    # The images that were flipped: the model read them right.
    page.goto(f"{server.url}/?split=test&group=none&sort=suspicion&suggested=label")
    page.wait_for_selector(".tile[data-drawn]")
    page.keyboard.press("l")
    page.keyboard.press("Enter")
    saved(page)
    expect(line).to_contain_text(f"after verdicts {100 * (mistakes - 1) / 600:.1f}%")
    page.click("#export")
    rates = page.locator(".rates-table tr")
    expect(rates).to_have_count(2)
    expect(rates.nth(0)).to_contain_text(f"{mistakes} of 600")
    expect(rates.nth(1)).to_contain_text(f"{mistakes - 1} of 600")
    notes = page.locator(".export-menu [role=note]")
    expect(notes.filter(has_text="can only lower").first).to_be_visible()
    expect(page.locator(".export-menu")).to_contain_text("none is left out")


def test_what_is_not_saved_is_said_to_be_missing(opened: Open) -> None:
    page = opened(VIEW, routed=True)
    page.route("**/api/verdicts", lambda route: route.abort())
    page.keyboard.press("f")
    expect(page.locator("#save-sign")).to_contain_text("Not saved")
    page.click("#export")
    expect(page.locator(".export-menu")).to_contain_text("1 verdict not saved yet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_leads_into_the_gallery(
    new_page: Callable[..., Page], server: Any, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page.goto(server.url + "/overview")
    expect(page.get_by_role("heading", level=1)).to_contain_text("digits")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Misread test images").click()
    page.wait_for_selector(".tile[data-drawn]")
    assert "right=no" in page.url
