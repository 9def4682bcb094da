import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform

from misread.analysis.near_pairs import LARGEST, Near, near_pairs, project
from misread.errors import ParameterError
from misread.types import Array, ByteArray, IntArray

MARGIN = 1e-12


def find(images: ByteArray, distance: float) -> Near:
    flat = images.reshape(len(images), -1)
    return near_pairs(project(images), flat.shape[1], distance, lambda rows: flat[rows])


def by_brute_force(images: ByteArray, distance: float) -> dict[tuple[int, int], float]:
    flat = images.reshape(len(images), -1).astype(np.float64)
    roots = squareform(pdist(flat)) / (LARGEST * np.sqrt(flat.shape[1]))
    pairs = np.argwhere(np.triu(roots <= distance, 1))
    return {(int(a), int(b)): float(roots[a, b]) for a, b in pairs}


def assert_complete(images: ByteArray, distance: float) -> int:
    found, expected = find(images, distance), by_brute_force(images, distance)
    assert (found.first < found.second).all()
    pairs = dict(zip(zip(found.first, found.second, strict=True), found.distance, strict=True))
    assert len(pairs) == len(found.first)  # each once
    assert {(int(a), int(b)) for a, b in pairs} == set(expected)
    for pair, value in expected.items():
        assert pairs[pair] == pytest.approx(value, abs=MARGIN)
    return len(expected)


def clusters(count: int, shape: tuple[int, ...], noise: float, seed: int = 0) -> ByteArray:
    """Smooth pictures, each several times with a little noise: many pairs near the limit."""
    generator = np.random.default_rng(seed)
    centres = generator.uniform(0, 255, (count // 6, *shape)).cumsum(axis=1)
    centres *= 255 / centres.max()
    chosen = centres[generator.integers(0, len(centres), count)]
    scale = generator.uniform(0, noise, (count, *[1] * len(shape)))
    noisy: ByteArray = np.clip(chosen + scale * generator.normal(size=chosen.shape), 0, 255)
    return noisy.astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (3, 20), (12, 12), (9, 11, 3)])
def test_no_pair_is_missed_and_none_is_made_up(shape: tuple[int, ...]) -> None:
    images = clusters(240, shape, 20)
    pairs = [assert_complete(images, distance) for distance in (0.01, 0.05, 0.1)]
    assert 0 < pairs[0] < pairs[1] < pairs[2]


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_blocks_of_any_size_find_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images = clusters(120, (10, 10), 20)
    module = "misread.analysis.near_pairs"
    monkeypatch.setattr(f"{module}._ROWS", rows)
    monkeypatch.setattr(f"{module}._COLUMNS", rows + 2)
    monkeypatch.setattr(f"{module}._BLOCK_BYTES", 8 * 100 * 3)
    assert assert_complete(images, 0.06) > 50


@hypothesis_given(
    images=arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))),
    distance=st.floats(0, 1, exclude_max=True),
)
@settings(deadline=None)
def test_any_images_at_any_distance(images: ByteArray, distance: float) -> None:
    roots = list(by_brute_force(images, 1).values())
    if not any(abs(root - distance) < MARGIN for root in roots):
        assert_complete(images, distance)


def test_identical_and_opposite_images() -> None:
    images = np.zeros((4, 6, 6), np.uint8)
    images[2:] = 255
    assert by_brute_force(images, 0).keys() == {(0, 1), (2, 3)}
    assert_complete(images, 0)
    assert assert_complete(images, 1) == 6
    assert find(images, 1).distance.max() == 1


@hypothesis_given(
    images=arrays(np.uint8, st.tuples(st.just(4), st.integers(1, 12), st.integers(1, 12)))
)
@settings(deadline=None)
def test_a_projection_never_lengthens_a_difference(images: ByteArray) -> None:
    coefficients = project(images)
    assert coefficients.dtype == np.float32
    shape = images.shape[1:]
    assert coefficients.shape == (4, min(8, shape[0]) * min(8, shape[1]))
    apart = pdist(images.reshape(4, -1).astype(np.float64))
    assert (pdist(coefficients.astype(np.float64)) <= apart + 1e-6 * LARGEST * 12).all()
    if max(shape) <= 8:  # then it is a rotation
        np.testing.assert_allclose(pdist(coefficients.astype(np.float64)), apart, atol=0.01)


def test_a_candidate_is_compared_and_an_image_read_once() -> None:
    images = clusters(90, (10, 10), 20).reshape(90, -1)
    reads: list[IntArray] = []

    def read(rows: IntArray) -> Array:
        reads.append(rows)
        return images[rows]

    coefficients = project(images.reshape(90, 10, 10))
    near_pairs(coefficients, 100, 0.03, read)
    assert reads
    for rows in reads:
        assert len(set(rows.tolist())) == len(rows)


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("misread.analysis.near_pairs.MOST_PAIRS", 44)
    images = np.zeros((10, 4, 4), np.uint8)
    with pytest.raises(ParameterError, match=r"more than 44 pairs of images within 0\.2 of each"):
        find(images, 0.2)
    assert len(find(images[:9], 0.2).first) == 36


def test_one_image_has_no_pair() -> None:
    assert len(find(np.zeros((1, 5, 5), np.uint8), 0.9).first) == 0
