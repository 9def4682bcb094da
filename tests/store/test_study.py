import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.datasets import Dataset, Split
from misread.errors import DatasetError, InputError, MisreadError, PredictionsError, StudyError
from misread.store import Study, default_study
from misread.tables import Origin, Predictions

MakeDataset = Callable[..., Dataset]
MakePredictions = Callable[..., Predictions]


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(train=30, test=12)


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return Study.create(tmp_path / "bars-study", dataset)


def one_line(caught: pytest.ExceptionInfo[MisreadError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_study_is_opened_as_it_was_made(study: Study, dataset: Dataset) -> None:
    assert Study.open(study.path) == study
    assert Study.create(study.path, dataset) == study
    assert study.classes == dataset.classes
    assert study.splits["test"].images == 12
    assert study.splits["test"].labels_fingerprint == dataset.test.labels_fingerprint


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=15)


@given(classes=st.lists(names, min_size=3, max_size=3, unique=True), note=names, name=names)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_names_survive(
    classes: list[str], note: str, name: str, tmp_path: Path, dataset: Dataset
) -> None:
    (tmp_path / "study.toml").unlink(missing_ok=True)
    odd = Dataset(name, tuple(classes), dataset.splits, "a \\ \"quoted\" 'source'")
    made = Study.create(tmp_path, odd, note)
    assert Study.open(tmp_path) == made
    assert made.classes == tuple(classes)
    assert made.note == note


def test_a_study_of_other_data_is_refused(
    study: Study, dataset: Dataset, make_dataset: MakeDataset
) -> None:
    before = (study.path / "study.toml").read_bytes()
    relabelled = Split("test", dataset.test.pixels(), dataset.test.labels[::-1])
    others = [
        make_dataset(train=30, test=12, seed=1),
        make_dataset(train=30, test=12, classes=("a", "b", "c")),
        dataclasses.replace(dataset, splits={"test": dataset.test}),
        dataclasses.replace(dataset, splits=dict(dataset.splits) | {"test": relabelled}),
    ]
    for other in others:
        with pytest.raises(StudyError) as caught:
            Study.create(study.path, other)
        assert "name another folder with --study" in one_line(caught)
    assert (study.path / "study.toml").read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StudyError, match="can't write a study here"):
            Study.create(place, dataset)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("format = 1", "format = 2", "Got 2 instead; another version"),
        ("format = 1", "", "Got None instead"),
        ("format = 1", 'format = "1"', "Got '1' instead"),
        ("[dataset]", "[data]", "damaged"),
        ('name = "bars"', "", "damaged"),
        ('name = "bars"', "name = 5", "damaged"),
        ('source = "bars"', "source = 5", "damaged"),
        ("images = 12", "", "damaged"),
        ("images = 12", 'images = "12"', "damaged"),
        ("images = 12", "images = 12\nmore = 1", "damaged"),
        ("[splits.test]", "[splits.test", "expected a study's TOML file"),
        ('note = ""', "note = 3", "damaged"),
    ],
)
def test_a_damaged_study_is_refused(study: Study, old: str, new: str, says: str) -> None:
    file = study.path / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        Study.open(study.path)
    assert says in one_line(caught)
    assert "study.toml" in str(caught.value)


def test_every_flipped_byte_opens_or_is_refused(study: Study) -> None:
    file = study.path / "study.toml"
    content = file.read_bytes()
    flips = np.random.default_rng(0).integers(1, 256, len(content))
    for position, flip in enumerate(flips):
        damaged = bytearray(content)
        damaged[position] ^= int(flip)
        file.write_bytes(damaged)
        try:
            Study.open(study.path)
        except StudyError as error:
            assert "\n" not in str(error)


def test_locate(tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="expected a study in this folder, found none"):
        Study.locate(None, tmp_path)
    one = Study.create(tmp_path / "one-study", dataset)
    assert Study.locate(None, tmp_path) == one
    (tmp_path / "empty-study").mkdir()  # a folder of that name alone is no study
    assert Study.locate(None, tmp_path) == one
    two = Study.create(tmp_path / "two-study", dataset)
    with pytest.raises(StudyError) as caught:
        Study.locate(None, tmp_path)
    assert "several studies here (one-study, two-study)" in one_line(caught)
    assert Study.locate(two.path, tmp_path) == two
    assert Study.locate(None, one.path) == one
    with pytest.raises(StudyError, match=r"nowhere: expected a study, found no study\.toml"):
        Study.locate(tmp_path / "nowhere", one.path)
    monkeypatch.chdir(tmp_path)
    assert Study.locate(Path("one-study"), Path.cwd()).splits == one.splits


def test_a_file_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError) as caught:
        Study.open(tmp_path / "file")
    assert one_line(caught)


def test_the_dataset_is_loaded_again_and_checked(
    tmp_path: Path, dataset: Dataset, write_npz: Callable[[Path, Dataset], Path],
    make_dataset: MakeDataset,
) -> None:  # fmt: skip
    file = write_npz(tmp_path / "bars.npz", dataset)
    study = Study.create(tmp_path / "study", dataclasses.replace(dataset, source=str(file)))
    assert study.load_dataset().test.items_fingerprint == dataset.test.items_fingerprint
    write_npz(file, make_dataset(train=30, test=12, seed=9))
    with pytest.raises(StudyError, match="with other images or labels than"):
        study.load_dataset()
    file.unlink()
    with pytest.raises(DatasetError, match="no such file"):
        study.load_dataset()


