"""Readings: what readers answered, image by image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from misread.errors import ReadingsError
from misread.types import Array, ByteArray, IndexArray, IntArray, LabelArray

DoubleArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# The answer of who let the time run out.
NO_ANSWER = -1


class Purpose(IntEnum):
    """Why an image was shown.

    `MAIN`: an item of the study. `REPEAT`: shown a second time by plan, outside of the estimate.
    `AGAIN`: asked again since the answer before was excluded.
    """

    MAIN = 0
    REPEAT = 1
    AGAIN = 2


class Seen(StrEnum):
    """What a reader said that he had seen before he began."""

    NOTHING = "nothing"
    IMAGES = "images"
    MISTAKES = "mistakes"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        name: A pseudonym.
        number: Which of the plan's orders he read in, None where there is no plan.
        seen: What he had seen before: of the images or, so that he isn't blind, of the model's
            mistakes.
        simulated: Whether a program answered rather than a person.

    Raises:
        ReadingsError: The name is empty or the number negative.
    """

    name: str
    number: int | None = None
    seen: Seen = Seen.UNKNOWN
    simulated: bool = False

    def __post_init__(self) -> None:
        name = self.name
        if not name or name != name.strip() or not name.isprintable():
            raise ReadingsError(
                f"reader: expected a printable name without spaces around it. Got {name!r} instead."
            )
        if self.number is not None and not 0 <= self.number < 2**31:
            raise ReadingsError(
                f"reader {self.name}: expected a number of 0 or more, and below 2^31. "
                f"Got {self.number} instead."
            )

    @property
    def blind(self) -> bool:
        """Whether he said that he had seen neither images nor mistakes."""
        return self.seen == Seen.NOTHING


# Of every column, in the order in which files have them.
DTYPES: Mapping[str, Any] = MappingProxyType(
    {
        "reader": np.int32, "session": np.int32, "position": np.int32, "index": np.int32,
        "hard": np.bool_, "purpose": np.uint8, "repeat_of": np.int32, "answer": np.int16,
        "first_answer": np.int16, "undone": np.int16, "unsure": np.bool_, "rt_ms": np.float64,
        "onset": np.float64, "unfocused": np.bool_, "screen": np.str_, "zoom": np.float64,
    }
)  # fmt: skip
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "session": 1, "hard": False, "purpose": Purpose.MAIN, "repeat_of": -1, "undone": 0,
        "unsure": False, "rt_ms": np.nan, "onset": np.nan, "unfocused": False, "screen": "",
        "zoom": np.nan,
    }
)  # fmt: skip
_KINDS = {"i": "iu", "u": "iu", "f": "fiu", "b": "b", "U": "U"}
_LEFT_OUT: Any = None


