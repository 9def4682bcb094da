"""What the help of the commands says, those of the reader study above all."""

import re

import pytest
import typer.testing

from misread.cli.app import app
from misread.web.reader.app import BRIEF


def said(*arguments: str) -> str:
    found = typer.testing.CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})
    assert found.exit_code == 0
    return " ".join(found.output.split())


def test_brief_mode_tells_its_times() -> None:
    for command in ("plan", "read"):
        text = said(command, "--help")
        assert f"for {BRIEF['image']} ms" in text
        assert f"after {BRIEF['answer']} ms without an answer" in text


@pytest.mark.parametrize("group", [(), ("import",)])
def test_no_summary_is_cut_at_80_columns(group: tuple[str, ...]) -> None:
    found = typer.testing.CliRunner().invoke(app, [*group, "--help"], env={"COLUMNS": "80"})
    assert found.exit_code == 0
    commands = found.output.partition("Commands:\n")[2].splitlines()
    assert len(commands) >= 4
    for line in commands:
        # Each is one line, with its name.
        assert re.match(r"  [a-z]", line)
        assert not line.endswith("...")


def test_the_port_of_the_links_is_told() -> None:
    text = said("read", "--help")
    assert "that of the readers' links, first 7470" in text
    assert "the links would be dead" in text
