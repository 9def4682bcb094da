"""Columns as lists that JSON takes: None where something isn't known."""

import numpy as np
import numpy.typing as npt

from misread.tables.verdicts import VERDICTS

_DIGITS = 4
# Looking a name up in a tuple of texts is several times as fast as making one of an enum's member.
_NAMES = tuple(str(verdict) for verdict in VERDICTS)


def class_numbers(labels: npt.NDArray[np.signedinteger]) -> list[int | None]:
    """Class numbers, None for -1."""
    return [None if label < 0 else label for label in labels.tolist()]


def rounded(values: npt.NDArray[np.floating]) -> list[float | None]:
    """Numbers with 4 digits after the point, None for NaN."""
    short = np.round(values.astype(np.float64), _DIGITS)
    return [None if value != value else value for value in short.tolist()]


def verdict_names(codes: npt.NDArray[np.int8]) -> list[str | None]:
    """Verdicts by their names, None for -1."""
    return [None if code < 0 else _NAMES[code] for code in codes.tolist()]
