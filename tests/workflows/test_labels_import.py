import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.datasets import Dataset
from misread.errors import ParameterError, VerdictsError
from misread.store import Study
from misread.tables.verdicts import Verdict
from misread.workflows.exporting import export, write_export
from misread.workflows.labels_import import ImportedVerdicts, import_labels

CLASSES = ("top", "mid, dle", "bottom")


@pytest.fixture(scope="module")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=9, test=12, classes=CLASSES)


def make(folder: Path, dataset: Dataset) -> Study:
    return Study.create(folder, dataset)


def counts(imported: ImportedVerdicts) -> tuple[int, int, int]:
    return imported.added, imported.same, imported.kept


def standing(study: Study, split: str = "test") -> list[tuple[Any, ...]]:
    """All of the verdicts but their revisions."""
    state = study.verdicts.state(split)
    columns = (state.index, state.verdict, state.label, state.given, state.decided_at, state.person)
    return list(zip(*(column.tolist() for column in columns), strict=True))


DECISIONS = st.dictionaries(
    st.integers(0, 11),
    st.tuples(
        st.sampled_from(Verdict), st.none() | st.integers(1, 2), st.sampled_from(["", "Änä"])
    ),
    min_size=1,
)


@given(decided=DECISIONS, kind=st.sampled_from([".csv", ".parquet", ".json"]))
@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
def test_exported_verdicts_come_back(
    decided: dict[int, tuple[Verdict, int | None, str]],
    kind: str,
    dataset: Dataset,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("round")
    study, other = make(folder / "one", dataset), make(folder / "two", dataset)
    for item, (verdict, step, person) in decided.items():
        label = int(dataset.test.labels[item])
        right = (label + step) % 3 if step and verdict == Verdict.LABEL else None
        study.verdicts.decide(
            "test", [item], verdict, right, event=str(item), tab="t", given=[label], person=person
        )
    file = folder / f"verdicts{kind}"
    write_export(export(study, "verdicts", dataset=dataset), file)
    assert counts(import_labels(other, file, dataset=dataset)) == (len(decided), 0, 0)
    assert standing(other) == standing(study)
    revision = other.verdicts.revision()
    assert counts(import_labels(other, file, dataset=dataset)) == (0, len(decided), 0)
    assert counts(import_labels(other, file, replace=True, dataset=dataset)) == (0, len(decided), 0)
    assert other.verdicts.revision() == revision
    study.verdicts.close()
    other.verdicts.close()


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return make(tmp_path / "study", dataset)


def decide(study: Study, item: int, verdict: Verdict | None, event: str, **more: Any) -> None:
    study.verdicts.decide("test", [item], verdict, event=event, tab="t", **more)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".json"])
