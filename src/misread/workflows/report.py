"""A study as a static report: pages that open without a server and without a network."""

from dataclasses import dataclass
from pathlib import Path

from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.described import Described
from misread.analysis.reading.result import PeopleResult
from misread.datasets import Dataset
from misread.errors import ReadingsError, StudyError
from misread.report import check_place, compose_report, put_report
from misread.store import Study
from misread.tables import Origin, Reconstructions
from misread.views.audit import Audit
from misread.views.comparing import find_comparison
from misread.views.pages import Limits, Pages, build_pages
from misread.workflows.audit import audit
from misread.workflows.people import find_page, read_labels


@dataclass(frozen=True)
class WrittenReport:
    """A report that was written.

    Attributes:
        path: The page to open.
        pages: What it shows.
        files: Number of files.
        size: Bytes of all of them.
    """

    path: Path
    pages: Pages
    files: int
    size: int


def write_report(
    study: Study,
    output: Path | None = None,
    model: str | None = None,
    *,
    single_file: bool = False,
    dataset: Dataset | None = None,
    limits: Limits | None = None,
) -> WrittenReport:
    """Write a study as HTML: overview, misread images, audit, methods.

    A former report in its place is replaced, all at once; nothing else is ever replaced.

    Args:
        study: The study.
        output: A folder, or with `single_file` a `.html` file; None for `report/` or `report.html`
            in the study.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`); None for all.
        single_file: Put everything into one file.
        dataset: The study's dataset, where it is loaded already.
        limits: How much pages show; None for the usual.

    Returns:
        Where it is, and the pages as plain data.

    Raises:
        ParameterError: Something else lies at `output`, or it can't be written.
        StudyError: There are no predictions of the model.
        MisreadError: A table of the study is damaged.

    Example:
        ```python
        written = misread.write_report(misread.Study.open(Path("mnist-study")))
        print(written.path)
        ```
    """
    place = study.path / ("report.html" if single_file else "report")
    place = check_place(Path(output) if output is not None else place, single_file=single_file)
    dataset = dataset or study.load_dataset()
    pages = make_pages(study, model, dataset=dataset, limits=limits)
    composed = compose_report(
        pages, dataset, find_reconstructions(study, model), single_file=single_file
    )
    path = put_report(composed, place)
    size = sum(len(content) for content in composed.files.values())
    return WrittenReport(path, pages, len(composed.files), size)


def make_pages(
    study: Study,
    model: str | None = None,
    *,
    dataset: Dataset | None = None,
    limits: Limits | None = None,
) -> Pages:
    """A study's pages as plain data, with the audit of each split that has a panel.

    Args:
        study: The study.
        model: Only predictions of this model or run; None for all.
        dataset: The study's dataset, where it is loaded already.
        limits: How much pages show; None for the usual.

    Raises:
        StudyError: There are no predictions of the model.
        MisreadError: A table of the study is damaged.
    """
    dataset = dataset or study.load_dataset()
    listed = study.list_predictions(model=model)
    if model is not None and not listed:
        there = ", ".join(dict.fromkeys(p.run_name for p in study.list_predictions()))
        raise StudyError(
            f"{study.path}: expected predictions by {model!r}, found {there or 'none at all'}"
        )
    panels = {p.split for p in listed if p.origin != Origin.IN_SAMPLE}
    chosen = [] if model is None else [model]
    read, readings, problem = _find_readings(study, model, dataset)
    people = read if isinstance(read, PeopleResult) else None
    audits: dict[str, Audit] = {
        split: audit(study, split, chosen, dataset=dataset, readings=readings)
        for split in sorted(panels, key=lambda name: (name != "test", name))
    }
    found = [find_comparison(study, split, model, people=people) for split in audits]
    return build_pages(
        study,
        dataset,
        audits,
        model,
        limits,
        compared=[result for result in found if result is not None],
        people=people,
        described=read if isinstance(read, Described) else None,
        readings=readings,
        readings_problem=problem,
        reconstructions=find_reconstructions(study, model),
    )


def find_reconstructions(study: Study, model: str | None = None) -> dict[str, Reconstructions]:
    """What networks drew of each split: of several, the newest that never saw it comes first.

    Args:
        study: The study.
        model: Only drawings by this model or run; None for all.

    Raises:
        PredictionsError: A table is damaged.
    """
    listed = study.list_predictions(model=model)
    found: dict[str, Reconstructions] = {}
    for provenance in sorted(listed, key=lambda each: each.origin == Origin.IN_SAMPLE):
        table = study.load_reconstructions(provenance)
        if table is not None:
            found.setdefault(provenance.split, table)
    return found


def _find_readings(
    study: Study, model: str | None, dataset: Dataset
) -> tuple[PeopleResult | Described | None, dict[str, LabelReadings], str]:
    """What readings say; or nothing, and why: they never keep a report from being written."""
    try:
        return find_page(study, model, dataset=dataset), read_labels(study, dataset=dataset), ""
    except ReadingsError as error:
        return None, {}, str(error)
