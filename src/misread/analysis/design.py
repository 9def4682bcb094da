"""Design effects: by how much clusters of images widen the variance of error rates."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.bootstrap import Cells, bootstrap_variances
from misread.types import Array


@dataclass(frozen=True, eq=False)
class DesignEffects:
    """Variance of error rates over that of independent images.

    Attributes:
        groups: (K,) float64, of each group's rate, 1 or more.
        rest: (K,) float64, of the rate of all other groups together.
        overall: Of the rate of all images.
        freedom: Degrees of freedom behind them; infinite where they are known to be 1.
        overall_freedom: The same for the rate of all images.
    """

    groups: Array
    rest: Array
    overall: float
    freedom: float
    overall_freedom: float

    @classmethod
    def none(cls, groups: int) -> "DesignEffects":
        """Those of images that are independent."""
        return cls(np.ones(groups), np.ones(groups), 1.0, np.inf, np.inf)


def design_effects(cells: Cells, resamples: int, seed: int) -> DesignEffects:
    """Estimate design effects from counts of mistakes by cluster and group.

    Of a group it is the larger of two. Its own: the variance from the bootstrap over that of as
    many independent images. And one that borrows from all groups: `1 + r (m - 1)` for m images a
    cluster (weighted by images), where r is the intra-cluster correlation at which the variances of
    all groups add up to those seen. Alone, the first is too small by chance in groups with few
    mistakes and says 1 in those without any; the second is too small where groups differ in r.

    Args:
        cells: Counts by cluster and group, of two clusters or more.
        resamples: Resamples of the bootstrap.
        seed: Its seed.

    Source: Kish (1965), section 5.4, for `1 + r (m - 1)`.
    """
    variances = bootstrap_variances(cells, resamples, seed)
    mistakes, images, size = _totals(cells)
    share = np.divide(mistakes, images, out=np.zeros(len(images)), where=images > 0)
    independent = np.divide(
        share * (1 - share), images, out=np.zeros(len(images)), where=images > 0
    )
    groups = cells.shape[1]
    several = np.flatnonzero(cells.clusters_by_group > 1)
    # Weighted by squared images: mistakes as counts, where groups without any add nothing.
    weight = images[several] ** 2
    excess = (weight * (variances[several] - independent[several])).sum()
    scale = (weight * independent[several] * (size[several] - 1)).sum()
    correlation = min(max(excess / scale, 0.0), 1.0) if scale > 0 else 0.0
    own = np.divide(variances, independent, out=np.ones(len(images)), where=independent > 0)
    effects = np.maximum(np.maximum(own, 1), 1 + correlation * np.maximum(size - 1, 0))
    freedom = min(cells.shape[0] - 1, len(cells.cluster) - groups)
    return DesignEffects(
        groups=effects[:groups],
        rest=effects[groups:-1],
        # All images have a bootstrap of their own with every mistake in it: nothing to borrow.
        overall=max(float(own[-1]), 1.0),
        freedom=max(freedom, 1),
        overall_freedom=max(cells.shape[0] - 1, 1),
    )


def _totals(cells: Cells) -> tuple[Array, Array, Array]:
    """Mistakes, images and images a cluster (2K + 1,): of each group, of its rest, of all."""
    clusters, groups = cells.shape
    mistakes = np.bincount(cells.group, cells.mistakes, groups)
    images = np.bincount(cells.group, cells.images, groups)
    squares = np.bincount(cells.group, cells.images.astype(np.float64) ** 2, groups)
    by_cluster = np.bincount(cells.cluster, cells.images, clusters)
    cross = np.bincount(cells.group, cells.images * by_cluster[cells.cluster], groups)
    all_squares = (by_cluster**2).sum()
    totals = np.concatenate([images, images.sum() - images, [images.sum()]])
    second = np.concatenate([squares, all_squares - 2 * cross + squares, [all_squares]])
    return (
        np.concatenate([mistakes, mistakes.sum() - mistakes, [mistakes.sum()]]),
        totals,
        np.divide(second, totals, out=np.ones(len(totals)), where=totals > 0),
    )
