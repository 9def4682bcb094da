"""Images that a dataset holds more than once, exactly or nearly, and what their labels say."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from misread.analysis.near_pairs import Near, near_pairs, project
from misread.datasets import Dataset, Images
from misread.errors import ParameterError
from misread.types import Array, BoolArray, ByteArray, FloatArray, IndexArray, IntArray, LabelArray

DISTANCE = 0.03

# What is the matter with two copies, worst first: their given labels differ, they are in two
# splits, both, or neither.
KINDS = ("leak+conflict", "conflict", "leak", "repeat")

_BATCH_BYTES = 1 << 22

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class PairTable:
    """M pairs of images that are the same or nearly so, worst kind first, then closest.

    Of m identical images there are m - 1 pairs, of the first with each other, and only the first is
    compared with images that are not identical.

    Attributes:
        split_a: (M,) str, split of the image that comes first in the dataset.
        index_a: (M,) int32, its position in the split.
        given_a: (M,) int16, its given label.
        split_b: (M,) str, split of the other image.
        index_b: (M,) int32, its position in the split.
        given_b: (M,) int16, its given label.
        distance: (M,) float64 in [0, 1], root mean square difference of the pixel values as a share
            of 255; 0 where they are identical.
        kind: (M,) str, one of `KINDS`.
    """

    split_a: Texts
    index_a: IndexArray
    given_a: LabelArray
    split_b: Texts
    index_b: IndexArray
    given_b: LabelArray
    distance: npt.NDArray[np.float64]
    kind: Texts

    def __len__(self) -> int:
        return len(self.index_a)


@dataclass(frozen=True)
class Copy:
    """One image of a group.

    Attributes:
        split: Its split.
        index: Its position in the split.
        given: Its given label.
    """

    split: str
    index: int
    given: int


@dataclass(frozen=True)
class Group:
    """Images that are linked by pairs, directly or through others.

    Attributes:
        kind: One of `KINDS`: whether its given labels differ, and whether it is in several splits.
        identical: Whether all are the same, pixel by pixel.
        copies: The images, in the dataset's order.
    """

    kind: str
    identical: bool
    copies: tuple[Copy, ...]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The duplicates of a dataset.

    Attributes:
        distance: Pairs up to this distance are listed.
        images: Number of images looked at.
        sizes: Number of sizes they have; near ones are looked for among images of one size.
        classes: Class names.
        pairs: The pairs.
        groups: The groups, worst kind first, then largest.
    """

    distance: float
    images: int
    sizes: int
    classes: tuple[str, ...]
    pairs: PairTable
    groups: tuple[Group, ...]

    def __repr__(self) -> str:
        return (
            f"Duplicates({len(self.pairs):,} pairs in {len(self.groups):,} groups, "
            f"of {self.images:,} images, distance {self.distance:g})"
        )


def find_duplicates(dataset: Dataset, distance: float = DISTANCE) -> Duplicates:
    """Find all images that a dataset holds more than once, within and across its splits.

    Exact duplicates are found among images of any size, near ones among images of one size. All
    pairs within the distance are found. Images are read one after another; kept of each are at most
    192 numbers.

    Args:
        dataset: Images and given labels.
        distance: Largest root mean square difference of the pixel values, as a share of 255, in
            [0, 1); 0 for identical images only.

    Returns:
        Pairs and groups, worst first.

    Raises:
        ParameterError: The distance is out of range, or so large that there are more than a million
            pairs.

    Example:
        >>> import numpy as np
        >>> from misread.datasets import Split
        >>> images = np.zeros((3, 8, 8), np.uint8)
        >>> images[2] = 200
        >>> test = Split("test", images, np.array([0, 1, 1]))
        >>> find_duplicates(Dataset("tiny", ("a", "b"), {"test": test}, "nowhere")).groups[0].kind
        'conflict'
    """
    if not 0 <= distance < 1:
        raise ParameterError(f"distance must be in [0, 1), as 0.03. Got {distance} instead.")
    collection = _Collection(dataset)
    first_of, sizes = _scan(collection, project_too=distance > 0)
    copies = np.flatnonzero(first_of != np.arange(len(first_of)))
    pairs = [Near(first_of[copies], copies, np.zeros(len(copies)))]
    if distance > 0:
        pairs += [_near(collection, same_size, distance) for same_size in sizes.values()]
    a = np.concatenate([near.first for near in pairs])
    b = np.concatenate([near.second for near in pairs])
    distances = np.concatenate([near.distance for near in pairs])
    return Duplicates(
        distance=distance,
        images=len(collection),
        sizes=len(sizes),
        classes=dataset.classes,
        pairs=_pair_table(collection, a, b, distances),
        groups=_groups(collection, a, b, first_of),
    )


