import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from misread.analysis.ranking import SCORES
from misread.datasets import Dataset, load
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions

Invoke = Callable[..., tuple[int, str, str]]

CAUTION = "Suggestions, not truth: the suspicion is calibrated on planted label flips only."
WRONG = 4


@pytest.fixture
def study(
    invoke: Invoke,  # runs in the folder
    source: Path,
    make_predictions: Callable[..., Predictions],
    make_neighbours: Callable[..., Neighbours],
    make_dynamics: Callable[..., Dynamics],
) -> Study:
    """Three cross-fits of train in which one label is contradicted, and test without any.

    The third network knows no neighbours, and one that was trained on the images lies beside them.
    """
    dataset = load(source)
    made = Study.create(Path.cwd() / "bars-study", dataset)
    labels = dataset.train.labels
    read = np.where(np.arange(len(labels)) == WRONG, (labels + 1) % 3, labels)
    of = [np.flatnonzero(labels == label)[:5] for label in range(3)]
    for seed in range(3):
        rows = np.full((len(labels), 3), 0.01)
        rows[np.arange(len(labels)), read] = 0.98
        table = make_predictions(
            dataset.train, rows, seed=seed, model="quick", recipe="short",
            origin=Origin.CROSS_FITTED,
        )  # fmt: skip
        made.save_predictions(table)
        if seed < 2:
            made.save_neighbours(make_neighbours(table, [of[label] for label in read]))
            margin = np.where(np.arange(len(labels)) == WRONG, -20, np.linspace(2, 4, len(labels)))
            first = np.where(np.arange(len(labels)) == WRONG, 11, 1.0)
            first[0] = 10.75
            made.save_dynamics(make_dynamics(table, margin, first, networks=4))
    made.save_predictions(
        make_predictions(dataset.train, rows, model="convnet", origin=Origin.IN_SAMPLE)
    )
    made.save_predictions(make_predictions(dataset.test, model="guess"))
    return made


