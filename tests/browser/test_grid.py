"""The grid of images: exact pixels, any number of them, nothing blank, little in the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Request

from misread.datasets import Dataset, load
from misread.store import Study

VISIBLE = """() => {
  const box = document.getElementById("grid").getBoundingClientRect();
  return [...document.querySelectorAll(".tile")].filter((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return bottom > box.top && top < box.bottom;
  }).map((tile) => ({
    position: Number(tile.dataset.position), index: Number(tile.dataset.index),
    drawn: tile.dataset.drawn === "yes",
    blank: !tile.querySelector("canvas").getContext("2d")
      .getImageData(0, 0, 1, 1).data.some((value) => value),
  }));
}"""


def visible(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(VISIBLE)
    return found


def drawn(page: Page) -> list[dict[str, Any]]:
    """The tiles where the grid is scrolled to, once there are any and all of them are drawn."""
    found: list[dict[str, Any]] = page.wait_for_function(
        f"() => {{ const seen = ({VISIBLE})();"
        "return seen.length > 0 && seen.every((tile) => tile.drawn) && seen; }"
    ).json_value()
    return found


def scroll_to(page: Page, share: float) -> None:
    """Drag the scroll bar to a place."""
    page.evaluate(
        "(share) => { const g = document.getElementById('grid');"
        "g.scrollTop = share * (g.scrollHeight - g.clientHeight); }",
        share,
    )


def pixels_of(page: Page, selector: str) -> np.ndarray[Any, Any]:
    """What a canvas holds, (H, W, 4)."""
    found = page.evaluate(
        "(s) => { const c = document.querySelector(s);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "return [c.height, c.width, [...d.data]]; }",
        selector,
    )
    return np.array(found[2], np.uint8).reshape(found[0], found[1], 4)


def test_tiles_show_exact_pixels(opened: Callable[[str], Page], digits: Dataset) -> None:
    page = opened("?split=test&group=none&sort=index")
    for position in (0, 3, 17, 20):
        shown = pixels_of(page, f"#tile-{position} canvas")
        assert np.array_equal(shown[..., 0], digits.test.pixels()[position])
        assert (shown[..., 3] == 255).all()


@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_each_pixel_covers_whole_pixels_of_the_screen(
    new_page: Callable[..., Page],
    server: Any,
    wait_for_images: Callable[[Page], None],
    ratio: float,
) -> None:
    page = new_page(device_scale_factor=ratio)
    page.goto(f"{server.url}/?split=test&group=none")
    wait_for_images(page)
    for click in ("", "#larger", "#larger"):
        if click:
            page.click(click)
        box = page.locator("#tile-1 canvas").bounding_box()
        assert box is not None
        times = box["width"] * ratio / 28
        assert times == pytest.approx(round(times), abs=1e-3)
        assert (
            page.eval_on_selector("#tile-1 canvas", "(c) => getComputedStyle(c).imageRendering")
            == "pixelated"
        )


def test_groups_per_given_class(opened: Callable[[str], Page], digits: Dataset) -> None:
    page = opened("?split=test&group=given&sort=index")
    first = int(np.flatnonzero(digits.test.labels == 0)[0])
    assert page.locator("#tile-0").get_attribute("data-index") == str(first)
    zeros = int((digits.test.labels == 0).sum())
    header = page.get_by_role("rowheader", name=f"Given 0, {zeros} images")
    assert header.is_visible()
    page.click("#group")
    page.wait_for_function("() => document.querySelector('#tile-0').dataset.index === '0'")
    assert page.get_by_role("rowheader").count() == 0
    assert "group=none" in page.url


def test_the_group_at_the_top_stays_named(opened: Callable[[str], Page]) -> None:
    page = opened("?split=test&group=given&sort=index")
    assert page.locator("#sticky").is_hidden()
    page.locator("#grid").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.getElementById('sticky').textContent.includes('9')")
    assert page.locator("#sticky").is_visible()


def test_arrow_keys_move(opened: Callable[[str], Page]) -> None:
    page = opened("?split=test&group=none&sort=index")
    page.locator("#grid").focus()
    columns = int(page.get_attribute("#grid", "aria-colcount") or 0)

    def cursor() -> str | None:
        return page.get_attribute("#grid", "aria-activedescendant")

    for key, place in [
        ("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0),
        ("End", 599), ("Home", 0), ("ArrowLeft", 0),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert cursor() == f"tile-{place}"
    page.keyboard.press("PageDown")
    assert int((cursor() or "").removeprefix("tile-")) % columns == 0
    page.keyboard.down("ArrowRight")  # held down, it goes on
    page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    assert int((cursor() or "").removeprefix("tile-")) % columns == 2


def test_what_it_says_aloud(opened: Callable[[str], Page], digits: Dataset) -> None:
    page = opened("?split=test&group=none&sort=index&right=yes")
    grid = page.get_by_role("grid", name="Images")
    assert grid.get_attribute("aria-multiselectable") == "true"
    index = int(page.get_attribute("#tile-0", "data-index") or -1)
    label = page.get_attribute("#tile-0", "aria-label") or ""
    given = digits.classes[digits.test.labels[index]]
    assert label.startswith(f"Image {index}, given {given}, read as {given} with ")
    assert "no verdict" in label


def test_size_of_tiles_is_remembered(
    opened: Callable[[str], Page], wait_for_images: Callable[[Page], None]
) -> None:
    page = opened("?split=test&group=none")
    width = "() => document.querySelector('#tile-0 canvas').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.click("#larger")
    larger = page.evaluate(width)
    assert larger > before
    page.reload()
    wait_for_images(page)
    assert page.evaluate(width) == larger
    page.locator("#grid").focus()
    for _ in range(6):
        page.keyboard.press("-")
    assert page.evaluate(width) < before
    assert page.locator("#smaller").is_disabled()


def test_a_smaller_window_keeps_the_place(opened: Callable[[str], Page]) -> None:
    page = opened("?split=test&group=none&sort=index")
    columns = page.get_attribute("#grid", "aria-colcount")
    scroll_to(page, 0.5)
    before = drawn(page)[0]["position"]
    page.set_viewport_size({"width": 700, "height": 700})
    page.wait_for_function(
        "(columns) => document.getElementById('grid').ariaColCount !== columns", arg=columns
    )
    positions = [tile["position"] for tile in drawn(page)]
    assert min(positions) <= before <= max(positions)


def test_wheel_moves_by_as_much_as_it_says(opened: Callable[[str], Page]) -> None:
    page = opened("?split=test&group=none&sort=index")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => document.getElementById('grid').scrollTop === 300")


# Many images


@pytest.fixture(scope="module")
def all_digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """MNIST's 70,000 digits in one split."""
    whole = load("mnist")
    images = np.concatenate([whole.train.pixels(), whole.test.pixels()])
    labels = np.concatenate([whole.train.labels, whole.test.labels])
    path = tmp_path_factory.mktemp("all") / "all.npz"
    np.savez(path, x_train=images, y_train=labels)
    return load(str(path))


