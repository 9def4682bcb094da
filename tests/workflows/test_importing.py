import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from misread.datasets import Dataset, load
from misread.errors import DatasetError, InputError, ParameterError, PredictionsError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.parquet import write_predictions
from misread.types import FloatArray
from misread.workflows.importing import import_file, import_predictions, open_study

MakePredictions = Callable[..., Predictions]


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=30, test=12, classes=("0", "1", "2"))))


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return Study.create(tmp_path / "study", dataset)


@pytest.fixture
def probabilities() -> FloatArray:
    return np.random.default_rng(0).dirichlet(np.ones(3), 12).astype(np.float32)


def save(path: Path, array: FloatArray) -> Path:
    separator = "," if path.suffix == ".csv" else "\t"
    match path.suffix:
        case ".npy":
            np.save(path, array)
        case ".npz":
            np.savez(path, array)
        case _:
            # Class names above the columns, as pandas writes them: MNIST's are numbers.
            np.savetxt(
                path,
                array,
                fmt="%.9g",
                delimiter=separator,
                header=separator.join("012"),
                comments="",
            )
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.tsv"])
def test_every_kind_of_file_is_imported(
    study: Study, dataset: Dataset, tmp_path: Path, probabilities: FloatArray, name: str
) -> None:
    made = import_predictions(study, save(tmp_path / name, probabilities))
    assert made.probabilities.tobytes() == probabilities.tobytes()
    assert made.provenance.name == "a-imported-s0.test.held-out"
    assert made.provenance.items_fingerprint == dataset.test.items_fingerprint
    assert made.given.tolist() == dataset.test.labels.tolist()
    assert study.newest_predictions("test").provenance == made.provenance


def test_names_split_and_origin_are_what_is_said(
    study: Study, tmp_path: Path, probabilities: FloatArray
) -> None:
    file = save(tmp_path / "a.npy", probabilities)
    made = import_predictions(study, file, model="resnet", origin="cross-fitted")
    assert made.provenance.name == "resnet-imported-s0.test.cross-fitted"
    train = save(tmp_path / "t.npy", np.full((30, 3), 1 / 3, np.float32))
    made = import_predictions(study, train, split="train", origin="in-sample")
    assert made.provenance.origin is Origin.IN_SAMPLE


def test_misreads_own_files_know_themselves(
    study: Study, dataset: Dataset, tmp_path: Path, make_predictions: MakePredictions
) -> None:
    own = make_predictions(dataset.test, classes=("0", "1", "2"), model="vit", seed=4)
    write_predictions(tmp_path / "p.parquet", own)
    made = import_predictions(study, tmp_path / "p.parquet")
    assert made.provenance == own.provenance
    assert study.newest_predictions("test", "vit-imported-s4").provenance == own.provenance


def test_importing_twice_is_fine_and_other_predictions_are_not(
    study: Study, tmp_path: Path, probabilities: FloatArray
) -> None:
    file = save(tmp_path / "a.npy", probabilities)
    import_predictions(study, file)
    import_predictions(study, file)
    save(file, probabilities[::-1])
    with pytest.raises(StudyError, match="other predictions of this name"):
        import_predictions(study, file)


def test_what_cannot_be_imported_is_refused_in_one_line(
    study: Study, dataset: Dataset, tmp_path: Path, probabilities: FloatArray,
    make_predictions: MakePredictions, make_dataset: Callable[..., Dataset],
) -> None:  # fmt: skip
    good = save(tmp_path / "good.npy", probabilities)
    foreign = make_predictions(make_dataset(seed=9).test, classes=("0", "1", "2"))
    write_predictions(tmp_path / "foreign.parquet", foreign)
    relabelled = make_predictions(
        None, np.eye(3)[[0] * 12], given=np.roll(dataset.test.labels, 1), classes=("0", "1", "2")
    )
    fingerprint = dataset.test.items_fingerprint
    provenance = dataclasses.replace(relabelled.provenance, items_fingerprint=fingerprint)
    write_predictions(
        tmp_path / "relabelled.parquet", dataclasses.replace(relabelled, provenance=provenance)
    )
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    cases: list[tuple[Path, dict[str, str], type[InputError], str]] = [
        (good, {"split": "validation"}, ParameterError, "split: expected one of train, test"),
        (good, {"origin": "guessed"}, ParameterError, "Got 'guessed' instead"),
        (good, {"model": "../x"}, PredictionsError, "expected a name of letters"),
        (tmp_path / "absent.npy", {}, PredictionsError, "found none"),
        (tmp_path / "absent.parquet", {}, PredictionsError, "absent.parquet"),
        (tmp_path / "junk.parquet", {}, PredictionsError, "expected a Parquet file"),
        (tmp_path / "foreign.parquet", {}, PredictionsError, "other images"),
        (tmp_path / "relabelled.parquet", {}, PredictionsError, "labels"),
        (tmp_path / "a.xlsx", {}, PredictionsError, ".csv"),
        (
            save(tmp_path / "train.npy", np.full((30, 3), 1 / 3, np.float32)),
            {"split": "train"},
            ParameterError,
            "Got nothing instead",
        ),
        (
            save(tmp_path / "short.npy", probabilities[:-1]),
            {},
            PredictionsError,
            "expected 12 rows, one per image of bars's test split. Got 11",
        ),
        (
            save(tmp_path / "logits.npy", 10 * probabilities - 3),
            {},
            PredictionsError,
            "logits.npy: each row of probabilities must be 0 or more and sum to 1. Row 0",
        ),
        (
            save(tmp_path / "nan.npy", np.full((12, 3), np.nan, np.float32)),
            {},
            PredictionsError,
            "nan.npy: row 0 holds NaN.",
        ),
    ]
    for file, arguments, kind, says in cases:
        with pytest.raises(kind) as caught:
            import_predictions(study, file, **arguments)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert study.list_predictions() == []


def test_a_file_that_is_not_misreads_own_says_which_kinds_are_read(
    study: Study, tmp_path: Path
) -> None:
    """It must not send whoever runs `misread import predictions` to that same command."""
    pq.write_table(pa.table({"cat": [0.5], "dog": [0.5]}), tmp_path / "pandas.parquet")
    with pytest.raises(PredictionsError) as caught:
        import_predictions(study, tmp_path / "pandas.parquet")
    assert ".npy" in str(caught.value)
    assert ".csv" in str(caught.value)


def test_open_study(tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="found none"):
        open_study(None, None)
    with pytest.raises(DatasetError, match="unknown dataset"):
        open_study(None, "imagenet")
    study, made = open_study(None, dataset.source)
    assert made
    assert study.path == tmp_path / "bars-study"
    assert open_study(None, None) == (study, False)
    assert open_study(tmp_path / "other", dataset.source)[0].path == tmp_path / "other"


def test_a_refused_file_takes_only_the_study_that_was_made_for_it(
    tmp_path: Path, dataset: Dataset
) -> None:
    bad = tmp_path / "bad.npy"
    bad.write_bytes(b"nothing")
    with pytest.raises(PredictionsError):
        import_file(tmp_path / "new", dataset.source, bad)
    assert not (tmp_path / "new").exists()
    mine = Study.create(tmp_path / "mine", dataset)
    for source in (None, dataset.source):
        with pytest.raises(PredictionsError):
            import_file(mine.path, source, bad)
    assert Study.open(mine.path) == mine
