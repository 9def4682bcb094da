"""Commands that bring tables made elsewhere into a study."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import Json, StudyFolder

commands = typer.Typer(
    help="Bring tables made elsewhere into a study.", no_args_is_help=True, rich_markup_mode=None
)


@commands.command(
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
    """Bring in predictions of your own model."""
    from misread.cli.output import runs
    from misread.workflows.importing import import_file

    place, predictions = import_file(study, dataset, file, split=split, model=model, origin=origin)
    runs.show_imported(place, predictions, as_json)


@commands.command("metadata", epilog="Example: misread import metadata scans.csv --cluster patient")
def import_metadata(
    file: Annotated[
        str,
        typer.Argument(
            help="A row per image (.csv, .tsv, .parquet), joined on its column index, or file for "
            "a folder of images; or qmnist: who wrote each MNIST digit."
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
    """Bring in what is known of the images.

    `misread slices` breaks errors down by it.
    """
    from misread.cli.output import slices as output
    from misread.store import Study
    from misread.workflows import metadata

    place = Study.locate(study, Path.cwd())
    imported = metadata.import_metadata(
        place, file, split=split, cluster=cluster, replace=replace, folder=folder
    )
    output.show_metadata(imported, as_json)


@commands.command("labels", epilog="Example: misread import labels ana.parquet --person Ana")
def import_labels(
    file: Annotated[
        Path,
        typer.Argument(
            help="What export verdicts or labels wrote, or a table with the columns index and "
            "label: .csv, .tsv, .parquet or .json."
        ),
    ],
    split: Annotated[
        str | None, typer.Option(help="The split, where the file doesn't say; without it test.")
    ] = None,
    person: Annotated[
        str, typer.Option(metavar="NAME", help="Who decided, where the file doesn't say.")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the file's verdict where another one stands.")
    ] = False,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Bring in verdicts or corrected labels.

    They become decided verdicts. The same file again changes nothing.
    """
    from misread.cli.output import exports as output
    from misread.store import Study
    from misread.workflows import labels_import

    place = Study.locate(study, Path.cwd())
    imported = labels_import.import_labels(place, file, split=split, person=person, replace=replace)
    output.show_imported(imported, as_json)


@commands.command("readings", epilog="Example: misread import readings lab.csv")
def import_readings(
    file: Annotated[
        Path,
        typer.Argument(
            help="What people answered: .csv, .tsv or .parquet, a row per answer; or counts, also "
            ".npy and .npz."
        ),
    ],
    split: Annotated[
        str | None, typer.Option(help="Which split was read; without it the file's, else test.")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            help="tidy, as misread exports it, model-vs-human, or counts: N x K, how many people "
            "called each image each class."
        ),
    ] = "tidy",
    name: Annotated[
        str | None, typer.Option(help="Their name in the study; without it the file's.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of readings of this name.")
    ] = False,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Bring in readings made elsewhere.

    `misread people` says what they tell. Readers whom the study holds already are left out: the
    same file again changes nothing.
    """
    from misread.cli.output import readings as output
    from misread.store import Study
    from misread.workflows import readings as workflow

    place = Study.locate(study, Path.cwd())
    shown = name or file.name.split(".")[0]
    if form == "counts":
        counts = workflow.import_counts(
            place, file, split=split or "test", name=name, replace=replace
        )
        output.show_counts(counts, shown, split or "test", as_json)
        return
    brought = workflow.bring_readings(
        place,
        file,
        split=split,
        form=form,
        name=name,
        replace=replace,
    )
    output.show_imported(brought, shown, as_json)
