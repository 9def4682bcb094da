"""Verdicts by one key, by mouse and by touch; undo, redo; several at once."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Open = Callable[[str], Page]
VIEW = "?split=test&group=none&sort=index&right=no"


def index_at(page: Page, place: int) -> int:
    return int(page.get_attribute(f"#tile-{place}", "data-index") or -1)


def saved(page: Page) -> None:
    """Wait until the page says that everything is saved."""
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")


def verdicts(server: Any, split: str = "test") -> dict[int, tuple[str, int | None]]:
    """What the study's file holds."""
    state = server.study.verdicts.state(split)
    found = {int(index): state.find(int(index)) for index in state.index}
    return {index: (str(verdict), label) for index, (verdict, label) in found.items()}


@pytest.mark.parametrize(
    ("key", "verdict"),
    [("m", "model"), ("a", "ambiguous"), ("u", "unreadable"), ("f", "fine")],
)
def test_one_key_and_the_next_comes(opened: Open, server: Any, key: str, verdict: str) -> None:
    page = opened(VIEW)
    index = index_at(page, 0)
    page.locator("#grid").focus()
    page.keyboard.press(key)
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-1"
    assert page.get_attribute("#tile-0", "data-verdict") == verdict
    assert f"verdict: {verdict}" in (page.get_attribute("#tile-0", "aria-label") or "").replace(
        " wrong", ""
    )
    saved(page)
    assert verdicts(server) == {index: (verdict, None)}


