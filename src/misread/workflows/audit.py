"""Which given labels look wrong, which mistakes are the model's own: suggested, with evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.analysis.evidence import gather_evidence
from misread.analysis.ranking import find_score, score
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.verdicts import Thresholds
from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.store import Study
from misread.tables import Dynamics, Origin
from misread.tables.export import check_kind, write_columns
from misread.views.audit import Audit, AuditRow
from misread.views.pictures import check_png, keep_picture, save_picture
from misread.views.reference import of_all_images
from misread.workflows.choosing import choose_predictions
from misread.workflows.people import read_labels

# Rows of a picture; more make one that nobody scrolls through.
_MOST_ROWS = 50


def audit(
    study: Study,
    split: str = "test",
    models: Sequence[str] = (),
    thresholds: Thresholds | None = None,
    *,
    dataset: Dataset | None = None,
    readings: Mapping[str, LabelReadings] | None = None,
) -> Audit:
    """Put together what is known of the given labels of a split, and suggest verdicts.

    Every out-of-sample prediction of the split that the study has is a member of the panel, with
    the nearest training images that its networks found; in-sample ones are left out. Training
    dynamics of the split, where there are any, count as evidence too, and so does what people who
    read blind called the images, by whatever plan or none.

    Args:
        study: Where the predictions are.
        split: Which split.
        models: Only predictions of these models (`convnet`) or runs (`convnet-short-s0`); none
            means all.
        thresholds: Where a verdict turns; None for the usual ones.
        dataset: The study's dataset, where it is loaded already.
        readings: What readers called images, by split, where that is known already.

    Returns:
        The evidence on every image, with the suggested verdicts.

    Raises:
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only, or they are of different images.
        ReadingsError: A table of readings is damaged.
    """
    found = choose_predictions(study, split, models)
    usable = [provenance for provenance in found if provenance.origin != Origin.IN_SAMPLE]
    if not usable:
        found[0].require_out_of_sample()
    whole, partial = of_all_images(study, split, usable)
    members = whole or usable
    dataset = dataset or study.load_dataset()
    panel = [study.open_predictions(provenance) for provenance in members]
    near = [table for p in members if (table := study.load_neighbours(p)) is not None]
    train = dataset.splits.get("train")
    readings = read_labels(study, dataset=dataset) if readings is None else readings
    evidence = gather_evidence(
        panel,
        near,
        None if train is None else train.labels,
        [table for table in study.load_dynamics(split) if _wanted(table, models)],
        readings.get(split),
    )
    return Audit(
        split=dataset.splits[split],
        train=train,
        evidence=evidence,
        thresholds=thresholds or Thresholds(),
        neighbours=near[0] if near else None,
        left_out=tuple(p for p in found if p.origin == Origin.IN_SAMPLE),
        partial=tuple(partial) if whole else (),
    )


def _wanted(table: Dynamics, models: Sequence[str]) -> bool:
    names = (table.provenance.model, table.provenance.run_name)
    return not models or any(name in models for name in names)


@dataclass(frozen=True)
class ShownAudit:
    """An audit, and what was written of it.

    Attributes:
        audit: What was found.
        row: Of the one image that was asked for; None if none was.
        by: The score that ranks, a key of `SCORES`.
        top: Number of images that are shown.
        picture: The picture, None if none was drawn.
        problem: Why the picture couldn't be written into the study; "" if it could, or needn't.
        table: The file with all images, None if none was asked for.
    """

    audit: Audit
    row: AuditRow | None
    by: str
    top: int
    picture: Path | None
    table: Path | None
    problem: str = ""


def show_audit(
    study: Study,
    split: str = "test",
    models: Sequence[str] = (),
    *,
    by: str = "suspicion",
    top: int = 20,
    index: int | None = None,
    save: Path | None = None,
    output: Path | None = None,
) -> ShownAudit:
    """Audit a split, draw the top images with their nearest training images, and write all.

    Args:
        study: Where the predictions are, and into whose figures the picture goes.
        split: Which split.
        models: As for `audit`.
        by: The score to rank by.
        top: Number of images to show, 1 or more; 50 at most are drawn.
        index: Show this one image instead, which is drawn with `save` only.
        save: A `.png` file for the picture.
        output: A `.csv`, `.parquet` or `.json` file for a table with one row per image, ranked.

    Raises:
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only, or they are of different images.
        ParameterError: There is no such score, no evidence for it or no such image, `top` is below
            1, or a file is of another kind or can't be written.
    """
    by = find_score(by)
    if top < 1:
        raise ParameterError(f"top must be 1 or more. Got {top} instead.")
    check_png(save)
    if output is not None:
        check_kind(Path(output))
    found = audit(study, split, models)
    score(found.evidence, by)
    row = None if index is None else found.row(found.place(index))
    table = None if output is None else Path(output)
    if table is not None:
        write_columns(table, found.columns(by))
    picture, problem = None, ""
    if index is None:
        drawn = found.plot(min(top, _MOST_ROWS), by)
        name = f"audit.{split}.{by.replace('_', '-')}.png"
        picture, problem = keep_picture(drawn, study.figures / name, save)
    elif save is not None:
        drawn = found.plot_places([found.place(index)], f"Image {index} of {split}")
        picture = save_picture(drawn, Path(save))
    return ShownAudit(found, row, by, top, picture, table, problem)
