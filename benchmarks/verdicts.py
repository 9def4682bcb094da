"""How long a verdict takes to be saved, and how long a study with many takes to be read.

    python benchmarks/verdicts.py [--events 100000] [--images 70000] [--json FILE]

Makes a study's log of so many single decisions, one event in a hundred an undo, in a temporary
folder. Measures: a decision until it is on the disk; the first state in a new log, which opens,
checks and reads the file; the next state, with no news; the state after one more decision; the
state as of an earlier revision; and what changed since the last hundred events. The disk is that of
the temporary folder (TMPDIR).
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from machine import Machine, new_parser, print_table, write_json
from misread.store import Decision, SplitRecord, VerdictLog
from misread.tables.verdicts import VERDICTS

CLASSES = 10
_BATCH = 1_000


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="in the log (default 100000)")
    parser.add_argument("--images", type=int, default=70_000, help="of the split (default 70000)")
    parser.add_argument("--repeats", type=int, default=200, help="of what is quick (default 200)")
    return parser.parse_args()


def open_log(folder: Path, images: int) -> VerdictLog:
    return VerdictLog(folder, {"test": SplitRecord(images, "items", "labels")}, CLASSES)


def fill(log: VerdictLog, events: int, images: int) -> None:
    """Single decisions on images drawn at random, and undoes between them."""
    generator = np.random.default_rng(0)
    undoes = events // 100
    decisions = [
        Decision(
            "test",
            [int(item)],
            VERDICTS[code],
            int(code) if VERDICTS[code] == "label" else None,
            f"event-{number:032d}",
            [CLASSES - 1],
        )
        for number, (item, code) in enumerate(
            zip(
                generator.integers(0, images, events - undoes),
                generator.integers(0, len(VERDICTS), events - undoes),
                strict=True,
            )
        )
    ]
    for start in range(0, len(decisions), _BATCH):
        log.decide_all(decisions[start : start + _BATCH], tab="tab")
        for number in range(undoes * _BATCH // len(decisions)):
            log.undo("tab", event=f"undo-{start}-{number}")


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, list[float]]:
    """Milliseconds of each repetition, by what was measured."""
    with contextlib.closing(open_log(folder, options.images)) as log:
        fill(log, options.events, options.images)
    first = []
    for _ in range(11):
        with contextlib.closing(open_log(folder, options.images)) as log:
            first.append(timed(partial(log.state, "test")))
    times: dict[str, list[float]] = {"first state": first[1:]}
    with contextlib.closing(open_log(folder, options.images)) as log:
        end = log.revision()
        log.state("test")
        for number in range(options.repeats):
            quick: dict[str, Callable[[], object]] = {
                "decide": partial(
                    log.decide, "test", [number % options.images], VERDICTS[0],
                    event=f"more-{number}", tab="more",
                ),
                "state after it": partial(log.state, "test"),
                "state again": partial(log.state, "test"),
                "state as of before": partial(log.state, "test", end // 2 + number),
                "changes of 100 events": partial(log.changes, end + number - 99),
            }  # fmt: skip
            for name, work in quick.items():
                times.setdefault(name, []).append(timed(work))
    return times


def main() -> None:
    options = parse()
    machine = Machine.here()
    print(machine)
    with tempfile.TemporaryDirectory() as folder:
        times = measure(options, Path(folder))
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
    print(f"{options.events:,} events on {options.images:,} images, {size:.1f} MB\n")
    rows = [
        (
            name,
            *(f"{np.percentile(values, share):.2f}" for share in (50, 95, 100)),
            f"{len(values)}",
        )
        for name, values in times.items()
    ]
    print_table(("milliseconds", "median", "p95", "most", "n"), rows)
    write_json(options.json, machine, {"events": options.events, "milliseconds": times})


if __name__ == "__main__":
    main()
