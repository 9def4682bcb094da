"""Tables in few bytes: what a package can carry of predictions, neighbours and dynamics.

Each table is turned into whole numbers of a byte or two, in an order in which like stands beside
like, and compressed with xz. Given labels and positions aren't kept: they are the split's.

**Probabilities** become steps below the largest one of their row. The largest has code 0, class k
the code c >= 1 with (c - 1) h <= ln(p_max / p_k) < c h, at most 255, for a step h in nats. It is
read back as p_k proportional to exp(-(c - 1/2) h), and rows sum to 1. So, with ratios wrong by a
factor of exp(h / 2) at most, in either direction:

- the predicted class stays, and so does the order within a row, where near ones may come to tie
  (and of several that are largest, the first comes to lead);
- of a class that isn't at code 255, the odds p / (1 - p) are wrong by a factor of exp(h) at most,
  and of the predicted class by exp(h / 2): 0.1 nats are at most 0.025 of a probability, and 0.0125
  of the largest;
- code 255 stands for exp(-254.5 h) of the largest, and for whatever is below: 9e-12 for 0.1 nats.

**Neighbours** become ranks among the training images ordered by given label, since most neighbours
are given the label of the image. Nothing is lost.

**Dynamics**: the area under the margin becomes steps of 1/16, wrong by 1/32 at most; means over
networks of whole numbers become sums of them, and nothing is lost.
"""

import lzma

import numpy as np

from misread.errors import PredictionsError
from misread.tables.evidence import Dynamics
from misread.tables.predictions import Provenance
from misread.types import Array, FloatArray, IndexArray, IntArray, LabelArray

STEP = 0.1
_LARGEST = 255
_MARGIN_STEPS = 16
# Codes are noise around a level that follows from their place: no context before them helps.
_FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "lc": 0,
        "lp": 0,
        "pb": 0,
        "dict_size": 1 << 20,  # what repeats is near; larger would only take memory
    }
]


def pack_probabilities(probabilities: FloatArray, given: LabelArray, step: float = STEP) -> bytes:
    """Compress a table of probabilities.

    Args:
        probabilities: (N, K) float32, rows with a largest value above 0.
        given: (N,) int16, by which rows are ordered; needed again to unpack.
        step: h, in nats.
    """
    rows = np.arange(len(probabilities))
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities.astype(np.float64))
    predicted = probabilities.argmax(axis=1)
    below = logs[rows, predicted][:, None] - logs
    codes = np.minimum(np.floor(below / step) + 1, _LARGEST).astype(np.uint8)
    codes[rows, predicted] = 0
    return _compress(codes[_by_label(given)].T)


def unpack_probabilities(
    content: bytes, given: LabelArray, classes: int, step: float = STEP
) -> FloatArray:
    """The probabilities that `pack_probabilities` packed, (N, K) float32.

    Args:
        content: What it returned.
        given: The same given labels.
        classes: K.
        step: The same step.

    Raises:
        PredictionsError: The content is damaged, or of a table of another size.
    """
    codes = _decompress(content, (classes, len(given)), 1)[0]
    worth = np.exp(-step * (np.arange(_LARGEST + 1) - 0.5)).astype(np.float32)
    worth[0] = 1
    table = np.empty((len(given), classes), np.float32)
    table[_by_label(given)] = worth[codes].T
    table /= table.sum(axis=1, keepdims=True)
    return table


def pack_neighbours(neighbours: IndexArray, given: LabelArray, train_labels: LabelArray) -> bytes:
    """Compress positions of nearest training images.

    Args:
        neighbours: (N, M) int32, positions in a training split of at most 65,536 images.
        given: (N,) int16, given labels of the N images; needed again to unpack.
        train_labels: Given labels of the training split; needed again to unpack.

    Raises:
        PredictionsError: There are more training images.
    """
    _check_two_bytes(train_labels)
    ranks = np.empty(len(train_labels), np.uint16)
    ranks[_by_label(train_labels)] = np.arange(len(train_labels), dtype=np.uint16)
    return _compress(_planes(ranks[neighbours[_by_label(given)]].T))


