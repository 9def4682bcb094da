"""Whether reconstruction error adds to the panel as a signal of difficulty.

    misread crossfit mnist --model quick --repeats 3 --study DIR
    python benchmarks/reconstruction_signal.py --study DIR [--epochs 6] [--json FILE]

MNIST's test split is never read. 10,000 training digits are held out, an `efficient-capsnet` is
trained on the other 50,000 (kept in the study's folder), and draws the 10,000. What is predicted is
which of them another network misreads that never saw them: each cross-fit of `quick` in turn, by a
panel of the other ones. A logistic regression is fitted on half of the digits and judged on the
other half, and the other way round; figures are means over both halves and all targets. Intervals
are 95%, of a bootstrap over the judged digits, the regressions as they are: for new digits of the
same kind, and these networks.

Signals without the given label: the entropy of the panel's mean probabilities, and the mean squared
error as the predicted class. With it: also minus the logarithm of the mean probability of the given
class, and the error as the given class. All signals enter as logarithms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.panel import score_panel
from misread.datasets import Dataset, Split, load
from misread.models import Card, find_model
from misread.models.prediction import predict_probabilities
from misread.models.reconstruction import reconstruction_errors
from misread.models.runtime import pick_device
from misread.models.saved import read_network, save_weights
from misread.models.training import train_network
from misread.store import Study
from misread.tables import Origin, Predictions, Provenance

Floats = npt.NDArray[np.float64]

_HELD_OUT, _SEED, _RESAMPLES = 10_000, 100, 1_000
_MODEL = "efficient-capsnet"
# A signal is a logarithm: of nothing less than this.
_LEAST = 1e-6
# Signals of each row of the table; each pair of rows is one comparison.
_SETS = {
    "panel of quick": ("quick",),
    "  + reconstruction error": ("quick", "error"),
    "panel with the capsule network": ("all",),
    "  + reconstruction error (asked)": ("all", "error"),
    "the same, with the given label": ("all", "loss"),
    "  + both reconstruction errors": ("all", "loss", "error", "error_given"),
    "reconstruction error alone": ("error",),
}
_PAIRS = (1, 3, 5)


@dataclass(frozen=True)
class Target:
    """What is to be predicted of N digits, and from what.

    Attributes:
        wrong: (N,) bool, whether the target network misreads each.
        signals: (N,) by name.
    """

    wrong: npt.NDArray[np.bool_]
    signals: dict[str, Floats]


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    machine = Machine.here((*("misread", "numpy", "torch"), "scikit-learn"))
    study, digits = Study.open(options.study), load("mnist")
    order = np.random.default_rng(0).permutation(len(digits.train))
    held = np.sort(order[:_HELD_OUT])
    card, capsules, errors = draw(study, digits, held, options.epochs)
    targets = make_targets(study, held, capsules, errors)
    halves = np.random.default_rng(1).permutation(_HELD_OUT) % 2 == 0
    values = {name: judge(targets, signals, halves) for name, signals in _SETS.items()}
    mistakes = [int(target.wrong.sum()) for target in targets]
    own = int((capsules.predicted != capsules.given).sum())
    print(f"{machine}\n")
    print(
        f"{_HELD_OUT:,} digits; targets' mistakes {mistakes}, those of {card.name} {own}, trained "
        f"in {card.seconds:.0f} s; its mean error {errors[:, 1].mean():.4f}"
    )
    print_values(values)
    content = {name: value[:, 0].tolist() for name, value in values.items()}
    write_json(options.json, machine, {"mistakes": mistakes, "auroc_and_ap": content})


def draw(
    study: Study, digits: Dataset, held: npt.NDArray[np.int64], epochs: int
) -> tuple[Card, Predictions, Floats]:
    """The network's predictions of the held-out digits, and its errors (N, 2) as given and read."""
    folder = study.path / "reconstruction-signal"
    stem, device = folder / f"{_MODEL}-e{epochs}", pick_device("auto")
    weights, card_file = stem.with_suffix(".safetensors"), stem.with_suffix(".json")
    if not card_file.exists():
        folder.mkdir(exist_ok=True)
        seen = np.setdiff1d(np.arange(len(digits.train)), held)
        part = Dataset("mnist-50000", digits.classes, {"train": digits.train.take(seen)}, "mnist")
        recipe = find_model(_MODEL).recipe(None, epochs)
        checkpoint = stem.with_suffix(".checkpoint")
        trained = train_network(part, _MODEL, recipe, _SEED, checkpoint=checkpoint)
        save_weights(trained, weights)
        trained.card.write(card_file)
        checkpoint.unlink()
    card = Card.read(card_file)
    network = read_network(card, weights, device)
    split = Split("train", digits.train.pixels()[held], digits.train.labels[held])
    probabilities = predict_probabilities(network, split.pixels(), device)
    provenance = Provenance(
        _MODEL, card.recipe["name"], card.seed, "train", Origin.CROSS_FITTED, digits.classes,
        digits.train.items_fingerprint, card.created,
    )  # fmt: skip
    found = Predictions(held.astype(np.int32), split.labels, probabilities, provenance)
    chosen = np.stack([found.given, found.predicted], axis=1)
    return card, found, reconstruction_errors(network, split, chosen).astype(np.float64)


