import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.analysis.bootstrap import Cells, bootstrap_variances
from misread.errors import ParameterError
from misread.types import Array


def linearised(wrong: Array, mine: Array, clusters: Array) -> float:
    """The variance of a rate over clusters by Taylor's linearisation, in a slow loop."""
    found = [
        (wrong[mine & (clusters == c)].sum(), (mine & (clusters == c)).sum())
        for c in np.unique(clusters[mine])
    ]
    share = sum(x for x, _ in found) / sum(n for _, n in found)
    total = sum((x - share * n) ** 2 for x, n in found)
    return float(total * len(found) / (len(found) - 1) / sum(n for _, n in found) ** 2)


@pytest.mark.parametrize("crossed", [False, True])
def test_the_variances_are_those_of_linearisation(crossed: bool) -> None:
    """Within 10%: the Monte Carlo error of a variance from 4,000 resamples is 2.2%."""
    generator = np.random.default_rng(0)
    sizes = generator.integers(15, 40, 90)
    clusters = np.repeat(np.arange(90), sizes)
    groups = generator.integers(0, 3, len(clusters)) if crossed else clusters % 3
    rates = generator.beta(2, 8, 90)
    wrong = generator.random(len(clusters)) < rates[clusters]
    found = bootstrap_variances(Cells.count(wrong, groups, clusters), 4000)
    subsets = [groups == k for k in range(3)] + [groups != k for k in range(3)]
    subsets.append(np.ones(len(groups), bool))
    expected = [linearised(wrong, mine, clusters) for mine in subsets]
    np.testing.assert_allclose(found, expected, rtol=0.1)


def test_few_clusters_of_one_size_are_unbiased() -> None:
    """Over 400 draws of 4 clusters the variances average to that of the rates drawn.

    Four Monte Carlo errors are allowed: those of the average and of the rates' variance.
    """
    generator = np.random.default_rng(1)
    clusters = np.repeat(np.arange(4), 100)
    groups = np.zeros(400, int)
    found, seen = [], []
    for draw in range(400):
        wrong = generator.random(400) < generator.beta(4, 4, 4)[clusters]
        found.append(bootstrap_variances(Cells.count(wrong, groups, clusters), 100, draw)[0])
        seen.append(wrong.mean())
    error = np.hypot(np.std(found) / 20, np.var(seen) * np.sqrt(2 / 399))
    assert abs(np.mean(found) - np.var(seen, ddof=1)) < 4 * error


def test_the_seed_decides() -> None:
    generator = np.random.default_rng(2)
    clusters = np.arange(300) // 10
    cells = Cells.count(generator.random(300) < 0.2, np.zeros(300, int), clusters)
    first, again, other = (bootstrap_variances(cells, 50, seed) for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_chunks_of_resamples_are_one_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    cells = Cells.count(generator.random(60) < 0.3, np.arange(60) % 2, np.arange(60) // 6)
    whole = bootstrap_variances(cells, 37)
    monkeypatch.setattr("misread.analysis.bootstrap._MOST_WEIGHTS", 50)
    np.testing.assert_allclose(bootstrap_variances(cells, 37), whole, rtol=1e-9)


def test_one_cluster_has_no_variance() -> None:
    wrong = np.array([True, False, True, False, False])
    cells = Cells.count(wrong, np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2]))
    variances = bootstrap_variances(cells, 20)
    assert variances[0] == 0
    assert variances[1] > 0
    with pytest.raises(ParameterError, match="resamples must be 2 or more"):
        bootstrap_variances(cells, 1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 9)), max_size=50))
@settings(deadline=None)
def test_cells_count_every_image_once(images: list[tuple[bool, int, int]]) -> None:
    wrong = np.array([image[0] for image in images], bool)
    _, groups = np.unique([image[1] for image in images], return_inverse=True)
    _, clusters = np.unique([image[2] for image in images], return_inverse=True)
    cells = Cells.count(wrong, groups, clusters)
    counted = {
        (c, g): (int(n), int(x))
        for c, g, n, x in zip(
            cells.cluster.tolist(), cells.group.tolist(), cells.images, cells.mistakes, strict=True
        )
    }
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    for x, g, c in zip(wrong, groups.tolist(), clusters.tolist(), strict=True):
        n, k = expected.get((c, g), (0, 0))
        expected[c, g] = (n + 1, k + int(x))
    assert counted == expected
    assert cells.clusters_by_group.sum() == len(expected)