@pytest.fixture
def many(
    all_digits: Dataset, serve: Callable[..., Any], tmp_path: Path, page: Page,
    wait_for_images: Callable[[Page], None],
) -> Page:  # fmt: skip
    study = Study.create(tmp_path / "all-study", all_digits)
    page.goto(f"{serve(study.path, all_digits).url}/?split=train&group=given")
    wait_for_images(page)
    return page


# What a jump asks for until all is drawn: each request with the images that it is for, and how many
# frames after the jump it was sent.
JUMP = """async (share) => {
  const grid = document.getElementById("grid");
  const asked = [];
  let frames = 0;
  const fetch = window.fetch;
  window.fetch = (path, ...rest) => {
    const { searchParams } = new URL(path, location.href);
    const items = (searchParams.get("items")?.split(",") ?? []).map(Number);
    const [start, count] = ["start", "count"].map((name) => Number(searchParams.get(name)));
    asked.push({ start, end: start + count, items, frames });
    return fetch(path, ...rest);
  };
  const end = performance.now() + 15_000;
  grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight);
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    frames += 1;
    const seen = (VISIBLE)();
    if (seen.length > 0 && seen.every((tile) => tile.drawn)) break;
  }
  window.fetch = fetch;
  return asked;
}""".replace("VISIBLE", VISIBLE)


def test_a_jump_waits_for_two_requests_at_most(many: Page) -> None:
    """What is known of all on the screen is asked for at once, then its pixels: no image waits for
    another one's requests. `benchmarks/gallery.py` has the milliseconds.
    """
    nodes = [many.evaluate("() => document.querySelectorAll('*').length")]
    seen, requests = set(), 0
    for share in np.random.default_rng(0).permutation(np.linspace(0, 1, 25)):
        asked = many.evaluate(JUMP, float(share))
        tiles = visible(many)
        assert len(tiles) > 20
        assert not any(tile["blank"] for tile in tiles)
        for tile in tiles:
            known = [a for a in asked if a["start"] <= tile["position"] < a["end"]]
            pixels = [a for a in asked if tile["index"] in a["items"]]
            assert len(known) <= 1
            assert len(pixels) <= 1
            # The frame in which it flies past, and the one in which it is seen to have stopped.
            assert all(request["frames"] <= 2 for request in known)
            requests += len(known) + len(pixels)
        seen |= {tile["position"] for tile in tiles}
        nodes.append(many.evaluate("() => document.querySelectorAll('*').length"))
    assert requests > 0
    assert min(seen) == 0
    assert max(seen) == 69_999
    # What is in the page doesn't grow with what was looked at.
    assert max(nodes) < 2500
    assert nodes[-1] < 1.5 * np.median(nodes)


