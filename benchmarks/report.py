"""How long `misread report` takes, and how large a report is.

    python benchmarks/report.py [--repeats 7] [--json FILE]

Each report is written by a fresh process: the whole command, from start to exit, after one for
nothing. Four cases: MNIST with one model (of the test split) as a folder and as a single file;
MNIST with all of the demo's models, of both splits; and 1,000,000 synthetic images of 10 classes,
one in ten misread, whose pixels are made when asked for.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from machine import Machine, bare_environment, new_parser, print_table, write_json

_MODEL = "convnet-short-s0"
_MILLION = """
import sys
from pathlib import Path
import numpy as np
from misread.datasets import Dataset, Split
from misread.store import Study
from misread.tables import Origin, Predictions, Provenance
from misread.workflows.report import write_report


class Made:
    def __len__(self):
        return 1_000_000

    def __getitem__(self, i):
        return np.random.default_rng(i).integers(0, 255, (28, 28), dtype=np.uint8)

    def fingerprint(self):
        return "sha256:made"


folder, what = Path(sys.argv[1]), sys.argv[2]
generator = np.random.default_rng(0)
labels = generator.integers(0, 10, 1_000_000).astype(np.int16)
split = Split("test", Made(), labels)
dataset = Dataset("million", tuple("abcdefghij"), {"test": split}, "million")
if what == "make":
    read = np.where(generator.random(len(labels)) < 0.1, (labels + 1) % 10, labels)
    scores = generator.random((len(labels), 10), dtype=np.float32) * 0.1
    scores[np.arange(len(labels)), read] += generator.uniform(0.3, 3, len(labels))
    provenance = Provenance(
        "made", "imported", 0, "test", Origin.HELD_OUT, dataset.classes, split.items_fingerprint,
        "2025-01-01T00:00:00+00:00",
    )
    index = np.arange(len(labels), dtype=np.int32)
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    study = Study.create(folder, dataset)
    study.save_predictions(Predictions(index, labels, probabilities, provenance))
else:
    write_report(Study.open(folder), dataset=dataset)
"""


@dataclass(frozen=True)
class Case:
    """One kind of report: what it is called, the command, and where it lies."""

    name: str
    command: list[str]
    place: Path


@dataclass(frozen=True)
class Measured:
    """What one kind of report costs; CPU time says more than time on a busy machine."""

    case: str
    seconds: list[float]
    cpu_seconds: list[float]
    peak_bytes: int
    bytes: int


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="of each case (default 7)")
    return parser.parse_args()


def misread(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "misread", *map(str, arguments)]


def run(command: Sequence[str]) -> tuple[float, float, int]:
    """Seconds, CPU seconds and peak resident memory in bytes of one process."""
    started = time.perf_counter()
    child = subprocess.Popen(command, env=bare_environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command[:6])}: failed")
    seconds = time.perf_counter() - started
    cpu = usage.ru_utime + usage.ru_stime
    return seconds, cpu, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def prepare(folder: Path) -> list[Case]:
    """Make the studies, and say which reports of them are written."""
    digits, million = folder / "digits", folder / "million"
    run(misread("demo", "--no-open", "--study", digits))
    run([sys.executable, "-c", _MILLION, str(million), "make"])
    report = misread("report", "--study", digits)
    one = [*report, "--model", _MODEL]
    return [
        Case("MNIST, 1 model", [*one, "--output", str(folder / "one")], folder / "one"),
        Case(
            "MNIST, 1 model, single file",
            [*one, "--single-file", "--output", str(folder / "one.html")],
            folder / "one.html",
        ),
        Case("MNIST, all models", [*report, "--output", str(folder / "four")], folder / "four"),
        Case(
            "1,000,000 images, 100,000 misread",
            [sys.executable, "-c", _MILLION, str(million), "report"],
            million / "report",
        ),
    ]


def size(place: Path) -> int:
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def main() -> None:
    options, machine = parse(), Machine.here(("misread", "numpy", "jinja2", "pillow"))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for case in prepare(Path(folder)):
            run(case.command)
            measured = [run(case.command) for _ in range(options.repeats)]
            seconds, cpu, peaks = (list(column) for column in zip(*measured, strict=True))
            results.append(Measured(case.name, seconds, cpu, max(peaks), size(case.place)))
    print(f"misread report, medians of {options.repeats} fresh processes")
    rows = []
    for found in results:
        rows.append(
            (
                found.case,
                f"{statistics.median(found.seconds):.2f}",
                f"{min(found.seconds):.2f} to {max(found.seconds):.2f}",
                f"{statistics.median(found.cpu_seconds):.2f}",
                f"{found.bytes / 1e6:.2f}",
                f"{found.peak_bytes / 1e6:.0f}",
            )
        )
    print_table(("report", "seconds", "from, to", "CPU seconds", "MB", "peak memory, MB"), rows)
    print(machine)
    write_json(
        options.json,
        machine,
        {"benchmark": "report", "cases": [asdict(found) for found in results]},
    )


if __name__ == "__main__":
    main()