@dataclass(frozen=True, eq=False)
class Readings:
    """M final answers of J readers for images of one split, checked once, here.

    Columns that are left out get their defaults; arrays of other integers or floats are converted.

    Attributes:
        split: Name of the split.
        classes: Names of the K classes.
        design: Hash of the plan that they were read by, "" where there is none.
        readers: The J readers, under names of their own.
        reader: (M,) int32 in [0, J), who answered.
        index: (M,) int32, position of the image in its split.
        answer: (M,) int16 in [0, K), the final answer; `NO_ANSWER` where time ran out.
        position: (M,) int32, place in the reader's order, once each; by default the rows' order.
        session: (M,) int32, number of the reader's session; by default 1.
        hard: (M,) bool, whether the image is of the census of hard items; by default none is.
        purpose: (M,) uint8, a `Purpose`; by default all are `MAIN`.
        repeat_of: (M,) int32, position of the first time the reader saw it, -1 for `MAIN`.
        first_answer: (M,) int16, what was answered before any undo; by default the answer.
        undone: (M,) int16, how often an answer was taken back here; by default 0.
        unsure: (M,) bool, whether the reader marked the answer as a guess.
        rt_ms: (M,) float64, milliseconds from onset to answer, NaN where not known.
        onset: (M,) float64, when the image appeared, in milliseconds of Unix time, or NaN.
        unfocused: (M,) bool, whether the page lost the focus before the answer.
        screen: (M,) text, the screen's size, as 1920x1080; "" where not known.
        zoom: (M,) float64, device pixels for each pixel of the page, or NaN.

    Raises:
        ReadingsError: Columns that don't fit together, or hold what can't be.
    """

    split: str
    classes: tuple[str, ...]
    design: str
    readers: tuple[Reader, ...]
    reader: IndexArray
    index: IndexArray
    answer: LabelArray
    position: IndexArray = _LEFT_OUT
    session: IndexArray = _LEFT_OUT
    hard: BoolArray = _LEFT_OUT
    purpose: ByteArray = _LEFT_OUT
    repeat_of: IndexArray = _LEFT_OUT
    first_answer: LabelArray = _LEFT_OUT
    undone: LabelArray = _LEFT_OUT
    unsure: BoolArray = _LEFT_OUT
    rt_ms: DoubleArray = _LEFT_OUT
    onset: DoubleArray = _LEFT_OUT
    unfocused: BoolArray = _LEFT_OUT
    screen: Array = _LEFT_OUT
    zoom: DoubleArray = _LEFT_OUT

    def __post_init__(self) -> None:
        self._check_names()
        rows = np.size(self.reader)
        for name in ("reader", "index", "answer"):
            self._convert(name, rows)
        for name in DTYPES:
            if getattr(self, name) is _LEFT_OUT:
                object.__setattr__(self, name, self._default(name))
            self._convert(name, rows)
        self._check_values()
        self._check_places()

    def _default(self, name: str) -> Array:
        if name == "position":
            return _count_up(self.reader)
        if name == "first_answer":
            return self.answer
        return np.full(len(self), DEFAULTS[name], DTYPES[name])

    def _convert(self, name: str, rows: int) -> None:
        """Make a column's values the documented ones, if their kind and range allow it."""
        array, dtype = np.asarray(getattr(self, name)), np.dtype(DTYPES[name])
        fits = array.shape == (rows,) and (array.dtype.kind in _KINDS[dtype.kind] or not rows)
        if fits and rows and dtype.kind in "iu":
            limits = np.iinfo(dtype)
            fits = limits.min <= int(array.min()) and int(array.max()) <= limits.max
        if not fits:
            raise ReadingsError(
                f"readings: {name} must be ({rows},) {dtype.name}. "
                f"Got {array.dtype} {array.shape} instead, or numbers out of its range."
            )
        object.__setattr__(self, name, array.astype(dtype, copy=False))

    def _check_names(self) -> None:
        names = [reader.name for reader in self.readers]
        for name in names:
            if names.count(name) > 1:
                raise ReadingsError(f"readings: expected each reader once, found {name} twice.")
        if not self.classes:
            raise ReadingsError("readings: expected one class or more. Got none.")

    def _check_values(self) -> None:
        answers, last = (NO_ANSWER, len(self.classes) - 1), np.iinfo(np.int32).max
        for name, (low, high) in {
            "reader": (0, len(self.readers) - 1), "index": (0, last), "position": (0, last),
            "session": (1, last), "purpose": (0, len(Purpose) - 1), "repeat_of": (-1, last),
            "answer": answers, "first_answer": answers, "undone": (0, last),
        }.items():  # fmt: skip
            column = getattr(self, name)
            wrong = (column < low) | (column > high)
            if wrong.any():
                raise ReadingsError(
                    f"readings: {name} must be in {low}..{high}. "
                    f"Got {column[wrong][0]} in row {np.argmax(wrong)}."
                )
        for name in ("rt_ms", "onset", "zoom"):
            column = getattr(self, name)
            # NaN is not known; it compares as false.
            wrong = (column < 0) | np.isinf(column)
            if wrong.any():
                raise ReadingsError(
                    f"readings: {name} must be 0 or more, or NaN. "
                    f"Got {column[wrong][0]} in row {np.argmax(wrong)}."
                )

    def _check_places(self) -> None:
        keys = self.key(self.position)
        if len(np.unique(keys)) < len(keys):
            seen, counts = np.unique(keys, return_counts=True)
            row = int(np.argmax(keys == seen[counts > 1][0]))
            raise ReadingsError(
                f"readings: expected each position of a reader once. Got {self.position[row]} of "
                f"{self.readers[self.reader[row]].name} again."
            )
        wrong = (self.purpose == Purpose.MAIN) != (self.repeat_of < 0)
        if wrong.any():
            raise ReadingsError(
                "readings: repeat_of must be -1 for what is shown first, and the position of the "
                f"first time else. Got {self.repeat_of[wrong][0]} in row {np.argmax(wrong)}."
            )

    def __len__(self) -> int:
        return len(self.reader)

    @property
    def simulated(self) -> bool:
        """Whether any reader is a program."""
        return any(reader.simulated for reader in self.readers)

    def key(self, position: IndexArray) -> IntArray:
        """(M,) int64, one number for each pair of a row's reader and a position."""
        keys: IntArray = (self.reader.astype(np.int64) << 32) + position
        return keys

    def pick(self, rows: Array) -> "Readings":
        """Some readings, by their places or a mask; of the same readers."""
        return replace(self, **{name: getattr(self, name)[rows] for name in DTYPES})

    def of(self, names: Sequence[str]) -> "Readings":
        """The readings of these readers only.

        Raises:
            ReadingsError: There is no reader of such a name.
        """
        known = [reader.name for reader in self.readers]
        if unknown := [name for name in names if name not in known]:
            raise ReadingsError(
                f"reader: expected one of {', '.join(known) or '(none)'}. Got {unknown[0]!r}."
            )
        chosen = [known.index(name) for name in dict.fromkeys(names)]
        number = np.full(len(known), -1)
        number[chosen] = np.arange(len(chosen))
        rows = np.flatnonzero(number[self.reader] >= 0)
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in DTYPES}
        columns["reader"] = number[columns["reader"]]
        return replace(self, readers=tuple(self.readers[at] for at in chosen), **columns)


