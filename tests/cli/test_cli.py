import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from misread.cli.app import app
from misread.datasets import Dataset
from misread.errors import MisreadError
from misread.models import MODELS

Invoke = Callable[..., tuple[int, str, str]]
Shell = Callable[..., subprocess.CompletedProcess[str]]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups left out."""

    def below(name: str, command: Any) -> Iterator[tuple[str, click.Command]]:
        if hasattr(command, "commands"):
            for part, inner in command.commands.items():
                yield from below(f"{name} {part}", inner)
        else:
            yield name, command

    yield from below("misread", typer.main.get_command(app))


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example(name: str, invoke: Invoke) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.epilog is not None
    assert re.search(rf"Example: {name}\b", command.epilog)
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name} has no help"
    assert len([p for p in command.params if p.param_type_name == "option"]) <= 10
    code, out, err = invoke(*name.split()[1:], "--help")
    assert code == 0
    assert "Example: " in out
    assert err == ""


def test_every_command_can_print_json() -> None:
    for name, command in COMMANDS.items():
        assert any("--json" in p.opts for p in command.params), name


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys
from misread.cli import main
sys.argv = ["misread", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {"torch", "matplotlib", "pyarrow", "scipy", "numpy", "safetensors"} & set(sys.modules)
assert not heavy, heavy
"""
    for arguments in (["--help"], ["run", "--help"], ["--version"]):
        subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, check=True, capture_output=True
        )


def test_version(invoke: Invoke) -> None:
    from importlib.metadata import version

    assert invoke("--version") == (0, f"misread {version('misread')}\n", "")


def test_what_is_built_in_is_listed(invoke: Invoke) -> None:
    code, out, _ = invoke("datasets", "--json")
    assert code == 0
    (mnist,) = json.loads(out)["datasets"]
    assert set(mnist) == {"name", "summary", "sizes", "licence"}
    assert mnist["sizes"] == {"train": 60_000, "test": 10_000}
    code, out, _ = invoke("models", "--json")
    assert [model["name"] for model in json.loads(out)["models"]] == list(MODELS)
    assert json.loads(out)["models"][0]["recipes"][0]["name"] == "short"
    for listing, expected in (("datasets", ["mnist", "60,000", "CC BY-SA"]), ("models", MODELS)):
        code, out, err = invoke(listing)
        assert (code, err) == (0, "")
        assert all(text in out for text in expected)


RATE = {"count", "total", "rate", "low", "high"}


def test_run_mistakes_and_import(invoke: Invoke, source: Path, probabilities: Path) -> None:
    """The main commands in one study, first in words and then as JSON."""
    arguments = ("run", source, "--model", "quick", "--epochs", "1")
    code, out, err = invoke(*arguments)
    assert code == 0
    assert "bars-study" in out
    assert "77,907 parameters" in out
    assert "test split, held-out:" in out
    assert "epoch 1/1" in err
    *_, told, last = out.rstrip().splitlines()
    report = Path(told.removeprefix("report: "))
    assert last.startswith("look at it: misread open --study ")
    assert report.name == "index.html"
    assert "Misread test" in report.read_text(encoding="utf-8")

    code, out, err = invoke(*arguments, "--json")
    assert code == 0
    result = json.loads(out)
    assert set(result) == {
        "study", "note", "run", "trained", "seconds", "splits", "report", "report_note",
    }  # fmt: skip
    assert result["report"] == str(report)
    assert result["trained"] is False
    assert result["run"] == "quick-short-e1-s0"
    test = result["splits"]["test"]
    assert set(test) == {
        "predictions", "split", "origin", "loss", "accuracy", "error", "classes", "pictures",
    }  # fmt: skip
    assert set(test["error"]) == RATE
    assert test["error"]["total"] == 90
    assert test["origin"] == "held-out"
    assert test["accuracy"] == pytest.approx(1 - test["error"]["rate"])
    assert [set(row) for row in test["classes"]] == [{"given", "error", "read_as"}] * 3
    for row in test["classes"]:
        assert sum(row["read_as"].values()) == row["error"]["count"]
    assert all(Path(picture).exists() for picture in test["pictures"])

    code, out, err = invoke("import", "predictions", probabilities)
    assert (code, err) == (0, "")
    assert "guess-imported-s0.test.held-out: " in out
    # Made at random: `probabilities`.
    assert "no better than guessing, within its interval: are rows and columns in the" in out
    assert out.splitlines()[-1].startswith("look at them: misread mistakes --study ")
    code, out, err = invoke("import", "predictions", probabilities, "--json")
    imported = json.loads(out)
    assert set(imported) == {
        "study", "predictions", "split", "origin", "loss", "accuracy", "error",
    }  # fmt: skip
    assert imported["error"]["total"] == 90

    code, out, err = invoke("mistakes")
    assert out.splitlines()[1] == "the newest of 2 models; --model names another"
    code, out, err = invoke("mistakes", "--model", "guess")
    assert "--model names another" not in out
    code, out, err = invoke("mistakes", "--model", "guess", "--json")
    assert (code, err) == (0, "")
    drawn = json.loads(out)
    assert set(drawn) == {"predictions", "split", "origin", "mistakes", "pictures"}
    assert len(drawn["mistakes"]) == imported["error"]["count"]
    assert set(drawn["mistakes"][0]) == {"index", "given", "predicted", "p_predicted", "p_given"}
    confidence = [row["p_predicted"] for row in drawn["mistakes"]]
    assert confidence == sorted(confidence, reverse=True)
    code, out, err = invoke("mistakes", "--model", "guess", "--save", "all.png", "--rows", "2")
    assert (code, err) == (0, "")
    assert "of 90 misread" in out
    assert "all.png" in out
    assert Path("all.png").exists()


