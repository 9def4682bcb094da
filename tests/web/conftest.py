"""A real server on loopback, in a thread of the tests, and a client that asks as its page does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from misread.views.gallery.gallery import Gallery
from misread.web.app import make_gallery_app
from misread.web.security import Door, make_door
from misread.web.serving import listen, make_server
from misread.workflows.open import make_exporter


class Client:
    """Asks as the server's own page does, unless told otherwise.

    Attributes:
        http: Asks as it is told.
        door: The server's.
    """

    def __init__(self, http: httpx.Client, door: Door) -> None:
        self.http, self.door = http, door

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    def get(self, url: str, **headers: str) -> httpx.Response:
        chosen = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(url, headers=chosen)

    def post(self, url: str, body: object, **headers: str | None) -> httpx.Response:
        usual: dict[str, str | None] = {
            "Origin": self.origin,
            "X-Misread-Token": self.door.token,
        }
        chosen = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        # Bytes, so that any text can be sent.
        kept = {
            name.encode(): value.encode() for name, value in chosen.items() if value is not None
        }
        if isinstance(body, dict):
            return self.http.post(url, json=body, headers=kept)
        return self.http.post(url, content=body, headers=kept)  # type: ignore[arg-type]

    def decide(self, items: list[int], verdict: str | None, **other: Any) -> httpx.Response:
        usual = {"split": "test", "label": None, "event": "event-1", "tab": "tab-1"}
        return self.post("/api/verdicts", usual | {"items": items, "verdict": verdict} | other)


ServeGallery = Callable[..., Any]


@pytest.fixture(scope="session")
def serve_gallery() -> ServeGallery:
    """Serves a gallery, as if it listened on this host; a context manager that gives a client."""

    @contextmanager
    def serve(gallery: Gallery, host: str = "127.0.0.1") -> Iterator[Client]:
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        door = make_door(host, port)
        server = make_server(make_gallery_app(gallery, door, make_exporter(gallery)))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            yield Client(http, door)
        server.should_exit = True
        thread.join(10)
        listening.close()

    return serve


@pytest.fixture
def client(make_gallery: Callable[..., Gallery], serve_gallery: ServeGallery) -> Iterator[Client]:
    """A client of the default gallery."""
    with serve_gallery(make_gallery()) as ready:
        yield ready