def join(tables: Sequence[Readings]) -> Readings:
    """The readings of several tables as one; each reader must be in one of them only.

    Raises:
        ReadingsError: There are none, or they are of other splits, classes or designs.
    """
    if not tables:
        raise ReadingsError("readings: expected one table or more. Got none.")
    first = tables[0]
    for name in ("split", "classes", "design"):
        for table in tables:
            if getattr(table, name) != getattr(first, name):
                raise ReadingsError(
                    f"readings: expected all of one {name}. "
                    f"Got {getattr(first, name)!r} and {getattr(table, name)!r}."
                )
    starts = np.cumsum([0, *(len(table.readers) for table in tables)])
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in DTYPES
    }
    columns["reader"] = np.concatenate(
        [table.reader + start for table, start in zip(tables, starts, strict=False)]
    )
    readers = tuple(reader for table in tables for reader in table.readers)
    return replace(first, readers=readers, **columns)


def _count_up(groups: IndexArray) -> IndexArray:
    """(M,) int32, how many rows of its group came before each row."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    counts = np.empty(len(groups), np.int32)
    counts[order] = np.arange(len(groups)) - np.repeat(starts, np.diff([*starts, len(groups)]))
    return counts


def find_repeats(readings: Readings) -> Readings:
    """Mark whatever a reader read before as a repeat, of the first time he read it.

    For readings made elsewhere: the first answer counts.
    """
    order = np.argsort(readings.position, kind="stable")
    keys = readings.key(readings.index)[order]
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    earliest = np.empty(len(readings), np.int64)
    earliest[order] = order[first][place]
    again = earliest != np.arange(len(readings))
    return replace(
        readings,
        purpose=np.where(again, Purpose.REPEAT, Purpose.MAIN).astype(np.uint8),
        repeat_of=np.where(again, readings.position[earliest], -1).astype(np.int32),
    )
