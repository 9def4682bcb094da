"""Predictions made elsewhere: an array of probabilities as `.npy`, `.npz` or `.csv`."""

from pathlib import Path

import numpy as np

from misread.errors import PredictionsError
from misread.types import Array, FloatArray

KINDS = (".npy", ".npz", ".csv", ".tsv")


def read_probabilities(path: Path, classes: int) -> FloatArray:
    """Read an N x K array of probabilities.

    Args:
        path: `.npy`; `.npz` with one array, or one named `probabilities`; `.csv` or `.tsv` with a
            column per class in the dataset's order, with or without a line of names.
        classes: Number of classes K.

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
        array = _read_text(path, kind) if kind in (".csv", ".tsv") else _read_numpy(path)
    except FileNotFoundError:
        raise PredictionsError(f"{path}: expected a file of predictions, found none") from None
    except Exception as error:
        # NumPy's readers raise nearly anything when a file is damaged.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PredictionsError(f"{path}: expected an array of probabilities: {reason}") from error
    if array.ndim != 2 or array.shape[1] != classes or array.dtype.kind not in "fiu":
        raise PredictionsError(
            f"{path}: expected probabilities as numbers (N, {classes}), one column per class. "
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


def _read_text(path: Path, kind: str) -> FloatArray:
    separator = "," if kind == ".csv" else "\t"
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if lines and _is_header(lines[0].split(separator)):
        del lines[0]
    if not lines:
        raise ValueError("found no rows")
    return np.loadtxt(lines, np.float32, delimiter=separator, ndmin=2)


def _is_header(fields: list[str]) -> bool:
    """Whether a first line names the columns, be it by words or as 0, 1, 2, ...

    A row of three or more probabilities can't count up; of `0,1` nobody can tell, and it is data.
    """
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        return True
    return len(numbers) >= 3 and numbers == list(range(len(numbers)))
