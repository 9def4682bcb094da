"""How often the intervals of a calibration hold what they are about, on simulated models.

Each row is one kind of model: how sure it is, and how far its probabilities are from right: the
log-odds of a mistake are a + b times the log-odds that it states; a = 0, b = 1 is right. Printed
are the calibration error of new images (percentage points, with the bins of each sample), the mean
of the plug-in and of the debiased estimate, how often the interval and each of its limits hold,
its mean width, how often the test rejects at 5%, and how often the loss's interval holds.

With 1,000 samples the Monte Carlo error of a coverage of 95% is 0.7 percentage points.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.calibration import Calibration, measure_calibration
from misread.tables import Origin, Predictions, Provenance

Floats = npt.NDArray[np.float64]

_POOL = 200_000
_FROM = Provenance(
    model="simulated", recipe="none", seed=0, split="test", origin=Origin.HELD_OUT,
    classes=("read", "other"), items_fingerprint="", created="",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How sure a model is: draws probabilities, up to 1/2, that its predicted class is wrong."""

    name: str
    images: int
    draw: Callable[[np.random.Generator, int], Floats]


def beta(a: float, b: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda generator, count: np.clip(generator.beta(a, b, count), 1e-9, 0.5)


# Sure as networks on MNIST are; of label smoothing; on harder images, few and many.
SHAPES = (
    Shape("0.5% wrong", 10_000, beta(0.02, 3.5)),
    Shape("0.05% wrong", 10_000, beta(0.002, 3.5)),
    Shape("smoothed", 10_000, lambda g, n: np.clip(expit(g.normal(-2.4, 0.4, n)), 0, 0.5)),
    Shape("10% wrong", 10_000, beta(0.3, 2.7)),
    Shape("10% wrong", 1_000, beta(0.3, 2.7)),
    Shape("30% wrong", 600, lambda g, n: g.uniform(0.05, 0.5, n)),
)
DISTORTIONS = ((0.0, 1.0), (0.0, 0.9), (0.0, 0.7), (0.0, 1.3), (0.7, 1.0), (-1.0, 1.0))


class Population:
    """New images of one kind, and how often their predicted classes really are wrong."""

    def __init__(self, shape: Shape, a: float, b: float, generator: np.random.Generator) -> None:
        self.shape, self._a, self._b = shape, a, b
        doubt = np.sort(shape.draw(generator, _POOL))[::-1]
        truth = self.truth(doubt)
        self._sure = 1 - doubt
        self._sums = np.concatenate([[0.0], np.cumsum(truth - doubt)])
        self.loss = -float(np.mean(truth * np.log(doubt) + (1 - truth) * np.log1p(-doubt)))

    def truth(self, doubt: Floats) -> Floats:
        """How often a predicted class is wrong, by the probability that the model states."""
        wrong: Floats = expit(self._a + self._b * logit(doubt))
        return wrong

    def error(self, found: Calibration) -> float:
        """The calibration error of these images in the bins of a sample."""
        edges = np.searchsorted(self._sure, [row.low for row in found.bins[1:]])
        parts = np.diff(self._sums[np.concatenate([[0], edges, [_POOL]])])
        return float(np.abs(parts).sum()) / _POOL

    def sample(self, generator: np.random.Generator, binning: str) -> Calibration:
        """The calibration of as many images as the shape has."""
        count = self.shape.images
        doubt = self.shape.draw(generator, count)
        wrong = generator.random(count) < self.truth(doubt)
        probabilities = np.stack([1 - doubt, doubt], axis=1).astype(np.float32)
        index = np.arange(count, dtype=np.int32)
        predictions = Predictions(index, wrong.astype(np.int16), probabilities, _FROM)
        seed = int(generator.integers(1 << 32))
        return measure_calibration(predictions, binning=binning, seed=seed, resamples=500)


def row(
    shape: Shape, a: float, b: float, samples: int, seed: int, binning: str = "mistakes"
) -> dict[str, float | str]:
    generator = np.random.default_rng(seed)
    population = Population(shape, a, b, generator)
    found = [population.sample(generator, binning) for _ in range(samples)]
    targets = np.array([population.error(each) for each in found])
    low = np.array([each.ece.low for each in found])
    high = np.array([each.ece.high for each in found])
    loss = [each.loss.low <= population.loss <= each.loss.high for each in found]
    return {
        "shape": shape.name, "n": shape.images, "a": a, "b": b,
        "misread": float(np.mean([each.misread.value for each in found])),
        "target": float(targets.mean()),
        "plug-in": float(np.mean([each.ece.value for each in found])),
        "debiased": float(np.mean([each.ece_debiased for each in found])),
        "width": float((high - low).mean()),
        "covers": float(np.mean((low <= targets) & (targets <= high))),
        "low": float(np.mean(low <= targets)), "high": float(np.mean(targets <= high)),
        "rejects": float(np.mean([each.p_value < 0.05 for each in found])),
        "loss covers": float(np.mean(loss)),
    }  # fmt: skip


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--binning", default="mistakes")
    options = parser.parse_args()
    machine = Machine.here(("misread", "numpy", "scipy"))
    print(machine)
    rows = [
        row(shape, a, b, options.samples, options.seed, options.binning)
        for shape in SHAPES
        for a, b in DISTORTIONS
    ]
    percents = ("misread", "target", "plug-in", "debiased", "width")
    shares = ("covers", "low", "high", "rejects", "loss covers")
    print(f"{options.samples:,} samples a row, seed {options.seed}, 15 bins by {options.binning}")
    print_table(
        ["model", "n", "a", "b", *percents, *shares],
        [
            [
                str(r["shape"]), f"{r['n']:,}", f"{r['a']:g}", f"{r['b']:g}",
                *(f"{100 * float(r[name]):.2f}" for name in percents),
                *(f"{float(r[name]):.3f}" for name in shares),
            ]
            for r in rows
        ],
    )  # fmt: skip
    write_json(options.json, machine, {"samples": options.samples, "rows": rows})


if __name__ == "__main__":
    main()
