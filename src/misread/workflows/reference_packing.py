"""Making the reference panel's files from a study in which its runs were trained."""

import dataclasses
import hashlib
import json
import secrets
import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from misread.analysis.evaluation import evaluate
from misread.datasets import Dataset
from misread.errors import PredictionsError, StudyError
from misread.files import write_bytes, write_text
from misread.models import Recipe, find_model
from misread.models.recipe import fill_in
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.tables.packed import STEP, pack_dynamics, pack_neighbours, pack_probabilities
from misread.types import IndexArray, LabelArray
from misread.workflows.reference_panel import (
    FORMAT,
    INDEX,
    PackedTable,
    PanelRun,
    ReferencePanel,
    card_file,
)


@dataclass(frozen=True)
class PlannedRun:
    """A run that belongs into the panel: a training, or one repeat of a cross-fit.

    A training gives predictions of the test split, a cross-fit those of the training split.

    Attributes:
        model: Name of the network.
        epochs: Number of epochs; None for the default recipe's.
        seed: Seed of the training.
        repeat: Number of the repeat of a cross-fit; None for a training.
        repeats: Of a cross-fit, how many repeats its command makes.
        neighbours: How many nearest training images of each image go along.
        dynamics: Whether the training dynamics go along.
    """

    model: str
    epochs: int | None = None
    seed: int = 0
    repeat: int | None = None
    repeats: int = 1
    neighbours: int = 0
    dynamics: bool = False

    @cached_property
    def recipe(self) -> Recipe:
        """The default recipe, at this length."""
        return find_model(self.model).recipe(None, self.epochs)

    @property
    def name(self) -> str:
        """Name of the run."""
        repeat = "" if self.repeat is None else f"-r{self.repeat}"
        return f"{self.model}-{self.recipe.name}-s{self.seed}{repeat}"

    @property
    def split(self) -> str:
        """The split that is predicted out of sample."""
        return "test" if self.repeat is None else "train"

    @property
    def origin(self) -> Origin:
        """Of those predictions."""
        return Origin.HELD_OUT if self.repeat is None else Origin.CROSS_FITTED

    @property
    def kinds(self) -> set[str]:
        """Which tables of it go into the panel."""
        wanted = {"predictions": True, "neighbours": self.neighbours, "dynamics": self.dynamics}
        return {kind for kind, there in wanted.items() if there}

    @property
    def command(self) -> str:
        """What makes the run, as a line for a shell."""
        line = ["misread", "run" if self.repeat is None else "crossfit", "mnist"]
        line += ["--model", self.model]
        line += [] if self.epochs is None else ["--epochs", str(self.epochs)]
        line += ["--seed", str(self.seed)]
        line += ["--repeats", str(self.repeats)] if self.repeats > 1 else []
        return shlex.join(line)


def find_finished(studies: Sequence[Study], planned: Sequence[PlannedRun]) -> dict[str, Study]:
    """The planned runs that are whole, by the same recipe: by name, the first study that has it."""
    found: dict[str, Study] = {}
    for study in reversed(studies):
        there = {provenance.name for provenance in study.list_predictions()}
        for run in planned:
            predictions = f"{run.name}.{run.split}.{run.origin}"
            if predictions in there and _follows(run, study.model_file(run.name, ".json")):
                found[run.name] = study
    return found


def find_packed(panel: ReferencePanel, planned: Sequence[PlannedRun]) -> list[str]:
    """Names of the planned runs that a panel has, trained by the same recipe, with all tables."""
    there = {run.name: run for run in panel.runs}
    return [
        run.name
        for run in planned
        if run.name in there
        and {table.kind for table in there[run.name].tables} == run.kinds
        and _follows(run, card_file(panel.folder, run.name))
    ]


def _follows(run: PlannedRun, card: Path) -> bool:
    """Whether the card of a training or a cross-fit is there, and has the recipe of the plan."""
    if not card.exists():
        return False
    recipe = json.loads(card.read_text(encoding="utf-8"))["recipe"]
    return fill_in(recipe) == dataclasses.asdict(run.recipe)


