"""Error rates of slices, with intervals that hold for all of them together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from misread.analysis.bootstrap import RESAMPLES, Cells
from misread.analysis.design import DesignEffects, design_effects
from misread.analysis.intervals import Estimate, Rate, korn_graubard, wilson
from misread.errors import ParameterError
from misread.types import Array


class Target(StrEnum):
    """What the intervals of slices are about."""

    IMAGES = "new images"
    CLUSTERS = "new clusters"
    SAME_CLUSTERS = "new images of the same clusters"


@dataclass(frozen=True)
class SliceError:
    """The mistakes in one slice.

    Attributes:
        name: The value, or the range of values.
        error: Error rate; its interval holds together with those of all other slices.
        difference: Of the error rate to that of all other slices together; NaN if there is none.
        clusters: Number of clusters with images in it, None if none are known.
        design_effect: By how much clusters widen the variance, 1 or more.
    """

    name: str
    error: Rate
    difference: Estimate
    clusters: int | None
    design_effect: float


@dataclass(frozen=True)
class SliceErrors:
    """The error rates of all slices.

    Attributes:
        slices: Worst first.
        overall: Error rate of all images, Wilson's interval: as if they were independent.
        overall_clustered: The same with the interval for new clusters, None if none are known.
        target: What the slices' intervals are about.
        level: Confidence that all slices' intervals hold together.
        clusters: Number of clusters, None if none are known.
    """

    slices: tuple[SliceError, ...]
    overall: Rate
    overall_clustered: Rate | None
    target: Target
    level: float
    clusters: int | None

    @property
    def each_level(self) -> float:
        """Confidence level of one slice's interval (Bonferroni)."""
        return 1 - (1 - self.level) / max(len(self.slices), 1)


def slice_errors(
    wrong: Array,
    names: Sequence[str],
    groups: Array,
    clusters: Array | None = None,
    *,
    target: Target | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SliceErrors:
    """Error rates of slices, worst first, with intervals that hold together.

    The intervals are exact ones (Clopper and Pearson's) at level `1 - (1 - level) / K` for K slices
    (Bonferroni). Where images come in clusters they are Korn and Graubard's: exact, with the number
    of images divided by a design effect from a bootstrap over the clusters. Where slices lie within
    clusters, or are the clusters, the intervals are about new images of these, and images count one
    by one.

    Differences to the rest have intervals by MOVER, from those of slice and rest, corrected for
    the number of slices as well.

    Args:
        wrong: (N,) bool, whether each image is a mistake.
        names: K names of slices.
        groups: (N,) whole numbers in [0, K), the slice of each image; each slice has images.
        clusters: (N,) whole numbers, 0 up without gaps, which images belong together; None if all
            are independent.
        target: What the intervals are about; None takes new clusters, but new images of the same
            ones if each slice lies in one cluster.
        level: Confidence that all intervals hold together, in (0, 1).
        resamples: Resamples of the bootstrap, 2 or more.
        seed: Seed of the bootstrap.

    Returns:
        The slices, and the error rate of all images.

    Raises:
        ParameterError: A number is out of range, or the arrays don't fit together.

    Source: Korn & Graubard (1998); Zou & Donner (2008), eq. 6, for MOVER. How often the intervals
        hold is simulated in `benchmarks/slice_coverage.py`.

    Example:
        >>> wrong = np.arange(100) < 10
        >>> made = slice_errors(wrong, ("even", "odd"), np.arange(100) % 2)
        >>> print(made.slices[0].name, made.slices[0].error)
        even 10.00% (2.78 to 23.60)
    """
    _check(wrong, names, groups, clusters)
    total, count = len(wrong), int(wrong.sum())
    cells = Cells.count(wrong, groups, np.arange(total) if clusters is None else clusters)
    target = target or _target(cells, clusters)
    effects = DesignEffects.none(len(names))
    overall_clustered = None
    if clusters is not None and cells.shape[0] > 1:
        effects = design_effects(cells, resamples, seed)
        overall_clustered = korn_graubard(
            count, total, effects.overall, effects.overall_freedom, level
        )
    if target != Target.CLUSTERS:
        effects = DesignEffects.none(len(names))
    mistakes = np.bincount(cells.group, cells.mistakes, len(names)).astype(int).tolist()
    images = np.bincount(cells.group, cells.images, len(names)).astype(int).tolist()
    # With two slices the two differences are one, seen from both sides.
    comparisons = len(names) if len(names) > 2 else 1
    slices = []
    for k, name in enumerate(names):
        mine = (mistakes[k], images[k], float(effects.groups[k]), effects.freedom)
        rest = (count - mistakes[k], total - images[k], float(effects.rest[k]), effects.freedom)
        slices.append(
            SliceError(
                name=name,
                error=korn_graubard(*mine, 1 - (1 - level) / len(names)),
                difference=_difference(mine, rest, 1 - (1 - level) / comparisons),
                clusters=None if clusters is None else int(cells.clusters_by_group[k]),
                design_effect=mine[2],
            )
        )
    return SliceErrors(
        slices=tuple(sorted(slices, key=lambda s: (-s.error.value, -s.error.low, s.error.high))),
        overall=wilson(count, total, level),
        overall_clustered=overall_clustered,
        target=target,
        level=level,
        clusters=None if clusters is None else cells.shape[0],
    )


def target_text(errors: SliceErrors, cluster: str | None) -> str:
    """What the slices' intervals are about: `images of a new writer`, say."""
    return {
        Target.IMAGES: "new images of the same kind, drawn independently",
        Target.CLUSTERS: f"images of a new {cluster or 'cluster'}",
        Target.SAME_CLUSTERS: f"new images of the same {cluster or 'cluster'}",
    }[errors.target]


def _check(wrong: Array, names: Sequence[str], groups: Array, clusters: Array | None) -> None:
    shapes = {wrong.shape, groups.shape, wrong.shape if clusters is None else clusters.shape}
    if len(shapes) > 1 or wrong.ndim != 1:
        raise ParameterError(
            f"wrong, groups and clusters must be equally long. Got {sorted(shapes)} instead."
        )
    sizes = np.bincount(groups, minlength=len(names)) if len(groups) else np.zeros(len(names))
    if len(sizes) != len(names) or not sizes.all():
        raise ParameterError(
            f"groups must be in 0..{len(names) - 1} (as many as names), each with images."
        )


def _target(cells: Cells, clusters: Array | None) -> Target:
    if clusters is None:
        return Target.IMAGES
    nested = cells.shape[1] > 1 and bool((cells.clusters_by_group == 1).all())
    return Target.SAME_CLUSTERS if nested or cells.shape[0] == 1 else Target.CLUSTERS


def _difference(
    mine: tuple[int, int, float, float], rest: tuple[int, int, float, float], level: float
) -> Estimate:
    """The difference of two rates, each given as count, total, design effect and freedom."""
    a, b = korn_graubard(*mine, level), korn_graubard(*rest, level)
    value = a.value - b.value
    return Estimate(
        value,
        value - math.hypot(a.value - a.low, b.high - b.value),
        value + math.hypot(a.high - a.value, b.value - b.low),
    )
