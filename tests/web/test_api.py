"""The API answers what its dataclasses say, and what `README.md` says of them."""

import dataclasses
import io
import json
import typing
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from misread.datasets import Dataset
from misread.views.gallery import answers
from misread.views.gallery.gallery import Gallery

ANSWERS = [
    value
    for value in vars(answers).values()
    if dataclasses.is_dataclass(value) and isinstance(value, type)
]
READS = {
    "/api/boot": answers.BootAnswer,
    "/api/view": answers.ViewAnswer,
    "/api/view?right=no&sort=suspicion&group=none": answers.ViewAnswer,
    "/api/tiles?count=7": answers.TilesAnswer,
    "/api/tiles?start=89&count=7": answers.TilesAnswer,
    "/api/items?right=yes&count=1000": answers.ItemsAnswer,
    "/api/image/test/3": answers.ImageAnswer,
    "/api/image/train/3?split=test": answers.ImageAnswer,
    "/api/confusion": answers.ConfusionAnswer,
    "/api/changes?since=0": answers.ChangesAnswer,
    "/api/error": answers.ErrorAnswer,
    "/api/error?split=train": answers.ErrorAnswer,
}


def check(value: Any, kind: Any, where: str) -> None:
    """Fail unless a JSON value is what an annotation says."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        assert list(value) == list(hints), where
        for name, hint in hints.items():
            check(value[name], hint, f"{where}.{name}")
    elif origin in (typing.Union, UnionType):
        if value is not None or NoneType not in parts:
            (only,) = (part for part in parts if part is not NoneType)
            check(value, only, where)
    elif origin is typing.Literal:
        assert value in parts, where
    elif origin is list:
        assert isinstance(value, list), where
        for at, item in enumerate(value):
            check(item, parts[0], f"{where}[{at}]")
    elif origin is dict:
        for key, item in value.items():
            check(item, parts[1], f"{where}[{key}]")
    elif origin is tuple:
        assert isinstance(value, list) and len(value) == len(parts), where
        for item, part in zip(value, parts, strict=True):
            check(item, part, where)
    elif kind is float:
        assert type(value) in (float, int), where
    elif kind is not Any:
        assert type(value) is kind, f"{where}: {value!r}"


@pytest.mark.parametrize("url", READS)
def test_each_answer_has_the_fields_and_types_of_its_dataclass(client: Any, url: str) -> None:
    client.decide([3, 4], "ambiguous")
    answer = client.get(url)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    check(answer.json(), READS[url], url)


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
def test_each_field_is_documented_in_its_class_and_in_the_readme(kind: type) -> None:
    readme = (Path(answers.__file__).parents[3] / "web" / "README.md").read_text()
    for field in dataclasses.fields(kind):
        assert f"        {field.name}: " in (kind.__doc__ or ""), field.name
        assert field.name in readme, field.name


def test_the_pages_boot_data_are_those_of_the_api(client: Any) -> None:
    page = client.get("/").text
    inside = page.partition('id="boot"')[2].partition(">")[2].partition("</script>")[0]
    assert json.loads(inside) == client.get("/api/boot").json()


def test_a_view_is_read_page_by_page(client: Any) -> None:
    whole = client.get("/api/tiles?group=none&sort=random&seed=4&count=90").json()
    assert sorted(whole["index"]) == list(range(90))
    parts = [
        client.get(f"/api/tiles?group=none&sort=random&seed=4&start={start}&count=40").json()
        for start in (0, 40, 80, 120)
    ]
    assert [len(part["index"]) for part in parts] == [40, 40, 10, 0]
    assert [index for part in parts for index in part["index"]] == whole["index"]
    assert client.get("/api/items?group=none&sort=random&seed=4&count=90").json() == {
        "start": 0,
        "index": whole["index"],
    }


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("/api/view?colour=red", "query: expected"),
        ("/api/view?right=maybe", "right: expected yes, no"),
        ("/api/view?split=validation", "split: expected one of train, test"),
        ("/api/view?start=0", "query: expected"),
        ("/api/tiles?count=0", "count: expected 1 to 1,000"),
        ("/api/tiles?count=1001", "count: expected 1 to 1,000"),
        ("/api/tiles?start=-1", "start: expected a whole number"),
        ("/api/items?count=100001", "count: expected 1 to 100,000"),
        ("/api/changes?since=x", "since: expected a whole number"),
        ("/api/image/test/90", "index: expected an image of test, 0 to 89"),
        ("/api/sprite.png?split=test&items=90", "items: expected positions from 0 to 89"),
        ("/api/sprite.png?split=test", "items: expected a whole number"),
        ("/api/sprite.png?split=test&items=1&columns=0", "columns: expected 1 to 500"),
        ("/api/sprite.png?split=test&items=" + "1," * 600 + "1", "items: expected at most 500"),
        ("/image/test/1?size=huge", "size: expected thumb or full"),
    ],
)
def test_bad_input_is_a_400_of_one_line(client: Any, url: str, line: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 400 and list(answer.json()) == ["error"]
    assert line in answer.json()["error"] and "\n" not in answer.json()["error"]


def test_a_sprite_has_the_images_that_were_asked_for(
    make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]
) -> None:
    gallery = make_gallery()
    with serve_gallery(gallery) as client:
        answer = client.get("/api/sprite.png?split=test&items=5,0,89,5,7&columns=3")
        sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
        assert sheet.shape == (24, 30, 3)
        for at, index in enumerate((5, 0, 89, 5, 7)):
            top, left = 12 * (at // 3), 10 * (at % 3)
            cell = sheet[top : top + 12, left : left + 10]
            np.testing.assert_array_equal(cell, gallery.dataset.test.images[index])
        single = client.get("/image/test/89")
        pixels = np.asarray(Image.open(io.BytesIO(single.content)).convert("RGB"))
        np.testing.assert_array_equal(pixels, gallery.dataset.test.images[89])


def test_pictures_may_be_kept_only_where_the_url_names_the_study(client: Any) -> None:
    study = client.get("/api/boot").json()["study"]["id"]
    for url in ("/image/test/0?size=thumb", "/api/sprite.png?split=test&items=1"):
        sign = "&" if "?" in url else "?"
        assert "immutable" in client.get(f"{url}{sign}v={study}").headers["cache-control"]
        for other in ("", f"{sign}v=another"):
            assert client.get(url + other).headers["cache-control"] == "private, no-cache"


def test_a_file_that_has_not_changed_is_not_sent_again(client: Any) -> None:
    first = client.get("/static/main.js")
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    again = client.get("/static/main.js", If_None_Match=first.headers["etag"])
    assert again.status_code == 304 and not again.content
    assert client.get("/static/nothing.js").status_code == 404


def test_names_of_any_script_are_sent_as_they_are(
    make_gallery: Callable[..., Gallery],
    make_dataset: Callable[..., Dataset],
    serve_gallery: Callable[..., Any],
) -> None:
    classes = ("\u202eab", "猫", "a & b")
    with serve_gallery(make_gallery(make_dataset(classes=classes))) as client:
        assert client.get("/api/boot").json()["classes"] == list(classes)
        labels = [group["label"] for group in client.get("/api/view").json()["groups"]]
        assert labels == list(classes)


@pytest.fixture(scope="module")
def shared(make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]) -> Any:
    """One server for what only reads."""
    with serve_gallery(make_gallery()) as ready:
        yield ready


KEYS = (
    "split model group sort order seed given predicted right suggested decided meta.x as_of scores "
    "start count items columns size v"
)
VALUES = (
    "|test|train|given|none|suspicion|random|asc|0|1|2|3|89|yes|no|any|label|-1|1e9|99999999999|"
    "one-imported-s0|\x00|é|%"
)
URLS = (
    "/api/view /api/tiles /api/items /api/image/test/3 /api/confusion /api/error /api/changes "
    "/api/sprite.png /image/test/3 /image/train/100 /export/labels.csv"
)
pairs = st.tuples(
    st.sampled_from(KEYS.split()), st.sampled_from(VALUES.split("|")) | st.text(max_size=8)
)


@given(st.sampled_from(URLS.split()), st.lists(pairs, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_question_is_a_bug(shared: Any, url: str, asked: list[tuple[str, str]]) -> None:
    answer = shared.get(f"{url}?{urlencode(asked, errors='replace')}")
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert "\n" not in answer.json()["error"]
