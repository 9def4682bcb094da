"""Files are written by pyarrow from known arrays, as Hugging Face's datasets write them."""

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import misread
from misread.datasets import parquet_images
from misread.datasets.images import Previewed
from misread.datasets.parquet import load_parquet
from misread.errors import DatasetError
from misread.types import Array

HUGGING_FACE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def noise(count: int, seed: int = 0) -> list[Array]:
    """Images of several sizes, grey and in colour."""
    generator = np.random.default_rng(seed)
    shapes = [(5 + k % 3, 4, 3) if k % 2 else (5, 4 + k % 4) for k in range(count)]
    return [generator.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]


def encoded(image: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write(
    file: Path,
    images: list[Array],
    labels: object,
    *,
    rows: int = 4,
    column: str = "image",
    kind: pa.DataType = HUGGING_FACE,
    names: list[str] | None = None,
    paths: list[str | None] | None = None,
    codec: str = "snappy",
) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    values: list[Any] = [encoded(image) for image in images]
    if pa.types.is_struct(kind):
        named = paths or [None] * len(values)
        values = [{"bytes": v, "path": p} for v, p in zip(values, named, strict=True)]
    table = pa.table({column: pa.array(values, kind), "label": labels, "more": [1.5] * len(values)})
    if names is not None:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": told})
    pq.write_table(table, file, row_group_size=rows, compression=codec)
    return file


@pytest.mark.parametrize("kind", [HUGGING_FACE, pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("rows", [1, 4, 100])
@pytest.mark.parametrize("column", ["image", "img"])
def test_images_and_labels_are_read(
    tmp_path: Path, kind: pa.DataType, rows: int, column: str
) -> None:
    images, labels = noise(11), [k % 3 for k in range(11)]
    file = write(tmp_path / "many.parquet", images, labels, rows=rows, column=column, kind=kind)
    dataset = misread.load(file)
    assert dataset.name == "many"
    assert dataset.classes == ("0", "1", "2")
    assert dataset.test.labels.tolist() == labels
    assert dataset.test.image_shape is None
    for k in (10, 0, 3, 4, 3, 9):
        np.testing.assert_array_equal(dataset.test.images[k], images[k])
    for k in (-1, 11):
        with pytest.raises(IndexError):
            dataset.test.images[k]


def test_a_folder_of_shards_as_hugging_face_has_it(tmp_path: Path) -> None:
    images, root = noise(12), tmp_path / "pets"
    (root / ".cache").mkdir(parents=True)
    (root / "README.md").touch()
    for shard, part in enumerate((slice(0, 5), slice(5, 8))):
        labels = list(range(8))[part]
        file = root / f"data/train-0000{shard}-of-00002.parquet"
        write(file, images[part], [k % 2 for k in labels], names=["cat", "dog"])
    write(root / "data/test-00000-of-00001.parquet", images[8:], [1, 0, 1, 0], names=["cat", "dog"])
    dataset = misread.load(root)
    assert dataset.name == "pets"
    assert dataset.classes == ("cat", "dog")
    assert list(dataset.splits) == ["train", "test"]
    assert dataset.train.labels.tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    for k in range(8):
        np.testing.assert_array_equal(dataset.train.images[k], images[k])
    for k in range(4):
        np.testing.assert_array_equal(dataset.test.images[k], images[8 + k])
    again = misread.load(dataset.source)
    for name, split in dataset.splits.items():
        assert again.splits[name].items_fingerprint == split.items_fingerprint
    assert misread.load(root / "data").train.items_fingerprint == dataset.train.items_fingerprint


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.parquet", "train"), ("Test-0.parquet", "test"),
        ("validation_1.parquet", "validation"), ("training-0.parquet", "train"),
        ("trains.parquet", "test"), ("0000.parquet", "test"),
    ],
)  # fmt: skip
def test_a_file_is_of_the_split_that_its_name_begins_with(
    tmp_path: Path, name: str, split: str
) -> None:
    assert list(load_parquet(write(tmp_path / name, noise(2), [0, 1])).splits) == [split]


@pytest.mark.parametrize("dictionary", [False, True])
def test_labels_may_be_names(tmp_path: Path, dictionary: bool) -> None:
    def labels(*names: str) -> pa.Array:
        made = pa.array(names)
        return made.dictionary_encode() if dictionary else made

    write(tmp_path / "train.parquet", noise(3), labels("owl", "cat", "owl"))
    write(tmp_path / "test.parquet", noise(2), labels("emu", "owl"))
    dataset = load_parquet(tmp_path)
    assert dataset.classes == ("cat", "emu", "owl")
    assert dataset.train.labels.tolist() == [2, 0, 2]
    assert dataset.test.labels.tolist() == [1, 2]


def test_names_of_files_are_kept_where_all_have_one(tmp_path: Path) -> None:
    images = noise(6)
    write(tmp_path / "a.parquet", images, [0] * 6, paths=[f"ä/{k}.png" for k in range(6)])
    write(tmp_path / "b.parquet", images, [0] * 6, paths=["x.png", None, *["y.png"] * 4])
    write(tmp_path / "c.parquet", images, [0] * 6, kind=pa.binary())
    named = load_parquet(tmp_path / "a.parquet").test
    assert named.file(5) == "ä/5.png"
    assert named.take([4, 2]).files([1, 0]) == pytest.approx(["ä/2.png", "ä/4.png"])
    for other in ("b", "c"):
        assert load_parquet(tmp_path / f"{other}.parquet").test.files() is None


def test_the_fingerprint_is_of_the_images_and_not_of_the_labels(tmp_path: Path) -> None:
    images = noise(9)
    first = load_parquet(write(tmp_path / "a.parquet", images, [0] * 9)).test
    other = load_parquet(write(tmp_path / "b.parquet", images, list(range(9)))).test
    assert other.items_fingerprint == first.items_fingerprint
    assert other.labels_fingerprint != first.labels_fingerprint
    changed = [images[0] ^ 1, *images[1:]]
    for content in (changed, images[::-1], images[:8]):
        third = load_parquet(write(tmp_path / "c.parquet", content, [0] * len(content))).test
        assert third.items_fingerprint != first.items_fingerprint


def test_bitmaps_of_one_size_have_different_fingerprints(tmp_path: Path) -> None:
    found = set()
    for seed in range(2):
        buffer = io.BytesIO()
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 9), np.uint8)).save(
            buffer, "BMP"
        )
        table = pa.table({"image": [buffer.getvalue()] * 3, "label": [0, 0, 0]})
        pq.write_table(table, tmp_path / "a.parquet", compression="none")
        found.add(load_parquet(tmp_path / "a.parquet").test.items_fingerprint)
    assert len(found) == 2


