"""Peak resident memory of `misread run mnist`, in a process of its own.

    python benchmarks/memory.py [--model quick] [--epochs 1] [--repeats 1] [--json FILE]

The kernel's own figure for the process (`ru_maxrss`), files that it maps included, for a first run:
with an empty cache and a new study, so that unpacking MNIST, training, predicting both splits and
drawing are all in it. Beside it the peak of `import torch` alone, which no training is below.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import Machine, bare_environment, new_parser, print_table, write_json


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--model", default="convnet", help="convnet (the default) or quick")
    parser.add_argument("--recipe", default="short", help="short (the default) or post")
    parser.add_argument("--epochs", type=int, default=1, help="default 1")
    parser.add_argument("--data", default="mnist", help="what misread.load takes (default mnist)")
    parser.add_argument("--repeats", type=int, default=1, help="default 1")
    return parser.parse_args()


def peak_bytes(command: Sequence[str], environment: dict[str, str]) -> int:
    """Peak resident memory of one command and what it starts.

    `wait4` tells it of this child alone; `RUSAGE_CHILDREN` would give the largest of all so far.
    """
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: failed")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure_run(options: argparse.Namespace) -> int:
    """Peak of one run with an empty cache and a new study."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "misread", "run", options.data,
            "--model", options.model, "--recipe", options.recipe,
            "--epochs", str(options.epochs), "--device", "cpu",
            "--study", str(Path(folder) / "study"),
        ]  # fmt: skip
        return peak_bytes(command, bare_environment(MISREAD_CACHE=str(Path(folder) / "cache")))


def measure_torch() -> int:
    return peak_bytes([sys.executable, "-c", "import torch"], bare_environment())


def main() -> None:
    options = parse()
    machine = Machine.here()
    name = f"misread run {options.data} --model {options.model}"
    peaks = {
        name: [measure_run(options) for _ in range(options.repeats)],
        "import torch": [measure_torch() for _ in range(options.repeats)],
    }
    print(
        f"peak resident memory, recipe {options.recipe}, {options.epochs} epochs, "
        f"n={options.repeats}"
    )
    rows = [
        (name, f"{statistics.median(values) / 1e9:.3f}", f"{max(values) / 1e9:.3f}")
        for name, values in peaks.items()
    ]
    print_table(("", "GB, median", "GB, most"), rows)
    print(machine)
    medians = {name: statistics.median(values) for name, values in peaks.items()}
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    content = {"benchmark": "memory", "n": options.repeats, "settings": settings}
    write_json(options.json, machine, content | {"peak_bytes": peaks, "medians": medians})


if __name__ == "__main__":
    main()
