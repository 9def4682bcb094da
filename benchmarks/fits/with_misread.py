"""One epoch of `convnet` through misread's own training; a peer of `benchmarks/throughput.py`.

    python benchmarks/fits/with_misread.py DATA.npz SETTINGS

SETTINGS is a JSON object: `recipe`, `seed` and `warm_up` (steps). Prints one line of JSON. The
seconds are those of the training loop, as the model's card logs them; `whole_call_seconds` has
building the network, and for averaged weights measuring their batch norms, too.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from misread.datasets import Dataset, load
from misread.models import Card, Recipe
from misread.models.training import train_network


def first_images(dataset: Dataset, count: int) -> Dataset:
    part = dataset.train.take(np.arange(count))
    return Dataset("benchmark", dataset.classes, {"train": part}, "benchmark")


def train(dataset: Dataset, settings: dict[str, Any]) -> Card:
    recipe = Recipe(**settings["recipe"])
    return train_network(dataset, "convnet", recipe, settings["seed"], device="cpu").card


def main() -> None:
    data, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    dataset = load(data)
    train(first_images(dataset, settings["warm_up"] * settings["recipe"]["batch_size"]), settings)
    started = time.perf_counter()
    card = train(dataset, settings)
    row = {
        "seconds": card.seconds,
        "whole_call_seconds": round(time.perf_counter() - started, 3),
        "threads": card.threads[0],
        "loss": card.log[-1].loss,
        "versions": card.versions,
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
