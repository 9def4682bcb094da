"""Images per second of `convnet` trained through misread, beside the same network elsewhere.

    python benchmarks/throughput.py [--recipe short] [--torch-tuned] [--json FILE]
        [--keras-torch PYTHON] [--keras-tensorflow PYTHON]

Peers: a bare PyTorch channels_last loop with the same batch size and recipe; the same with in-place
ReLU and fused Adam (`--torch-tuned`); the post's model in Keras 3 `fit` on torch and on TensorFlow,
each run by the interpreter named (its environment needs NumPy, Keras and that backend).

Each measurement is a process of its own on the CPU, since misread changes how the C library keeps
freed memory, which a peer in the same process would gain from. A process warms up for a few steps,
then trains one epoch; only that epoch's training loop counts. Contenders take turns, in reversed
order every other round, after a short round that is discarded; a ratio compares two measurements of
one round.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from machine import Machine, bare_environment, new_parser, print_table, run_json, write_json
from misread.datasets import load
from misread.models import Recipe, find_model

_FITS = Path(__file__).with_name("fits")


@dataclass(frozen=True)
class Contender:
    """What trains: a script of `fits/`, the interpreter that runs it, and what it is told."""

    name: str
    script: str
    python: str
    tuned: bool = False
    backend: str = ""


@dataclass(frozen=True)
class Plan:
    """What every contender trains: recipe, data and threads, the same for all."""

    recipe: Recipe
    data: Path
    threads: int
    warm_up: int

    def measure(self, contender: Contender, seed: int) -> dict[str, Any]:
        """Train once in a fresh process."""
        settings = {
            "recipe": dataclasses.asdict(self.recipe),
            "seed": seed,
            "warm_up": self.warm_up,
            "tuned": contender.tuned,
        }
        threads = str(self.threads)
        environment = bare_environment(
            OMP_NUM_THREADS=threads,
            TF_NUM_INTRAOP_THREADS=threads,
            CUDA_VISIBLE_DEVICES="",
            KERAS_TORCH_DEVICE="cpu",
            KERAS_BACKEND=contender.backend,
            KERAS_HOME=str(self.data.parent),
        )
        script = _FITS / contender.script
        return run_json([contender.python, script, self.data, json.dumps(settings)], environment)


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--recipe", default="post", help="a recipe of convnet (default post)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--images", type=int, default=12_800, help="of an epoch (default 12800)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--warm-up", type=int, default=8, help="steps of each process (default 8)")
    parser.add_argument("--torch-tuned", action="store_true", help="also a tuned bare loop")
    parser.add_argument("--keras-torch", metavar="PYTHON", help="interpreter with Keras, torch")
    parser.add_argument("--keras-tensorflow", metavar="PYTHON", help="with Keras, TensorFlow")
    options = parser.parse_args()
    if options.recipe != "post" and (options.keras_torch or options.keras_tensorflow):
        parser.error("the Keras peers train the post's recipe only")
    return options


def list_contenders(options: argparse.Namespace) -> list[Contender]:
    chosen = [
        Contender("misread", "with_misread.py", sys.executable),
        Contender("torch", "with_torch.py", sys.executable),
    ]
    if options.torch_tuned:
        chosen.append(Contender("torch-tuned", "with_torch.py", sys.executable, tuned=True))
    for backend in ("torch", "tensorflow"):
        if python := getattr(options, f"keras_{backend}"):
            chosen.append(Contender(f"keras-{backend}", "with_keras.py", python, backend=backend))
    return chosen


def save_images(count: int, path: Path) -> Path:
    """The first training images, where every contender's process can read them."""
    part = load("mnist").train.take(np.arange(count))
    np.savez(path, x_train=part.pixels(), y_train=part.labels)
    return path


def run_rounds(plan: Plan, contenders: Sequence[Contender], rounds: int) -> list[dict[str, Any]]:
    """Each round: contender's name -> what its process printed."""
    results = []
    for number in range(rounds):
        order = contenders if number % 2 == 0 else contenders[::-1]
        results.append({one.name: plan.measure(one, number) for one in order})
    return results


def summarise(images: int, results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Contender -> images per second of each round and the median; misread's ratio to it."""
    speeds = {
        name: [round(images / result[name]["seconds"], 1) for result in results]
        for name in results[0]
    }
    ours = speeds["misread"]
    summary = {}
    for name, values in speeds.items():
        ratios = [round(a / b, 4) for a, b in zip(ours, values, strict=True)]
        summary[name] = {
            "images_per_second": values,
            "median": statistics.median(values),
            "ratios": ratios,
            "ratio": statistics.median(ratios),
            "versions": results[0][name]["versions"],
        }
    return summary


def print_summary(summary: dict[str, dict[str, Any]]) -> None:
    rows = []
    for name in sorted(summary, key=lambda name: name != "misread"):
        entry = summary[name]
        ratio, ratios = f"{entry['ratio']:.3f}", entry["ratios"]
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        rows.append(
            (
                name,
                f"{entry['median']:.0f}",
                *(("", "") if name == "misread" else (ratio, spread)),
                " ".join(f"{value:.0f}" for value in entry["images_per_second"]),
                ", ".join(f"{key} {number}" for key, number in entry["versions"].items()),
            )
        )
    print_table(("", "images/s", "misread is x", "from, to", "each round", "versions"), rows)


def main() -> None:
    options = parse()
    machine = Machine.here()
    recipe = find_model("convnet").recipe(options.recipe, 1)
    threads = options.threads or machine.cores
    size = recipe.batch_size
    images = max(options.images // size, 1) * size
    contenders = list_contenders(options)
    with tempfile.TemporaryDirectory() as folder:
        few = save_images(options.warm_up * size, Path(folder) / "few.npz")
        run_rounds(Plan(recipe, few, threads, 1), contenders, 1)
        data = save_images(images, Path(folder) / "images.npz")
        plan = Plan(recipe, data, threads, options.warm_up)
        results = run_rounds(plan, contenders, options.pairs)
    summary = summarise(images, results)
    print(
        f"training throughput of convnet, recipe {options.recipe}, batch {size}, {images:,} "
        f"images, {threads} threads, medians of n={options.pairs} interleaved rounds"
    )
    print_summary(summary)
    print(machine)
    settings = {"recipe": dataclasses.asdict(recipe), "images": images, "threads": threads}
    content = {"benchmark": "throughput", "n": options.pairs, "settings": settings}
    write_json(options.json, machine, content | {"summary": summary, "rounds": results})


if __name__ == "__main__":
    main()
