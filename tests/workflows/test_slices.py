from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.groups import MISSING
from misread.analysis.slices import Target
from misread.datasets import Dataset
from misread.errors import InputError, MetadataError, ParameterError, PredictionsError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.workflows.metadata import import_metadata
from misread.workflows.slices import slices

MakePredictions = Callable[..., Predictions]


@pytest.fixture(scope="module")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=60, test=90)


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset, make_predictions: MakePredictions) -> Study:
    """Images 0 to 8 are misread; rows say of images 0 to 79 who wrote them, 8 images each."""
    made = Study.create(tmp_path / "study", dataset)
    read = np.where(np.arange(90) < 9, (dataset.test.labels + 1) % 3, dataset.test.labels)
    made.save_predictions(make_predictions(dataset.test, np.eye(3)[read]))
    rows = "".join(
        f"{i},w{i // 8},{'old' if i < 40 else 'new'},{i},{i % 2}\n" for i in reversed(range(80))
    )
    (tmp_path / "a.csv").write_text("index,writer,camera,size,side\n" + rows, encoding="utf-8")
    import_metadata(made, tmp_path / "a.csv", cluster="writer")
    return made


def counts(study: Study, by: str, **options: object) -> dict[str, tuple[int, int]]:
    found = slices(study, by, **options)  # type: ignore[arg-type]
    assert found.path.exists()
    return {part.name: (part.error.count, part.error.total) for part in found.errors.slices}


def test_slices_by_each_kind_of_column(study: Study, dataset: Dataset) -> None:
    assert counts(study, "camera") == {"old": (9, 40), "new": (0, 40), MISSING: (0, 10)}
    assert counts(study, "side") == {"0": (5, 40), "1": (4, 40), MISSING: (0, 10)}
    assert counts(study, "size") == {
        "0 to 15": (9, 16),
        **{f"{low} to {low + 15}": (0, 16) for low in (16, 32, 48, 64)},
        MISSING: (0, 10),
    }
    assert counts(study, "size", bins=2)["0 to 39"] == (9, 40)
    wrong = np.bincount(dataset.test.labels[:9], minlength=3)
    assert counts(study, "given") == {
        name: (wrong[k], 30) for k, name in enumerate(dataset.classes)
    }


def test_images_cluster_by_writer(study: Study) -> None:
    found = slices(study, "camera")
    assert found.cluster == "writer"
    assert found.alone == 10
    assert found.errors.clusters == 20
    assert found.errors.target == Target.CLUSTERS
    assert found.errors.overall_clustered is not None
    assert found.errors.overall_clustered.high > found.errors.overall.high
    old = found.errors.slices[0]
    assert (old.name, old.clusters) == ("old", 5)
    assert old.design_effect > 2


def test_slices_by_writer_are_about_these_writers(study: Study) -> None:
    found = slices(study, "writer")
    assert found.errors.target == Target.SAME_CLUSTERS
    assert len(found.errors.slices) == 11
    # For all images together, those without a writer still count as one cluster each.
    assert found.errors.clusters == 20
    assert found.errors.overall_clustered == slices(study, "camera").errors.overall_clustered
    assert {part.design_effect for part in found.errors.slices} == {1.0}


def test_predictions_of_a_part_of_the_images(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    whole = make_predictions(dataset.test, model="part")
    part = Predictions(
        whole.index[5:50:5], whole.given[5:50:5], whole.probabilities[5:50:5], whole.provenance
    )
    study.save_predictions(part)
    wrong = part.predicted != part.given
    old = part.index < 40
    assert counts(study, "camera", model="part") == {
        "old": (wrong[old].sum(), old.sum()), "new": (wrong[~old].sum(), (~old).sum()),
    }  # fmt: skip


def test_in_sample_predictions_are_refused_and_passed_over(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    made = make_predictions(dataset.train, origin=Origin.IN_SAMPLE, created="2026-01-01")
    study.save_predictions(made)
    with pytest.raises(PredictionsError, match="expected held-out or cross-fitted"):
        slices(study, "given", "train")
    older = make_predictions(dataset.train, origin=Origin.CROSS_FITTED, created="2025-01-01")
    study.save_predictions(older)
    assert slices(study, "given", "train").provenance.origin == Origin.CROSS_FITTED


def test_the_picture_goes_where_it_is_told(study: Study, tmp_path: Path) -> None:
    assert slices(study, "camera").path == (
        study.figures / "oracle-imported-s0.test.held-out.by-camera.png"
    )
    assert slices(study, "camera", save=tmp_path / "new" / "a.PNG").path.exists()


def test_the_same_again_is_the_same(study: Study) -> None:
    first, again, other = (slices(study, "camera", seed=seed) for seed in (0, 0, 1))
    assert first.errors == again.errors
    assert first.errors != other.errors
    assert first.path.read_bytes() == again.path.read_bytes()


def test_what_cannot_be_sliced_is_refused_in_one_line(
    study: Study, tmp_path: Path, dataset: Dataset
) -> None:
    bare = Study.create(tmp_path / "bare", dataset)
    for file in study.path.glob("predictions/*"):
        (bare.path / "predictions").mkdir(exist_ok=True)
        (bare.path / "predictions" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "file").touch()
    cases: list[tuple[Study, str, dict[str, object], type[InputError], str]] = [
        (study, "nope", {}, MetadataError, "expected one of the columns writer, camera"),
        (bare, "camera", {}, MetadataError, "`misread import metadata FILE` brings some"),
        (study, "camera", {"split": "val"}, StudyError, "expected predictions of split 'val'"),
        (study, "camera", {"model": "vgg"}, StudyError, "by model 'vgg'"),
        (study, "camera", {"level": 0.0}, ParameterError, "level must be in (0, 1)"),
        (study, "camera", {"bins": 3}, ParameterError, "by: 'camera': bins: only numbers"),
        (study, "size", {"bins": 1}, ParameterError, "bins must be 2 or more"),
        (study, "size", {"save": tmp_path / "a.pdf"}, ParameterError, "expected a .png file"),
        (study, "size", {"save": tmp_path / "file" / "a.png"}, ParameterError, "can't write"),
    ]
    for place, by, options, kind, says in cases:
        with pytest.raises(kind) as caught:
            slices(place, by, **options)  # type: ignore[arg-type]
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert slices(bare, "given").errors.clusters is None
