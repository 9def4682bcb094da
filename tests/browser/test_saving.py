"""Nothing that was decided is lost: not by another view, a reload, another tab or a dead server."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from misread.datasets import Dataset
from misread.store import Study
from misread.tables.verdicts import Verdict

Open = Callable[..., Page]
VIEW = "?split=test&group=none&sort=index&right=no"
SERVE = """
import sys
from pathlib import Path
from misread.workflows.open import open_gallery
open_gallery(Path(sys.argv[1]), port=int(sys.argv[2]), browser=False,
             on_start=lambda *_: print("started", flush=True))
"""


def saved(page: Page) -> None:
    page.wait_for_function("() => document.getElementById('save-sign').textContent === 'All saved'")


def decided(study: Study, split: str = "test") -> list[str]:
    state = study.verdicts.state(split)
    return [str(found[0]) for index in state.index if (found := state.find(int(index)))]


def test_other_views_keep_what_was_decided(
    opened: Open, server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = opened(VIEW, routed=True)
    held: list[Route] = []
    page.route("**/api/verdicts", lambda route: held.append(route))
    page.keyboard.press("m")
    page.keyboard.press("a")
    # Unsent yet: another filter, another split, and back.
    page.get_by_role("button", name="All", exact=True).click()
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('600')")
    page.get_by_role("button", name="train 600").click()
    page.wait_for_function("() => document.getElementById('chips').textContent === ''")
    page.go_back()
    page.go_back()
    wait_for_images(page)
    page.wait_for_function(
        "() => document.querySelector('#tile-1').dataset.verdict === 'ambiguous'"
    )
    assert page.get_attribute("#tile-0", "data-verdict") == "model"
    page.unroute("**/api/verdicts")
    for route in held:
        route.continue_()
    saved(page)
    assert sorted(decided(server.study)) == ["ambiguous", "model"]


def test_a_reload_before_the_answer(
    opened: Open, server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    page = opened(VIEW, routed=True)
    page.route("**/api/verdicts", lambda route: route.abort())
    for key in "maf":
        page.keyboard.press(key)
    sign = page.locator("#save-sign")
    expect(sign).to_contain_text("Not saved: 3 verdicts kept in this browser")
    assert decided(server.study) == []
    page.unroute("**/api/verdicts")
    page.reload()
    wait_for_images(page)
    saved(page)
    assert sorted(decided(server.study)) == ["ambiguous", "fine", "model"]
    assert page.get_attribute("#tile-2", "data-verdict") == "fine"
    assert (
        page.evaluate("() => Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []
    )


def test_an_answer_that_was_lost_counts_once(opened: Open, server: Any) -> None:
    page = opened(VIEW, routed=True)
    events = []

    def lose_the_first_answer(route: Route) -> None:
        events.append(json.loads(route.request.post_data or "{}")["event"])
        if len(events) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/verdicts", lose_the_first_answer)
    with page.expect_response("**/api/verdicts"):  # of the second time: the first one's was lost
        page.keyboard.press("m")
    saved(page)
    assert len(events) == 2
    assert events[0] == events[1]
    assert server.study.verdicts.revision() == 1


def test_a_refused_verdict_is_taken_back_and_said(opened: Open) -> None:
    page = opened(VIEW, routed=True)
    page.route(
        "**/api/verdicts",
        lambda route: route.fulfill(status=400, json={"error": "items: something is wrong"}),
    )
    page.keyboard.press("m")
    expect(page.locator("#toast")).to_contain_text("Not taken: items: something is wrong")
    assert page.get_attribute("#tile-0", "data-verdict") == ""
    saved(page)


def test_a_study_that_cannot_be_written_for_a_while(opened: Open, server: Any) -> None:
    page = opened(VIEW, routed=True)
    page.route(
        "**/api/verdicts",
        lambda route: route.fulfill(status=503, json={"error": "disk full", "code": "not-saved"}),
    )
    page.keyboard.press("f")
    expect(page.locator("#save-sign")).to_contain_text("Not saved: 1 verdict")
    page.unroute("**/api/verdicts")
    page.get_by_role("button", name="Retry now").first.click()
    saved(page)
    assert decided(server.study) == ["fine"]


def test_two_tabs_see_each_other(
    new_context: Callable[..., BrowserContext], new_page: Callable[..., Page], server: Any,
    wait_for_images: Callable[[Page], None],
) -> None:  # fmt: skip
    context = new_context()
    one, two = new_page(context), new_page(context)
    for page in (one, two):
        page.goto(server.url + VIEW)
        wait_for_images(page)
    one.keyboard.press("m")
    two.wait_for_function("() => document.querySelector('#tile-0').dataset.verdict === 'model'")
    two.keyboard.press("ArrowRight")
    two.keyboard.press("a")
    one.wait_for_function("() => document.querySelector('#tile-1').dataset.verdict === 'ambiguous'")
    # Each tab undoes its own.
    one.keyboard.press("Backspace")
    saved(one)
    assert decided(server.study) == ["ambiguous"]
    two.wait_for_function("() => document.querySelector('#tile-0').dataset.verdict === ''")


def test_another_process_is_seen(opened: Open, server: Any) -> None:
    page = opened(VIEW)
    index = int(page.get_attribute("#tile-3", "data-index") or -1)
    Study.open(server.study.path).verdicts.decide(
        "test", [index], Verdict.UNREADABLE, event="other", tab="other"
    )
    page.wait_for_function(
        "() => document.querySelector('#tile-3').dataset.verdict === 'unreadable'"
    )


def test_what_a_closed_tab_left_is_sent_by_the_next(
    new_context: Callable[..., BrowserContext], new_page: Callable[..., Page], server: Any,
    wait_for_images: Callable[[Page], None],
) -> None:  # fmt: skip
    context = new_context()
    one = new_page(context)
    # Before the page is there: on a busy machine a route takes hold some time after it is set.
    one.route("**/api/verdicts", lambda route: route.abort())
    one.goto(server.url + VIEW)
    wait_for_images(one)
    one.keyboard.press("u")
    expect(one.locator("#save-sign")).to_contain_text("Not saved")
    one.close()
    two = new_page(context)
    two.goto(server.url + VIEW)
    wait_for_images(two)
    two.wait_for_function(
        "() => document.querySelector('#tile-0').dataset.verdict === 'unreadable'"
    )
    assert decided(server.study) == ["unreadable"]


def test_a_filter_by_verdict_stays_as_it_is_until_refreshed(opened: Open, server: Any) -> None:
    page = opened(VIEW + "&decided=none")
    total = int(page.locator("#count strong").inner_text())
    page.keyboard.press("m")
    page.keyboard.press("m")
    saved(page)
    # Nothing moved under the hands of who judges.
    assert page.get_attribute("#tile-0", "data-verdict") == "model"
    assert page.locator("#count strong").inner_text() == str(total)
    page.get_by_role("button", name="Verdicts changed: refresh").click()
    expect(page.locator("#count strong")).to_have_text(str(total - 2))
    expect(page.get_by_role("button", name="Verdicts changed: refresh")).to_be_hidden()


class Process:
    """A gallery in a process of its own, at a port that it comes back to."""

    def __init__(self, study: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.study = study
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.study), str(self.port)],
            stdout=subprocess.PIPE, env=os.environ, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "started\n"

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def process(digits: Dataset, digits_study: Path, tmp_path: Path) -> Iterator[Process]:
    shutil.copytree(digits_study, tmp_path / "study")
    process = Process(tmp_path / "study")
    yield process
    process.kill()


def test_the_server_is_killed_and_comes_back(
    process: Process, page: Page, wait_for_images: Callable[[Page], None]
) -> None:
    page.goto(process.url + VIEW)
    wait_for_images(page)
    page.keyboard.press("m")
    saved(page)
    process.kill()
    page.keyboard.press("a")
    page.keyboard.press("l")
    page.keyboard.press("-")
    page.keyboard.press("f")
    page.keyboard.press("Backspace")
    sign = page.locator("#save-sign")
    expect(sign).to_contain_text("Not saved")
    expect(page.get_by_role("alert").filter(has_text="misread open")).to_be_visible()
    # What is shown is what was decided, saved or not.
    shown = [page.get_attribute(f"#tile-{place}", "data-verdict") for place in range(4)]
    assert shown == ["model", "ambiguous", "label", ""]
    page.click("[data-split='train']")
    expect(page.locator("#failed")).to_contain_text("The server doesn't answer")
    process.start()  # with another token
    saved(page)
    expect(page.locator("#offline")).to_be_hidden()
    # The view that couldn't be shown comes by itself.
    expect(page.locator("#count")).to_contain_text("600")
    assert sorted(decided(Study.open(process.study))) == ["ambiguous", "label", "model"]
    page.go_back()
    wait_for_images(page)
    assert page.get_attribute("#tile-3", "data-verdict") == ""


def test_reloads_in_the_middle_of_judging(
    opened: Open, server: Any, wait_for_images: Callable[[Page], None]
) -> None:
    """However fast one judges and reloads, every key counts once."""
    page = opened(VIEW)
    pressed = []
    for number in range(4):
        for key in "ma":
            page.keyboard.press(key)
            pressed.append(key)
        page.reload()
        wait_for_images(page)
        for _ in range(2 * (number + 1)):
            page.keyboard.press("ArrowRight")
    saved(page)
    time.sleep(0.1)
    names = {"m": "model", "a": "ambiguous"}
    assert sorted(decided(server.study)) == sorted(names[key] for key in pressed)
