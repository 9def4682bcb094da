"""The columns that exported tables are made of; missing values are null."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from misread.analysis.outcomes import Outcomes
from misread.datasets import Split
from misread.tables.export import Column
from misread.tables.verdicts import VERDICTS, Verdicts
from misread.types import Array, IndexArray, LabelArray
from misread.views.audit import Audit

_NAMES = np.array([*map(str, VERDICTS), ""])


def class_column(labels: Array, classes: Sequence[str]) -> pa.Array:
    """Labels (M,) by the names of their classes, null for -1."""
    return pa.DictionaryArray.from_arrays(
        pa.array(labels.astype(np.int32), mask=labels < 0), pa.array(classes, pa.string())
    ).cast(pa.string())


def verdict_names(codes: Array) -> pa.Array:
    """Verdicts (M,) by their names, null for -1."""
    return pa.array(_NAMES[codes], pa.string(), mask=codes < 0)


def label_column(labels: LabelArray) -> pa.Array:
    """Labels (M,) by their numbers, null for -1."""
    return pa.array(labels, mask=labels < 0)


def image_columns(split: Split, classes: Sequence[str], index: IndexArray) -> dict[str, Column]:
    """Which images (M,) they are, and their given labels; the files of those that are files."""
    given = split.labels[index]
    columns: dict[str, Column] = {"split": np.full(len(index), split.name), "index": index}
    files = split.files(index)
    if files is not None:
        columns["file"] = pa.array(files, pa.string())
    return columns | {"given": given, "given_class": class_column(given, classes)}


def predicted_columns(
    outcomes: Outcomes, classes: Sequence[str], rows: Array | None = None
) -> dict[str, Column]:
    """What a model makes of all its images, or of those in some rows (M,)."""
    at = slice(None) if rows is None else rows
    predicted = outcomes.predicted[at]
    return {
        "predicted": predicted,
        "predicted_class": class_column(predicted, classes),
        "p_predicted": outcomes.p_predicted[at],
        "p_given": outcomes.p_given[at],
        "mistake": outcomes.wrong[at],
    }


def decided_columns(
    verdicts: Verdicts, classes: Sequence[str], index: IndexArray
) -> dict[str, Column]:
    """The decided verdicts on images (M,), null where there is none."""
    place, there = _find(verdicts.index, index)

    def of(values: Array, missing: int | str) -> Array:
        spread = np.full(len(index), missing, values.dtype)
        spread[there] = values[place[there]]
        return spread

    label = of(verdicts.label, -1)
    times = np.datetime_as_string(verdicts.decided_at.astype("datetime64[ms]"), timezone="UTC")
    return {
        "decided": verdict_names(of(verdicts.verdict, -1)),
        "decided_label": label_column(label),
        "decided_class": class_column(label, classes),
        "given_then": label_column(of(verdicts.given, -1)),
        "person": pa.array(of(verdicts.person, ""), pa.string(), mask=~there),
        "decided_at": pa.array(of(times, ""), pa.string(), mask=~there),
        "revision": pa.array(of(verdicts.revision, 0), mask=~there),
    }


def suggested_columns(audit: Audit, index: IndexArray) -> dict[str, Column]:
    """The suggested verdicts on images (M,), null on those that aren't in the panel."""
    place, there = _find(audit.evidence.panel.index, index)
    said = [
        audit.row(int(row)).suggestion if found else None
        for row, found in zip(place, there, strict=True)
    ]
    label = np.array([-1 if s is None or s.label is None else s.label for s in said], np.int16)
    suspicion = np.zeros(len(index))
    suspicion[there] = audit.evidence.suspicion[place[there]]
    return {
        "suggested": pa.array([s and str(s.verdict) for s in said], pa.string()),
        "suggested_label": label_column(label),
        "suggested_class": class_column(label, audit.classes),
        "suspicion": pa.array(suspicion, mask=~there),
        "evidence": pa.array([s and s.evidence for s in said], pa.string()),
        "reason_not_flagged": pa.array([s and s.reason for s in said], pa.string()),
    }


def _find(sorted_index: IndexArray, index: IndexArray) -> tuple[Array, Array]:
    """(M,) where each image is, and whether it is there at all."""
    place = np.searchsorted(sorted_index, index)
    there = place < len(sorted_index)
    there[there] = sorted_index[place[there]] == index[there]
    return place, there
