"""Commands that train networks."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import DATASET_HELP, Json, StudyFolder
from misread.errors import TrainingStoppedError

commands = typer.Typer()

# While the dataset is read; from then on the workflow says what it has saved.
_EARLY = "stopped before the training began; the same command begins again"


@commands.command(epilog="Example: misread run mnist --model quick")
def run(
    dataset: Annotated[str, typer.Argument(help=DATASET_HELP)],
    model: Annotated[str, typer.Option(help="The network; `misread models` lists them.")] = (
        "convnet"
    ),
    recipe: Annotated[
        str | None, typer.Option(help="A recipe that `misread models` lists; short by default.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Another number of epochs.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
    study: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; without it DATASET-study."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    fresh: Annotated[bool, typer.Option(help="Train anew and replace what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Train a network and show what it misreads.

    The main job: trains, evaluates, draws and reports. Goes on where an interrupted training
    stopped, and shows a finished run without training it again.
    """
    from misread.cli.output import runs
    from misread.cli.output.common import open_dataset
    from misread.cli.progress import RunBar
    from misread.models import find_model
    from misread.workflows import run as workflow

    try:
        images = open_dataset(dataset)
        with RunBar(find_model(model).loss_note) as bar:
            result = workflow.run(
                images,
                model,
                recipe,
                epochs=epochs,
                seed=seed,
                study=study,
                device=device,
                fresh=fresh,
                on_step=bar.train,
                on_predict=bar.predict,
            )
    except KeyboardInterrupt:
        # Typer would end without a word.
        raise TrainingStoppedError(_EARLY) from None
    runs.show_run(result, as_json)


@commands.command(epilog="Example: misread crossfit --repeats 3")
def crossfit(
    dataset: Annotated[
        str | None, typer.Argument(help="As for run; without it the dataset of the study.")
    ] = None,
    model: Annotated[str, typer.Option(help="The network; `misread models` lists them.")] = "quick",
    recipe: Annotated[
        str | None, typer.Option(help="A recipe that `misread models` lists; short by default.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Another number of epochs.")] = None,
    folds: Annotated[int, typer.Option(help="Parts that the training split is cut into.")] = 5,
    repeats: Annotated[
        int, typer.Option(help="How often, each time with other folds and other seeds.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the folds and the networks.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    fresh: Annotated[bool, typer.Option(help="Do anew what is there, and replace it.")] = False,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Cross-fit: predict the training images.

    Each by a network that never saw it: trains one network per fold on the other folds. Goes on
    where it was interrupted.
    """
    from misread.cli.output import crossfit as output
    from misread.cli.progress import CrossfitBar
    from misread.workflows import crossfit as workflow
    from misread.workflows.importing import open_dataset

    images, folder = open_dataset(study, dataset)
    try:
        with CrossfitBar() as bar:
            result = workflow.crossfit(
                images,
                model,
                recipe,
                folds=folds,
                repeats=repeats,
                epochs=epochs,
                seed=seed,
                study=folder,
                device=device,
                fresh=fresh,
                on_step=bar.step,
            )
    except KeyboardInterrupt:
        raise TrainingStoppedError(_EARLY) from None
    output.show_crossfit(result, as_json)
