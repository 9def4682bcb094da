"""Serving the readers' pages."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.errors import PortInUseError, ReadingsError, ServerError
from misread.store import Study
from misread.tables.reading_plan import ReadingPlan
from misread.web.reader.app import Reading, make_reading_app
from misread.web.security import make_door, make_token
from misread.web.serving import (
    DEFAULT_PORT,
    listen,
    network_address,
    open_browser,
    run_server,
)
from misread.workflows.reading_plan import load_plan, make_plan

READER = "reader"


@dataclass(frozen=True)
class ReadingLinks:
    """Where a reader study can be read.

    Attributes:
        plan: The plan.
        study: The study's folder.
        readers: The link of each reader, by his name.
        owner: The owner's page: who has read how much.
        notes: What the owner should know of these links, a line each.
    """

    plan: ReadingPlan
    study: Path
    readers: dict[str, str]
    owner: str
    notes: tuple[str, ...] = ()


def read(
    study: Study,
    readers: Sequence[str] = (),
    *,
    brief: bool = False,
    keys: str | None = None,
    contact: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    browser: bool = True,
    on_start: Callable[[ReadingLinks], None] | None = None,
) -> None:
    """Serve the readers' pages until Ctrl-C; a plan is frozen first if there is none.

    Args:
        study: What is read.
        readers: Pseudonyms; who is new gets a link. None means `reader`, if nobody has
            a link yet.
        brief: Of a new plan: show images for 200 ms, then masked, and go on after 1500 ms.
        keys: A character for each class, kept for the next time; "" for the usual ones, None for
            those of the last time.
        contact: Who asks, and how to reach them: readers see it before they begin. Kept; "" for
            nobody, None for the one of the last time.
        host: Address to listen on; with `0.0.0.0` the network can reach it.
        port: 0 for a free one; None for the one that the readers' links name. Before there are any:
            the usual one, or a free one where that is taken.
        browser: Whether to open the page of the first of `readers` here.
        on_start: Called with the links once they can be opened.

    Raises:
        ParameterError: The keys don't fit the classes.
        ReadingsError: The plan is another one, or a name can't be used.
        StudyError: The study's images have changed.
        ServerError: It can't be served at this address, or the port of the readers' links is taken.
    """
    plan = _plan(study, brief)
    dataset = study.load_dataset()
    log = study.reading_log
    named = list(dict.fromkeys(readers))
    if not named and not log.readers(plan):
        named = [READER]
    kept = log.settings(plan)
    settings = kept | {
        name: value for name, value in (("keys", keys), ("contact", contact)) if value is not None
    }
    # Readers of before have links that name a port: the usual one, if none was kept.
    before = int(kept.get("port", DEFAULT_PORT)) if log.readers(plan) else None
    listening = _listen(host, port, before)
    settings["port"] = str(listening.getsockname()[1])
    settings.setdefault("owner", make_token())
    door = make_door(host, int(settings["port"]), by_link=True, token=settings["owner"])
    base = network_address(host, listening)
    app = make_reading_app(
        Reading(
            plan, log, dataset, keys=settings.get("keys") or None,
            contact=settings.get("contact", ""), base=base,
        ),
        door,
    )  # fmt: skip
    log.keep(plan, **settings)
    for name in named:
        log.enrol(plan, name)
    notes = _notes(port, int(settings["port"]), before)
    links = {reader.name: f"{base}/r/{reader.token}" for reader in log.readers(plan)}

    def started() -> None:
        if on_start is not None:
            owner = f"{base}/owner?token={door.token}"
            on_start(ReadingLinks(plan, study.path, links, owner, notes))
        if browser and links:
            open_browser(links[named[0]] if named else next(iter(links.values())))

    run_server(app, listening, started)


def _listen(host: str, port: int | None, before: int | None) -> socket.socket:
    """Listen where the readers' links lead, unless another port is asked for."""
    if port is not None or before is None:
        return listen(host, port)
    try:
        return listen(host, before)
    except PortInUseError:
        raise ServerError(
            f"port: {before} is in use, and the links that readers have name it; end what uses it "
            "(perhaps `misread open`), or read at another port with new links for all: --port 0"
        ) from None


def _notes(asked: int | None, port: int, before: int | None) -> tuple[str, ...]:
    """What to say of the port, if anything."""
    if before is not None and port != before:
        dead = f"the links of before named port {before} and are dead"
        return (f"{dead}; send these, or start with --port {before}",)
    if asked is None and before is None and port != DEFAULT_PORT:
        return (f"port {DEFAULT_PORT} is in use: port {port} is taken instead, from now on",)
    return ()


def _plan(study: Study, brief: bool) -> ReadingPlan:
    if not study.plan_file.exists():
        split = "test" if "test" in study.splits else next(iter(study.splits))
        return make_plan(study, split=split, brief=brief)
    plan = load_plan(study)
    if brief and not plan.brief:
        raise ReadingsError(
            f"brief: {study.plan_file} was frozen with images that stay until the answer; plan a "
            "brief study in another folder: --study"
        )
    return plan


def count_answers_of(study: Study, name: str) -> int:
    """How many answers of a reader `forget` would delete, practice among them.

    Raises:
        ReadingsError: There is no plan or no such reader.
    """
    log = study.reading_log
    return len(log.answers(log.find(load_plan(study), name)))


def forget(study: Study, name: str) -> int:
    """Delete a reader's name, link and answers for good, as he may ask for.

    Returns:
        How many answers there were.

    Raises:
        ReadingsError: There is no plan or no such reader.
    """
    return study.reading_log.forget(load_plan(study), name)
