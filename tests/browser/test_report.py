"""The static report in a real browser, opened from file://: no server, no network, no error."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from misread.datasets import Dataset, Split
from misread.store import Study
from misread.tables import Predictions
from misread.workflows.report import write_report

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
PAGES = (
    "index", "mistakes-test-held-out", "mistakes-train-cross-fitted", "mistakes-train-in-sample",
    "audit-test", "audit-train", "drawn-test", "compare-test", "people", "methods",
)  # fmt: skip


@pytest.fixture(scope="module")
def bars(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture(scope="module")
def folder(whole_study: Study, bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report") / "pages"
    return write_report(whole_study, place, dataset=bars).path


@pytest.fixture(scope="module")
def single(whole_study: Study, bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(whole_study, place, single_file=True, dataset=bars).path


@dataclass
class Watched:
    """What a page asks for and complains of."""

    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        def asked(request: Request) -> None:
            self.requests.append(request.url)

        page.on("request", asked)
        page.on("requestfailed", lambda request: self.failed.append(request.url))
        page.on("console", lambda message: self.console.append(message.text))
        return page


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    assert watched.console == []
    assert watched.failed == []
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    new_page: Callable[..., Page], watched: Watched, folder: Path, single: Path,
    check: Callable[[Page, str], None], scheme: str, size: dict[str, int],
) -> None:  # fmt: skip
    page = watched.watch(new_page(viewport=size, color_scheme=scheme))
    for place in (*(folder.with_name(f"{name}.html") for name in PAGES), single):
        page.goto(place.as_uri())
        where = f"{place.name} {scheme} {size['width']}"
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, where
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true; }")
        check(page, where)


def test_a_number_of_the_confusion_matrix_leads_to_its_images(
    new_page: Callable[..., Page], watched: Watched, folder: Path
) -> None:
    page = watched.watch(new_page())
    page.goto(folder.as_uri())
    link = page.locator("table.matrix td a").first
    number, title = int(link.inner_text()), link.get_attribute("title") or ""
    link.click()
    page.wait_for_url("**/mistakes-test-held-out.html#*")
    shown = page.locator(".mistake:visible")
    expect(shown).to_have_count(number)
    given, read = title.removeprefix("given ").split(", read as ")
    for tile in shown.all():
        assert tile.locator(".read b").inner_text() == read
        assert tile.locator(".line b").nth(1).inner_text() == given
    expect(page.locator("form.filter output")).to_have_text(f"given {given}: {number} shown")
    page.get_by_role("button", name="show all").click()
    assert page.locator(".mistake").count() > number
    expect(page.locator(".mistake:visible")).to_have_count(page.locator(".mistake").count())
    page.go_back()
    expect(page.locator("table.matrix").first).to_be_visible()


def test_mistakes_are_filtered_by_class_and_verdict(
    new_page: Callable[..., Page], watched: Watched, folder: Path
) -> None:
    page = watched.watch(new_page())
    page.goto(folder.with_name("mistakes-test-held-out.html").as_uri())
    everything = page.locator(".mistake").count()
    expect(page.locator(".mistake:visible")).to_have_count(everything)
    page.locator("select[name=predicted]").select_option(label="middle")
    middle = page.locator('.mistake[data-predicted="1"]').count()
    expect(page.locator(".mistake:visible")).to_have_count(middle)
    assert 0 < middle < everything
    page.locator("select[name=verdict]").select_option("ambiguous")
    both = page.locator('.mistake[data-predicted="1"][data-verdict="ambiguous"]').count()
    expect(page.locator(".mistake:visible")).to_have_count(both)
    page.get_by_role("button", name="show all").click()
    expect(page.locator(".mistake:visible")).to_have_count(everything)
    expect(page.get_by_role("button", name="show all")).to_be_hidden()


def test_tables_are_sorted_by_a_click(
    new_page: Callable[..., Page], watched: Watched, folder: Path
) -> None:
    page = watched.watch(new_page())
    page.goto(folder.as_uri())
    table = page.locator("table.rates").first
    button = table.get_by_role("button", name="error")

    def values() -> list[float]:
        cells = table.locator("tbody tr td:nth-child(3)").all()
        return [float(cell.get_attribute("data-value") or "nan") for cell in cells]

    button.click()
    assert values() == sorted(values(), reverse=True)
    button.click()
    assert values() == sorted(values())
    expect(table.locator("th[aria-sort=ascending]")).to_have_text("error")


def test_the_theme_is_remembered_and_followed(
    new_page: Callable[..., Page], watched: Watched, folder: Path
) -> None:
    page = watched.watch(new_page(color_scheme="light"))
    page.goto(folder.as_uri())

    def background() -> str:
        return str(
            page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
        )

    light = background()
    page.emulate_media(color_scheme="dark")
    dark = background()
    assert light != dark
    page.get_by_role("button", name="Light").click()
    assert background() == light
    page.get_by_role("link", name="Methods", exact=True).click()
    assert background() == light


def test_images_are_shown_by_whole_pixels(
    new_page: Callable[..., Page], watched: Watched, folder: Path, bars: Dataset
) -> None:
    """Each pixel of an image is a square of one colour on the screen: the image's own."""
    page = watched.watch(new_page())
    page.goto(folder.with_name("audit-test.html").as_uri())
    tile = page.locator(".entry > .tile").first
    image = bars.test.images[int((tile.get_attribute("aria-label") or "").split()[1])]
    box = tile.bounding_box()
    assert box is not None
    zoom = round(box["width"]) // image.shape[1]
    assert zoom > 1
    enlarged = np.repeat(np.repeat(image, zoom, axis=0), zoom, axis=1)
    height, width = enlarged.shape[:2]
    assert (box["width"], box["height"]) == (width, height)
    # A box that begins between two pixels of the screen is drawn from the nearer one.
    left, top = round(box["x"]), round(box["y"])
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    shot = screen[top : top + height, left : left + width]
    inside = slice(4, -4)  # the corners are round
    np.testing.assert_array_equal(shot[inside, inside], enlarged[inside, inside])


