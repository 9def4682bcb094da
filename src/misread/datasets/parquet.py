"""Parquet files with a column of image files and one of labels, as Hugging Face writes them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from misread.datasets._files import open_input, show, unreadable
from misread.datasets.dataset import Dataset, Split, numbered_classes
from misread.datasets.parquet_images import EXPECTED, ParquetImages, Shard
from misread.datasets.splits import SPLITS, parquet_files, split_of
from misread.errors import DatasetError
from misread.types import Array

COLUMNS = "the columns image (or img) and label"

_IMAGES = ("image", "img")
_LABEL = "label"


@dataclass(frozen=True, eq=False)
class _File:
    """One file, its labels, and the class names that it tells."""

    shard: Shard
    labels: pa.Array
    names: tuple[str, ...] | None


def load_parquet(path: str | Path) -> Dataset:
    """Load a Parquet file of images, or a folder of such files.

    Columns: `image` (or `img`), the content of image files as binary or as a struct of `bytes` and
    `path`; `label`, whole numbers or class names. Other columns are left alone. Class names of
    numbers are those that Hugging Face's metadata tell, else the numbers.

    A file is of the split that its name begins with (`test-00000-of-00002.parquet`); of "test" if
    it begins with none. In a folder, that of the files or its folder `data`, all files of a split
    are taken in the order of their names.

    Args:
        path: the file or the folder.

    Returns:
        Dataset whose splits have `ParquetImages`, read a group of rows at a time.

    Raises:
        DatasetError: no Parquet file or a damaged one, other columns, missing labels, classes
            that differ between files, or groups of rows that are too large.
    """
    path = Path(path)
    files = parquet_files(path) if path.is_dir() else [path]
    if not files:
        raise DatasetError(f"{show(path)}: expected {EXPECTED}, found none in this folder")
    by_split: dict[str, list[_File]] = {}
    for file in files:
        by_split.setdefault(_split_name(file), []).append(_open(file))
    ordered = {name: by_split[name] for name in dict.fromkeys(SPLITS.values()) if name in by_split}
    everything = [file for found in ordered.values() for file in found]
    names = _class_names(everything)
    splits = {name: _split(name, found, names) for name, found in ordered.items()}
    full = path.resolve()
    name = full.name if full.is_dir() else full.stem
    try:
        return Dataset(name, names or numbered_classes(splits), splits, str(full))
    except DatasetError as error:
        raise DatasetError(f"{show(path)}: {error}") from error


def _split_name(file: Path) -> str:
    return split_of(re.split(r"[-_.]", file.name, maxsplit=1)[0]) or "test"


def _open(path: Path) -> _File:
    with open_input(path, EXPECTED):
        changed = path.stat().st_mtime_ns
    try:
        metadata = pq.read_metadata(path)
        if not metadata.num_rows:
            raise DatasetError(f"{show(path)}: holds no images; leave it out or fill it")
        schema = metadata.schema.to_arrow_schema()
        images = next((name for name in _IMAGES if name in schema.names), None)
        if images is None or _LABEL not in schema.names:
            there = ", ".join(map(ascii, schema.names[:10])) or "none"
            raise DatasetError(f"{show(path)}: expected {COLUMNS}, found {there}")
        content, names = _leaves(path, images, schema.field(images).type)
        shard = Shard(path, metadata, content, names, changed)
        return _File(shard, _labels(path, shard.read(_LABEL)), _told_names(schema))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, EXPECTED, error) from error


def _leaves(path: Path, name: str, kind: pa.DataType) -> tuple[str, str | None]:
    """The columns of the images' files and of their names."""
    if _is_binary(kind):
        return name, None
    if pa.types.is_struct(kind):
        fields = {field.name: field.type for field in kind}
        if "bytes" in fields and _is_binary(fields["bytes"]):
            named = "path" in fields and pa.types.is_string(fields["path"])
            return f"{name}.bytes", f"{name}.path" if named else None
    raise DatasetError(
        f"{show(path)}: column {name!r} must hold image files, as binary or as a struct of bytes "
        f"and path, got {kind}"
    )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _labels(path: Path, labels: pa.Array) -> pa.Array:
    kind = labels.type.value_type if pa.types.is_dictionary(labels.type) else labels.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not text and not pa.types.is_integer(kind):
        raise DatasetError(
            f"{show(path)}: column {_LABEL!r} must hold whole numbers or class names, got {kind}"
        )
    if labels.null_count:
        raise DatasetError(
            f"{show(path)}: column {_LABEL!r}: {labels.null_count:,} images have no label; leave "
            "them out"
        )
    return labels.cast(pa.string() if text else pa.int64())


def _told_names(schema: pa.Schema) -> tuple[str, ...] | None:
    """The class names in the metadata that Hugging Face's datasets write."""
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])
        names = told["info"]["features"][_LABEL]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) and names else None


def _class_names(files: Sequence[_File]) -> tuple[str, ...] | None:
    """Class names that hold for all files, None where labels are numbers alone."""
    first = files[0]
    for file in files:
        if (file.labels.type, file.names) != (first.labels.type, first.names):
            raise DatasetError(
                f"{show(file.shard.path)}: has other classes or another kind of labels than "
                f"{first.shard.path.name}; they must be of one dataset"
            )
    if first.labels.type == pa.string():
        return tuple(sorted({name for file in files for name in file.labels.unique().to_pylist()}))
    return first.names


def _split(name: str, files: Sequence[_File], classes: tuple[str, ...] | None) -> Split:
    labels = pa.concat_arrays([file.labels for file in files])
    if labels.type == pa.string():
        labels = pc.index_in(labels, value_set=pa.array(classes, pa.string()))
    place = show(files[0].shard.path)
    try:
        return Split(name, ParquetImages([file.shard for file in files]), _numbers(labels))
    except DatasetError as error:
        raise DatasetError(f"{place}: {error}") from error


def _numbers(labels: pa.Array) -> Array:
    return np.asarray(labels.to_numpy(zero_copy_only=False), dtype=np.int64)