def unpack_neighbours(
    content: bytes, width: int, given: LabelArray, train_labels: LabelArray
) -> IndexArray:
    """The neighbours that `pack_neighbours` packed, (N, M) int32.

    Args:
        content: What it returned.
        width: M.
        given: The same given labels.
        train_labels: The same given labels of the training split.

    Raises:
        PredictionsError: The content is damaged, or of a table of another size.
    """
    _check_two_bytes(train_labels)
    ranks = _decompress(content, (width, len(given)), 2)
    places = _by_label(train_labels).astype(np.int32)
    together = ranks[0].astype(np.uint16) + (ranks[1].astype(np.uint16) << 8)
    if together.size and together.max() >= len(places):
        raise PredictionsError(f"neighbours: expected ranks below {len(places)}, found larger ones")
    table = np.empty((len(given), width), np.int32)
    table[_by_label(given)] = places[together].T
    return table


def pack_dynamics(dynamics: Dynamics, given: LabelArray) -> bytes:
    """Compress training dynamics of a whole split.

    Args:
        dynamics: Margins from -2,048 to 2,048, figures that are means over its `networks`.
        given: (N,) int16, given labels; needed again to unpack.
    """
    margin = np.rint(dynamics.area_under_margin * _MARGIN_STEPS).astype(np.int16)
    sums = [
        np.rint(figure * dynamics.networks).astype(np.uint16)
        for figure in (dynamics.first_learned, dynamics.forgotten)
    ]
    columns = np.stack([margin.view(np.uint16), *sums])
    return _compress(_planes(columns[:, _by_label(given)]))


def unpack_dynamics(
    content: bytes, given: LabelArray, epochs: int, networks: int, provenance: Provenance
) -> Dynamics:
    """The dynamics that `pack_dynamics` packed.

    Args:
        content: What it returned.
        given: The same given labels.
        epochs: Length of the training.
        networks: Number of networks that the figures are means over.
        provenance: Where they come from.

    Raises:
        PredictionsError: The content is damaged, or of a table of another size.
    """
    planes = _decompress(content, (3, len(given)), 2).astype(np.uint16)
    columns = np.empty((3, len(given)), np.uint16)
    columns[:, _by_label(given)] = planes[0] + (planes[1] << 8)
    return Dynamics(
        index=np.arange(len(given), dtype=np.int32),
        area_under_margin=(columns[0].view(np.int16) / _MARGIN_STEPS).astype(np.float32),
        first_learned=(columns[1] / networks).astype(np.float32),
        forgotten=(columns[2] / networks).astype(np.float32),
        epochs=epochs,
        networks=networks,
        provenance=provenance,
    )


def _by_label(labels: LabelArray) -> IntArray:
    """Positions ordered by label, those of one label by position."""
    return np.argsort(labels, kind="stable")


def _check_two_bytes(train_labels: LabelArray) -> None:
    if len(train_labels) > 1 << 16:
        raise PredictionsError(
            f"neighbours: expected at most 65,536 training images. Got {len(train_labels):,}."
        )


def _planes(numbers: Array) -> Array:
    """The low bytes of 16-bit numbers, then the high ones: the high ones repeat."""
    return np.stack([numbers & 255, numbers >> 8]).astype(np.uint8)


def _compress(codes: Array) -> bytes:
    return lzma.compress(codes.tobytes(), check=lzma.CHECK_CRC32, filters=_FILTERS)


def _decompress(content: bytes, shape: tuple[int, int], planes: int) -> Array:
    """The codes, (planes, *shape) uint8."""
    size = planes * shape[0] * shape[1]
    packed = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        # One byte more than expected, so that a longer table is told.
        codes = packed.decompress(content, size + 1)
    except lzma.LZMAError as error:
        raise PredictionsError(f"packed table: expected xz, found damaged data: {error}") from error
    if len(codes) != size or not packed.eof:
        got = "more" if len(codes) > size else f"{len(codes):,}, or a damaged end"
        raise PredictionsError(f"packed table: expected {size:,} codes. Got {got} instead.")
    return np.frombuffer(codes, np.uint8).reshape(planes, *shape)
