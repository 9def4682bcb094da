from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.analysis import near_pairs as module
from misread.analysis.duplicates import KINDS, Duplicates, find_duplicates
from misread.analysis.near_pairs import near_pairs, project
from misread.datasets import Dataset, Split
from misread.errors import ParameterError
from misread.types import Array, ByteArray

Pair = tuple[tuple[str, int], tuple[str, int]]


class Listed:
    """Images that are read one at a time, of any size."""

    def __init__(self, images: Sequence[Array]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int, /) -> Array:
        return self.images[i]


def dataset(train: Sequence[Array], test: Sequence[Array], labels: Sequence[int]) -> Dataset:
    given = np.array(labels, dtype=int)
    splits = {
        "train": Split("train", Listed(train), given[: len(train)]),
        "test": Split("test", Listed(test), given[len(train) :]),
    }
    return Dataset("listed", tuple("abc"), splits, "nowhere")


def brute_force(data: Dataset, distance: float) -> dict[Pair, float]:
    """Every pair within the distance, by comparing all."""
    everything = [
        ((name, i), split.images[i])
        for name, split in data.splits.items()
        for i in range(len(split))
    ]
    found = {}
    for (a, first), (b, second) in combinations(everything, 2):
        if first.shape == second.shape:
            squares = (first.astype(int) - second.astype(int)) ** 2
            apart = float(np.sqrt(squares.mean())) / 255
            if apart <= distance:
                found[a, b] = apart
    return found


def listed(found: Duplicates) -> dict[Pair, float]:
    pairs = found.pairs
    return {
        (
            (str(pairs.split_a[i]), int(pairs.index_a[i])),
            (str(pairs.split_b[i]), int(pairs.index_b[i])),
        ): float(pairs.distance[i])
        for i in range(len(pairs))
    }


def implied(found: Duplicates) -> dict[Pair, float]:
    """The listed pairs, and those of images that are identical to theirs."""
    order = {name: n for n, name in enumerate(("train", "test"))}
    pairs = listed(found)
    same: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for (a, b), apart in pairs.items():
        if apart == 0:
            same.setdefault(a, [a]).append(b)
    result = {}
    for (a, b), apart in pairs.items():
        left, right = same.get(a, [a]), same.get(b, [b])
        both = combinations(left, 2) if apart == 0 else ((x, y) for x in left for y in right)
        for x, y in both:
            first, second = sorted((x, y), key=lambda item: (order[item[0]], item[1]))
            result[first, second] = apart
    return result


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """A few images of two sizes; many of them the same or nearly so."""
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    shapes = [(9, 11), (2, 3, 3)]
    images: list[Array] = []
    for _ in range(draw(st.integers(0, 14))):
        shape = shapes[generator.integers(2)]
        alike = [image for image in images if image.shape == shape]
        if alike and generator.random() < 0.7:
            base = alike[generator.integers(len(alike))].astype(int)
            noise = generator.integers(-12, 13, shape) * (generator.random() < 0.6)
            images.append(np.clip(base + noise, 0, 255).astype(np.uint8))
        else:
            images.append(generator.integers(0, 256, shape, dtype=np.uint8))
    cut = draw(st.integers(0, len(images)))
    return dataset(images[:cut], images[cut:], list(generator.integers(0, 3, len(images))))


@settings(deadline=None, max_examples=60)
@given(datasets(), st.sampled_from([0.0, 0.01, 0.03, 0.05, 0.3, 0.99]))
def test_all_pairs_are_found_and_no_others(data: Dataset, distance: float) -> None:
    assert implied(find_duplicates(data, distance)) == brute_force(data, distance)


@settings(deadline=None, max_examples=30)
@given(datasets())
def test_groups_are_what_the_pairs_link(data: Dataset) -> None:
    found = find_duplicates(data, 0.05)
    linked = {frozenset((a, b)) for a, b in brute_force(data, 0.05)}
    merged: list[set[tuple[str, int]]] = []
    for pair in linked:
        touching = [group for group in merged if group & pair]
        merged = [group for group in merged if not group & pair]
        merged.append(set(pair).union(*touching))
    groups = {frozenset((c.split, c.index) for c in group.copies) for group in found.groups}
    assert groups == {frozenset(group) for group in merged}
    for group in found.groups:
        labels = {copy.given for copy in group.copies}
        splits = {copy.split for copy in group.copies}
        assert ("conflict" in group.kind) == (len(labels) > 1)
        assert ("leak" in group.kind) == (len(splits) > 1)
        inside = {
            str(found.pairs.kind[i])
            for i, (a, _) in enumerate(listed(found))
            if a in {(c.split, c.index) for c in group.copies}
        }
        # What is the matter with a group shows in one of its listed pairs.
        assert ("conflict" in group.kind) == any("conflict" in kind for kind in inside)
        assert ("leak" in group.kind) == any("leak" in kind for kind in inside)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (5, 40), (3, 3, 1), (1, 1)])
