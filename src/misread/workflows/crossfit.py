"""Out-of-sample predictions of the training split, fold by fold, kept in a study."""

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.analysis.evaluation import Evaluation, evaluate
from misread.datasets import Dataset
from misread.errors import InputError, ParameterError, StudyError, TrainingStoppedError
from misread.files import write_text
from misread.models import Recipe
from misread.models.recipe import fill_in
from misread.store import Study, default_study
from misread.tables import Dynamics, Neighbours, Predictions
from misread.types import BoolArray
from misread.workflows.training import choose_recipe, require_torch

if TYPE_CHECKING:
    from misread.models.crossfit import Fold
    from misread.models.training import Progress


@dataclass(frozen=True)
class CrossfitProgress:
    """Where a cross-fit stands, told after each step of each network.

    Attributes:
        repeat: Number of the running repeat, from 1.
        repeats: Number of repeats.
        fold: Number of the running fold, from 1.
        folds: Number of folds.
        training: Where the training of the fold's network stands.
    """

    repeat: int
    repeats: int
    fold: int
    folds: int
    training: "Progress"

    @property
    def done(self) -> float:
        """Share of the whole that is done, in [0, 1]; every fold counts the same."""
        folds = (self.repeat - 1) * self.folds + self.fold - 1
        return (folds + self.training.step / self.training.steps) / (self.repeats * self.folds)


@dataclass(frozen=True)
class CrossfitRepeat:
    """One repeat: each training image predicted once.

    Attributes:
        name: Name of the run, `{model}-{recipe}-s{seed}-r{repeat}`.
        predictions: By split; `train` is cross-fitted, the others are held-out and the mean over
            the folds' networks.
        evaluation: Of `train`, out of fold.
        seconds: Time of training the folds' networks.
        trained: False if the study had this repeat already.
    """

    name: str
    predictions: dict[str, Predictions]
    evaluation: Evaluation
    seconds: float
    trained: bool


@dataclass(frozen=True)
class CrossfitResult:
    """What `crossfit` leaves.

    Attributes:
        study: The folder with everything.
        repeats: One or more.
    """

    study: Study
    repeats: tuple[CrossfitRepeat, ...]


def crossfit(
    dataset: Dataset,
    model: str = "quick",
    recipe: str | Recipe | None = None,
    *,
    folds: int = 5,
    repeats: int = 1,
    epochs: int | None = None,
    seed: int = 0,
    study: Path | None = None,
    device: str = "auto",
    fresh: bool = False,
    on_step: Callable[[CrossfitProgress], None] | None = None,
) -> CrossfitResult:
    """Predict every training image by a network that never saw it, and keep that in a study.

    The training split is dealt out to folds, class by class; for each fold a network is trained on
    the other folds and predicts this one, and every other split. Its nearest training images, and
    how each training image fared in training, are kept with the predictions. What is interrupted
    goes on from the last finished epoch; repeats that the study has are not trained again.

    Args:
        dataset: Has a `train` split with images of one size.
        model: A name that `misread models` lists.
        recipe: Name of one of the model's recipes, a recipe of your own, or None for the default.
        folds: Number of folds, 2 or more.
        repeats: How often the whole is repeated with other folds and other seeds, 1 or more.
        epochs: Another number of epochs than the recipe's.
        seed: Seed of the folds and the networks, 0 or more.
        study: The study's folder, None for `{dataset}-study` in the working folder.
        device: `auto`, `cpu`, `cuda` or `mps`.
        fresh: Do anew what the study has already, and replace it.
        on_step: Called after each training step.

    Raises:
        MissingExtraError: PyTorch isn't installed.
        ParameterError: An argument is unknown or out of range.
        DatasetError: The images can't be trained on.
        StudyError: The study is of another dataset, or holds a cross-fit with other settings.
        TrainingStoppedError: Interrupted by Ctrl-C.
    """
    chosen = choose_recipe(model, recipe, epochs)
    if repeats < 1:
        raise ParameterError(f"repeats must be 1 or more. Got {repeats} instead.")
    # Whatever can be refused is refused before a study is made.
    require_torch().check_settings(seed, device)
    require_torch("crossfit").stratified_folds(dataset.train.labels, folds, seed)
    folder = Path(study) if study else default_study(dataset, Path.cwd())
    made = not Study.exists(folder)
    place = Study.create(folder, dataset)
    if place.note:
        raise StudyError(f"{place.path}: is a {place.note}; name another folder with --study")
    jobs = [
        _Job(place, dataset, model, chosen, folds, seed, repeat, fresh)
        for repeat in range(1, repeats + 1)
    ]
    for job in jobs:
        job.prepare()
    finished = []
    for job in jobs:

        def tell(fold: int, training: "Progress", repeat: int = job.repeat) -> None:
            if on_step is not None:
                on_step(CrossfitProgress(repeat, repeats, fold, folds, training))

        try:
            finished.append(job.finish(device, tell))
        except KeyboardInterrupt:
            # Between folds or after them: the finished ones are kept.
            raise TrainingStoppedError(_stopped(job.name, fresh)) from None
        except InputError:
            job.forget_if_empty()
            if made:
                place.discard_if_empty()
            raise
    return CrossfitResult(place, tuple(finished))