def test_without_scripts_everything_is_there(
    new_page: Callable[..., Page], watched: Watched, folder: Path
) -> None:
    page = watched.watch(new_page(java_script_enabled=False))
    page.goto(folder.as_uri())
    page.locator("table.matrix td a").first.click()
    page.wait_for_url("**/mistakes-test-held-out.html#*")
    expect(page.locator(".mistake:target")).to_be_visible()
    expect(page.locator("form.filter")).to_be_hidden()
    expect(page.locator("button.theme")).to_be_hidden()
    page.get_by_role("link", name="the audit has the evidence").click()
    expect(page.locator(".entry").first).to_be_visible()


def test_a_single_file_has_all_pages(
    new_page: Callable[..., Page], watched: Watched, single: Path
) -> None:
    page = watched.watch(new_page())
    page.goto(single.as_uri())
    page.locator("#index table.matrix td a").first.click()
    expect(page.locator("#mistakes-test-held-out form.filter output")).to_contain_text("shown")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit of test").click()
    expect(page.locator("#audit-test .entry").first).to_be_in_viewport()
    assert [url for url in watched.requests if url.startswith("file:")] == [single.as_uri()]


def test_names_do_nothing(
    new_page: Callable[..., Page], watched: Watched, tmp_path: Path,
    make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    evil = "<script>alert(1)</script>"
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 40).astype(np.int16)
    split = Split("test", generator.integers(0, 255, (40, 6, 6), dtype=np.uint8), labels)
    classes = (evil, "<img src=x onerror=alert(1)>")
    dataset = Dataset(evil, classes, {"test": split}, evil)
    study = make_study(tmp_path / "study", dataset, make_predictions(split, classes=classes))
    written = write_report(study, dataset=dataset)
    page = watched.watch(new_page())
    for place in written.path.parent.glob("*.html"):
        page.goto(place.as_uri())
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
    page.goto(written.path.as_uri())
    expect(page.locator("h1")).to_have_text(evil)
    page.locator("table.matrix td a").first.click()
    expect(page.locator("form.filter output")).to_contain_text("shown")