def pack_panel(
    studies: Sequence[Study],
    dataset: Dataset,
    planned: Sequence[PlannedRun],
    folder: Path,
    *,
    kept: Collection[str] = (),
) -> ReferencePanel:
    """Pack the finished runs of one or more studies, in place of the panel in a folder.

    Args:
        studies: Where the runs were trained.
        dataset: Their dataset.
        planned: All runs that belong into the panel.
        folder: The panel's; replaced as a whole once the new one is there.
        kept: Names of planned runs that stay as the former panel has them, unless a study has
            them.

    Returns:
        The new panel; its `missing` names the planned runs that are in none of them.

    Raises:
        StudyError: None is finished, or the folder holds something else than a panel.
        PredictionsError: A table of the study, or of the former panel, is damaged.
    """
    finished = find_finished(studies, planned)
    if not finished:
        named = ", ".join(str(study.path) for study in studies)
        raise StudyError(f"{named}: expected at least one finished run of the panel's list")
    if folder.exists() and not (folder / INDEX).exists():
        raise StudyError(f"{folder}: expected a reference panel to replace, found something else")
    former = ReferencePanel.open(folder) if kept else None
    mark = secrets.token_hex(6)
    new, aside = (folder.with_name(f".{folder.name}.{mark}.{end}") for end in ("tmp", "old"))
    try:
        runs = []
        for run in planned:
            if run.name in finished:
                runs.append(_pack_run(finished[run.name], dataset, run, new))
            elif former and run.name in kept:
                runs.append(_copy_run(former, run.name, new))
        there = {run.name for run in runs}
        missing = [run.name for run in planned if run.name not in there]
        _write_index(new / INDEX, dataset, runs, missing)
        # Aside first: whenever this is stopped, a whole panel is left.
        if folder.exists():
            folder.rename(aside)
        new.rename(folder)
    finally:
        if aside.exists() and not folder.exists():
            aside.rename(folder)
        for rest in (new, aside):
            shutil.rmtree(rest, ignore_errors=True)
    return ReferencePanel.open(folder)


def _write_index(
    path: Path, dataset: Dataset, runs: Sequence[PanelRun], missing: Sequence[str]
) -> None:
    content = {
        "format": FORMAT,
        "dataset": dataset.name,
        "missing": list(missing),
        "runs": [
            {
                "name": run.name,
                "command": run.command,
                "tables": [table.to_json() for table in run.tables],
            }
            for run in runs
        ],
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _pack_run(study: Study, dataset: Dataset, run: PlannedRun, folder: Path) -> PanelRun:
    name = f"{run.name}.{run.split}.{run.origin}"
    (provenance,) = [p for p in study.list_predictions(run.split, run.name) if p.name == name]
    predictions = study.load_predictions(provenance)
    tables = [_pack_predictions(predictions, dataset, folder)]
    if run.neighbours:
        near = study.load_neighbours(provenance)
        if near is None or near.width < run.neighbours:
            raise StudyError(f"{study.path}: expected {run.neighbours} neighbours beside {name}")
        tables.append(_pack_neighbours(near, run.neighbours, dataset, folder))
    if run.dynamics:
        found = [d for d in study.load_dynamics(run.split) if d.provenance.run_name == run.name]
        if not found:
            raise StudyError(f"{study.path}: expected training dynamics of {run.name}")
        tables.append(_pack_dynamics(found[0], dataset, folder))
    card = study.model_file(run.name, ".json").read_bytes()
    write_bytes(card_file(folder, run.name), card)
    return PanelRun(run.name, run.command, tuple(tables))


def _copy_run(panel: ReferencePanel, name: str, folder: Path) -> PanelRun:
    (run,) = (run for run in panel.runs if run.name == name)
    for table in run.tables:
        write_bytes(folder / table.file, panel.content(table))
    write_bytes(card_file(folder, name), card_file(panel.folder, name).read_bytes())
    return run


def _pack_predictions(predictions: Predictions, dataset: Dataset, folder: Path) -> PackedTable:
    provenance = predictions.provenance
    labels = _whole_split(provenance, predictions.index, dataset)
    content = pack_probabilities(predictions.probabilities, labels)
    evaluation = evaluate(predictions)
    return _write(
        folder, "predictions", provenance, content, {"step": STEP},
        mistakes=evaluation.error.count, loss=round(evaluation.loss, 6),
    )  # fmt: skip


def _pack_neighbours(near: Neighbours, width: int, dataset: Dataset, folder: Path) -> PackedTable:
    labels = _whole_split(near.provenance, near.index, dataset)
    few = np.ascontiguousarray(near.neighbours[:, :width])
    content = pack_neighbours(few, labels, dataset.train.labels)
    return _write(folder, "neighbours", near.provenance, content, {"width": width})


def _pack_dynamics(dynamics: Dynamics, dataset: Dataset, folder: Path) -> PackedTable:
    labels = _whole_split(dynamics.provenance, dynamics.index, dataset)
    content = pack_dynamics(dynamics, labels)
    settings = {"epochs": dynamics.epochs, "networks": dynamics.networks}
    return _write(folder, "dynamics", dynamics.provenance, content, settings)


def _whole_split(provenance: Provenance, index: IndexArray, dataset: Dataset) -> LabelArray:
    """The given labels of a table's split, every image of which it must cover.

    Raises:
        PredictionsError: It doesn't.
    """
    labels = dataset.splits[provenance.split].labels
    if not np.array_equal(index, np.arange(len(labels))):
        raise PredictionsError(
            f"{provenance.name}: expected all {len(labels):,} images of {provenance.split}. "
            f"Got {len(index):,}."
        )
    return labels


def _write(
    folder: Path,
    kind: str,
    provenance: Provenance,
    content: bytes,
    settings: Mapping[str, float],
    *,
    mistakes: int | None = None,
    loss: float | None = None,
) -> PackedTable:
    digest = hashlib.sha256(content).hexdigest()
    table = PackedTable(kind, provenance, digest, settings, mistakes, loss)
    write_bytes(folder / table.file, content)
    return table
