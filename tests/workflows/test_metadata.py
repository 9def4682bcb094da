import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset, load
from misread.errors import DatasetError, InputError, MetadataError, ParameterError, StudyError
from misread.store import Study
from misread.workflows.metadata import import_metadata


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=30, test=12)))


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return Study.create(tmp_path / "study", dataset)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_metadata_is_saved_and_grows(study: Study, tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "index,writer\n11,ann\n0,bob\n")
    made = import_metadata(study, first, cluster="writer")
    assert made.by_position
    assert made.rows == {"test": 2}
    assert made.columns == ("writer",)
    pages = "".join(f"{page}\n" for page in range(12))
    second = import_metadata(study, write(tmp_path / "b.csv", "page\n" + pages))
    assert not second.by_position
    known = study.load_metadata("test")
    assert known is not None
    assert known.columns == ["writer", "page"]
    assert known.cluster == "writer"
    assert known.table["writer"].to_pylist() == ["bob", *[None] * 10, "ann"]
    assert known.table["page"].to_pylist() == list(range(12))
    assert study.load_metadata("train") is None
    assert (study.path / "metadata" / "test.parquet").exists()


def test_importing_twice_is_fine_and_other_values_are_not(study: Study, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "index,writer\n0,ann\n")
    import_metadata(study, file)
    import_metadata(study, file)
    write(file, "index,writer\n0,bob\n")
    with pytest.raises(MetadataError, match=r"ann there, bob here\); --replace"):
        import_metadata(study, file)
    import_metadata(study, file, replace=True)
    known = study.load_metadata("test")
    assert known is not None
    assert known.table["writer"].to_pylist()[0] == "bob"


def test_nothing_is_saved_if_one_split_is_refused(study: Study, tmp_path: Path) -> None:
    import_metadata(study, write(tmp_path / "a.csv", "split,index,a\ntrain,0,1\n"))
    both = write(tmp_path / "b.csv", "split,index,a\ntest,0,1\ntrain,0,2\n")
    with pytest.raises(MetadataError, match="train split already"):
        import_metadata(study, both)
    assert study.load_metadata("test") is None


def test_metadata_of_other_images_is_refused(
    study: Study, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    import_metadata(study, write(tmp_path / "a.csv", "index,a\n0,1\n"))
    other = Study.create(tmp_path / "other", make_dataset(train=30, test=12, seed=5))
    file = other.path / "metadata" / "test.parquet"
    file.parent.mkdir()
    file.write_bytes((study.path / "metadata" / "test.parquet").read_bytes())
    with pytest.raises(MetadataError, match="is about other images"):
        other.load_metadata("test")
    renamed = study.path / "metadata" / "train.parquet"
    renamed.write_bytes(file.read_bytes())
    with pytest.raises(MetadataError, match="is about other images"):
        study.load_metadata("train")
    with pytest.raises(StudyError):
        study.load_metadata("../x")


def test_a_place_that_cannot_be_written_is_an_error_of_ours(study: Study, tmp_path: Path) -> None:
    (study.path / "metadata").touch()
    with pytest.raises(InputError, match="metadata"):
        import_metadata(study, write(tmp_path / "a.csv", "index,a\n0,1\n"))


def test_what_cannot_be_imported_is_refused_in_one_line(study: Study, tmp_path: Path) -> None:
    good = write(tmp_path / "a.csv", "index,a\n0,1\n")
    cases: list[tuple[Path | str, dict[str, object], type[InputError], str]] = [
        (good, {"split": "val"}, MetadataError, "expected one of train, test"),
        (good, {"cluster": "nope"}, MetadataError, "cluster: expected one of the columns a"),
        (good, {"folder": tmp_path}, ParameterError, "from: only qmnist"),
        (tmp_path / "absent.csv", {}, MetadataError, "found none"),
        ("qmnist", {"split": "test"}, ParameterError, "split: qmnist knows its own"),
        ("qmnist", {"cluster": "a"}, ParameterError, "cluster: qmnist knows its own"),
        ("qmnist", {"folder": tmp_path / "absent"}, DatasetError, "found neither"),
        (write(tmp_path / "e.csv", "index,a\n"), {}, MetadataError, "found no rows"),
        (write(tmp_path / "given.csv", "index,given\n0,1\n"), {}, MetadataError, "'given'"),
    ]
    for source, options, kind, says in cases:
        with pytest.raises(kind) as caught:
            import_metadata(study, source, **options)  # type: ignore[arg-type]
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert study.load_metadata("test") is None


def write_qmnist(folder: Path, dataset: Dataset, extra: int = 0) -> Path:
    """Tables as QMNIST's, of these given labels and `extra` rows more: writers of 4 images."""
    folder.mkdir(exist_ok=True)
    for name, split in dataset.splits.items():
        labels = np.concatenate([split.labels, np.zeros(extra, np.int16)])
        lines = [
            f"{label}\t{0 if row < 12 else 4}\t{row // 4}\t{row % 4}\t{30 + label}\t{row}\t0\t0\n"
            for row, label in enumerate(labels)
        ]
        (folder / f"qmnist-{name}-labels.tsv.gz").write_bytes(
            gzip.compress("".join(lines).encode())
        )
    return folder


def test_qmnist_says_who_wrote_each_digit(study: Study, dataset: Dataset, tmp_path: Path) -> None:
    folder = write_qmnist(tmp_path / "qmnist", dataset, extra=5)
    made = import_metadata(study, "qmnist", folder=folder)
    assert made.rows == {"train": 30, "test": 12}
    known = study.load_metadata("train")
    assert known is not None
    assert known.cluster == "writer"
    assert known.columns[:3] == ["series", "hsf", "writer"]
    assert known.table["series"].to_pylist() == ["census employees"] * 12 + ["students"] * 18
    assert known.table["writer"].to_pylist() == [row // 4 for row in range(30)]
    import_metadata(study, "qmnist", folder=folder)


def test_qmnist_of_other_digits_is_refused(
    study: Study, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    other = make_dataset(train=30, test=12, seed=3)
    with pytest.raises(MetadataError, match="has other given labels or more images"):
        import_metadata(study, "qmnist", folder=write_qmnist(tmp_path / "other", other))
    short = make_dataset(train=30, test=12)
    short = Dataset(
        "short", short.classes, {n: s.take(range(9)) for n, s in short.splits.items()}, "short"
    )
    with pytest.raises(MetadataError, match="more images"):
        import_metadata(study, "qmnist", folder=write_qmnist(tmp_path / "short", short))
    assert study.load_metadata("test") is None


@pytest.mark.skipif("MISREAD_QMNIST" not in os.environ, reason="MISREAD_QMNIST names no folder")
def test_the_real_tables_are_imported(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "mnist-study", load("mnist"))
    made = import_metadata(study, "qmnist", folder=Path(os.environ["MISREAD_QMNIST"]))
    assert made.rows == {"train": 60_000, "test": 10_000}
    series = made.splits["test"].table["series"].value_counts().to_pylist()
    assert {row["values"]: row["counts"] for row in series} == {
        "census employees": 4999,
        "students": 5001,
    }
    assert len(made.splits["test"].values("writer")[1]) == 297
