"""The application of a reader study: a page for each reader, and one for the owner.

A reader's page is told the number of images, opaque names of trials, and pixels. It is never told a
label, a prediction, whether an item is a hard one, where it is in the dataset, or what a file is
called: not in an address, a header, the page or the size of anything but the image itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from misread.analysis.reading.design import SECONDS_EACH
from misread.datasets import Dataset
from misread.store.reading_log import ReadingLog
from misread.tables.reading_plan import ReadingPlan
from misread.web.app import make_app
from misread.web.assets import make_templates, read_assets, render, serve
from misread.web.reader.answers import parse_agreement, parse_answers
from misread.web.reader.desk import AHEAD, Desk
from misread.web.reader.keys import choose_keys
from misread.web.reader.room import Room
from misread.web.responses import answer, problem, read_object, refusal
from misread.web.security import Door

BREAK_EVERY = 100
UNDO = 3
# Classes whose names are told before the reader begins.
_FEW = 12

# Milliseconds; the mask follows the image at once, and `answer` runs from the image's onset.
BRIEF = {"fixation": 300, "image": 200, "mask": 200, "answer": 1500}


@dataclass(frozen=True)
class Reading:
    """What a reader study is served from.

    Attributes:
        plan: The frozen plan.
        log: Readers and answers.
        dataset: The images.
        keys: A key for each class, None for the usual ones.
        contact: Who asks and how to reach them, as readers are told; "" for nobody.
        base: The server's address in readers' links; "" for the one that the owner's page is asked
            under.
    """

    plan: ReadingPlan
    log: ReadingLog
    dataset: Dataset
    keys: str | None = None
    contact: str = ""
    base: str = ""


def make_reading_app(reading: Reading, door: Door) -> Starlette:
    """The application.

    Args:
        reading: What is read.
        door: Under which names the server is reached; its token opens the owner's page.

    Raises:
        ParameterError: The keys don't fit the classes.
    """
    return make_app(_Pages(reading, door).routes(), door)


class _Pages:
    def __init__(self, reading: Reading, door: Door) -> None:
        self._plan, self._door = reading.plan, door
        self._contact, self._base = reading.contact, reading.base
        self._room = Room(reading.plan, reading.log, reading.dataset)
        self._templates, self._assets = make_templates(), read_assets()
        classes = reading.plan.target.classes
        keys = choose_keys(classes, reading.keys)
        self._classes = [
            {"name": name, "key": key} for name, key in zip(classes, keys, strict=True)
        ]

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("/static/{name:path}", self._static),
            Route("/owner", self._owner),
            Route("/r/{token}", self._page),
            Route("/r/{token}/state", self._state),
            Route("/r/{token}/images/{trial}", self._image),
            Route("/r/{token}/agree", self._agree, methods=["POST"]),
            Route("/r/{token}/answers", self._answers, methods=["POST"]),
        ]

    async def _static(self, request: Request) -> Response:
        return serve(self._assets, request, request.path_params["name"])

    # A reader's page

    async def _page(self, request: Request) -> Response:
        desk = await self._desk(request)
        if desk is None:
            return _nobody(request)
        boot = {
            "base": f"/r/{desk.reader.token}",
            "classes": self._classes,
            "brief": BRIEF if self._plan.brief else None,
            "breakEvery": BREAK_EVERY,
            "undo": UNDO,
            "pace": SECONDS_EACH,
        }
        return render(
            self._templates, "reader.html", boot=boot, seconds=_seconds, contact=self._contact,
            question=_question(self._plan.target.classes),
        )  # fmt: skip

    async def _state(self, request: Request) -> Response:
        desk = await self._desk(request)
        if desk is None:
            return _nobody(request)
        now, after = self._room.clock(), request.query_params.get("after", "")
        if desk.reader.agreed_at is None:
            phase, upcoming = "welcome", []
        else:
            phase, upcoming = "reading", desk.upcoming(after, AHEAD, now)
            if desk.is_done(now):
                phase = "done"
        trials = [
            {"trial": token, "kind": "practice" if place.practice else "reading"}
            for token, place in upcoming
        ]
        return answer(
            {"phase": phase, "done": desk.done, "planned": desk.planned, "upcoming": trials}
        )

    async def _image(self, request: Request) -> Response:
        desk = await self._desk(request)
        place = None if desk is None else desk.locate(request.path_params["trial"])
        if place is None:
            return _nobody(request)
        content, media_type = await self._room.picture(place)
        return Response(content, media_type=media_type)

    async def _agree(self, request: Request) -> Response:
        desk = await self._desk(request)
        if desk is None:
            return _nobody(request)
        await self._room.agree(desk, parse_agreement(await read_object(request)))
        return answer({})

    async def _answers(self, request: Request) -> Response:
        desk = await self._desk(request)
        if desk is None:
            return _nobody(request)
        content = await read_object(request)
        if desk.reader.agreed_at is None:
            return problem(409, "agreed: reading begins once you agree that your answers are kept")
        rows = parse_answers(content, desk, len(self._classes), self._room.clock())
        late = await self._room.record(desk, rows)
        return answer({"kept": len(rows) - len(late), "late": late, "planned": desk.planned})

    async def _desk(self, request: Request) -> Desk | None:
        return await self._room.desk(request.path_params["token"])

    # The owner's

    async def _owner(self, request: Request) -> Response:
        if not self._door.opens(request.query_params.get("token", "")):
            return _nobody(request)
        return render(self._templates, "owner.html", readers=await self._progress(request))

    async def _progress(self, request: Request) -> list[dict[str, Any]]:
        """Who has read how much; never how well."""
        found = []
        base = self._base or f"{request.url.scheme}://{request.url.netloc}"
        for reader in self._room.log.readers(self._plan):
            desk = await self._room.desk(reader.token)
            if desk is not None:
                found.append(
                    {
                        "name": reader.name,
                        "link": f"{base}/r/{reader.token}",
                        "done": desk.done,
                        "planned": desk.planned,
                        "begun": reader.agreed_at is not None,
                        "seen": reader.seen,
                    }
                )
        return found


def _seconds(milliseconds: float) -> str:
    """A time in words: "0.2 seconds"."""
    return f"{milliseconds / 1000:g} seconds"


def _question(classes: Sequence[str]) -> str:
    """What is to be said of each image, in words that need no knowledge of classes."""
    if all(len(name) == 1 and name in "0123456789" for name in classes):
        return "Say of each which digit it shows."
    if len(classes) > _FEW:
        return f"Say of each which of {len(classes):,} things it shows; you choose from a list."
    first, last = ", ".join(classes[:-1]), classes[-1]
    return f"Say of each what it shows: {first} or {last}." if first else "Look at each."


def _nobody(request: Request) -> Response:
    """The same answer to every link that is wrong, whatever is wrong with it."""
    return refusal(
        request.headers, 404, "this link isn't known here; ask whoever sent it for a new one"
    )
