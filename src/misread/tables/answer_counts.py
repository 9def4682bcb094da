"""How many people called each image each class: N x K counts, as CIFAR-10H has them."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from misread.errors import ReadingsError
from misread.files import replacing
from misread.tables.readings import NO_ANSWER, Purpose, Readings
from misread.types import Array, IndexArray

CountArray = npt.NDArray[np.int32]
KINDS = (".csv", ".tsv", ".npy", ".npz")
_SIMULATED = "simulated"


@dataclass(frozen=True, eq=False)
class AnswerCounts:
    """Answers to n images by class, checked once, here.

    Attributes:
        classes: Names of the K classes.
        index: (n,) int32, position of each image in its split, rising.
        counts: (n, K) int32, how many answers called the image each class.
        simulated: Whether programs gave some of the answers.

    Raises:
        ReadingsError: Arrays that don't fit together, or negative counts.
    """

    classes: tuple[str, ...]
    index: IndexArray
    counts: CountArray
    simulated: bool = False

    def __post_init__(self) -> None:
        counts, index = np.asarray(self.counts), np.asarray(self.index)
        shape = (len(index), len(self.classes))
        whole = counts.dtype.kind in "iu" or (
            counts.dtype.kind == "f" and bool((counts == np.floor(counts)).all())
        )
        if counts.shape != shape or not whole or (counts < 0).any() or (counts >= 2**31).any():
            raise ReadingsError(
                f"counts must be {shape} whole numbers of 0 or more, a row per image and a column "
                f"per class. Got {counts.dtype} {counts.shape} instead."
            )
        if (
            index.ndim != 1
            or index.dtype.kind not in "iu"
            or (np.diff(index, prepend=-1) < 1).any()
        ):
            raise ReadingsError("counts: index must have each image once, in rising order.")
        object.__setattr__(self, "counts", counts.astype(np.int32))
        object.__setattr__(self, "index", index.astype(np.int32))

    def __len__(self) -> int:
        return len(self.index)

    def table(self, images: int) -> CountArray:
        """(images, K) int32, a row for every image of the split, zeros where there is no answer.

        Raises:
            ReadingsError: An image lies outside of the split.
        """
        if len(self) and self.index[-1] >= images:
            raise ReadingsError(f"counts: index must be below {images}. Got {self.index[-1]}.")
        table = np.zeros((images, len(self.classes)), np.int32)
        table[self.index] = self.counts
        return table


def count_answers(readings: Readings) -> AnswerCounts:
    """Count the final answers of all readers, each item of a reader at its first sight."""
    rows = (readings.purpose == Purpose.MAIN) & (readings.answer != NO_ANSWER)
    return count_by_image(
        readings.classes, readings.index[rows], readings.answer[rows], readings.simulated
    )


def count_by_image(
    classes: tuple[str, ...], index: Array, answer: Array, simulated: bool
) -> AnswerCounts:
    """Count answers.

    Args:
        classes: Names of the K classes.
        index: (M,) integers, the image of each answer.
        answer: (M,) integers in [0, K), the class that it was called.
        simulated: Whether programs gave some of them.
    """
    images, place = np.unique(index, return_inverse=True)
    cells = place * len(classes) + answer
    counts: Array = np.bincount(cells, minlength=len(images) * len(classes))
    return AnswerCounts(classes, images, counts.reshape(len(images), len(classes)), simulated)


def add_counts(tables: Sequence[AnswerCounts]) -> AnswerCounts:
    """The answers of several tables of the same images and classes together.

    Raises:
        ReadingsError: There are none, or they are of other classes.
    """
    if not tables or any(table.classes != tables[0].classes for table in tables):
        raise ReadingsError("counts: expected one table or more of the same classes")
    index, place = np.unique(np.concatenate([table.index for table in tables]), return_inverse=True)
    counts: Array = np.zeros((len(index), len(tables[0].classes)), np.int64)
    np.add.at(counts, place, np.concatenate([table.counts for table in tables]))
    simulated = any(table.simulated for table in tables)
    return AnswerCounts(tables[0].classes, index, counts, simulated)


def write_counts(path: Path, counts: AnswerCounts) -> None:
    """Write counts atomically: `.csv` and `.tsv` with a line of names, or `.npz`.

    Raises:
        ReadingsError: The file's name is of another kind, or it can't be written. `.npy` has no
            place for the classes' names, nor for the mark of simulated answers.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".tsv", ".npz"):
        raise ReadingsError(f"output: expected .csv, .tsv or .npz. Got {str(path)!r} instead.")
    try:
        with replacing(path) as temporary:
            if kind == ".npz":
                with temporary.open("wb") as file:
                    np.savez_compressed(
                        file,
                        index=counts.index,
                        counts=counts.counts,
                        classes=np.array(json.dumps(counts.classes)),
                        simulated=np.array(counts.simulated),
                    )
                return
            with temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, delimiter="," if kind == ".csv" else "\t",
                                    lineterminator="\n")  # fmt: skip
                mark = [_SIMULATED] if counts.simulated else []
                writer.writerow(["index", *counts.classes, *mark])
                for index, row in zip(counts.index.tolist(), counts.counts.tolist(), strict=True):
                    writer.writerow([index, *row, *(["yes"] if mark else [])])
    except OSError as error:
        raise ReadingsError(f"output: can't write {path}: {error.strerror}") from error