def test_keys_work_without_a_click_first(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    page.keyboard.press("f")
    saved(page)
    assert len(verdicts(server)) == 1


def test_a_wrong_label_and_the_right_class(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    indices = [index_at(page, place) for place in range(4)]
    given = [int(server.dataset.test.labels[index]) for index in indices]
    right = [(label + 1) % 10 for label in given]
    page.keyboard.press("l")
    bar = page.locator("#verdict-bar")
    expect(bar.get_by_role("group", name="Right class")).to_be_visible()
    # The class that the image is given as can't be the right one.
    expect(bar.locator(f"[data-class='{given[0]}']")).to_be_disabled()
    page.keyboard.press(str(given[0]))
    expect(page.locator("#toast")).to_contain_text("is the label it has")
    page.keyboard.press(str(right[0]))
    expect(bar.get_by_role("group", name="Right class")).to_be_hidden()
    page.keyboard.press("l")
    page.keyboard.press("-")  # wrong, but who knows what is right
    page.keyboard.press("l")
    page.keyboard.press("Escape")
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-2"
    page.keyboard.press("l")
    bar.locator(f"[data-class='{right[2]}']").click()
    saved(page)
    assert verdicts(server) == {
        indices[0]: ("label", right[0]),
        indices[1]: ("label", None),
        indices[2]: ("label", right[2]),
    }
    assert page.locator("#tile-0 .mark.decided").inner_text() == str(right[0])


def test_enter_takes_the_suggested_class(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=suspicion&right=no&suggested=label")
    index = index_at(page, 0)
    assert index in (100, 200, 300)  # a given label that was flipped
    page.keyboard.press("l")
    suggested = page.locator("#verdict-bar .class-choice.suggested").get_attribute("data-class")
    page.keyboard.press("Enter")
    saved(page)
    given = int(server.dataset.test.labels[index])
    assert (
        verdicts(server)
        == {index: ("label", int(suggested or -1))}
        == {index: ("label", (given - 1) % 10)}
    )


@pytest.mark.parametrize("way", ["grid", "keys", "address"])
def test_without_a_suggestion_enter_says_so_and_a_verdict_is_a_change_of_mind(
    opened: Open, server: Any, way: str
) -> None:
    page = opened(VIEW + "&suggested=model")
    index = index_at(page, 0)
    if way == "keys":
        page.keyboard.press("End")
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
    elif way == "address":
        page.goto(f"{page.url}&image={index}")
    if way != "grid":
        page.wait_for_selector("#viewer .bars")
    bar = page.locator("#verdict-bar" if way == "grid" else "#viewer-bar")
    choice = bar.get_by_role("group", name="Right class")
    for key in ("l", "Enter"):
        page.keyboard.press(key)
        expect(choice).to_be_visible()
    expect(page.locator("#toast")).to_contain_text("No class is suggested: press its key.")
    page.keyboard.press("m")
    expect(choice).to_be_hidden()
    saved(page)
    assert verdicts(server) == {index: ("model", None)}
    # The focus is where it was: Enter opens the next image, and presses no button.
    if way == "grid":
        page.keyboard.press("Enter")
        page.wait_for_selector("#viewer .bars")
    else:
        page.keyboard.press("Enter")
        expect(choice).to_be_hidden()
    assert verdicts(server) == {index: ("model", None)}


def test_digits_alone_judge_nothing(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    for key in "0123456789":
        page.keyboard.press(key)
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-0"
    assert verdicts(server) == {}


def test_undo_and_redo(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    first, second, third = (index_at(page, place) for place in range(3))
    for key in "maf":
        page.keyboard.press(key)
    saved(page)
    page.keyboard.press("Backspace")
    # The cursor goes to what was undone.
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-2"
    assert page.get_attribute("#tile-2", "data-verdict") == ""
    page.keyboard.press("Control+z")
    saved(page)
    assert verdicts(server) == {first: ("model", None)}
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+y")
    saved(page)
    assert page.get_attribute("#tile-2", "data-verdict") == "fine"
    expected = {
        first: ("model", None), second: ("ambiguous", None), third: ("fine", None)
    }  # fmt: skip
    assert verdicts(server) == expected
    for _ in range(3):
        page.keyboard.press("Meta+z")
    saved(page)
    assert verdicts(server) == {}
    page.keyboard.press("Backspace")
    expect(page.locator("#toast")).to_contain_text("Nothing to undo")


def test_undo_gives_back_what_was_there_before(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    index = index_at(page, 0)
    page.keyboard.press("a")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("m")
    page.keyboard.press("Backspace")
    assert page.get_attribute("#tile-0", "data-verdict") == "ambiguous"
    page.keyboard.press("c")  # and takes it away altogether
    saved(page)
    assert verdicts(server) == {}
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(server) == {index: ("ambiguous", None)}


def test_undo_goes_on_after_a_reload(
    opened: Open, server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = opened(VIEW)
    index = index_at(page, 0)
    page.keyboard.press("m")
    page.keyboard.press("a")
    saved(page)
    page.reload()
    wait_for_images(page)
    assert page.get_attribute("#tile-1", "data-verdict") == "ambiguous"
    page.keyboard.press("Backspace")
    page.wait_for_function("() => document.querySelector('#tile-1').dataset.verdict === ''")
    saved(page)
    assert verdicts(server) == {index: ("model", None)}


def test_buttons_do_the_same(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    indices = [index_at(page, place) for place in range(5)]
    bar = page.locator("#verdict-bar")
    for name in ("Model wrong", "Ambiguous", "Unreadable", "Fine"):
        bar.get_by_role("button", name=name).click()
    saved(page)
    assert [v for v, _ in verdicts(server).values()] == ["model", "ambiguous", "unreadable", "fine"]
    bar.get_by_role("button", name="Undo").click()
    saved(page)
    assert sorted(verdicts(server)) == indices[:3]
    bar.get_by_role("button", name="Redo").click()
    saved(page)
    assert sorted(verdicts(server)) == indices[:4]
    page.keyboard.press("ArrowRight")  # the focus is on a button: arrows still move the cursor
    page.keyboard.press("ArrowLeft")
    expect(bar.get_by_role("button", name="Fine")).to_have_attribute("aria-pressed", "true")
    bar.get_by_role("button", name="Clear").click()
    saved(page)
    assert sorted(verdicts(server)) == indices[:3]


def test_keys_are_printed_beside_each_choice(opened: Open) -> None:
    page = opened(VIEW)
    keys = page.locator("#verdict-bar .verdict kbd").all_inner_texts()
    assert keys == ["M", "L", "A", "U", "F"]
    page.keyboard.press("?")
    help_list = page.get_by_role("dialog", name="Keys")
    for text in ("Model wrong", "Label wrong", "Ambiguous", "Unreadable", "Fine", "Undo", "Redo"):
        expect(help_list.get_by_text(text, exact=False).first).to_be_visible()
    # All of it can be scrolled to: nothing sticks out to the side.
    assert page.evaluate(
        "() => { const list = document.getElementById('help-body');"
        "return list.scrollWidth <= list.clientWidth; }"
    )
    help_list.get_by_text("A hollow mark").scroll_into_view_if_needed()
    expect(help_list.get_by_text("A hollow mark")).to_be_in_viewport()
    page.keyboard.press("m")  # nothing is judged behind the list
    page.keyboard.press("Escape")
    expect(help_list).to_be_hidden()
    assert page.get_attribute("#tile-0", "data-verdict") == ""


def test_keys_are_ignored_while_typing(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    page.keyboard.press("v")
    page.locator("#side").wait_for()
    page.keyboard.press("v")
    page.click("[data-filter='given']")
    page.keyboard.type("maf")
    page.keyboard.press("Escape")
    page.locator("#sort").focus()
    page.keyboard.press("m")
    page.evaluate(
        "() => { const f = document.createElement('input'); f.id = 'typed';"
        "document.body.prepend(f); f.focus(); }"
    )
    page.keyboard.type("mlaufxc?")
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+a")
    assert page.locator("#typed").input_value() == "mlaufxc"
    assert page.locator("dialog[open]").count() == 0
    assert verdicts(server) == {}
    assert page.evaluate("() => document.querySelectorAll('[aria-selected=true].tile').length") == 0


def test_a_key_held_down_judges_once(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    for _ in range(5):
        page.keyboard.down("f")  # without a key up, the browser repeats
    page.keyboard.up("f")
    saved(page)
    assert len(verdicts(server)) == 1


# Several at once


def test_selected_ones_are_judged_together(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    indices = [index_at(page, place) for place in range(12)]
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    target = page.locator("#verdict-bar .target")
    expect(target).to_contain_text("3 selected")
    page.locator("#tile-7").click(modifiers=["Control"])
    page.locator("#tile-9").click(modifiers=["Shift"])
    expect(target).to_contain_text("6 selected")
    page.keyboard.press("u")
    saved(page)
    chosen = [indices[place] for place in (0, 2, 3, 7, 8, 9)]
    assert verdicts(server) == dict.fromkeys(chosen, ("unreadable", None))
    # The next one at once, and nothing is selected any more.
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-10"
    expect(target).not_to_contain_text("selected")
    page.keyboard.press("Backspace")  # one undo for all of them
    saved(page)
    assert verdicts(server) == {}
    assert page.locator("dialog[open]").count() == 0


def test_all_of_a_view(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index&right=yes")
    total = int((page.locator("#count strong").inner_text()).replace(",", ""))
    page.keyboard.press("Control+a")
    expect(page.locator("#verdict-bar .target")).to_contain_text(f"{total} selected")
    page.keyboard.press("f")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text(f"{total} images")
    question.get_by_role("button", name="Cancel").click()
    expect(page.locator("#verdict-bar .target")).to_contain_text(f"{total} selected")
    page.keyboard.press("f")
    question.get_by_role("button", name="Give the verdict").click()
    expect(page.locator("#toast")).to_contain_text(f"{total} images: fine")
    saved(page)
    assert len(verdicts(server)) == total
    page.keyboard.press("Control+a")
    page.keyboard.press("Escape")
    expect(page.locator("#verdict-bar .target")).not_to_contain_text("selected")


def test_a_right_class_for_several_leaves_out_those_that_have_it(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index")
    page.keyboard.press("Control+a")
    page.keyboard.press("l")
    page.keyboard.press("4")
    page.get_by_role("dialog").get_by_role("button", name="Give the verdict").click()
    expect(page.locator("#toast")).to_contain_text("left out")
    saved(page)
    others = [i for i, label in enumerate(server.dataset.test.labels) if label != 4]
    assert sorted(verdicts(server)) == others


def tap(page: Page, place: int) -> None:
    """Touch where a tile is; a locator's own tap may scroll, and another image be in the tile."""
    box = page.locator(f"#tile-{place}").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_select_by_touch(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(server.url + VIEW)
    wait_for_images(page)
    page.get_by_role("button", name="Select", exact=True).tap()
    for place in (0, 1, 2, 1):
        tap(page, place)
    bar = page.locator("#verdict-bar")
    expect(bar.locator(".target")).to_contain_text("2 selected")
    indices = [index_at(page, place) for place in (0, 2)]
    bar.get_by_role("button", name="Ambiguous").tap()
    expect(page.locator("#toast")).to_contain_text("2 images: ambiguous")  # a tap isn't waited for
    saved(page)
    assert sorted(verdicts(server)) == indices
    page.get_by_role("button", name="Select", exact=True).tap()
    tap(page, 5)
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_pressed_can_be_read_under_the_pointer(
    new_page: Callable[..., Page], server: Any, wait_for_images: Callable[[Page], None], scheme: str
) -> None:
    """Where the pointer is after the click."""
    page = new_page(color_scheme=scheme)
    page.goto(f"{server.url}/?split=test&group=none&sort=index")
    wait_for_images(page)
    pressed = "(button) => getComputedStyle(button).backgroundColor"
    page.get_by_role("button", name="Model wrong").click()
    page.keyboard.press("ArrowLeft")
    for button in ("#splits [data-split='test']", "#verdict-bar [data-verdict='model']"):
        found = page.locator(f"{button}[aria-pressed='true']")
        found.wait_for()
        page.mouse.move(640, 400)
        before = found.evaluate(pressed)
        found.hover()
        assert found.evaluate(pressed) == before
