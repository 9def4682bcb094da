"""The documentation is run: its code, its commands, the examples, the docstrings; links resolve."""

import doctest
import importlib
import importlib.util
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import typer

import misread
from misread.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOTEBOOK = ROOT / "examples" / "first_look.ipynb"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
LINKING = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

# A fenced block, with the HTML comment that may stand on the line before it.
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>run|skip: [^\n]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    page: Path
    mark: str
    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            match["mark"] or "",
            match["language"],
            match["text"],
            content.count("\n", 0, match.start("text")) + 1,
        )
        for match in _BLOCK.finditer(content)
    ]


def is_run(block: Block) -> bool:
    if block.language == "python":
        return not block.mark.startswith("skip")
    return block.language == "shell" and block.mark == "run"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; MISREAD_CACHE points to one that all tests share."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    # Empty lines before it, so that a traceback names the line of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    exec(code, namespace)


def run_shell(block: Block) -> None:
    for line in block.text.splitlines():
        command = shlex.split(line, comments=True)
        if command:
            assert command[0] == "misread", f"{block.page}: can't run {line!r}"
            run([sys.executable, "-m", *command])


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


# Blocks of a page build on each other, so that a page is one test.
@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(is_run(block) for block in blocks_of(page))],
    ids=lambda page: page.name,
)
def test_page_runs(page: Path, folder: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in filter(is_run, blocks_of(page)):
        if block.language == "python":
            run_python(block, namespace)
        else:
            run_shell(block)


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_every_mark_stands_before_a_block(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    marks = re.findall(r"^<!-- (?:run\b|skip\b).*", content, re.MULTILINE)
    assert len(marks) == sum(bool(block.mark) for block in blocks_of(page))


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    content = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = [
        link
        for link in _LINK.findall(content)
        if not re.match(r"[a-z]+:", link) and not resolves(page, link)
    ]
    assert not broken


def resolves(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target)


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


def modules_of(package: ModuleType) -> Iterator[str]:
    yield package.__name__
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield found.name


def doctests() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = []
    for name in modules_of(misread):
        module = importlib.import_module(name)
        names = vars(module) | {"np": np, "misread": misread}
        found += [test for test in finder.find(module, globs=names) if test.examples]
    return found


@pytest.mark.parametrize("test", doctests(), ids=lambda test: test.name)
def test_docstring_example(test: doctest.DocTest, folder: Path) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


def test_there_are_docstring_examples() -> None:
    names = {test.name for test in doctests()}
    assert {"misread.datasets.catalogue.load", "misread.analysis.intervals.wilson"} <= names


# The notebook's library opens event loops and sockets in ways that warn differently from version to
# version: it gets a process of its own, where a warning is no error.
_EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
kinds = [output.output_type for cell in notebook.cells for output in cell.get("outputs", [])]
html = [output.data.get("text/html", "") for cell in notebook.cells
        for output in cell.get("outputs", []) if "data" in output]
print("error" in kinds, sum("data:image/png" in part for part in html))
"""


@pytest.mark.slow
def test_notebook_runs(folder: Path) -> None:
    pytest.importorskip("nbclient")
    assert run([sys.executable, "-c", _EXECUTE, str(NOTEBOOK)]).split() == ["False", "1"]


def test_notebook_stores_no_outputs() -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.slow
def test_post_runs(folder: Path) -> None:
    pytest.importorskip("torch")
    script = ROOT / "examples" / "post.py"
    command = [sys.executable, str(script), "--model", "quick", "--epochs", "1", "--images", "1000"]
    printed = run(command)
    assert "quick-post-e1-s0" in printed
    assert "0.62% (0.48 to 0.79)" in printed
    assert list((folder / "post" / "test").glob("given-*.png"))


def load_generator() -> ModuleType:
    path = DOCS / "generate_cli.py"
    spec = importlib.util.spec_from_file_location("generate_cli", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
COMMANDS = dict(GENERATOR.list_commands(typer.main.get_command(app)))


def test_cli_page_is_current() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert page == GENERATOR.render(), "run: python docs/generate_cli.py > docs/cli.md"


def test_every_command_is_found() -> None:
    assert {"misread run", "misread mistakes", "misread import predictions"} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_and_example(name: str) -> None:
    command: Any = COMMANDS[name]
    assert command.help, f"{name}: write a docstring"
    assert command.epilog, f"{name}: give an epilog 'Example: {name} ...'"
    assert command.epilog.startswith(f"Example: {name}")
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.opts} needs help"


@pytest.mark.parametrize("name", COMMANDS)
def test_example_names_only_options_that_are_there(name: str) -> None:
    command: Any = COMMANDS[name]
    known = {option for parameter in command.params for option in parameter.opts}
    used = {word for word in shlex.split(command.epilog) if word.startswith("--")}
    assert used <= known


@pytest.mark.parametrize("name", misread.__all__)
def test_public_name_is_documented(name: str) -> None:
    assert name in (DOCS / "api.md").read_text(encoding="utf-8")