def read_counts(path: Path, classes: Sequence[str]) -> AnswerCounts:
    """Read a table of counts.

    Args:
        path: `.npy` (N x K, the images in the split's order, as CIFAR-10H's); `.npz` as
            `write_counts` makes it; `.csv` or `.tsv` with a line of names: the classes, and `index`
            unless all images are there in order.
        classes: Names of the K classes.

    Raises:
        ReadingsError: The file is missing, damaged, or holds something else.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ReadingsError(f"{path}: expected counts as {', '.join(KINDS)}")
    try:
        read = _read_text if kind in (".csv", ".tsv") else _read_numpy
        return read(path, tuple(classes))
    except FileNotFoundError:
        raise ReadingsError(f"{path}: expected a table of counts, found no file") from None
    except ReadingsError as error:
        raise ReadingsError(f"{path}: {error}") from error
    except Exception as error:
        # NumPy's readers raise nearly anything when a file is damaged.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadingsError(f"{path}: expected a table of counts: {reason}") from error


def _read_numpy(path: Path, classes: tuple[str, ...]) -> AnswerCounts:
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return AnswerCounts(classes, np.arange(len(loaded), dtype=np.int32), loaded)
        named = tuple(json.loads(str(loaded["classes"][()])))
        if named != classes:
            raise ReadingsError(
                f"expected the classes {', '.join(classes[:10])}. Got {', '.join(named[:10])}."
            )
        return AnswerCounts(
            classes, loaded["index"], loaded["counts"], bool(loaded["simulated"][()])
        )


def _read_text(path: Path, classes: tuple[str, ...]) -> AnswerCounts:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file, delimiter="," if path.suffix.lower() == ".csv" else "\t"))
    names = rows[0] if rows else []
    # The classes' names come first: a class may be called "index".
    wanted = names[1 : 1 + len(classes)] if names[:1] == ["index"] else names[: len(classes)]
    rest = names[len(wanted) + (names[:1] == ["index"]) :]
    if tuple(wanted) != classes or rest not in ([], [_SIMULATED]):
        raise ReadingsError(
            f"expected the columns index, {', '.join(classes[:10])} in this order. "
            f"Got {', '.join(names[:12]) or 'none'}."
        )
    body = [row for row in rows[1:] if row]
    if any(len(row) != len(names) for row in body):
        raise ReadingsError(f"expected {len(names)} fields in every row")
    start = int(names[:1] == ["index"])
    index = [int(row[0]) for row in body] if start else range(len(body))
    counts = [[int(cell) for cell in row[start : start + len(classes)]] for row in body]
    order = np.argsort(index, kind="stable")
    place: Array = np.asarray(index, np.int64)[order]
    table: Array = np.asarray(counts, np.int64).reshape(len(body), len(classes))[order]
    return AnswerCounts(classes, place, table, bool(rest))