def test_exported_labels_come_back_as_verdicts(
    kind: str, study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    given = [int(label) for label in dataset.test.labels]
    right = (given[2] + 1) % 3
    decide(study, 2, Verdict.LABEL, "a", label=right, given=[given[2]])
    decide(study, 5, Verdict.LABEL, "b", given=[given[5]])
    decide(study, 7, Verdict.AMBIGUOUS, "c", given=[given[7]])
    write_export(export(study, "labels", dataset=dataset), tmp_path / f"labels{kind}")
    other = make(tmp_path / "other", dataset)
    imported = import_labels(other, tmp_path / f"labels{kind}", person="Bo", dataset=dataset)
    assert counts(imported) == (3, 0, 0)
    assert imported.rows == {"test": 3}
    state = other.verdicts.state("test")
    assert [state.find(item) for item in (2, 5, 7)] == [
        (Verdict.LABEL, right), (Verdict.LABEL, None), (Verdict.AMBIGUOUS, None)
    ]  # fmt: skip
    assert state.person.tolist() == ["Bo"] * 3
    assert state.given.tolist() == [given[2], given[5], given[7]]


def test_bare_labels_are_verdicts_where_they_differ(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    """By number or by name; of the others nobody knows whether they were looked at."""
    given = [int(label) for label in dataset.train.labels]
    other = [(label + 1) % 3 for label in given]
    file = tmp_path / "labels.tsv"
    lines = ["index\tlabel", f"4\t{other[4]}", f"2\t{given[2]}", f"0\t{CLASSES[other[0]]}", "5\t"]
    file.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    assert counts(import_labels(study, file, split="train", dataset=dataset)) == (2, 0, 0)
    state = study.verdicts.state("train")
    assert {int(i): state.find(int(i)) for i in state.index} == {
        0: (Verdict.LABEL, other[0]), 4: (Verdict.LABEL, other[4])
    }  # fmt: skip
    assert state.given.tolist() == [given[0], given[4]]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_what_was_decided_here_stays_unless_it_is_to_be_replaced(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "v.json",
        {"index": 1, "decided": "fine"}, {"index": 2, "decided": "model"},
        {"index": 3, "decided": "fine"}, {"index": 4, "decided": None},
    )  # fmt: skip
    decide(study, 1, Verdict.UNREADABLE, "a")
    decide(study, 2, Verdict.MODEL, "b")
    assert counts(import_labels(study, file, dataset=dataset)) == (1, 1, 1)
    assert study.verdicts.state("test").find(1) == (Verdict.UNREADABLE, None)
    # Taken back since it came in: it doesn't come in again by itself.
    decide(study, 3, None, "c")
    assert counts(import_labels(study, file, dataset=dataset)) == (0, 1, 2)
    assert counts(import_labels(study, file, replace=True, dataset=dataset)) == (2, 1, 0)
    assert study.verdicts.state("test").find(1) == (Verdict.FINE, None)
    assert study.verdicts.state("test").find(3) == (Verdict.FINE, None)
    # Changed and replaced again.
    decide(study, 1, Verdict.AMBIGUOUS, "d")
    assert counts(import_labels(study, file, replace=True, dataset=dataset)) == (1, 2, 0)
    assert counts(import_labels(study, file, replace=True, dataset=dataset)) == (0, 3, 0)
    # Everything that ever stood is still in the log.
    assert study.verdicts.state("test", as_of=1).find(1) == (Verdict.UNREADABLE, None)


def test_a_file_may_be_about_several_splits(study: Study, dataset: Dataset, tmp_path: Path) -> None:
    file = write(
        tmp_path / "v.json",
        {"split": "test", "index": 1, "decided": "fine", "decided_at": "2025-01-31T12:00:00Z"},
        {"split": "train", "index": 1, "decided": "fine", "decided_at": "2025-01-31T12:00:00"},
        {"split": "test", "index": 2, "decided": "fine", "decided_at": "2025-01-31T13:00+01:00"},
    )
    imported = import_labels(study, file, dataset=dataset)
    assert imported.rows == {"test": 2, "train": 1}
    for split in ("test", "train"):
        times = study.verdicts.state(split).decided_at
        assert set(times.tolist()) == {1_738_324_800_000}


def test_verdicts_on_labels_that_were_corrected_since(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    """The images are the same: the verdict keeps the label that it was given against."""
    decide(study, 2, Verdict.FINE, "a", given=[int(dataset.test.labels[2])])
    write_export(export(study, "verdicts", dataset=dataset), tmp_path / "v.parquet")
    write_export(export(study, "verdicts", dataset=dataset), tmp_path / "v.csv")
    labels = dataset.test.labels.copy()
    labels[2] = (labels[2] + 1) % 3
    corrected = dataclasses.replace(dataset.test, labels=labels)
    later = dataclasses.replace(dataset, splits={"train": dataset.train, "test": corrected})
    other = make(tmp_path / "other", later)
    with pytest.raises(VerdictsError, match="the file is about other images or labels"):
        import_labels(other, tmp_path / "v.csv", dataset=later)
    import_labels(other, tmp_path / "v.parquet", dataset=later)
    assert other.verdicts.state("test").given.tolist() == [dataset.test.labels[2]]


def test_verdicts_on_other_images_are_refused(
    study: Study, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    others = make_dataset(train=9, test=12, classes=CLASSES, seed=5)
    other = make(tmp_path / "other", others)
    decide(study, 2, Verdict.FINE, "a")
    for kind in (".parquet", ".json"):
        table = export(study, "labels", dataset=study_dataset(study, make_dataset))
        write_export(table, tmp_path / f"v{kind}")
        with pytest.raises(VerdictsError, match="is about other images than"):
            import_labels(other, tmp_path / f"v{kind}", dataset=others)
    assert other.verdicts.revision() == 0


def study_dataset(study: Study, make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=9, test=12, classes=study.classes)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"index": 12, "decided": "fine"}], r"index must be in 0\.\.11, each .* once. Got 12"),
        ([{"index": -1, "decided": "fine"}], r"index must be in 0\.\.11"),
        ([{"index": 1, "decided": "fine"}] * 2, "once. Got 1 instead, again"),
        ([{"index": "x", "decided": "fine"}], "row 1, column 'index': expected a whole number"),
        ([{"index": 1.5, "decided": "fine"}], "column 'index': expected a whole number. Got 1.5"),
        ([{"index": True, "decided": "fine"}], "column 'index': expected a whole number"),
        ([{"index": 1, "decided": "wrong"}], "column 'decided': expected one of model, label, amb"),
        ([{"index": 1, "decided": 3}], "column 'decided': expected one of model, label, amb"),
        ([{"index": 1, "label": 3}], r"column 'label': expected a class in 0\.\.2. Got 3"),
        ([{"index": 1, "label": "mid"}], "column 'label': expected a class. Got 'mid'"),
        ([{"index": 1, "label": [1]}], "column 'label': expected a whole number"),
        ([{"index": 1, "decided": "fine", "given": 7}], r"column 'given': expected a class in 0"),
        ([{"index": 1, "decided": "fine", "decided_at": "soon"}], "expected a time as 2025-01-31T"),
        ([{"index": 1, "decided": "fine", "decided_at": 5}], "expected a time as 2025-01-31T12"),
        ([{"split": "dev", "index": 1, "decided": "fine"}], "expected labels of train, test. Got"),
        ([{"index": 1, "verdict": "fine"}], "expected rows with the columns index and decided"),
        ([], r"expected rows with the columns index and decided .* Got no rows"),
        ([5], "expected a table: expected a list of objects"),
    ],
)  # fmt: skip
def test_files_of_something_else_are_refused(
    rows: list[Any], says: str, study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "v.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(VerdictsError, match=says) as caught:
        import_labels(study, file, dataset=dataset)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert study.verdicts.revision() == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("v.txt", b"", r"expected labels or verdicts as \.csv, \.tsv, \.parquet, \.json"),
        ("v.json", b"{", "expected a table"),
        ("v.json", b"{}", "expected a table"),
        ("v.json", b'{"rows": 5, "about": {}}', "expected a table"),
        ("v.json", b"\xff", "expected a table"),
        ("v.json", b"5", "expected a table"),
        ("v.parquet", b"PAR1", "expected a table"),
        ("v.csv", b"index,decided\n1,fine,3\n", "line 2 has another number of fields"),
        ("v.csv", b"index,decided\n1\n", "line 2 has another number of fields"),
        ("v.csv", b"index,decided\n\xff,fine\n", "expected a table"),
        ("v.csv", b'index,decided\n"1,fine\n', "expected a table"),
        ("v.csv", b"", "no rows"),
        ("v.csv", None, "expected a file of labels or verdicts, found none"),
    ],
)
def test_damaged_files_are_refused(
    name: str, content: bytes | None, says: str, study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(VerdictsError, match=says) as caught:
        import_labels(study, file, dataset=dataset)
    assert "\n" not in str(caught.value)


def test_options_that_contradict_the_file_are_refused(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    file = write(tmp_path / "v.json", {"split": "test", "index": 1, "decided": "fine"})
    with pytest.raises(VerdictsError, match="says that it is about 'test'; leave --split out"):
        import_labels(study, file, split="train", dataset=dataset)
    assert counts(import_labels(study, file, split="test", dataset=dataset)) == (1, 0, 0)
    label = int(dataset.test.labels[3])
    wrong = write(tmp_path / "w.json", {"index": 3, "decided": "label", "decided_label": label})
    with pytest.raises(ParameterError, match=f"image 3 is given {label} already"):
        import_labels(study, wrong, dataset=dataset)
