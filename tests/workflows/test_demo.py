"""The demo, on the panel that is in the package."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.evaluation import evaluate
from misread.datasets import Dataset, load
from misread.errors import ParameterError, StudyError
from misread.models import Card
from misread.store import Study
from misread.tables import Origin
from misread.workflows.audit import audit
from misread.workflows.demo import NOTE, Demo, demo_predictions, make_demo, reference_panel
from misread.workflows.reading_plan import make_plan
from misread.workflows.reference_panel import FOLDER, ReferencePanel, open_reference_panel


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist")


@pytest.fixture(scope="module")
def panel() -> ReferencePanel:
    return open_reference_panel()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return make_demo(tmp_path_factory.mktemp("demo") / "study")


def test_the_panel_is_small_and_whole(panel: ReferencePanel) -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    tables = {FOLDER / table.file: table for run in panel.runs for table in run.tables}
    cards = {FOLDER / "models" / f"{run.name}.json" for run in panel.runs}
    assert set(files) == {FOLDER / "panel.json", *tables, *cards}
    for path, table in tables.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == table.sha256


def test_every_run_is_as_good_as_it_was_before_it_was_packed(
    panel: ReferencePanel, digits: Dataset
) -> None:
    for table in panel.tables():
        split = digits.splits[table.provenance.split]
        predictions = panel.predictions(table, split.labels)
        assert predictions.provenance.items_fingerprint == split.items_fingerprint
        assert predictions.classes == digits.classes
        evaluation = evaluate(predictions)
        assert evaluation.error.count == table.mistakes
        assert evaluation.loss == pytest.approx(table.loss, abs=1e-4)
        assert 0.001 < evaluation.error.value < 0.012
        held_out = table.provenance.split == "test"
        origin = Origin.HELD_OUT if held_out else Origin.CROSS_FITTED
        assert table.provenance.origin == origin


def test_every_card_belongs_to_its_run(panel: ReferencePanel, digits: Dataset) -> None:
    for run in panel.runs:
        provenance = run.tables[0].provenance
        cards = Card.read_all(FOLDER / "models" / f"{run.name}.json")
        assert len(cards) == (1 if provenance.repeat is None else 5)
        for card in cards:
            assert card.model == provenance.model
            assert card.recipe["name"] == provenance.recipe
            assert card.recipe["epochs"] == len(card.log)
            assert card.seconds > 10
            assert {"misread", "python", "torch", "numpy"} <= set(card.versions)
        if provenance.repeat is None:
            assert (cards[0].name, cards[0].seed) == (run.name, provenance.seed)
            assert cards[0].items_fingerprint == digits.train.items_fingerprint
            assert f"--seed {provenance.seed}" in run.command
        assert f"--model {provenance.model} " in run.command


def test_the_panel_reads_better_than_its_mean_member(digits: Dataset) -> None:
    tables = reference_panel()
    labels = digits.test.labels
    together = np.mean([table.probabilities for table in tables], axis=0).argmax(axis=1)
    errors = [int((table.predicted != labels).sum()) for table in tables]
    assert (together != labels).sum() < np.mean(errors)


def test_predictions_by_split_and_by_run(digits: Dataset) -> None:
    tables = {split: reference_panel(split) for split in ("test", "train")}
    for split, found in tables.items():
        assert found
        assert {table.provenance.split for table in found} == {split}
    first = demo_predictions()
    assert first.probabilities.shape == (10_000, 10)
    np.testing.assert_array_equal(first.probabilities, tables["test"][0].probabilities)
    np.testing.assert_array_equal(first.given, digits.test.labels)
    name = tables["train"][-1].provenance.run_name
    np.testing.assert_array_equal(
        demo_predictions(name).probabilities, tables["train"][-1].probabilities
    )
    with pytest.raises(ParameterError, match=r"run: expected one of convnet.*Got 'nobody'"):
        demo_predictions("nobody")
    with pytest.raises(ParameterError, match=r"split: expected one of train, test. Got 'dev'"):
        reference_panel("dev")


def test_a_demo_study_has_the_whole_panel(demo: Demo, panel: ReferencePanel) -> None:
    study = Study.open(demo.study.path)
    assert study.note == demo.note == NOTE
    assert {p.name for p in study.list_predictions()} == {
        table.provenance.name for table in panel.tables()
    }
    assert demo.missing == panel.missing
    for run, of in zip(demo.runs, panel.runs, strict=True):
        assert run.run == of
        assert run.error.count == run.table.mistakes
        assert run.seconds == pytest.approx(sum(card.seconds for card in run.cards))
        assert study.model_file(of.name, ".json").exists()


@pytest.mark.parametrize("split", ["test", "train"])
def test_its_labels_can_be_audited(demo: Demo, digits: Dataset, split: str) -> None:
    found = audit(demo.study, split, dataset=digits)
    assert found.evidence.neighbourhood is not None
    assert (found.evidence.training is not None) == (split == "train")
    assert len(found.suggestions) > 20


def test_its_digits_can_be_read_at_once(tmp_path: Path) -> None:
    study = make_demo(tmp_path / "demo").study
    plan = make_plan(study)
    assert plan.target.split == "test"
    assert len(plan.hard) > 20


def test_twice_keeps_what_people_have_decided(tmp_path: Path) -> None:
    first = make_demo(tmp_path / "demo")
    given = int(first.study.load_dataset().test.labels[9])
    first.study.verdicts.decide("test", [9], "fine", event="one", tab="test", given=[given])
    again = make_demo(tmp_path / "demo")
    assert again.runs == first.runs
    assert Study.open(tmp_path / "demo").verdicts.state("test").find(9) == ("fine", None)


def test_another_study_is_not_overwritten(tmp_path: Path, digits: Dataset) -> None:
    other = type(digits)("few", digits.classes, {"test": digits.test.take([0, 1])}, "few")
    Study.create(tmp_path, other)
    with pytest.raises(StudyError, match="name another folder"):
        make_demo(tmp_path)
    own = Study.create(tmp_path / "own", digits)
    with pytest.raises(StudyError, match="no demo; name another folder"):
        make_demo(own.path)
    assert own.list_predictions() == []


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    code = """
import json, sys
from misread import make_demo
made = make_demo()
print(json.dumps([str(made.study.path), sorted({"torch", "safetensors"} & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [str(tmp_path / "mnist-demo-study"), []]
