from collections.abc import Callable
from typing import Any

import httpx
import pytest

from misread.datasets import Dataset
from misread.views.gallery.gallery import Gallery
from misread.web.security import MOST_BODY, make_door

STEP = {"tab": "tab-1", "event": "event-1"}
DECISION = {
    "split": "test",
    "items": [1],
    "verdict": "fine",
    "label": None,
    "event": "event-1",
    "tab": "tab-1",
}


@pytest.fixture(scope="module")
def client(make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]) -> Any:
    """One server for all: nothing that it is asked here changes anything."""
    with serve_gallery(make_gallery()) as ready:
        yield ready


def refused(response: httpx.Response, status: int, line: str) -> None:
    assert response.status_code == status
    error = response.json()["error"]
    assert line in error and "\n" not in error


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:PORT",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:PORT.evil.example",
        "127.0.0.1.evil.example:PORT",
        "localhost.evil.example:PORT",
        "10.0.0.1:PORT",
        "",
        ":PORT",
        "[::1",
    ],
)
def test_another_host_is_refused_everywhere(client: Any, host: str) -> None:
    for url in ("/", "/api/boot", "/static/main.js", "/image/test/0", "/nothing"):
        answer = client.get(url, Host=host.replace("PORT", str(client.door.port)))
        refused(answer, 403, "Host: expected")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "[::1]"])
def test_the_own_names_of_this_machine_are_let_in(client: Any, host: str) -> None:
    answer = client.get("/api/view", Host=f"{host}:{client.door.port}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:PORT", "http://127.0.0.1:80", "", None],
)
def test_a_write_from_another_origin_is_refused(client: Any, origin: str | None) -> None:
    named = None if origin is None else origin.replace("PORT", str(client.door.port))
    refused(client.post("/api/verdicts", DECISION, Origin=named), 403, "Origin: expected")
    assert client.get("/api/changes").json()["revision"] == 0


def test_an_origin_must_be_that_of_the_host_that_was_asked(client: Any) -> None:
    name = f"localhost:{client.door.port}"
    answer = client.post("/api/verdicts", DECISION, Origin=f"http://{name}")
    refused(answer, 403, "Origin: expected")
    answer = client.post("/api/undo", STEP, Origin=f"http://{name}", Host=name)
    assert answer.status_code == 200


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_a_write_without_the_token_is_refused(client: Any, token: str | None) -> None:
    answer = client.post("/api/verdicts", DECISION, X_Misread_Token=token)
    refused(answer, 403, "X-Misread-Token")
    assert answer.json()["code"] == "token"
    assert client.get("/api/changes").json()["revision"] == 0


@pytest.mark.parametrize("url", ["/api/undo", "/api/redo", "/api/verdicts"])
def test_every_write_needs_the_token(client: Any, url: str) -> None:
    refused(client.post(url, DECISION, X_Misread_Token="no"), 403, "X-Misread-Token")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_can_read_nothing(client: Any, site: str) -> None:
    for url in ("/api/boot", "/image/test/0", "/static/main.js"):
        answer = client.get(url, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")
        refused(answer, 403, "another site's page")
    # But a link to the gallery may stand anywhere.
    answer = client.get("/api/view", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate")
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_write(client: Any, kind: str) -> None:
    answer = client.post("/api/verdicts", b"{}", Content_Type=kind)
    refused(answer, 415, "application/json")


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[1]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"split": }']
)
def test_what_is_no_json_object_is_refused(client: Any, body: bytes) -> None:
    answer = client.post("/api/verdicts", body, Content_Type="application/json")
    refused(answer, 400, "body: expected a JSON object")


