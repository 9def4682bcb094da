"""The gallery's downloads."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.errors import ParameterError
from misread.views.gallery.gallery import Gallery
from misread.web.responses import problem

if TYPE_CHECKING:
    # What makes tables loads SciPy, which would delay the first picture.
    from misread.views.exports import Export

# (what, split) -> a table.
MakeExport = Callable[[str, str], "Export"]

_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
_WHAT = ("verdicts", "labels")


def export_routes(gallery: Gallery, make: MakeExport) -> list[Route]:
    """The routes of downloads.

    Args:
        gallery: What is exported.
        make: Makes the tables.
    """

    def get_export(request: Request) -> Response:
        what, _, kind = request.path_params["name"].partition(".")
        if what not in _WHAT or kind not in _KINDS:
            return problem(404, f"expected {' or '.join(_WHAT)} as {', '.join(_KINDS)}")
        unknown = set(request.query_params) - {"split"}
        if unknown:
            raise ParameterError(f"query: expected split only. Got {sorted(unknown)[0][:80]!a}.")
        split = request.query_params.get("split", gallery.holdings.default_split)
        gallery.holdings.split(split)
        table = make(what, split)
        # A split may have any name, and HTTP headers can't hold it as it is.
        name = quote(f"{gallery.study.path.resolve().name}.{table.file_name(f'.{kind}')}", safe="")
        disposition = f"attachment; filename*=UTF-8''{name}"
        headers = {"content-disposition": disposition, "content-type": _KINDS[kind]}
        return Response(table.encode(f".{kind}"), headers=headers)

    return [Route("/export/{name}", get_export)]
