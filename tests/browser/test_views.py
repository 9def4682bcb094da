"""Filters, sorts and groups; the URL says which, and back and forward go through them."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route, expect

Open = Callable[..., Page]


def indices(page: Page) -> list[int]:
    """The images in the page, in their order."""
    found: list[int] = page.evaluate(
        "() => [...document.querySelectorAll('.tile')]"
        ".sort((a, b) => a.dataset.position - b.dataset.position)"
        ".map((tile) => Number(tile.dataset.index))"
    )
    return found


def pick(page: Page, pill: str, option: str) -> None:
    """Add a filter by its menu."""
    page.click(f"[data-filter='{pill}'].pill")
    page.locator(".pop .option", has_text=re.compile(f"^{re.escape(option)}")).first.click()


def total(page: Page) -> str:
    return page.locator("#count strong").inner_text()


def test_the_first_view_is_of_the_misread_images(opened: Open, server: Any) -> None:
    page = opened("")
    assert "right=no" in page.url
    assert "split=test" in page.url
    labels = server.dataset.test.labels[indices(page)]
    assert (np.diff(labels) >= 0).all()  # grouped per given class
    expect(page.locator("#chips")).to_contain_text("Misread")
    expect(page.locator("#count")).to_contain_text("of 600 images")


def test_filters_are_chips_that_can_be_removed(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index")
    pick(page, "given", "4")
    expect(page.locator("#chips")).to_contain_text("Given 4")
    page.wait_for_function("() => new URLSearchParams(location.search).get('given') === '4'")
    fours = np.flatnonzero(server.dataset.test.labels == 4)
    expect(page.locator("#count strong")).to_have_text(str(len(fours)))
    page.wait_for_function(
        "(i) => document.querySelector('#tile-0').dataset.index === i", arg=str(fours[0])
    )
    page.get_by_role("button", name="Misread", exact=True).click()
    expect(page.locator("#chips .chip")).to_have_count(2)
    before = total(page)
    page.get_by_role("button", name="Remove the filter Given: 4").click()
    expect(page.locator("#chips .chip")).to_have_count(1)
    page.wait_for_function(
        "(n) => document.querySelector('#count strong').textContent !== n", arg=before
    )
    pick(page, "predicted", "9")
    # Each view brings pills of its own: one that is pressed before it comes is gone.
    expect(page.locator("#chips .chip")).to_have_count(2)
    pick(page, "decided", "No verdict yet")
    expect(page.locator("#chips .chip")).to_have_count(3)
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("#count strong")).to_have_text("600")
    assert page.locator("#chips").inner_text() == ""


def test_back_and_forward(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=index")
    first = page.url
    page.get_by_role("button", name="Misread", exact=True).click()
    expect(page.locator("#chips .chip")).to_have_count(1)
    misread = total(page)
    page.select_option("#sort", "confidence")
    page.wait_for_function("() => location.search.includes('sort=confidence')")
    page.go_back()
    expect(page.locator("#sort")).to_have_value("index")
    assert total(page) == misread
    page.go_back()
    expect(page.locator("#count strong")).to_have_text("600")
    assert page.url == first
    page.go_forward()
    expect(page.locator("#count strong")).to_have_text(misread)
    page.go_forward()
    expect(page.locator("#sort")).to_have_value("confidence")


def test_back_returns_to_where_one_was(
    opened: Open, wait_for_images: Callable[[Page], None]
) -> None:
    page = opened("?split=test&group=given&sort=index")
    page.evaluate("() => { document.getElementById('grid').scrollTop = 2000; }")
    page.wait_for_function("() => history.state?.at > 0")  # where one stands is remembered
    page.get_by_role("button", name="Misread", exact=True).click()
    expect(page.locator("#chips .chip")).to_have_count(1)
    page.go_back()
    expect(page.locator("#count strong")).to_have_text("600")
    wait_for_images(page)
    assert abs(page.evaluate("() => document.getElementById('grid').scrollTop") - 2000) <= 2
    page.reload()
    wait_for_images(page)
    assert abs(page.evaluate("() => document.getElementById('grid').scrollTop") - 2000) <= 2


def test_a_link_reproduces_the_view(
    opened: Open, new_page: Callable[..., Page], wait_for_images: Callable[[Page], None]
) -> None:
    page = opened("?split=test&group=none&sort=random&seed=3&right=no&side=confusions")
    other = new_page()
    other.goto(page.url)
    wait_for_images(other)
    assert indices(other) == indices(page)
    expect(other.locator("#side")).to_be_visible()
    expect(other.locator("#sort")).to_have_value("random")


def test_sort_and_order(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index&right=no")
    ascending = indices(page)
    assert ascending == sorted(ascending)
    last = int(total(page)) - 1
    page.locator("#order").click()
    page.wait_for_function("() => location.search.includes('order=desc')")
    page.wait_for_function(
        "(i) => document.querySelector('#tile-0')?.dataset.index !== i", arg=str(ascending[0])
    )
    page.locator("#grid").focus()
    page.keyboard.press("End")
    expect(page.locator(f"#tile-{last}")).to_have_attribute("data-index", str(ascending[0]))
    page.select_option("#sort", "random")
    page.wait_for_function("() => location.search.includes('sort=random')")
    shuffled = page.url
    page.get_by_role("button", name="Shuffle again").click()
    page.wait_for_function(
        "(u) => location.href !== u && location.search.includes('seed=')", arg=shuffled
    )


def test_the_number_of_a_tile_is_what_it_is_sorted_by(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=suspicion&right=no")
    shown = page.locator(".tile .chance")
    # Suspicion may be known a moment later than the images.
    expect(shown.first).to_have_attribute("title", re.compile("^Suspicion"))
    numbers = [float(text) for text in shown.all_inner_texts()]
    assert len(numbers) > 10 and numbers == sorted(numbers, reverse=True)
    title = shown.first.get_attribute("title") or ""
    assert title.startswith("Suspicion. Probability of the predicted class: ")
    assert f"suspicion {numbers[0]:.3f}" in (page.get_attribute("#tile-0", "aria-label") or "")
    page.select_option("#sort", "confidence")
    expect(shown.first).to_have_attribute("title", "Probability of the predicted class")
    assert all(text.endswith("%") for text in shown.all_inner_texts())


def test_other_pages_are_reached_at_every_width(opened: Open) -> None:
    page = opened("?split=test&right=no")
    pages = {"Overview": "/overview", "Compare": "/compare", "People": "/people"}
    for width in (1280, 800, 360):
        page.set_viewport_size({"width": width, "height": 800})
        if width < 1100:
            expect(page.get_by_role("link", name="Compare")).to_be_hidden()
            page.get_by_role("button", name="Pages").click()
        for name, address in pages.items():
            link = page.get_by_role("link", name=name, exact=True)
            expect(link).to_be_in_viewport(ratio=1)
            expect(link).to_have_attribute("href", address)
        page.keyboard.press("Escape")
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
    page.set_viewport_size({"width": 800, "height": 800})
    expect(page.locator("#model")).to_be_visible()
    box = page.locator("#model").bounding_box()
    assert box is not None and box["width"] > 300
    expect(page.locator("#splits button").first).to_have_text(re.compile(r"^\w+ [\d,]+$"))


def test_text_grows_with_the_browsers_font(opened: Open) -> None:
    page = opened("?split=test&right=no")
    page.evaluate("() => { document.documentElement.style.fontSize = '32px' }")
    page.get_by_role("button", name="Larger tiles").click()
    small = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.data?.trim()))
          .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 22)
          .map((e) => `${e.className || e.id || e.tagName}: ${e.textContent}`)"""
    )
    assert small == []
    inside = """() => [...document.querySelectorAll(".tile")].every((tile) =>
      tile.querySelector(".caption").getBoundingClientRect().bottom
        <= tile.getBoundingClientRect().bottom + 0.5)"""
    assert page.evaluate(inside)


