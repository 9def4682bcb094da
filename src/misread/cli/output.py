"""What the commands print: tables for people, or one JSON object."""

import json
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from misread.analysis.evaluation import Evaluation
    from misread.analysis.intervals import Rate
    from misread.store import Study
    from misread.tables import Predictions, Provenance
    from misread.workflows.mistakes import Drawn
    from misread.workflows.run import RunResult, SplitResult


# What an error rate and its interval speak of, by the predictions' origin.
_TARGETS = {
    "held-out": "As labelled. Intervals (Wilson, 95%) are for new images of the same kind, drawn "
    "independently of each other.",
    "cross-fitted": "As labelled, each image by a model that never saw it. Intervals (Wilson, 95%) "
    "are for new images of the same kind, drawn independently of each other.",
    "in-sample": "As labelled, on images the model was trained on: what it could not even fit. "
    "Says nothing of new images, and so has no interval.",
}


# Classes in a table; with more, those with the most mistakes.
_MOST_ROWS = 20


def show_run(result: "RunResult", as_json: bool) -> None:
    """Print what a run or the demo left."""
    if as_json:
        _print_json(
            {
                "study": str(result.study.path),
                "note": result.note,
                "run": result.card.name,
                "trained": result.trained,
                "seconds": round(result.card.seconds, 1),
                "splits": {name: _split_json(split) for name, split in result.splits.items()},
            }
        )
        return
    if result.note:
        print(f"{result.note}\n")
    for split in result.splits.values():
        _show_split(split)
    card = result.card
    print(f"{card.name}: {card.parameters:,} parameters, trained in {_duration(card.seconds)}")
    print(f"results: {result.study.path}")
    for split in result.splits.values():
        print(f"  {_relative(split.overview, result.study.path)}")
        if split.grids:
            pattern = split.grids[0].with_name("given-*.png")
            print(f"  {_relative(pattern, result.study.path)}")


def _show_split(split: "SplitResult") -> None:
    evaluation, provenance = split.evaluation, split.provenance
    print(f"{provenance.split} split, {provenance.origin}: {_error_line(evaluation, provenance)}")
    _print_table(_class_table(evaluation, provenance))
    if len(evaluation.classes) > _MOST_ROWS:
        more = len(evaluation.classes) - _MOST_ROWS
        print(f"the {_MOST_ROWS} classes with the most mistakes; {more} more with --json")
    print(f"{_TARGETS[provenance.origin]}\n")


def _error_line(evaluation: "Evaluation", provenance: "Provenance") -> str:
    error = evaluation.error
    return (
        f"{error.count:,} of {error.total:,} misread, error rate {_rate(error, provenance)}, "
        f"loss {evaluation.loss:.4f}"
    )


def _rate(rate: "Rate", provenance: "Provenance") -> str:
    """A rate as per cent, with its interval where it speaks of more than these images."""
    return f"{100 * rate.value:.2f}%" if provenance.origin == "in-sample" else str(rate)


def _class_table(evaluation: "Evaluation", provenance: "Provenance") -> "Table":
    classes = provenance.classes
    heading = "error" if provenance.origin == "in-sample" else "error (95% interval)"
    table = _new_table("given", "images", "misread", heading, "read as")
    worst = sorted(evaluation.classes, key=lambda row: -row.error.count)[:_MOST_ROWS]
    for row in evaluation.classes:
        if row in worst:
            read_as = ", ".join(f"{classes[c]} x{n}" for c, n in row.read_as[:6])
            more = len(row.read_as) - 6
            table.add_row(
                classes[row.given],
                f"{row.error.total:,}",
                str(row.error.count),
                _rate(row.error, provenance),
                read_as + (f", {more} more" if more > 0 else ""),
            )
    return table


def show_mistakes(drawn: "Drawn", as_json: bool) -> None:
    """Print the mistakes of a split, and where their pictures are."""
    found = drawn.mistakes
    table, classes = found.table, found.classes
    rows = [
        {
            "index": int(table.index[i]),
            "given": classes[table.given[i]],
            "predicted": classes[table.predicted[i]],
            "p_predicted": float(table.p_predicted[i]),
            "p_given": float(table.p_given[i]),
        }
        for i in range(len(table))
    ]
    paths = [str(path) for path in drawn.paths]
    provenance = found.predictions.provenance
    if as_json:
        _print_json(_provenance_json(provenance) | {"mistakes": rows, "pictures": paths})
        return
    count = f"{len(found):,} of {len(found.predictions):,} misread"
    print(f"{provenance.name}: {count}")
    if not rows:
        print("nothing is misread; no picture was drawn")
        return
    shown = _new_table("image", "given", "read as", "p(read as)", "p(given)")
    for row in rows[:20]:
        shown.add_row(
            f"#{row['index']}",
            str(row["given"]),
            str(row["predicted"]),
            f"{row['p_predicted']:.3f}",
            f"{row['p_given']:.3f}",
        )
    _print_table(shown)
    if len(rows) > 20:
        print(f"the 20 most confident of {len(rows)}; --json lists all")
    for path in paths:
        print(path)


