"""Which predictions a workflow is about."""

from collections.abc import Sequence

from misread.errors import ParameterError, StudyError
from misread.store import Study
from misread.tables import Provenance


def choose_predictions(study: Study, split: str, models: Sequence[str] = ()) -> list[Provenance]:
    """The predictions of a split by these models, by name, so that the panel has one order.

    Args:
        study: Where they are.
        split: Which split.
        models: Names of models or runs; none means all.

    Raises:
        ParameterError: There is no such split.
        StudyError: There are no such predictions.
    """
    if split not in study.splits:
        raise ParameterError(
            f"split: expected one of {', '.join(study.splits)}. Got {split!r} instead."
        )
    found: list[Provenance] = []
    for model in models or (None,):
        chosen = study.list_predictions(split, model)
        if not chosen:
            there = ", ".join(p.name for p in study.list_predictions()) or "none at all"
            by = f" by {model!r}" if model else ""
            raise StudyError(
                f"{study.path}: expected predictions of {split}{by}, found {there}"
                + ("; `misread crossfit` makes them" if split == "train" else "")
            )
        found += chosen
    return sorted(set(found), key=lambda provenance: provenance.name)
