"""What comes with misread: a ready study, datasets, networks."""

import os
import sys
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
    gallery: Annotated[
        bool, typer.Option("--open/--no-open", help="Serve its gallery until Ctrl-C.")
    ] = True,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port; 0 for a free one. [default: 7470]"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the gallery in the browser.")] = True,
    as_json: Json = False,
) -> None:
    """Look at MNIST without training anything.

    Through networks trained for misread: what they predict comes with it. Makes a study of the
    reference panel, and serves its gallery.
    """
    from misread.cli.output.demo import show_demo
    from misread.workflows.demo import make_demo, open_demo

    if not gallery:
        show_demo(make_demo(study), None, as_json)
        return
    open_demo(
        study,
        port=port,
        browser=browser,
        on_start=lambda made, url: show_demo(made, url, as_json),
    )
    # As in `misread open`: scores may still be computed in other threads.
    sys.stdout.flush()
    os._exit(0)


@commands.command(epilog="Example: misread datasets --json")
def datasets(as_json: Json = False) -> None:
    """List the datasets that are built in."""
    from misread.cli.output import listings

    listings.show_datasets(as_json)


@commands.command(epilog="Example: misread models")
def models(as_json: Json = False) -> None:
    """List the networks that can be trained.

    With their recipes.
    """
    from misread.cli.output import listings

    listings.show_models(as_json)
