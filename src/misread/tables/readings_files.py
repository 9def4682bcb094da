"""Readings as tidy tables: one row per answer, in CSV or Parquet, for any program to read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from misread.errors import ReadingsError
from misread.tables.export import Column, write_columns
from misread.tables.readings import (
    DEFAULTS,
    NO_ANSWER,
    Purpose,
    Reader,
    Readings,
    Seen,
    find_repeats,
)
from misread.tables.text_columns import NULLS, TextColumns
from misread.types import Array

_PURPOSES = [purpose.name.lower() for purpose in Purpose]
_STRATA = ("rest", "hard")


def write_readings(path: Path, readings: Readings) -> None:
    """Write readings atomically, in the format of the file's name.

    Columns are those of `Readings`, with names in the place of numbers: `reader`, `answer` and
    `first_answer` (empty where there was no answer), `purpose`, and `stratum` (hard or rest) for
    `hard`. What is known of the reader (`number`, `seen`, `simulated`), `split` and `design` stand
    in every row, so that no row can lose them.

    Args:
        path: `.csv`, `.parquet` or `.json`.
        readings: The readings.

    Raises:
        ParameterError: The file's name is of another kind, or it can't be written.
    """
    readers = readings.readers
    numbers = [reader.number for reader in readers]
    answers = [*class_texts(readings.classes), None]
    columns: dict[str, Column] = {
        "reader": _named(readings.reader, [reader.name for reader in readers]),
        "session": readings.session,
        "position": readings.position,
        "split": np.full(len(readings), readings.split, object),
        "index": readings.index,
        "stratum": _named(readings.hard.astype(np.int64), _STRATA),
        "purpose": _named(readings.purpose, _PURPOSES),
        "repeat_of": _masked(readings.repeat_of, readings.repeat_of < 0),
        # NO_ANSWER is -1: the last of the names.
        "answer": _named(readings.answer, answers),
        "first_answer": _named(readings.first_answer, answers),
        "undone": readings.undone,
        "unsure": _yes(readings.unsure),
        "unfocused": _yes(readings.unfocused),
        "rt_ms": _masked(readings.rt_ms, np.isnan(readings.rt_ms)),
        "onset": _masked(readings.onset, np.isnan(readings.onset)),
        "screen": readings.screen.astype(object),
        "zoom": _masked(readings.zoom, np.isnan(readings.zoom)),
        "number": pa.array(_named(readings.reader, numbers).tolist(), pa.int32()),
        "seen": _named(readings.reader, [str(reader.seen) for reader in readers]),
        "simulated": _yes(np.array([reader.simulated for reader in readers], np.bool_)[
            readings.reader
        ]),
        "design": np.full(len(readings), readings.design, object),
    }  # fmt: skip
    write_columns(path, columns)


def class_texts(classes: Sequence[str]) -> list[str]:
    """What stands for each class in a file: its name, or its number where names aren't clear.

    Clear names are different from each other and printable, without spaces around them.
    """
    clear = all(name and name == name.strip() and name.isprintable() for name in classes)
    if clear and len(set(classes)) == len(classes):
        return list(classes)
    return [str(number) for number in range(len(classes))]


def _named(codes: Array, names: Sequence[object]) -> Array:
    table = np.empty(len(names), object)
    table[:] = names
    return table[codes]


def _masked(values: Array, missing: Array) -> pa.Array:
    return pa.array(values, mask=missing)


def _yes(values: Array) -> Array:
    return np.where(values, "yes", "no").astype(object)


def read_readings(path: Path, classes: Sequence[str], split: str | None = None) -> Readings:
    """Read a table of readings, misread's own or one made elsewhere.

    `reader`, `index` and `answer` must be there. What else `write_readings` writes may be; other
    columns are passed over. Without `position` the rows are in the order of reading; without
    `purpose` an image that a reader read before is a repeat.

    Args:
        path: `.csv` or `.tsv` (gzipped or not) with a line of names, or `.parquet`.
        classes: Names of the K classes.
        split: Name of the split that they are of; None takes the column `split`, or `test`.

    Raises:
        ReadingsError: The file is missing or damaged, or holds something else.
    """
    columns = TextColumns.read(path)
    try:
        return _from_columns(columns, split, tuple(classes))
    except ReadingsError as error:
        raise ReadingsError(f"{path}: {error}") from error


def _from_columns(columns: TextColumns, split: str | None, classes: tuple[str, ...]) -> Readings:
    for name in ("reader", "index", "answer"):
        columns.require(name)
    texts = class_texts(classes)
    codes, names = columns.categories("reader")
    made: dict[str, Any] = {
        "reader": codes,
        "index": columns.integers("index"),
        "answer": columns.codes("answer", texts, missing=NO_ANSWER),
    }
    if "first_answer" in columns:
        made["first_answer"] = columns.codes("first_answer", texts, missing=NO_ANSWER)
    if "position" in columns:
        made["position"] = columns.integers("position")
    for name in ("session", "repeat_of", "undone"):
        if name in columns:
            made[name] = columns.integers(name, missing=DEFAULTS[name])
    for name in ("rt_ms", "onset", "zoom"):
        if name in columns:
            made[name] = columns.floats(name)
    for name in ("unsure", "unfocused"):
        if name in columns:
            made[name] = columns.switches(name)
    if "stratum" in columns:
        made["hard"] = columns.codes("stratum", _STRATA, missing=0).astype(np.bool_)
    if "screen" in columns:
        made["screen"] = columns.texts("screen")
    if "purpose" in columns:
        made["purpose"] = columns.codes("purpose", _PURPOSES, missing=Purpose.MAIN)
    said = columns.single("split")
    if split is not None and said not in ("", split):
        raise ReadingsError(f"column 'split': expected {split!r} in every row. Got {said!r}.")
    split = split or said or "test"
    readers = _readers(columns, codes, names)
    found = Readings(split, classes, columns.single("design"), readers, **made)
    return found if "purpose" in columns or "repeat_of" in columns else find_repeats(found)


def _readers(columns: TextColumns, codes: Array, names: Sequence[str]) -> tuple[Reader, ...]:
    number = columns.of_groups("number", codes, len(names))
    seen = columns.of_groups("seen", codes, len(names))
    simulated = columns.of_groups("simulated", codes, len(names))
    known = [str(one) for one in Seen]
    made = []
    for at, name in enumerate(names):
        if seen[at] not in ("", *known):
            raise ReadingsError(
                f"column 'seen': expected one of {', '.join(known)}. Got {seen[at]!r} instead."
            )
        made.append(
            Reader(
                name=name,
                number=_reader_number(number[at]),
                seen=Seen(seen[at]) if seen[at] else Seen.UNKNOWN,
                simulated=columns.is_yes("simulated", simulated[at]),
            )
        )
    return tuple(made)


def _reader_number(text: str) -> int | None:
    if text in NULLS:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ReadingsError(f"column 'number': expected a number. Got {text!r} instead.")
    return int(text)
