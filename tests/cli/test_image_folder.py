"""A folder of image files, through the commands that people would use with it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import misread
from misread.datasets import Dataset, Split

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(invoke: Invoke) -> Callable[..., Any]:
    """What a command prints as JSON."""

    def call(*arguments: str | Path) -> Any:
        code, out, err = invoke(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """12 images of several sizes, modes and formats, and a file of predictions of them."""
    generator = np.random.default_rng(0)
    for number in range(12):
        name = f"{('cat', 'dog', '[bold]owl')[number % 3]}/im {number:02}"
        file = tmp_path / "mixed" / f"{name}{('.png', '.jpg', '.webp', '.gif')[number % 4]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        height, width = generator.integers(8, 300, 2)
        shape = (height, width, 3) if number % 2 else (height, width)
        Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(file)
    (tmp_path / "mixed/cat/notes.txt").write_text("not an image")
    probabilities = generator.dirichlet(np.ones(3), 12)
    np.save(tmp_path / "net.npy", probabilities.astype(np.float32))
    return tmp_path


def test_imported_predictions_of_images_of_any_size(
    mixed: Path, invoke: Invoke, said: Callable[..., Any]
) -> None:
    dataset = misread.load(mixed / "mixed")
    files = dataset.test.files()
    assert files is not None
    code, _, err = invoke("import", "predictions", "net.npy", "--dataset", "mixed")
    assert code == 0, err
    predicted = np.load(mixed / "net.npy").argmax(axis=1)
    wrong = set(np.flatnonzero(predicted != dataset.test.labels))

    found = said("mistakes")["mistakes"]
    assert {row["index"] for row in found} == wrong
    assert all(row["file"] == files[row["index"]] for row in found)
    assert all(Path(row["file"]).parent.name == row["given"] for row in found)
    assert found[0]["file"] in invoke("mistakes")[1]

    code, out, err = invoke("audit", "--output", "audit.csv")
    assert code == 0, err
    with (mixed / "audit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["index"]): row["file"] for row in rows} == dict(enumerate(files))
    assert rows[0]["file"] in out
    (shown,) = said("audit", "--index", "3")["images"]
    assert shown["file"] == files[3]
    assert f"file: {files[3]}" in invoke("audit", "--index", "3")[1]

    code, _, err = invoke("report")
    assert code == 0, err
    page = (mixed / "mixed-study/report/audit-test.html").read_text(encoding="utf-8")
    assert rows[0]["file"].rpartition("/")[2] in page


def test_too_few_predictions_tell_what_was_left_out(mixed: Path, invoke: Invoke) -> None:
    np.save(mixed / "more.npy", np.full((13, 3), 1 / 3, np.float32))
    code, _, err = invoke("import", "predictions", "more.npy", "--dataset", "mixed")
    assert code == 2
    assert "left out 1 file that isn't an image (.txt 1). Got 13 instead" in err
    assert err.count("\n") == 1


def test_metadata_of_files(mixed: Path, invoke: Invoke, said: Callable[..., Any]) -> None:
    invoke("import", "predictions", "net.npy", "--dataset", "mixed")
    files = misread.load(mixed / "mixed").test.files()
    assert files is not None
    with (mixed / "cameras.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "camera"])
        writer.writerows([name, f"c{i % 2}"] for i, name in reversed(list(enumerate(files))))
    assert said("import", "metadata", "cameras.csv")["by_position"]
    known = misread.Study.open(mixed / "mixed-study").load_metadata("test")
    assert known is not None
    assert known.table["camera"].to_pylist() == [f"c{i % 2}" for i in range(12)]
    (mixed / "cameras.csv").write_text("file,camera\ncat/none.png,c0\n")
    code, _, err = invoke("import", "metadata", "cameras.csv")
    assert code == 2
    assert "Got 'cat/none.png' in row 1 instead" in err


def test_duplicates_name_their_files(
    mixed: Path, invoke: Invoke, said: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = next((mixed / "mixed/cat").glob("*.png"))
    copy = mixed / "mixed/dog/copy.png"
    copy.write_bytes(original.read_bytes())
    found = said("duplicates", "mixed", "--output", "pairs.csv")
    (pair,) = found["pairs"]
    assert (pair["file_a"], pair["file_b"]) == (f"cat/{original.name}", "dog/copy.png")
    (group,) = found["groups"]
    assert [image["file"] for image in group["images"]] == [pair["file_a"], pair["file_b"]]
    with (mixed / "pairs.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file_a"], row["file_b"]) == (pair["file_a"], pair["file_b"])
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = invoke("duplicates", "mixed")
    assert code == 0
    assert "dog/copy.png" in out
    assert err == "mixed: left out 1 file that isn't an image (.txt 1)\n"


def test_an_image_that_is_damaged_is_one_line(mixed: Path, invoke: Invoke) -> None:
    (mixed / "mixed/dog/zz.png").write_bytes(b"not an image")
    (mixed / "mixed/cat/notes.txt").unlink()
    code, _, err = invoke("duplicates", "mixed")
    assert code == 2
    assert "dog/zz.png: expected an image, found another kind of file" in err
    assert err.count("\n") == 1


def test_images_of_one_size_are_trained_on(
    tmp_path: Path,
    invoke: Invoke,
    said: Callable[..., Any],
    make_dataset: Callable[..., Dataset],
    write_images: Callable[[Path, Split, tuple[str, ...]], None],
) -> None:
    pytest.importorskip("torch")
    bars = make_dataset(shape=(28, 28))
    for name, split in bars.splits.items():
        write_images(tmp_path / "bars" / name, split, bars.classes)
    result = said("run", "bars", "--model", "quick", "--epochs", "6")
    assert set(result["splits"]) == {"train", "test"}
    assert result["splits"]["test"]["error"]["rate"] < 0.4
    again = said("run", tmp_path / "bars", "--model", "quick", "--epochs", "6")
    assert not again["trained"]
    (tmp_path / "bars/train/top").rename(tmp_path / "bars/train/moved")
    code, _, err = invoke("mistakes")
    assert code == 2
    assert "other images or labels" in err
