import numpy as np
import pytest

from misread.analysis.bootstrap import Cells
from misread.analysis.design import DesignEffects, design_effects
from misread.types import Array


def counted(wrong: Array, groups: Array, clusters: Array) -> DesignEffects:
    return design_effects(Cells.count(wrong, groups, clusters), 2000, 0)


def test_whole_clusters_that_are_alike_count_as_one_image_each() -> None:
    """All images of a cluster are mistakes, or none: the design effect is the cluster's size."""
    clusters = np.repeat(np.arange(200), 8)
    made = counted(clusters % 5 == 0, clusters % 2, clusters)
    assert made.overall == pytest.approx(8, rel=0.1)
    np.testing.assert_allclose(made.groups, 8, rtol=0.15)
    np.testing.assert_allclose(made.rest, 8, rtol=0.15)
    assert made.freedom == 198
    assert made.overall_freedom == 199


def test_independent_images_have_none() -> None:
    generator = np.random.default_rng(0)
    clusters = np.repeat(np.arange(500), 20)
    made = counted(generator.random(10_000) < 0.1, clusters % 4, clusters)
    assert 1 <= made.overall < 1.25
    assert (made.groups >= 1).all()
    assert made.groups.max() < 1.5


def test_a_group_without_mistakes_borrows_from_the_others() -> None:
    clusters = np.repeat(np.arange(100), 10)
    groups = clusters // 50
    wrong = (clusters % 5 == 0) & (groups == 0)
    made = counted(wrong, groups, clusters)
    assert made.groups[1] == pytest.approx(made.groups[0], rel=0.15)
    assert made.groups[1] > 5


def test_clusters_that_cross_groups_weigh_by_their_share() -> None:
    """Spread over 10 groups, 2 images a cluster in each: at most 2, though of all images 20."""
    clusters = np.repeat(np.arange(100), 20)
    made = counted(clusters % 5 == 0, np.arange(2000) % 10, clusters)
    assert made.overall == pytest.approx(20, rel=0.15)
    assert made.groups.max() < 2.4
    assert made.freedom == 99


def test_no_mistakes_at_all() -> None:
    clusters = np.repeat(np.arange(10), 10)
    made = counted(np.zeros(100, bool), clusters % 2, clusters)
    assert made.groups.tolist() == [1, 1]
    assert made.overall == 1
