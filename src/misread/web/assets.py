"""The package's static files and templates, read at the start: no request names a file."""

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from misread.web.responses import problem

_PACKAGE = files("misread.web")
# Found beside its package: importing that loads SciPy, which would delay the first picture.
_PAGES = files("misread.views") / "html"
# What the operating system says of these differs from one to the next.
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
}


@dataclass(frozen=True)
class Asset:
    """A static file.

    Attributes:
        content: Its bytes.
        media_type: As a browser wants it.
        etag: Changes with the content.
    """

    content: bytes
    media_type: str
    etag: str


def read_assets() -> dict[str, Asset]:
    """The static files by the names that requests use: the gallery's, and those of the overview."""
    found = dict(_walk(_PACKAGE / "static", "")) | dict(_walk(_PAGES / "static", "pages/"))
    return {name: _asset(name, file) for name, file in found.items()}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    if not folder.is_dir():
        return found
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry))
    return found


def _asset(name: str, file: Traversable) -> Asset:
    content = file.read_bytes()
    ending = f".{name.rpartition('.')[2]}"
    kind = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return Asset(content, kind, f'"{hashlib.sha256(content).hexdigest()[:20]}"')


def serve(assets: dict[str, Asset], request: Request, name: str) -> Response:
    """One of the static files, or a 404; unchanged ones aren't sent again."""
    asset = assets.get(name)
    if asset is None:
        return problem(404, f"no such file: {name[:200]!a}")
    headers = {"etag": asset.etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers=headers | {"content-type": asset.media_type})


def make_templates() -> Environment:
    """The templates; whatever they are given is escaped, and a name that they lack is an error."""

    def load(name: str) -> str | None:
        # Names come from the code alone.
        file = _PACKAGE / "templates" / name
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(templates: Environment, name: str, **values: Any) -> Response:
    """A page from a template."""
    text = templates.get_template(name).render(**values)
    return Response(text.encode("utf-8", "replace"), media_type="text/html; charset=utf-8")