BAD: list[tuple[list[str], str]] = [
    (["run", "imagenet"], "unknown dataset"),
    (["run", "absent.npz"], "no such file"),
    (["run", "DATA", "--model", "vgg"], "expected one of convnet, quick"),
    (["run", "DATA", "--recipe", "long"], "one of short, post"),
    (["run", "DATA", "--epochs", "0"], "epochs must be 1 or more"),
    (["run", "DATA", "--seed", "-1"], "seed must be 0 or more"),
    (["run", "DATA", "--device", "quantum"], "device: expected auto"),
    (["run", "DATA"], "at least 16 x 16"),
    (["run", "DATA", "--study", "file"], "can't write a study here"),
    (["mistakes"], "expected a study in this folder"),
    (["mistakes", "--study", "absent"], "found no study.toml"),
    (["mistakes", "--study", "study"], "found none at all"),
    (["import", "predictions", "absent.npy"], "expected a study"),
    (["import", "predictions", "absent.npy", "--study", "study"], "found none"),
    (["import", "predictions", "absent.npy", "--dataset", "nothing"], "unknown dataset"),
    (["import", "predictions", "PREDICTIONS", "--study", "study", "--model", "a/b"], "a name"),
    (["import", "predictions", "PREDICTIONS", "--study", "study", "--model", "x" * 300], "name"),
    (["import", "predictions", "PREDICTIONS", "--study", "study", "--split", "val"], "split:"),
    (["import", "predictions", "PREDICTIONS", "--study", "study", "--split", "train"], "90"),
    (["import", "predictions", "empty.csv", "--study", "study"], "empty.csv"),
    (["import", "metadata", "absent.csv", "--study", "study"], "found none"),
    (["import", "metadata", "empty.csv", "--study", "study"], "empty.csv"),
    (["import", "metadata", "qmnist", "--study", "study", "--from", "absent"], "qmnist"),
    (["slices", "--by", "writer", "--study", "study"], "found none at all"),
    (["demo", "--no-open", "--study", "study"], "name another folder"),
]


@pytest.mark.parametrize(
    ("arguments", "says"),
    BAD,
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(
    invoke: Invoke, source: Path, probabilities: Path, arguments: list[str], says: str
) -> None:
    from misread.datasets import load
    from misread.store import Study

    Study.create(Path.cwd() / "study", load(source))
    if arguments == ["mistakes"] or arguments[-1] == "absent.npy":
        (Path.cwd() / "study").rename(Path.cwd() / "other")
    Path("file").touch()
    Path("empty.csv").touch()
    places = {"DATA": str(source), "PREDICTIONS": str(probabilities)}
    code, out, err = invoke(*(places.get(text, text) for text in arguments))
    assert code == 2
    assert out == ""
    assert err.startswith("misread: ")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["run"], ["nonsense"], ["run", "mnist", "--epochs", "x"], ["models", "--colour"]]
)
def test_wrong_usage_is_exit_code_2(invoke: Invoke, arguments: list[str]) -> None:
    code, out, err = invoke(*arguments)
    assert (code, out) == (2, "")
    assert "Error: " in err
    assert "Traceback" not in err


