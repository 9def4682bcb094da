"""What a run, the mistakes and an import of predictions print."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import (
    new_table,
    number,
    plain,
    print_json,
    print_table,
    provenance_json,
    rate_json,
    relative,
)
from misread.views.times import duration

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
        print_json(
            {
                "study": str(result.study.path),
                "note": result.note,
                "run": result.card.name,
                "trained": result.trained,
                "seconds": round(result.card.seconds, 1),
                "splits": {name: _split_json(split) for name, split in result.splits.items()},
                "report": None if result.report is None else str(result.report),
                "report_note": result.report_note,
            }
        )
        return
    if result.note:
        print(f"{result.note}\n")
    for split in result.splits.values():
        _show_split(split)
    card = result.card
    print(f"{card.name}: {card.parameters:,} parameters, trained in {duration(card.seconds)}")
    print(f"results: {result.study.path}")
    for split in result.splits.values():
        print(f"  {relative(split.overview, result.study.path)}")
        if split.grids:
            pattern = split.grids[0].with_name("given-*.png")
            print(f"  {relative(pattern, result.study.path)}")
    if result.report is None:
        print(f"no report was written: {result.report_note}")
    else:
        print(f"report: {result.report}")
    folder = relative(result.study.path.absolute(), Path.cwd())
    print(f"look at it: misread open --study {shlex.quote(str(folder))}")


def _show_split(split: "SplitResult") -> None:
    evaluation, provenance = split.evaluation, split.provenance
    print(f"{provenance.split} split, {provenance.origin}: {_error_line(evaluation, provenance)}")
    print_table(_class_table(evaluation, provenance))
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
    table = new_table("given", "images", "misread", heading, "read as")
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
    files = found.split.files(table.index)
    rows = [
        {
            "index": int(table.index[i]),
            **({} if files is None else {"file": files[i]}),
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
        print_json(provenance_json(provenance) | {"mistakes": rows, "pictures": paths})
        return
    count = f"{len(found):,} of {len(found.predictions):,} misread"
    print(f"{provenance.name}: {count}")
    if drawn.models > 1:
        print(f"the newest of {drawn.models} models; --model names another")
    if not rows:
        print("nothing is misread; no picture was drawn")
        return
    named = [] if files is None else ["file"]
    shown = new_table("image", "given", "read as", "p(read as)", "p(given)", *named)
    for row in rows[:20]:
        shown.add_row(
            f"#{row['index']}",
            str(row["given"]),
            str(row["predicted"]),
            f"{row['p_predicted']:.3f}",
            f"{row['p_given']:.3f}",
            *(plain(str(row[name])) for name in named),
        )
    print_table(shown)
    if len(rows) > 20:
        print(f"the 20 most confident of {len(rows)}; --json lists all")
    for path in paths:
        print(path)
    if drawn.problem:
        print(drawn.problem, file=sys.stderr)


def show_imported(study: "Study", predictions: "Predictions", as_json: bool) -> None:
    """Print what was imported and how good it is."""
    from misread.analysis.evaluation import evaluate

    provenance, evaluation = predictions.provenance, evaluate(predictions)
    if as_json:
        print_json(
            {"study": str(study.path)} | provenance_json(provenance) | _rates_json(evaluation)
        )
        return
    print(f"{provenance.name}: {_error_line(evaluation, provenance)}")
    print(_TARGETS[provenance.origin])
    if evaluation.error.high >= 1 - 1 / len(provenance.classes):
        print(
            "no better than guessing, within its interval: are rows and columns in the study's "
            "order?"
        )
    print(
        f"look at them: misread mistakes --study {shlex.quote(str(study.path))} "
        f"--split {provenance.split} --model {provenance.run_name}"
    )


def _split_json(split: "SplitResult") -> dict[str, Any]:
    classes = split.mistakes.classes
    return (
        provenance_json(split.provenance)
        | _rates_json(split.evaluation)
        | {
            "classes": [
                {
                    "given": classes[row.given],
                    "error": rate_json(row.error),
                    "read_as": {classes[c]: n for c, n in row.read_as},
                }
                for row in split.evaluation.classes
            ],
            "pictures": [str(split.overview), *(str(path) for path in split.grids)],
        }
    )


def _rates_json(evaluation: "Evaluation") -> dict[str, Any]:
    return {
        "loss": number(evaluation.loss),
        "accuracy": number(evaluation.accuracy),
        "error": rate_json(evaluation.error),
    }
