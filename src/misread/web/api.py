"""The gallery's JSON: reads. `README.md` says what is asked and answered."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.errors import ParameterError
from misread.views.gallery.answers import plain
from misread.views.gallery.boot import boot
from misread.views.gallery.confusion import confusion
from misread.views.gallery.detail import detail
from misread.views.gallery.gallery import MOST_ITEMS, Gallery
from misread.views.gallery.query import Query, parse_pairs
from misread.views.gallery.tiles import MOST_TILES, tiles
from misread.web.responses import answer

Handler = Callable[[Request], Response]


def read_routes(gallery: Gallery, token: str) -> list[Route]:
    """The routes that answer JSON and change nothing.

    Handlers are plain functions: Starlette runs them in threads, so that a large sort keeps nobody
    else waiting.
    """

    def get_boot(request: Request) -> Response:
        return answer(plain(boot(gallery, token)))

    def get_view(request: Request) -> Response:
        return answer(plain(gallery.view(read_query(request))))

    def get_tiles(request: Request) -> Response:
        start, count = _range(request, MOST_TILES)
        return answer(plain(tiles(gallery, read_query(request, _RANGE), start, count)))

    def get_items(request: Request) -> Response:
        start, count = _range(request, MOST_ITEMS)
        return answer(plain(gallery.items(read_query(request, _RANGE), start, count)))

    def get_image(request: Request) -> Response:
        split, index = request.path_params["split"], request.path_params["index"]
        return answer(plain(detail(gallery, split, index, read_query(request))))

    def get_confusion(request: Request) -> Response:
        return answer(plain(confusion(gallery, read_query(request))))

    def get_error(request: Request) -> Response:
        # SciPy comes with it: not before it is asked for.
        from misread.views.gallery.error_rates import error_rates

        return answer(plain(error_rates(gallery, read_query(request))))

    def get_changes(request: Request) -> Response:
        since = whole_number("since", request.query_params.get("since", "0"))
        return answer(plain(gallery.changes(since)))

    return [
        Route("/api/boot", get_boot),
        Route("/api/view", get_view),
        Route("/api/tiles", get_tiles),
        Route("/api/items", get_items),
        Route("/api/image/{split}/{index:int}", get_image),
        Route("/api/confusion", get_confusion),
        Route("/api/error", get_error),
        Route("/api/changes", get_changes),
    ]


_RANGE = ("start", "count")


def read_query(request: Request, without: tuple[str, ...] = ()) -> Query:
    """The gallery's query in a request's URL, but for parameters that aren't part of it.

    Raises:
        ParameterError: An unknown key or value.
    """
    pairs = request.query_params.multi_items()
    return parse_pairs([(key, value) for key, value in pairs if key not in without])


def _range(request: Request, most: int) -> tuple[int, int]:
    start = whole_number("start", request.query_params.get("start", "0"))
    count = whole_number("count", request.query_params.get("count", "200"))
    if not 1 <= count <= most:
        raise ParameterError(f"count: expected 1 to {most:,}. Got {count} instead.")
    return start, count


def whole_number(key: str, value: Any) -> int:
    """A number of 0 or more from a URL.

    Raises:
        ParameterError: It is something else.
    """
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ParameterError(
            f"{key}: expected a whole number, 0 or more. Got {text[:80]!a} instead."
        )
    return int(text)
