"""Real studies, a real server on loopback, and a real browser."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from misread.datasets import Dataset, Split, load
from misread.store import Study
from misread.tables import Neighbours, Origin, Predictions, Provenance, Reconstructions
from misread.tables.metadata import Metadata
from misread.types import Array
from misread.views.audit import Audit
from misread.views.gallery.gallery import Gallery
from misread.web.app import make_gallery_app
from misread.web.security import make_door
from misread.workflows.audit import audit
from misread.workflows.demo import reference_panel
from misread.workflows.open import make_exporter, reading_source

# A machine that is busy shows a page later, not another one.
expect.set_options(timeout=15_000)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLIPPED = (100, 200, 300)


# The browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM} (Debian's package chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A browser window of its own, with its own storage."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(15_000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def errors() -> list[str]:
    """What went wrong in pages; tests that expect nothing of the kind find it empty."""
    return []


@pytest.fixture
def new_page(
    new_context: Callable[..., BrowserContext], errors: list[str]
) -> Iterator[Callable[..., Page]]:
    """A tab in a window of its own; a script that fails in it fails the test."""

    def make(context: BrowserContext | None = None, **options: Any) -> Page:
        page = (context or new_context(**options)).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"a dialog opened: {dialog.message}"))
        return page

    yield make
    assert not errors


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


# Datasets and studies


def save_npz(path: Path, dataset: Dataset) -> Dataset:
    """Write a dataset where a study finds it again."""
    arrays: dict[str, Any] = {}
    for name, split in dataset.splits.items():
        arrays[f"x_{name}"], arrays[f"y_{name}"] = split.pixels(), split.labels
    np.savez(path, **arrays, classes=np.array(dataset.classes))
    return load(str(path))


def predict(dataset: Dataset, probabilities: Array, split: str = "test") -> Predictions:
    """Predictions as a network would have left them."""
    of = dataset.splits[split]
    provenance = Provenance(
        model="convnet", recipe="short", seed=0, split=split, origin=Origin.HELD_OUT,
        classes=dataset.classes, items_fingerprint=of.items_fingerprint,
        created="2025-01-01T00:00:00+00:00",
    )  # fmt: skip
    index = np.arange(len(of), dtype=np.int32)
    return Predictions(index, of.labels, probabilities.astype(np.float32), provenance)


def guesses(labels: Array, classes: int, wrong: float, seed: int) -> Array:
    """Probabilities of a model that reads this share of the images as another class."""
    generator = np.random.default_rng(seed)
    read = labels.astype(np.int64)
    misread = generator.random(len(labels)) < wrong
    read[misread] = (read[misread] + generator.integers(1, classes, misread.sum())) % classes
    probabilities = np.full((len(labels), classes), 0.2 / classes, np.float32)
    sure = generator.uniform(0.5, 0.8, len(labels))
    probabilities[np.arange(len(labels)), read] += sure
    return np.asarray(probabilities / probabilities.sum(1, keepdims=True))


@pytest.fixture(scope="session")
def panel() -> list[Predictions]:
    """What networks made of MNIST's test digits, the convnet first: the gallery's own order."""
    first, *others = reference_panel()
    newest = replace(first.provenance, created="2100-01-01T00:00:00+00:00")
    return [replace(first, provenance=newest), *others][:4]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory, panel: list[Predictions]) -> Dataset:
    """600 test digits, all those that the convnet misreads among them, and 600 training digits.

    Three of the given labels are wrong, and `FLIPPED` says which.
    """
    whole, first = load("mnist"), panel[0]
    wrong = np.flatnonzero(first.predicted != first.given)
    others = np.setdiff1d(np.arange(len(first)), wrong)[: 600 - len(wrong)]
    rows = np.sort(np.concatenate([wrong, others]))
    images = {"train": whole.train.pixels()[:600], "test": whole.test.pixels()[rows]}
    labels = {"train": whole.train.labels[:600], "test": whole.test.labels[rows]}
    labels["test"][list(FLIPPED)] = (labels["test"][list(FLIPPED)] + 1) % 10
    splits = {name: Split(name, images[name], labels[name]) for name in images}
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.save(path.with_name("rows.npy"), rows)
    return save_npz(path, Dataset("digits", whole.classes, splits, ""))


@pytest.fixture(scope="session")
def digits_study(
    tmp_path_factory: pytest.TempPathFactory, digits: Dataset, panel: list[Predictions],
    make_reconstructions: Callable[..., Reconstructions],
) -> Path:  # fmt: skip
    """A study of `digits`: a panel, nearest training digits, drawings, and who wrote them."""
    study = Study.create(tmp_path_factory.mktemp("studies") / "digits", digits)
    rows = np.load(Path(digits.source).with_name("rows.npy"))
    index = np.arange(len(rows), dtype=np.int32)
    for table in panel:
        fingerprint = digits.test.items_fingerprint
        provenance = replace(table.provenance, items_fingerprint=fingerprint)
        probabilities = table.probabilities[rows]
        study.save_predictions(Predictions(index, digits.test.labels, probabilities, provenance))
        study.save_neighbours(Neighbours(index, nearest(digits), provenance))
    drawn = make_reconstructions(study.newest_predictions("test"), index[1:].tolist(), (28, 28, 1))
    study.save_reconstructions(drawn)
    writers = pa.array([f"writer {number % 7}" for number in index]).dictionary_encode()
    columns = pa.table({"writer": writers.cast(pa.dictionary(pa.int32(), pa.string()))})
    study.save_metadata(Metadata("test", digits.test.items_fingerprint, columns))
    return study.path


def nearest(digits: Dataset) -> Array:
    """The 8 training digits whose pixels are nearest to those of each test digit."""
    train = digits.train.pixels().reshape(len(digits.train), -1).astype(np.float32)
    test = digits.test.pixels().reshape(len(digits.test), -1).astype(np.float32)
    distances = (train**2).sum(1) - 2 * test @ train.T
    return np.argsort(distances, axis=1, kind="stable")[:, :8].astype(np.int32)


# Servers


class Server:
    """A gallery that is served from a thread of this process."""

    def __init__(self, study: Path, dataset: Dataset) -> None:
        self.study = Study.open(study)
        self.dataset = dataset
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        # Closed, it keeps the suggested verdicts back.
        self.gate = threading.Event()
        self.gate.set()
        source = reading_source(self.study, dataset)
        gallery = Gallery(self.study, dataset, self._audit, source)
        app = make_gallery_app(gallery, make_door("127.0.0.1", port), make_exporter(gallery))
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{port}"

    def _audit(self, split: str) -> Audit:
        self.gate.wait(30)
        return audit(self.study, split, dataset=self.dataset)

    def stop(self) -> None:
        """Stop, and wait until it has."""
        while not self._server.started:
            time.sleep(0.01)
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Path, Dataset], Server]]:
    running: list[Server] = []

    def start(study: Path, dataset: Dataset) -> Server:
        server = Server(study, dataset)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(
    serve: Callable[[Path, Dataset], Server], digits: Dataset, digits_study: Path, tmp_path: Path
) -> Server:
    """The digits' gallery, of a study in which nobody has decided anything yet."""
    copy = tmp_path / "digits-study"
    shutil.copytree(digits_study, copy)
    return serve(copy, digits)


