"""A model repeats the labels that it was trained on: nothing here takes such probabilities."""

from collections.abc import Callable
from pathlib import Path

import pytest

from misread.analysis.calibration import measure_calibration
from misread.analysis.evidence import gather_evidence
from misread.analysis.labels import find_label_issues
from misread.analysis.panel import score_panel
from misread.analysis.scores import score_images
from misread.analysis.temperature import fit_temperature
from misread.datasets import Dataset
from misread.errors import PredictionsError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.parquet import PredictionsFile, write_predictions
from misread.tables.predictions import PredictionSource
from misread.workflows.audit import audit, show_audit
from misread.workflows.calibration import show_calibration
from misread.workflows.labels import label_issues
from misread.workflows.slices import slices

REFUSED = (
    "expected held-out or cross-fitted predictions. Got in-sample ones instead: a model repeats "
    "the labels that it was trained on; `misread crossfit` predicts each training image by a model "
    "that never saw it"
)

OF_PREDICTIONS: dict[str, Callable[[PredictionSource], object]] = {
    "scores": score_images,
    "panel": lambda source: score_panel([source]),
    "panel of several": lambda source: score_panel([source] * 3),
    "label issues": find_label_issues,
    "flags by noise rate": lambda source: find_label_issues(source, "noise-rate"),
    "evidence": lambda source: gather_evidence([source]),
    "workflow of labels": label_issues,
}
IN_MEMORY: dict[str, Callable[[Predictions], object]] = {
    "calibration": measure_calibration,
    "temperature": fit_temperature,
}
OF_A_STUDY: dict[str, Callable[[Study], object]] = {
    "newest": lambda study: study.newest_out_of_sample("train"),
    "audit": lambda study: audit(study, "train"),
    "audit of a model": lambda study: audit(study, "train", ["oracle"]),
    "shown audit": lambda study: show_audit(study, "train"),
    "calibration": lambda study: show_calibration(study, "train"),
    "slices": lambda study: slices(study, "given", "train"),
}


@pytest.fixture
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=30, test=9)


@pytest.fixture
def trained(make_predictions: Callable[..., Predictions], dataset: Dataset) -> Predictions:
    return make_predictions(dataset.train, origin=Origin.IN_SAMPLE)


def assert_refused(work: Callable[[], object]) -> None:
    with pytest.raises(PredictionsError) as caught:
        work()
    assert str(caught.value) == f"oracle-imported-s0.train.in-sample: {REFUSED}"


@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_probabilities_in_memory_or_in_a_file_are_refused(
    trained: Predictions, tmp_path: Path, name: str
) -> None:
    work = OF_PREDICTIONS[name]
    assert_refused(lambda: work(trained))
    write_predictions(tmp_path / "p.parquet", trained)
    assert_refused(lambda: work(PredictionsFile.open(tmp_path / "p.parquet")))


@pytest.mark.parametrize("name", IN_MEMORY)
def test_probabilities_in_memory_are_refused(trained: Predictions, name: str) -> None:
    assert_refused(lambda: IN_MEMORY[name](trained))


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_a_study_that_has_no_others_is_refused(
    trained: Predictions, dataset: Dataset, tmp_path: Path, name: str
) -> None:
    study = Study.create(tmp_path / "study", dataset)
    study.save_predictions(trained)
    assert_refused(lambda: OF_A_STUDY[name](study))
    assert not study.figures.exists()


def test_a_file_is_refused_by_its_path(trained: Predictions, tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.parquet", trained)
    assert_refused(lambda: label_issues(tmp_path / "p.parquet"))
