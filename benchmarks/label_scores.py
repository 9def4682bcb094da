"""Scores of every image and flagged labels, beside cleanlab, for 200,000 x 1,000 probabilities.

    python benchmarks/label_scores.py [--rows 200000] [--classes 1000] [--repeats 3] [--json FILE]
    python benchmarks/label_scores.py --file-only --rows 1280000 --repeats 1

misread gives every score that one model's probabilities allow (entropy, least confidence, closeness
of the best two, self-confidence, normalised margin), the confident joint and the flags; its time
includes the check that they are probabilities. cleanlab gives flags: `find_label_issues_batched`,
in its batches of 10,000 rows, and the default `find_label_issues`, whose rule is misread's
`noise-rate`. All get the same float32 array, in memory, of a softmax over noisy logits: classes in
groups of 20 that are confused with each other, some of them much harder, 5% of the labels wrong.
The flags of misread's default rule and of the batched function differ because their rules do; those
of the other pair where equal remainders in the confident joint are rounded another way.

From a file, misread reads Parquet a range of rows at a time; the largest number of passes over any
row of it is counted. Each measurement is a process of its own that has warmed up on 2,000 rows;
contenders take turns, in reversed order every other round; a ratio compares two of one round, in
time and in CPU time of all threads and workers. Peak memory is the kernel's figure for the process,
array included, workers not.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from machine import Machine, bare_environment, new_parser, print_table, run_json, write_json
from misread.analysis.difficulty import DIFFICULTY
from misread.analysis.labels import FlagBy, find_label_issues
from misread.analysis.suspicion import SUSPICION
from misread.tables import Origin, Predictions, Provenance
from misread.tables.parquet import PredictionsFile, write_parts
from misread.tables.predictions import PredictionSource
from misread.types import Array, FloatArray, LabelArray

_STEP = 5_000
_PEERS = {"misread": "batched", "misread noise-rate": "default"}


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="default 200000")
    parser.add_argument("--classes", type=int, default=1_000, help="default 1000")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="default 2")
    parser.add_argument("--file-only", action="store_true", help="only misread, from a file")
    parser.add_argument("--folder", type=Path, help="where the data are put for the while")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_parts(rows: int, classes: int) -> Iterator[tuple[LabelArray, FloatArray]]:
    """Given labels and probabilities, some rows at a time; a prefix is the same for all `rows`."""
    skill = np.random.default_rng(0).normal(7, 1.5, classes).astype(np.float32)
    for start in range(0, rows, _STEP):
        generator = np.random.default_rng([1, start])
        count = min(_STEP, rows - start)
        true = generator.integers(0, classes, count)
        logits = generator.standard_normal((count, classes), dtype=np.float32)
        near = (true // 20 * 20)[:, None] + np.arange(20)
        at = np.arange(count)
        logits[at[:, None], near % classes] += generator.normal(3, 1.5, (count, 20))
        logits[at, true] += skill[true] + generator.normal(0, 2, count)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        wrong = generator.random(count) < 0.05
        given = np.where(wrong, generator.integers(0, classes, count), true)
        yield given.astype(np.int16), logits


def write_data(folder: Path, rows: int, classes: int, *, array: bool) -> None:
    """`p.parquet`, and as arrays `given.npy` and `probabilities.npy`."""
    provenance = new_provenance(classes)
    memory = None
    if array:
        shape = (rows, classes)
        memory = np.lib.format.open_memmap(
            folder / "probabilities.npy", "w+", dtype=np.float32, shape=shape
        )
    labels: list[LabelArray] = []

    def parts() -> Iterator[Predictions]:
        start = 0
        for given, probabilities in make_parts(rows, classes):
            index = np.arange(start, start + len(given), dtype=np.int32)
            if memory is not None:
                memory[start : start + len(given)] = probabilities
            labels.append(given)
            start += len(given)
            yield Predictions(index, given, probabilities, provenance)

    write_parts(folder / "p.parquet", provenance, parts())
    if memory is not None:
        memory.flush()
    np.save(folder / "given.npy", np.concatenate(labels))


def new_provenance(classes: int) -> Provenance:
    names = tuple(str(number) for number in range(classes))
    return Provenance("softmax", "imported", 0, "test", Origin.HELD_OUT, names, "", "")


class CountedPasses:
    """A file that notes how often each range of it is read."""

    def __init__(self, path: Path) -> None:
        self._file = PredictionsFile.open(path)
        self.provenance, self.index = self._file.provenance, self._file.index
        self.given, self.reads = self._file.given, Counter[int]()

    def ranges(self) -> list[tuple[int, int]]:
        """Those of the file."""
        return self._file.ranges()

    def read(self, start: int, stop: int) -> FloatArray:
        """Read rows, and note that they were."""
        self.reads[start] += 1
        return self._file.read(start, stop)


def score_all(source: PredictionSource, flag_by: FlagBy, threads: int) -> Array:
    """Every score of one model, and the flags."""
    issues = find_label_issues(source, flag_by, threads)
    for score in {**DIFFICULTY, **SUSPICION}.values():
        score(issues.scores)
    return issues.flagged


def use(name: str, given: Array, probabilities: FloatArray, threads: int) -> Callable[[], Array]:
    """What a contender does to arrays; it ends in the mask of the flags."""
    if name.startswith("misread"):
        by: FlagBy = "noise-rate" if name.endswith("noise-rate") else "confident-joint"
        provenance = new_provenance(probabilities.shape[1])

        def misread() -> Array:
            index = np.arange(len(given), dtype=np.int32)
            table = Predictions(index, given.astype(np.int16), probabilities, provenance)
            return score_all(table, by, threads)

        return misread
    if name == "batched":
        from cleanlab.experimental.label_issues_batched import find_label_issues_batched

        return lambda: find_label_issues_batched(
            labels=given, pred_probs=probabilities, verbose=False, return_mask=True
        )
    from cleanlab.filter import find_label_issues as cleanlab_issues

    return lambda: cleanlab_issues(given, probabilities, n_jobs=threads)


def measure(options: argparse.Namespace) -> None:
    """The child: one contender once; a line of JSON."""
    folder, name = options.folder, options.contender
    if name == "data":
        write_data(folder, options.rows, options.classes, array=not options.file_only)
        print("{}")
        return
    passes = None
    few = next(make_parts(2_000, options.classes))
    if name == "file":
        use("misread", few[0].astype(np.int64), few[1], options.threads)()
        before, spent = time.perf_counter(), cpu_seconds()
        file = CountedPasses(folder / "p.parquet")
        flags = score_all(file, "confident-joint", options.threads)
        passes = max(file.reads.values())
    else:
        use(name, few[0].astype(np.int64), few[1], options.threads)()
        given = np.load(folder / "given.npy").astype(np.int64)
        probabilities = np.load(folder / "probabilities.npy")
        work = use(name, given, probabilities, options.threads)
        before, spent = time.perf_counter(), cpu_seconds()
        flags = work()
    result = {
        "seconds": time.perf_counter() - before,
        "cpu": cpu_seconds() - spent,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024),
        "flags": int(flags.sum()),
        "passes": passes,
    }
    np.save(folder / f"flags-{name}.npy", flags)
    print(json.dumps(result))


def cpu_seconds() -> float:
    """Of this process with all its threads, and of workers that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def run_child(options: argparse.Namespace, folder: Path, name: str) -> dict[str, Any]:
    """A fresh process: the kernel's peak of one that was forked starts at its parent's."""
    command = [
        sys.executable, __file__, "--contender", name, "--folder", str(folder),
        "--rows", str(options.rows), "--classes", str(options.classes),
        "--threads", str(options.threads), *["--file-only"] * options.file_only,
    ]  # fmt: skip
    return run_json(command, bare_environment(OMP_NUM_THREADS=str(options.threads)))