def test_groups_of_rows_are_read_once_and_given_up_when_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = noise(40)
    split = load_parquet(write(tmp_path / "a.parquet", images, [0] * 40, rows=10)).test
    read: list[int] = []
    real = pq.ParquetFile.read_row_group

    def count(self: pq.ParquetFile, group: int, *arguments: Any, **options: Any) -> pa.Table:
        read.append(group)
        return real(self, group, *arguments, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", count)
    for k in [*range(40), *range(40)]:
        split.images[k]
    assert read == [0, 1, 2, 3]
    monkeypatch.setattr(parquet_images, "_KEPT_BYTES", 1)
    split = load_parquet(tmp_path / "a.parquet").test
    for k in (0, 1, 12, 0):
        np.testing.assert_array_equal(split.images[k], images[k])
    assert read[4:] == [0, 1, 0]


def test_several_threads_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_images, "_KEPT_BYTES", 2_000)
    images = noise(60)
    split = load_parquet(write(tmp_path / "a.parquet", images, [0] * 60, rows=7)).test
    chosen = np.random.default_rng(0).integers(0, 60, 400).tolist()
    with ThreadPoolExecutor(8) as pool:
        for k, found in zip(chosen, pool.map(lambda k: split.images[k], chosen), strict=True):
            np.testing.assert_array_equal(found, images[k])


