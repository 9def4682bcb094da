"""Serving the readers' pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.errors import ReadingsError
from misread.store import Study
from misread.tables.reading_plan import ReadingPlan
from misread.web.reader.app import Reading, make_reading_app
from misread.web.security import make_door
from misread.web.serving import address, listen, open_browser, run_server
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
    """

    plan: ReadingPlan
    study: Path
    readers: dict[str, str]
    owner: str


def read(
    study: Study,
    readers: Sequence[str] = (),
    *,
    brief: bool = False,
    keys: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    browser: bool = True,
    on_start: Callable[[ReadingLinks], None] | None = None,
) -> None:
    """Serve the readers' pages until Ctrl-C; a plan is frozen first if there is none.

    Args:
        study: What is read.
        readers: Pseudonyms; who is new gets a link of his own. None means `reader`, if nobody has
            a link yet.
        brief: Of a new plan: show images for 200 ms, then masked.
        keys: A character for each class; None for the usual ones.
        host: Address to listen on; with `0.0.0.0` the network can reach it.
        port: 0 for a free one; None for the usual one, or a free one where that is taken.
        browser: Whether to open the page of the first of `readers` here.
        on_start: Called with the links once they can be opened.

    Raises:
        ParameterError: The keys don't fit the classes.
        ReadingsError: The plan is another one, or a name can't be used.
        StudyError: The study's images have changed.
        ServerError: It can't be served at this address.
    """
    plan = _plan(study, brief)
    dataset = study.load_dataset()
    log = study.reading_log
    named = list(dict.fromkeys(readers))
    if not named and not log.readers(plan):
        named = [READER]
    listening = listen(host, port)
    door = make_door(host, listening.getsockname()[1], by_link=True)
    app = make_reading_app(Reading(plan, log, dataset, keys), door)
    for name in named:
        log.enrol(plan, name)
    base = address(host, listening)
    links = {reader.name: f"{base}/r/{reader.token}" for reader in log.readers(plan)}

    def started() -> None:
        if on_start is not None:
            on_start(ReadingLinks(plan, study.path, links, f"{base}/owner?token={door.token}"))
        if browser and links:
            open_browser(links[named[0]] if named else next(iter(links.values())))

    run_server(app, listening, started)


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
