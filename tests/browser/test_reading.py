"""A reader study read by keys in a real browser."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from misread.analysis.reading.tally import check_follows
from misread.datasets import Dataset, Split, load
from misread.store import Study
from misread.store.database import ReadingRow
from misread.tables.readings import Purpose
from misread.web.reader.app import BRIEF, Reading, make_reading_app
from misread.web.reader.desk import AHEAD
from misread.web.security import make_door
from misread.web.serving import listen, make_server
from misread.workflows.reading_plan import make_plan


class ReadingServer:
    """The reader's pages, served from a thread; stops and starts again at the same port."""

    def __init__(self, study: Study, dataset: Dataset, answers: int, **plan: Any) -> None:
        self.study, self.dataset = study, dataset
        self.plan = make_plan(study, answers, **plan)
        self.reader = study.reading_log.enrol(self.plan, "ann")
        self._port = 0
        self.start()

    def start(self) -> None:
        self._listening = listen("127.0.0.1", self._port)
        self._port = int(self._listening.getsockname()[1])
        door = make_door("127.0.0.1", self._port, by_link=True)
        reading = Reading(
            self.plan, self.study.reading_log, self.dataset, contact="Eve <eve@example.org>"
        )
        self.owner = f"http://127.0.0.1:{self._port}/owner?token={door.token}"
        self._server = make_server(make_reading_app(reading, door))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listening],), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._listening.close()

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self._port}/r/{self.reader.token}"

    @property
    def answers(self) -> list[ReadingRow]:
        found = self.study.reading_log.answers(self.reader)
        return [answer for answer in found if answer.position >= 0]


Serve = Callable[..., ReadingServer]


@pytest.fixture
def serve_reading(tmp_path: Path, digits: Dataset) -> Iterator[Serve]:
    running: list[ReadingServer] = []

    def start(answers: int = 60, dataset: Dataset = digits, **plan: Any) -> ReadingServer:
        study = Study.create(tmp_path / f"study-{len(running)}", dataset)
        server = ReadingServer(study, dataset, answers, **plan)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def begin(page: Page, server: ReadingServer, *, practice: bool = True) -> None:
    page.goto(server.link)
    page.get_by_label("no", exact=True).check()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    if practice:
        expect(page.locator("#pause")).to_contain_text("Practice first")
        page.keyboard.press("Enter")
        for _ in range(10):
            press(page, "1")
    expect(page.locator("#pause")).to_contain_text("That was practice")
    page.keyboard.press("Enter")


def shown(page: Page) -> None:
    """Wait until an image can be answered, and no answer is too fast for the plan."""
    page.wait_for_selector("#stage[data-open]")
    page.wait_for_timeout(170)


def press(page: Page, key: str) -> None:
    shown(page)
    page.keyboard.press(key)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("saved", timeout=15_000)


def test_begin_pressed_twice_begins_once(page: Page, serve_reading: Serve) -> None:
    server = serve_reading()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.link)
    page.get_by_label("no", exact=True).check()
    page.get_by_role("checkbox").check()
    page.context.set_offline(True)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#welcome-error")).to_have_text("No connection: try again.")
    page.context.set_offline(False)
    asked.clear()
    page.get_by_role("button", name="Begin").dblclick()
    expect(page.locator("#pause")).to_contain_text("Practice first")
    assert sum(url.endswith("/agree") for url in asked) == 1


