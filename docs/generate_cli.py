"""Print the reference of the command line, `docs/cli.md`, made from the command line itself.

python docs/generate_cli.py > docs/cli.md
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from misread.cli.app import app

INTRODUCTION = """\
<!-- Made by docs/generate_cli.py from the command line itself: change it there. -->

# Command line

`misread COMMAND`, or `python -m misread COMMAND`.

- Commands that read a study take `--study DIR`; without it the study is the working folder, else
  the only `*-study` in it, else a clear error.
- Results go to stdout, progress and errors to stderr. `--json` prints one JSON object on stdout.
- Exit codes: 0; 2 for bad input, with one line that says what and the way out; 1 for a failure; 130
  after Ctrl-C. Commands that serve a page (`open`, `demo`, `read`) end by Ctrl-C, with 0.
- Every command has `--help`.
"""

# Typer's commands are click's, which some versions of Typer bring along under another name: they
# are taken by what they have, not by their class.
Command = Any


def list_commands(
    command: Command, path: tuple[str, ...] = ("misread",)
) -> Iterator[tuple[str, Command]]:
    """Yield every command that does something, with its full name."""
    members = getattr(command, "commands", None)
    if members is None:
        yield " ".join(path), command
        return
    for name, member in members.items():
        yield from list_commands(member, (*path, name))


def describe(name: str, command: Command) -> str:
    """The section of one command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(_place(p) for p in arguments), "[OPTIONS]"])
    example = (command.epilog or "").removeprefix("Example: ")
    lines = [f"## {name}", "", f"```\n{usage}\n```", "", inspect.cleandoc(command.help or ""), ""]
    lines += ["| argument or option | what | default |", "|---|---|---|"]
    lines += [f"| `{p.name.upper()}` | {_cell(p.help)} | {_default(p)} |" for p in arguments]
    kinds = get_type_hints(inspect.unwrap(command.callback))
    lines += [
        f"| `{_spell(p, kinds[p.name])}` | {_cell(p.help)} | {_default(p)} |" for p in options
    ]
    lines += ["", "Example:", "", f"```shell\n{example}\n```", ""]
    return "\n".join(lines)


def _place(argument: Any) -> str:
    """`FILE`, or `[FILE]` where it can be left out."""
    name: str = argument.name.upper()
    return name if argument.required else f"[{name}]"


def _spell(option: Any, kind: Any) -> str:
    """`--rows N`, `--fresh`, `--open / --no-open`: how an option of this type is written."""
    names = ", ".join(option.opts)
    if option.is_flag:
        return f"{names} / {option.secondary_opts[0]}" if option.default else names
    types = {kind, *get_args(kind), *(inner for part in get_args(kind) for inner in get_args(part))}
    plain = "N" if int in types else "X" if float in types else "PATH" if Path in types else "TEXT"
    return f"{names} {option.metavar or plain}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if getattr(parameter, "is_flag", False):
        return f"`{parameter.opts[0]}`" if parameter.default else ""
    return "" if parameter.default is None else f"`{parameter.default}`"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("*", "\\*")


def render() -> str:
    """The whole page."""
    commands = list_commands(typer.main.get_command(app))
    return "\n".join([INTRODUCTION, *(describe(name, command) for name, command in commands)])


if __name__ == "__main__":
    sys.stdout.write(render())
