"""Every command with its options. Heavy modules are imported by the command that needs them."""

from pathlib import Path
from typing import Annotated

import typer

from misread.errors import TrainingStoppedError

app = typer.Typer(
    name="misread",
    help="Which images does a classifier misread, what do they look like, and is the model wrong "
    "or the label?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
importing = typer.Typer(
    help="Bring tables made elsewhere into a study.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(importing, name="import")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
StudyFolder = Annotated[
    Path | None,
    typer.Option(
        "--study",
        metavar="DIR",
        help="The study's folder; without it the working folder, or the only *-study in it.",
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="M", help="A model or run; without it the newest."),
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        print(f"misread {version_of('misread')}")
        raise typer.Exit


@app.command(epilog="Example: misread run mnist --model quick")
def run(
    dataset: Annotated[
        str, typer.Argument(help="A built-in name (mnist), a folder of IDX files, or an .npz file.")
    ],
    model: Annotated[str, typer.Option(help="The network; `misread models` lists them.")] = (
        "convnet"
    ),
    recipe: Annotated[
        str | None, typer.Option(help="How to train it: short (the default) or post.")
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
    """Train a network, evaluate it, and show what it misreads: the main job.

    Goes on where an interrupted training stopped, and shows a finished run without training it
    again.
    """
    from misread.cli.output import runs
    from misread.cli.progress import RunBar
    from misread.datasets import load
    from misread.workflows import run as workflow

    try:
        with RunBar() as bar:
            result = workflow.run(
                load(dataset),
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
        raise TrainingStoppedError("stopped; the same command goes on or starts anew") from None
    runs.show_run(result, as_json)


@app.command(epilog="Example: misread mistakes --split train --rows 5 --columns 8")
def mistakes(
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: ModelName = None,
    rows: Annotated[int, typer.Option(help="Most rows of a grid.")] = 3,
    columns: Annotated[int, typer.Option(help="Tiles in a row.")] = 4,
    save: Annotated[
        Path | None,
        typer.Option(help="A folder for one picture per class, or a .png file for all classes."),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Draw the misread images again, without training."""
    from misread.cli.output import runs
    from misread.store import Study
    from misread.workflows.mistakes import draw_mistakes

    place = Study.locate(study, Path.cwd())
    drawn = draw_mistakes(place, split, model, rows=rows, columns=columns, save=save)
    runs.show_mistakes(drawn, as_json)


@app.command(epilog="Example: misread demo --study digits")
def demo(
    study: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where it goes; without it mnist-demo-study."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a ready study of MNIST from predictions that come with misread: nothing is trained."""
    from misread.cli.output import runs
    from misread.workflows.demo import make_demo

    runs.show_run(make_demo(study), as_json)


@importing.command(
    "predictions", epilog="Example: misread import predictions resnet.npy --dataset mnist"
)
def import_predictions(
    file: Annotated[
        Path, typer.Argument(help="N x K probabilities: .npy, .npz, .csv, .tsv or .parquet.")
    ],
    split: Annotated[
        str | None, typer.Option(help="Which split was predicted; without it test.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the model; without it the file's.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            help="What the model had seen: held-out (the default, but for train), cross-fitted or "
            "in-sample."
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Make the study of this dataset if there is none yet.")
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Bring the predictions of a model of your own into a study."""
    from misread.cli.output import runs
    from misread.workflows.importing import import_file

    place, predictions = import_file(study, dataset, file, split=split, model=model, origin=origin)
    runs.show_imported(place, predictions, as_json)


@app.command(epilog="Example: misread duplicates mnist --save duplicates.png")
def duplicates(
    dataset: Annotated[
        str | None,
        typer.Argument(help="A built-in name or a path; without it the study's dataset."),
    ] = None,
    distance: Annotated[
        float,
        typer.Option(
            help="Largest root mean square difference of pixels, as a share of their range; 0 for "
            "identical images only."
        ),
    ] = 0.03,
    save: Annotated[
        Path | None, typer.Option(help="A .png file for a picture of the worst pairs.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A .csv, .parquet or .json file for all pairs.")
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Find images that a dataset holds more than once: leaks, label conflicts, repeats.

    Needs no model. With a study and without --save the picture goes into the study's figures.
    """
    from misread.cli.output import duplicates as shown
    from misread.datasets import load
    from misread.workflows.duplicates import show_duplicates

    if dataset is not None:
        images = load(dataset)
    else:
        from misread.store import Study

        place = Study.locate(study, Path.cwd())
        images, save = place.load_dataset(), save or place.figures / "duplicates.png"
    shown.show_duplicates(show_duplicates(images, distance, save=save, output=output), as_json)


@app.command(epilog="Example: misread calibration --model quick --bins 10")
def calibration(
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: ModelName = None,
    bins: Annotated[int, typer.Option(help="Most bins of the reliability curve.")] = 15,
    binning: Annotated[
        str,
        typer.Option(
            help="What is equal in all bins: mistakes (that the model expects), images or width."
        ),
    ] = "mistakes",
    save: Annotated[
        Path | None, typer.Option(help="A .png file; without it one in the study's figures.")
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Show whether a model is right as often as it says, and whether a temperature helps.

    The temperature is fitted on cross-fitted predictions of train or on a validation split, never
    on the split that is shown.
    """
    from misread.cli.output import calibration as shown
    from misread.store import Study
    from misread.workflows.calibration import show_calibration

    place = Study.locate(study, Path.cwd())
    result = show_calibration(place, split, model, bins=bins, binning=binning, save=save)
    shown.show_calibration(result, as_json)


@app.command(epilog="Example: misread datasets --json")
def datasets(as_json: Json = False) -> None:
    """List the datasets that are built in."""
    from misread.cli.output import listings

    listings.show_datasets(as_json)


@app.command(epilog="Example: misread models")
def models(as_json: Json = False) -> None:
    """List the networks that can be trained, with their recipes."""
    from misread.cli.output import listings

    listings.show_models(as_json)
