"""Test error of MNIST after training through misread, for several seeds.

    python benchmarks/accuracy.py --model convnet --recipe short --epochs 4 --seeds 0 1 2
        [--output DIR] [--json FILE]

Trains on the training split, evaluates the test split after the last epoch, and prints for each
seed its errors with Wilson's 95% interval and the time of the training, without loading, predicting
and drawing. With `--output` cards, weights and predictions stay in DIR, a study like that of
`misread run`: the same command goes on where a killed one stopped, trains no finished seed again,
and so prints the table of finished studies. DIR/machines.json remembers where each was trained.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import Machine, new_parser, print_table, write_json
from misread.datasets import Dataset, load
from misread.errors import MisreadError, TrainingStoppedError
from misread.models.training import Progress
from misread.workflows.run import RunResult, run

_MACHINES = "machines.json"


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--model", default="convnet", help="convnet (the default) or quick")
    parser.add_argument("--recipe", default="short", help="short (the default) or post")
    parser.add_argument("--epochs", type=int, help="another number than the recipe's")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", default="mnist", help="what misread.load takes (default mnist)")
    parser.add_argument("--device", default="cpu", help="default cpu")
    parser.add_argument("--output", type=Path, metavar="DIR", help="keep the study here")
    return parser.parse_args()


def train_seed(
    dataset: Dataset, options: argparse.Namespace, seed: int, study: Path
) -> dict[str, Any]:
    """Train one seed, or read its finished run; one row of the table."""
    result = run(
        dataset,
        options.model,
        options.recipe,
        epochs=options.epochs,
        seed=seed,
        study=study,
        device=options.device,
        on_step=tell_epoch,
    )
    machine = remember_machine(study / _MACHINES, result)
    return {"seed": seed, **result_row(result), "trained_on": machine}


def tell_epoch(now: Progress) -> None:
    """One line on stderr at the end of each epoch."""
    if now.step * now.epochs == now.epoch * now.steps:
        speed = f"{now.images_per_second:.0f} images/s"
        print(f"epoch {now.epoch}/{now.epochs}  loss {now.loss:.3f}  {speed}", file=sys.stderr)


def remember_machine(path: Path, result: RunResult) -> dict[str, Any] | None:
    """Where the run was trained: here, if it was trained now; None if nobody wrote it down."""
    known: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if result.trained:
        known[result.card.name] = dataclasses.asdict(Machine.here())
        path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    return known.get(result.card.name)


def result_row(result: RunResult) -> dict[str, Any]:
    card, evaluation = result.card, result.splits["test"].evaluation
    seen = sum(row.images_per_second * row.seconds for row in card.log)
    return {
        "run": card.name,
        "recipe": card.recipe,
        "errors": evaluation.error.count,
        "of": evaluation.error.total,
        "low": evaluation.error.low,
        "high": evaluation.error.high,
        "loss": evaluation.loss,
        "seconds": card.seconds,
        "images_per_second": seen / card.seconds,
        "threads": card.threads,
        "versions": card.versions,
        "created": card.created,
    }


def mean_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    def mean(key: str) -> float:
        return statistics.fmean(row[key] for row in rows)

    return {
        "error": mean("errors") / rows[0]["of"],
        "seconds": mean("seconds"),
        "images_per_second": mean("images_per_second"),
    }


def print_rows(rows: list[dict[str, Any]], mean: dict[str, float]) -> None:
    cells = [
        (
            row["run"],
            f"{row['errors']} / {row['of']:,}",
            f"{row['errors'] / row['of']:.2%}",
            f"{row['low']:.2%} to {row['high']:.2%}",
            f"{row['seconds']:.1f}",
            f"{row['images_per_second']:.0f}",
            "+".join(map(str, row["threads"])),
        )
        for row in rows
    ]
    speed = f"{mean['images_per_second']:.0f}"
    cells.append(("mean", "", f"{mean['error']:.3%}", "", f"{mean['seconds']:.1f}", speed, ""))
    columns = ("run", "errors", "test error", "95% interval", "seconds", "images/s", "threads")
    print_table(columns, cells)


def print_machines(rows: list[dict[str, Any]]) -> None:
    """Where and when each run was trained; one line for those that share a machine and versions."""
    runs: dict[str, list[str]] = {}
    for row in rows:
        if row["trained_on"] is None:
            where = f"on a machine that nobody wrote down, {row['created']}"
        else:
            machine = Machine(**row["trained_on"] | {"date": row["created"][:10], "load": 0.0})
            where = str(machine).replace(", load 0 before", "")
        runs.setdefault(where, []).append(row["run"])
    for where, names in runs.items():
        print(f"{', '.join(names)}: {where}")


def main() -> None:
    options = parse()
    machine = Machine.here()
    try:
        dataset = load(options.data)
        with tempfile.TemporaryDirectory() as temporary:
            study = options.output or Path(temporary) / "study"
            rows = [train_seed(dataset, options, seed, study) for seed in options.seeds]
    except MisreadError as error:
        print(f"{Path(__file__).name}: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, TrainingStoppedError) else 1)
    mean = mean_of(rows)
    print(f"test error of {dataset.name} after the last epoch, n={len(rows)} seeds")
    print_rows(rows, mean)
    print_machines(rows)
    content = {"benchmark": "accuracy", "n": len(rows), "rows": rows, "mean": mean}
    write_json(options.json, machine, content)


if __name__ == "__main__":
    main()