def test_a_browser_may_be_given_the_files(tmp_path: Path) -> None:
    images = noise(3)
    files = load_parquet(write(tmp_path / "a.parquet", images, [0] * 3)).test.images
    assert isinstance(files, Previewed)
    assert files.original(2, 20) == (encoded(images[2]), "image/png")
    np.testing.assert_array_equal(files.preview(1, 2), images[1])
    assert int(files.stamp(0), 16) == (tmp_path / "a.parquet").stat().st_mtime_ns


def test_a_file_that_is_written_meanwhile_is_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", noise(3), [0] * 3)
    split = load_parquet(file).test
    os.utime(file, ns=(0, 10**18))
    with pytest.raises(DatasetError, match=r"a\.parquet: was written since .* open it again"):
        split.images[0]
    file.unlink()
    with pytest.raises(DatasetError, match=r"a\.parquet: .* can't be read: No such file"):
        split.images[0]


def test_a_damaged_image_is_named_by_its_row(tmp_path: Path) -> None:
    values = [encoded(image) for image in noise(7)]
    table = pa.table({"image": [*values[:5], b"not an image", None], "label": [0] * 7})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    images = load_parquet(tmp_path / "a.parquet").test.images
    with pytest.raises(DatasetError, match=r"a\.parquet/row 5: expected an image, found another"):
        images[5]
    with pytest.raises(DatasetError, match=r"a\.parquet/row 6: expected an image, found nothing"):
        images[6]


PICTURE = encoded(noise(1)[0])


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"pixels": [1], "label": [0]}, "expected the columns image (or img) and label, found '"),
        ({"image": [PICTURE], "class": [0]}, "expected the columns image (or img) and label"),
        ({"image": ["a.png"], "label": [0]}, "column 'image' must hold image files, as binary or"),
        ({"image": [{"path": "a"}], "label": [0]}, "column 'image' must hold image files, as"),
        ({"image": [PICTURE], "label": [0.5]}, "column 'label' must hold whole numbers or class"),
        ({"image": [PICTURE] * 2, "label": [0, None]}, "1 images have no label; leave them out"),
        ({"image": [PICTURE] * 2, "label": [0, -1]}, "labels must be from 0 to 32766, got -1 to 0"),
        ({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())}, "holds no image"),
    ],
)  # fmt: skip
def test_what_is_no_such_table_is_one_line(
    tmp_path: Path, columns: dict[str, Any], says: str
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(DatasetError) as caught:
        misread.load(tmp_path / "a.parquet")
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "a.parquet"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "text", "half"])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str) -> None:
    file = write(tmp_path / "a.parquet", noise(3), [0] * 3)
    whole = file.read_bytes()
    content = {"empty": b"", "text": b"not a table", "half": whole[: len(whole) // 2]}
    file.write_bytes(content[damage])
    with pytest.raises(DatasetError, match=r"a\.parquet: expected a Parquet file") as caught:
        misread.load(file)
    assert "\n" not in str(caught.value)


def test_files_of_different_datasets_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", noise(2), [0, 1], names=["a", "b"])
    write(tmp_path / "test.parquet", noise(2), [0, 1], names=["b", "a"])
    with pytest.raises(DatasetError, match=r"has other classes .* than train\.parquet"):
        load_parquet(tmp_path)
    write(tmp_path / "test.parquet", noise(2), [0, 2], names=["a", "b"])
    with pytest.raises(DatasetError, match=r"labels must be from 0 to 1 \(2 classes\), got 2"):
        load_parquet(tmp_path)


def test_groups_of_rows_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_images, "_LARGEST_GROUP", 100)
    file = write(tmp_path / "a.parquet", noise(9), [0] * 9, rows=9)
    with pytest.raises(DatasetError, match=r"has 9 images, .* write it with smaller groups"):
        load_parquet(file)


def test_a_table_beside_folders_of_images_is_no_dataset(tmp_path: Path) -> None:
    write(tmp_path / "metadata.parquet", noise(2), [0, 1])
    (tmp_path / "cat").mkdir()
    Image.fromarray(noise(1)[0]).save(tmp_path / "cat" / "1.png")
    assert misread.load(tmp_path).classes == ("cat",)
