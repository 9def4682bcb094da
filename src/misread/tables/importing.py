"""Predictions made elsewhere: an array of probabilities as `.npy`, `.npz` or `.csv`."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from misread.errors import PredictionsError
from misread.types import Array, FloatArray

KINDS = (".npy", ".npz", ".csv", ".tsv")


def read_probabilities(path: Path, classes: Sequence[str]) -> FloatArray:
    """Read an N x K array of probabilities.

    Args:
        path: `.npy`; `.npz` with one array, or one named `probabilities`; `.csv` or `.tsv` with a
            column per class, in the dataset's order or under a line of the classes' names.
        classes: Names of the K classes.

    Returns:
        (N, K) float32. That they are probabilities is checked where the table is built.

    Raises:
        PredictionsError: The file is missing, damaged, or holds an array of another shape. An
            array of objects is refused, never unpickled.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise PredictionsError(
            f"{path}: expected predictions as .parquet (misread's own), {', '.join(KINDS)}"
        )
    try:
        array = _read_text(path, kind, classes) if kind in (".csv", ".tsv") else _read_numpy(path)
    except FileNotFoundError:
        raise PredictionsError(f"{path}: expected a file of predictions, found none") from None
    except Exception as error:
        if "pickle" in str(error):
            raise PredictionsError(
                f"{path}: expected an array of probabilities, found Python objects or no array; "
                "misread unpickles nothing: save numbers with numpy.save"
            ) from error
        # NumPy's readers raise nearly anything when a file is damaged.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PredictionsError(f"{path}: expected an array of probabilities: {reason}") from error
    if array.ndim != 2 or array.shape[1] != len(classes) or array.dtype.kind not in "fiu":
        raise PredictionsError(
            f"{path}: expected probabilities as numbers (N, {len(classes)}), one column per class. "
            f"Got {array.dtype} {array.shape} instead."
        )
    return array.astype(np.float32)


def _read_numpy(path: Path) -> Array:
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        name = "probabilities" if "probabilities" in loaded.files else None
        if name is None and len(loaded.files) == 1:
            name = loaded.files[0]
        if name is None:
            raise ValueError(
                f"found the arrays {', '.join(loaded.files)}; name one of them 'probabilities'"
            )
        array: Array = loaded[name]
        return array


def _read_text(path: Path, kind: str, classes: Sequence[str]) -> FloatArray:
    separator = "," if kind == ".csv" else "\t"
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in file if line.strip()]
    # A class's name may be quoted, and hold separators, quotes or line breaks.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    order = _columns(next(reader), classes) if lines else None
    if order is not None:
        lines = lines[reader.line_num :]
    if not lines:
        raise ValueError("found no rows")
    array: FloatArray = np.loadtxt(lines, np.float32, delimiter=separator, ndmin=2, quotechar='"')
    return array if order is None else array[:, order]


def _columns(fields: list[str], classes: Sequence[str]) -> list[int] | None:
    """Where each class's column is, if the first line names them; None if it is a row of data.

    Of `0,1` for two classes of these names nobody can tell: it is data.

    Raises:
        ValueError: It names other columns than the classes.
    """
    names = [field if field in classes else field.strip() for field in fields]
    if sorted(names) == sorted(classes) and len(set(names)) == len(names):
        if len(names) > 2 or not _are_numbers(names):
            return [names.index(name) for name in classes]
        return None
    if _are_numbers(names):
        counted = len(names) > 2 and names == [str(number) for number in range(len(names))]
        return list(range(len(names))) if counted else None
    raise ValueError(
        f"the first line names the columns {', '.join(names[:10])}; expected the classes "
        f"{', '.join(classes[:10])}"
    )


def _are_numbers(fields: list[str]) -> bool:
    try:
        [float(field) for field in fields]
    except ValueError:
        return False
    return True
