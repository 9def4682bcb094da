import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import misread
from misread.datasets import Dataset
from misread.errors import ParameterError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.views.pages import to_json
from misread.workflows.report import make_pages, write_report
from misread.workflows.run import RunResult, with_report

MakeStudy = Callable[..., Study]
Make = Callable[..., Predictions]


@pytest.fixture
def study(
    tmp_path: Path, make_dataset: Callable[..., Dataset], write_npz: Callable[..., Path],
    make_study: MakeStudy, make_predictions: Make,
) -> Study:  # fmt: skip
    dataset = misread.load(write_npz(tmp_path / "bars.npz", make_dataset()))
    return make_study(
        tmp_path / "study",
        dataset,
        make_predictions(dataset.test, model="one"),
        make_predictions(dataset.test, model="two", seed=1),
        make_predictions(dataset.train, model="one", origin=Origin.IN_SAMPLE),
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_lies_in_the_study(study: Study) -> None:
    written = write_report(study)
    assert written.path == study.path / "report" / "index.html"
    there = files_of(study.path / "report")
    assert written.files == len(there)
    assert written.size == sum(map(len, there.values()))
    assert {
        "index.html", "methods.html", "audit-test.html", "mistakes-test-held-out.html",
        "mistakes-train-in-sample.html", "manifest.json",
    } <= there.keys()  # fmt: skip
    assert json.loads(there["manifest.json"])["files"] == sorted(there)


def test_a_second_report_replaces_the_first_and_is_the_same(study: Study) -> None:
    write_report(study)
    before = files_of(study.path / "report")
    assert write_report(study).path.exists()
    assert files_of(study.path / "report") == before
    only = write_report(study, model="two")
    after = files_of(study.path / "report")
    assert "mistakes-train-in-sample.html" not in after
    assert only.files == len(after)
    left_over = [path.name for path in study.path.iterdir() if ".tmp" in path.name]
    assert left_over == []


def test_a_single_file(study: Study, tmp_path: Path) -> None:
    assert write_report(study, single_file=True).path == study.path / "report.html"
    written = write_report(study, tmp_path / "deep" / "down.html", single_file=True)
    assert written.files == 1
    assert written.path.stat().st_size == written.size
    assert write_report(study, tmp_path / "deep" / "down.html", single_file=True).path.exists()


def test_the_panel_is_of_out_of_sample_predictions_only(study: Study) -> None:
    pages = make_pages(study)
    assert [page.split for page in pages.audits] == ["test"]
    assert set(pages.audits[0].panel) == {"one-imported-s0", "two-imported-s1"}
    assert make_pages(study, "two").audits[0].panel == ("two-imported-s1",)


def test_a_model_that_is_not_there(study: Study) -> None:
    with pytest.raises(StudyError, match=r"expected predictions by 'three', found .*one-imported"):
        write_report(study, model="three")
    assert not (study.path / "report").exists()


def test_nothing_is_computed_for_a_place_that_is_taken(study: Study, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    with pytest.raises(ParameterError, match=r"notes\.txt"):
        write_report(study, tmp_path / "mine")
    assert files_of(tmp_path / "mine") == {"notes.txt": b"precious"}


def test_a_run_is_not_lost_because_its_report_cannot_be_written(study: Study) -> None:
    (study.path / "report").write_text("in the way")
    card = object()
    result = RunResult(study, card, {}, trained=True)  # type: ignore[arg-type]
    after = with_report(result, study.load_dataset())
    assert after.report is None
    assert "in the way" not in after.report_note
    assert "is a file" in after.report_note
    assert after.card is card


def test_decided_verdicts_are_in_it(study: Study) -> None:
    tile = make_pages(study, "one").mistakes[0].groups[0].tiles[0]
    study.verdicts.decide(
        "test", [tile.picture.index], misread.Verdict.UNREADABLE, event="a", tab="b"
    )
    html = (write_report(study).path.parent / "mistakes-test-held-out.html").read_text()
    assert html.count(">decided<") == 1


def test_the_command_prints_where_it_is_and_loads_nothing_heavy(study: Study) -> None:
    code = """
import sys
from misread.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {"torch", "matplotlib", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""
    command = [sys.executable, "-c", code, "report", "--study", str(study.path)]
    done = subprocess.run(command, env=os.environ, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == str(study.path / "report" / "index.html")
    done = subprocess.run([*command, "--json"], check=True, capture_output=True, text=True)
    printed = json.loads(done.stdout)
    assert set(printed) == {"report", "files", "bytes", "pages"}
    assert printed["pages"] == json.loads(json.dumps(to_json(make_pages(study))))
