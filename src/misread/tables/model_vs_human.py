"""Readings in the form of the model-vs-human toolbox: one CSV row per trial.

`subj,session,trial,rt,object_response,category,condition,imagename`: times in seconds, `na` where
there was no answer.

Source: Geirhos et al. (2021), Partial success in closing the gap between human and machine vision;
the raw data beside its code.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from misread.errors import ReadingsError
from misread.tables.export import write_columns
from misread.tables.readings import NO_ANSWER, Purpose, Reader, Readings, find_repeats
from misread.tables.readings_files import class_texts
from misread.tables.text_columns import TextColumns
from misread.types import Array, IntArray, LabelArray

COLUMNS = (
    "subj", "session", "trial", "rt", "object_response", "category", "condition", "imagename",
)  # fmt: skip

# The form has no column for it: a name that begins so is a program's.
_SIMULATED = "simulated-"
_NO_RESPONSE = "na"


def write_trials(path: Path, readings: Readings, labels: LabelArray) -> None:
    """Write readings in this form: each item of a reader once, at its first sight.

    `condition` is `hard` or `rest`, since the two were sampled differently; `imagename` is
    `{split}-{position in the split}.png`. The names of simulated readers begin with `simulated-`.
    Repeats and items asked again have no place in this form and are left out.

    Args:
        path: A `.csv` file.
        readings: The readings.
        labels: (N,) integers, the given labels of the split.

    Raises:
        ReadingsError: The file's name is of another kind.
        ParameterError: It can't be written.
    """
    if path.suffix.lower() != ".csv":
        raise ReadingsError(f"output: expected .csv. Got {str(path)!r} instead.")
    main = readings.pick(readings.purpose == Purpose.MAIN)
    texts = class_texts(main.classes)
    names = np.array([*texts, "" if _NO_RESPONSE in texts else _NO_RESPONSE], object)
    seconds = (main.rt_ms / 1000).astype(object)
    seconds[np.isnan(main.rt_ms)] = "NaN"
    subjects = np.array([_subject(reader) for reader in main.readers], object)
    images = [f"{main.split}-{index:07d}.png" for index in main.index.tolist()]
    columns = (
        subjects[main.reader],
        main.session,
        main.position + 1,
        seconds,
        names[main.answer],
        names[np.asarray(labels)[main.index]],
        np.where(main.hard, "hard", "rest"),
        np.array(images, object),
    )
    write_columns(path, dict(zip(COLUMNS, columns, strict=True)))


def _subject(reader: Reader) -> str:
    marked = reader.name.startswith(_SIMULATED) or not reader.simulated
    return reader.name if marked else _SIMULATED + reader.name


def read_trials(
    path: Path,
    split: str,
    classes: Sequence[str],
    labels: LabelArray,
    images: Mapping[str, int] | None = None,
) -> Readings:
    """Read a table in this form.

    Args:
        path: A `.csv` file.
        split: Name of the split.
        classes: Names of the K classes: what `object_response` and `category` hold.
        labels: (N,) integers, the given labels, which `category` must agree with.
        images: Positions in the split by `imagename`; names that `write_trials` gives are known
            without it.

    Returns:
        The readings, without a plan. An image that a reader saw before is a repeat.

    Raises:
        ReadingsError: The file is missing or damaged, or is about other images or classes.
    """
    columns = TextColumns.read(path)
    try:
        return _from_columns(columns, split, tuple(classes), np.asarray(labels), images)
    except ReadingsError as error:
        raise ReadingsError(f"{path}: {error}") from error


def name_files(files: Array | None) -> dict[str, int]:
    """Positions of a split's images by the names of their files, without the folders.

    A name that several files have is left out.

    Args:
        files: (N,) paths as text, None where images are no files.
    """
    names = [] if files is None else [PurePosixPath(str(path)).name for path in files]
    times = Counter(names)
    return {name: index for index, name in enumerate(names) if times[name] == 1}


def _from_columns(
    columns: TextColumns,
    split: str,
    classes: tuple[str, ...],
    labels: Array,
    images: Mapping[str, int] | None,
) -> Readings:
    for name in COLUMNS:
        if name != "condition":
            columns.require(name)
    texts = class_texts(classes)
    reader, names = columns.categories("subj")
    session, trial = columns.integers("session"), columns.integers("trial")
    order = np.lexsort((trial, session, reader))
    index = _positions(columns.texts("imagename"), split, images)[order]
    category = columns.codes("category", texts, missing=NO_ANSWER)[order]
    _check_category(index, category, labels, texts)
    made: dict[str, Any] = {
        "reader": reader[order],
        "index": index,
        "answer": columns.codes("object_response", texts, missing=NO_ANSWER)[order],
        "session": session[order],
        "rt_ms": columns.floats("rt")[order] * 1000,
    }
    if "condition" in columns:
        made["hard"] = columns.texts("condition")[order] == "hard"
    readers = tuple(Reader(one, simulated=one.startswith(_SIMULATED)) for one in names)
    return find_repeats(Readings(split, classes, "", readers, **made))


def _positions(names: Array, split: str, images: Mapping[str, int] | None) -> IntArray:
    """(n,) int64, position in the split of each image name."""
    pattern = re.compile(rf"{re.escape(split)}-(\d{{1,9}})\.png")

    def position(name: str) -> int:
        if images is not None and name in images:
            return images[name]
        match = pattern.fullmatch(name)
        return int(match[1]) if match else -1

    distinct, place = np.unique(names, return_inverse=True)
    found = np.array([position(str(name)) for name in distinct], np.int64)
    if (found < 0).any():
        known = "" if not images else f" or the file of an image, as {next(iter(images))}"
        raise ReadingsError(
            f"column 'imagename': expected {split}-0000012.png{known}. "
            f"Got {str(distinct[found < 0][0])!r} instead."
        )
    return found[place]


def _check_category(index: IntArray, category: IntArray, labels: Array, texts: list[str]) -> None:
    outside = index >= len(labels)
    if outside.any():
        raise ReadingsError(
            f"column 'imagename': expected images 0 to {len(labels) - 1:,}. "
            f"Got {index[outside][0]} instead."
        )
    differ = labels[index] != category
    if differ.any():
        row = int(np.argmax(differ))
        said = texts[category[row]] if category[row] >= 0 else "nothing"
        raise ReadingsError(
            f"column 'category': expected the given label of image #{index[row]}, "
            f"{texts[labels[index[row]]]}. Got {said} instead: it is about other images or labels"
        )
