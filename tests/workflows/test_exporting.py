import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from misread.analysis.adjudication import adjudicate, adjudicated_error
from misread.analysis.outcomes import read_outcomes
from misread.datasets import Dataset, Split
from misread.errors import ParameterError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.verdicts import Verdict
from misread.views.exports import WHAT, Export
from misread.workflows.exporting import export, place_of, write_export

MakePredictions = Callable[..., Predictions]
CLASSES = ("top", '<script>, "x"', "bottom")


@pytest.fixture
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=30, test=12, classes=CLASSES)


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset, make_predictions: MakePredictions) -> Study:
    """Two models that misread images 0 to 3 and 2 to 4; an in-sample one; verdicts on some."""
    made = Study.create(tmp_path / "study", dataset)
    for model, wrong in (("one", range(4)), ("two", range(2, 5))):
        probabilities = np.full((12, 3), 0.1)
        read = dataset.test.labels.copy()
        read[list(wrong)] = (read[list(wrong)] + 1) % 3
        probabilities[np.arange(12), read] = 0.8
        predictions = make_predictions(
            dataset.test, probabilities, model=model, classes=CLASSES,
            created=f"2025-01-0{len(wrong)}T00:00:00+00:00",
        )  # fmt: skip
        made.save_predictions(predictions)
    trained = make_predictions(
        dataset.train, model="trained", classes=CLASSES, origin=Origin.IN_SAMPLE
    )
    made.save_predictions(trained)
    given = dataset.test.labels
    right = int((given[2] + 1) % 3)

    def decide(item: int, verdict: Verdict, label: int | None = None) -> None:
        made.verdicts.decide(
            "test", [item], verdict, label, event=f"e{item}", tab="t", given=[int(given[item])],
            person="Ana",
        )  # fmt: skip

    decide(2, Verdict.LABEL, right)
    decide(3, Verdict.LABEL)
    decide(0, Verdict.UNREADABLE)
    decide(1, Verdict.MODEL)
    decide(9, Verdict.FINE)
    return made


def read(table: Export, kind: str) -> list[dict[str, Any]]:
    """What another program would read of it."""
    content = table.encode(kind)
    if kind == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
        return rows
    if kind == ".json":
        listed: list[dict[str, Any]] = json.loads(content)["rows"]
        return listed
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


def as_text(value: object) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize("what", WHAT)
def test_all_formats_tell_the_same(what: str, study: Study, dataset: Dataset) -> None:
    table = export(study, what, dataset=dataset)
    plain = read(table, ".json")
    assert len(plain) == len(table) > 0
    assert read(table, ".parquet") == plain
    for row, line in zip(plain, read(table, ".csv"), strict=True):
        assert {name: as_text(value) for name, value in row.items()} == line


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".json"])
def test_labels_are_those_of_all_images(kind: str, study: Study, dataset: Dataset) -> None:
    rows = read(export(study, "labels", dataset=dataset), kind)
    given = dataset.test.labels.tolist()
    assert [int(row["index"]) for row in rows] == list(range(12))
    assert [int(row["given"]) for row in rows] == given
    assert [row["given_class"] for row in rows] == [CLASSES[label] for label in given]
    right = (given[2] + 1) % 3
    expected: list[int | None] = [*given[:2], right, None, *given[4:]]
    assert [as_text(row["adjudicated"]) for row in rows] == list(map(as_text, expected))
    assert rows[2]["adjudicated_class"] == CLASSES[right]
    assert [str(row["changed"]) == "True" for row in rows] == [i == 2 for i in range(12)]
    said = {0: "unreadable", 1: "model", 2: "label", 3: "label", 9: "fine"}
    assert [as_text(row["verdict"]) for row in rows] == [said.get(i, "") for i in range(12)]


