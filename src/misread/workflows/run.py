"""The main job: train, evaluate, and show what the model misreads."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from misread.analysis.evaluation import Evaluation, evaluate
from misread.datasets import Dataset
from misread.errors import InputError, StudyError, TrainingStoppedError
from misread.models import Card, Recipe, Run
from misread.models.recipe import fill_in
from misread.store import Study, default_study
from misread.tables import Provenance
from misread.views.mistakes import Mistakes, save_grids, show_mistakes
from misread.views.pictures import save_png
from misread.workflows.report import write_report
from misread.workflows.training import (
    choose_recipe,
    predict_splits,
    require_torch,
)

if TYPE_CHECKING:
    from misread.models.trained import Trained
    from misread.models.training import Progress

# Pictures of single classes that a run draws by itself; `misread mistakes` draws all.
_MOST_GRIDS = 60


@dataclass(frozen=True)
class SplitResult:
    """What one model does on one split.

    Attributes:
        provenance: Where the predictions come from.
        evaluation: Loss and error rates with intervals.
        mistakes: The misread images.
        overview: Picture of all classes' most confident mistakes.
        grids: Pictures, one per given class that has mistakes.
    """

    provenance: Provenance
    evaluation: Evaluation
    mistakes: Mistakes
    overview: Path
    grids: tuple[Path, ...]


@dataclass(frozen=True)
class RunResult:
    """What the main job leaves.

    Attributes:
        study: The folder with everything.
        card: What was trained and how long.
        splits: The result of each split, by its name.
        trained: False if nothing was trained.
        note: Why nothing was trained, "" if it was.
        report: The report's first page; None if it couldn't be written.
        report_note: Why it couldn't, "" if it could.
    """

    study: Study
    card: Card
    splits: dict[str, SplitResult]
    trained: bool
    note: str = ""
    report: Path | None = None
    report_note: str = ""


def run(
    dataset: Dataset,
    model: str = "convnet",
    recipe: str | None = None,
    *,
    epochs: int | None = None,
    seed: int = 0,
    study: Path | None = None,
    device: str = "auto",
    fresh: bool = False,
    on_step: "Callable[[Progress], None] | None" = None,
    on_predict: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Train a network, keep its predictions of every split in a study, and show its mistakes.

    A training that was interrupted goes on from its last finished epoch. A run that the study
    already has is not trained again: its results are shown.

    Args:
        dataset: Has a `train` split with images of one size.
        model: A name that `misread models` lists.
        recipe: One of the model's recipes, None for the default.
        epochs: Another number of epochs than the recipe's, 1 or more.
        seed: Seed of the training, 0 or more.
        study: The study's folder, None for `{dataset}-study` in the working folder.
        device: `auto`, `cpu`, `cuda` or `mps`.
        fresh: Train anew even if the study has this run or half of it, and replace it.
        on_step: Called after each step of the training.
        on_predict: Called while predicting with the images done and those there are.

    Returns:
        The study, the card, the evaluation and the pictures of each split, and the report.

    Raises:
        MisreadError: As `train`, and StudyError if the study is of another dataset.
    """
    chosen = choose_recipe(model, recipe, epochs)
    name = f"{model}-{chosen.name}-s{seed}"
    folder = Path(study) if study is not None else default_study(dataset, Path.cwd())
    with _telling_what_is_saved(folder, name, fresh):
        if Study.exists(folder) and not fresh:
            shown = _show_finished(Study.create(folder, dataset), dataset, name, chosen)
            if shown is not None:
                return shown
        place, results = _train(
            dataset, model, chosen, seed, folder, device, fresh, on_step, on_predict
        )
        shown_splits = _show_all(place, dataset, name, results)
        return with_report(RunResult(place, results.card, shown_splits, trained=True), dataset)


@contextlib.contextmanager
def _telling_what_is_saved(folder: Path, name: str, fresh: bool) -> Iterator[None]:
    """After a Ctrl-C, say what the same command does, by what it left in the study."""
    try:
        yield
    except KeyboardInterrupt:
        models = folder / "models"
        goes_on, without = "starts anew", ""
        if (models / f"{name}.checkpoint").exists():
            goes_on, without = "goes on after the last saved epoch", " (without --fresh)"
        elif (models / f"{name}.json").exists():
            goes_on, without = "shows what it has trained", " (without --fresh)"
        raise TrainingStoppedError(
            f"{name} stopped; the same command{without if fresh else ''} {goes_on}"
        ) from None


def _show_finished(study: Study, dataset: Dataset, name: str, recipe: Recipe) -> RunResult | None:
    """The results of a run that the study has already; None if it hasn't."""
    if not _finished(study, name):
        return None
    card = Card.read(study.model_file(name, ".json"))
    _check_same_recipe(card, recipe, study)
    note = f"{name} is in this study already; --fresh trains it anew"
    shown = _show_all(study, dataset, name)
    return with_report(RunResult(study, card, shown, trained=False, note=note), dataset)


