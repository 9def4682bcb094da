import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import typer

from misread.cli.app import app
from misread.datasets import Dataset
from misread.errors import MisreadError
from misread.models import MODELS

Invoke = Callable[..., tuple[int, str, str]]


def misread(
    *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "misread", *map(str, arguments)],
        cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "bars.npz", make_dataset())


@pytest.fixture(scope="module")
def probabilities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("predictions") / "guess.npy"
    np.save(path, np.random.default_rng(0).dirichlet(np.ones(3), 90))
    return path


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
    report = Path(out.rstrip().splitlines()[-1].removeprefix("report: "))
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
    code, out, err = invoke("import", "predictions", probabilities, "--json")
    imported = json.loads(out)
    assert set(imported) == {
        "study", "predictions", "split", "origin", "loss", "accuracy", "error",
    }  # fmt: skip
    assert imported["error"]["total"] == 90

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
    (["demo", "--study", "study"], "name another folder"),
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
    tmp_path: Path, make_dataset: Callable[..., Dataset], probabilities: Path,
    write_npz: Callable[[Path, Dataset], Path],
) -> None:  # fmt: skip
    odd = write_npz(tmp_path / "odd.npz", make_dataset(classes=("é", "ü", "猫")))
    for arguments in (
        ("import", "predictions", probabilities, "--dataset", odd),
        ("mistakes", "--json"),
        ("mistakes",),
    ):
        done = misread(*arguments, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
        assert "Traceback" not in done.stderr
        assert done.returncode == 0


@pytest.fixture
def without_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which torch and safetensors can't be imported."""
    for name in ("torch", "safetensors"):
        package = tmp_path / "stub" / name
        package.mkdir(parents=True)
        message = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (package / "__init__.py").write_text(message, encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path / "stub")}


