"""Commands that serve a web page on this machine."""

import os
import sys
from typing import Annotated

import typer

from misread.cli.options import Json, StudyFolder

commands = typer.Typer()


@commands.command("open", epilog="Example: misread open --study mnist-demo-study")
def open_study(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; 0.0.0.0 lets the network in, with a token in the link.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port; 0 for a free one. [default: 7470]"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Look at a study in the browser.

    And decide what is wrong with each mistake. Serves a page on this machine until Ctrl-C.
    """
    from misread.cli.output.serving import show_address
    from misread.workflows.open import open_gallery

    open_gallery(
        study,
        host=host,
        port=port,
        browser=browser,
        on_start=lambda url, folder: show_address(url, folder, as_json),
    )
    # Scores may still be computed in other threads, and Python would wait for what is queued there.
    # Everything that was acknowledged is on disk.
    sys.stdout.flush()
    os._exit(0)
