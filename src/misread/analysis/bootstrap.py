"""How much rates vary where images come in clusters: a bootstrap over the clusters."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from misread.errors import ParameterError
from misread.types import Array

RESAMPLES = 1000

# Weights drawn at a time: 64 MB.
_MOST_WEIGHTS = 1 << 23


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts of mistakes by cluster and group; only the C pairs that have images.

    Attributes:
        cluster: (C,) int64, the cluster of each pair, 0 up.
        group: (C,) int64, its group, 0 up.
        images: (C,) int64, number of images, 1 or more.
        mistakes: (C,) int64, number of mistakes among them.
        shape: Number of clusters and of groups.
    """

    cluster: Array
    group: Array
    images: Array
    mistakes: Array
    shape: tuple[int, int]

    @classmethod
    def count(cls, wrong: Array, groups: Array, clusters: Array) -> "Cells":
        """Count N images.

        Args:
            wrong: (N,) bool, whether each image is a mistake.
            groups: (N,) whole numbers, 0 up, without gaps.
            clusters: (N,) whole numbers, 0 up, without gaps.
        """
        width = int(groups.max(initial=-1)) + 1
        pair = clusters.astype(np.int64) * width + groups
        pairs, inverse = np.unique(pair, return_inverse=True)
        return cls(
            cluster=pairs // max(width, 1),
            group=pairs % max(width, 1),
            images=np.bincount(inverse, minlength=len(pairs)),
            mistakes=np.bincount(inverse, weights=wrong, minlength=len(pairs)).astype(np.int64),
            shape=(int(clusters.max(initial=-1)) + 1, width),
        )

    @property
    def clusters_by_group(self) -> Array:
        """(K,) int64: number of clusters that have images in each group."""
        return np.bincount(self.group, minlength=self.shape[1])

    def matrix(self, values: Array) -> csr_matrix:
        """One value per pair as a sparse matrix, clusters x groups."""
        return csr_matrix((values.astype(np.float64), (self.cluster, self.group)), self.shape)


def bootstrap_variances(cells: Cells, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """Variances of error rates over new clusters, from one bootstrap over the clusters.

    Each resample gives every cluster a random weight (exponential: Rubin's Bayesian bootstrap), the
    same one in all groups, so that a cluster whose images are spread over groups counts as one.
    Unlike drawing clusters with replacement it never leaves a group empty, and its bias where
    clusters are few is known: for G clusters of one size the variance comes out (G - 1) / (G + 1)
    times what it should be, which is put right here.

    Args:
        cells: Counts by cluster and group.
        resamples: Number of resamples, 2 or more.
        seed: Seed of the random weights.

    Returns:
        (2K + 1,) float64: variance of each group's rate, of the rate of all other groups together,
        and of the rate of all images; 0 where there is only one cluster.

    Raises:
        ParameterError: Too few resamples.

    Source: Rubin (1981), The Bayesian bootstrap, section 2.
    """
    if resamples < 2:
        raise ParameterError(f"resamples must be 2 or more. Got {resamples} instead.")
    generator = np.random.default_rng(seed)
    mistakes, images = cells.matrix(cells.mistakes), cells.matrix(cells.images)
    clusters = cells.shape[0]
    ones = np.ones((1, clusters))
    # Distances from the rates as observed: their squares lose no digits.
    middle = _rates(ones @ mistakes, ones @ images)
    first, second = np.zeros_like(middle), np.zeros_like(middle)
    step = max(1, _MOST_WEIGHTS // max(clusters, 1))
    for start in range(0, resamples, step):
        weights = generator.standard_exponential((min(step, resamples - start), clusters))
        distance = _rates(weights @ mistakes, weights @ images) - middle
        first += distance.sum(axis=0)
        second += (distance**2).sum(axis=0)
    variance = (second - first**2 / resamples)[0] / (resamples - 1)
    corrected: Array = np.maximum(variance, 0) * _corrections(cells)
    return corrected


def _rates(mistakes: Array, images: Array) -> Array:
    """Rates (B, 2K + 1): of each group, of the rest of each group, of all; 0 over no images."""
    all_mistakes, all_images = mistakes.sum(1, keepdims=True), images.sum(1, keepdims=True)
    counts = np.concatenate([mistakes, all_mistakes - mistakes, all_mistakes], axis=1)
    totals = np.concatenate([images, all_images - images, all_images], axis=1)
    # A difference of sums isn't exactly 0 where it should be.
    some = totals > 1e-9 * all_images
    rates: Array = np.divide(counts, totals, out=np.zeros_like(totals), where=some)
    return rates


def _corrections(cells: Cells) -> Array:
    """(2K + 1,): (G + 1) / (G - 1) for the G clusters behind each rate; 0 for one cluster."""
    clusters, groups = cells.shape
    # A cluster has images in the rest of a group unless all of its images are in that group.
    alone = np.bincount(cells.cluster, minlength=clusters)[cells.cluster] == 1
    rest = clusters - np.bincount(cells.group[alone], minlength=groups)
    counts = np.concatenate([cells.clusters_by_group, rest, [clusters]]).astype(np.float64)
    corrections: Array = np.where(counts > 1, (counts + 1) / np.maximum(counts - 1, 1), 0.0)
    return corrections
