"""What the help of the reader study's commands says."""

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


def test_the_port_of_the_links_is_told() -> None:
    text = said("read", "--help")
    assert "that of the readers' links, first 7470" in text
    assert "the links would be dead" in text