def make_targets(
    study: Study, held: npt.NDArray[np.int64], capsules: Predictions, errors: Floats
) -> list[Target]:
    """Each cross-fit's mistakes, and the signals of the panel of all others."""
    members = [
        take(study.load_predictions(provenance), held)
        for provenance in study.list_predictions("train")
        if provenance.origin == Origin.CROSS_FITTED
    ]
    if len(members) < 2:
        raise SystemExit(f"{study.path}: expected 2 cross-fits of train or more")
    found = []
    for target in members:
        others = [member for member in members if member is not target]
        quick, everyone = score_panel(others), score_panel([*others, capsules])
        signals = {
            "quick": quick.entropy,
            "all": everyone.entropy,
            "loss": everyone.p_given,
            "error": errors[:, 1],
            "error_given": errors[:, 0],
        }
        logs = {
            name: np.log(np.maximum(np.asarray(signal, np.float64), _LEAST))
            for name, signal in signals.items()
        }
        found.append(Target(target.predicted != target.given, logs))
    return found


def take(predictions: Predictions, held: npt.NDArray[np.int64]) -> Predictions:
    """The predictions of some images."""
    rows = np.searchsorted(predictions.index, held)
    return Predictions(
        predictions.index[rows],
        predictions.given[rows],
        predictions.probabilities[rows],
        predictions.provenance,
    )


def judge(targets: Sequence[Target], names: Sequence[str], halves: npt.NDArray[np.bool_]) -> Floats:
    """AUROC and average precision (2, 1 + R): of the digits, then of each resample of them."""
    features = [np.stack([target.signals[name] for name in names], axis=1) for target in targets]
    sums, generator = np.zeros((2, 1 + _RESAMPLES)), np.random.default_rng(2)
    for fitted in (halves, ~halves):
        # The same resamples for every set of signals: differences are paired.
        judged = int((~fitted).sum())
        drawn = generator.multinomial(judged, np.full(judged, 1 / judged), _RESAMPLES)
        weights = np.concatenate([np.ones((1, judged)), drawn.astype(np.float64)])
        rows = np.concatenate([one[fitted] for one in features])
        middle, spread = rows.mean(axis=0), rows.std(axis=0)
        wrong = np.concatenate([target.wrong[fitted] for target in targets])
        model = LogisticRegression().fit((rows - middle) / spread, wrong)
        for target, one in zip(targets, features, strict=True):
            scores = model.decision_function((one[~fitted] - middle) / spread)
            sums += rank(scores, target.wrong[~fitted], weights)
    return sums / (2 * len(targets))


def rank(scores: Floats, wrong: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """AUROC and average precision (2, R) of digits with weights (R, N); ties count together."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(weights[:, order] * wrong[order], axis=1)[:, ends]
    all_of = np.cumsum(weights[:, order], axis=1)[:, ends]
    misses = all_of - hits
    gained = np.diff(hits, axis=1, prepend=0)
    lost = np.diff(misses, axis=1, prepend=0)
    positives, negatives = hits[:, -1], misses[:, -1]
    auroc = (lost * (hits - gained / 2)).sum(axis=1) / (positives * negatives)
    # A resample may begin with digits that weigh nothing.
    precision = np.divide(hits, all_of, out=np.zeros_like(hits), where=all_of > 0)
    return np.stack([auroc, (gained * precision).sum(axis=1) / positives])


def print_values(values: dict[str, Floats]) -> None:
    """A row per set of signals, with the difference to the row above where it adds to it."""
    rows, names = [], list(values)
    for place, name in enumerate(names):
        cells = [name]
        for measure in (0, 1):
            cells.append(told(values[name][measure]))
            if place in _PAIRS:
                more = values[name][measure] - values[names[place - 1]][measure]
                cells.append(told(more, signed=True))
            else:
                cells.append("")
        rows.append(cells)
    print_table(("signals", "AUROC", "difference", "average precision", "difference"), rows)


def told(found: Floats, *, signed: bool = False) -> str:
    """A figure with its interval."""
    sign = "+" if signed else ""
    low, high = np.percentile(found[1:], [2.5, 97.5])
    return f"{found[0]:{sign}.4f} ({low:{sign}.4f} to {high:{sign}.4f})"


if __name__ == "__main__":
    main()
