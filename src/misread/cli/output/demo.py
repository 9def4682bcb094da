"""What `misread demo` prints."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import (
    new_table,
    print_json,
    print_table,
    provenance_json,
    rate_json,
    relative,
)
from misread.views.times import duration

if TYPE_CHECKING:
    from misread.workflows.demo import Demo, DemoRun


def show_demo(made: "Demo", url: str | None, as_json: bool) -> None:
    """Print what the demo's study holds and how each run came about, and where its page is."""
    if as_json:
        runs = [_run_json(run) for run in made.runs]
        content = {"study": str(made.study.path), "note": made.note, "url": url, "runs": runs}
        print_json(content | {"missing": list(made.missing)}, flush=True)
        return
    print(f"{made.note}\n")
    table = new_table("run", "split", "error (95% interval)", "epochs", "trained in")
    for run in made.runs:
        epochs = str(run.epochs) if len(run.cards) == 1 else f"{len(run.cards)} x {run.epochs}"
        split, name = run.table.provenance.split, run.run.name
        table.add_row(name, split, str(run.error), epochs, duration(run.seconds))
    print_table(table, whole=True)
    print(
        "As labelled, by networks that never saw the images. Intervals (Wilson) are for new images "
        "of the same kind.\nThe command, versions and settings behind each: --json, or the page "
        "Methods of misread report."
    )
    if made.missing:
        print(f"not in the panel yet: {', '.join(made.missing)}")
    study = shlex.quote(str(relative(made.study.path.absolute(), Path.cwd())))
    print(f"read it blind, before you look: misread read --study {study}")
    if url is None:
        print(f"look at it: misread open --study {study}")
    else:
        print(f"{study}: {url}", flush=True)
        print("Ctrl-C ends it", file=sys.stderr, flush=True)


def _run_json(run: "DemoRun") -> dict[str, Any]:
    return provenance_json(run.table.provenance) | {
        "run": run.run.name,
        "command": run.run.command,
        "error": rate_json(run.error),
        "seconds": round(run.seconds, 1),
        "epochs": run.epochs,
        "networks": len(run.cards),
        "parameters": run.cards[0].parameters,
        "versions": run.cards[0].versions,
    }
