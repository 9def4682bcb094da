"""The pages of people against models, in the gallery and in the report, in a real browser."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from misread.datasets import Dataset
from misread.store import Study
from misread.tables.readings import Purpose, Reader, Readings, Seen
from misread.views.pages import Limits
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers
from misread.workflows.report import write_report

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
# Each width and each theme once: axe-core takes its time on a page with so many images.
LOOKS = [(WIDE, "light"), (NARROW, "dark")]


def as_people(made: Readings, **changed: Any) -> Readings:
    """What programs answered, as if people had; one of them had seen the mistakes."""
    readers = tuple(
        Reader(f"person {n}", each.number, Seen.MISTAKES if n == 1 else Seen.NOTHING)
        for n, each in enumerate(made.readers)
    )
    return Readings(**{**vars(made), "readers": readers, **changed})


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, digits: Dataset, digits_study: Path) -> Path:
    """Five people who read by a plan, one of whom stopped early, and verdicts on six images."""
    study = Study.open(shutil.copytree(digits_study, tmp_path_factory.mktemp("people") / "study"))
    make_plan(study, 200)
    made = simulate_readers(
        study, 5, error_easy=0.02, error_hard=0.4, slips=0.02, answers=[200, 200, 150, 200, 200],
        dataset=digits,
    )  # fmt: skip
    study.save_readings("lab", as_people(made))
    labels = digits.test.labels
    wrong = np.flatnonzero(study.newest_predictions("test", "convnet").predicted != labels)
    kinds = ("model", "label", "ambiguous", "unreadable", "fine", "label")
    for place, (index, kind) in enumerate(zip(wrong.tolist(), kinds, strict=False)):
        right = (int(labels[index]) + 1) % 10 if place == 1 else None
        study.verdicts.decide(
            "test", [index], kind, right, event=f"e{place}", tab="t", given=[int(labels[index])]
        )
    study.verdicts.close()
    return study.path


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory, digits: Dataset, digits_study: Path) -> Path:
    """Four people who read without a plan."""
    folder = tmp_path_factory.mktemp("people")
    planned = Study.open(shutil.copytree(digits_study, folder / "planned"))
    make_plan(planned, 200)
    made = simulate_readers(planned, 4, error_easy=0.02, error_hard=0.4, dataset=digits)
    study = Study.open(shutil.copytree(digits_study, folder / "study"))
    main = np.flatnonzero(made.purpose == Purpose.MAIN)
    readers = as_people(made).readers
    study.save_readings(
        "lab",
        Readings("test", made.classes, "", tuple(Reader(each.name, None, each.seen)
                 for each in readers), made.reader[main], made.index[main], made.answer[main]),
    )  # fmt: skip
    return study.path


@pytest.fixture(params=["measured", "counted"])
def study(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def look(page: Page, check: Callable[[Page, str], None]) -> None:
    """In every look nothing serious by axe-core, and nothing that sticks out of the page."""
    for size, scheme in LOOKS:
        page.set_viewport_size(size)  # type: ignore[arg-type] # it is width and height
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # light or dark
        where = f"{page.url}, {size['width']}, {scheme}"
        page.locator("details").evaluate_all("(all) => all.forEach((e) => { e.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, where
        check(page, where)


def test_the_gallerys_page_is_accessible(
    page: Page,
    serve: Callable[..., Any],
    check: Callable[[Page, str], None],
    digits: Dataset,
    study: Path,
) -> None:
    page.goto(f"{serve(study, digits).url}/people")
    expect(page.get_by_role("heading", level=1)).to_have_text("People against models: test")
    look(page, check)


def test_the_reports_page_is_accessible(
    page: Page,
    check: Callable[[Page, str], None],
    digits: Dataset,
    study: Path,
    tmp_path: Path,
) -> None:
    # Few of everything else: axe-core takes its time for each image.
    few = Limits(tiles=5, preview=2, audit=2, cell=4)
    path = write_report(Study.open(study), tmp_path / "report", dataset=digits, limits=few).path
    page.goto(path.with_name("people.html").as_uri())
    expect(page.get_by_role("heading", name="People against models: test")).to_be_visible()
    look(page, check)


def test_every_image_is_drawn_and_named(
    new_page: Callable[..., Page], serve: Callable[..., Any], digits: Dataset, study: Path
) -> None:
    page = new_page()
    page.goto(f"{serve(study, digits).url}/people")
    images = page.locator("img.tile")
    assert images.count() > 20
    for image in images.all():
        image.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('img.tile')].every((each) => each.naturalWidth > 0)"
    )
    names = images.evaluate_all("(all) => all.map((each) => each.alt)")
    assert all(name.startswith("image ") and "given " in name for name in names)


def test_tables_are_sorted_by_the_keyboard(
    new_page: Callable[..., Page], serve: Callable[..., Any], digits: Dataset, measured: Path
) -> None:
    page = new_page(viewport=NARROW)
    page.goto(f"{serve(measured, digits).url}/people")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    table = page.locator("table.sortable").first
    button = table.get_by_role("button", name="error rate")
    for _ in range(20):
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        if button.evaluate("(each) => each === document.activeElement"):
            break
    expect(button).to_be_focused()

    def rates() -> list[float]:
        cells = table.locator("tbody tr td:nth-child(2)")
        return [float(cell.get_attribute("data-value") or "nan") for cell in cells.all()]

    page.keyboard.press("Enter")
    assert rates() == sorted(rates(), reverse=True)
    page.keyboard.press("Enter")
    assert rates() == sorted(rates())
    expect(table.locator("th[aria-sort=ascending]")).to_have_count(1)
    # A table that is wider than the screen is scrolled by keys, within itself.
    region = page.get_by_role("region", name="Error rate of each reader")
    region.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    assert page.evaluate("scrollX") == 0


def test_what_was_measured_is_told(
    new_page: Callable[..., Page], serve: Callable[..., Any], digits: Dataset, measured: Path
) -> None:
    page = new_page()
    page.goto(f"{serve(measured, digits).url}/people")
    expect(page.get_by_role("heading", name="After the decided verdicts")).to_be_visible()
    expect(page.get_by_text("6 images of 600 were reviewed")).to_be_visible()
    expect(page.get_by_role("row", name="person 1").first).to_contain_text("not blind")
    expect(page.locator("text=SIMULATED")).to_have_count(0)
    cells = page.locator(".quarter h4").all_inner_texts()
    assert cells[:4] == [
        "Both misread", "Only the model misreads", "Only people misread", "Neither misreads"
    ]  # fmt: skip
