import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.store import Study

Invoke = Callable[..., tuple[int, str, str]]
Shell = Callable[..., subprocess.CompletedProcess[str]]

RATE = {"count", "total", "rate", "low", "high"}


def test_crossfit_in_words_and_as_json(invoke: Invoke, source: Path) -> None:
    command = ("crossfit", source, "--epochs", "1", "--folds", "2", "--repeats", "2")
    code, out, err = invoke(*command)
    assert code == 0
    assert "quick-short-e1-s0-r1" in out
    assert "quick-short-e1-s0-r2" in out
    assert "each read by a network that never saw it" in out
    assert "bars-study" in out
    assert out.splitlines()[-1] == "next: misread audit --split train"
    lines = [line.split("  ")[0] for line in err.splitlines()]
    assert lines == [f"repeat {repeat}/2 fold {fold}/2" for repeat in (1, 2) for fold in (1, 2)]

    # The dataset is that of the only study here.
    code, out, err = invoke("crossfit", "--epochs", "1", "--folds", "2", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {"study", "repeats"}
    (repeat,) = found["repeats"]
    assert set(repeat) == {"run", "trained", "seconds", "predictions", "loss", "error"}
    assert repeat["run"] == "quick-short-e1-s0-r1"
    assert repeat["trained"] is False
    assert repeat["predictions"] == [
        "quick-short-e1-s0-r1.train.cross-fitted", "quick-short-e1-s0-r1.test.held-out",
    ]  # fmt: skip
    assert set(repeat["error"]) == RATE
    assert repeat["error"]["total"] == 240
    code, out, err = invoke("crossfit", "--epochs", "1", "--folds", "2")
    assert ", before" in out


BAD: list[tuple[list[str], str]] = [
    ([], "expected a study in this folder, found none"),
    (["absent.npz"], "no such file"),
    (["DATA", "--folds", "1"], "folds must be 2 or more"),
    (["DATA", "--folds", "241"], "at most one per training image (240). Got 241"),
    (["DATA", "--repeats", "0"], "repeats must be 1 or more"),
    (["DATA", "--epochs", "0"], "epochs must be 1 or more"),
    (["DATA", "--model", "vgg"], "expected one of convnet, quick"),
    (["DATA", "--recipe", "long"], "one of short, post"),
    (["DATA", "--seed", "-1"], "seed must be 0 or more"),
    (["DATA", "--device", "quantum"], "device: expected auto"),
    (["DATA", "--study", "file"], "can't write a study here"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD)
def test_a_crossfit_that_cannot_be_is_refused_in_one_line(
    invoke: Invoke, source: Path, arguments: list[str], says: str
) -> None:
    Path("file").touch()
    code, out, err = invoke("crossfit", *(source if text == "DATA" else text for text in arguments))
    assert (code, out) == (2, "")
    assert says in err
    assert err.startswith("misread: ")
    assert err.count("\n") == 1
    assert [path.name for path in Path.cwd().iterdir()] == ["file"]


def begin(command: Sequence[str], folder: Path, until: Path) -> "subprocess.Popen[str]":
    """Start the command line, and wait until a file is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "misread", *command],
        cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"},
        # A shell's background jobs ignore SIGINT, and hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not until.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)  # into the next epoch, out of the writing of the checkpoint
    return process


@pytest.fixture
def larger(
    tmp_path: Path, make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Path:  # fmt: skip
    """Enough work that a process can be ended in the middle of it."""
    return write_npz(tmp_path / "bars.npz", make_dataset(train=1_024, shape=(24, 24)))


@pytest.mark.slow
def test_ctrl_c_ends_a_run_cleanly_and_the_same_command_goes_on(
    shell: Shell, tmp_path: Path, larger: Path
) -> None:
    command = ["run", str(larger), "--model", "quick", "--epochs", "12", "--study", "study"]
    checkpoint = tmp_path / "study" / "models" / "quick-short-e12-s0.checkpoint"
    process = begin(command, tmp_path, checkpoint)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("misread: training of quick-short-e12-s0 stopped in epoch ")
    assert "the same command goes on after epoch" in last
    done = shell(*command, "--json", cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0
    assert json.loads(done.stdout)["trained"] is True
    assert "epoch 1/12" not in done.stderr
    assert "epoch 12/12" in done.stderr
    card = json.loads(checkpoint.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(card["threads"]) == 2
    assert not checkpoint.exists()


def crossfitted(study: Path) -> list[bytes]:
    place = Study.open(study)
    found = [place.load_predictions(p) for p in place.list_predictions()]
    assert len(found) == 2
    return sorted(table.probabilities.tobytes() for table in found)


@pytest.mark.slow
def test_an_ended_crossfit_goes_on_to_the_same_bits(
    shell: Shell, tmp_path: Path, larger: Path
) -> None:
    """By Ctrl-C in the first fold, by kill -9 in the second."""
    command = ["crossfit", str(larger), "--folds", "2", "--epochs", "8", "--study"]
    folds = tmp_path / "study" / "models" / "quick-short-e8-s0-r1.folds"
    process = begin([*command, "study"], tmp_path, folds / "fold-1.checkpoint")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert err.splitlines()[-1] == (
        "misread: quick-short-e8-s0-r1 stopped in fold 1 of 2; the same command goes on"
    )
    assert (folds / "fold-1.checkpoint").exists()

    process = begin([*command, "study"], tmp_path, folds / "fold-2.checkpoint")
    process.kill()
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    before = (folds / "fold-1.safetensors").read_bytes()
    assert before
    assert not list((tmp_path / "study").glob("predictions/*"))

    done = shell(*command, "study", "--json", cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0
    assert "fold 1/2" not in done.stderr
    assert "fold 2/2" in done.stderr
    assert json.loads(done.stdout)["repeats"][0]["trained"] is True
    assert not folds.exists()
    record = json.loads(folds.with_suffix(".json").read_text(encoding="utf-8"))
    assert [len(card["threads"]) for card in record["networks"]] == [2, 2]

    whole = shell(*command, "whole", cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert whole.returncode == 0
    assert crossfitted(tmp_path / "study") == crossfitted(tmp_path / "whole")
    assert np.isfinite(record["networks"][0]["log"][-1]["loss"])
