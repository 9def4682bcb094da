"""Predictions made elsewhere: an array of probabilities as `.npy`, `.npz` or `.csv`."""

import zipfile
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
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PredictionsError(f"{path}: expected an array of probabilities: {reason}") from error
    if array.ndim != 2 or array.shape[1] != classes or array.dtype.kind not in "fiu":
        raise PredictionsError(
            f"{path}: expected probabilities as numbers (N, {classes}), one column per class. "
            f"Got {array.dtype} {array.shape} instead."
        )
    return array.astype(np.float32)


def _read_numpy(path: Path) -> Array:
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
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
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline().strip().split(separator)
    return np.loadtxt(
        path, np.float32, delimiter=separator, skiprows=0 if _is_numbers(first) else 1, ndmin=2,
        encoding="utf-8-sig",
    )  # fmt: skip


def _is_numbers(fields: list[str]) -> bool:
    try:
        [float(field) for field in fields]
    except ValueError:
        return False
    return True
