import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from markupsafe import Markup

from misread.datasets import Dataset
from misread.store import Study
from misread.views.html import Renderer, read_static
from misread.views.html.links import Size
from misread.views.pages import Pages
from misread.views.pages.compared import ComparedPeople
from misread.views.pages.parts import Interval, Picture
from misread.workflows.report import make_pages


class Recorded:
    """Links as the gallery may have them: by query, with images by URL."""

    def __init__(self, *, lead: bool = True) -> None:
        self.lead = lead
        self.asked: list[tuple[str, int | None, int | None]] = []

    def mistakes(
        self, key: str, given: int | None = None, predicted: int | None = None
    ) -> str | None:
        self.asked.append((key, given, predicted))
        return f"/?split={key}&given={given}&predicted={predicted}" if self.lead else None

    def audit(self, split: str) -> str | None:
        return f"/?sort=suspicion&split={split}" if self.lead else None

    def compare(self, split: str) -> str | None:
        return f"/compare?split={split}" if self.lead else None

    def methods(self) -> str | None:
        return None

    def image(self, picture: Picture) -> str | None:
        return None

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        template = Markup('<img class="tile" src="/image/{}/{}" alt="{}">')
        return template.format(picture.split, picture.index, label)


@pytest.fixture(scope="module")
def pages(whole_study: Study, make_dataset: Callable[..., Dataset]) -> Pages:
    return make_pages(whole_study, dataset=make_dataset())


def test_links_and_images_are_the_callers(pages: Pages) -> None:
    links = Recorded()
    html = Renderer(links).overview(pages.overview)
    result = pages.overview.results[0]
    for cell in result.confusion.cells:
        assert (result.key, cell.given.number, cell.predicted.number) in links.asked
    assert html.count('<img class="tile"') == sum(len(r.first) for r in pages.overview.results)
    assert "&amp;given=" in html  # an URL is escaped like any text


def test_what_is_nowhere_shown_is_no_link(pages: Pages) -> None:
    html = Renderer(Recorded(lead=False)).overview(pages.overview)
    assert "None" not in re.sub(r"<[^>]*>", "", html)
    assert 'href="None"' not in html


def test_a_strict_policy_holds(pages: Pages) -> None:
    """No style and no script is inline, as the gallery's policy wants it."""
    renderer = Renderer(Recorded())
    parts = [renderer.overview(pages.overview)]
    parts += [renderer.mistakes(page, "m") for page in pages.mistakes]
    parts += [renderer.audit(page) for page in pages.audits]
    parts += [renderer.reconstructions(page) for page in pages.reconstructions]
    parts.append(renderer.methods(pages.methods, pages.reproduce))
    for html in parts:
        assert "<script" not in html
        assert " style=" not in html
        assert not re.search(r"\son\w+=", html)


@pytest.mark.parametrize("level", [1, 2])
def test_headings_begin_where_they_are_told(pages: Pages, level: int) -> None:
    html = Renderer(Recorded(), level).overview(pages.overview)
    levels = [int(found) for found in re.findall(r"<h(\d)", html)]
    assert levels[0] == min(levels) == level


def test_every_style_is_under_one_class_so_that_it_can_be_embedded() -> None:
    css = re.sub(r"/\*.*?\*/", "", read_static("pages.css"), flags=re.DOTALL)
    css = re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", css)
    for selectors in re.findall(r"([^{}]+)\{", css):
        for selector in selectors.split(","):
            assert ".pages" in selector, selector.strip()


def test_an_audit_says_in_its_head_what_it_leaves_out(pages: Pages) -> None:
    page = pages.audits[0]
    near = len(page.entries[0].neighbours)
    cut = replace(page, entries=page.entries[:1], listed=114, hidden=113, nearest=near + 2)
    head, _, body = Renderer(Recorded()).audit(cut).partition("</header>")
    assert "Shown here: the 1 most suspicious of these 114." in head
    assert f"the {near} nearest of {near + 2} training images, with their given labels" in body
    whole = Renderer(Recorded()).audit(replace(page, hidden=0, nearest=near))
    assert "Shown here" not in whole and "nearest of" not in whole


def test_what_few_answers_say_has_no_colour(pages: Pages) -> None:
    assert pages.people is not None
    pair = pages.people.versus[0].pairs[0]
    few, many = (replace(pair, people=15.0, answers=answers, model=0) for answers in (1, 5))
    versus = replace(pages.people.versus[0], pairs=(few, many))
    html = Renderer(Recorded()).people(replace(pages.people, versus=(versus,)))
    assert '<td data-value="15.0" class="n">15, of 1 answer</td>' in html
    assert '<td data-value="15.0" class="n heat-5">15, of 5 answers</td>' in html


def test_tiles_say_how_many_readers_misread(pages: Pages) -> None:
    assert pages.people is not None
    versus = pages.people.versus[0]
    cell = next(cell for cell in versus.cells if cell.shown)
    tile = replace(cell.shown[0], votes=1, wrong=3, answers=3)
    shown = replace(versus, cells=(replace(cell, shown=(tile,)),))
    html = Renderer(Recorded()).people(replace(pages.people, versus=(shown,)))
    assert ">3/3 misread</span>" in html


def test_a_comparison_says_when_reading_stopped(pages: Pages) -> None:
    page = pages.compared[0]
    people = ComparedPeople(1, False, 24, Interval(0.9, 0.02, 0.99), "anytime", ())
    for basis, says in {
        "anytime": "after 24 answers; it holds wherever reading stopped.",
        "planned": "after 24 answers; reading stopped as planned.",
    }.items():
        html = Renderer(Recorded()).compare(replace(page, people=replace(people, basis=basis)))
        assert f"The readers' interval is about these images and these readers, {says}" in html


def test_intervals_of_people_are_called_what_the_plan_fixed(pages: Pages) -> None:
    assert pages.people is not None
    page = replace(pages.people, confidence="90%", together=Interval(0.1, 0.05, 0.2))
    html = Renderer(Recorded()).people(page)
    assert "90% interval 5.00 to 20.00" in html and "95% interval" not in html
