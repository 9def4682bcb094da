import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.cli.output.common import new_table, print_table
from misread.datasets import load

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def three(invoke: Invoke, source: Path) -> None:
    """Models that misread 3, 12 and 30 of 90 images, `good` the oldest."""
    labels = load(source).test.labels
    for model, wrong in (("good", 3), ("fair", 12), ("bad", 30)):
        read = np.where(np.arange(90) < wrong, (labels + 1) % 3, labels)
        np.save(f"{model}.npy", 0.85 * np.eye(3)[read] + 0.05)
        code, _, err = invoke(
            "import", "predictions", f"{model}.npy", "--dataset", source, "--model", model
        )
        assert code == 0, err


@pytest.mark.usefixtures("three")
def test_in_words(invoke: Invoke) -> None:
    code, out, err = invoke("compare", "--against", "good")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "test: 90 images, against good-imported-s0"
    assert "good-imported-s0 3 3.33% (1.14 to 9.35)" in lines
    assert "fair-imported-s0 +10.00 (5.35 to 17.92) 0.0039 0.0078 worse" in lines
    assert "bad-imported-s0 27 0 3 0.13 (0.02 to 0.27)" in lines
    assert any("corrected for these 3 comparisons (Holm)" in line for line in lines)
    assert any(line.startswith("Taking the best model of this table is a choice") for line in lines)
    assert "quoted" not in out
    pictures = [Path(line) for line in lines if line.endswith(".png")]
    assert len(pictures) == 4
    assert all(path.exists() for path in pictures)


@pytest.mark.usefixtures("three")
def test_as_json(invoke: Invoke) -> None:
    code, out, err = invoke("compare", "--against", "good", "--json", "--save", "a.png")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["split"], found["images"], found["chosen"]) == ("test", 90, True)
    assert found["reference"] == "good-imported-s0"
    rows = {row["run"]: row for row in found["models"]}
    assert rows["bad-imported-s0"]["error"]["count"] == 30
    pairs = {pair["run"]: pair for pair in found["pairs"]}
    bad = pairs["bad-imported-s0"]
    assert [one["picture"]["index"] for one in bad["only"]["shown"]] == list(range(3, 30))
    assert (bad["only_reference"]["images"], bad["both"]) == (0, 3)
    assert found["pictures"]["picture"] == "a.png"
    assert Path("a/bad-imported-s0-against-good-imported-s0.png").exists()
    assert found["people"] is None and found["quoted"] == []


@pytest.mark.usefixtures("three")
def test_chosen_models(invoke: Invoke) -> None:
    code, out, _ = invoke("compare", "--model", "bad", "--model", "fair", "--against", "bad")
    assert code == 0
    assert "good" not in out
    assert "2 are held against bad-imported-s0" in out
    code, out, _ = invoke("compare", "--model", "bad")
    assert code == 0
    assert out.startswith("test: 90 images\n")
    assert "held against" not in out and "Taking the best" not in out
    assert "nothing to hold it against: name two models" in out
    code, out, _ = invoke("compare", "--model", "bad", "--against", "good")
    assert code == 0
    assert "mean of these 2 models" in out and "mean of all" not in out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("columns", "width"), [(200, 200), (80, 80), (64, 64), (40, 58)])
def test_names_stay_whole_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    table = new_table("misread by", "only it", "only the other", "both", "error consistency")
    table.add_row("efficient-capsnet-short-e12-s0", "13", "25", "25", "0.57 (0.44 to 0.68)")
    table.add_row("mean of all models", "5", "21", "29", "0.69 (0.56 to 0.79)")
    monkeypatch.setattr(sys, "stdout", shown := Terminal())
    print_table(table, whole=True)
    told = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())
    lines = told.splitlines()
    assert max(len(line) for line in lines) <= width
    for name in ("efficient-capsnet-short-e12-s0", "mean of all models"):
        assert sum(name in line for line in lines) == 1
    words = told.split()
    assert {"13", "0.57", "0.68)", "consistency"} <= set(words)


def test_nothing_is_folded_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = new_table("run", "said")
    table.add_row("efficient-capsnet-short-e12-s0", "a long sentence " * 8)
    print_table(table, whole=True)
    assert "efficient-capsnet-short-e12-s0   " + "a long sentence " * 8 in capsys.readouterr().out


@pytest.mark.usefixtures("three")
def test_readers_stand_beside_the_models_and_are_marked(invoke: Invoke) -> None:
    invoke("plan", "--answers", "60")
    code, _, err = invoke(
        "simulate-readers", "--readers", "2", "--error-easy", "0.01", "--error-hard", "0.3",
        "--name", "programs",
    )  # fmt: skip
    assert code == 0, err
    code, out, err = invoke("compare")
    assert (code, err) == (0, "")
    assert "SIMULATED READERS: nothing here is about people." in out
    assert re.search(r"2 readers: .*, after 120 answers in all; reading stopped as planned\n", out)
    assert out.count("bad-imported-s0") >= 3


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--split", "nope"], "split: expected one of"),
        (["--model", "nope"], "expected predictions of test by 'nope'"),
        (["--against", "nope"], "--against expected one of"),
        (["--split", "train"], "`misread crossfit` makes them"),
        (["--save", "a.jpg"], "save: expected a .png file"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    invoke: Invoke, arguments: list[str], says: str
) -> None:
    code, out, err = invoke("compare", *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