class _Collection:
    """The images of all splits in one row."""

    def __init__(self, dataset: Dataset) -> None:
        splits = list(dataset.splits.values())
        lengths = [len(split) for split in splits]
        self._images: list[Images] = [split.images for split in splits]
        self.names = np.array(list(dataset.splits))
        self.split = np.repeat(np.arange(len(splits)), lengths)
        self.index = np.concatenate([np.arange(n, dtype=np.int32) for n in lengths])
        self.given = np.concatenate([split.labels for split in splits])

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, row: int) -> Array:
        image: Array = self._images[self.split[row]][int(self.index[row])]
        return image

    def read(self, rows: Sequence[int] | IntArray) -> ByteArray:
        """Images of one size, flat: (M, H x W x C) uint8."""
        return np.stack([np.asarray(self[row]).reshape(-1) for row in rows])


@dataclass
class _SameSize:
    """Where the different images of one size are, and their projections, while they are read."""

    shape: tuple[int, ...]
    rows: list[int]
    coefficients: list[FloatArray]


def _scan(
    collection: _Collection, *, project_too: bool
) -> tuple[IntArray, dict[tuple[int, ...], _SameSize]]:
    """Read all images once.

    Returns:
        For each row the first row of an identical image, maybe itself; the others by their size.
    """
    first_of = np.arange(len(collection))
    seen: dict[bytes, int] = {}
    sizes: dict[tuple[int, ...], _SameSize] = {}
    for shape, rows, images in _batches(collection):
        new = []
        for at, row in enumerate(rows):
            digest = hashlib.sha256(images[at].data).digest() + repr(shape).encode()
            first_of[row] = seen.setdefault(digest, row)
            if first_of[row] == row:
                new.append(at)
        here = sizes.setdefault(shape, _SameSize(shape, [], []))
        here.rows += [rows[at] for at in new]
        if project_too and new:
            here.coefficients.append(project(images[new]))
    return first_of, sizes


def _batches(collection: _Collection) -> Iterator[tuple[tuple[int, ...], list[int], ByteArray]]:
    """Successive images of one size: shape, rows, (B, H, W, C) uint8."""
    shape: tuple[int, ...] = ()
    images: list[Array] = []
    for row in range(len(collection)):
        image = np.asarray(collection[row])
        image = image[..., None] if image.ndim == 2 else image
        full = images and len(images) * image.size >= _BATCH_BYTES
        if images and (image.shape != shape or full):
            yield shape, list(range(row - len(images), row)), np.stack(images)
            images = []
        shape = image.shape
        images.append(image)
    if images:
        yield shape, list(range(len(collection) - len(images), len(collection))), np.stack(images)


def _near(collection: _Collection, same: _SameSize, distance: float) -> Near:
    if len(same.rows) < 2:
        return Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    rows = np.array(same.rows)
    coefficients = np.concatenate(same.coefficients)
    same.coefficients.clear()
    found = near_pairs(
        coefficients, int(np.prod(same.shape)), distance, lambda some: collection.read(rows[some])
    )
    return Near(rows[found.first], rows[found.second], found.distance)


def _kinds(conflict: BoolArray, leak: BoolArray) -> IntArray:
    """Positions in KINDS."""
    return np.select([conflict & leak, conflict, leak], [0, 1, 2], 3)


def _pair_table(collection: _Collection, a: IntArray, b: IntArray, distance: Array) -> PairTable:
    split, given = collection.split, collection.given
    kinds = _kinds(given[a] != given[b], split[a] != split[b])
    order = np.lexsort((b, a, distance, kinds))
    a, b = a[order], b[order]
    return PairTable(
        split_a=collection.names[split[a]],
        index_a=collection.index[a],
        given_a=given[a],
        split_b=collection.names[split[b]],
        index_b=collection.index[b],
        given_b=given[b],
        distance=distance[order],
        kind=np.array(KINDS)[kinds[order]],
    )


def _groups(
    collection: _Collection, a: IntArray, b: IntArray, first_of: IntArray
) -> tuple[Group, ...]:
    count = len(collection)
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    linked = np.unique(np.concatenate([a, b]))
    # Members of a group next to each other, in the dataset's order.
    linked = linked[np.argsort(labels[linked], kind="stable")]
    groups = []
    for rows in np.split(linked, np.flatnonzero(np.diff(labels[linked])) + 1):
        if len(rows) == 0:
            continue
        given, split = collection.given[rows], collection.split[rows]
        kind = int(_kinds(np.ptp(given, keepdims=True) > 0, np.ptp(split, keepdims=True) > 0)[0])
        copies = tuple(
            Copy(str(collection.names[split[i]]), int(collection.index[row]), int(given[i]))
            for i, row in enumerate(rows)
        )
        groups.append(Group(KINDS[kind], len(np.unique(first_of[rows])) == 1, copies))
    # Sorting is stable: the dataset's order among equals.
    return tuple(sorted(groups, key=lambda group: (KINDS.index(group.kind), -len(group.copies))))