# Predictions


def test_predictions_are_saved_under_their_name_and_loaded(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    made = make_predictions(dataset.test)
    path = study.save_predictions(made)
    assert path == study.path / "predictions" / "oracle-imported-s0.test.held-out.parquet"
    assert study.list_predictions() == [made.provenance]
    again = study.load_predictions(made.provenance)
    np.testing.assert_array_equal(again.probabilities, made.probabilities)


def test_the_same_predictions_may_be_saved_twice_but_no_others(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    made = make_predictions(dataset.test)
    path = study.save_predictions(made)
    content, written = path.read_bytes(), path.stat().st_mtime_ns
    later = dataclasses.replace(made.provenance, created="2030-01-01T00:00:00+00:00")
    assert study.save_predictions(dataclasses.replace(made, provenance=later)) == path
    assert path.stat().st_mtime_ns == written
    other = make_predictions(dataset.test, np.eye(3)[dataset.test.labels])
    with pytest.raises(StudyError) as caught:
        study.save_predictions(other)
    assert "holds other predictions of this name" in one_line(caught)
    assert path.read_bytes() == content
    study.save_predictions(other, replace=True)
    assert path.read_bytes() != content


def changed(made: Predictions, **changes: Any) -> Predictions:
    return dataclasses.replace(made, provenance=dataclasses.replace(made.provenance, **changes))


def test_predictions_of_something_else_are_refused(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    made = make_predictions(dataset.test)
    beyond = made.index.copy()
    beyond[-1] = 12
    cases = {
        "predicts other images": changed(made, items_fingerprint="sha256:other"),
        "expected one of the splits train, test. Got 'validation'": changed(
            made, split="validation"
        ),
        "has other classes": changed(made, classes=("bottom", "middle", "top")),
        "index must be below 12": dataclasses.replace(made, index=beyond),
        "labels": dataclasses.replace(made, given=np.roll(made.given, 1)),
    }
    for says, other in cases.items():
        with pytest.raises(PredictionsError) as caught:
            study.save_predictions(other)
        assert says in one_line(caught)
    assert not list(study.path.glob("predictions/*"))


@pytest.mark.parametrize(
    "model", ["../out", "a/b", ".hidden", "a b", "new\nline", "nul\0", "a\\b", "*", "x" * 300]
)
def test_a_name_that_cannot_name_a_file_is_refused(
    study: Study, dataset: Dataset, make_predictions: MakePredictions, model: str
) -> None:
    made = changed(make_predictions(dataset.test), model=model, recipe="imported")
    with pytest.raises(PredictionsError, match="expected a name") as caught:
        study.save_predictions(made)
    assert one_line(caught)


@pytest.mark.parametrize("model", ["resnet-50", "vit_b.16", "größe", "a+b=c,d@e"])
def test_usual_names_are_accepted(
    study: Study, dataset: Dataset, make_predictions: MakePredictions, model: str
) -> None:
    made = make_predictions(dataset.test, model=model)
    study.save_predictions(made)
    assert study.newest_predictions("test", model).provenance == made.provenance


def test_a_study_that_cannot_be_written_is_an_error_of_ours(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    (study.path / "predictions").touch()
    with pytest.raises(MisreadError) as caught:
        study.save_predictions(make_predictions(dataset.test))
    assert one_line(caught)


def test_the_newest_predictions_are_chosen(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    with pytest.raises(StudyError, match="found none at all"):
        study.newest_predictions("test")
    for day, model in (("03", "b"), ("07", "a"), ("05", "c")):
        created = f"2025-01-{day}T00:00:00+00:00"
        study.save_predictions(make_predictions(dataset.test, model=model, created=created))
    in_sample = make_predictions(
        dataset.train, model="c", origin=Origin.IN_SAMPLE, created="2025-02-01T00:00:00+00:00"
    )
    study.save_predictions(in_sample)
    assert [p.model for p in study.list_predictions("test")] == ["a", "c", "b"]
    assert [p.split for p in study.list_predictions(model="c")] == ["train", "test"]
    assert study.newest_predictions("test").provenance.model == "a"
    assert study.newest_predictions("test", "b").provenance.model == "b"
    assert study.newest_predictions("test", "c-imported-s0").provenance.model == "c"
    with pytest.raises(StudyError) as caught:
        study.newest_predictions("train", "a")
    assert "expected predictions of split 'train' by model 'a'" in one_line(caught)
    assert "c-imported-s0.train.in-sample" in str(caught.value)


def test_a_damaged_predictions_file_is_named(
    study: Study, dataset: Dataset, make_predictions: MakePredictions
) -> None:
    path = study.save_predictions(make_predictions(dataset.test))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(PredictionsError, match=path.name):
        study.newest_predictions("test")


def test_default_study(dataset: Dataset, tmp_path: Path) -> None:
    assert default_study(dataset, tmp_path) == tmp_path / "bars-study"
    for name in ("../x", "a/b", "with space", ""):
        with pytest.raises(InputError, match="--study"):
            default_study(dataclasses.replace(dataset, name=name), tmp_path)
    assert default_study(dataset, tmp_path).parent == tmp_path