@pytest.fixture
def opened(page: Page, server: Server) -> Callable[..., Page]:
    """Open a view of the digits and wait for its images.

    `routed` for a test that routes requests later: a page's first route takes hold only a moment
    after it is set, a long one on a busy machine, unless there was one before the page.
    """

    def go(search: str = "", *, routed: bool = False) -> Page:
        if routed:
            page.route("**/never-asked-for", lambda route: route.abort())
        page.goto(f"{server.url}/{search}")
        wait_for_images(page)
        return page

    return go


def wait_for_images(page: Page) -> None:
    """Wait until every tile on the screen is drawn."""
    page.wait_for_function("() => document.querySelector('.tile')")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.tile')].every((tile) => tile.dataset.drawn)"
    )


def check_with_axe(page: Page, where: str) -> None:
    """Nothing that axe-core calls serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    bad = [
        f"{where}: {rule['id']}: {node['target']} {node['failureSummary'][:200]}"
        for rule in found.response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="session")
def check() -> Callable[[Page, str], None]:
    """Fail if axe-core finds something serious on a page, which is named."""
    return check_with_axe


@pytest.fixture(name="wait_for_images")
def wait_for_images_fixture() -> Callable[[Page], None]:
    return wait_for_images


@pytest.fixture(scope="session")
def tools() -> Any:
    """What tests make studies of their own with."""
    return SimpleNamespace(save_npz=save_npz, predict=predict, guesses=guesses)