def test_audit_in_words(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("audit", "--split", "train", "--top", "3")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == (
        "train split, panel of 3 models: quick-short-s0, quick-short-s1, quick-short-s2"
    )
    assert lines[1] == (
        "left out, as these models were trained on the labels they repeat: "
        "convnet-imported-s0.train.in-sample"
    )
    assert lines[2] == (
        "1 of 240 images misread by a model of the panel or suspicious; suggested: wrong label 1, "
        "wrong model 0, ambiguous 0"
    )
    names = load(study.source).classes
    label = int(load(study.source).train.labels[WRONG])
    given, read = names[label], names[(label + 1) % 3]
    assert lines[4].startswith(
        f"  1. #{WRONG}  given {given}, read as {read}  [label: {read}]  suspicion "
    )
    told = " ".join(line.strip() for line in lines[5:9])
    assert told.startswith(
        f"3 of 3 models that never saw it read {read}, the least sure at 0.98; 10 of its 10 "
        f"nearest training images, found by 2 networks, are labelled {read}, none {given}; "
    )
    assert re.search(r"^  2\. #\d+  .*  \[fine\]  suspicion 0\.0\d$", out, re.M)
    assert "Not flagged: every model of the panel reads it as given" in " ".join(out.split())
    assert re.search(r"^  3\. #", out, re.M)
    assert not re.search(r"^  4\. #", out, re.M)
    assert lines[-2].startswith(CAUTION)
    assert Path(lines[-1]) == study.figures / "audit.train.suspicion.png"
    with Image.open(lines[-1]) as picture:
        assert picture.width > 400


def test_audit_as_json(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke(
        "audit", "--split", "train", "--top", "2", "--json", "--output", "a.csv", "--by", "margin"
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {
        "split", "panel", "left_out", "partial", "images_audited", "listed", "suggested",
        "readers_contradict", "by", "images", "written",
    }  # fmt: skip
    assert found["panel"] == [f"quick-short-s{seed}.train.cross-fitted" for seed in range(3)]
    assert found["left_out"] == ["convnet-imported-s0.train.in-sample"]
    assert (found["images_audited"], found["listed"], found["by"]) == (240, 1, "margin")
    assert found["suggested"] == {"model": 0, "label": 1, "ambiguous": 0}
    assert [Path(path).name for path in found["written"]] == ["audit.train.margin.png", "a.csv"]
    assert len(found["images"]) == 2
    row = found["images"][0]
    assert set(row) == {
        "index", "given", "read_as", "verdict", "suggested_label", "readers", "readers_given",
        "scores", "evidence", "reason_not_flagged",
    }  # fmt: skip
    assert (row["index"], row["verdict"], row["reason_not_flagged"]) == (WRONG, "label", "")
    assert row["suggested_label"] == row["read_as"] != row["given"]
    assert set(row["scores"]) == set(SCORES)
    assert found["images"][1]["suggested_label"] is None


def test_one_image_in_words_and_as_json(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("audit", "--split", "train", "--index", WRONG)
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if not line.startswith(("train split", "left out"))]
    assert lines[0].startswith(f"#{WRONG}: given ")
    assert lines[1].startswith("suggested verdict: label, suggested label ")
    assert lines[2].startswith("evidence: 3 of 3 models that never saw it read ")
    assert all(f"{name} " in lines[3] for name in SCORES)
    assert ", first_learned never, " in lines[3]
    assert lines[4].startswith(CAUTION)
    assert len(lines) == 5
    assert not study.figures.exists()
    code, out, err = invoke("audit", "--split", "train", "--index", "0", "--save", "one.png")
    assert "suggested verdict: fine\n" in out
    assert ", first_learned 10.8 (never counts as the epoch after the last), " in out
    assert "in training 2 of 8 networks read it as given, first in epoch 10 on average" in out
    assert "not flagged as a wrong label: every model of the panel reads it as given" in out
    assert Path("one.png").exists()
    code, out, err = invoke("audit", "--split", "train", "--index", WRONG, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [row["index"] for row in found["images"]] == [WRONG]
    assert found["written"] == []


def test_the_table_is_readable_and_complete_in_each_kind(invoke: Invoke, study: Study) -> None:
    columns: list[list[str]] = []
    for kind in ("csv", "parquet", "json"):
        code, _, err = invoke("audit", "--split", "train", "--output", f"out/a.{kind}")
        assert (code, err) == (0, "")
        rows: list[dict[str, Any]]
        if kind == "csv":
            with Path("out/a.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        elif kind == "parquet":
            rows = pq.read_table("out/a.parquet").to_pylist()
        else:
            rows = json.loads(Path("out/a.json").read_text(encoding="utf-8"))
        assert sorted(int(row["index"]) for row in rows) == list(range(240))
        assert (int(rows[0]["index"]), rows[0]["verdict"]) == (WRONG, "label")
        assert rows[0]["suggested_label"] == rows[0]["read_as"]
        columns.append(list(rows[0]))
    assert columns[0] == columns[1] == columns[2]


@pytest.mark.parametrize("by", SCORES)
def test_every_score_ranks(invoke: Invoke, study: Study, by: str) -> None:
    spelled = by.replace("_", "-")
    code, out, err = invoke(
        "audit", "--split", "train", "--by", spelled, "--top", "1", "--save", "a.png", "--json"
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["by"] == by
    if by not in ("mutual_information", "first_learned", "forgotten"):  # where all are alike
        # Every network is as sure of every image.
        assert found["images"][0]["index"] == WRONG or by in ("entropy", "expected_entropy")
    _, out, _ = invoke(
        "audit", "--split", "train", "--by", spelled, "--top", "1", "--save", "a.png"
    )
    value = found["images"][0]["scores"][by]
    assert by == "suspicion" or f"  {by} {value:.3g}\n" in out


def test_a_test_split_without_neighbours(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("audit", "--top", "1")
    assert (code, err) == (0, "")
    assert out.startswith("test split, panel of 1 model: guess-imported-s0\n")
    assert "the model, which never saw it, reads " in out
    assert "No nearest training images are known of these models: `misread crossfit`" in out
    assert "left out" not in out


BAD: list[tuple[list[str], str]] = [
    (["--split", "val"], "split: expected one of train, test. Got 'val'"),
    (["--model", "vgg"], "expected predictions of test by 'vgg', found "),
    (["--by", "size"], "by: expected one of suspicion, self_confidence,"),
    (["--by", "forgotten"], "by: forgotten needs training dynamics"),
    (["--by", "neighbours"], "by: neighbours needs nearest training images"),
    (["--top", "0"], "top must be 1 or more. Got 0"),
    (["--index", "90"], "index: expected an image of the test split"),
    (["--save", "a.jpg"], "save: expected a .png file. Got 'a.jpg'"),
    (["--output", "a.xlsx"], "output: expected .csv, .parquet, .json. Got 'a.xlsx'"),
    (["--output", "file/a.csv"], "output: can't write file/a.csv: "),
    (["--save", "file/a.png"], "save: can't write file/a.png: "),
    (["--study", "absent"], "found no study.toml"),
    (["--split", "train", "--model", "convnet"], "`misread crossfit` predicts each training image"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "says"), BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    invoke: Invoke, study: Study, arguments: list[str], says: str
) -> None:
    Path("file").touch()
    for more in ([], ["--json"]):
        code, out, err = invoke("audit", *arguments, *more)
        assert (code, out) == (2, "")
        assert says in err
        assert err.startswith("misread: ")
        assert err.count("\n") == 1


def test_a_study_without_predictions(invoke: Invoke, source: Path) -> None:
    Study.create(Path("bars-study"), load(source))
    for split, way in (("test", "found none at all\n"), ("train", "`misread crossfit` makes them")):
        code, out, err = invoke("audit", "--split", split)
        assert (code, out) == (2, "")
        assert f"expected predictions of {split}" in err
        assert way in err


def test_odd_class_names_are_told_as_they_are(
    invoke: Invoke, tmp_path: Path, make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path], probabilities: Path,
) -> None:  # fmt: skip
    odd = write_npz(
        tmp_path / "odd.npz", make_dataset(classes=("[red]x[/red]", ":smile:", "$a$ é"))
    )
    invoke("import", "predictions", probabilities, "--dataset", odd)
    code, out, err = invoke("audit", "--top", "30", "--output", "a.csv")
    assert (code, err) == (0, "")
    assert all(f"given {name}" in out for name in ("[red]x[/red]", ":smile:", "$a$ é"))
