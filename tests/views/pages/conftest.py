"""A small study with everything that pages can show."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from misread.datasets import Dataset, Split
from misread.models.card import Card, EpochRow
from misread.store import Study
from misread.tables import Neighbours, Origin, Predictions
from misread.tables.metadata import TEXT, Metadata
from misread.views.pages import Pages, build_pages
from misread.workflows.audit import audit


def probabilities(split: Split, classes: int, seed: int) -> np.ndarray[Any, Any]:
    """Mostly right, never certain."""
    generator = np.random.default_rng(seed)
    sure = np.eye(classes)[split.labels] * generator.uniform(0, 3, (len(split), 1))
    made = np.exp(sure + generator.normal(0, 0.7, (len(split), classes)))
    return np.asarray(made / made.sum(axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="session")
def card() -> Callable[..., Card]:
    def make(dataset: Dataset, name: str = "net-short-s0", epochs: int = 3) -> Card:
        rows = [EpochRow(n, 1 / n, 1 - 0.1 / n, 0.001, 1000.0, 2.0) for n in range(1, epochs + 1)]
        train = dataset.train
        return Card(
            name=name, model="net", recipe={"name": "short", "epochs": epochs}, seed=0,
            dataset=dataset.name, items_fingerprint=train.items_fingerprint,
            labels_fingerprint=train.labels_fingerprint, images=len(train), shape=(12, 10, 3),
            classes=dataset.classes, parameters=1234, device="cpu", threads=(2,),
            versions={"python": "3.11", "misread": "0.1.0"}, created="2025-01-01T00:00:00+00:00",
            log=tuple(rows),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture(scope="session")
def study(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, card: Callable[..., Card],
    make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
) -> Study:  # fmt: skip
    """Held-out, cross-fitted and in-sample predictions, a card, neighbours and metadata."""

    def of(split: str, origin: Origin, seed: int, **more: Any) -> Predictions:
        found = dataset.splits[split]
        return make_predictions(found, probabilities(found, 3, seed), origin=origin, **more)

    study = make_study(
        tmp_path_factory.mktemp("whole") / "study",
        dataset,
        of("test", Origin.HELD_OUT, 1, model="net", recipe="short"),
        of("train", Origin.IN_SAMPLE, 2, model="net", recipe="short"),
        of("train", Origin.CROSS_FITTED, 3, model="fast", recipe="short", repeat=1),
        of("test", Origin.HELD_OUT, 4, model="fast", recipe="short", repeat=1),
    )
    card(dataset).write(study.model_file("net-short-s0", ".json"))
    near = np.random.default_rng(0).integers(0, len(dataset.train), (len(dataset.test), 9))
    held_out = study.newest_predictions("test", "net").provenance
    study.save_neighbours(
        Neighbours(np.arange(len(dataset.test), dtype=np.int32), near.astype(np.int32), held_out)
    )
    writers = [f"writer {n % 7}" for n in range(len(dataset.test))]
    columns = {
        "writer": pa.array(writers).cast(TEXT),
        "size": pa.array(np.arange(len(dataset.test)) / 7.0),
    }
    study.save_metadata(
        Metadata("test", dataset.test.items_fingerprint, pa.table(columns), "writer")
    )
    return study


@pytest.fixture(scope="session")
def pages(study: Study, dataset: Dataset) -> Pages:
    audits = {split: audit(study, split, dataset=dataset) for split in ("test", "train")}
    return build_pages(study, dataset, audits)
