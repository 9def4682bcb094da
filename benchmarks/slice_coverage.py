"""How often the intervals of `misread slices` hold, simulated, beside simpler ones.

    python benchmarks/slice_coverage.py [--layouts NAME ...] [--repeats R] [--json FILE]

Each repetition draws new writers, whose error rates are beta distributed around the slice's, and
their mistakes (a beta-binomial). The layouts have MNIST's sizes or are harder:

    series     48 writers of about 104 digits and 249 of about 20: MNIST's test split by series
    classes    the same writers, each writing all 10 classes: slices share writers
    twenty     20 slices of 15 writers of 10 to 60 images
    uneven     11 slices of 2 to 120 writers of 5 to 60 images
    mixed      10 slices of 30 writers; images of a writer are alike in every other slice only
    patients   2 slices of 4 patients of 500 images
    writers    each of 297 writers is a slice: intervals for new images of the same writers

Error rate 0.5% unless said otherwise; r is the intra-cluster correlation: 0.003 to 0.0125 for ten
networks' mistakes on MNIST's test split by writer. Printed are, in per cent: how often one slice's
95% interval holds, on average and in the worst slice; how often all hold together, each at
1 - 0.05 / K; how often any slice is said to differ from the rest where none does (`writers` do
differ); and the median width of the simultaneous intervals in points.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.bootstrap import Cells, bootstrap_variances
from misread.analysis.design import design_effects
from misread.analysis.intervals import korn_graubard
from misread.analysis.slices import slice_errors

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Limits = npt.NDArray[np.float64]  # (K, 2): low, high

_RESAMPLES = 300


@dataclass(frozen=True)
class Layout:
    """Images by cluster and slice, and how alike those of a cluster are.

    Attributes:
        images: (C,) images of each pair of cluster and slice.
        cluster: (C,) its cluster.
        group: (C,) its slice.
        correlation: (G,) intra-cluster correlation of each cluster.
        rate: Error rate of every slice.
    """

    images: Ints
    cluster: Ints
    group: Ints
    correlation: Floats
    rate: float

    def draw(self, generator: np.random.Generator) -> tuple[Ints, Floats]:
        """Mistakes (C,) of new clusters, and each cluster's error rate (G,)."""
        free = self.correlation > 0
        total = 1 / np.where(free, self.correlation, 0.5) - 1
        drawn = generator.beta(self.rate * total, (1 - self.rate) * total)
        rates = np.where(free, drawn, self.rate)
        return generator.binomial(self.images, rates[self.cluster]), rates


def make_layout(name: str, correlation: float, rate: float) -> Layout:
    generator = np.random.default_rng(1)
    mnist = np.concatenate([generator.integers(78, 131, 48), generator.integers(12, 29, 249)])
    if name == "classes":
        counts = generator.poisson(mnist[:, None] / 10, (297, 10))
        cluster, group = np.nonzero(counts)
        images = counts[cluster, group]
    else:
        writers = {
            "series": [48, 249],
            "twenty": [15] * 20,
            "uneven": [2, 3, 4, 5, 8, 10, 15, 20, 40, 60, 120],
            "mixed": [30] * 10,
            "patients": [4, 4],
            "writers": [1] * 297,
        }[name]
        group = np.repeat(np.arange(len(writers)), writers)
        cluster = np.arange(len(group))
        sizes = generator.integers(5 if name == "uneven" else 10, 60, len(group))
        images = {"series": mnist, "writers": mnist, "patients": np.full(8, 500)}.get(name, sizes)
    alike = np.full(cluster.max() + 1, correlation)
    if name == "mixed":
        alike[group % 2 == 0] = 0
    return Layout(images, cluster, group, alike, rate)


# Name, correlation, rate.
SCENARIOS = (
    ("series", 0.0, 0.005),
    ("series", 0.01, 0.005),
    ("series", 0.03, 0.005),
    ("classes", 0.01, 0.005),
    ("twenty", 0.01, 0.005),
    ("twenty", 0.05, 0.02),
    ("uneven", 0.01, 0.005),
    ("mixed", 0.05, 0.005),
    ("patients", 0.01, 0.01),
    ("writers", 0.01, 0.005),
)


def with_effects(cells: Cells, effects: Floats, freedom: float, level: float) -> Limits:
    """Exact limits with design effects; all 1 for images taken as independent."""
    rows = zip(*counts_of(cells), effects.tolist(), strict=True)
    made = [korn_graubard(x, n, effect, freedom, level) for x, n, effect in rows]
    return np.array([(rate.low, rate.high) for rate in made])


def wilsons(cells: Cells, effects: Floats, level: float) -> Limits:
    """Wilson's limits with design effects."""
    count, total = (np.array(part) / effects for part in counts_of(cells))
    z = ndtri((1 + level) / 2)
    share = count / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + (z / 2 / total) ** 2) / (1 + z * z / total)
    return np.stack([np.where(count == 0, 0, centre - half), centre + half], axis=1)


def percentiles(cells: Cells, level: float, seed: int) -> Limits:
    """The plain bootstrap: quantiles of the rates when clusters are drawn with replacement."""
    generator = np.random.default_rng(seed)
    clusters = cells.shape[0]
    weights = generator.multinomial(clusters, np.full(clusters, 1 / clusters), 1000).astype(float)
    images = weights @ cells.matrix(cells.images)
    rates = (weights @ cells.matrix(cells.mistakes)) / np.where(images > 0, images, np.nan)
    limits: Limits = np.nanquantile(rates, [(1 - level) / 2, (1 + level) / 2], axis=0).T
    return limits


