import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from misread.cli import main
from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Predictions
from misread.tables.verdicts import Verdict

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def invoke(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Invoke:
    """The command line in this process and in a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["misread", *map(str, arguments)])
        capfdbinary.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        out, err = capfdbinary.readouterr()
        return int(cast(int, code or 0)), out.decode(), err.decode()

    return call


@pytest.fixture
def study(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
    make_predictions: Callable[..., Predictions],
) -> Study:
    from misread.datasets import load

    source = write_npz(tmp_path / "bars.npz", make_dataset(train=9, test=12))
    dataset = load(str(source))
    made = Study.create(tmp_path / "bars-study", dataset)
    made.save_predictions(make_predictions(dataset.test))
    label = int(dataset.test.labels[2])
    made.verdicts.decide(
        "test", [2], Verdict.LABEL, (label + 1) % 3, event="a", tab="t", given=[label]
    )
    made.verdicts.close()
    return made


def test_labels_go_into_the_study_with_what_to_know_of_them(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("export", "labels")
    assert (code, err) == (0, "")
    assert "All 12 images of the split are in this table" in out
    assert "reviewing only mistakes can only lower its error" in out
    assert "error as labelled" in out
    assert "error after verdicts" in out
    file = study.path / "exports" / "labels.test.csv"
    assert out.splitlines()[-2:] == [str(file), f"{file}.about.txt"]
    with file.open(encoding="utf-8", newline="") as opened:
        assert len(list(csv.DictReader(opened))) == 12


def test_json_is_one_object(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("export", "labels", "--format", "parquet", "--json")
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert (said["what"], said["rows"], said["split"]) == ("labels", 12, "test")
    assert said["errors"][0]["as_labelled"]["total"] == 12
    assert said["written"] == [str(study.path / "exports" / "labels.test.parquet")]
    assert Path(said["written"][0]).exists()


def test_stdout_has_the_table_only(invoke: Invoke, study: Study) -> None:
    code, out, err = invoke("export", "labels", "--output", "-")
    assert code == 0
    assert len(list(csv.DictReader(io.StringIO(out)))) == 12
    assert "reviewing only mistakes can only lower its error" in err
    assert not (study.path / "exports").exists()
    code, out, err = invoke("export", "labels", "--output", "-", "--json")
    assert (code, out) == (2, "")
    assert "both write to stdout" in err


@pytest.mark.parametrize("what", ["verdicts", "predictions", "mistakes"])
def test_the_other_tables(what: str, invoke: Invoke, study: Study, tmp_path: Path) -> None:
    code, out, _ = invoke("export", what, "--output", "table.json")
    assert code == 0
    assert out.startswith(f"{what} of the test split: ")
    assert json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["rows"]


def test_verdicts_go_from_one_study_to_another(
    invoke: Invoke, study: Study, tmp_path: Path
) -> None:
    invoke("export", "verdicts", "--output", "ana.csv")
    Study.create(tmp_path / "other", study.load_dataset())
    code, out, err = invoke("import", "labels", "ana.csv", "--study", "other", "--person", "Ana")
    assert (code, err) == (0, "")
    assert out == "verdicts in the file: 1 of test\nrecorded 1; 0 stood here already\n"
    code, out, _ = invoke("import", "labels", "ana.csv", "--study", "other", "--json")
    said = json.loads(out)
    assert (code, said["added"], said["same"], said["kept"]) == (0, 0, 1, 0)
    assert Study.open(tmp_path / "other").verdicts.state("test").person.tolist() == ["Ana"]
    invoke("import", "labels", "ana.csv", "--study", study.path)
    study.verdicts.decide("test", [2], Verdict.FINE, event="b", tab="t")
    code, out, _ = invoke("import", "labels", "ana.csv", "--study", study.path)
    assert "1 were left out: another verdict stands here" in out
    study.verdicts.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", "nothing"], "what must be one of verdicts, labels, predictions, mistakes"),
        (["export", "labels", "--split", "dev"], "split must be one of train, test"),
        (["export", "labels", "--format", "xlsx"], "format must be one of csv, parquet, json"),
        (["export", "labels", "--output", "a.xlsx"], "output: expected .csv, .parquet, .json"),
        (["export", "mistakes", "--model", "x"], "expected predictions of split 'test' by model"),
        (["import", "labels", "nowhere.csv"], "expected a file of labels or verdicts, found none"),
    ],
)
def test_what_does_not_fit_is_one_line(
    arguments: list[str], says: str, invoke: Invoke, study: Study
) -> None:
    code, out, err = invoke(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
