"""Looking at a study in the browser."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from misread.datasets import Dataset
from misread.store import Study
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.reading import ReadingSource
from misread.web.app import make_gallery_app
from misread.web.exports import MakeExport
from misread.web.security import make_door
from misread.web.serving import address, listen, network_address, open_browser, run_server

if TYPE_CHECKING:
    # The audit loads SciPy, which would delay the first picture.
    from misread.analysis.reading.described import Described
    from misread.analysis.reading.result import PeopleResult
    from misread.tables.readings import Readings
    from misread.views.audit import Audit
    from misread.views.exports import Export


def open_gallery(
    study: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    browser: bool = True,
    on_start: Callable[[str, Path], None] | None = None,
) -> None:
    """Serve a study's gallery until Ctrl-C.

    Args:
        study: The study's folder; None for the working folder, or the only `*-study` in it.
        host: Address to listen on.
        port: 0 for a free one; None for the usual one, or a free one where that is taken.
        browser: Whether to open it in the user's browser.
        on_start: Called with the page's URL, as other machines reach it where the server listens
            everywhere, and the study's folder once it can be opened.

    Raises:
        StudyError: There is no study, or its dataset has changed.
        DatasetError: Its dataset can't be loaded.
        ServerError: It can't be served at this address.
    """
    place = Study.locate(study, Path.cwd())
    # Before the dataset is loaded, which may take long: a port in use is told at once.
    with closing(listen(host, port)) as listening:
        gallery = make_gallery(place, place.load_dataset())
        door = make_door(host, listening.getsockname()[1])
        app = make_gallery_app(gallery, door, make_exporter(gallery))
        page = "/" + (f"?token={door.token}" if door.locked else "")

        def started() -> None:
            if on_start is not None:
                on_start(network_address(host, listening) + page, place.path)
            if browser:
                open_browser(address(host, listening) + page)

        run_server(app, listening, started)


def make_gallery(study: Study, dataset: Dataset) -> Gallery:
    """A study's gallery, which audits a split when it is wanted.

    Args:
        study: The study.
        dataset: Its dataset.
    """

    def audit_split(split: str) -> "Audit":
        from misread.errors import ReadingsError
        from misread.workflows.audit import audit
        from misread.workflows.people import read_labels

        try:
            readings = read_labels(study, dataset=dataset)
        except ReadingsError:
            # The page of people says what is wrong with them; suggestions do without.
            readings = {}
        return audit(study, split, dataset=dataset, readings=readings)

    return Gallery(study, dataset, audit_split, reading_source(study, dataset))


def reading_source(study: Study, dataset: Dataset) -> ReadingSource:
    """Where a gallery has its study's readings from.

    Args:
        study: The study.
        dataset: Its dataset.
    """

    def load() -> "Readings | None":
        from misread.workflows.readings import find_readings

        return find_readings(study)

    def measure() -> "PeopleResult | Described | None":
        from misread.workflows.people import find_page

        return find_page(study, dataset=dataset)

    return ReadingSource(load, measure)


def make_exporter(gallery: Gallery) -> MakeExport:
    """What makes the tables that a gallery sends: those that `misread export` writes."""

    def make_export(what: str, split: str) -> "Export":
        from misread.workflows.exporting import export

        # An audit is made once; where there is nothing to audit, there is none.
        found = gallery.scoring.wait_for_audit(split, None) if what == "verdicts" else None
        return export(gallery.study, what, split, dataset=gallery.dataset, audit=found)

    return make_export
