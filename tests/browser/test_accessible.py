"""No serious finding by axe-core, in both themes and both widths; targets that fingers hit."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None],
    check: Callable[[Page, str], None], scheme: str, size: dict[str, int],
) -> None:  # fmt: skip
    page = new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    # The first route takes hold some time after it is set: the last one comes at once.
    page.route("**/never-asked-for", lambda route: route.abort())
    page.goto(f"{server.url}/?split=test&right=no&sort=index&side=confusions")
    page.locator("#side .cell").first.wait_for()
    wait_for_images(page)
    check(page, "confusions")
    page.goto(f"{server.url}/?split=test&right=no&given=4&sort=index")
    wait_for_images(page)
    for key in ("m", "a", "u", "f", "x"):
        page.keyboard.press(key)
    check(page, "grid with verdicts and a selection")
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.click("#export")
    page.wait_for_timeout(150)
    check(page, "export")
    page.keyboard.press("Escape")
    page.locator("#tile-0").click()
    page.wait_for_selector("#viewer .bars")
    page.keyboard.press("l")
    check(page, "large, choosing a class")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check(page, "help")
    page.goto(f"{server.url}/?split=test&given=0&predicted=1&right=yes")
    page.locator("#empty").wait_for()
    if size is NARROW:
        page.click("#filter-toggle")
    page.click("[data-filter='given'].pill")
    check(page, "empty, with a menu")
    page.route("**/api/**", lambda route: route.abort())
    page.keyboard.press("Escape")
    page.get_by_role("button", name="All", exact=True).click()
    page.locator("#failed").wait_for()
    check(page, "server gone")


def test_targets_are_large_enough_for_fingers(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = new_page(viewport=NARROW, has_touch=True, is_mobile=True)
    page.goto(f"{server.url}/?split=test&right=no&sort=index")
    wait_for_images(page)
    page.click("#filter-toggle")

    def small() -> list[str]:
        found: list[str] = page.evaluate(
            """() => [...document.querySelectorAll("button, select, a, .tile")]
              .filter((e) => e.checkVisibility() && !e.closest(".skip") && !e.matches(".skip"))
              .map((e) => [e.getBoundingClientRect(), e.id || e.className || e.textContent])
              .filter(([box]) => box.width < 43.5 || box.height < 41.5)
              .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)"""
        )
        return found

    assert small() == []
    page.click("#filter-toggle")
    page.get_by_role("button", name="Select", exact=True).tap()
    page.locator("#tile-0").tap()
    assert small() == []
    page.keyboard.press("l")
    assert small() == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Select", exact=True).tap()
    page.locator("#tile-0").tap()
    page.wait_for_selector("#viewer .bars")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390


def test_without_a_mouse(opened: Open) -> None:
    """Every control is reached by the Tab key, in the order of the page, and shows the focus."""
    page = opened("?split=test&right=no&sort=index")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash") == "#grid"
    page.goto(page.url.partition("#")[0])
    page.wait_for_selector(".tile[data-drawn]")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("() => document.activeElement.id || document.activeElement.className")
        if name == "grid":
            break
        seen.append(name)
        assert (
            page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
        )
    for control in ("model", "export", "theme", "help-open", "sort", "order", "group", "larger"):
        assert control in seen
    assert "tile" not in " ".join(seen)


def test_the_page_says_what_happens(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=index&right=no", routed=True)
    region = page.locator("#announcer")
    expect(region).to_contain_text("images")
    page.keyboard.press("m")
    expect(region).to_contain_text("model wrong")
    page.keyboard.press("x")
    expect(region).to_contain_text("1 image selected")
    page.route("**/api/verdicts", lambda route: route.abort())
    page.keyboard.press("f")
    expect(region).to_contain_text("Not saved: 1 verdict")
    page.unroute("**/api/verdicts")
    expect(region).to_contain_text("Everything is saved again")