def test_metadata(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index")
    page.click("[data-filter='meta'].pill")
    page.locator(".pop .option", has_text="writer").click()
    page.locator(".pop .option", has_text="writer 3").click()
    expect(page.locator("#chips")).to_contain_text("writer 3")
    page.wait_for_function("() => document.querySelector('#tile-0')?.dataset.index === '3'")
    assert all(index % 7 == 3 for index in indices(page))
    assert "meta.writer=writer+3" in page.url


def test_another_model(opened: Open, panel: Any) -> None:
    page = opened("?split=test&group=none&sort=index&right=no")
    before = total(page)
    names = page.locator("#model option").all_inner_texts()
    assert len(names) == len(panel)
    other = panel[1].provenance.run_name
    page.select_option("#model", label=next(name for name in names if other in name))
    page.wait_for_function(
        "(n) => document.querySelector('#count strong').textContent !== n", arg=before
    )
    assert f"model={other}" in page.url


def test_suggested_and_decided_verdicts(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=suspicion")
    page.wait_for_function("() => !location.search.includes('scores')")
    pick(page, "suggested", "Label wrong")
    expect(page.locator("#chips")).to_contain_text("Suggested")
    page.wait_for_function(
        "() => [100, 200, 300].includes(Number(document.querySelector('#tile-0')?.dataset.index))",
    )
    page.keyboard.press("m")
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    page.get_by_role("button", name="Remove the filter Suggested: Label wrong").click()
    expect(page.locator("#chips .chip")).to_have_count(0)
    pick(page, "decided", "Any verdict")
    expect(page.locator("#count strong")).to_have_text("1")


def test_nothing_fits(opened: Open, page: Page, server: Any) -> None:
    page.goto(f"{server.url}/?split=test&given=0&predicted=1&right=yes")
    empty = page.locator("#empty")
    expect(empty).to_contain_text("No image fits these filters")
    assert page.locator(".tile").count() == 0
    page.keyboard.press("m")  # nothing to judge
    empty.get_by_role("button", name="Show all images").click()
    expect(page.locator("#count strong")).to_have_text("600")
    expect(empty).to_be_hidden()


def test_a_url_that_makes_no_sense(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/?split=test&nonsense=1")
    failed = page.locator("#failed")
    expect(failed).to_contain_text("This view can't be shown")
    expect(failed).to_contain_text("nonsense")
    failed.get_by_role("link", name="Start anew").click()
    page.wait_for_selector(".tile[data-drawn]")


def test_loading_is_shown_and_the_last_view_wins(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=index", routed=True)
    held: list[Route] = []
    page.route("**/api/view?*right=no*", lambda route: held.append(route))
    page.get_by_role("button", name="Misread", exact=True).click()
    page.wait_for_function(
        "() => document.getElementById('main').getAttribute('aria-busy') === 'true'"
    )
    page.get_by_role("button", name="Read right", exact=True).click()
    expect(page.locator("#chips")).to_contain_text("Read right")
    shown = total(page)
    page.unroute("**/api/view?*right=no*")
    page.wait_for_timeout(100)
    assert total(page) == shown
    assert page.get_attribute("#main", "aria-busy") is None


def test_theme_is_remembered(opened: Open, wait_for_images: Callable[[Page], None]) -> None:
    page = opened("")
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark theme").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    wait_for_images(page)
    assert page.evaluate(background) == dark
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(background) == light


def test_the_system_theme_and_less_motion(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = new_page(color_scheme="dark", reduced_motion="reduce")
    page.goto(server.url)
    wait_for_images(page)
    red = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert int(red) < 60
    seconds = page.evaluate(
        "() => parseFloat(getComputedStyle(document.querySelector('.loading'), '::after')"
        ".animationDuration)"
    )
    assert seconds < 0.001


def test_suggestions_that_come_late_move_nothing(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    """The page is used while the panel is still being put together."""
    server.gate.clear()
    page = new_page()
    try:
        page.goto(f"{server.url}/?split=test&group=none&sort=index&right=no")
        wait_for_images(page)
        assert page.locator(".caption .mark").count() == 0
        page.locator("#grid").focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("x")
        waiting = new_page()
        waiting.goto(f"{server.url}/?split=test&group=none&sort=suspicion")
        wait_for_images(waiting)
        expect(waiting.locator("#view-note")).to_contain_text("being worked out")
        busy = new_page()
        busy.goto(f"{server.url}/?split=test&group=none&sort=suspicion")
        wait_for_images(busy)
        busy.keyboard.press("ArrowRight")
    finally:
        server.gate.set()
    page.locator(".caption .mark").first.wait_for()
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-3"
    expect(page.locator("#verdict-bar .target")).to_contain_text("1 selected")
    # Nobody had touched this one yet: it is sorted at once. The other is asked.
    waiting.wait_for_function(
        "() => ['100', '200', '300'].includes(document.querySelector('#tile-0').dataset.index)"
    )
    expect(busy.locator("#tile-0")).to_have_attribute("data-index", "0")
    busy.get_by_role("button", name="Suspicion is known now").click()
    busy.wait_for_function("() => document.querySelector('#tile-0').dataset.index !== '0'")
