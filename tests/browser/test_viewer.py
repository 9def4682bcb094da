"""One image large: its pixels, what models made of it, its neighbours, and the way on."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
VIEW = "?split=test&group=none&sort=index&right=no"


def index_at(page: Page, place: int) -> int:
    return int(page.get_attribute(f"#tile-{place}", "data-index") or -1)


def wait_for_large(page: Page, index: int) -> None:
    page.wait_for_selector(f"#large[data-index='{index}']")
    page.wait_for_selector("#viewer .bars")


def test_click_and_enter_open_and_escape_closes(opened: Open) -> None:
    page = opened(VIEW)
    first, third = index_at(page, 0), index_at(page, 2)
    page.locator("#tile-2").click()
    viewer = page.locator("#viewer")
    wait_for_large(page, third)
    assert f"image={third}" in page.url
    # The focus is in the dialog, and what lies behind can't be reached.
    assert page.evaluate("() => document.getElementById('viewer').contains(document.activeElement)")
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body"
            " || document.getElementById('viewer').contains(document.activeElement)"
        )
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert "image=" not in page.url
    assert page.evaluate("() => document.activeElement.id") == "grid"
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-2"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    wait_for_large(page, first)
    page.get_by_role("button", name="Back to the grid").click()
    expect(viewer).to_be_hidden()


def test_pixels_are_exact_and_as_large_as_fits(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    index = index_at(page, 1)
    page.locator("#tile-1").click()
    wait_for_large(page, index)
    found = page.evaluate(
        "() => { const c = document.getElementById('large');"
        "const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "return [c.width, c.height, [...data],"
        "c.getBoundingClientRect().width, getComputedStyle(c).imageRendering]; }"
    )
    width, height, data, shown, rendering = found
    pixels = np.array(data, np.uint8).reshape(height, width, 4)[..., 0]
    assert np.array_equal(pixels, server.dataset.test.pixels()[index])
    assert rendering == "pixelated"
    assert shown % 28 == 0
    assert shown > 400


def test_every_model_names_given_and_predicted(opened: Open, panel: Any) -> None:
    page = opened(VIEW)
    index = index_at(page, 0)
    page.locator("#tile-0").click()
    wait_for_large(page, index)
    tables = page.locator("#viewer .bars")
    assert tables.count() == len(panel)
    title = page.locator("#viewer-title").inner_text()
    match = re.fullmatch(r"Given (\d), read as (\d)", title)
    assert match
    assert match[1] != match[2]
    for number in range(tables.count()):
        table = tables.nth(number)
        kinds = table.locator(".bar-kind").all_inner_texts()
        assert any("read as" in kind for kind in kinds)
        assert any("given" in kind for kind in kinds)
        given_row = table.locator("tr.given")
        assert given_row.locator("th").inner_text() == match[1]
        assert re.fullmatch(r"[<>]?[\d.]+%", given_row.locator(".bar-value").inner_text())
    # The model of the view comes first, and its bars are as long as its probabilities.
    first = tables.first
    assert "convnet-short-s0" in first.inner_text()
    widths = first.locator(".bar-track").evaluate_all(
        "(tracks) => tracks.map((t) =>"
        " t.firstChild.getBoundingClientRect().width / t.getBoundingClientRect().width)"
    )
    texts = first.locator(".bar-value").all_inner_texts()
    assert widths == pytest.approx([float(text.strip("<>%")) / 100 for text in texts], abs=0.03)


def test_evidence_suggestion_neighbours_and_metadata(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=suspicion&suggested=label")
    index = index_at(page, 0)
    page.locator("#tile-0").click()
    wait_for_large(page, index)
    details = page.locator("#details")
    expect(details).to_contain_text("Label wrong: right would be")
    expect(details.locator(".evidence")).to_contain_text("models that never saw it read")
    neighbours = details.locator(".neighbours a")
    assert neighbours.count() == 8
    href = neighbours.first.get_attribute("href") or ""
    near = int(href.rpartition("=")[2])
    assert neighbours.first.inner_text().strip() == str(server.dataset.train.labels[near])
    expect(details).to_contain_text(f"writer {index % 7}")
    expect(details).to_contain_text("28 \u00d7 28")
    neighbours.first.click()
    expect(page.locator("#viewer-sub")).to_contain_text(f"#{near} of train")


def test_a_reason_where_nothing_is_flagged(opened: Open) -> None:
    page = opened("?split=test&group=none&sort=index&suggested=model")
    page.locator("#tile-0").click()
    expect(page.locator("#details .reason")).to_contain_text("Why the label isn't flagged")


def test_left_and_right_go_through_the_sort(opened: Open) -> None:
    page = opened(VIEW)
    indices = [index_at(page, place) for place in range(4)]
    length = len(page.evaluate("() => [...Array(history.length)]"))
    page.locator("#tile-0").click()
    wait_for_large(page, indices[0])
    expect(page.get_by_role("button", name="Image before")).to_be_disabled()
    for index in indices[1:]:
        page.keyboard.press("ArrowRight")
        wait_for_large(page, index)
        assert page.url.endswith(f"image={index}")
    page.keyboard.press("ArrowLeft")
    wait_for_large(page, indices[2])
    page.get_by_role("button", name="Next image").click()
    wait_for_large(page, indices[3])
    expect(page.locator("#viewer-place")).to_contain_text("4 of ")
    # All of that is one entry of the history: back is the grid.
    assert page.evaluate("() => history.length") == length + 1
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    assert page.get_attribute("#grid", "aria-activedescendant") == "tile-3"
    page.go_forward()
    wait_for_large(page, indices[3])


def test_the_last_image(opened: Open) -> None:
    page = opened(VIEW)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer .bars")
    expect(page.get_by_role("button", name="Next image")).to_be_disabled()
    before = page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("f")
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    assert page.url == before
    expect(page.locator("#viewer-sub")).to_contain_text("Fine")


def test_a_link_to_an_image(opened: Open, new_page: Callable[..., Page], server: Any) -> None:
    page = opened(VIEW)
    index = index_at(page, 5)
    page.locator("#tile-5").click()
    wait_for_large(page, index)
    other = new_page()
    other.goto(page.url)
    wait_for_large(other, index)
    expect(other.locator("#viewer-place")).to_contain_text("6 of ")
    other.keyboard.press("Escape")
    expect(other.locator("#viewer")).to_be_hidden()
    assert other.get_attribute("#grid", "aria-activedescendant") == "tile-5"
    # An image that the view doesn't hold is shown all the same.
    outside = next(i for i in range(600) if i not in {index_at(page, p) for p in range(30)})
    other.goto(f"{server.url}/{VIEW}&image={outside}")
    wait_for_large(other, outside)
    expect(other.locator("#viewer-place")).to_have_text("Not in this view")


def test_an_image_that_is_not_there(opened: Open) -> None:
    page = opened(VIEW + "&image=99999")
    viewer = page.get_by_role("dialog", name="This image can't be shown")
    expect(viewer).to_contain_text("Got 99999")
    expect(viewer).not_to_contain_text("Loading")
    expect(page.locator("#large")).to_be_hidden()
    page.keyboard.press("Escape")
    page.locator("#tile-0").click()
    expect(page.locator("#large")).to_be_visible()


def test_a_low_window_keeps_room_for_images_and_evidence(opened: Open) -> None:
    page = opened(VIEW)
    page.set_viewport_size({"width": 700, "height": 450})
    assert boxes(page, "#grid")[0]["height"] > 270
    page.locator("#tile-0").click()
    page.wait_for_selector("#viewer .bars")
    side, stage = boxes(page, ".viewer-side", "#stage")
    assert side["height"] > 300
    assert stage["x"] + stage["width"] <= side["x"]
    first, last, tool = boxes(
        page, "#viewer-bar .verdict:first-child", "#viewer-bar .verdict:last-child",
        "#viewer-bar .tool",
    )  # fmt: skip
    assert first["y"] == last["y"] == tool["y"]


def boxes(page: Page, *selectors: str) -> list[Any]:
    return [page.locator(selector).first.bounding_box() for selector in selectors]


def test_verdicts_go_on_to_the_next(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    indices = [index_at(page, place) for place in range(5)]
    page.locator("#tile-0").click()
    wait_for_large(page, indices[0])
    for key in ("m", "a"):
        page.keyboard.press(key)
    wait_for_large(page, indices[2])
    page.keyboard.press("l")
    expect(page.locator("#viewer-bar").get_by_role("group", name="Right class")).to_be_visible()
    page.keyboard.press("Escape")  # not after all; the dialog stays
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("l")
    right = (int(server.dataset.test.labels[indices[2]]) + 1) % 10
    page.keyboard.press(str(right))
    wait_for_large(page, indices[3])
    page.locator("#viewer-bar").get_by_role("button", name="Unreadable").click()
    wait_for_large(page, indices[4])
    page.keyboard.press("Backspace")
    wait_for_large(page, indices[3])
    expect(page.locator("#viewer-bar").get_by_role("button", name="Unreadable")).to_have_attribute(
        "aria-pressed", "false"
    )
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    state = server.study.verdicts.state("test")
    assert [state.find(index) for index in indices] == [
        ("model", None), ("ambiguous", None), ("label", right), None, None
    ]  # fmt: skip
    page.keyboard.press("ArrowLeft")
    wait_for_large(page, indices[2])
    expect(page.locator("#viewer-sub")).to_contain_text(f"right is {right}")


def test_judging_faster_than_the_server_answers(opened: Open, server: Any) -> None:
    page = opened("?split=test&group=none&sort=index", routed=True)
    page.locator("#tile-0").click()
    page.wait_for_selector("#viewer .bars")
    page.route("**/api/image/**", lambda route: None)  # details never come
    for _ in range(40):
        page.keyboard.press("f")
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")
    page.wait_for_timeout(100)
    state = server.study.verdicts.state("test")
    assert len(state) == 40
    assert list(state.index) == list(range(40))
    page.unroute_all()


def test_drawings_stand_beside_the_evidence(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    index = index_at(page, 1)
    page.locator("#tile-1").click()
    wait_for_large(page, index)
    network = page.locator("#viewer .network")
    expect(network).to_have_count(1)
    captions = network.locator("figcaption")
    given, predicted = (
        page.locator("#viewer .viewer-title .strong").nth(n).inner_text() for n in (0, 1)
    )
    expect(captions).to_have_text(["The image", f"As {given}", f"As {predicted}"])
    images = network.locator("img.drawing.pixels")
    expect(images).to_have_count(3)
    sizes = images.evaluate_all("all => all.map(image => [image.naturalWidth, image.alt])")
    assert sizes == [[28, ""], [28, f"Drawn as {given}"], [28, f"Drawn as {predicted}"]]
    expect(network).to_contain_text(
        re.compile(rf"Error 0\.\d+ as {given}, 0\.\d+ as {predicted}\.")
    )
    expect(network).to_contain_text("% of test is drawn worse.")
    page.goto(f"{server.url}/?split=test&image=0")
    expect(page.locator("#viewer .network code")).to_contain_text("misread reconstruct --model")
    expect(page.locator("#viewer .network img")).to_have_count(0)
