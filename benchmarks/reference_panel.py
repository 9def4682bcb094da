"""Make the reference panel of the package: train its runs, cross-fit, and pack what they predict.

    python benchmarks/reference_panel.py --study DIR [--also DIR] [--keep] [--pack-only]
        [--allow-missing]

Gives every command of the list below, one after another, in a process of its own and with the study
DIR. What DIR has already isn't trained again, and a training that was stopped goes on from its last
epoch, so that this script can be stopped and started at any time. It takes hours on two cores.

Then it packs the predictions of the test split and the cross-fitted ones of the training split
into `src/misread/workflows/reference_data`, in place of the panel that is there, reads them back,
and prints of each what packing has changed. `--pack-only` trains nothing; `--also` names further
studies that runs are taken from; `--keep` leaves the runs that no study has as they are in the
panel that is there, if it has them by the same recipe. While runs of the list are missing nothing
is packed, unless `--allow-missing` says so: the panel's index names them.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.evaluation import evaluate
from misread.analysis.intervals import wilson
from misread.datasets import Dataset
from misread.errors import InputError
from misread.store import Study
from misread.tables.packed import STEP
from misread.workflows.reference_packing import (
    PlannedRun,
    find_finished,
    find_packed,
    pack_panel,
)
from misread.workflows.reference_panel import FOLDER, PackedTable, ReferencePanel

# The list. Neighbours take most of the room: they come of one run for each split.
RUNS = (
    PlannedRun("convnet", seed=0),
    PlannedRun("convnet", seed=1),
    PlannedRun("convnet", seed=2),
    PlannedRun("quick", epochs=10, seed=0),
    PlannedRun("quick", epochs=10, seed=1),
    PlannedRun("quick", epochs=10, seed=2),
    PlannedRun("efficient-capsnet", epochs=12, seed=0, neighbours=10),
    PlannedRun("efficient-capsnet", epochs=12, seed=1),
    PlannedRun("efficient-capsnet", epochs=12, seed=2),
    PlannedRun("capsnet", seed=0),
    PlannedRun("em-capsnet", seed=0),
    PlannedRun("quick", repeat=1, repeats=2, neighbours=8, dynamics=True),
    PlannedRun("quick", repeat=2, repeats=2),
    PlannedRun("convnet", repeat=1),
    PlannedRun("efficient-capsnet", repeat=1),
)
LIMIT = 3_000_000


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--study", type=Path, required=True, help="where runs are trained")
    parser.add_argument(
        "--also", type=Path, action="append", default=[], help="another study; repeat it"
    )
    parser.add_argument("--keep", action="store_true", help="what the present panel has already")
    parser.add_argument("--pack-only", action="store_true", help="train nothing")
    parser.add_argument("--allow-missing", action="store_true", help="pack what is finished")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the panel's folder")
    return parser.parse_args()


def train(study: Path, others: list[Path], kept: list[str]) -> None:
    """Give the command of each run that no other study has, and that isn't kept."""
    there = {*find_finished([Study.open(path) for path in others], RUNS), *kept}
    for command in dict.fromkeys(run.command for run in RUNS if run.name not in there):
        print(f"{command} --study {study}", flush=True)
        line = [sys.executable, "-m", *shlex.split(command), "--study", str(study)]
        done = subprocess.run(line, check=False)
        if done.returncode:
            raise SystemExit(f"{command}: ended with {done.returncode}")


def check_missing(studies: list[Study], kept: list[str], allowed: bool) -> dict[str, Study]:
    """Say which runs of the list aren't finished, and stop if that isn't allowed."""
    finished = find_finished(studies, RUNS)
    missing = [run for run in RUNS if run.name not in finished and run.name not in kept]
    for run in missing:
        print(f"missing: {run.name:32} {run.command}")
    if missing and not allowed:
        raise SystemExit(
            f"{len(missing)} of {len(RUNS)} runs of the list aren't finished; --allow-missing "
            "packs the others"
        )
    return finished


def measure(table: PackedTable, panel: ReferencePanel, study: Study, data: Dataset) -> list[str]:
    """What packing has changed in one table of predictions; refuse what breaks its promises."""
    before = study.load_predictions(table.provenance)
    after = panel.predictions(table, data.splits[table.provenance.split].labels)
    error = np.abs(after.probabilities - before.probabilities)
    top = error[np.arange(len(before)), before.predicted].max()
    if not np.array_equal(before.predicted, after.predicted) or error.max() > STEP / 4:
        raise SystemExit(f"{table.file}: packing has changed too much")
    loss = evaluate(after).loss
    rate = wilson(int(table.mistakes or 0), len(before))
    size = (panel.folder / table.file).stat().st_size
    return [
        table.provenance.name, str(rate), f"{table.loss:.5f}", f"{loss - (table.loss or 0):+.5f}",
        f"{error.max():.4f}", f"{top:.4f}", f"{size:,}",
    ]  # fmt: skip


def mean_error(panel: ReferencePanel, data: Dataset) -> dict[str, Any]:
    """How many test images the mean of the panel's probabilities misreads."""
    tables = panel.tables("predictions", "test")
    if not tables:
        return {}
    labels = data.test.labels
    mean = sum(panel.predictions(table, labels).probabilities for table in tables)
    mistakes = int((np.argmax(mean, axis=1) != labels).sum())
    rate = wilson(mistakes, len(labels))
    print(f"mean of {len(tables)} runs on the test split: {mistakes} misread, {rate}")
    return {"members": len(tables), "mistakes": mistakes, "images": len(labels)}


def main() -> None:
    options = parse()
    machine = Machine.here()
    try:
        kept = find_packed(ReferencePanel.open(options.output), RUNS) if options.keep else []
        if not options.pack_only:
            train(options.study, options.also, kept)
        studies = [Study.open(path) for path in (options.study, *options.also)]
        finished = check_missing(studies, kept, options.allow_missing)
        data = studies[0].load_dataset()
        panel = pack_panel(studies, data, RUNS, options.output, kept=kept)
        rows = [
            measure(table, panel, finished[table.provenance.run_name], data)
            for table in panel.tables()
            if table.provenance.run_name in finished
        ]
    except InputError as error:
        raise SystemExit(str(error)) from None
    columns = ("predictions", "error (95%)", "loss", "change", "largest", "of top", "bytes")
    print_table(columns, rows)
    size = sum(path.stat().st_size for path in panel.folder.rglob("*") if path.is_file())
    met = "met" if size <= LIMIT else "MISSED"
    print(f"whole panel: {size:,} bytes; figure: at most {LIMIT:,}: {met}")
    mean = mean_error(panel, data)
    print(machine)
    content = {"bytes": size, "missing": list(panel.missing), "mean": mean, "tables": rows}
    write_json(options.json, machine, content)


if __name__ == "__main__":
    main()