def test_a_projection_is_never_longer(shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (40, *shape), dtype=np.uint8)
    images[1::2] = images[::2] // 2  # smooth differences, of which nearly all is kept
    projected = project(images).astype(np.float64)
    for a, b in combinations(range(40), 2):
        whole = np.linalg.norm(images[a].astype(float) - images[b])
        assert np.linalg.norm(projected[a] - projected[b]) <= whole * (1 + 1e-6)


def test_a_projection_of_a_small_image_keeps_everything() -> None:
    images = np.random.default_rng(1).integers(0, 256, (20, 8, 6, 3), dtype=np.uint8)
    projected = project(images)
    assert projected.shape == (20, 144)
    whole = np.linalg.norm(images[0].astype(float) - images[7])
    assert np.linalg.norm(projected[0] - projected[7]) == pytest.approx(whole, rel=1e-6)


def pairs_of(a: Array, b: Array) -> list[tuple[int, int]]:
    return list(zip(a.tolist(), b.tolist(), strict=True))


@pytest.mark.parametrize("distance", [0.004, 0.02, 0.06])
def test_nothing_is_lost_between_blocks(distance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that every boundary is crossed; differences on both sides of the limit."""
    monkeypatch.setattr(module, "_ROWS", 7)
    monkeypatch.setattr(module, "_COLUMNS", 13)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 5_000)
    generator = np.random.default_rng(2)
    base = generator.integers(30, 220, (12, 10, 10))
    drawn = base[generator.integers(0, 12, 300)] + generator.integers(-9, 10, (300, 1, 1))
    images: ByteArray = np.unique(drawn, axis=0).astype(np.uint8)
    flat = images.reshape(len(images), -1)
    found = near_pairs(project(images), 100, distance, lambda rows: flat[rows])
    a, b = np.triu_indices(len(flat), 1)
    apart = np.sqrt(((flat[a].astype(float) - flat[b]) ** 2).mean(axis=1)) / 255
    near = apart <= distance
    assert near.sum() > 100
    expected = dict(zip(pairs_of(a[near], b[near]), apart[near], strict=True))
    got = dict(zip(pairs_of(found.first, found.second), found.distance, strict=True))
    assert got == expected


def test_kinds_and_order() -> None:
    one, two, three = (np.full((4, 4), grey, np.uint8) for grey in (0, 100, 200))
    close = np.full((4, 4), 103, np.uint8)
    data = dataset([one, two, three, three], [one, close, three], [0, 1, 2, 0, 1, 1, 2])
    found = find_duplicates(data, 0.02)
    pairs = found.pairs
    assert pairs.kind.tolist() == ["leak+conflict", "conflict", "leak", "leak"]
    assert listed(found) == {
        (("train", 0), ("test", 0)): 0.0,
        (("train", 2), ("train", 3)): 0.0,
        (("train", 2), ("test", 2)): 0.0,
        (("train", 1), ("test", 1)): 3 / 255,
    }
    assert [(group.kind, group.identical, len(group.copies)) for group in found.groups] == [
        ("leak+conflict", True, 3),
        ("leak+conflict", True, 2),
        ("leak", False, 2),
    ]
    assert set(pairs.kind) <= set(KINDS)
    assert pairs.index_a.dtype == np.int32
    assert pairs.given_b.dtype == np.int16
    assert "4 pairs in 3 groups, of 7 images" in repr(found)


def test_many_identical_images_are_one_group() -> None:
    split = Split("train", np.zeros((3_000, 6, 6), np.uint8), np.zeros(3_000, int))
    found = find_duplicates(Dataset("blank", ("a",), {"train": split}, "nowhere"))
    assert len(found.pairs) == 2_999
    (group,) = found.groups
    assert group.identical
    assert len(group.copies) == 3_000


def test_too_many_near_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 1_000)
    images = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)
    split = Split("train", images, np.zeros(256, int))
    data = Dataset("greys", ("a",), {"train": split}, "nowhere")
    with pytest.raises(ParameterError, match="more than 1,000 pairs of images"):
        find_duplicates(data, 0.5)
    assert len(find_duplicates(data, 1 / 255).pairs) == 255


def test_sizes_are_kept_apart_but_a_grey_axis_is_none() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (6, 6), dtype=np.uint8)
    data = dataset([grey, grey[:, :5]], [grey[..., None]], [0, 0, 0])
    found = find_duplicates(data, 0.9)
    assert listed(found) == {(("train", 0), ("test", 0)): 0.0}
    assert found.sizes == 2


@pytest.mark.parametrize("distance", [-0.1, 1.0, float("nan"), float("inf")])
def test_a_distance_out_of_range_is_refused(distance: float) -> None:
    with pytest.raises(ParameterError, match=r"distance must be in \[0, 1\), as 0.03. Got"):
        find_duplicates(dataset([], [], []), distance)


def test_an_empty_dataset_has_none() -> None:
    found = find_duplicates(dataset([], [], []))
    assert len(found.pairs) == 0
    assert found.groups == ()
