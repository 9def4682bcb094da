"""Pages as plain data: what the report and the gallery show, and what `--json` prints.

Every field is text, a number, a truth value, None, or a tuple of these or of further pages' parts;
images are references (`Picture`). Nothing here knows HTML, files or matplotlib.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from misread.analysis.comparing.result import CompareResult
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.described import Described
from misread.analysis.reading.result import PeopleResult
from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Reconstructions
from misread.views.audit import Audit
from misread.views.pages.audit import AuditPage, build_audit
from misread.views.pages.compare import ComparePage, build_compare
from misread.views.pages.described import DescribedPage, build_described
from misread.views.pages.limits import Limits
from misread.views.pages.methods import Methods, build_methods
from misread.views.pages.mistakes import MistakesPage, build_mistakes
from misread.views.pages.overview import Overview, build_overview
from misread.views.pages.people import PeoplePage, build_people
from misread.views.pages.reconstructions import ReconstructionsPage, build_reconstructions
from misread.views.pages.reproduce import Reproduce, build_reproduce
from misread.views.pages.study_tables import StudyTables

__all__ = [
    "Limits",
    "Pages",
    "StudyTables",
    "build_compare",
    "build_described",
    "build_overview",
    "build_pages",
    "build_people",
    "to_json",
]


@dataclass(frozen=True)
class Pages:
    """All pages of a study.

    Attributes:
        overview: Dataset, models, error rates.
        mistakes: The misread images, a page for each split and origin.
        audits: The most suspicious images, a page for each split that has a panel.
        reconstructions: Difficult images beside what a network drew of them, a page for each split
            that one has drawn.
        compared: Models, people and the literature side by side, a page for each split that has
            something to hold against each other.
        people: People against models; None where nobody has read by a plan.
        described: The same of readings that follow no plan; None where there are none, or others.
        methods: How the figures were made, in words.
        reproduce: How to make them again.
    """

    overview: Overview
    mistakes: tuple[MistakesPage, ...]
    audits: tuple[AuditPage, ...]
    reconstructions: tuple[ReconstructionsPage, ...]
    compared: tuple[ComparePage, ...]
    people: PeoplePage | None
    described: DescribedPage | None
    methods: Methods
    reproduce: Reproduce


def build_pages(
    study: Study,
    dataset: Dataset,
    audits: Mapping[str, Audit],
    model: str | None = None,
    limits: Limits | None = None,
    *,
    compared: Sequence[CompareResult] = (),
    people: PeopleResult | None = None,
    described: Described | None = None,
    readings: Mapping[str, LabelReadings] | None = None,
    readings_problem: str = "",
    reconstructions: Mapping[str, Reconstructions] | None = None,
) -> Pages:
    """Build all pages of a study.

    Args:
        study: The study.
        dataset: Its dataset.
        audits: What the panel says, by split; splits without a panel have none.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`); None for all.
        limits: How much pages show; None for the usual.
        compared: What stands side by side, a split each.
        people: What a reader study measured; None where there is none.
        described: What people answered without a plan, in its place.
        readings: By split, what readers called single images; None where nobody has read.
        readings_problem: Why the readings can't be shown; "" if they can, or there are none.
        reconstructions: By split, what a network with a decoder drew of it.

    Raises:
        MisreadError: A table of the study is damaged.
    """
    tables = StudyTables(
        study,
        dataset,
        audits,
        model,
        limits or Limits(),
        people=people,
        readings=readings or {},
        readings_problem=readings_problem,
        reconstructions=reconstructions or {},
    )
    overview = build_overview(tables)
    side_by_side = tuple(build_compare(tables, result) for result in compared)
    return Pages(
        overview=overview,
        mistakes=tuple(build_mistakes(tables, provenance) for provenance in tables.shown),
        audits=tuple(build_audit(tables, split) for split in audits),
        reconstructions=tuple(
            build_reconstructions(tables, split) for split in tables.reconstructions
        ),
        compared=side_by_side,
        people=None if people is None else build_people(tables, people),
        described=None if described is None else build_described(tables, described),
        methods=build_methods(tables, overview, side_by_side),
        reproduce=build_reproduce(tables, overview),
    )


def to_json(page: Any) -> Any:
    """A page or a part of one as dicts, lists, texts and numbers; what is no number is null."""
    if dataclasses.is_dataclass(page):
        return {
            field.name: to_json(getattr(page, field.name)) for field in dataclasses.fields(page)
        }
    if isinstance(page, tuple):
        return [to_json(part) for part in page]
    if isinstance(page, float) and not math.isfinite(page):
        return None
    return page
