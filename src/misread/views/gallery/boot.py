"""What the page needs before it can ask for anything."""

import hashlib
from importlib.metadata import version

from misread.store import Study
from misread.tables.verdicts import Verdict
from misread.views.gallery.answers import (
    BootAnswer,
    MetadataAnswer,
    ModelAnswer,
    SortAnswer,
    SplitAnswer,
    StudyAnswer,
)
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.pictures import cell_of

_MOST_VALUES = 200
_SORTS = [
    SortAnswer("index", "asc", None),
    SortAnswer("difficulty", "desc", "scores"),
    SortAnswer("suspicion", "desc", "scores"),
    SortAnswer("confidence", "desc", "model"),
    SortAnswer("random", "asc", None),
]


def boot(gallery: Gallery, token: str) -> BootAnswer:
    """What the page starts with.

    Args:
        gallery: The gallery.
        token: What writes must bring.
    """
    holdings, study = gallery.holdings, gallery.study
    split = holdings.default_split
    runs = holdings.runs(split)
    return BootAnswer(
        version=version("misread"),
        token=token,
        revision=gallery.decisions.revision(),
        writable=gallery.decisions.writable,
        study=StudyAnswer(
            id=study_id(study),
            name=study.path.resolve().name,
            dataset=study.dataset_name,
            note=study.note,
            path=str(study.path.resolve()),
        ),
        classes=list(gallery.dataset.classes),
        splits={name: _split(gallery, name) for name in gallery.dataset.splits},
        models=[
            ModelAnswer(p.run_name, p.model, p.split, str(p.origin), p.created)
            for p in holdings.predictions()
        ],
        sorts=_SORTS,
        verdicts=[str(verdict) for verdict in Verdict],
        default={"split": split, "model": runs[0].run_name if runs else None},
    )


def study_id(study: Study) -> str:
    """The same for as long as the study lies in this folder and is of the same images."""
    records = [f"{name} {record.items_fingerprint}" for name, record in study.splits.items()]
    text = "\n".join([str(study.path.resolve()), *sorted(records)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _split(gallery: Gallery, name: str) -> SplitAnswer:
    split = gallery.holdings.split(name)
    return SplitAnswer(
        images=len(split),
        cell=cell_of(split),
        scores=gallery.scoring.state(name, start=False),
        metadata=[
            MetadataAnswer(
                column, table.kind, table.common(_MOST_VALUES), len(table.values), table.missing
            )
            for column, table in gallery.holdings.metadata(name).items()
        ],
    )
