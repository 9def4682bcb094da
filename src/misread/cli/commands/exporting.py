"""The command that takes tables out of a study."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import Json, StudyFolder

commands = typer.Typer()


@commands.command(epilog="Example: misread export labels --split test --output labels.parquet")
def export(
    what: Annotated[
        str, typer.Argument(help="verdicts, labels, predictions, mistakes or readings.")
    ],
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="A model or run: whose predictions or mistakes (without it the newest), or whose "
            "error beside labels (without it all).",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv (the default), parquet or json; of readings also model-vs-human or counts.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to, - for stdout; without it into the folder exports of the study.",
        ),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Write verdicts, labels or tables to a file.

    Verdicts, corrected labels, predictions, mistakes or readings, for other programs. Labels are
    those of all images of the split, with the errors as labelled and after verdicts.
    """
    from misread.cli.output import exports as shown
    from misread.errors import ParameterError
    from misread.store import Study
    from misread.workflows.exporting import check_what, place_of, write_export
    from misread.workflows.exporting import export as make

    check_what(what)
    if as_json and str(output) == "-":
        raise ParameterError("output: - and --json both write to stdout; name a file")
    place = Study.locate(study, Path.cwd())
    if what == "readings":
        from misread.cli.output import readings
        from misread.workflows.readings import encode_all_readings, export_all_readings

        if str(output) == "-":
            readings.send_readings(*encode_all_readings(place, form))
            return
        readings.show_exported(*export_all_readings(place, form, output), as_json)
        return
    target, kind = place_of(place, what, split, form, output)
    table = make(place, what, split, model)
    if target is None:
        shown.send_export(table, kind)
    else:
        shown.show_export(table, write_export(table, target), as_json)
