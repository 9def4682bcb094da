"""JSON in and out, and errors of one line."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from misread.errors import ParameterError


def answer(content: Any, status: int = 200) -> Response:
    """A value as a JSON response."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate, as from a strange file name, has no UTF-8.
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def problem(status: int, line: str, code: str | None = None) -> Response:
    """An error as a JSON response: one line, and a code where the page acts on it."""
    content = {"error": " ".join(line.split())}
    return answer(content if code is None else content | {"code": code}, status)


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