def test_a_whole_study_by_keys(page: Page, serve_reading: Serve) -> None:
    """60 answers with undo, a reload in the middle, and a connection that drops."""
    server = serve_reading()
    plan = server.plan
    assert plan.repeats == 3
    begin(page, server)
    for number in range(20):
        press(page, str(number % 10))
    # Undo: the last answer becomes another one, and reading goes on where it was.
    shown(page)
    page.keyboard.press("Backspace")
    expect(page.locator("#progress")).to_contain_text("again: 20 of 63")
    press(page, "7")
    expect(page.locator("#progress")).to_have_text("21 of 63")
    saved(page)
    page.reload()
    expect(page.locator("#progress")).to_have_text("21 of 63")
    # All that were asked for at once are there before the connection drops.
    page.wait_for_function(
        "(ahead) => performance.getEntriesByType('resource')"
        ".filter((entry) => entry.name.includes('/images/')).length >= ahead",
        arg=AHEAD,
    )
    for number in range(20, 30):
        press(page, str(number % 10))
    # The connection drops: what is loaded can be read on, and nothing is lost.
    saved(page)
    server.stop()
    for number in range(30, 33):
        press(page, str(number % 10))
    expect(page.locator("#saved")).to_contain_text("no connection")
    expect(page.locator("#saved")).to_contain_text("to send")
    server.start()
    for number in range(33, 63):
        press(page, str(number % 10))
    expect(page.locator("#done-title")).to_be_visible()
    readings = server.study.reading_log.load(plan)
    check_follows(plan, readings)
    main = readings.purpose != Purpose.AGAIN
    assert main.sum() == 63
    expected = [number % 10 for number in range(63)]
    expected[19] = 7
    np.testing.assert_array_equal(readings.answer[main], expected)
    assert readings.first_answer[main][19] == 9
    np.testing.assert_array_equal(np.flatnonzero(readings.undone), [19])
    assert readings.session[main][0] == 1
    assert readings.session[main][-1] == 2


