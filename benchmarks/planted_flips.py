"""How well the suspicion finds planted label flips, beside cleanlab on the same predictions.

    python benchmarks/planted_flips.py --output DIR [--data mnist] [--kinds uniform confused]
        [--rates 0.01 0.1 0.3] [--seed 1] [--repeats 1] [--json FILE]
    python benchmarks/planted_flips.py --output DIR --fit NAME ... [--data PATH]

Flips a share of the training labels: `uniform` to any other class, `confused` to the class that the
image's own class is most mistaken for in a cross-fit of the unflipped data. Cross-fits `quick` on
the flipped labels in a study of its own in DIR (a killed one goes on), and ranks the images by the
suspicion and by each score, with what cleanlab 2.9 makes of the same probabilities. Prints the
average precision for the flips, and the share of flips among the top N, N the number of flips; the
images among the top N that were not flipped are drawn into the study: the data's own suspects.

`--fit` prints the weights of `planted_flip_suspicion`, chosen on studies in DIR that are named by
data, kind, rate and seed, as `mnist-uniform-0.03-s101`; they must be none of those evaluated.
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.flip_suspicion import FlipEvidence
from misread.analysis.flips import most_confused, plant_flips
from misread.analysis.panel import PanelMean
from misread.analysis.ranking import SCORES
from misread.datasets import Dataset, load
from misread.files import replacing
from misread.store import Study
from misread.types import Array, IntArray
from misread.views.audit import Audit
from misread.workflows.audit import audit
from misread.workflows.crossfit import CrossfitProgress, crossfit

_MOST_SUSPECTS = 24
# Tried for the training dynamics, beside a weight of 1 for the models' log-odds.
_RATIOS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0)


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--data", default="mnist", help="what misread.load takes (default mnist)")
    parser.add_argument("--kinds", nargs="+", default=["uniform", "confused"])
    parser.add_argument("--rates", nargs="+", type=float, default=[0.01, 0.1, 0.3])
    parser.add_argument("--seed", type=int, default=1, help="of the flips")
    parser.add_argument("--repeats", type=int, default=1, help="of the cross-fit")
    parser.add_argument("--output", type=Path, metavar="DIR", required=True)
    parser.add_argument("--fit", nargs="+", metavar="NAME", help="fit the weights on these studies")
    return parser.parse_args()


def tell(now: CrossfitProgress) -> None:
    if now.training.step == now.training.steps:
        print(f"  repeat {now.repeat} fold {now.fold}", file=sys.stderr, flush=True)


def flipped(clean: Dataset, kind: str, rate: float, options: argparse.Namespace) -> Dataset:
    """The dataset with planted flips; `clean` itself where the rate is 0."""
    partners: IntArray | None = None
    if kind == "confused":
        study = options.output / f"{clean.name}-clean"
        fitted = crossfit(clean, "quick", study=study, on_step=tell).repeats[0]
        train = fitted.predictions["train"]
        partners = most_confused(train.given, train.probabilities)
    labels = plant_flips(
        clean.train.labels, rate, partners, classes=len(clean.classes), seed=options.seed
    )
    split = dataclasses.replace(clean.train, labels=labels)
    return dataclasses.replace(clean, splits={**clean.splits, "train": split})


def audited(dataset: Dataset, folder: Path, repeats: int) -> tuple[Audit, Array]:
    """Cross-fit, or take what is there; the panel is these repeats, the array is their mean."""
    result = crossfit(dataset, "quick", repeats=repeats, study=folder, on_step=tell)
    names = [repeat.name for repeat in result.repeats]
    found = audit(result.study, "train", names, dataset=dataset)
    mean = PanelMean([repeat.predictions["train"] for repeat in result.repeats])
    return found, mean.read(0, len(found))


def measure(found: Audit, mean: Array, clean: Dataset) -> dict[str, Any]:
    """Average precision and precision in the top N of each score."""
    from sklearn.metrics import average_precision_score

    wrong = found.evidence.panel.given != clean.train.labels
    rankings = {name: compute(found.evidence) for name, compute in SCORES.items()}
    rankings |= cleanlab_scores(found.evidence.panel.given, mean)
    rows = []
    for name, values in rankings.items():
        if values is None:
            continue
        top = np.argsort(-values, kind="stable")[: wrong.sum()]
        rows.append(
            {
                "score": name,
                "average_precision": float(average_precision_score(wrong, values)),
                "precision_in_top": float(wrong[top].mean()),
            }
        )
    return {"flips": int(wrong.sum()), "scores": rows}


def cleanlab_scores(given: Array, mean: Array) -> dict[str, Array]:
    """Cleanlab's label quality scores of the panel's mean, turned round: higher is worse."""
    from cleanlab.rank import get_label_quality_scores

    labels = given.astype(np.int64)
    methods = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
    return {
        f"cleanlab {method}": 1 - get_label_quality_scores(labels, mean, method=method)
        for method in methods
    }


def draw_own_suspects(found: Audit, clean: Dataset, folder: Path) -> int:
    """Draw the images among the top N that nobody flipped; returns how many there are."""
    wrong = found.evidence.panel.given != clean.train.labels
    top = found.rank()[: wrong.sum()]
    own = top[~wrong[top]]
    if len(own):
        figure = found.plot_places(own[:_MOST_SUSPECTS], "Not flipped, yet among the top")
        with replacing(folder / "figures" / "own-suspects.png") as temporary:
            figure.savefig(temporary, format="png")
    return len(own)


def evaluate(options: argparse.Namespace) -> list[dict[str, Any]]:
    clean = load(options.data)
    results = []
    for kind in options.kinds:
        for rate in options.rates:
            name = f"{clean.name}-{kind}-{rate:g}-s{options.seed}"
            print(name, file=sys.stderr, flush=True)
            folder = options.output / name
            found, mean = audited(flipped(clean, kind, rate, options), folder, options.repeats)
            result = {"kind": kind, "rate": rate, **measure(found, mean, clean)}
            result["own_suspects_in_top"] = draw_own_suspects(found, clean, folder)
            results.append(result)
    return results


def fit(options: argparse.Namespace) -> None:
    """Print the weights without and with training dynamics.

    Their ratio is the one of a grid with the least mean of log(1 - average precision) over the
    studies; a logistic regression on the sum then gives scale and intercept.
    """
    from sklearn.linear_model import LogisticRegression

    studies = [fit_evidence(name, options) for name in options.fit]
    for ratios in ((0.0,), _RATIOS):
        best = min(ratios, key=lambda ratio: np.mean([misses(*study, ratio) for study in studies]))
        sums = [weigh(evidence, best)[:, None] for evidence, _ in studies]
        model = LogisticRegression(C=1e6)
        # Each study weighs the same.
        shares = np.concatenate([np.full(len(part), 1 / len(part)) for part in sums])
        truth = np.concatenate([wrong for _, wrong in studies])
        model.fit(np.concatenate(sums), truth, sample_weight=shares * len(truth) / len(studies))
        slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
        print(f"Weights({intercept:.3f}, {slope:.3f}, {slope * best:.3f})")
        for name, study in zip(options.fit, studies, strict=True):
            print(f"    {name}: average precision {1 - np.exp(misses(*study, best)):.4f}")


def fit_evidence(name: str, options: argparse.Namespace) -> tuple[FlipEvidence, Array]:
    """The evidence of a study, and which labels were flipped."""
    study = Study.open(options.output / name)
    clean = load(study.source)
    kind, rate, seed = name.rsplit("-", 3)[1:]
    options.seed = int(seed.removeprefix("s"))
    found = audit(study, "train", dataset=flipped(clean, kind, float(rate), options))
    return found.evidence.flips, found.evidence.panel.given != clean.train.labels


def weigh(evidence: FlipEvidence, ratio: float) -> Array:
    """The models' log-odds, and the margin below the median at this ratio."""
    if evidence.margin is None or not ratio:
        return evidence.log_ratio
    total: Array = evidence.log_ratio - ratio * evidence.margin
    return total


def misses(evidence: FlipEvidence, wrong: Array, ratio: float) -> float:
    """log(1 - average precision)."""
    from sklearn.metrics import average_precision_score

    return float(np.log(1 - average_precision_score(wrong, weigh(evidence, ratio))))


def main() -> None:
    options = parse()
    if options.fit:
        fit(options)
        return
    machine = Machine.here(("misread", "numpy", "torch", "cleanlab", "scikit-learn"))
    results = evaluate(options)
    print(machine)
    for result in results:
        print(
            f"\n{options.data}, {result['kind']} flips of {100 * result['rate']:g}% "
            f"({result['flips']:,} labels), {options.repeats} x 5 folds; not flipped among the top "
            f"{result['flips']:,}: {result['own_suspects_in_top']:,}"
        )
        print_table(
            ("score", "average precision", "flips in the top N"),
            [
                (row["score"], f"{row['average_precision']:.4f}", f"{row['precision_in_top']:.4f}")
                for row in result["scores"]
            ],
        )
    write_json(options.json, machine, {"results": results})


if __name__ == "__main__":
    main()
