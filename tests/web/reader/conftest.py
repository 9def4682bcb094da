"""A small reader study: 60 images of 4 classes, 12 answers planned."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from misread.analysis.reading.design import draw_plan
from misread.datasets import Dataset, Split
from misread.store import Study
from misread.store.database import ReadingRow
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.web.reader.app import Reading, make_reading_app
from misread.web.reader.desk import Place
from misread.web.security import make_door
from misread.web.serving import listen, make_server

CLASSES = ("ant", "bee", "cat", "dog")


def make_dataset(seed: int = 0, labels: int = 0) -> Dataset:
    generator = np.random.default_rng(seed)
    images = {
        name: generator.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        for name, count in (("train", 30), ("test", 60))
    }
    given = np.random.default_rng(labels)
    splits = {
        name: Split(name, array, given.integers(0, 4, len(array)).astype(np.int16))
        for name, array in images.items()
    }
    return Dataset("beasts", CLASSES, splits, "beasts")


def make_plan(dataset: Dataset, answers: int = 12, **changes: object) -> ReadingPlan:
    test = dataset.test
    target = ReadingTarget(
        dataset.name, "test", len(test), CLASSES, test.items_fingerprint, test.labels_fingerprint
    )
    settings: dict[str, object] = {
        "hard": [3, 17], "practice_split": "train", "practice_images": 30, "seed": 5,
        "created": "2026-01-01T00:00:00+00:00", "repeated": 0.25,
    }  # fmt: skip
    return draw_plan(target, answers, **(settings | changes))  # type: ignore[arg-type]


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def plan(dataset: Dataset) -> ReadingPlan:
    return make_plan(dataset)


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return Study.create(tmp_path / "beasts-study", dataset)


Row = Callable[..., ReadingRow]


@pytest.fixture
def row() -> Row:
    """Rows of the log for a place, with an event of their own."""
    count = 0

    def make(reader: int, place: Place, answer: int | None = 1, **changes: object) -> ReadingRow:
        nonlocal count
        count += 1
        settled = ReadingRow(
            number=count, event=f"event-{count:04}", reader=reader, session="session-1",
            position=place.position, attempt=1, item=place.item, hard=int(place.hard),
            purpose=int(place.purpose), repeat_of=place.repeat_of, answer=answer, undoes=None,
            unsure=0, exposures=1, rt_ms=900.0, onset=1_000_000, unfocused=0, screen="1280x800",
            zoom=1.0, received_at=1_000_000 + count,
        )  # fmt: skip
        return settled._replace(**changes)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_beasts() -> Callable[..., Dataset]:
    """The dataset with other images or labels."""
    return make_dataset


@pytest.fixture(scope="session")
def make_reading_plan() -> Callable[..., ReadingPlan]:
    """A plan of the dataset, of so many answers."""
    return make_plan


Serve = Callable[[Study, Dataset, ReadingPlan], AbstractContextManager[httpx.Client]]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves a study's reader pages on loopback; the client knows the owner's token."""

    @contextmanager
    def start(study: Study, dataset: Dataset, plan: ReadingPlan) -> Iterator[httpx.Client]:
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        door = make_door("127.0.0.1", port, by_link=True)
        server = make_server(make_reading_app(Reading(plan, study.reading_log, dataset), door))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        headers = {"Origin": f"http://127.0.0.1:{port}"}
        with httpx.Client(base_url=headers["Origin"], headers=headers, timeout=20) as client:
            client.headers["X-Owner"] = door.token  # for tests alone: nobody reads it
            yield client
        server.should_exit = True
        thread.join(10)
        listening.close()

    return start