@dataclass(frozen=True)
class _Job:
    """One repeat and its files in the study."""

    study: Study
    dataset: Dataset
    model: str
    recipe: Recipe
    folds: int
    seed: int
    repeat: int
    fresh: bool

    @property
    def name(self) -> str:
        return f"{self.model}-{self.recipe.name}-s{self.seed}-r{self.repeat}"

    @property
    def record(self) -> Path:
        """Is written last: where there is one, the repeat is whole."""
        return self.study.model_file(self.name, ".json")

    @property
    def parts(self) -> Path:
        """The folder of finished folds, while not all are."""
        return self.study.model_file(self.name, ".folds")

    @property
    def begun(self) -> Path:
        """The settings of the folds there."""
        return self.parts / "settings.json"

    def settings(self) -> dict[str, Any]:
        """What decides the result: two repeats that agree here are the same."""
        train = self.dataset.train
        return {
            "name": self.name,
            "folds": self.folds,
            "recipe": dataclasses.asdict(self.recipe),
            "classes": list(self.dataset.classes),
            "items_fingerprint": train.items_fingerprint,
            "labels_fingerprint": train.labels_fingerprint,
        }

    def prepare(self) -> None:
        """Forget what is there if `fresh`; else see that it was made with the same settings.

        Raises:
            PredictionsError: A split has a name that no file can have.
            StudyError: It wasn't, or no cross-fit has made it.
        """
        self.study.check_run(self.name)
        if self.fresh:
            self.record.unlink(missing_ok=True)
            shutil.rmtree(self.parts, ignore_errors=True)
            self._begin()
        elif self.record.exists():
            self._read_record()
        elif self.begun.exists():
            if self.begun.read_text(encoding="utf-8") != self._settings_text():
                raise StudyError(
                    f"{self.parts}: holds a half-finished cross-fit with other folds, another "
                    "recipe or other data; --fresh starts anew, --study names another folder"
                )
        elif self.study.list_run(self.name):
            raise StudyError(
                f"{self.study.path}: holds predictions {self.name} that no cross-fit here has "
                "made; --fresh replaces them, --study names another folder"
            )

    def finish(self, device: str, tell: Callable[[int, "Progress"], None]) -> CrossfitRepeat:
        """Do what is still to do, and return the whole."""
        there = set(self.study.list_run(self.name))
        if self.record.exists() and there == set(self.dataset.splits):
            return self._show(trained=False)
        self._begin()
        crossfitting = require_torch("crossfit")
        fold_of = crossfitting.stratified_folds(
            self.dataset.train.labels, self.folds, self.seed, self.repeat
        )
        done = []
        for number in range(1, self.folds + 1):
            try:
                done.append(self._fold(number, fold_of == number - 1, device, tell))
            except (KeyboardInterrupt, TrainingStoppedError):
                where = f" in fold {number} of {self.folds}"
                raise TrainingStoppedError(_stopped(self.name, self.fresh, where)) from None
        self._save(*crossfitting.join_folds(self.dataset, done, self.seed, self.repeat))
        record = self.settings() | {"networks": [json.loads(fold.card.to_json()) for fold in done]}
        write_text(self.record, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        shutil.rmtree(self.parts, ignore_errors=True)
        return self._show(trained=True)

    def _begin(self) -> None:
        """Say which cross-fit the folder of folds is of: its results replace those of its name."""
        try:
            write_text(self.begun, self._settings_text())
        except OSError as error:
            raise StudyError(f"{self.parts}: can't write folds here: {error.strerror}") from error

    def forget_if_empty(self) -> None:
        """Leave no trace of a cross-fit of which no epoch was saved."""
        if [file.name for file in self.parts.glob("*")] == [self.begun.name]:
            shutil.rmtree(self.parts)
            # Only if there is nothing else in it.
            with contextlib.suppress(OSError):
                self.parts.parent.rmdir()

    def _settings_text(self) -> str:
        return json.dumps(self.settings(), indent=2, ensure_ascii=False) + "\n"

    def _fold(
        self, number: int, member: BoolArray, device: str, tell: Callable[[int, "Progress"], None]
    ) -> "Fold":
        """A fold's results: read if it was finished before, else made and kept."""
        crossfitting, files = require_torch("crossfit"), require_torch("fold_file")
        part = self.parts / f"fold-{number}.safetensors"
        checkpoint = part.with_suffix(".checkpoint")
        fold: Fold
        if part.exists():
            fold = files.read_fold(part, self.dataset)
        else:
            fold = crossfitting.fit_fold(
                self.dataset,
                self.model,
                self.recipe,
                member,
                crossfitting.fold_seed(self.seed, self.repeat, number),
                device=device,
                checkpoint=checkpoint,
                on_step=lambda training: tell(number, training),
            )
            files.write_fold(part, fold)
        checkpoint.unlink(missing_ok=True)
        return fold

    def _save(
        self,
        predictions: dict[str, Predictions],
        neighbours: dict[str, Neighbours],
        dynamics: Dynamics,
    ) -> None:
        for table in predictions.values():
            self.study.save_predictions(table, replace=True)
        for near in neighbours.values():
            self.study.save_neighbours(near)
        self.study.save_dynamics(dynamics)

    def _show(self, *, trained: bool) -> CrossfitRepeat:
        there = self.study.list_run(self.name)
        predictions = {
            split: self.study.load_predictions(there[split]) for split in self.dataset.splits
        }
        seconds = sum(card["seconds"] for card in self._read_record()["networks"])
        evaluation = evaluate(predictions["train"])
        return CrossfitRepeat(self.name, predictions, evaluation, seconds, trained)

    def _read_record(self) -> dict[str, Any]:
        """The record of a whole repeat, once its settings are found to be these.

        Raises:
            StudyError: It is damaged, or of other settings.
        """
        try:
            record = dict(json.loads(self.record.read_text(encoding="utf-8")))
            sum(card["seconds"] for card in record["networks"])
            record["recipe"] = fill_in(record["recipe"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(f"{self.record}: expected a cross-fit's record: {error}") from error
        expected = json.loads(json.dumps(self.settings()))
        if {key: record.get(key) for key in expected} != expected:
            raise StudyError(
                f"{self.study.path}: {self.name} was cross-fitted with other folds, another recipe "
                "or other data; --fresh makes it anew, --seed or --study keep both"
            )
        return record


def _stopped(name: str, fresh: bool, where: str = "") -> str:
    without = " (without --fresh)" if fresh else ""
    return f"{name} stopped{where}; the same command goes on{without}"