def test_labels_say_what_correcting_a_test_split_does(study: Study, dataset: Dataset) -> None:
    table = export(study, "labels", dataset=dataset)
    assert [error.provenance.model for error in table.errors] == ["one", "two"]
    labels = adjudicate(dataset.test.labels, study.verdicts.state("test"))
    for error, provenance in zip(
        table.errors, sorted(study.list_predictions("test"), key=lambda p: p.name), strict=True
    ):
        outcomes = read_outcomes(study.load_predictions(provenance))
        assert error == adjudicated_error(outcomes, labels)
    notes = " ".join(table.notes)
    assert "All 12 images of the split are in this table" in notes
    assert "Labels that were changed: 1. Said to be wrong" in notes
    assert "reviewing only mistakes can only lower its error" in notes
    assert "100% of the mistakes of one-imported-s0 were reviewed and 67% of those of two" in notes
    about = json.loads(table.encode(".json"))["about"]
    one = about["errors"][0]
    assert (one["as_labelled"]["count"], one["after_verdicts"]["count"]) == (4, 3)
    assert (one["at_best"]["count"], one["at_worst"]["count"]) == (1, 3)
    assert "drawn independently" in about["interval_target"]
    metadata = pq.read_metadata(io.BytesIO(table.encode(".parquet"))).metadata
    assert json.loads(metadata[b"errors"]) == about["errors"]
    assert json.loads(metadata[b"notes"]) == list(table.notes)
    told = table.tell()
    assert "error as labelled     33.33%" in told
    assert "error after verdicts  25.00%" in told
    assert "1 mistakes at best (8.33%), 3 at worst (25.00%)" in told
    assert "their target is new images of the same kind" in told


def test_labels_of_a_split_that_is_trained_on(study: Study, dataset: Dataset) -> None:
    table = export(study, "labels", "train", dataset=dataset)
    assert len(table) == 30
    assert table.errors == ()
    notes = " ".join(table.notes)
    assert "Models are tested" not in notes
    assert "has no held-out or cross-fitted predictions" in notes
    assert not np.asarray(table.columns["changed"]).any()


def test_the_errors_of_one_model(study: Study, dataset: Dataset) -> None:
    (error,) = export(study, "labels", model="two", dataset=dataset).errors
    assert error.provenance.model == "two"
    with pytest.raises(StudyError, match="expected predictions of split 'test' by model 'three'"):
        export(study, "labels", model="three", dataset=dataset)


def test_verdicts_decided_and_suggested_side_by_side(study: Study, dataset: Dataset) -> None:
    rows = {row["index"]: row for row in read(export(study, "verdicts", dataset=dataset), ".json")}
    # Decided ones, and whatever a model of the panel misreads.
    assert set(rows) == {0, 1, 2, 3, 4, 9}
    assert {i: row["decided"] for i, row in rows.items()} == {
        0: "unreadable", 1: "model", 2: "label", 3: "label", 4: None, 9: "fine"
    }  # fmt: skip
    assert all(row["suggested"] in {"model", "label", "ambiguous", "fine"} for row in rows.values())
    assert rows[9]["suggested"] == "fine"
    assert rows[9]["evidence"]
    assert rows[2]["decided_label"] == (dataset.test.labels[2] + 1) % 3
    assert rows[2]["given_then"] == dataset.test.labels[2]
    assert rows[2]["person"] == "Ana"
    assert rows[2]["decided_at"].endswith("Z")
    assert rows[4]["person"] is rows[4]["decided_at"] is rows[4]["revision"] is None
    assert rows[3]["decided_label"] is rows[3]["decided_class"] is None


def test_verdicts_without_predictions_to_suggest_any_from(study: Study, dataset: Dataset) -> None:
    study.verdicts.decide("train", [7], Verdict.MODEL, event="x", tab="t")
    table = export(study, "verdicts", "train", dataset=dataset)
    assert [row["index"] for row in read(table, ".json")] == [7]
    assert "suggested" not in table.columns
    assert "None is suggested: that needs held-out" in " ".join(table.notes)