def own_effects(cells: Cells, seed: int) -> Floats:
    """(K,) design effects from each slice alone, without what it borrows from the others."""
    variance = bootstrap_variances(cells, _RESAMPLES, seed)[: cells.shape[1]]
    count, total = (np.array(part) for part in counts_of(cells))
    independent = count / total * (1 - count / total) / total
    known = independent > 0
    return np.maximum(np.where(known, variance / np.where(known, independent, 1), 1), 1)


def counts_of(cells: Cells) -> tuple[list[int], list[int]]:
    """Mistakes and images of each slice."""
    mistakes = np.bincount(cells.group, cells.mistakes, cells.shape[1])
    images = np.bincount(cells.group, cells.images, cells.shape[1])
    return mistakes.astype(int).tolist(), images.astype(int).tolist()


def methods_of(name: str, cells: Cells, seed: int) -> dict[str, Callable[[float], Limits]]:
    """By name, the limits (K, 2) that a method gives at a level."""
    ones = np.ones(cells.shape[1])
    methods: dict[str, Callable[[float], Limits]] = {
        "Wilson": lambda level: wilsons(cells, ones, level),
        "exact": lambda level: with_effects(cells, ones, np.inf, level),
    }
    if name == "writers":
        return methods | {"misread": methods["exact"]}
    made = design_effects(cells, _RESAMPLES, seed)
    own = own_effects(cells, seed)
    return methods | {
        "percentile bootstrap": lambda level: percentiles(cells, level, seed),
        "Wilson, design effect": lambda level: wilsons(cells, made.groups, level),
        "exact, own design effect": lambda level: with_effects(cells, own, made.freedom, level),
        "misread": lambda level: with_effects(cells, made.groups, made.freedom, level),
    }


def misreads(cells: Cells, seed: int) -> tuple[Limits, bool]:
    """Simultaneous limits of `slice_errors` in the slices' order, and whether any differs."""
    wrong = np.concatenate(
        [np.arange(n) < x for n, x in zip(cells.images, cells.mistakes, strict=True)]
    )
    names = [str(k) for k in range(cells.shape[1])]
    groups, clusters = (np.repeat(part, cells.images) for part in (cells.group, cells.cluster))
    made = slice_errors(wrong, names, groups, clusters, resamples=_RESAMPLES, seed=seed)
    parts = sorted(made.slices, key=lambda part: int(part.name))
    limits = np.array([(part.error.low, part.error.high) for part in parts])
    return limits, any(part.difference.differs for part in parts)


def simulate(name: str, correlation: float, rate: float, repeats: int) -> dict[str, list[float]]:
    """By method: mean and worst coverage of one slice, of all together, false alarms, width."""
    layout = make_layout(name, correlation, rate)
    generator = np.random.default_rng(0)
    slices = int(layout.group.max()) + 1
    held: dict[str, list[tuple[npt.NDArray[np.bool_], bool, bool, float]]] = {}
    for repeat in range(repeats):
        wrong, rates = layout.draw(generator)
        truth = rates if name == "writers" else np.full(slices, rate)
        cells = Cells(layout.cluster, layout.group, layout.images, wrong, (len(rates), slices))
        for method, limits in methods_of(name, cells, repeat).items():
            one, together, differs = limits(0.95), limits(1 - 0.05 / slices), False
            if method == "misread":
                together, differs = misreads(cells, repeat)
            held.setdefault(method, []).append(
                (
                    inside(one, truth),
                    bool(inside(together, truth).all()),
                    differs,
                    float(np.median(together[:, 1] - together[:, 0])),
                )
            )
    summary = {}
    for method, rows in held.items():
        by_slice = np.mean([row[0] for row in rows], axis=0)
        together, differs, width = np.mean([row[1:] for row in rows], axis=0)
        summary[method] = [by_slice.mean(), by_slice.min(), together, differs, width]
    return summary


def inside(limits: Limits, truth: Floats) -> npt.NDArray[np.bool_]:
    """(K,) whether each true rate lies within its limits, which rounding must not exclude."""
    held: npt.NDArray[np.bool_] = (limits[:, 0] <= truth + 1e-12) & (truth - 1e-12 <= limits[:, 1])
    return held


def parse() -> argparse.Namespace:
    names = sorted({name for name, _, _ in SCENARIOS})
    parser = new_parser(__doc__)
    parser.add_argument("--layouts", nargs="+", choices=names, default=names)
    parser.add_argument("--repeats", type=int, default=1000, help="per scenario (default 1000)")
    return parser.parse_args()


def main() -> None:
    options = parse()
    machine = Machine.here(("misread", "numpy", "scipy"))
    results = {}
    for name, correlation, rate in SCENARIOS:
        if name not in options.layouts:
            continue
        title = f"{name}, r = {correlation:g}, error {100 * rate:g}%"
        results[title] = simulate(name, correlation, rate, options.repeats)
        rows = [
            (method, *(f"{100 * value:.1f}" for value in values[:3]),
             f"{100 * values[3]:.1f}" if method == "misread" else "-", f"{100 * values[4]:.2f}")
            for method, values in results[title].items()
        ]  # fmt: skip
        print_table(
            (title, "one slice", "worst slice", "all together", "false alarm", "width"), rows
        )
        print()
    error = 100 * np.sqrt(0.05 * 0.95 / options.repeats)
    print(
        f"n = {options.repeats} repetitions; Monte Carlo error of 'all together' {error:.1f} at 95"
    )
    print(machine)
    write_json(options.json, machine, {"benchmark": "slice_coverage", "coverage": results})


if __name__ == "__main__":
    main()