def test_a_base_install_does_everything_but_training(
    tmp_path: Path, source: Path, probabilities: Path, without_torch: dict[str, str]
) -> None:
    for arguments in (
        ("models",),
        ("datasets", "--json"),
        ("import", "predictions", probabilities, "--dataset", source),
        ("mistakes", "--save", "all.png"),
    ):
        done = misread(*arguments, cwd=tmp_path, env=without_torch)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "all.png").exists()
    done = misread("run", source, "--study", "new", cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'misread[torch]'" in done.stderr
    assert not (tmp_path / "new").exists()


def test_the_demo_works_without_torch(tmp_path: Path, without_torch: dict[str, str]) -> None:
    done = misread("demo", "--json", cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["note"]
    assert result["trained"] is False
    assert result["splits"]["test"]["error"]["total"] == 10_000
    assert (tmp_path / "mnist-demo-study" / "study.toml").exists()


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(
    tmp_path: Path, make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> None:  # fmt: skip
    source = write_npz(tmp_path / "bars.npz", make_dataset(train=1_024, shape=(24, 24)))
    command = ["run", str(source), "--model", "quick", "--epochs", "12", "--study", "study"]
    process = subprocess.Popen(
        [sys.executable, "-m", "misread", *command],
        cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"},
        # A shell's background jobs ignore SIGINT, and hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    checkpoint = tmp_path / "study" / "models" / "quick-short-e12-s0.checkpoint"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)  # into the next epoch, out of the writing of the checkpoint
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("misread: training of quick-short-e12-s0 stopped in epoch ")
    assert "the same command goes on after epoch" in last
    done = misread(*command, "--json", cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0
    assert json.loads(done.stdout)["trained"] is True
    assert "epoch 1/12" not in done.stderr
    assert "epoch 12/12" in done.stderr
    card = json.loads(checkpoint.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(card["threads"]) == 2
    assert not checkpoint.exists()


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


def test_metadata_and_slices(invoke: Invoke, source: Path, probabilities: Path) -> None:
    """A table comes in and errors are broken down by it, in words and as JSON."""
    invoke("import", "predictions", probabilities, "--dataset", source)
    rows = "".join(f"{i},w{i // 3},{'ab'[i % 2]}\n" for i in range(80))
    Path("a.csv").write_text("index,writer,camera\n" + rows, encoding="utf-8")
    command = ("import", "metadata", "a.csv", "--cluster", "writer")
    code, out, err = invoke(*command)
    assert (code, err) == (0, "")
    assert "rows for 80 of 90 images" in out
    assert "misread slices --by writer --split test" in out
    code, out, err = invoke(*command, "--json")
    assert (code, err) == (0, "")
    imported = json.loads(out)
    assert set(imported) == {"study", "columns", "by_position", "splits"}
    assert imported["splits"]["test"]["columns"]["camera"] == {
        "kind": "text", "values": 2, "missing": 10,
    }  # fmt: skip

    code, out, err = invoke("slices", "--by", "camera")
    assert (code, err) == (0, "")
    assert "(missing)" in out
    assert "images of a new writer" in out
    assert "10 images without a writer" in out
    code, out, err = invoke("slices", "--by", "camera", "--save", "a.png", "--json")
    assert (code, err) == (0, "")
    sliced = json.loads(out)
    assert set(sliced) == {
        "predictions", "split", "origin", "by", "binned", "cluster", "clusters",
        "images_without_cluster", "target", "level", "each_level", "error", "error_new_clusters",
        "slices", "picture",
    }  # fmt: skip
    assert set(sliced["error"]) == set(sliced["error_new_clusters"]) == RATE
    assert [part["error"]["total"] for part in sliced["slices"]].count(40) == 2
    rates = [part["error"]["rate"] for part in sliced["slices"]]
    assert rates == sorted(rates, reverse=True)
    assert Path("a.png").exists()
    code, out, err = invoke("slices", "--by", "writer")
    assert "the worst 20 of 28; --json lists all" in out
    assert "new images of the same writer" in out
    Path("b.csv").write_text("day\n" + "mon\n" * 90, encoding="utf-8")
    code, out, err = invoke("import", "metadata", "b.csv")
    assert "no column 'index' or 'file'" in out


def test_duplicates_of_a_dataset_and_of_a_study(invoke: Invoke, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    np.savez(
        tmp_path / "four.npz", x_train=images[[0, 1, 1]], y_train=[0, 1, 0],
        x_test=images[[1, 2]], y_test=[1, 0],
    )  # fmt: skip
    code, out, _ = invoke("duplicates", "four.npz", "--output", "pairs.csv")
    assert code == 0
    assert "four: 2 pairs in 1 groups, among 5 images" in out
    assert "conflict 1, leak 1" in out
    assert re.search(r"leak +identical +train #1 +1 +test #0 +1", out)
    assert (tmp_path / "pairs.csv").exists()
    np.save(tmp_path / "p.npy", np.full((2, 2), 0.5))
    invoke("import", "predictions", "p.npy", "--dataset", "four.npz")
    code, out, _ = invoke("duplicates", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["kinds"] == {"leak+conflict": 0, "conflict": 1, "leak": 1, "repeat": 0}
    assert found["groups"][0]["kind"] == "leak+conflict"
    assert len(found["groups"][0]["images"]) == 3
    assert Path(found["picture"]) == tmp_path / "four-study" / "figures" / "duplicates.png"
    assert Path(found["picture"]).exists()
    code, _, err = invoke("duplicates", "four.npz", "--distance", "7")
    assert code == 2
    assert err == "misread: distance must be in [0, 1), as 0.03. Got 7.0 instead.\n"


def test_calibration_of_the_demo(invoke: Invoke) -> None:
    assert invoke("demo", "--study", "digits")[0] == 0
    code, out, err = invoke("calibration", "--study", "digits")
    assert (code, err) == (0, "")
    assert "ECE" in out
    assert "no temperature: it is never fitted on the split that it is judged by" in out
    code, out, _ = invoke("calibration", "--study", "digits", "--json", "--save", "curve.png")
    found = json.loads(out)
    assert found["scaled"] is None
    assert found["calibration"]["ece"]["low"] < found["calibration"]["ece"]["value"]
    assert len(found["calibration"]["bins"]) == 15
    assert found["picture"] == "curve.png"
    code, _, err = invoke("calibration", "--study", "digits", "--split", "dev")
    assert code == 2
    assert "expected predictions of split 'dev'" in err


def test_calibration_with_a_temperature(invoke: Invoke, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = {"train": generator.integers(0, 2, 600), "test": generator.integers(0, 2, 300)}
    images = {
        name: generator.integers(0, 256, (len(given), 6, 6), dtype=np.uint8)
        for name, given in labels.items()
    }
    arrays: dict[str, Any] = {f"x_{name}": each for name, each in images.items()}
    arrays |= {f"y_{name}": each for name, each in labels.items()}
    np.savez(tmp_path / "coins.npz", **arrays)
    for name, given in labels.items():
        # Right three times of four, and 99% sure.
        read = np.where(generator.random(len(given)) < 0.75, given, 1 - given)
        np.save(tmp_path / f"{name}.npy", np.full((len(given), 2), 0.01) + 0.98 * np.eye(2)[read])
        origin = "cross-fitted" if name == "train" else "held-out"
        code, _, err = invoke(
            "import", "predictions", f"{name}.npy", "--dataset", "coins.npz", "--split", name,
            "--origin", origin, "--model", "mine",
        )  # fmt: skip
        assert code == 0, err
    code, out, _ = invoke("calibration")
    assert code == 0
    assert "fitted on mine-imported-s0.train.cross-fitted, 600 images" in out
    found = json.loads(invoke("calibration", "--json")[1])
    scaled = found["scaled"]
    # ln(99) / ln(3), where the fitted probability is 3/4.
    assert scaled["low"] < np.log(99) / np.log(3) < scaled["high"]
    assert scaled["gain"]["low"] > 0
    assert scaled["calibration"]["ece"]["value"] < 0.05 < found["calibration"]["ece"]["low"]
