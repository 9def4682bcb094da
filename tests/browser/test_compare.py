"""Models side by side in a real browser: the gallery's page."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    new_page: Callable[..., Page], server: Any, scheme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(f"{server.url}/compare")
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side: test")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_images_come_and_the_table_is_sorted_by_a_click(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/compare")
    images = page.locator(".quarter img")
    assert images.count() > 4
    for image in images.all()[:6]:
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("(image) => image.naturalWidth") > 0
    table = page.get_by_role("region", name="Error rate of each model")
    errors = table.locator("tbody td:nth-child(3)")
    shown = [float(text.split("%")[0]) for text in errors.all_inner_texts()]
    assert len(shown) > 2
    assert shown[:-1] == sorted(shown[:-1])  # the mean of all is the last
    table.get_by_role("button", name="error").click()
    shown = [float(text.split("%")[0]) for text in errors.all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
