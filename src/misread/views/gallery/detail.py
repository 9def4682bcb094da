"""Everything about one image, and its place in a view."""

from typing import TYPE_CHECKING

import numpy as np

from misread.datasets import Images
from misread.errors import DatasetError, ParameterError
from misread.types import ByteArray
from misread.views.gallery.answers import (
    ImageAnswer,
    ModelImageAnswer,
    NeighbourAnswer,
    ReconstructionAnswer,
)
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.lists import class_numbers, rounded, verdict_names
from misread.views.gallery.query import Query
from misread.views.gallery.tiles import scores_at
from misread.views.gallery.view import View

if TYPE_CHECKING:
    # The audit loads SciPy, which would delay the first picture.
    from misread.analysis.verdicts import Suggestion
    from misread.views.audit import Audit

_TOP = 5
_NEIGHBOURS = 20
# Seconds to wait for the evidence; after that the page is told that it is still to come.
_WAIT = 1.0


def detail(gallery: Gallery, split: str, index: int, query: Query) -> ImageAnswer:
    """Everything about one image.

    Args:
        gallery: The gallery.
        split: Name of the split.
        index: Position of the image in it.
        query: The view in which it is looked at.

    Raises:
        ParameterError: There is no such image, or the query names something that there isn't.
    """
    check_index(gallery, split, index)
    images = gallery.holdings.split(split)
    view = gallery.find(query)
    position = view.find(index) if view.split == split else None
    at = np.array([index], np.int32)
    scores, decided = scores_at(gallery, split, at), gallery.decisions.columns(split)
    # Kept scores have no sentences: these take an audit, which may have to be made first.
    said = _say(gallery.scoring.wait_for_audit(split, _WAIT), index)
    return ImageAnswer(
        split=split,
        index=index,
        file=images.file(index),
        shape=_shape(images.images, index),
        given=int(images.labels[index]),
        decided=verdict_names(decided.verdict[at])[0],
        decided_label=class_numbers(decided.label[at])[0],
        revision=decided.revision,
        position=position,
        previous=_neighbour(view, position, -1),
        next=_neighbour(view, position, 1),
        total=len(view),
        models=_models(gallery, split, index),
        scores=gallery.scoring.evidence_state(split),
        difficulty=rounded(scores.difficulty)[0],
        suspicion=rounded(scores.suspicion)[0],
        evidence=None if said is None else said.evidence,
        suggested=verdict_names(scores.suggested)[0],
        suggested_label=class_numbers(scores.suggested_label)[0],
        reason="" if said is None else said.reason,
        reconstructions=_reconstructions(gallery, split, index),
        neighbours=_near(gallery, split, index),
        metadata=_metadata(gallery, split, index),
        readings=gallery.reading.of(split, index),
    )


def check_index(gallery: Gallery, split: str, index: int) -> None:
    """Refuse an image that there isn't.

    Raises:
        ParameterError: There is no such split, or it has fewer images.
    """
    count = len(gallery.holdings.split(split))
    if not 0 <= index < count:
        raise ParameterError(
            f"index: expected an image of {split}, 0 to {count - 1}. Got {index} instead."
        )


def _shape(images: Images, index: int) -> list[int]:
    try:
        height, width, *channels = images[index].shape
    except DatasetError:
        return []
    return [height, width, channels[0] if channels else 1]


def _neighbour(view: View, position: int | None, step: int) -> int | None:
    if position is None or not 0 <= position + step < len(view):
        return None
    return int(view.places[position + step])


def _say(audit: "Audit | None", index: int) -> "Suggestion | None":
    """What the audit says of an image; None where it isn't done, or doesn't cover the image."""
    if audit is None:
        return None
    from misread.analysis.verdicts import suggest

    place = int(np.searchsorted(audit.evidence.panel.index, index))
    covered = place < len(audit) and audit.evidence.panel.index[place] == index
    return suggest(audit.evidence, np.array([place]), audit.thresholds)[0] if covered else None


def _models(gallery: Gallery, split: str, index: int) -> list[ModelImageAnswer]:
    given = int(gallery.holdings.split(split).labels[index])
    found = []
    for provenance in gallery.holdings.runs(split):
        probabilities = gallery.holdings.probabilities(provenance, index)
        if probabilities is None:
            continue
        top = np.argsort(-probabilities, kind="stable")[:_TOP]
        chances = np.round(probabilities.astype(np.float64), 4)
        found.append(
            ModelImageAnswer(
                run=provenance.run_name,
                origin=str(provenance.origin),
                predicted=int(top[0]),
                p_predicted=float(chances[top[0]]),
                p_given=float(chances[given]),
                top=[(int(k), float(chances[k])) for k in top],
            )
        )
    return found


def _reconstructions(gallery: Gallery, split: str, index: int) -> list[ReconstructionAnswer]:
    found = []
    for table in gallery.holdings.reconstructions(split):
        row = table.row(index)
        if row is None:
            continue
        at = slice(row, row + 1)
        found.append(
            ReconstructionAnswer(
                run=table.provenance.run_name,
                predicted=int(table.predicted[row]),
                error_given=round(float(table.error_given[row]), 4),
                error_predicted=round(float(table.error_predicted[row]), 4),
                share_better=round(float(table.share_better(table.error_predicted[at])[0]), 4),
                drawn=table.drawings(index) is not None,
            )
        )
    return found


def drawing(gallery: Gallery, split: str, index: int, run: str, role: str) -> ByteArray:
    """What a network drew of an image.

    Args:
        gallery: The gallery.
        split: Name of the split.
        index: Position of the image in it.
        run: Name of the network's run.
        role: `given` or `predicted`: the class as which it is drawn.

    Returns:
        (H, W, C) uint8.

    Raises:
        ParameterError: No such drawing is kept.
    """
    check_index(gallery, split, index)
    if role not in ("given", "predicted"):
        raise ParameterError(f"role: expected given or predicted. Got {role[:80]!a} instead.")
    for table in gallery.holdings.reconstructions(split):
        kept = table.drawings(index) if table.provenance.run_name == run else None
        if kept is not None:
            return kept[role == "predicted"]
    raise ParameterError(
        f"run: expected one that keeps a drawing of image {index} of {split}. "
        f"Got {run[:80]!a} instead; `misread reconstruct --index {index}` draws it"
    )


def _near(gallery: Gallery, split: str, index: int) -> list[NeighbourAnswer]:
    table, train = gallery.holdings.neighbours(split), gallery.dataset.splits.get("train")
    if table is None or train is None:
        return []
    row = int(np.searchsorted(table.index, index))
    if row == len(table) or table.index[row] != index:
        return []
    near = table.neighbours[row][:_NEIGHBOURS]
    return [NeighbourAnswer("train", int(at), int(train.labels[at])) for at in near]


def _metadata(gallery: Gallery, split: str, index: int) -> list[tuple[str, str | None]]:
    columns = gallery.holdings.metadata(split)
    return [
        (name, column.text(code) if (code := int(column.codes[index])) >= 0 else None)
        for name, column in columns.items()
    ]