def run_rounds(options: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, Any]]]:
    names = ["file"] if options.file_only else ["file", *_PEERS, *_PEERS.values()]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(options.repeats):
        for name in names[:: 1 if number % 2 == 0 else -1]:
            found[name].append(run_child(options, folder, name))
            print(f"  {name}: {found[name][-1]}", file=sys.stderr)
    return found


def report(found: dict[str, list[dict[str, Any]]], folder: Path) -> dict[str, list[float]]:
    """Print the table and the ratios; the ratios of each round."""
    rows = []
    for name, values in found.items():
        seconds = [value["seconds"] for value in values]
        cpu = statistics.median(value["cpu"] for value in values)
        peak = max(value["peak"] for value in values)
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        numbers = (f"{statistics.median(seconds):.2f}", spread, f"{cpu:.2f}", f"{peak / 1e9:.2f}")
        rows.append((name, *numbers, f"{values[0]['flags']:,}", str(values[0]["passes"] or "")))
    head = ("", "s, median", "least to most", "CPU s", "peak GB", "flags", "passes")
    print_table(head, rows)
    ratios = {}
    for ours, theirs in _PEERS.items() if len(found) > 1 else ():
        a, b = (np.load(folder / f"flags-{name}.npy") for name in (ours, theirs))
        print(f"{ours} and {theirs}: {int((a != b).sum()):,} flags differ")
        for one in sorted({ours, "misread"}):
            for key in ("seconds", "cpu"):
                pairs = zip(found[one], found[theirs], strict=True)
                each = [other[key] / mine[key] for mine, other in pairs]
                ratios[f"{one} vs {theirs}, {key}"] = each
    for name, each in ratios.items():
        print(f"{name}: {statistics.median(each):.2f}x ({min(each):.2f} to {max(each):.2f})")
    return ratios


def main() -> None:
    options = parse()
    if options.contender:
        measure(options)
        return
    machine = Machine.here(("misread", "numpy", "pyarrow", "cleanlab", "scikit-learn"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        run_child(options, folder, "data")
        size = (folder / "p.parquet").stat().st_size
        found = run_rounds(options, folder)
        print(
            f"{options.rows:,} x {options.classes:,} float32, {options.threads} threads, "
            f"n={options.repeats}; Parquet file of {size / 1e9:.2f} GB"
        )
        ratios = report(found, folder)
    print(machine)
    content = {"benchmark": "label scores", "rows": options.rows, "classes": options.classes}
    write_json(
        options.json, machine, content | {"found": found, "file_bytes": size, "ratios": ratios}
    )


if __name__ == "__main__":
    main()
