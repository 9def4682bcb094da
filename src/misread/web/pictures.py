"""The gallery's images over HTTP."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.errors import ParameterError
from misread.views.gallery.boot import study_id
from misread.views.gallery.detail import drawing
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.pictures import MOST_SPRITE, Pictures
from misread.views.thumbnails import encode
from misread.web.api import whole_number

_FOREVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


def picture_routes(gallery: Gallery) -> list[Route]:
    """The routes of sprites, single images and drawings.

    Pixels of a study never change, but tomorrow another study may be served at the same address:
    only a URL that names the study may be kept without asking again.
    """
    pictures, study = Pictures(gallery.dataset), study_id(gallery.study)

    def respond(request: Request, content: bytes, kind: str) -> Response:
        pinned = request.query_params.get("v") == study
        headers = {"cache-control": _FOREVER if pinned else _ASK_AGAIN}
        return Response(content, media_type=kind, headers=headers)

    def get_sprite(request: Request) -> Response:
        asked = request.query_params
        items = _items(asked.get("items", ""))
        columns = whole_number("columns", asked.get("columns", "20"))
        if not 1 <= columns <= MOST_SPRITE:
            raise ParameterError(f"columns: expected 1 to {MOST_SPRITE}. Got {columns} instead.")
        sheet = pictures.sprite(asked.get("split", ""), items, columns)
        return respond(request, sheet.png, "image/png")

    def get_image(request: Request) -> Response:
        size = request.query_params.get("size", "full")
        if size not in ("thumb", "full"):
            raise ParameterError(f"size: expected thumb or full. Got {size[:80]!a} instead.")
        split, index = request.path_params["split"], request.path_params["index"]
        content, kind = pictures.image(split, index, full=size == "full")
        return respond(request, content, kind)

    def get_drawing(request: Request) -> Response:
        split, index = request.path_params["split"], request.path_params["index"]
        asked = request.query_params
        found = drawing(gallery, split, index, asked.get("run", ""), asked.get("role", ""))
        content, kind = encode(found)
        # Trained anew, a network of the same name draws another picture.
        return Response(content, media_type=kind, headers={"cache-control": _ASK_AGAIN})

    return [
        Route("/api/sprite.png", get_sprite),
        Route("/drawing/{split}/{index:int}", get_drawing),
        Route("/image/{split}/{index:int}", get_image),
    ]


def _items(text: str) -> list[int]:
    parts = text.split(",", MOST_SPRITE)
    if len(parts) > MOST_SPRITE:
        raise ParameterError(f"items: expected at most {MOST_SPRITE} positions")
    return [whole_number("items", part) for part in parts]
