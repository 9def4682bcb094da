"""Commands that look at what a study or a dataset holds."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import Json, ModelName, StudyFolder

commands = typer.Typer()


@commands.command(epilog="Example: misread mistakes --split train --rows 5 --columns 8")
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
    """Draw the misread images again.

    Without training; those of the newest model, unless another is named.
    """
    from misread.cli.output import runs
    from misread.store import Study
    from misread.workflows.mistakes import draw_mistakes

    place = Study.locate(study, Path.cwd())
    drawn = draw_mistakes(place, split, model, rows=rows, columns=columns, save=save)
    runs.show_mistakes(drawn, as_json)


@commands.command(epilog="Example: misread report --single-file --output mnist.html")
def report(
    output: Annotated[
        Path | None,
        typer.Option(
            help="A folder, or with --single-file a .html file; without it report/ or report.html "
            "in the study."
        ),
    ] = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Put everything into one file.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="Only this model or run; without it tables of all, and pictures of the newest.",
        ),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Write the study as HTML pages.

    What is misread, and why, in pages that open in a browser without a server. A former report in
    the same place is replaced; anything else that lies there is not.
    """
    from misread.cli.output import report as printed
    from misread.store import Study
    from misread.workflows.report import write_report

    place = Study.locate(study, Path.cwd())
    printed.show_report(write_report(place, output, model, single_file=single_file), as_json)


@commands.command(epilog="Example: misread audit --split train --top 50 --output suspects.csv")
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
        int | None,
        typer.Option(help="Tell of this one image instead; it is drawn where --save is given."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write all images, ranked: .csv, .parquet or .json.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Where the picture goes, a .png file.")] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Ask of each mistake: model or label?

    Says whether the model seems wrong or the label, and why.
    """
    from misread.cli.output import audit as printed
    from misread.store import Study
    from misread.workflows import audit as workflow

    place = Study.locate(study, Path.cwd())
    found = workflow.show_audit(
        place, split, model or (), by=by, top=top, index=index, save=save, output=output
    )
    printed.show_audit(found, as_json)


@commands.command(epilog="Example: misread slices --by writer")
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
    """Error rates by a column of the metadata.

    One for each value, worst first, with intervals.
    """
    from misread.cli.output import slices as output
    from misread.store import Study
    from misread.workflows import slices as workflow

    place = Study.locate(study, Path.cwd())
    found = workflow.slices(place, by, split, model, bins=bins, level=level, save=save)
    output.show_slices(found, as_json)


@commands.command(epilog="Example: misread compare --against convnet-short-s0")
def compare(
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M", help="A model or run; repeat it. Without it all that never saw the images."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="M", help="The model or run to hold the others against; without it the oldest."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="A .png file for the error rates, with a folder of that name for the images that "
            "only one of two misreads; without it in the study's figures."
        ),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Hold models and people side by side.

    And figures of the literature, on the same images. Each model is held against one of them: the
    difference with its interval, McNemar's test corrected for all comparisons, error consistency,
    and what only one of the two misreads.
    """
    from misread.store import Study
    from misread.workflows import compare as workflow

    place = Study.locate(study, Path.cwd())
    found = workflow.compare(place, split, model or (), against=against, save=save)
    # It imports what draws pages: not before there is something to print.
    from misread.cli.output import compare as printed

    printed.show_compared(found, as_json)


@commands.command(epilog="Example: misread duplicates mnist --save duplicates.png")
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
    """Find images that a dataset has twice.

    Leaks between splits, label conflicts, repeats. Needs no model. With a study and without --save
    the picture goes into the study's figures.
    """
    from misread.cli.output import duplicates as shown
    from misread.cli.output.common import open_dataset
    from misread.workflows.duplicates import show_duplicates

    if dataset is not None:
        images = open_dataset(dataset)
    else:
        from misread.store import Study

        place = Study.locate(study, Path.cwd())
        images, save = place.load_dataset(), save or place.figures / "duplicates.png"
    shown.show_duplicates(show_duplicates(images, distance, save=save, output=output), as_json)


@commands.command(epilog="Example: misread calibration --model quick --bins 10")
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
    """Is a model right as often as it says?

    And does a temperature help? The temperature is fitted on cross-fitted predictions of train or
    on a validation split, never on the split that is shown.
    """
    from misread.cli.output import calibration as shown
    from misread.store import Study
    from misread.workflows.calibration import show_calibration

    place = Study.locate(study, Path.cwd())
    result = show_calibration(place, split, model, bins=bins, binning=binning, save=save)
    shown.show_calibration(result, as_json)
