"""The application: every command under its name, in the order in which `--help` lists them."""

from typing import Annotated

import typer

from misread.cli.commands import (
    drawing,
    exporting,
    importing,
    looking,
    reading,
    ready,
    serving,
    training,
)

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
for part in (training, looking, drawing, serving, reading, exporting, ready):
    app.registered_commands += part.commands.registered_commands
app.add_typer(importing.commands, name="import")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        print(f"misread {version_of('misread')}")
        raise typer.Exit