def test_the_image_is_what_is_recorded(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    images = server.dataset.test.pixels()
    for _ in range(5):
        shown(page)
        pixels = page.evaluate(
            """() => {
              const image = document.querySelector("#stage img");
              const canvas = document.createElement("canvas");
              canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
              return [...data].filter((_, at) => at % 4 === 0);
            }"""
        )
        page.keyboard.press("4")
        saved(page)
        answer = server.answers[-1]
        np.testing.assert_array_equal(np.reshape(pixels, (28, 28)), images[answer.item])
        assert answer.rt_ms >= 50
        assert answer.screen == "1280x800"


def test_pixels_are_whole_pixels(new_page: Callable[..., Page], serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    for ratio in (1, 1.5, 2):
        page = new_page(device_scale_factor=ratio)
        if ratio == 1:
            begin(page, server)
        else:
            page.goto(server.link)
        shown(page)
        side = page.locator("#stage img").bounding_box()
        assert side is not None
        times = side["width"] * ratio / 28
        assert times == pytest.approx(round(times))
        assert times >= 5 * ratio
        rendering = page.locator("#stage img").evaluate("(i) => getComputedStyle(i).imageRendering")
        assert rendering == "pixelated"


def test_held_keys_and_unknown_keys_answer_nothing(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    shown(page)
    page.keyboard.press("x")
    page.keyboard.down("5")
    for _ in range(5):
        page.keyboard.down("5")  # the browser marks these as repeats
        page.wait_for_timeout(80)
    page.keyboard.up("5")
    saved(page)
    assert [answer.answer for answer in server.answers] == [5]


def test_the_number_pad_and_buttons(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    press(page, "Numpad3")
    shown(page)
    page.locator("#answers").get_by_role("button", name="8").click()
    shown(page)
    page.get_by_role("button", name="go back").click()
    press(page, "6")
    saved(page)
    assert [(a.position, a.answer, a.attempt) for a in server.answers] == [
        (0, 3, 1), (1, 8, 1), (1, 6, 2),
    ]  # fmt: skip


def test_unsure_marks_one_answer(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    shown(page)
    page.keyboard.press("Space")
    expect(page.locator("#unsure")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    shown(page)
    expect(page.locator("#unsure")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("2")
    saved(page)
    assert [answer.unsure for answer in server.answers] == [1, 0]


def test_undo_goes_back_three_at_most(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    for key in "12345":
        press(page, key)
    for _ in range(5):
        shown(page)
        page.keyboard.press("Backspace")
    expect(page.locator("#progress")).to_contain_text("again: 3 of")
    press(page, "Escape")
    expect(page.locator("#progress")).to_contain_text("6 of")
    saved(page)
    assert [answer.answer for answer in server.answers] == [1, 2, 3, 4, 5]


def test_an_answer_after_the_focus_was_lost_is_asked_again(
    page: Page, serve_reading: Serve
) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    shown(page)
    page.evaluate("() => window.dispatchEvent(new Event('blur'))")
    page.keyboard.press("1")
    shown(page)
    expect(page.locator("#remark")).to_contain_text("asked again later")
    expect(page.locator("#progress")).to_have_text("2 of 14")
    assert [answer.unfocused for answer in server.answers] == [1]
    page.reload()
    shown(page)
    expect(page.locator("#progress")).to_have_text("2 of 14")


NOTE_WAITS = """() => {
  const start = window.setTimeout;
  window.waits = [];
  window.setTimeout = (act, wait, ...rest) => {
    window.waits.push(wait);
    return start(act, wait, ...rest);
  };
}"""


def test_an_outage_is_told_and_nothing_is_taken_meanwhile(page: Page, serve_reading: Serve) -> None:
    server = serve_reading()
    begin(page, server)
    press(page, "1")
    saved(page)
    page.evaluate(NOTE_WAITS)
    server.stop()
    waiting = page.locator("#waiting")
    for number in range(40):  # what was loaded is read on
        shown_or_waiting = "() => document.querySelector('#stage[data-open], #reading.waiting')"
        page.wait_for_function(shown_or_waiting)
        if page.locator("#reading.waiting").count():
            break
        page.wait_for_timeout(170)
        page.keyboard.press(str(number % 10))
    expect(waiting).to_have_text("waiting for the next image")
    assert page.locator("#controls button:not([aria-disabled])").count() == 0
    # Neither keys nor buttons answer for an image that isn't there yet.
    page.keyboard.press("9")
    page.locator("#answers").get_by_role("button", name="9").click(force=True)
    kept = page.evaluate("() => Object.values(localStorage).map((text) => JSON.parse(text).length)")
    assert kept == [number]
    # However long it takes: the next try is never more than two seconds away.
    page.wait_for_function("() => window.waits.filter((wait) => wait >= 2_000).length >= 2")
    assert max(page.evaluate("() => window.waits")) == 2_000
    server.start()
    shown(page)
    expect(waiting).to_have_text("")
    assert page.locator("#controls button[aria-disabled]").count() == 0
    page.keyboard.press("3")
    saved(page)
    assert [a.answer for a in server.answers] == [1, *(n % 10 for n in range(number)), 3]
    assert [a.position for a in server.answers] == list(range(number + 2))


def test_a_second_tab_that_is_behind_moves_on(
    new_context: Callable[..., BrowserContext], new_page: Callable[..., Page], serve_reading: Serve
) -> None:
    server = serve_reading(answers=12)
    context = new_context()
    page = new_page(context)
    begin(page, server)
    press(page, "1")
    saved(page)
    other = new_page(context)
    other.goto(server.link)
    shown(other)
    expect(other.locator("#progress")).to_have_text("2 of 13")
    page.bring_to_front()
    for key in "234":
        press(page, key)
    saved(page)
    other.bring_to_front()
    press(other, "9")  # of an image that the first tab has answered
    expect(other.locator("#remark")).to_contain_text("answered in another window already")
    expect(other.locator("#progress")).to_have_text("5 of 13")
    press(other, "8")
    saved(other)
    finals = {a.position: a.answer for a in server.answers}
    assert finals == {0: 1, 1: 2, 2: 3, 3: 4, 4: 8}
    assert len(server.answers) == 5
    # Going back is meant: it replaces an answer.
    page.bring_to_front()
    shown(page)
    page.keyboard.press("Backspace")
    press(page, "0")
    saved(page)
    assert [a.answer for a in server.answers if a.position == 3] == [4, 0]


def test_two_windows_keep_what_neither_could_send(
    new_context: Callable[..., BrowserContext], new_page: Callable[..., Page], serve_reading: Serve
) -> None:
    server = serve_reading(answers=12)
    context = new_context()
    page = new_page(context)
    begin(page, server)
    saved(page)
    other = new_page(context)
    other.goto(server.link)
    shown(other)
    context.route("**/answers", lambda route: route.abort())
    press(other, "1")
    press(other, "2")
    page.bring_to_front()
    press(page, "3")
    page.close()
    other.close()
    context.unroute("**/answers")
    last = new_page(context)
    last.goto(server.link)
    shown(last)
    # The first answer of the image counts; the other window's second image is kept, too.
    assert [(a.position, a.answer) for a in server.answers] == [(0, 1), (1, 2)]


def test_going_back_shows_what_was_answered(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    for key in "12":
        press(page, key)
    shown(page)
    chosen = page.locator("#answers [aria-current]")
    assert chosen.count() == 0
    page.keyboard.press("Space")
    press(page, "3")
    shown(page)
    page.keyboard.press("Backspace")
    shown(page)
    expect(chosen).to_have_text("3")
    expect(page.locator("#unsure")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Backspace")
    shown(page)
    expect(chosen).to_have_text("2")
    expect(page.locator("#unsure")).to_have_attribute("aria-pressed", "false")
    for _ in range(2):
        shown(page)
        page.keyboard.press("Backspace")
    expect(page.locator("#remark")).to_have_text("3 images back is as far as it goes")
    page.keyboard.press("Escape")
    shown(page)
    assert chosen.count() == 0


def test_the_last_image_can_be_mended(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    begin(page, server)
    for number in range(13):
        press(page, str(number % 10))
    expect(page.locator("#done-title")).to_be_visible()
    page.get_by_role("button", name="go back to the last image").click()
    shown(page)
    expect(page.locator("#answers [aria-current]")).to_have_text("2")
    page.keyboard.press("Escape")
    expect(page.locator("#done-title")).to_be_visible()
    page.keyboard.press("Backspace")
    press(page, "7")
    expect(page.locator("#done-title")).to_be_visible()
    saved(page)
    assert [a.answer for a in server.answers if a.position == 12] == [2, 7]
    page.reload()
    expect(page.locator("#done-title")).to_be_visible()
    expect(page.locator("#back")).to_be_hidden()


def test_a_break_every_hundred(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    page.route(
        "**/r/*",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace('"breakEvery": 100', '"breakEvery": 4'),
        ),
    )
    begin(page, server)
    for _ in range(4):
        press(page, "1")
    expect(page.locator("#pause")).to_contain_text("Take a break")
    page.keyboard.press("1")  # answers nothing
    page.keyboard.press("Enter")
    press(page, "2")
    saved(page)
    assert [answer.answer for answer in server.answers] == [1, 1, 1, 1, 2]


# Notes what stands on the stage, one thing after another, and whether it can be answered by then.
WATCH = """() => {
  const stage = document.getElementById("stage");
  window.seen = [];
  const note = () => window.seen.push(
    (stage.firstElementChild?.tagName ?? "nothing") + (stage.matches("[data-open]") ? " open" : "")
  );
  new MutationObserver(note).observe(stage, { childList: true });
}"""


def test_brief_mode_shows_masks_and_times_out(
    page: Page, serve_reading: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = BRIEF["answer"]
    # Whoever presses keys on a busy machine has time.
    monkeypatch.setitem(BRIEF, "answer", 60_000)
    server = serve_reading(answers=12, brief=True)
    begin(page, server)
    shown(page)
    page.evaluate(WATCH)
    page.keyboard.press("4")
    page.wait_for_function("() => window.seen.includes('DIV')")  # the fixation cross
    saved(page)
    monkeypatch.setitem(BRIEF, "answer", limit)
    page.reload()
    page.evaluate(WATCH)
    page.wait_for_function(  # the mask, then nothing, until the time ran out
        "() => /IMG,CANVAS open,nothing open,(nothing,)?DIV/.test(window.seen)"
    )
    monkeypatch.setitem(BRIEF, "answer", 60_000)
    page.reload()
    press(page, "5")
    saved(page)
    first, *late, last = server.answers
    assert (first.answer, last.answer) == (4, 5)
    assert late
    assert {answer.answer for answer in late} == {None}
    assert all(answer.rt_ms >= limit for answer in late)


def test_the_welcome_of_brief_mode_names_its_times(page: Page, serve_reading: Serve) -> None:
    page.goto(serve_reading(answers=12, brief=True).link)
    welcome = page.locator("#welcome")
    expect(welcome).to_contain_text(f"flashes up for {BRIEF['image'] / 1000:g} seconds")
    expect(welcome).to_contain_text(f"after {BRIEF['answer'] / 1000:g} seconds the next one comes")
    expect(welcome).not_to_contain_text("no time limit")
    page.goto(serve_reading(answers=12).link)
    expect(welcome).to_contain_text("There is no time limit")
    expect(welcome).not_to_contain_text("flashes")


def test_the_welcome_says_who_asks_what_and_how_long(
    new_page: Callable[..., Page], serve_reading: Serve
) -> None:
    server = serve_reading(answers=300)
    page = new_page()
    page.goto(server.link)
    welcome = page.locator("#welcome")
    expect(welcome).to_contain_text("Asked by Eve <eve@example.org>.")
    expect(welcome).to_contain_text(
        "You will see 315 images, one at a time, which takes about 8 min"
    )
    expect(welcome).to_contain_text("which digit it shows")
    expect(welcome).not_to_contain_text("class")
    assert "Choose with a key or a button" in welcome.inner_text()
    assert "Backspace or go back shows" in welcome.inner_text()
    phone = new_page(viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True)
    phone.goto(server.link)
    expect(phone.locator("#welcome")).to_be_visible()
    words = phone.locator("#welcome").inner_text()
    assert "Choose with a button" in words
    assert "go back shows up to 3 images again" in words
    assert "Backspace" not in words
    assert "Space" not in words


def test_thirty_long_names_leave_everything_in_sight(
    new_page: Callable[..., Page], serve_reading: Serve, tools: Any, tmp_path: Path
) -> None:
    names = tuple(f"species number {n} with a long Latin name, var. {n}" for n in range(30))
    generator = np.random.default_rng(0)
    splits = {
        name: Split(
            name, generator.integers(0, 256, (60, 32, 32), dtype=np.uint8),
            np.arange(60, dtype=np.int16) % 30,
        )
        for name in ("train", "test")
    }  # fmt: skip
    dataset = tools.save_npz(tmp_path / "species.npz", Dataset("species", names, splits, ""))
    server = serve_reading(20, dataset)
    sizes = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
    for number, size in enumerate(sizes):
        page = new_page(viewport=size)
        if number == 0:
            begin(page, server)
        else:
            page.goto(server.link)
        shown(page)
        for place in ("#stage img", "#undo", "#unsure", "#answers input"):
            box = page.locator(place).bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= box["y"] + box["height"] <= size["height"], place
        assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.close()
    page = new_page()
    page.goto(server.link)
    press(page, "w")  # keys stay: 1 to 0, then q and w
    shown(page)
    page.keyboard.press("/")
    page.keyboard.type("number 2")
    expect(page.locator(".choice:visible")).to_have_count(11)
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    shown(page)
    expect(page.locator(".choice:visible")).to_have_count(30)
    press(page, "q")  # letters are keys again
    saved(page)
    assert [answer.answer for answer in server.answers] == [11, 27, 10]


def test_the_owners_page_fits_a_phone(new_page: Callable[..., Page], serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    for width in (390, 1280):
        page = new_page(viewport={"width": width, "height": 800})
        page.goto(server.owner)
        card = page.locator(".card").bounding_box()
        link = page.get_by_role("link", name=server.link).bounding_box()
        assert card is not None
        assert link is not None
        assert link["x"] + link["width"] <= card["x"] + card["width"] <= width
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        scrolled = page.locator(".card").evaluate("(card) => card.scrollWidth > card.clientWidth")
        assert not scrolled
        check_accessible(page)
    page.get_by_role("button", name="Copy the link of ann").click()
    expect(page.locator("#copied")).to_contain_text("cop")


def test_images_of_a_folder_are_as_large_as_those_of_an_array(
    page: Page, serve_reading: Serve, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    sides = [20, 48, 48, 200, 700]
    for split in ("train", "test"):
        for kind in ("ant", "bee"):
            folder = tmp_path / "kinds" / split / kind
            folder.mkdir(parents=True)
            for number in range(10):
                side = sides[number % 5]
                pixels = generator.integers(0, 256, (side, side, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    begin(page, serve_reading(10, load(str(tmp_path / "kinds"))))
    seen = set()
    for _ in range(10):
        shown(page)
        image = page.locator("#stage img")
        natural, drawn, rendering = image.evaluate(
            "(i) => [i.naturalWidth, i.getBoundingClientRect().width,"
            " getComputedStyle(i).imageRendering]"
        )
        seen.add(natural)
        assert 280 <= drawn <= 400
        if natural <= 128:
            assert drawn % natural == 0
        assert rendering == ("pixelated" if natural <= 128 else "auto")
        if natural == 48:
            assert drawn == 384  # as from an array
        page.keyboard.press("1")
    assert {20, 48} < seen


def test_many_classes_are_typed(
    page: Page, serve_reading: Serve, tools: Any, tmp_path: Path
) -> None:
    names = (*(f"kind {n}" for n in range(999)), "<script>alert(1)</script>")
    generator = np.random.default_rng(0)
    splits = {
        name: Split(name, generator.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8), labels)
        for name, labels in (
            ("train", np.arange(40, dtype=np.int16)), ("test", np.arange(960, 1000, dtype=np.int16))
        )
    }  # fmt: skip
    dataset = tools.save_npz(tmp_path / "kinds.npz", Dataset("kinds", names, splits, ""))
    server = serve_reading(8, dataset)
    page.goto(server.link)
    page.get_by_label("no", exact=True).check()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#pause")).to_contain_text("Practice first")
    page.keyboard.press("Enter")
    for _ in range(10):
        shown(page)
        page.keyboard.type("kind 5")
        page.keyboard.press("Enter")
    expect(page.locator("#pause")).to_contain_text("That was practice")
    page.keyboard.press("Enter")
    shown(page)
    page.keyboard.type("script")
    page.keyboard.press("Enter")
    shown(page)
    page.keyboard.type("kind 77")
    expect(page.locator(".found button")).to_have_count(11)  # 77 and 770 to 779
    page.locator(".found button", has_text="kind 771").click()
    saved(page)
    assert [answer.answer for answer in server.answers] == [999, 771]


def test_a_wrong_link_says_so(page: Page, serve_reading: Serve) -> None:
    server = serve_reading(answers=12)
    response = page.goto(server.link[:-3] + "xyz")
    assert response is not None
    assert response.status == 404
    assert "ask whoever sent it" in page.inner_text("body")


def test_another_day_begins_with_practice(
    new_page: Callable[..., Page], serve_reading: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve_reading(answers=12)
    page = new_page()
    begin(page, server)
    press(page, "1")
    saved(page)
    page.close()
    server.stop()
    clock = time.time_ns() // 1_000_000 + 86_400_000
    monkeypatch.setattr("misread.web.reader.room.now", lambda: clock)
    monkeypatch.setattr("misread.web.reader.room.Room.__init__.__defaults__", (lambda: clock,))
    server.start()
    other = new_page()
    other.goto(server.link)
    expect(other.locator("#pause")).to_contain_text("Practice first")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessible(
    new_context: Callable[..., BrowserContext],
    new_page: Callable[..., Page],
    serve_reading: Serve,
    scheme: str,
    width: int,
) -> None:
    server = serve_reading(answers=12)
    context = new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = new_page(context)
    page.goto(server.link)
    page.wait_for_selector("#welcome:not([hidden])")
    check_accessible(page)
    begin(page, server)
    shown(page)
    check_accessible(page)
    # Nothing is cut off, and fingers find every button.
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for button in page.locator("#controls button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 44


def check_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []
