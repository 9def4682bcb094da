"""The gallery as a web application."""

from functools import cache
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.errors import MisreadError
from misread.views.gallery.answers import plain
from misread.views.gallery.boot import boot
from misread.views.gallery.gallery import Gallery
from misread.web.api import read_routes
from misread.web.assets import make_templates, read_assets, render, serve
from misread.web.exports import MakeExport, export_routes
from misread.web.pictures import picture_routes
from misread.web.responses import last_answer, problem, refusal
from misread.web.security import BodyTooLargeError, Door, Guard
from misread.web.writes import write_routes

if TYPE_CHECKING:
    from misread.web.compare import ComparePages
    from misread.web.overview import OverviewPage
    from misread.web.people import PeoplePages


def make_gallery_app(gallery: Gallery, door: Door, make_export: MakeExport) -> Starlette:
    """The application that shows one study.

    Args:
        gallery: What it shows.
        door: Under which names it is reached, and the token of its writes.
        make_export: Makes the tables that it sends.
    """
    assets, templates = read_assets(), make_templates()

    @cache
    def overview() -> "OverviewPage":
        # Its page objects load SciPy: not before the first picture.
        from misread.web.overview import OverviewPage

        return OverviewPage(gallery)

    def get_page(request: Request) -> Response:
        start = plain(boot(gallery, door.token))
        return render(templates, "gallery.html", boot=start, version=start["version"])

    def get_overview(request: Request) -> Response:
        content, waiting = overview().render()
        start = plain(boot(gallery, door.token))
        return render(templates, "overview.html", boot=start, overview=content, waiting=waiting)

    @cache
    def people() -> "PeoplePages":
        from misread.web.people import PeoplePages

        return PeoplePages(gallery)

    def get_people(request: Request) -> Response:
        start = plain(boot(gallery, door.token))
        content, problem = people().render()
        return render(templates, "people.html", boot=start, people=content, problem=problem)

    @cache
    def compare() -> "ComparePages":
        from misread.web.compare import ComparePages

        return ComparePages(gallery)

    def get_compare(request: Request) -> Response:
        pages = compare()
        split = request.query_params.get("split") or (pages.splits or ["test"])[0]
        compared, start = pages.render(split), plain(boot(gallery, door.token))
        return render(
            templates, "compare.html", boot=start, compared=compared, split=split,
            splits=pages.splits,
        )  # fmt: skip

    async def get_static(request: Request) -> Response:
        return serve(assets, request, request.path_params["name"])

    routes = [
        Route("/", get_page),
        Route("/overview", get_overview),
        Route("/compare", get_compare),
        Route("/people", get_people),
        Route("/static/{name:path}", get_static),
        *read_routes(gallery, door.token),
        *write_routes(gallery.decisions),
        *picture_routes(gallery),
        *export_routes(gallery, make_export),
    ]
    return make_app(routes, door)


def make_app(routes: list[Route], door: Door) -> Starlette:
    """An application with the guard before its routes and errors of one line."""
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={
            HTTPException: _http_problem,
            BodyTooLargeError: _too_large,
            MisreadError: _bad_input,
            Exception: _bug,
        },
    )


def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    line = {404: "no such page", 405: "this address can't be asked in this way"}
    return refusal(request.headers, status, line.get(status, str(error)))


def _too_large(request: Request, error: Exception) -> Response:
    return last_answer(problem(413, str(error)))


def _bad_input(request: Request, error: Exception) -> Response:
    return refusal(request.headers, 400, str(error))


def _bug(request: Request, error: Exception) -> Response:
    # Raised again by Starlette, so that its traceback is printed; that ends the connection.
    return last_answer(refusal(request.headers, 500, f"{type(error).__name__}: {error}"))
