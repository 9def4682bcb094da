"""Models side by side in the gallery."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from misread.datasets import Dataset
from misread.tables import Origin, Predictions
from misread.views.gallery.gallery import Gallery
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers

MakeGallery = Callable[..., Gallery]


def test_the_page_is_the_reports_with_the_gallerys_images(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    gallery = make_gallery()
    with serve_gallery(gallery) as client:
        page = client.get("/compare")
        assert page.status_code == 200
        assert re.search(r'href="/compare" aria-current="page"', page.text)
        assert "One comparison" not in page.text and "2 are held against one-" in page.text
        sources = {unescape(source) for source in re.findall(r'src="(/image/[^"]*)"', page.text)}
        assert sources
        for source in list(sources)[:5]:
            assert client.get(source).headers["content-type"] == "image/png"
        opened = [
            unescape(url) for url in re.findall(r'<a href="([^"]*image=[^"]*)"><img', page.text)
        ]
        assert len(opened) == page.text.count('class="tile"')
        assert re.fullmatch(r"/\?split=test&image=\d+", opened[0])
        assert "<script>" not in page.text and "style=" not in page.text
        assert client.get("/compare").text == page.text
        # A model that comes in while it is open is noticed.
        gallery.study.save_predictions(
            make_predictions(gallery.dataset.test, model="three", seed=9)
        )
        assert "three-imported-s9" in client.get("/compare").text
        assert 'href="/compare"' in client.get("/overview").text


def test_readings_that_come_in_are_noticed(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    gallery = make_gallery()
    make_plan(gallery.study, 60)
    with serve_gallery(gallery) as client:
        assert "People against each model" not in client.get("/compare").text
        simulate_readers(
            gallery.study, 2, error_easy=0.1, error_hard=0.5, save="programs",
            dataset=gallery.dataset,
        )  # fmt: skip
        page = client.get("/compare").text
        assert "People against each model" in page
        assert "Nothing here is about people" in page
        section = page.partition("People against each model</h2>")[2].partition("<table")[0]
        assert "SIMULATED" in section


def test_each_split_has_its_page(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    held_out = {(name, "test"): Origin.HELD_OUT for name in ("one", "two")}
    crossed = {(name, "train"): Origin.CROSS_FITTED for name in ("three", "four")}
    with serve_gallery(make_gallery(origins=held_out | crossed)) as client:
        page = client.get("/compare").text
        assert "Side by side: test" in page
        assert re.findall(r'href="(/compare\?[^"]*)"', page) == [
            "/compare?split=test", "/compare?split=train",
        ]  # fmt: skip
        train = client.get("/compare?split=train").text
        assert "Side by side: train" in train and "three-imported" in train
        assert "one-imported" not in train


def test_where_there_is_nothing_it_says_how_to_get_some(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    for origins in ({}, {("one", "test"): Origin.HELD_OUT}, {("one", "train"): Origin.IN_SAMPLE}):
        with serve_gallery(make_gallery(origins=origins)) as client:
            page = client.get("/compare")
            assert page.status_code == 200
            assert "There is nothing to hold against each other yet" in page.text


def test_other_splits_are_refused_in_one_line(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    with serve_gallery(make_gallery()) as client:
        answer = client.get("/compare?split=<script>")
        assert answer.status_code == 400
        assert "split: expected one of" in answer.text
        assert answer.headers["content-type"].startswith("application/json")


def test_names_are_escaped(
    make_gallery: MakeGallery, make_dataset: Callable[..., Dataset],
    serve_gallery: Callable[..., Any],
) -> None:  # fmt: skip
    classes = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7 * 7 }}")
    with serve_gallery(make_gallery(make_dataset(classes=classes))) as client:
        page = client.get("/compare").text
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page and "{{ 7 * 7 }}" in page
