"""What is pressed before an earlier press has had its effect; answers that come out of turn."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

Open = Callable[..., Page]
ALL = "?split=test&group=none&sort=index"


class Held:
    """Requests that are let go when the test says so."""

    def __init__(self, page: Page, pattern: str) -> None:
        self.page, self.routes = page, list[Route]()
        page.route(pattern, lambda route: self.routes.append(route))

    def wait(self, count: int = 1) -> None:
        for _ in range(1500):
            if len(self.routes) >= count:
                return
            self.page.wait_for_timeout(10)
        raise AssertionError(f"{len(self.routes)} of {count} requests came")

    def let_go(self) -> None:
        for route in self.routes:
            route.continue_()
        self.routes.clear()


def open_first(page: Page) -> None:
    page.wait_for_selector("#tile-0[data-drawn]")
    page.locator("#tile-0").click()
    page.wait_for_selector("#large[data-index]")


def test_back_to_the_grid_twice_is_one_step_back(opened: Open) -> None:
    page = opened(ALL)
    page.get_by_role("button", name="Misread", exact=True).click()
    expect(page.locator("#chips .chip")).to_have_count(1)
    grid = page.url
    open_first(page)
    page.evaluate(
        "() => { for (const _ of 'ab') document.getElementById('viewer-close').click(); }"
    )
    expect(page.locator("#viewer")).to_be_hidden()
    page.wait_for_timeout(200)
    assert page.url == grid
    expect(page.locator("#chips .chip")).to_have_count(1)


def test_where_one_was_is_known_however_fast_one_left(
    opened: Open, wait_for_images: Callable[[Page], None]
) -> None:
    page = opened("?split=test&group=given&sort=index")
    # A frame later the page knows; that it stands still it knows a good while later.
    page.evaluate("""() => {
      document.getElementById("grid").scrollTop = 2000;
      const click = () => document.querySelector("#read [data-right='no']").click();
      requestAnimationFrame(() => requestAnimationFrame(click));
    }""")
    expect(page.locator("#chips .chip")).to_have_count(1)
    wait_for_images(page)
    page.go_back()
    expect(page.locator("#count strong")).to_have_text("600")
    wait_for_images(page)
    assert abs(page.evaluate("() => document.getElementById('grid').scrollTop") - 2000) <= 2


def test_an_image_is_of_its_own_split_before_its_view_is_here(opened: Open) -> None:
    """A verdict must not go to the image of the same number of another split."""
    page = opened(ALL, routed=True)
    page.locator("#splits [data-split='train']").click()
    expect(page.locator("#splits [data-split='train']")).to_have_attribute("aria-pressed", "true")
    open_first(page)
    page.evaluate("() => history.go(-2)")
    expect(page.locator("#splits [data-split='test']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#viewer")).to_be_hidden()
    held = Held(page, "**/api/view?*split=train*")
    page.evaluate("() => history.go(1)")
    held.wait()
    page.evaluate("() => history.go(1)")
    page.wait_for_function("() => location.search.includes('image=')")
    page.wait_for_timeout(100)
    before = page.locator("#viewer").is_visible()
    held.let_go()
    expect(page.locator("#viewer")).to_be_visible()
    expect(page.locator("#viewer-bar [data-verdict='ambiguous']")).to_be_enabled()
    assert not before
    with page.expect_response("**/api/verdicts") as answered:
        page.keyboard.press("a")
    assert '"split":"train"' in (answered.value.request.post_data or "").replace(" ", "")


def test_a_matrix_that_comes_late_does_not_stay(opened: Open) -> None:
    page = opened(f"{ALL}&side=confusions", routed=True)
    page.locator("#side .cell").first.wait_for()

    def cells() -> list[str]:
        return page.locator("#side .cell").all_inner_texts()

    first = cells()
    other = page.locator("#model option").nth(1).get_attribute("value") or ""
    held = Held(page, "**/api/confusion?*")
    page.select_option("#model", other)
    held.wait()
    page.go_back()
    page.wait_for_function("(run) => !location.search.includes(run)", arg=other)
    held.let_go()
    page.wait_for_timeout(300)
    assert cells() == first


def test_an_image_that_was_left_does_not_open_again(opened: Open) -> None:
    page = opened(ALL, routed=True)
    tiles, items = Held(page, "**/api/tiles?*"), Held(page, "**/api/items?*")
    open_first(page)
    # On to the first image of which nothing is known; there keys have no effect any more.
    page.evaluate("""() => {
      const key = { key: "ArrowRight", bubbles: true, cancelable: true };
      const viewer = document.getElementById("viewer");
      for (let i = 0; i < 600; i += 1) viewer.dispatchEvent(new KeyboardEvent("keydown", key));
    }""")
    items.wait()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    grid = page.url
    for held in (tiles, items):
        held.let_go()
    page.wait_for_timeout(300)
    expect(page.locator("#viewer")).to_be_hidden()
    assert page.url == grid


def test_a_newer_error_rate_is_not_replaced_by_an_older_one(opened: Open) -> None:
    page = opened(ALL, routed=True)
    expect(page.locator("#error-rate")).to_contain_text("error as labelled")
    held = Held(page, "**/api/error?*")
    for count, key in enumerate("ma", start=1):
        page.keyboard.press(key)
        held.wait(count)
    older, newer = held.routes
    newer.fulfill(json={"as_labelled": None, "after": None, "decided": 2})
    expect(page.locator("#error-rate")).to_have_text("2 verdicts")
    older.fulfill(json={"as_labelled": None, "after": None, "decided": 1})
    page.wait_for_timeout(200)
    expect(page.locator("#error-rate")).to_have_text("2 verdicts")


def test_a_pill_stays_the_same_button(opened: Open) -> None:
    """One that is replaced between the press of the pointer and its release loses the click."""
    page = opened(ALL)
    pill = page.locator("[data-filter='given'].pill")
    box = pill.bounding_box()
    assert box
    page.evaluate("() => { document.querySelector('#read [data-right=no]').click(); }")
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    expect(page.locator("#chips .chip")).to_have_count(1)
    page.mouse.up()
    expect(page.locator(".pop")).to_be_visible()
    page.locator(".pop .option").first.click()
    expect(page.locator("#chips .chip")).to_have_count(2)
    assert "on" in (pill.get_attribute("class") or "").split()


def test_a_second_tap_closes_a_menu(new_page: Callable[..., Page], server: Any) -> None:
    page = new_page(has_touch=True)
    page.goto(f"{server.url}/{ALL}")
    pill = page.locator("[data-filter='given'].pill")
    pill.tap()
    expect(page.locator(".pop")).to_be_visible()
    pill.tap()
    page.wait_for_timeout(200)
    expect(page.locator(".pop")).to_have_count(0)
    pill.tap()
    expect(page.locator(".pop")).to_be_visible()
