"""The page's pure functions, run in the browser that they are for."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from misread.views.html.formats import probability

Run = Callable[[str, str], Any]
STATIC = files("misread.web") / "static"


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page that has the modules and no server."""
    page = browser.new_page()

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name:
            route.fulfill(body=(STATIC / name).read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("**/*", answer)
    page.goto("http://modules.test/")
    yield page
    page.close()


@pytest.fixture
def run(blank: Page) -> Run:
    """Evaluate an expression in which `m` is a module of the page."""

    def evaluate(module: str, expression: str) -> Any:
        script = f"async () => {{ const m = await import('/{module}.js'); {expression} }}"
        return blank.evaluate(script)

    return evaluate


def test_rows_of_a_grid(run: Run) -> None:
    found = run(
        "layout",
        """
        const groups = [3, 1, 8].map((count, n) => ({ count, start: [0, 3, 4][n] }));
        const l = new m.Layout(groups, { columns: 3, rowHeight: 10, headerHeight: 4, padding: 5 });
        const rows = Array.from({ length: l.rowCount }, (_, n) => l.row(n));
        return {
          height: l.height,
          kinds: rows.map((r) => r.kind[0]).join(""),
          spans: rows.filter((r) => r.kind === "tiles").map((r) => [r.start, r.count]),
          heights: rows.map((r) => [r.top, l.rowAt(r.top), l.rowAt(r.top + r.height - 0.5)]),
          places: Array.from({ length: 12 }, (_, n) => [l.find(n).row, l.find(n).column]),
          down: [l.moveRows(2, 1), l.moveRows(3, 1), l.moveRows(5, 1), l.moveRows(8, 1)],
          up: [l.moveRows(3, -1), l.moveRows(5, -1), l.moveRows(0, -1)],
        };
        """,
    )
    assert found["kinds"] == "hththttt"
    assert found["spans"] == [[0, 3], [3, 1], [4, 3], [7, 3], [10, 2]]
    assert found["height"] == 3 * 4 + 5 * 10 + 5
    assert [row for row, *_ in found["places"]] == [1, 1, 1, 3, 5, 5, 5, 6, 6, 6, 7, 7]
    for number, (_, at_top, at_bottom) in enumerate(found["heights"]):
        assert at_top == at_bottom == number
    # Down from the end of a full row to a shorter one, and back.
    assert found["down"] == [3, 4, 8, 11]
    assert found["up"] == [0, 3, 0]


@pytest.mark.parametrize("height", [500, 90_000, 260_000_000])
def test_the_scroll_bar_reaches_everything(run: Run, height: int) -> None:
    found = run(
        "layout",
        f"""
        const map = new m.ScrollMap({height}, 700, 60_000);
        const bars = Array.from({{ length: 201 }}, (_, n) => (n / 200) * map.mostPhysical);
        const tops = bars.map((bar) => map.toReal(bar));
        return {{
          physical: map.physical, most: map.most, tops,
          off: Math.max(...tops.map((top, n) => Math.abs(map.toPhysical(top) - bars[n]))),
          nearTop: map.toReal(50) - map.toReal(0),
        }};
        """,
    )
    assert found["physical"] == min(height, 60_000)
    assert found["tops"] == sorted(found["tops"])
    assert found["tops"][0] == 0
    assert found["tops"][-1] == pytest.approx(max(0, height - 700))
    assert found["off"] < 1e-6
    # At the ends a pixel is a pixel, so that the first rows can be scrolled to one by one.
    assert found["nearTop"] == pytest.approx(50)


def test_pixels_cover_whole_pixels_of_the_screen(run: Run) -> None:
    sizes = run(
        "layout",
        """
        return [1, 1.25, 1.5, 2, 3].map((ratio) =>
          [28, 32, 7].map((pixels) => (m.exactSize(pixels, 84, ratio) * ratio) / pixels));
        """,
    )
    assert all(
        times == pytest.approx(round(times)) and times >= 1 for row in sizes for times in row
    )


def test_ranges_are_a_set(run: Run) -> None:
    found = run(
        "ranges",
        """
        const set = new m.Ranges(), mirror = new Set();
        let state = 7;
        const random = (n) => {
          state = (state * 1103515245 + 12345) % 2147483648;
          return state % n;
        };
        const all = (start, end, act) => { for (let n = start; n < end; n += 1) act(n); };
        for (let step = 0; step < 400; step += 1) {
          const start = random(60), end = start + random(12), what = random(3);
          if (what === 0) { set.add(start, end); all(start, end, (n) => mirror.add(n)); }
          if (what === 1) { set.remove(start, end); all(start, end, (n) => mirror.delete(n)); }
          if (what === 2) {
            set.toggle(start);
            if (!mirror.delete(start)) mirror.add(start);
          }
          const same = [...Array(80).keys()].every((n) => set.has(n) === mirror.has(n));
          const apart = set.list.every(([a, b], n, all) => a < b && (n === 0 || all[n - 1][1] < a));
          if (!same || !apart || set.size !== mirror.size) return `wrong after ${step}`;
        }
        return "same";
        """,
    )
    assert found == "same"


@pytest.mark.parametrize(
    ("event", "where", "action"),
    [
        ({"key": "m"}, {}, "verdict:model"),
        ({"key": "M"}, {}, "verdict:model"),  # caps lock
        ({"key": "ь", "code": "KeyM"}, {}, "verdict:model"),  # a Russian keyboard
        ({"key": "m"}, {"typing": True}, None),
        ({"key": "m", "repeat": True}, {}, None),
        ({"key": "m", "altKey": True}, {}, None),
        ({"key": "m", "ctrlKey": True}, {}, None),
        ({"key": "M", "shiftKey": True}, {}, None),
        ({"key": "ArrowRight", "repeat": True}, {}, "move"),
        ({"key": "ArrowRight"}, {"viewer": True}, "next"),
        ({"key": "ArrowUp"}, {"viewer": True}, None),
        ({"key": "Backspace"}, {}, "undo"),
        ({"key": "z", "ctrlKey": True}, {}, "undo"),
        ({"key": "z", "metaKey": True}, {}, "undo"),
        ({"key": "Z", "ctrlKey": True, "shiftKey": True}, {}, "redo"),
        ({"key": "y", "ctrlKey": True}, {}, "redo"),
        ({"key": "a", "ctrlKey": True}, {}, "select-all"),
        ({"key": "a", "ctrlKey": True}, {"viewer": True}, None),
        ({"key": "Enter"}, {"onControl": True}, None),
        ({"key": "Enter"}, {}, "open"),
        ({"key": "4"}, {}, None),
        ({"key": "4"}, {"labelling": True}, "label:4"),
        ({"key": "m"}, {"labelling": True}, "label:m"),
        ({"key": "Enter"}, {"labelling": True}, "label:suggested"),
        ({"key": "Escape"}, {"labelling": True}, "cancel"),
        ({"key": "Backspace"}, {"labelling": True}, "cancel"),
        ({"key": "?", "shiftKey": True}, {}, "help"),
        ({"key": "-"}, {}, "smaller"),
        ({"key": "Tab"}, {}, None),
    ],
)
def test_keys(run: Run, event: dict[str, Any], where: dict[str, Any], action: str | None) -> None:
    plain = dict.fromkeys(["ctrlKey", "metaKey", "altKey", "shiftKey", "repeat"], False)
    nowhere = dict.fromkeys(["typing", "onControl", "viewer", "labelling"], False)
    arguments = f"{json.dumps(plain | event)}, {json.dumps(nowhere | where)}"
    found = run("keys", f"return m.actionOf({arguments});")
    assert found == action


def test_keys_of_classes(run: Run) -> None:
    found = run(
        "keys",
        """
        const named = (n) => Array.from({ length: n }, (_, k) => `class ${k}`);
        return [
          m.classKeys(["0", "1", "2"]), m.classKeys(["cat", "dog"]),
          m.classKeys([..."abcdefghijkl"]),
          m.classKeys([..."aA"]), m.classKeys(named(11)), m.classKeys(["-", "?"]),
          m.classKeys(named(10)),
        ];
        """,
    )
    ten = [*"1234567890"]
    assert found == [
        ["0", "1", "2"], ["1", "2"], list("abcdefghijkl"), ["a", "A"], None, ["1", "2"], ten,
    ]  # fmt: skip


def test_typing_finds_names(run: Run) -> None:
    found = run(
        "picker",
        """
        const names = ["tench", "Tench lake", "stench", "café", "قطة"];
        const options = names.map((text) => ({ value: text, text }));
        return ["TENCH", "cafe", "قط", "zebra", ""].map((typed) =>
          m.fitting(options, typed).map((option) => option.text));
        """,
    )
    assert found[0] == ["tench", "Tench lake", "stench"]
    assert found[1:4] == [["café"], ["قطة"], []]
    assert len(found[4]) == 5


def test_a_url_and_back(run: Run) -> None:
    found = run(
        "state",
        """
        const search = "?sort=random&split=test&meta.a+b=%26+x&meta.empty=&nonsense=1"
          + "&image=7&side=confusions";
        const state = m.parse(search);
        return { state, again: m.parse(m.toSearch(state)), query: m.toQuery(state.query) };
        """,
    )
    assert found["state"] == found["again"]
    assert found["state"]["query"]["meta.a b"] == "& x"
    assert found["state"]["image"] == 7
    assert found["query"] == "split=test&sort=random&meta.a+b=%26+x&meta.empty=&nonsense=1"


def test_probabilities_are_never_rounded_to_certainty(run: Run) -> None:
    found = run(
        "text",
        "return [0, 1e-6, 0.0049, 0.05, 0.5, 0.994, 0.9951, 0.99999, 1].map(m.probability);",
    )
    assert found == ["<0.1%", "<0.1%", "0.5%", "5.0%", "50%", "99.4%", "99.5%", ">99.9%", ">99.9%"]
    # As in the report.
    assert found[3:7] == [probability(value) for value in (0.05, 0.5, 0.994, 0.9951)]


def test_requests_scrolled_past_are_given_up(run: Run) -> None:
    found = run(
        "windows",
        """
        const asked = [], given_up = [], dropped = [], open = new Map();
        const windows = new m.Windows(1000, {
          size: 10, keep: 4,
          load: (start, count, signal) => new Promise((resolve, reject) => {
            asked.push(start);
            open.set(start, () => resolve(start));
            signal.addEventListener("abort", () => {
              given_up.push(start);
              reject(new DOMException("", "AbortError"));
            });
          }),
          drop: (value) => dropped.push(value), loaded: () => {},
          failed: (error) => { throw error; },
        });
        const rest = () => new Promise((resolve) => setTimeout(resolve));
        windows.want(0, 15);
        windows.want(500, 505);
        const first = [[...asked], [...given_up]];
        open.get(500)(); await rest();
        windows.want(500, 505);          // there: now its surroundings
        const second = asked.slice(3);
        for (const start of second) open.get(start)();
        await rest();
        windows.want(700, 700); open.get(700)(); await rest();
        return { first, second, dropped, held: windows.held, at: windows.at(503) };
        """,
    )
    assert found["first"] == [[0, 10, 500], [0, 10]]
    assert sorted(found["second"]) == [490, 510, 520]
    assert found["held"] == 4
    assert len(found["dropped"]) == 1


def test_the_page_asks_for_all_modules_at_once() -> None:
    """A module that is found only when another one has come delays the first picture."""
    page = (files("misread.web") / "templates" / "gallery.html").read_text(encoding="utf-8")
    modules = {entry.name for entry in STATIC.iterdir() if entry.name.endswith(".js")}
    for name in modules - {"main.js", "theme.js", "types.js"}:
        assert f'"{name.removesuffix(".js")}"' in page
    for style in (entry.name for entry in STATIC.iterdir() if entry.name.endswith(".css")):
        assert f"/static/{style}" in page or style == "overview.css"
