"""Take verdicts, labels, predictions and mistakes out of a study, for other programs."""

from pathlib import Path

from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.files import write_text
from misread.store import Study
from misread.tables import Origin
from misread.tables.export import KINDS, check_kind, write_columns
from misread.views.audit import Audit
from misread.views.exports import (
    WHAT,
    Export,
    label_table,
    mistake_table,
    prediction_table,
    verdict_table,
)
from misread.workflows.audit import audit as make_audit

EXPORTS = (*WHAT, "readings")
"""What `misread export` takes; readings by `workflows.readings.export_all_readings`."""


def check_what(what: str) -> None:
    """Refuse to export what there is no table of.

    Raises:
        ParameterError: It is none of `EXPORTS`.
    """
    if what not in EXPORTS:
        raise ParameterError(f"what must be one of {', '.join(EXPORTS)}. Got {what!r} instead.")


def export(
    study: Study,
    what: str,
    split: str = "test",
    model: str | None = None,
    *,
    dataset: Dataset | None = None,
    audit: Audit | None = None,
) -> Export:
    """Make a table of a split for other programs.

    Args:
        study: Where it comes from.
        what: `verdicts`, decided and suggested ones side by side; `labels`, given and adjudicated
            ones of all images, with the errors as labelled and after verdicts; `predictions` of one
            model; its `mistakes`.
        split: Which split.
        model: A model (`convnet`) or run (`convnet-short-s0`): whose predictions or mistakes, the
            newest without it; or with `labels` whose errors, all without it.
        dataset: The study's dataset, where it is loaded already.
        audit: The suggested verdicts, where they are made already.

    Returns:
        The table with what is to be known of it; `Export.encode` makes a file's content of it, and
        `write_export` a file.

    Raises:
        ParameterError: There is no such table or split.
        StudyError: There are no such predictions, or the verdicts can't be read.
    """
    if what not in WHAT:
        raise ParameterError(f"what must be one of {', '.join(WHAT)}. Got {what!r} instead.")
    verdicts = study.verdicts.state(split)
    # What may fail comes before the dataset, which may take long to load.
    if what == "labels":
        outcomes = out_of_sample(study, split, model)
        dataset = dataset or study.load_dataset()
        return label_table(study, dataset.splits[split], verdicts, outcomes)
    if what == "predictions":
        predictions = study.newest_predictions(split, model)
        dataset = dataset or study.load_dataset()
        return prediction_table(study, dataset.splits[split], predictions)
    mistaken = study.newest_predictions(split, model) if what == "mistakes" else None
    dataset = dataset or study.load_dataset()
    audit = audit or _suggest(study, split, dataset)
    if mistaken is None:
        return verdict_table(study, dataset.splits[split], verdicts, audit)
    return mistake_table(study, dataset.splits[split], mistaken, verdicts, audit)


def place_of(
    study: Study, what: str, split: str, form: str | None, output: Path | None
) -> tuple[Path | None, str]:
    """Where a table goes, and in which format; told before there is work to lose.

    Args:
        study: Whose folder `exports` it is without an output.
        what: One of `WHAT`.
        split: Which split.
        form: `csv`, `parquet` or `json`; None for that of the output, else `csv`.
        output: A file, or `-` for stdout.

    Returns:
        The file, None for stdout; and its kind, one of `KINDS`.

    Raises:
        ParameterError: The format is unknown, or another one than the output's.
    """
    if form is not None and f".{form}" not in KINDS:
        known = ", ".join(kind.removeprefix(".") for kind in KINDS)
        raise ParameterError(f"format must be one of {known}. Got {form!r} instead.")
    kind = f".{form or 'csv'}"
    if output is None:
        if split not in study.splits or Path(split).name != split:
            raise ParameterError(
                f"split must be one of {', '.join(study.splits)}, and --output must be there where "
                f"it can't name a file. Got {split!r} instead."
            )
        return study.path / "exports" / f"{what}.{split}{kind}", kind
    if str(output) == "-":
        return None, kind
    check_kind(output)
    if form is not None and output.suffix.lower() != kind:
        raise ParameterError(f"output: expected a {kind} file by --format. Got {output} instead.")
    return output, output.suffix.lower()


def write_export(table: Export, path: Path) -> tuple[Path, ...]:
    """Write a table into a file, in the format of its name.

    Args:
        table: The table.
        path: `.parquet` and `.json` carry along what is to be known of the table. Beside a `.csv`
            of labels, which can't, it is written as text: `labels.test.csv.about.txt`.

    Returns:
        What was written.

    Raises:
        ParameterError: The file is of another kind or can't be written.
    """
    path = Path(path)
    write_columns(path, table.columns, table.description)
    if path.suffix.lower() != ".csv" or table.what != "labels":
        return (path,)
    beside = path.with_name(path.name + ".about.txt")
    try:
        write_text(beside, table.tell())
    except OSError as error:
        raise ParameterError(f"output: can't write {beside}: {error.strerror}") from error
    return path, beside


def out_of_sample(study: Study, split: str, model: str | None = None) -> list[Outcomes]:
    """What each model that never saw the images makes of them, in the order of their names.

    Raises:
        StudyError: A model is named that has no such predictions.
    """
    found = study.list_predictions(split, model)
    usable = [each for each in found if each.origin != Origin.IN_SAMPLE]
    if model is not None and not usable:
        study.newest_out_of_sample(split, model)  # says what there is instead
    ordered = sorted(usable, key=lambda each: each.name)
    return [read_outcomes(study.open_predictions(each)) for each in ordered]


def _suggest(study: Study, split: str, dataset: Dataset) -> Audit | None:
    """The suggested verdicts, None where there are no predictions to suggest any from."""
    origins = {each.origin for each in study.list_predictions(split)}
    return make_audit(study, split, dataset=dataset) if origins - {Origin.IN_SAMPLE} else None
