"""Tables for other programs: verdicts, labels, predictions and mistakes, with what to know of them.

The command line writes them to files, the gallery sends them; both say the same of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from misread.analysis.adjudication import (
    LIMITS,
    TARGET,
    AdjudicatedError,
    adjudicate,
    adjudicated_error,
    comparison_caution,
)
from misread.analysis.intervals import Rate
from misread.analysis.mistakes import find_mistakes
from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.datasets import Split
from misread.store import Study
from misread.tables import Predictions, Provenance
from misread.tables.export import Column, encode_columns
from misread.tables.verdicts import Verdicts
from misread.views.audit import Audit
from misread.views.export_columns import (
    class_column,
    decided_columns,
    image_columns,
    label_column,
    predicted_columns,
    suggested_columns,
    verdict_names,
)

WHAT = ("verdicts", "labels", "predictions", "mistakes")
"""What can be exported."""


INTERVALS = f"Intervals: 95%; their target is {TARGET}. {LIMITS}"
"""What the intervals beside errors are about."""


@dataclass(frozen=True, eq=False)
class Export:
    """A table and what is to be known of it.

    Attributes:
        what: One of `WHAT`.
        split: Name of the split.
        columns: The table, by names.
        about: Where it comes from, plain values by name.
        notes: What to know before it is used, a sentence or two each.
        errors: Errors as labelled beside those after verdicts, a model each; labels have them.
    """

    what: str
    split: str
    columns: Mapping[str, Column]
    about: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    errors: tuple[AdjudicatedError, ...] = field(default=())

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def file_name(self, kind: str) -> str:
        """`labels.test.csv`."""
        return f"{self.what}.{self.split}{kind}"

    @cached_property
    def description(self) -> dict[str, Any]:
        """`about` with the notes and errors: what Parquet and JSON files carry along."""
        said = dict(self.about) | {"notes": list(self.notes)}
        if self.errors:
            said["errors"] = [_error_json(error) for error in self.errors]
            said["interval_target"] = TARGET
        return said

    def encode(self, kind: str) -> bytes:
        """The content of a file of this kind: `.csv`, `.parquet` or `.json`."""
        return encode_columns(kind, self.columns, self.description)

    def tell(self) -> str:
        """The description as text, to lie beside a CSV file, which has no place for it."""
        lines = [f"{name}: {value}" for name, value in self.about.items()]
        lines += ["", *self.notes] if self.notes else []
        for error in self.errors:
            lines += ["", *tell_error(error)]
        if self.errors:
            lines += ["", INTERVALS]
        return "\n".join(lines) + "\n"


def tell_error(error: AdjudicatedError) -> list[str]:
    """Error as labelled beside error after verdicts, in lines of text."""
    lines = [
        error.provenance.name,
        f"  error as labelled     {_counted(error.as_labelled)}",
        f"  error after verdicts  {_counted(error.after)}",
    ]
    if error.lowest.count != error.highest.count:
        lines.append(
            f"  depending on images that are open: {error.lowest.count:,} mistakes at best "
            f"({100 * error.lowest.value:.2f}%), {error.highest.count:,} at worst "
            f"({100 * error.highest.value:.2f}%)"
        )
    return [*lines, f"  {error.caution}"]


def _counted(rate: Rate) -> str:
    return f"{rate}, {rate.count:,} of {rate.total:,}"


def verdict_table(
    study: Study, split: Split, verdicts: Verdicts, audit: Audit | None = None
) -> Export:
    """Decided and suggested verdicts side by side.

    Args:
        study: Of which study.
        split: The split.
        verdicts: The decided verdicts on it.
        audit: The suggested ones; None if there are no predictions to suggest any from.

    Returns:
        A row for each image that has a decided verdict, or that the audit lists.
    """
    index = verdicts.index
    if audit is not None:
        index = np.union1d(index, audit.evidence.panel.index[audit.listed]).astype(np.int32)
    columns = image_columns(split, study.classes, index)
    columns |= decided_columns(verdicts, study.classes, index)
    notes = ["Suggested verdicts are suggestions; decided ones are what people said."]
    if audit is not None:
        columns |= suggested_columns(audit, index)
        notes.append(
            f"{len(verdicts):,} of {len(split):,} images have a decided verdict; "
            f"{len(audit.listed):,} are misread by a model of the panel or suspicious."
        )
    else:
        notes.append(
            f"{len(verdicts):,} of {len(split):,} images have a decided verdict. None is "
            "suggested: that needs held-out or cross-fitted predictions."
        )
    return Export("verdicts", split.name, columns, _about(study, split, "verdicts"), tuple(notes))


def label_table(
    study: Study, split: Split, verdicts: Verdicts, outcomes: Sequence[Outcomes] = ()
) -> Export:
    """Given and adjudicated labels of all images of a split; none is left out.

    Args:
        study: Of which study.
        split: The split.
        verdicts: The decided verdicts on it.
        outcomes: Of the models whose errors are to be told.

    Returns:
        A row per image. `adjudicated` is null where the given label is said to be wrong and no
        right class was said; `changed` says where it is another class than the given one.
    """
    index = np.arange(len(split), dtype=np.int32)
    labels = adjudicate(split.labels, verdicts)
    errors = tuple(adjudicated_error(each, labels) for each in outcomes)
    columns = image_columns(split, study.classes, index)
    known = np.where(labels.refuted, np.int16(-1), labels.label)
    columns["adjudicated"] = label_column(known)
    columns["adjudicated_class"] = class_column(known, study.classes)
    columns["changed"] = labels.changed
    columns["verdict"] = verdict_names(labels.verdict)
    changed, refuted, unclear = (
        int(mask.sum()) for mask in (labels.changed, labels.refuted, labels.open)
    )
    notes = [
        (
            f"All {len(split):,} images of the split are in this table. Labels that were changed: "
            f"{changed:,}. Said to be wrong without saying which is right (adjudicated is missing "
            f"there): {refuted:,}. Ambiguous or unreadable, with the given label: {unclear:,}."
        )
    ]
    warning = test_warning(split.name)
    notes += [warning] if warning else []
    if not errors:
        notes.append(
            "The error isn't told: this split has no held-out or cross-fitted predictions."
        )
    comparison = comparison_caution(errors)
    if comparison:
        notes.append(comparison)
    about = _about(study, split, "labels")
    return Export("labels", split.name, columns, about, tuple(notes), errors)


def test_warning(split: str) -> str:
    """What correcting the labels of a split does to the errors of models tested on it.

    "" for the training split.
    """
    if split == "train":
        return ""
    return (
        f"Models are tested on the {split} split. Labels that were corrected after looking at a "
        "model's mistakes are no fair test of it: reviewing only mistakes can only lower its "
        "error. State the error as labelled beside the one after verdicts, and how many images "
        "were reviewed."
    )


def prediction_table(study: Study, split: Split, predictions: Predictions) -> Export:
    """What one model predicts of each image, with all probabilities.

    Returns:
        A row per image with a column `p_0`, `p_1`, ... for each class.
    """
    outcomes = read_outcomes(predictions)
    columns = image_columns(split, study.classes, outcomes.index)
    columns |= predicted_columns(outcomes, study.classes)
    for number in range(len(predictions.classes)):
        columns[f"p_{number}"] = predictions.probabilities[:, number]
    about = _about(study, split, "predictions") | _origin(predictions.provenance)
    return Export("predictions", split.name, columns, about)


def mistake_table(
    study: Study,
    split: Split,
    predictions: Predictions,
    verdicts: Verdicts,
    audit: Audit | None = None,
) -> Export:
    """The misread images of one model, most confident first, with verdicts on them."""
    outcomes = read_outcomes(predictions)
    index = find_mistakes(outcomes).index
    columns = image_columns(split, study.classes, index)
    rows = np.searchsorted(outcomes.index, index)
    columns |= predicted_columns(outcomes, study.classes, rows)
    columns |= decided_columns(verdicts, study.classes, index)
    if audit is not None:
        columns |= suggested_columns(audit, index)
    about = _about(study, split, "mistakes") | _origin(predictions.provenance)
    note = f"{len(index):,} of {len(outcomes):,} images are misread; the others aren't in here."
    return Export("mistakes", split.name, columns, about, (note,))


def _about(study: Study, split: Split, what: str) -> dict[str, Any]:
    """Where a table comes from; also what tells an import whether it belongs to its study."""
    record = study.splits[split.name]
    return {
        "format": f"misread {what} 1",
        "dataset": study.dataset_name,
        "split": split.name,
        "images": record.images,
        "classes": list(study.classes),
        "items_fingerprint": record.items_fingerprint,
        "labels_fingerprint": record.labels_fingerprint,
    }


def _origin(provenance: Provenance) -> dict[str, Any]:
    return {
        "predictions": provenance.name,
        "origin": str(provenance.origin),
        "created": provenance.created,
    }


def _error_json(error: AdjudicatedError) -> dict[str, Any]:
    return {
        "predictions": error.provenance.name,
        "as_labelled": _rate_json(error.as_labelled),
        "after_verdicts": _rate_json(error.after),
        "at_best": _rate_json(error.lowest),
        "at_worst": _rate_json(error.highest),
        "reviewed_mistakes": error.reviewed_mistakes,
        "reviewed_others": error.reviewed_others,
        "righted": error.righted,
        "added": error.added,
        "caution": error.caution,
    }


def _rate_json(rate: Rate) -> dict[str, Any]:
    if not rate.total:
        return {"count": 0, "total": 0, "rate": None, "low": None, "high": None}
    return {
        "count": rate.count,
        "total": rate.total,
        "rate": rate.value,
        "low": rate.low,
        "high": rate.high,
    }
