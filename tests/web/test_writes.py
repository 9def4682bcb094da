from collections.abc import Callable
from typing import Any

import pytest

from misread.views.gallery.answers import DecidedAnswer, plain
from misread.views.gallery.decisions import MOST_DECIDED
from misread.views.gallery.gallery import Gallery


def test_a_verdict_is_saved_and_shown(client: Any) -> None:
    answer = client.decide([7, 3], "ambiguous")
    assert answer.status_code == 200
    expected = DecidedAnswer(1, "test", [7, 3], ["ambiguous"] * 2, [None] * 2)
    assert answer.json() == plain(expected)
    view = client.get("/api/view?decided=ambiguous&group=none").json()
    assert view["total"] == 2 and "as_of=1" in view["query"]
    tiles = client.get(f"/api/tiles?{view['query']}").json()
    assert tiles["index"] == [3, 7] and tiles["decided"] == ["ambiguous", "ambiguous"]
    image = client.get("/api/image/test/7").json()
    assert (image["decided"], image["decided_label"], image["revision"]) == ("ambiguous", None, 1)


def test_what_is_sent_twice_counts_once(client: Any) -> None:
    first, again = client.decide([1], "fine"), client.decide([1], "fine")
    assert first.json() == again.json()
    assert client.get("/api/changes").json()["revision"] == 1
    # The same id for something else is a mistake of the page's.
    assert client.decide([2], "fine").status_code == 400


def test_a_wrong_label_may_have_its_right_class(client: Any) -> None:
    given = client.get("/api/image/test/5").json()["given"]
    right = (given + 1) % 3
    assert client.decide([5], "label", label=right).json()["decided_label"] == [right]
    assert client.decide([5], "label", label=None, event="event-2").status_code == 200
    answer = client.decide([5], "label", label=given, event="event-3")
    assert answer.status_code == 400 and "another class" in answer.json()["error"]


def test_undo_and_redo_belong_to_a_tab(client: Any) -> None:
    client.decide([1, 2], "fine")
    client.decide([2], "model", event="event-2", tab="tab-2")
    undone = client.post("/api/undo", {"tab": "tab-1", "event": "undo-1"}).json()
    # The other tab's verdict on image 2 stays.
    assert undone["items"] == [1, 2] and undone["decided"] == [None, "model"]
    again = client.post("/api/undo", {"tab": "tab-1", "event": "undo-1"}).json()
    assert again["items"] == undone["items"] and again["revision"] == undone["revision"]
    empty = client.post("/api/undo", {"tab": "tab-1", "event": "undo-2"}).json()
    assert empty["items"] == [] and empty["split"] is None
    redone = client.post("/api/redo", {"tab": "tab-1", "event": "redo-1"}).json()
    assert redone["decided"] == ["fine", "model"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"split": "validation"}, "split: expected one of"),
        ({"split": None}, "split: expected a text"),
        ({"items": []}, "items: expected 1 to 100,000"),
        ({"items": "1"}, "items: expected a list of whole numbers"),
        ({"items": [1.5]}, "items: expected a list of whole numbers"),
        ({"items": [True]}, "items: expected a list of whole numbers"),
        ({"items": [-1]}, "items: expected images from 0 to 89"),
        ({"items": [90]}, "items: expected images from 0 to 89"),
        ({"items": [10**30]}, "items: expected images from 0 to 89"),
        ({"items": [1, 1]}, "each once"),
        ({"items": [0] * (MOST_DECIDED + 1)}, "items: expected 1 to 100,000"),
        ({"verdict": "wrong"}, "verdict: expected model, label, ambiguous, unreadable, fine"),
        ({"verdict": 3}, "verdict: expected a text or null"),
        ({"verdict": ["fine"]}, "verdict: expected a text or null"),
        ({"label": 1}, "label goes with the verdict"),
        ({"verdict": "label", "label": 3}, "label must be in 0..2"),
        ({"verdict": "label", "label": "1"}, "label must be in 0..2"),
        ({"verdict": "label", "label": True}, "label must be in 0..2"),
        ({"event": ""}, "event must be a text"),
        ({"event": 5}, "event must be a text"),
        ({"event": "x" * 201}, "event must be a text"),
        ({"tab": "a\nb"}, "tab must be a text"),
        ({"extra": 1}, "body: expected the fields split, items"),
    ],
)
def test_what_is_no_decision_is_refused_and_not_saved(
    shared: Any, change: dict[str, Any], line: str
) -> None:
    decision = {"split": "test", "items": [1], "verdict": "fine", "label": None}
    answer = shared.post("/api/verdicts", decision | {"event": "e", "tab": "t"} | change)
    assert answer.status_code == 400
    assert line in answer.json()["error"] and "\n" not in answer.json()["error"]
    assert shared.get("/api/changes").json()["revision"] == 0


@pytest.fixture(scope="module")
def shared(make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]) -> Any:
    """One server for what is refused."""
    with serve_gallery(make_gallery()) as ready:
        yield ready


def test_a_missing_field_is_refused(shared: Any) -> None:
    answer = shared.post("/api/undo", {"tab": "t"})
    assert answer.status_code == 400 and "tab, event" in answer.json()["error"]


def test_many_images_are_one_event(client: Any) -> None:
    client.decide(list(range(90)), "model")
    assert client.get("/api/view?decided=model").json()["total"] == 90
    client.post("/api/undo", {"tab": "tab-1", "event": "undo-1"})
    assert client.get("/api/view?decided=any").json()["total"] == 0


def test_a_study_that_cannot_be_written_says_so(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    answer = client.decide([1], "fine")
    assert answer.status_code == 403 and answer.json()["code"] == "read-only"
    assert client.get("/api/boot").json()["writable"] is False


def test_what_could_not_be_saved_may_be_sent_again(
    make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]
) -> None:
    gallery = make_gallery()
    file = gallery.study.path / "study.sqlite"
    file.write_bytes(b"this is no database, but it is long enough to look like one" * 40)
    with serve_gallery(gallery) as client:
        answer = client.decide([1], "fine")
        assert answer.status_code == 503 and answer.json()["code"] == "not-saved"
        assert "study.sqlite" in answer.json()["error"]
        file.unlink()
        assert client.decide([1], "fine").status_code == 200
