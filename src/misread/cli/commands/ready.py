"""What comes with misread: a ready study, datasets, networks."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import Json

commands = typer.Typer()


@commands.command(epilog="Example: misread demo --study digits")
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


@commands.command(epilog="Example: misread datasets --json")
def datasets(as_json: Json = False) -> None:
    """List the datasets that are built in."""
    from misread.cli.output import listings

    listings.show_datasets(as_json)


@commands.command(epilog="Example: misread models")
def models(as_json: Json = False) -> None:
    """List the networks that can be trained, with their recipes."""
    from misread.cli.output import listings

    listings.show_models(as_json)
