"""The gallery's JSON: decided verdicts, undo and redo."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.errors import ParameterError, StudyError
from misread.views.gallery.answers import DecidedAnswer, plain
from misread.views.gallery.decisions import Decisions
from misread.web.responses import answer, problem, read_object

_DECISION = ("split", "items", "verdict", "label", "event", "tab")
_STEP = ("tab", "event")


def write_routes(decisions: Decisions) -> list[Route]:
    """The routes that save verdicts. An answer means that they are on disk."""

    async def save(
        request: Request, fields: tuple[str, ...], work: Callable[[dict[str, Any]], DecidedAnswer]
    ) -> Response:
        asked = await read_object(request)
        if set(asked) != set(fields):
            raise ParameterError(
                f"body: expected the fields {', '.join(fields)}. Got {', '.join(asked)[:200]!a}."
            )
        if not decisions.writable:
            return problem(403, "this study can't be written; nothing was saved", "read-only")
        try:
            return answer(plain(await run_in_threadpool(work, asked)))
        except StudyError as error:
            # A full disk or a busy file passes: the page keeps what isn't saved, and tries again.
            return problem(503, str(error), "not-saved")

    async def post_verdicts(request: Request) -> Response:
        return await save(request, _DECISION, lambda asked: _decide(decisions, asked))

    async def post_undo(request: Request) -> Response:
        return await save(request, _STEP, lambda asked: _step(decisions, "undo", asked))

    async def post_redo(request: Request) -> Response:
        return await save(request, _STEP, lambda asked: _step(decisions, "redo", asked))

    return [
        Route("/api/verdicts", post_verdicts, methods=["POST"]),
        Route("/api/undo", post_undo, methods=["POST"]),
        Route("/api/redo", post_redo, methods=["POST"]),
    ]


def _decide(decisions: Decisions, asked: dict[str, Any]) -> DecidedAnswer:
    split, items = asked["split"], asked["items"]
    if not isinstance(split, str):
        raise ParameterError("split: expected a text")
    if not isinstance(items, list) or not all(type(item) is int for item in items):
        raise ParameterError("items: expected a list of whole numbers")
    if not isinstance(asked["verdict"], str | None):
        raise ParameterError("verdict: expected a text or null")
    return decisions.decide(
        split, items, asked["verdict"], asked["label"], event=asked["event"], tab=asked["tab"]
    )


def _step(decisions: Decisions, kind: str, asked: dict[str, Any]) -> DecidedAnswer:
    return decisions.step(kind, asked["tab"], asked["event"])
