"""Readings in the gallery, and that readers never get them."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.tables.readings import Purpose, Reader, Readings
from misread.views.gallery.gallery import Gallery
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers

MakeGallery = Callable[..., Gallery]


@pytest.fixture
def gallery(make_gallery: MakeGallery) -> Gallery:
    made = make_gallery()
    make_plan(made.study, 60)
    return made


def test_an_image_has_its_readings(gallery: Gallery, serve_gallery: Callable[..., Any]) -> None:
    with serve_gallery(gallery) as client:
        assert client.get("/api/image/test/0").json()["readings"] == []
        # Readings that come in while it is open are noticed.
        made = simulate_readers(
            gallery.study,
            3,
            error_easy=0.2,
            error_hard=0.5,
            save="programs",
            dataset=gallery.dataset,
        )
        rows = made.purpose == Purpose.MAIN
        for index in np.unique(made.index)[:20].tolist():
            mine = np.flatnonzero(rows & (made.index == index))
            expected = sorted(
                (made.readers[made.reader[row]].name, int(made.answer[row])) for row in mine
            )
            found = client.get(f"/api/image/test/{index}").json()["readings"]
            assert [(one["reader"], one["answer"]) for one in found] == expected
            assert all(one["simulated"] and not one["unsure"] for one in found)
        assert client.get("/api/image/train/0").json()["readings"] == []


def test_people_have_a_page(gallery: Gallery, serve_gallery: Callable[..., Any]) -> None:
    with serve_gallery(gallery) as client:
        before = client.get("/people")
        assert before.status_code == 200 and "Nobody has read" in before.text
        simulate_readers(
            gallery.study,
            2,
            error_easy=0.2,
            error_hard=0.5,
            save="programs",
            dataset=gallery.dataset,
        )
        page = client.get("/people").text
        assert "Nobody has read" not in page and "nothing here is about people" in page
        assert re.search(r'href="/people" aria-current="page"', page)
        sources = re.findall(r'src="(/image/[^"]*)"', page)
        assert sources
        for source in sources[:5]:
            assert client.get(source.replace("&amp;", "&")).headers["content-type"] == "image/png"
        assert "<script>" not in page and "style=" not in page
        assert 'href="/people"' in client.get("/overview").text


def test_the_page_follows_verdicts(gallery: Gallery, serve_gallery: Callable[..., Any]) -> None:
    simulate_readers(
        gallery.study, 2, error_easy=0.2, error_hard=0.5, save="programs", dataset=gallery.dataset
    )
    with serve_gallery(gallery) as client:
        assert "After the decided verdicts" not in client.get("/people").text
        label = int(gallery.dataset.test.labels[0])
        log = gallery.study.verdicts
        log.decide("test", [0], "label", (label + 1) % 3, event="a", tab="t", given=[label])
        page = client.get("/people").text
        assert "After the decided verdicts" in page and "1 image of 90 was reviewed" in page
        log.undo("t", event="b")
        assert "After the decided verdicts" not in client.get("/people").text


def test_readings_without_a_plan_have_the_page_too(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    gallery = make_gallery()
    # Bob calls image 3 something else than Ann does.
    rows, who = np.arange(20, dtype=np.int32), np.arange(2, dtype=np.int32)
    labels = gallery.dataset.test.labels[:20]
    other = labels.copy()
    other[3] = (labels[3] + 1) % 3
    made = Readings(
        "test", gallery.dataset.classes, "", (Reader("<b>ann</b>"), Reader("bob")),
        np.repeat(who, 20), np.tile(rows, 2), np.concatenate([labels, other]),
    )  # fmt: skip
    with serve_gallery(gallery) as client:
        assert "Nobody has read" in client.get("/people").text
        gallery.study.save_readings("lab", made)
        page = client.get("/people").text
        assert "40 answers to 20 of 90 images, by 2 readers; from lab" in page
        assert "1 image that half of the readers misread: in none of the four.</p>" in page
        assert "These readings follow no plan" in page and "random-order" in page
        assert "&lt;b&gt;ann&lt;/b&gt;" in page and "<b>ann" not in page
        assert "interval narrowed" not in page


def test_names_are_escaped_on_the_page_of_people(
    make_gallery: MakeGallery,
    make_dataset: Callable[..., Dataset],
    serve_gallery: Callable[..., Any],
) -> None:
    classes = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7 * 7 }}")
    gallery = make_gallery(make_dataset(classes=classes))
    make_plan(gallery.study, 60)
    simulate_readers(
        gallery.study, 1, error_easy=0.4, error_hard=0.5, save="programs", dataset=gallery.dataset
    )
    with serve_gallery(gallery) as client:
        page = client.get("/people").text
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page and "{{ 7 * 7 }}" in page


def test_an_error_is_a_page_for_a_browser_and_json_for_a_script(
    gallery: Gallery, serve_gallery: Callable[..., Any]
) -> None:
    with serve_gallery(gallery) as client:
        for path, status in (("/compare?split=none", 400), ("/person", 404)):
            shown = client.get(path, Accept="text/html,*/*")
            assert shown.status_code == status
            assert shown.headers["content-type"] == "text/html; charset=utf-8"
            assert "<h1>" in shown.text
            assert client.get(path).json()["error"]


def test_readings_that_contradict_are_told_on_the_page(
    gallery: Gallery, serve_gallery: Callable[..., Any]
) -> None:
    made = simulate_readers(
        gallery.study, 1, error_easy=0, error_hard=0, save="one", dataset=gallery.dataset
    )
    gallery.study.save_readings("two", made)
    with serve_gallery(gallery) as client:
        page = client.get("/people")
        assert page.status_code == 200
        assert "is in readings/one.csv as well" in page.text
        compared = client.get("/compare?split=test")
        assert compared.status_code == 200
        assert "is in readings/one.csv as well" in compared.text
