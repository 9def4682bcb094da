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


@app.command(epilog="Example: misread crossfit --repeats 3")
def crossfit(
    dataset: Annotated[
        str | None, typer.Argument(help="As for run; without it the dataset of the study.")
    ] = None,
    model: Annotated[str, typer.Option(help="The network; `misread models` lists them.")] = "quick",
    recipe: Annotated[
        str | None, typer.Option(help="How to train it: short (the default) or post.")
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
    """Predict each training image by a network that never saw it.

    Trains one network per fold on the other folds. Goes on where it was interrupted.
    """
    from misread.cli.output import crossfit as output
    from misread.cli.progress import CrossfitBar
    from misread.workflows import crossfit as workflow
    from misread.workflows.importing import open_study

    place = open_study(study, dataset)
    try:
        with CrossfitBar() as bar:
            result = workflow.crossfit(
                place.load_dataset(),
                model,
                recipe,
                folds=folds,
                repeats=repeats,
                epochs=epochs,
                seed=seed,
                study=place.path,
                device=device,
                fresh=fresh,
                on_step=bar.step,
            )
    except KeyboardInterrupt:
        raise TrainingStoppedError("stopped; the same command goes on or starts anew") from None
    output.show_crossfit(result, as_json)


@app.command(epilog="Example: misread audit --split train --top 50 --output suspects.csv")
def audit(
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="M", help="A model or run of the panel; repeat it. Without it all."),
    ] = None,
    by: Annotated[
        str, typer.Option(help="The score to rank by: suspicion, entropy, margin, ...")
    ] = "suspicion",
    top: Annotated[int, typer.Option(help="Images in the table and in the picture.")] = 20,
    index: Annotated[
        int | None, typer.Option(help="Tell of this one image instead, whatever its rank.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write all images, ranked: .csv, .parquet or .json.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Where the picture goes, a .png file.")] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Say of each mistake whether the model seems wrong or the label, and why."""
    from misread.cli.output import audit as printed
    from misread.store import Study
    from misread.workflows import audit as workflow

    place = Study.locate(study, Path.cwd())
    found = workflow.audit(place, split, model or ())
    if index is not None:
        printed.show_one(found, index, as_json)
        return
    table = None if output is None else workflow.write_table(found, output, by)
    picture = workflow.draw_audit(place, found, top, by, save)
    printed.show_audit(found, top, by, picture, table, as_json)


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


@importing.command(
    "metadata", epilog="Example: misread import metadata scans.csv --cluster patient"
)
def import_metadata(
    file: Annotated[
        str,
        typer.Argument(
            help="A row per image (.csv, .tsv, .parquet), joined on its column index; or qmnist: "
            "who wrote each MNIST digit."
        ),
    ],
    split: Annotated[
        str | None,
        typer.Option(help="The split, where the file has no column split; without it test."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Which images belong together: a writer, a patient, a video."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace columns that have other values.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="With qmnist: the folder of its .tsv.gz files; without it they are downloaded.",
        ),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Bring what is known of the images into a study; `misread slices` breaks errors down by it."""
    from misread.cli.output import slices as output
    from misread.store import Study
    from misread.workflows import metadata

    place = Study.locate(study, Path.cwd())
    imported = metadata.import_metadata(
        place, file, split=split, cluster=cluster, replace=replace, folder=folder
    )
    output.show_metadata(imported, as_json)


@app.command(epilog="Example: misread slices --by writer")
def slices(
    by: Annotated[
        str, typer.Option(metavar="COLUMN", help="A column of the metadata, or given: the label.")
    ],
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: ModelName = None,
    level: Annotated[
        float, typer.Option(help="Confidence that all intervals hold together.")
    ] = 0.95,
    bins: Annotated[
        int | None,
        typer.Option(
            help="Quantiles of a number, 0 for none; without it 5 for one with over 20 values."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Where the picture goes.")
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Error rate for each value of a metadata column, worst first, with intervals."""
    from misread.cli.output import slices as output
    from misread.store import Study
    from misread.workflows import slices as workflow

    place = Study.locate(study, Path.cwd())
    found = workflow.slices(place, by, split, model, bins=bins, level=level, save=save)
    output.show_slices(found, as_json)


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