def show_imported(study: "Study", predictions: "Predictions", as_json: bool) -> None:
    """Print what was imported and how good it is."""
    from misread.analysis.evaluation import evaluate

    provenance, evaluation = predictions.provenance, evaluate(predictions)
    if as_json:
        _print_json(
            {"study": str(study.path)} | _provenance_json(provenance) | _rates_json(evaluation)
        )
        return
    print(f"{provenance.name}: {_error_line(evaluation, provenance)}")
    print(_TARGETS[provenance.origin])
    print(
        f"misread mistakes --study {shlex.quote(str(study.path))} --split {provenance.split} "
        f"--model {provenance.run_name}"
    )


def show_datasets(as_json: bool) -> None:
    """Print the built-in datasets."""
    from misread.datasets import BUILTIN

    if as_json:
        _print_json(
            {
                "datasets": [
                    {
                        "name": entry.name,
                        "summary": entry.summary,
                        "sizes": dict(entry.sizes),
                        "licence": entry.licence,
                    }
                    for entry in BUILTIN.values()
                ]
            }
        )
        return
    table = _new_table("name", "images", "licence", "what")
    for entry in BUILTIN.values():
        sizes = ", ".join(f"{name} {size:,}" for name, size in entry.sizes.items())
        table.add_row(entry.name, sizes, entry.licence, entry.summary)
    _print_table(table)
    print("or a path: a folder of IDX files (gzipped or not), or an .npz file")


def show_models(as_json: bool) -> None:
    """Print the networks and their recipes."""
    import dataclasses

    from misread.models import MODELS

    if as_json:
        _print_json(
            {
                "models": [
                    {
                        "name": spec.name,
                        "summary": spec.summary,
                        "recipes": [dataclasses.asdict(r) for r in spec.recipes.values()],
                    }
                    for spec in MODELS.values()
                ]
            }
        )
        return
    table = _new_table("name", "recipes", "what")
    for spec in MODELS.values():
        recipes = ", ".join(f"{r.name} ({r.epochs} epochs)" for r in spec.recipes.values())
        table.add_row(spec.name, recipes, spec.summary)
    _print_table(table)


def _split_json(split: "SplitResult") -> dict[str, Any]:
    classes = split.mistakes.classes
    return (
        _provenance_json(split.provenance)
        | _rates_json(split.evaluation)
        | {
            "classes": [
                {
                    "given": classes[row.given],
                    "error": _rate_json(row.error),
                    "read_as": {classes[c]: n for c, n in row.read_as},
                }
                for row in split.evaluation.classes
            ],
            "pictures": [str(split.overview), *(str(path) for path in split.grids)],
        }
    )


def _provenance_json(provenance: "Provenance") -> dict[str, Any]:
    return {
        "predictions": provenance.name,
        "split": provenance.split,
        "origin": str(provenance.origin),
    }


def _rates_json(evaluation: "Evaluation") -> dict[str, Any]:
    return {
        "loss": _number(evaluation.loss),
        "accuracy": _number(evaluation.accuracy),
        "error": _rate_json(evaluation.error),
    }


def _rate_json(rate: "Rate") -> dict[str, Any]:
    return {
        "count": rate.count,
        "total": rate.total,
        "rate": _number(rate.value),
        "low": _number(rate.low),
        "high": _number(rate.high),
    }


def _number(value: float) -> float | None:
    """JSON has no NaN: a rate over no images is null."""
    return None if math.isnan(value) else value


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=2))


def _new_table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in ("images", "misread") else "left")
    return table


def _print_table(table: "Table") -> None:
    from rich.console import Console

    # Class names come from users: no markup, no emoji codes, no highlighting of numbers.
    Console(markup=False, emoji=False, highlight=False).print(table)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _relative(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path
