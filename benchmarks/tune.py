"""Validation error of a recipe: trains on 50,000 MNIST training digits, validates on the others.

The test split is never read. Prints one JSON line per run: recipe, seed, error, time.

    python benchmarks/tune.py convnet --epochs 3 --set learning_rate=0.004
"""

import argparse
import dataclasses
import json

import numpy as np

from misread.datasets import Dataset, load
from misread.models import find_model
from misread.models.trained import predict
from misread.models.training import train_network


def main() -> None:
    """Train once and print the validation error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--recipe")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--images", type=int, default=50_000, help="to train on (default 50000)")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    recipe = find_model(options.model).recipe(options.recipe, options.epochs)
    changes = {name: json.loads(value) for name, value in (item.split("=") for item in options.set)}
    recipe = dataclasses.replace(recipe, **changes)

    digits = load(options.data)
    order = np.random.default_rng(0).permutation(len(digits.train))
    part = Dataset(
        name="mnist-tuning",
        classes=digits.classes,
        splits={"train": digits.train.take(np.sort(order[10_000 : 10_000 + options.images]))},
        source="mnist",
    )
    held_out = digits.train.take(np.sort(order[:10_000]))
    trained = train_network(part, options.model, recipe, options.seed)
    predictions = predict(trained, held_out)
    errors = int((predictions.predicted != predictions.given).sum())
    row = {
        "model": options.model,
        "recipe": dataclasses.asdict(recipe),
        "seed": options.seed,
        "errors": errors,
        "of": len(held_out),
        "images": len(part.train),
        "seconds": round(trained.card.seconds, 1),
        "images_per_second": [row.images_per_second for row in trained.card.log],
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
