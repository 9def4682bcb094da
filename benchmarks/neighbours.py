"""Time to find the 20 nearest of 60,000 images for each of them, beside scikit-learn.

    python benchmarks/neighbours.py [--rounds 3] [--json FILE]

Trains `quick` for one epoch on MNIST, takes the features of the 60,000 training images, and finds
each one's nearest among the others by cosine, exactly: misread's search (PyTorch), and
scikit-learn's `NearestNeighbors` by brute force. Prints the median time of each, the ratio, and the
share of neighbours that both name: ties and rounding may swap a few.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from torch import Tensor

from machine import Machine, new_parser, print_table, write_json
from misread.datasets import load
from misread.models.catalogue import find_model
from misread.models.features import NEIGHBOURS, nearest
from misread.models.trained import predict_with_features
from misread.models.training import train_network
from misread.types import IndexArray


def timed(search: Callable[[], IndexArray], rounds: int) -> tuple[float, IndexArray]:
    """Median seconds, and what was found."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        found = search()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), found


def search_sklearn(features: Tensor) -> IndexArray:
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute", metric="cosine")
    plain = features.numpy()
    found: IndexArray = finder.fit(plain).kneighbors(plain, return_distance=False)
    return found


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    machine = Machine.here(("misread", "numpy", "torch", "scikit-learn"))
    digits = load("mnist")
    trained = train_network(digits, "quick", find_model("quick").recipe("short", 1), 0)
    _, features = predict_with_features(trained, digits.train)
    ours, found = timed(lambda: nearest(features, features, NEIGHBOURS), options.rounds)
    theirs, expected = timed(lambda: search_sklearn(features), options.rounds)
    shared = np.mean(
        [len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(found, expected, strict=True)]
    )
    print(machine)
    print(f"\n{NEIGHBOURS} nearest of {len(features):,} images, {features.shape[1]} features")
    print_table(
        ("search", "seconds", "ratio"),
        [
            ("misread (PyTorch)", f"{ours:.2f}", ""),
            ("scikit-learn, brute", f"{theirs:.2f}", f"{theirs / ours:.2f}"),
        ],
    )
    print(f"neighbours that both name: {100 * shared:.2f}%")
    values = {"images": len(features), "misread": ours, "scikit-learn": theirs, "shared": shared}
    write_json(options.json, machine, values)


if __name__ == "__main__":
    main()
