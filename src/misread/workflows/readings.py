"""Simulate readers, bring readings in that were made elsewhere, and take them out."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from misread.analysis.reading import simulation
from misread.datasets import Dataset
from misread.errors import ParameterError, ReadingsError
from misread.store import Study
from misread.tables.answer_counts import (
    AnswerCounts,
    add_counts,
    count_answers,
    read_counts,
    write_counts,
)
from misread.tables.model_vs_human import name_files, read_trials, write_trials
from misread.tables.readings import Readings, Seen
from misread.tables.readings_files import read_readings, write_readings
from misread.types import LabelArray
from misread.workflows.reading_plan import load_plan
from misread.workflows.readings_held import (
    READ_HERE,
    BroughtReadings,
    join_apart,
    keep_new,
    next_simulated,
    place_of,
    refuse_same_counts,
)

Form = Literal["tidy", "model-vs-human", "counts"]
_TIDY = ("csv", "parquet", "json")


def simulate_readers(
    study: Study,
    readers: int = 1,
    *,
    error_easy: float | None = None,
    error_hard: float | None = None,
    slips: float = 0.0,
    counts: Path | None = None,
    answers: Sequence[int] | int | None = None,
    seed: int = 0,
    save: str | None = None,
    dataset: Dataset | None = None,
) -> Readings:
    """Simulate readers who follow the study's plan; marked as simulated wherever they go.

    Args:
        study: With a plan.
        readers: How many.
        error_easy: Probability of misreading an item that isn't hard, in [0, 1].
        error_hard: Probability of misreading a hard one.
        slips: Probability of a wrong key, in [0, 1).
        counts: Instead of the two rates, a table of how often people called each image each class:
            readers see each class as often as they did.
        answers: Where each reader stops; None stops all where it was planned, or where the plan's
            width is reached.
        seed: Of what they see.
        save: Name under which the readings are kept in the study, with numbers that go on from the
            simulated readers there; None doesn't keep them.
        dataset: The study's dataset, where it is loaded already.

    Returns:
        The readings.

    Raises:
        ParameterError: Numbers that are out of range, or both rates and counts.
        ReadingsError: There is no plan, or the table of counts is damaged.
        StudyError: There are readings of this name.
    """
    rates = (error_easy, error_hard)
    if (counts is None) == (None in rates) or (counts is not None and rates != (None, None)):
        raise ParameterError(
            "simulated readers need error_easy and error_hard (--error-easy and --error-hard), or "
            f"a table of counts (--counts). Got {_told(error_easy, error_hard, counts)}."
        )
    plan = load_plan(study)
    labels = given_labels(study, plan.target.split, dataset)
    if counts is not None:
        table = read_counts(counts, study.classes).table(plan.target.images)
        behaviour = simulation.from_counts(labels, table, slips)
    else:
        behaviour = simulation.two_rates(
            plan, labels, float(error_easy or 0), float(error_hard or 0), slips
        )
    first = 0 if save is None else next_simulated(study, plan.hash)
    readings = simulation.simulate_readers(
        plan, behaviour, readers, seed=seed, answers=answers, first=first
    )
    if save is not None:
        study.save_readings(save, readings)
    return readings


def _told(easy: float | None, hard: float | None, counts: Path | None) -> str:
    given = {"error_easy": easy, "error_hard": hard, "counts": counts}
    said = [f"{name} {value}" for name, value in given.items() if value is not None]
    return " and ".join(said) or "none of them"


def given_labels(study: Study, split: str, dataset: Dataset | None = None) -> LabelArray:
    """(N,) int16, the given labels of a split.

    Args:
        study: Whose.
        split: Name of the split.
        dataset: The study's dataset, where it is loaded already.

    Raises:
        ParameterError: There is no such split.
        DatasetError: The dataset can't be loaded.
        StudyError: It has changed.
    """
    dataset = dataset or study.load_dataset()
    if split not in dataset.splits:
        raise ParameterError(
            f"split: expected one of {', '.join(dataset.splits)}. Got {split!r} instead."
        )
    return dataset.splits[split].labels


def import_readings(
    study: Study,
    file: Path,
    *,
    split: str | None = None,
    form: str = "tidy",
    images: Mapping[str, int] | None = None,
    name: str | None = None,
    replace: bool = False,
) -> Readings:
    """Bring readings that were made elsewhere into a study.

    Readers whom the study holds with the same answers are left out, so that the same file again, or
    the study's own export, changes nothing.

    Args:
        study: Where to.
        file: A tidy table (`.csv`, `.tsv`, `.parquet`), or one of the model-vs-human toolbox.
        split: Which split was read; None takes what the file says, or `test`.
        form: Of the file: `tidy` or `model-vs-human`.
        images: With `model-vs-human`, positions in the split by the images' names; None where they
            are named as misread names them, or after their files in a folder of images.
        name: What the readings are called in the study; None takes the file's name.
        replace: Take the place of readings of this name.

    Returns:
        The readings, as saved; of no reader if the study held all of them.

    Raises:
        ReadingsError: The file is damaged, about other images or classes, or holds a reader who has
            other answers in the study.
        ParameterError: The form or the split is unknown.
        StudyError: The study holds readings of this name.
    """
    return bring_readings(
        study, file, split=split, form=form, images=images, name=name, replace=replace
    ).readings


def bring_readings(
    study: Study,
    file: Path,
    *,
    split: str | None = None,
    form: str = "tidy",
    images: Mapping[str, int] | None = None,
    name: str | None = None,
    replace: bool = False,
) -> BroughtReadings:
    """Bring readings in as `import_readings`, and tell what was there already."""
    file = Path(file)
    if form == "tidy":
        readings = read_readings(file, study.classes, split)
    elif form == "model-vs-human":
        split = split or "test"
        labels = given_labels(study, split)
        if images is None:
            images = name_files(study.load_dataset().splits[split].files())
        readings = read_trials(file, split, study.classes, labels, images)
    else:
        raise ParameterError(
            f"form: expected tidy, model-vs-human or counts. Got {form!r} instead."
        )
    name = name or file.name.split(".")[0]
    brought = keep_new(study, file, readings, name if replace else None)
    if len(brought.readings.readers) or not brought.held:
        study.save_readings(name, brought.readings, replace=replace)
    return brought


def open_readings(study: Study, names: Sequence[str] = ()) -> Readings:
    """The readings of a study: of these tables, or of all that were read by its plan.

    Those are what was read on the readers' pages, and tables of readings by the same plan.
    Simulated readers are among them only if their table is named, or there are no others.

    Raises:
        ReadingsError: There are none, or they don't go together.
    """
    if names:
        return join_apart([(place_of(name), study.load_readings(name)) for name in names])
    found = find_readings(study)
    if found is None:
        raise ReadingsError(
            f"{study.path}: expected readings, found none; `misread read` collects them, "
            "`misread import readings` brings them in"
        )
    return found


def find_readings(study: Study) -> Readings | None:
    """All readings by a study's plan, as `open_readings`; None if there are none.

    Raises:
        ReadingsError: They are damaged, or don't go together.
    """
    plan = study.load_plan()
    design = plan.hash if plan is not None else ""
    tables = [(place_of(name), study.load_readings(name)) for name in study.list_readings()]
    fitting = [(where, table) for where, table in tables if table.design == design]
    if plan is not None:
        fitting.insert(0, (READ_HERE, study.reading_log.load(plan)))
        fitting = [(where, table) for where, table in fitting if len(table)]
    people = [(where, table) for where, table in fitting if not table.simulated]
    return join_apart(people or fitting) if fitting else None


def import_counts(
    study: Study,
    file: Path,
    *,
    split: str = "test",
    name: str | None = None,
    replace: bool = False,
) -> AnswerCounts:
    """Bring counts into a study: how many people called each image each class.

    Args:
        study: The study.
        file: N x K counts as `.npy`, `.npz`, `.csv` or `.tsv`, as CIFAR-10H has them.
        split: The split that was read.
        name: What they are called in the study; None takes the file's name.
        replace: Take the place of counts of this name.

    Returns:
        The counts, as saved.

    Raises:
        ReadingsError: The file is damaged, or about other images or classes.
        StudyError: The study holds counts of this name, or the same counts by another.
    """
    counts = read_counts(file, study.classes)
    name = name or Path(file).name.split(".")[0]
    refuse_same_counts(study, counts, split, name)
    study.save_counts(name, split, counts, replace=replace)
    return counts


def find_answers(
    study: Study, names: Sequence[str] = ()
) -> tuple[dict[str, Readings], dict[tuple[str, str], AnswerCounts]]:
    """Tables of readings by name, and tables of counts by name and split, whatever their plan.

    Args:
        study: The study.
        names: Only these; none for all, without simulated ones where there are others.

    Raises:
        ReadingsError: A table is missing or damaged.
    """
    there = study.list_counts()
    if names:
        counted = [each for each in there if each[0] in names]
        known = {name for name, _ in counted}
        return (
            {name: study.load_readings(name) for name in names if name not in known},
            {each: study.load_counts(*each) for each in counted},
        )
    readings = {name: study.load_readings(name) for name in study.list_readings()}
    counts = {each: study.load_counts(*each) for each in there}
    marks = [table.simulated for table in readings.values()]
    if all([*marks, *(table.simulated for table in counts.values())]):
        return readings, counts
    return (
        {name: each for name, each in readings.items() if not each.simulated},
        {name: each for name, each in counts.items() if not each.simulated},
    )


def count_readings(study: Study) -> dict[str, AnswerCounts]:
    """By split, how many people called each image each class, in all of a study's readings.

    By its plan, by others or by none, and where only counts are known. Readers who said that they
    had seen a model's mistakes are left out. Programs count only where nobody else has read by the
    plan, and are marked.

    Raises:
        ReadingsError: They are damaged, or don't go together.
    """
    plan = study.load_plan()
    tables = [(place_of(name), study.load_readings(name)) for name in study.list_readings()]
    if plan is not None:
        tables.insert(0, (READ_HERE, study.reading_log.load(plan)))
    people: dict[tuple[str, str], list[tuple[str, Readings]]] = {}
    for where, table in tables:
        if not table.simulated:
            people.setdefault((table.split, table.design), []).append((where, table))
    found: dict[str, list[AnswerCounts]] = {}
    for (split, _), same in people.items():
        joined = join_apart(same)
        blind = [each.name for each in joined.readers if each.seen != Seen.MISTAKES]
        if len(joined) and blind:
            found.setdefault(split, []).append(count_answers(joined.of(blind)))
    for name, split in study.list_counts():
        counts = study.load_counts(name, split)
        if not counts.simulated:
            found.setdefault(split, []).append(counts)
    if not found and (programs := find_readings(study)) is not None:
        found[programs.split] = [count_answers(programs)]
    return {split: add_counts(counts) for split, counts in found.items()}


def export_readings(study: Study, readings: Readings, file: Path, form: Form = "tidy") -> None:
    """Write readings for other programs; simulated ones stay marked.

    Args:
        study: Whose.
        readings: The readings.
        file: Where to: `tidy` as `.csv`, `.parquet` or `.json`; `model-vs-human` as `.csv`;
            `counts` as `.csv`, `.tsv` or `.npz`.
        form: `tidy` (everything), `model-vs-human` (the columns of that toolbox), or `counts` (a
            row for each image, a column for each class).

    Raises:
        ParameterError: The form is unknown, or the file can't be written.
        ReadingsError: The file's name is of another kind.
    """
    file = Path(file)
    if form == "tidy":
        write_readings(file, readings)
    elif form == "model-vs-human":
        write_trials(file, readings, given_labels(study, readings.split))
    elif form == "counts":
        write_counts(file, count_answers(readings))
    else:
        raise ParameterError(
            f"form: expected tidy, model-vs-human or counts. Got {form!r} instead."
        )


def encode_all_readings(study: Study, form: str | None) -> tuple[bytes, Readings]:
    """The content of the file that `export_all_readings` would write, and the readings in it."""
    ending = form if form in _TIDY else "csv"
    with tempfile.TemporaryDirectory() as folder:
        file, readings = export_all_readings(study, form, Path(folder) / f"readings.{ending}")
        return file.read_bytes(), readings


def export_all_readings(study: Study, form: str | None, file: Path | None) -> tuple[Path, Readings]:
    """Write what a study's readers answered, see `open_readings`.

    Args:
        study: Whose.
        form: `csv`, `parquet` or `json` for everything, or `model-vs-human` or `counts`; None takes
            the file's ending, else `csv`.
        file: Where to; None for the study's folder `exports`.

    Returns:
        The file, and the readings in it.

    Raises:
        ParameterError: The form is unknown, or the file can't be written.
        ReadingsError: There are no readings, or the file's name is of another kind.
    """
    known = (*_TIDY, "model-vs-human", "counts")
    if form is not None and form not in known:
        raise ParameterError(f"format: expected one of {', '.join(known)}. Got {form!r} instead.")
    readings = open_readings(study)
    kind: Form = "counts" if form == "counts" else "tidy"
    if form == "model-vs-human":
        kind = "model-vs-human"
    if file is None:
        name = "readings" if kind == "tidy" else f"readings.{kind}"
        ending = form if form in _TIDY else "csv"
        file = study.path / "exports" / f"{name}.{ending}"
        file.parent.mkdir(exist_ok=True)
    export_readings(study, readings, file, kind)
    return file, readings