def test_mistakes_and_predictions_of_one_model(study: Study, dataset: Dataset) -> None:
    rows = read(export(study, "mistakes", dataset=dataset), ".json")  # the newest is `one`
    assert sorted(row["index"] for row in rows) == [0, 1, 2, 3]
    assert all(row["mistake"] and row["predicted"] != row["given"] for row in rows)
    other = export(study, "mistakes", model="two", dataset=dataset)
    assert sorted(row["index"] for row in read(other, ".json")) == [2, 3, 4]
    table = export(study, "predictions", model="two", dataset=dataset)
    assert table.about["predictions"] == "two-imported-s0.test.held-out"
    (provenance,) = study.list_predictions("test", "two")
    there = study.load_predictions(provenance)
    rows = read(table, ".parquet")
    np.testing.assert_array_equal(
        np.array([[row[f"p_{k}"] for k in range(3)] for row in rows], np.float32),
        there.probabilities,
    )
    assert [row["predicted"] for row in rows] == there.predicted.tolist()
    # A CSV of floats reads back as the same float32.
    rows = read(table, ".csv")
    parsed = np.array([[row[f"p_{k}"] for k in range(3)] for row in rows]).astype(np.float32)
    np.testing.assert_array_equal(parsed, there.probabilities)


def test_files_of_images_are_named(study: Study, dataset: Dataset) -> None:
    class Files:
        def __len__(self) -> int:
            return 12

        def __getitem__(self, i: int, /) -> Any:
            return dataset.test.images[i]

        def name(self, i: int) -> str:
            return f"cat/{i}.png"

    split = Split("test", Files(), dataset.test.labels)
    files = Dataset("bars", CLASSES, {"train": dataset.train, "test": split}, "bars")
    for what in WHAT:
        rows = read(export(study, what, dataset=files), ".json")
        assert [row["file"] for row in rows] == [f"cat/{row['index']}.png" for row in rows]


def test_files_lie_where_they_are_told_to(study: Study, dataset: Dataset, tmp_path: Path) -> None:
    table = export(study, "labels", dataset=dataset)
    for kind, count in ((".csv", 2), (".parquet", 1), (".json", 1)):
        written = write_export(table, tmp_path / "new" / f"labels{kind}")
        assert len(written) == count
        assert written[0].read_bytes() == table.encode(kind)
    beside = tmp_path / "new" / "labels.csv.about.txt"
    assert beside.read_text(encoding="utf-8") == table.tell()
    assert table.file_name(".csv") == "labels.test.csv"
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match="output: can't write"):
        write_export(table, tmp_path / "file" / "labels.csv")


def test_where_a_table_goes(study: Study) -> None:
    here = study.path / "exports"
    assert place_of(study, "labels", "test", None, None) == (here / "labels.test.csv", ".csv")
    assert place_of(study, "labels", "train", "json", None)[0] == here / "labels.train.json"
    assert place_of(study, "labels", "test", "parquet", Path("-")) == (None, ".parquet")
    assert place_of(study, "labels", "test", None, Path("a.JSON")) == (Path("a.JSON"), ".json")
    cases: list[tuple[str, str | None, str | None, str]] = [
        ("test", "xlsx", None, "format must be one of csv, parquet, json. Got 'xlsx'"),
        ("test", "csv", "a.json", "expected a .csv file by --format"),
        ("test", None, "a.xlsx", "output: expected .csv, .parquet, .json"),
        ("../test", None, None, "split must be one of train, test"),
    ]
    for split, form, output, says in cases:
        with pytest.raises(ParameterError, match=says):
            place_of(study, "labels", split, form, None if output is None else Path(output))


def test_what_is_not_there_is_refused(study: Study, dataset: Dataset) -> None:
    with pytest.raises(ParameterError, match="what must be one of verdicts, labels, predictions"):
        export(study, "readings", dataset=dataset)
    for what in WHAT:
        with pytest.raises(ParameterError, match="split must be one of train, test"):
            export(study, what, "validation", dataset=dataset)
    with pytest.raises(StudyError, match="expected predictions"):
        export(study, "mistakes", model="three", dataset=dataset)


def test_a_study_without_verdicts_or_predictions(tmp_path: Path, dataset: Dataset) -> None:
    bare = Study.create(tmp_path / "bare", dataset)
    labels = export(bare, "labels", dataset=dataset)
    assert len(labels) == 12
    assert not np.asarray(labels.columns["changed"]).any()
    verdicts = export(bare, "verdicts", dataset=dataset)
    for kind in (".csv", ".parquet", ".json"):
        assert read(verdicts, kind) == []
    assert sorted(file.name for file in bare.path.iterdir()) == ["study.toml"]
