"""The overview and the downloads."""

import csv
import io
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pyarrow.parquet as pq
import pytest

from misread.datasets import Dataset
from misread.tables import Origin
from misread.views.gallery.gallery import Gallery
from misread.workflows.exporting import export

MakeGallery = Callable[..., Gallery]


def read_overview(client: Any) -> str:
    """The overview, asked for again as long as it says that suggestions are still to come."""
    for _ in range(20):
        page = client.get("/overview")
        assert page.status_code == 200
        if 'role="status"' not in page.text:
            return str(page.text)
        assert "being worked out" in page.text
    pytest.fail("suggestions never come")


def test_the_overviews_links_lead_to_views_that_there_are(client: Any) -> None:
    page = read_overview(client)
    links = {unescape(link) for link in re.findall(r'href="(/\?[^"]*)"', page)}
    assert len(links) > 5
    for link in links:
        view = client.get("/api/view" + link.removeprefix("/"))
        assert view.status_code == 200, link
        if "predicted=" in link or "right=no" in link:
            assert view.json()["total"] > 0, link
    sources = {unescape(source) for source in re.findall(r'src="(/image/[^"]*)"', page)}
    assert sources
    for source in sources:
        assert client.get(source).headers["content-type"] == "image/png"
    assert "<script>" not in page and "style=" not in page


def test_the_overview_shows_a_new_verdict(client: Any) -> None:
    before = read_overview(client)
    index = int(re.findall(r'src="/image/test/(\d+)', before)[0])
    assert client.get("/overview").text == before
    client.decide([index], "ambiguous")
    assert "decided" not in before
    assert "decided" in client.get("/overview").text


def test_names_are_escaped_in_the_overview(
    make_gallery: MakeGallery,
    make_dataset: Callable[..., Dataset],
    serve_gallery: Callable[..., Any],
) -> None:
    classes = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7 * 7 }}")
    with serve_gallery(make_gallery(make_dataset(classes=classes))) as client:
        page = client.get("/overview").text
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page and "{{ 7 * 7 }}" in page


@pytest.mark.parametrize("origins", [{}, {("one", "train"): Origin.IN_SAMPLE}])
def test_a_study_without_a_panel_has_an_overview(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any], origins: Any
) -> None:
    with serve_gallery(make_gallery(origins=origins)) as client:
        assert client.get("/overview").status_code == 200


@pytest.mark.parametrize("what", ["verdicts", "labels"])
def test_a_download_is_what_the_command_line_exports(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any], what: str
) -> None:
    gallery = make_gallery()
    gallery.decisions.decide("test", [3, 4], "label", None, event="a", tab="t")
    table = export(gallery.study, what, "test", dataset=gallery.dataset)
    with serve_gallery(gallery) as client:
        text = client.get(f"/export/{what}.csv?split=test")
        assert text.content == table.encode(".csv")
        rows = list(csv.DictReader(io.StringIO(text.text)))
        assert len(rows) == len(table)
        if what == "labels":
            assert len(rows) == 90  # none is left out
        parquet = client.get(f"/export/{what}.parquet?split=test").content
        assert pq.read_table(io.BytesIO(parquet)).num_rows == len(table)
        assert json.loads(client.get(f"/export/{what}.json?split=test").content)
        name = text.headers["content-disposition"]
        assert name == f"attachment; filename*=UTF-8''study.{what}.test.csv"


def test_verdicts_can_be_downloaded_without_any_predictions(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    with serve_gallery(make_gallery(origins={})) as client:
        client.decide([3], "unreadable")
        rows = list(csv.DictReader(io.StringIO(client.get("/export/verdicts.csv").text)))
        assert [row["index"] for row in rows] == ["3"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/export/predictions.csv", 404),
        ("/export/labels.xlsx", 404),
        ("/export/labels", 404),
        ("/export/..%2fstudy.toml", 404),
        ("/export/labels.csv?split=validation", 400),
        ("/export/labels.csv?model=x", 400),
    ],
)
def test_what_cannot_be_downloaded_is_one_line(client: Any, url: str, status: int) -> None:
    answer = client.get(url)
    assert answer.status_code == status and "\n" not in answer.json()["error"]


def test_the_error_after_verdicts_stands_beside_the_one_as_labelled(client: Any) -> None:
    misread = client.get("/api/items?right=no&group=none&count=90").json()["index"]
    before = client.get("/api/error").json()
    assert before["as_labelled"] == before["after"]
    assert before["as_labelled"]["count"] == before["mistakes"] == len(misread)
    assert "test split" in before["warning"] and "can only lower" in before["warning"]
    predicted = client.get(f"/api/image/test/{misread[0]}").json()["models"][0]["predicted"]
    client.decide(misread[:1], "label", label=predicted)
    client.decide(misread[1:2], "unreadable", event="event-2")
    after = client.get("/api/error?right=no").json()
    assert after["as_labelled"] == before["as_labelled"]
    assert after["after"]["count"] == len(misread) - 1
    assert after["lowest"]["count"] == len(misread) - 2
    assert after["highest"]["count"] == len(misread) - 1
    assert (after["decided"], after["reviewed_mistakes"], after["reviewed_others"]) == (2, 2, 0)
    assert (after["changed_labels"], after["unreadable"]) == (1, 1)
    assert "Only mistakes were reviewed" in after["caution"]


def test_without_a_model_there_is_no_error(
    make_gallery: MakeGallery, serve_gallery: Callable[..., Any]
) -> None:
    with serve_gallery(make_gallery(origins={})) as client:
        client.decide([3], "fine")
        answer = client.get("/api/error?split=test").json()
        assert answer["as_labelled"] is None and answer["decided"] == 1
        assert client.get("/api/error?split=train").json()["warning"] == ""
