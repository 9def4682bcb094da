"""From a metadata column to groups of images: one per value, or quantiles of a number."""

from dataclasses import dataclass

import numpy as np

from misread.errors import ParameterError
from misread.types import Array

MISSING = "(missing)"
BINS = 5

# Numbers with more distinct values than this are binned unless told otherwise.
MOST_VALUES = 20

# Beyond it a column names images rather than groups of them.
MOST_GROUPS = 10_000


@dataclass(frozen=True, eq=False)
class Groups:
    """N images in K groups.

    Attributes:
        names: K names.
        codes: (N,) int64 in [0, K); every group has images.
        binned: Whether the groups are quantiles of a number.
    """

    names: tuple[str, ...]
    codes: Array
    binned: bool = False


def group_values(codes: Array, values: Array, bins: int | None = None) -> Groups:
    """Group images by the value of a column.

    Args:
        codes: (N,) whole numbers, position in `values` of each image's value; -1 where missing.
        values: (V,) the column's distinct values: text, numbers or truth values.
        bins: Quantiles of a number with more distinct values than that; 0 never bins. None takes 5
            for a number with more than 20 values.

    Returns:
        The groups, in the order of their values; images without a value form the last one.

    Raises:
        ParameterError: `bins` is 1 or below 0 or is given for text, or there are too many groups.

    Example:
        >>> made = group_values(np.array([0, 1, -1, 1]), np.array([1.5, 2.5]))
        >>> made.names, made.codes.tolist()
        (('1.5', '2.5', '(missing)'), [0, 1, 2, 1])
    """
    numeric = values.dtype.kind in "iuf"
    if bins is not None and (bins < 0 or bins == 1):
        raise ParameterError(f"bins must be 2 or more, or 0 to bin nothing. Got {bins} instead.")
    if bins and not numeric:
        raise ParameterError(f"bins: only numbers can be binned. Got {bins} for another column.")
    known = codes >= 0
    used = np.unique(codes[known])
    most = MOST_VALUES if bins is None else (bins or np.inf)
    binned = numeric and len(used) > most
    if binned:
        names, found = _quantiles(values[codes[known]], bins or BINS)
    else:
        order = np.argsort(values[used], kind="stable")
        place = np.empty(len(used), np.int64)
        place[order] = np.arange(len(used))
        names = [show(value) for value in values[used][order].tolist()]
        found = place[np.searchsorted(used, codes[known])]
    if len(names) > MOST_GROUPS:
        raise ParameterError(
            f"expected a column with at most {MOST_GROUPS:,} values. Got {len(names):,} instead."
        )
    groups = np.full(len(codes), len(names), np.int64)
    groups[known] = found
    if not known.all():
        names.append(MISSING)
    return Groups(tuple(names), groups, binned)


def show(value: object) -> str:
    """A value as text: `true`, `3`, `0.25`, or the text itself."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _quantiles(numbers: Array, bins: int) -> tuple[list[str], Array]:
    """Names and codes of groups of about equally many images; equal numbers stay together."""
    edges = np.quantile(numbers, np.arange(1, bins) / bins, method="inverted_cdf")
    codes = np.searchsorted(np.unique(edges), numbers, side="left")
    _, codes = np.unique(codes, return_inverse=True)
    names = []
    for code in range(codes.max() + 1):
        mine = numbers[codes == code]
        low, high = show(mine.min().item()), show(mine.max().item())
        names.append(low if low == high else f"{low} to {high}")
    return names, codes
