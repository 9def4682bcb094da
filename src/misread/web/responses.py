"""JSON in and out, and errors of one line."""

import html
import json
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from misread.errors import ParameterError

# Without a style sheet or a script: what refuses may refuse those, too.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>misread</title>
<link rel="icon" href="data:,">
</head>
<body><main><h1>This page can't be shown</h1><p>{line}</p></main></body>
</html>
"""


def answer(content: Any, status: int = 200) -> Response:
    """A value as a JSON response."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate, as from a strange file name, has no UTF-8.
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def problem(status: int, line: str, code: str | None = None) -> Response:
    """An error as a JSON response: one line, and a code where the page acts on it."""
    content = {"error": " ".join(line.split())}
    return answer(content if code is None else content | {"code": code}, status)


def refusal(headers: Headers, status: int, line: str, code: str | None = None) -> Response:
    """An error for whoever asked: a small page for a browser's window, `problem` for a script."""
    if "text/html" not in headers.get("accept", ""):
        return problem(status, line, code)
    text = _PAGE.format(line=html.escape(" ".join(line.split())))
    return Response(text.encode("utf-8", "replace"), status, media_type="text/html; charset=utf-8")


def last_answer(response: Response) -> Response:
    """The same response, after which nothing more can be asked over its connection."""
    response.headers["connection"] = "close"
    return response


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        ParameterError: The body is something else.
    """
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise ParameterError("body: expected a JSON object, found something else") from None
    if not isinstance(content, dict):
        raise ParameterError("body: expected a JSON object, found something else")
    return content
