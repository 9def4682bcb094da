"""Which given labels look wrong, which mistakes are the model's own: suggested, with evidence."""

from collections.abc import Sequence
from pathlib import Path

from misread.analysis.evidence import gather_evidence
from misread.analysis.ranking import score
from misread.analysis.verdicts import Thresholds
from misread.datasets import Dataset
from misread.errors import ParameterError, StudyError
from misread.store import Study
from misread.tables import Dynamics, Origin, Provenance
from misread.tables.export import write_columns
from misread.views.audit import Audit

# Rows of a picture; more make one that nobody scrolls through.
_MOST_ROWS = 50


def audit(
    study: Study,
    split: str = "test",
    models: Sequence[str] = (),
    thresholds: Thresholds | None = None,
    *,
    dataset: Dataset | None = None,
) -> Audit:
    """Put together what is known of the given labels of a split, and suggest verdicts.

    Every out-of-sample prediction of the split that the study has is a member of the panel, with
    the nearest training images that its networks found; in-sample ones are left out. Training
    dynamics of the split, where there are any, count as evidence too.

    Args:
        study: Where the predictions are.
        split: Which split.
        models: Only predictions of these models (`convnet`) or runs (`convnet-short-s0`); none
            means all.
        thresholds: Where a verdict turns; None for the usual ones.
        dataset: The study's dataset, where it is loaded already.

    Returns:
        The evidence on every image, with the suggested verdicts.

    Raises:
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only, or they are of different images.
    """
    found = _choose(study, split, models)
    members = [provenance for provenance in found if provenance.origin != Origin.IN_SAMPLE]
    if not members:
        found[0].require_out_of_sample()
    dataset = dataset or study.load_dataset()
    panel = [study.open_predictions(provenance) for provenance in members]
    near = [table for p in members if (table := study.load_neighbours(p)) is not None]
    train = dataset.splits.get("train")
    evidence = gather_evidence(
        panel,
        near,
        None if train is None else train.labels,
        [table for table in study.load_dynamics(split) if _wanted(table, models)],
    )
    return Audit(
        split=dataset.splits[split],
        train=train,
        evidence=evidence,
        thresholds=thresholds or Thresholds(),
        neighbours=near[0] if near else None,
        left_out=tuple(p for p in found if p.origin == Origin.IN_SAMPLE),
    )


def _choose(study: Study, split: str, models: Sequence[str]) -> list[Provenance]:
    """The predictions of a split by these models, by name, so that the panel has one order."""
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


def _wanted(table: Dynamics, models: Sequence[str]) -> bool:
    names = (table.provenance.model, table.provenance.run_name)
    return not models or any(name in models for name in names)


def write_table(audit: Audit, path: Path, by: str = "suspicion") -> Path:
    """Write one row per image, ranked by a score.

    Args:
        audit: What was found.
        path: `.csv`, `.parquet` or `.json`, a list of objects.
        by: A score.

    Returns:
        The path.

    Raises:
        ParameterError: The file is of another kind or can't be written, or there is no such score.
    """
    write_columns(Path(path), audit.columns(by))
    return Path(path)


def draw_audit(
    study: Study, audit: Audit, top: int = 20, by: str = "suspicion", save: Path | None = None
) -> Path:
    """Draw the top images of an audit, with their nearest training images.

    Args:
        study: Into whose figures the picture goes.
        audit: What was found.
        top: Rows, 1 or more; 50 at most are drawn.
        by: A score.
        save: A `.png` file instead.

    Returns:
        The picture.

    Raises:
        ParameterError: `save` is no `.png` file or can't be written, or top is below 1.
    """
    if save is not None and Path(save).suffix.lower() != ".png":
        raise ParameterError(f"save: expected a .png file. Got {str(save)!r} instead.")
    # The report and the gallery audit without matplotlib.
    from misread.views.mistakes import save_png

    score(audit.evidence, by)
    name = f"audit.{audit.split.name}.{by.replace('_', '-')}.png"
    path = study.figures / name if save is None else Path(save)
    try:
        save_png(audit.plot(min(top, _MOST_ROWS), by), path)
    except OSError as error:
        raise ParameterError(f"save: can't write {path}: {error.strerror}") from error
    return path
