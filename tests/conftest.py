"""Shared fixtures: small synthetic datasets of any shape, and predictions of them."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from misread.datasets import Dataset, Split
from misread.models.card import Card, EpochRow
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance, Reconstructions
from misread.tables.metadata import TEXT, Metadata

if TYPE_CHECKING:
    from misread.views.gallery.gallery import Gallery

# Before torch is imported, and for the programs that tests start. These networks are so small that
# threads mostly wait for each other, on a busy machine for a hundred times as long as they work.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def mnist_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """MNIST is unpacked once for all tests, and never into the user's own cache."""
    folder = tmp_path_factory.mktemp("mnist-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISREAD_CACHE", str(folder))
        yield folder


def bars(count: int, shape: tuple[int, ...], classes: int, seed: int) -> Split:
    """Noise with one bright band of rows, whose place is the label: easy, but not trivial."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(count) % classes)
    images = generator.integers(0, 90, (count, *shape), dtype=np.uint8)
    edges = np.linspace(0, shape[0], classes + 1).astype(int)
    for image, label in zip(images, labels, strict=True):
        image[edges[label] : edges[label + 1]] += np.uint8(100)
    return Split("train", images, labels)


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    """A dataset that a network learns in a second; by default colour, not square, 3 classes."""

    def make(
        train: int = 240,
        test: int = 90,
        shape: tuple[int, ...] = (12, 10, 3),
        classes: tuple[str, ...] = ("top", "middle", "bottom"),
        seed: int = 0,
        source: str = "bars",
    ) -> Dataset:
        splits = {"train": bars(train, shape, len(classes), seed)}
        other = bars(test, shape, len(classes), seed + 1_000)
        splits["test"] = Split("test", other.images, other.labels)
        return Dataset("bars", classes, splits, source)

    return make


@pytest.fixture(scope="session")
def write_npz() -> Callable[[Path, Dataset], Path]:
    """Write a dataset where `misread run` can load it."""

    def write(path: Path, dataset: Dataset) -> Path:
        arrays: dict[str, Any] = {}
        for name, split in dataset.splits.items():
            arrays[f"x_{name}"], arrays[f"y_{name}"] = split.pixels(), split.labels
        np.savez(path, **arrays, classes=np.array(dataset.classes))
        return path

    return write


@pytest.fixture(scope="session")
def write_images() -> Callable[[Path, Split, tuple[str, ...]], None]:
    """Write a split as PNG files, a folder per class: `CLASS/0007.png`."""

    def write(folder: Path, split: Split, classes: tuple[str, ...]) -> None:
        for number, label in enumerate(split.labels):
            file = folder / classes[label] / f"{number:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(split.images[number])).save(file)

    return write


@pytest.fixture(scope="session")
def make_predictions() -> Callable[..., Predictions]:
    """Predictions of a split, or of nothing: random ones unless probabilities are given."""

    def make(
        split: Split | None = None,
        probabilities: object = None,
        *,
        given: object = None,
        classes: tuple[str, ...] = ("top", "middle", "bottom"),
        seed: int = 0,
        model: str = "oracle",
        recipe: str = "imported",
        origin: Origin = Origin.HELD_OUT,
        created: str = "2025-01-01T00:00:00+00:00",
        repeat: int | None = None,
    ) -> Predictions:
        labels = split.labels if split is not None else np.asarray(given, np.int16)
        if probabilities is None:
            generator = np.random.default_rng(seed)
            probabilities = generator.dirichlet(np.ones(len(classes)), len(labels))
        return Predictions(
            index=np.arange(len(labels), dtype=np.int32),
            given=labels,
            probabilities=np.asarray(probabilities, np.float32).reshape(len(labels), len(classes)),
            provenance=Provenance(
                model=model,
                recipe=recipe,
                seed=seed,
                split=split.name if split is not None else "test",
                origin=origin,
                classes=classes,
                items_fingerprint=split.items_fingerprint if split is not None else "",
                created=created,
                repeat=repeat,
            ),
        )

    return make


@pytest.fixture(scope="session")
def make_gallery(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    make_predictions: Callable[..., Predictions],
) -> Callable[..., "Gallery"]:
    """The gallery of a new study: by default 90 test images that two models predict.

    Their origins are named by model and split: `{("one", "test"): Origin.HELD_OUT}`.
    """
    from misread.store import Study
    from misread.workflows.open import make_gallery as gallery_of

    default = {("one", "test"): Origin.HELD_OUT, ("two", "test"): Origin.HELD_OUT}

    def make(
        dataset: Dataset | None = None, origins: dict[tuple[str, str], Origin] | None = None
    ) -> "Gallery":
        shown = dataset or make_dataset()
        study = Study.create(tmp_path_factory.mktemp("gallery") / "study", shown)
        for number, ((model, split), origin) in enumerate(
            (default if origins is None else origins).items()
        ):
            study.save_predictions(
                make_predictions(
                    shown.splits[split],
                    classes=shown.classes,
                    seed=number,
                    model=model,
                    origin=origin,
                    created=f"2025-01-{number + 1:02}T00:00:00+00:00",
                )
            )
        return gallery_of(study, shown)

    return make


@pytest.fixture(scope="session")
def make_neighbours() -> Callable[..., Neighbours]:
    """A table of nearest training images beside some predictions."""

    def make(beside: Predictions, neighbours: object) -> Neighbours:
        return Neighbours(beside.index, np.asarray(neighbours, np.int32), beside.provenance)

    return make


@pytest.fixture(scope="session")
def make_reconstructions() -> Callable[..., Reconstructions]:
    """A table of reconstructions beside some predictions, with drawings of some images."""

    def make(
        beside: Predictions, drawn: Sequence[int], shape: tuple[int, int, int] = (12, 10, 3)
    ) -> Reconstructions:
        generator = np.random.default_rng(5)
        errors = generator.uniform(0.01, 0.1, (2, len(beside))).astype(np.float32)
        predicted = beside.predicted.astype(np.int16)
        right = predicted == beside.given
        errors[0, right] = errors[1, right]
        pictures = generator.integers(0, 256, (2, len(drawn), *shape), dtype=np.uint8)
        return Reconstructions(
            index=beside.index,
            given=beside.given,
            predicted=predicted,
            error_given=errors[0],
            error_predicted=errors[1],
            drawn=np.array(drawn, np.int32),
            as_given=pictures[0],
            as_predicted=pictures[1],
            provenance=beside.provenance,
        )

    return make


@pytest.fixture(scope="session")
def make_dynamics() -> Callable[..., Dynamics]:
    """Training dynamics of the images of some predictions; unremarkable ones unless given."""

    def make(
        beside: Predictions,
        margin: object = None,
        first_learned: object = None,
        forgotten: object = None,
        *,
        epochs: int = 10,
        networks: int = 1,
    ) -> Dynamics:
        def column(values: object, otherwise: float) -> Any:
            plain = np.full(len(beside), otherwise) if values is None else values
            return np.asarray(plain, np.float32)

        return Dynamics(
            index=beside.index,
            area_under_margin=column(margin, 5.0),
            first_learned=column(first_learned, 1.0),
            forgotten=column(forgotten, 0.0),
            epochs=epochs,
            networks=networks,
            provenance=dataclasses.replace(beside.provenance, origin=Origin.IN_SAMPLE),
        )

    return make


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    """A study of a dataset in a folder, with these predictions in it."""

    def make(path: Path, dataset: Dataset, *predictions: Predictions, note: str = "") -> Study:
        study = Study.create(path, dataset, note)
        for table in predictions:
            study.save_predictions(table)
        return study

    return make


def probabilities(split: Split, classes: int, seed: int) -> np.ndarray[Any, Any]:
    """Mostly right, never certain."""
    generator = np.random.default_rng(seed)
    sure = np.eye(classes)[split.labels] * generator.uniform(0, 3, (len(split), 1))
    made = np.exp(sure + generator.normal(0, 0.7, (len(split), classes)))
    return np.asarray(made / made.sum(axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="session")
def make_card() -> Callable[..., Card]:
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
def whole_study(
    tmp_path_factory: pytest.TempPathFactory, make_dataset: Callable[..., Dataset],
    make_card: Callable[..., Card], make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
    make_reconstructions: Callable[..., Reconstructions],
) -> Study:  # fmt: skip
    """Predictions of every origin, a card, neighbours, drawings, metadata, a plan and readings."""
    dataset = make_dataset()

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
    make_card(dataset).write(study.model_file("net-short-s0", ".json"))
    near = np.random.default_rng(0).integers(0, len(dataset.train), (len(dataset.test), 9))
    held_out = study.newest_predictions("test", "net").provenance
    study.save_neighbours(
        Neighbours(np.arange(len(dataset.test), dtype=np.int32), near.astype(np.int32), held_out)
    )
    drawn = np.arange(0, len(dataset.test), 3)
    study.save_reconstructions(
        make_reconstructions(study.newest_predictions("test", "net"), drawn.tolist())
    )
    writers = [f"writer {n % 7}" for n in range(len(dataset.test))]
    columns = {
        "writer": pa.array(writers).cast(TEXT),
        "size": pa.array(np.arange(len(dataset.test)) / 7.0),
    }
    study.save_metadata(
        Metadata("test", dataset.test.items_fingerprint, pa.table(columns), "writer")
    )
    # SciPy and what else they need: only where a study is made.
    from misread.workflows.reading_plan import make_plan
    from misread.workflows.readings import simulate_readers

    make_plan(study, len(dataset.test), models=["net"])
    simulate_readers(
        study, 3, error_easy=0.05, error_hard=0.4, slips=0.02, save="programs", dataset=dataset
    )
    return study