def _train(
    dataset: Dataset,
    model: str,
    recipe: Recipe,
    seed: int,
    folder: Path,
    device: str,
    fresh: bool,
    on_step: "Callable[[Progress], None] | None",
    on_predict: Callable[[int, int], None] | None,
) -> tuple[Study, Run]:
    """Train a network and keep in the study what it predicts of every split."""
    name = f"{model}-{recipe.name}-s{seed}"
    # Whatever can be refused is refused before a study is made.
    training = require_torch()
    training.check_settings(seed, device)
    made = not Study.exists(folder)
    place = Study.create(folder, dataset)
    _check_replaces_nothing(place, name, fresh)
    checkpoint = place.model_file(name, ".checkpoint")
    if fresh:
        checkpoint.unlink(missing_ok=True)
    try:
        place.check_run(name)
        trained = training.train_network(
            dataset, model, recipe, seed, device=device, checkpoint=checkpoint, on_step=on_step
        )
    except InputError:
        if made:
            place.discard_if_empty()
        raise
    except TrainingStoppedError as error:
        # Before the first epoch is saved, only --fresh replaces the former run.
        without = " (without --fresh)" if fresh and checkpoint.exists() else ""
        raise TrainingStoppedError(f"{error}{without}") from None
    try:
        results = predict_splits(trained, dataset, on_predict)
    except KeyboardInterrupt:
        raise TrainingStoppedError(
            f"{name} stopped while predicting; the same command predicts again"
        ) from None
    _save(place, trained, results)
    checkpoint.unlink(missing_ok=True)
    return place, results


def _save(study: Study, trained: "Trained", results: Run) -> None:
    """Keep all that a run leaves. A card goes first and comes last: where it is, the rest fits."""
    card_file = study.model_file(trained.card.name, ".json")
    card_file.unlink(missing_ok=True)
    for predictions in results.predictions.values():
        study.save_predictions(predictions, replace=True)
    for neighbours in results.neighbours.values():
        study.save_neighbours(neighbours)
    study.save_dynamics(results.dynamics)
    card = trained.card
    require_torch("saved").save_weights(trained, study.model_file(card.name, ".safetensors"))
    card.write_log(study.model_file(card.name, ".log.csv"))
    card.write(card_file)


def _finished(study: Study, name: str) -> bool:
    """Whether it is whole. A checkpoint beside its card is of a training that is to replace it."""
    card, checkpoint = (study.model_file(name, suffix) for suffix in (".json", ".checkpoint"))
    done = card.exists() and not checkpoint.exists()
    return done and set(study.list_run(name)) == set(study.splits)


def _check_same_recipe(card: Card, recipe: Recipe, study: Study) -> None:
    if fill_in(card.recipe) != dataclasses.asdict(recipe):
        raise StudyError(
            f"{study.path}: {card.name} was trained with other settings than the recipe "
            f"{recipe.name!r} has now; --fresh trains it anew, --study names another folder"
        )


def _check_replaces_nothing(study: Study, name: str, fresh: bool) -> None:
    """Refuse to train where the result would replace what this run didn't make."""
    if study.note:
        raise StudyError(f"{study.path}: is a {study.note}; name another folder with --study")
    own = any(study.model_file(name, suffix).exists() for suffix in (".json", ".checkpoint"))
    if not own and not fresh and study.list_run(name):
        raise StudyError(
            f"{study.path}: holds predictions {name} that no training here has made; --fresh "
            "replaces them, --study names another folder"
        )


def _show_all(
    study: Study, dataset: Dataset, name: str, results: Run | None = None
) -> dict[str, SplitResult]:
    shown = {}
    there = study.list_run(name)
    for split in dataset.splits:
        if results is None:
            predictions = study.load_predictions(there[split])
        else:
            predictions = results.predictions[split]
        mistakes = show_mistakes(dataset.splits[split], predictions)
        shown[split] = draw(study, mistakes)
    return shown


def draw(study: Study, mistakes: Mistakes) -> SplitResult:
    """Draw a split's mistakes into the study's figures and evaluate its predictions."""
    provenance = mistakes.predictions.provenance
    overview = study.figures / f"{provenance.name}.png"
    folder = study.figures / provenance.name
    try:
        save_png(mistakes.plot_overview(), overview)
        paths = save_grids(mistakes, folder, most=_MOST_GRIDS, clear=True)
    except OSError as error:
        raise StudyError(f"{folder}: can't write pictures here: {error.strerror}") from error
    return SplitResult(provenance, evaluate(mistakes.predictions), mistakes, overview, paths)


def with_report(result: RunResult, dataset: Dataset) -> RunResult:
    """Write the study's report; a run that is done isn't lost because something is in the way."""
    try:
        written = write_report(result.study, dataset=dataset)
    except InputError as error:
        return dataclasses.replace(result, report_note=str(error))
    return dataclasses.replace(result, report=written.path)