def test_a_huge_body_is_refused_whatever_its_length_says(client: Any) -> None:
    json = {"Content_Type": "application/json"}
    refused(client.post("/api/verdicts", b" " * (MOST_BODY + 1), **json), 413, "bytes at most")

    def endless() -> Any:
        for _ in range(MOST_BODY // 65_536 + 2):
            yield b" " * 65_536

    refused(client.post("/api/verdicts", endless(), **json), 413, "bytes at most")


@pytest.mark.parametrize(
    "url",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/store/study.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/",
        "/static/main.js%00",
        "/image/..%2f..%2fstudy.toml/0",
        "/image/test/..%2f0",
        "/image/test/-1",
        "/image/test/90",
        "/image/test/99999999999999999999999",
        "/image/validation/0",
        "/api/image/..%2ftest/0",
        "/api/image/test/1e3",
        "/api/sprite.png?split=../test&items=1",
        "/api/sprite.png?split=test&items=../1",
        "/api/sprite.png?split=test&items=1,,2",
    ],
)
def test_no_path_leads_to_a_file(client: Any, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code in (400, 404)
    assert "\n" not in answer.json()["error"]


def test_every_answer_has_the_headers(client: Any) -> None:
    answers = [
        client.get("/"),
        client.get("/api/view"),
        client.get("/image/test/0"),
        client.get("/static/main.js"),
        client.get("/nothing"),
        client.get("/api/view?bogus=1"),
        client.get("/", Host="evil.example"),
        client.post("/api/view", {}),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert client.get("/api/view").headers["cache-control"] == "no-store"


NASTY = "<script>alert(1)</script>"


def test_names_are_escaped_in_the_page(
    make_gallery: Callable[..., Gallery],
    make_dataset: Callable[..., Dataset],
    serve_gallery: Callable[..., Any],
) -> None:
    classes = (NASTY, "</script><img src=x onerror=alert(2)>", "{{ 7 * 7 }}")
    with serve_gallery(make_gallery(make_dataset(classes=classes))) as client:
        page = client.get("/").text
        assert "alert(1)</script>" not in page and "<img src=x" not in page
        assert "{{ 7 * 7 }}" in page  # text, not a template
        assert client.get("/api/boot").json()["classes"] == list(classes)


def test_a_bug_is_one_line_without_a_traceback(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("misread.web.api.confusion", fail)
    refused(client.get("/api/confusion"), 500, "ZeroDivisionError: one two")


def test_the_wrong_method_is_one_line(client: Any) -> None:
    assert client.get("/api/verdicts").status_code == 405
    assert client.http.delete("/api/view").status_code == 403
    assert client.post("/api/view", {}).status_code == 405


def test_on_a_network_reading_needs_the_whole_link_too(
    make_gallery: Callable[..., Gallery], serve_gallery: Callable[..., Any]
) -> None:
    with serve_gallery(make_gallery(), host="0.0.0.0") as client:
        door, name = client.door, f"192.168.1.5:{client.door.port}"
        assert door.locked and not make_door("localhost", 7470).locked
        for url in ("/", "/api/boot", "/image/test/0", "/api/boot?token=wrong"):
            refused(client.get(url, Host=name), 403, "whole link")
        answer = client.get(f"/?right=no&token={door.token}", Host=name)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?right=no")
        cookie = answer.headers["set-cookie"]
        assert "httponly" in cookie.lower() and "samesite=strict" in cookie.lower()
        cookie = cookie.partition(";")[0]
        assert client.get("/api/view", Host=name, Cookie=cookie).status_code == 200
        elsewhere = client.get("/api/view", Host=f"evil.example:{door.port}", Cookie=cookie)
        refused(elsewhere, 403, "Host")
        # Two slashes would lead to another server.
        client.http.cookies.clear()
        away = client.get(f"{client.origin}//evil.example/?token={door.token}", Host=name)
        assert away.headers["location"].startswith("/evil.example")


def test_a_door_does_not_show_its_token() -> None:
    door = make_door("127.0.0.1", 7470)
    assert door.token not in repr(door) and len(door.token) >= 32
    assert make_door("127.0.0.1", 7470).token != door.token


def test_port_80_may_be_left_out() -> None:
    door = make_door("127.0.0.1", 80)
    assert door.knows("127.0.0.1") and door.knows("[::1]:80") and not door.knows("127.0.0.1:81")
