from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.reading.design import draw_plan
from misread.datasets import Dataset
from misread.errors import ReadingsError, StudyError
from misread.store import Study
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.tables.readings import Reader, Readings


@pytest.fixture
def study(tmp_path: Path, make_dataset: Callable[..., Dataset]) -> Study:
    return Study.create(tmp_path / "study", make_dataset())


def plan_of(study: Study, seed: int = 0) -> ReadingPlan:
    record = study.splits["test"]
    target = ReadingTarget(
        study.dataset_name, "test", record.images, study.classes, record.items_fingerprint,
        record.labels_fingerprint,
    )  # fmt: skip
    return draw_plan(target, 40, hard=(1, 2), seed=seed, created="2026-01-01")


def readings_of(study: Study, index: int = 5) -> Readings:
    return Readings(
        "test", study.classes, "", (Reader("ann"),), np.array([0]), np.array([index]), np.array([1])
    )


def test_a_plan_is_frozen_once(study: Study) -> None:
    assert study.load_plan() is None
    plan = plan_of(study)
    path = study.save_plan(plan)
    assert study.load_plan() == plan
    before = path.read_bytes()
    assert study.save_plan(plan) == path
    with pytest.raises(StudyError, match="holds another plan, frozen before the first answer"):
        study.save_plan(plan_of(study, seed=1))
    assert path.read_bytes() == before


def test_a_plan_of_other_images_is_refused(study: Study) -> None:
    plan = plan_of(study)
    for change in (
        {"split": "train"}, {"images": 91}, {"items_fingerprint": "x"}, {"labels_fingerprint": "x"},
        {"classes": ("a", "b", "c")}, {"split": "other"},
    ):  # fmt: skip
        other = replace(plan, target=replace(plan.target, **change))
        with pytest.raises(ReadingsError, match="is about other images, labels or classes"):
            study.save_plan(other)
    # Nor is one read that was put there.
    study.plan_file.parent.mkdir()
    study.plan_file.write_text(replace(plan, target=replace(plan.target, images=91)).to_json())
    with pytest.raises(ReadingsError, match="is about other images"):
        study.load_plan()


def test_readings_are_kept_under_their_name(study: Study) -> None:
    path = study.save_readings("lab", readings_of(study))
    assert path == study.path / "readings" / "lab.csv"
    study.save_plan(plan_of(study))
    assert study.list_readings() == ["lab"]
    assert study.load_readings("lab").index.tolist() == [5]
    with pytest.raises(StudyError, match="holds readings already"):
        study.save_readings("lab", readings_of(study, 6))
    study.save_readings("lab", readings_of(study, 6), replace=True)
    assert study.load_readings("lab").index.tolist() == [6]


def test_readings_of_other_images_are_refused(study: Study) -> None:
    outside = "index': expected 0 to 89, an image of the test split. Got 90 in row "
    with pytest.raises(ReadingsError, match=outside):
        study.save_readings("lab", readings_of(study, 90))
    with pytest.raises(ReadingsError, match="expected those of images and classes"):
        study.save_readings("lab", replace(readings_of(study), split="other"))
    with pytest.raises(ReadingsError, match="a name that can name a file"):
        study.save_readings("../lab", readings_of(study))
    study.save_readings("lab", readings_of(study))
    path = study.path / "readings" / "lab.csv"
    path.write_text(path.read_text().replace(",5,", ",90,"))
    with pytest.raises(ReadingsError, match=outside):
        study.load_readings("lab")