def test_a_failure_is_exit_code_1(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(as_json: bool) -> None:
        raise MisreadError("it failed")

    monkeypatch.setattr("misread.cli.output.listings.show_models", fail)
    assert invoke("models") == (1, "", "misread: it failed\n")


def test_odd_class_names_are_printed_as_they_are(
    invoke: Invoke, tmp_path: Path, make_dataset: Callable[..., Dataset], probabilities: Path,
    write_npz: Callable[[Path, Dataset], Path],
) -> None:  # fmt: skip
    odd = write_npz(
        tmp_path / "odd.npz", make_dataset(classes=("[red]x[/red]", ":smile:", "$a$ é"))
    )
    code, out, err = invoke("import", "predictions", probabilities, "--dataset", odd, "--json")
    assert (code, err) == (0, "")
    code, out, err = invoke("mistakes")
    assert (code, err) == (0, "")
    assert all(name in out for name in ("[red]x[/red]", ":smile:", "$a$ é"))
    code, out, err = invoke("mistakes", "--json")
    assert {row["given"] for row in json.loads(out)["mistakes"]} == {
        "[red]x[/red]", ":smile:", "$a$ é",
    }  # fmt: skip


def test_a_terminal_without_unicode_gets_no_traceback(
    shell: Shell, tmp_path: Path, make_dataset: Callable[..., Dataset], probabilities: Path,
    write_npz: Callable[[Path, Dataset], Path],
) -> None:  # fmt: skip
    odd = write_npz(tmp_path / "odd.npz", make_dataset(classes=("é", "ü", "猫")))
    for arguments in (
        ("import", "predictions", probabilities, "--dataset", odd),
        ("mistakes", "--json"),
        ("mistakes",),
    ):
        done = shell(*arguments, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
        assert "Traceback" not in done.stderr
        assert done.returncode == 0


def test_a_base_install_does_everything_but_training(
    shell: Shell, tmp_path: Path, source: Path, probabilities: Path, without_torch: dict[str, str]
) -> None:
    for arguments in (
        ("models",),
        ("datasets", "--json"),
        ("import", "predictions", probabilities, "--dataset", source),
        ("mistakes", "--save", "all.png"),
        ("audit", "--output", "suspects.parquet"),
    ):
        done = shell(*arguments, cwd=tmp_path, env=without_torch)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "all.png").exists()
    for command in ("run", "crossfit"):
        done = shell(command, source, "--study", "new", cwd=tmp_path, env=without_torch)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "pip install 'misread[torch]'" in done.stderr
        assert not (tmp_path / "new").exists()


def test_the_demo_works_without_torch(
    shell: Shell, tmp_path: Path, without_torch: dict[str, str]
) -> None:
    done = shell("demo", "--no-open", "--json", cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["note"]
    assert result["url"] is None
    assert (tmp_path / "mnist-demo-study" / "study.toml").exists()
    for run in result["runs"]:
        assert run["error"]["total"] == {"test": 10_000, "train": 60_000}[run["split"]]
        assert run["error"]["low"] < run["error"]["rate"] < run["error"]["high"]
        assert run["command"].startswith(("misread run mnist --model", "misread crossfit mnist"))
        assert run["versions"]["torch"]
    done = shell("demo", "--no-open", cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    for run in result["runs"]:
        assert f"{100 * run['error']['rate']:.2f}%" in done.stdout
    assert "misread open --study mnist-demo-study" in done.stdout
    assert "misread read --study mnist-demo-study" in done.stdout


def test_the_demo_opens_its_gallery(tmp_path: Path, without_torch: dict[str, str]) -> None:
    command = ["demo", "--study", "digits", "--no-browser", "--port", "0", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "misread", *command],
        cwd=tmp_path, env=without_torch, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, text
            text += line
        said = json.loads(text)
        with urllib.request.urlopen(f"{said['url']}api/boot", timeout=60) as answer:
            boot = json.loads(answer.read())
        models = {run["run"] for run in said["runs"] if run["split"] == "test"}
        assert models <= set(re.findall(r"[\w.-]+", json.dumps(boot)))
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        assert process.wait(60) == 0


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "misread", "models", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