def test_memory_is_bounded(many: Page) -> None:
    """Sprites that were scrolled past are closed, and the script's own memory stays small."""
    client = many.context.new_cdp_session(many)
    client.send("Performance.enable")

    def heap() -> float:
        client.send("HeapProfiler.collectGarbage")
        metrics = client.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize"))

    many.evaluate(
        """() => {
          window.open_bitmaps = 0;
          const make = window.createImageBitmap, close = ImageBitmap.prototype.close;
          window.createImageBitmap = async (...all) => {
            window.open_bitmaps += 1;
            return make(...all);
          };
          ImageBitmap.prototype.close = function () {
            window.open_bitmaps -= 1;
            close.call(this);
          };
        }"""
    )
    for share in np.linspace(0, 1, 45):
        scroll_to(many, float(share))
        many.wait_for_timeout(60)
    many.wait_for_selector("#tile-69999[data-drawn]")
    assert 0 < many.evaluate("() => window.open_bitmaps") <= 100
    assert heap() < 40e6


# Drags the bar through everything, a step each frame; how many frames were missed.
DRAG = """async () => {
  const grid = document.getElementById("grid");
  let missed = 0;
  for (let step = 0; step <= 60; step += 1) {
    const start = performance.now();
    grid.scrollTop = (step / 60) * (grid.scrollHeight - grid.clientHeight);
    await new Promise(requestAnimationFrame);
    if (performance.now() - start >= 50) missed += 1;
  }
  return missed;
}"""


def test_flying_past_asks_for_little(many: Page) -> None:
    """A drag through everything asks for what it stops at, not for what it passes."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/tiles" in request.url:
            asked.append(request.url)

    many.on("request", note)
    # Where a busy machine misses frames, the drag comes to rest on its way: another try then.
    for _ in range(3):
        many.reload()
        drawn(many)
        asked.clear()
        missed = many.evaluate(DRAG)
        drawn(many)
        if missed == 0:
            break
    assert len(asked) < 40


# The tiles on the screen after a small step. Rows follow the bar in the frame after, which may have
# been put where it belongs meanwhile.
STEP = """async () => {
  const grid = document.getElementById("grid");
  const frame = () => new Promise(requestAnimationFrame);
  grid.scrollBy(0, 180);
  await frame();
  for (let bar = NaN; bar !== grid.scrollTop; ) {
    bar = grid.scrollTop;
    await frame();
  }
  return (VISIBLE)();
}""".replace("VISIBLE", VISIBLE)


def test_a_million_images_in_one_column_of_a_phone(
    tmp_path: Path, serve: Callable[..., Any], new_page: Callable[..., Page],
    wait_for_images: Callable[[Page], None],
) -> None:  # fmt: skip
    labels = (np.arange(1_000_000) % 2).astype(np.int16)
    images = np.arange(4_000_000, dtype=np.uint32).astype(np.uint8).reshape(-1, 2, 2)
    path = tmp_path / "million.npz"
    np.savez(path, x_train=images, y_train=labels)
    dataset = load(str(path))
    server = serve(Study.create(tmp_path / "million", dataset).path, dataset)
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(f"{server.url}/?split=train&group=none&sort=index")
    wait_for_images(page)
    for _ in range(3):
        page.click("#larger")
    assert page.get_attribute("#grid", "aria-colcount") == "1"
    # Browsers clip what is taller than 17 million pixels; the content is 250 million tall.
    assert page.evaluate("() => document.getElementById('grid').scrollHeight") < 17e6
    page.locator("#grid").focus()
    page.keyboard.press("End")
    page.wait_for_selector("#tile-999999[data-drawn]")
    for share in (0.5, 0.123, 1.0):
        scroll_to(page, share)
        tiles = drawn(page)
        expected = share * 1e6
        assert abs(tiles[0]["position"] - expected) < 0.01 * 1e6
    # Row by row, in the middle of everything, nothing is left out.
    scroll_to(page, 0.5)
    drawn(page)
    seen = []
    for _ in range(12):
        seen += [tile["position"] for tile in page.evaluate(STEP)]
    places = sorted(set(seen))
    assert places == list(range(places[0], places[-1] + 1))
    assert len(places) >= 8


def test_large_images_come_as_pictures_of_their_own(
    tmp_path: Path, serve: Callable[..., Any], page: Page
) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 255, (60, 300, 200, 3), dtype=np.uint8)
    labels = np.arange(60) % 3
    path = tmp_path / "photos.npz"
    np.savez(path, x_test=images, y_test=labels)
    dataset = load(str(path))
    server = serve(Study.create(tmp_path / "photos", dataset).path, dataset)
    page.goto(f"{server.url}/?split=test&group=none")
    page.wait_for_selector("#tile-0[data-drawn]")
    box = page.locator("#tile-0 img").bounding_box()
    assert box is not None
    assert box["height"] / box["width"] == pytest.approx(1.5, rel=0.02)
    page.locator("#tile-2").click()
    page.wait_for_selector("#large[data-index='2']")
    shown = pixels_of(page, "#large")
    assert np.array_equal(shown[..., :3], images[2])


def test_splits_of_a_dataset(opened: Callable[[str], Page]) -> None:
    page = opened("?split=test&right=no&sort=confidence")
    page.get_by_role("button", name="train 600").click()
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('600')")
    # Nothing has predicted the training digits: a filter by right and wrong can't be kept.
    assert "right" not in page.url
    assert page.get_by_role("button", name="Misread").is_disabled()
