"""What `misread crossfit` prints."""

from typing import TYPE_CHECKING

from misread.cli.output.common import new_table, print_json, print_table, rate_json
from misread.views.times import duration

if TYPE_CHECKING:
    from misread.workflows.crossfit import CrossfitResult


def show_crossfit(result: "CrossfitResult", as_json: bool) -> None:
    """Print each repeat's error rate out of fold."""
    if as_json:
        print_json(
            {
                "study": str(result.study.path),
                "repeats": [
                    {
                        "run": repeat.name,
                        "trained": repeat.trained,
                        "seconds": round(repeat.seconds, 1),
                        "predictions": [p.provenance.name for p in repeat.predictions.values()],
                        "loss": repeat.evaluation.loss,
                        "error": rate_json(repeat.evaluation.error),
                    }
                    for repeat in result.repeats
                ],
            }
        )
        return
    table = new_table("cross-fit", "misread", "error (95% interval)", "trained in")
    for repeat in result.repeats:
        error = repeat.evaluation.error
        trained = duration(repeat.seconds) + ("" if repeat.trained else ", before")
        table.add_row(repeat.name, f"{error.count:,}", str(error), trained)
    print_table(table)
    print(
        "Training images, as labelled, each read by a network that never saw it.\n"
        "Intervals (Wilson, 95%) are for new images of the same kind, drawn independently."
    )
    print(f"results: {result.study.path}")
    print("next: misread audit --split train")
