"""How fast the gallery answers, and how soon after `misread open` the first picture is painted.

    python benchmarks/gallery.py [--images 70000 1000000] [--starts 9] [--json FILE]

**Requests.** For each number of images, a synthetic study is made (8 x 8 pixels, 10 classes, two
models, 500 writers) and served by `misread open` in a process of its own. Asked over HTTP on
loopback, one request after another as a page asks: the view, then its first 300 tiles. A *sort* is
one that this server hasn't been asked for before; a *filter* is a random combination of one to
three filters under a random one of those sorts. A *verdict* is one key: it is on disk when it is
answered. Times are of the whole request, from sending it to the last byte.

**First picture.** `misread demo`'s study of MNIST (70,000 images), from starting the command until
every tile on the screen is drawn and a frame has been painted since, in a Chromium that runs
already; a new window each time, so that nothing is in its cache. The first start of a study has no
kept scores; both are measured. Left out with `--starts 0` or where there is no Chromium.

**Jumps.** In the same study's 60,000 training images: the scroll bar is put at one of 25 places,
until every tile on the screen is drawn. Left out with the first picture.
"""

import argparse
import http.client
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from machine import Machine, bare_environment, new_parser, print_table, serving, write_json
from misread.datasets import Dataset, Split, load
from misread.store import Study
from misread.tables import Origin, Predictions, Provenance
from misread.tables.metadata import TEXT, Metadata

_CLASSES = 10
_WRITERS = 500
_TILES = 300
_FILTERS = 300
_VERDICTS = 90
_ROUNDS = 3
# Seconds at the 95th percentile, by the number of images.
_FIGURES = {70_000: 0.050, 1_000_000: 0.300}
_FIRST_PICTURE = 1.5
_JUMPS = 25
_JUMP_SECONDS = 0.2
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_DRAWN = """() => {
  const tiles = [...document.querySelectorAll(".tile")];
  return tiles.length > 0 && tiles.every((tile) => tile.dataset.drawn);
}"""
_PAINTED = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""

# Milliseconds until the tiles are drawn where the scroll bar was put.
_JUMP = """async (share) => {
  const grid = document.getElementById("grid");
  const box = grid.getBoundingClientRect();
  const start = performance.now();
  grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight);
  for (;;) {
    await new Promise(requestAnimationFrame);
    const seen = [...document.querySelectorAll(".tile")].filter((tile) => {
      const { top, bottom } = tile.getBoundingClientRect();
      return bottom > box.top && top < box.bottom;
    });
    const waited = performance.now() - start;
    if (seen.length > 0 && seen.every((tile) => tile.dataset.drawn)) return waited;
    if (waited > 30_000) throw new Error("the tiles are never drawn");
  }
}"""


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument(
        "--images", type=int, nargs="*", default=[70_000, 1_000_000], help="of synthetic studies"
    )
    parser.add_argument("--starts", type=int, default=9, help="of the gallery (default 9)")
    return parser.parse_args()


# A synthetic study


def make_study(folder: Path, images: int) -> Path:
    """A study with everything that can be asked for."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (images, 8, 8), dtype=np.uint8)
    labels = generator.integers(0, _CLASSES, images).astype(np.int16)
    names = np.array([str(k) for k in range(_CLASSES)])
    np.savez(folder / "images.npz", x_test=pixels, y_test=labels, classes=names)
    dataset = load(folder / "images.npz")
    study = Study.create(folder / "study", dataset)
    for seed in range(2):
        study.save_predictions(predict(dataset, seed))
    writers = pa.array([f"writer {k}" for k in generator.integers(0, _WRITERS, images)])
    table = pa.table({"writer": writers.cast(TEXT)})
    study.save_metadata(Metadata("test", dataset.test.items_fingerprint, table))
    return study.path


def predict(dataset: Dataset, seed: int) -> Predictions:
    """Predictions that are right nine times out of ten, and seldom sure."""
    split: Split = dataset.test
    generator = np.random.default_rng(seed)
    scores = generator.exponential(size=(len(split), _CLASSES)).astype(np.float32)
    scores[np.arange(len(split)), split.labels] += 6
    scores /= scores.sum(axis=1, keepdims=True)
    created = f"2025-01-0{seed + 1}T00:00:00+00:00"
    provenance = Provenance(
        "model", "imported", seed, "test", Origin.HELD_OUT, dataset.classes,
        split.items_fingerprint, created,
    )  # fmt: skip
    index = np.arange(len(split), dtype=np.int32)
    return Predictions(index, split.labels, scores, provenance)


# A server


@dataclass
class Server:
    """A running `misread open`.

    Attributes:
        url: Of its page.
        seconds: From starting the command until it said so.
        started: When the command was started, by `time.perf_counter`.
        process: Its id.
    """

    url: str
    seconds: float
    started: float
    process: int

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    @cached_property
    def token(self) -> str:
        """What writes must bring."""
        return str(self.get("/api/boot")["token"])

    @property
    def peak_mb(self) -> float:
        """Most memory that it has had resident so far, in 10^6 bytes; NaN where that isn't told."""
        try:
            lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        except OSError:
            return float("nan")
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6

    def get(self, path: str) -> Any:
        """A JSON answer."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {content[:200]!r}")
        return json.loads(content)

    def time(self, path: str) -> tuple[float, Any]:
        """Seconds of one request, and its answer."""
        started = time.perf_counter()
        self._connection.request("GET", path)
        content = self._connection.getresponse().read()
        return time.perf_counter() - started, json.loads(content)

    def decide(self, index: int, event: str) -> float:
        """Seconds of saving one verdict."""
        body = {
            "split": "test", "items": [index], "verdict": "fine", "label": None, "event": event,
            "tab": "benchmark",
        }  # fmt: skip
        headers = {
            "Content-Type": "application/json",
            "Origin": self.url.rstrip("/"),
            "X-Misread-Token": self.token,
        }
        started = time.perf_counter()
        self._connection.request("POST", "/api/verdicts", json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"/api/verdicts: {answer.status} {content[:200]!r}")
        return time.perf_counter() - started


@contextmanager
def serve(study: Path) -> Iterator[Server]:
    """Open a study without a browser, and end it with Ctrl-C."""
    command = [sys.executable, "-m", "misread", "open", "--study", str(study), "--no-browser"]
    command += ["--port", "0", "--json"]
    with serving(command, bare_environment(**_source())) as (started, said, process):
        yield Server(said["url"], time.perf_counter() - started, started, process)


def _source() -> dict[str, str]:
    """The package that is measured: the one that this script has imported."""
    import misread

    return {"PYTHONPATH": str(Path(misread.__file__).parent.parent)}


def wait_for_scores(server: Server) -> float:
    """Seconds until difficulty and suspicion are known."""
    started = time.perf_counter()
    while server.get("/api/view?sort=suspicion")["pending"]:
        time.sleep(0.1)
    return time.perf_counter() - started


# Requests


def list_sorts(rng: random.Random) -> list[str]:
    """Every sort once, in a random order, with as many shuffles."""
    models = [f"model-imported-s{seed}" for seed in range(2)]
    sorts = [
        f"sort={key}&order={order}&group={group}"
        for key in ("index", "difficulty", "suspicion")
        for order in ("asc", "desc")
        for group in ("given", "none")
    ]
    sorts += [
        f"sort=confidence&order={order}&group={group}&model={model}"
        for order in ("asc", "desc")
        for group in ("given", "none")
        for model in models
    ]
    sorts += [
        f"sort=random&seed={rng.randrange(2**32)}&group={group}"
        for group in ("given", "none")
        for _ in range(len(sorts) // 2)
    ]
    rng.shuffle(sorts)
    return sorts


def draw_filter(rng: random.Random) -> str:
    """One to three filters."""
    filters = {
        "given": str(rng.randrange(_CLASSES)),
        "predicted": str(rng.randrange(_CLASSES)),
        "right": rng.choice(["yes", "no"]),
        "suggested": rng.choice(["model", "label", "ambiguous", "fine"]),
        "decided": rng.choice(["none", "any", "label"]),
        "meta.writer": f"writer+{rng.randrange(_WRITERS)}",
    }
    chosen = rng.sample(sorted(filters), rng.randint(1, 3))
    return "&".join(f"{key}={filters[key]}" for key in chosen)


def ask(server: Server, query: str) -> tuple[float, float]:
    """Seconds of the view and of its first tiles."""
    view_seconds, view = server.time(f"/api/view?{query}")
    tile_seconds, _ = server.time(f"/api/tiles?{view['query']}&start=0&count={_TILES}")
    return view_seconds, tile_seconds


def measure_requests(study: Path, images: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of each request, by its kind; and the server's peak memory in 10^6 bytes."""
    rng = random.Random(0)
    kinds = ("sort: view", "sort: tiles", "filter: view", "filter: tiles", "verdict")
    times: dict[str, list[float]] = {name: [] for name in kinds}
    peak = 0.0
    for number in range(_ROUNDS):
        with serve(study) as server:
            server.get("/api/boot")
            wait_for_scores(server)
            for model in range(2):
                server.get(f"/api/view?right=no&model=model-imported-s{model}")
            sorts = list_sorts(rng)
            for query in sorts:
                view, tiles = ask(server, query)
                times["sort: view"].append(view)
                times["sort: tiles"].append(tiles)
            for _ in range(_FILTERS // _ROUNDS):
                view, tiles = ask(server, f"{rng.choice(sorts)}&{draw_filter(rng)}")
                times["filter: view"].append(view)
                times["filter: tiles"].append(tiles)
            for at in range(_VERDICTS // _ROUNDS):
                index = rng.randrange(images)
                times["verdict"].append(server.decide(index, f"{number}-{at}"))
            peak = max(peak, server.peak_mb)
    return times, peak


def p95(values: list[float]) -> float:
    """The 95th percentile: at most one value in twenty is larger."""
    return sorted(values)[-(len(values) // 20) - 1]


def run_requests(images: int) -> dict[str, Any]:
    """Measure and print one number of images."""
    with tempfile.TemporaryDirectory() as folder:
        study = make_study(Path(folder), images)
        with serve(study) as server:
            server.get("/api/boot")  # as a page does first
            opened, first = server.seconds, ask(server, "")
            scores = wait_for_scores(server)
        times, peak = measure_requests(study, images)
    print(f"\n{images:,} images (synthetic), whole requests over HTTP on loopback")
    rows = [
        (name, *(f"{1000 * x:.1f}" for x in (statistics.median(v), p95(v), max(v))), str(len(v)))
        for name, v in times.items()
    ]
    print_table(("milliseconds", "median", "p95", "max", "n"), rows)
    told = f"first view {1000 * first[0]:.0f} ms, its tiles {1000 * first[1]:.0f} ms"
    print(
        f"opened after {opened:.2f} s; {told}; scores after {scores:.1f} s; {peak:.0f} MB at most"
    )
    limit = _FIGURES.get(images)
    worst = max(p95(values) for name, values in times.items() if name != "verdict")
    if limit is not None:
        met = "met" if worst <= limit else "MISSED"
        print(f"figure: p95 at most {1000 * limit:.0f} ms: {met} ({1000 * worst:.1f} ms)")
    return {
        "images": images, "opened": opened, "scores": scores, "peak_mb": peak, "seconds": times,
        "worst_p95": worst,
    }  # fmt: skip


# The first picture, and jumps


def measure_first_pictures(starts: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds to the painted grid, of a new study and of one opened before; and of jumps in it."""
    from playwright.sync_api import sync_playwright

    times: dict[str, list[float]] = {"a new study": [], "opened before": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        study = Path(folder) / "mnist-demo-study"
        subprocess.run(
            [sys.executable, "-m", "misread", "demo", "--no-open", "--study", str(study)],
            env=bare_environment(**_source()), stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for number in range(starts + 1):
            for name, seconds in times.items():
                if name == "a new study":
                    shutil.rmtree(study / "cache", ignore_errors=True)
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                page = context.new_page()
                with serve(study) as server:
                    page.goto(server.url, wait_until="commit")
                    wait_for_picture(page)
                    taken = time.perf_counter() - server.started
                    wait_for_scores(server)
                context.close()
                if number:  # the first one warmed up
                    seconds.append(taken)
        jumps = measure_jumps(browser, study)
        browser.close()
    return times, jumps


def measure_jumps(browser: Any, study: Path) -> list[float]:
    """Seconds of each jump to another place of many images."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    with serve(study) as server:
        page.goto(f"{server.url}?split=train&group=given")
        wait_for_picture(page)
        shares = np.random.default_rng(0).permutation(np.linspace(0, 1, _JUMPS))
        seconds = [page.evaluate(_JUMP, float(share)) / 1000 for share in shares]
    context.close()
    return seconds


def wait_for_picture(page: Any) -> None:
    """Wait until every tile on a gallery's screen is drawn and a frame has been painted since."""
    page.wait_for_function(_DRAWN)
    page.evaluate(_PAINTED)


def run_first_pictures(starts: int) -> tuple[dict[str, list[float]], list[float]]:
    """Measure and print the first picture, and jumps."""
    times, jumps = measure_first_pictures(starts)
    print("\nfirst picture of MNIST's 70,000, from the command to the painted grid")
    rows = [
        (name, f"{statistics.median(v):.2f}", f"{min(v):.2f} to {max(v):.2f}", str(len(v)))
        for name, v in times.items()
    ]
    print_table(("seconds", "median", "from, to", "n"), rows)
    worst = max(statistics.median(values) for values in times.values())
    met = "met" if worst <= _FIRST_PICTURE else "MISSED"
    print(f"figure: at most {_FIRST_PICTURE} s: {met} ({worst:.2f} s)")
    median = statistics.median(jumps)
    met = "met" if median <= _JUMP_SECONDS else "MISSED"
    told = f"median {1000 * median:.0f} ms, at most {1000 * max(jumps):.0f} ms, n = {len(jumps)}"
    print(f"a jump until all is drawn: {told}")
    print(f"figure: median at most {1000 * _JUMP_SECONDS:.0f} ms: {met}")
    return times, jumps


def main() -> None:
    options = parse()
    machine = Machine.here(("misread", "numpy", "starlette", "uvicorn", "playwright"))
    requests = [run_requests(images) for images in options.images]
    pictures: dict[str, list[float]] = {}
    jumps: list[float] = []
    if options.starts and Path(CHROMIUM).exists():
        pictures, jumps = run_first_pictures(options.starts)
    print(machine)
    content = {
        "benchmark": "gallery", "requests": requests, "first_picture": pictures, "jumps": jumps,
    }  # fmt: skip
    write_json(options.json, machine, content)


if __name__ == "__main__":
    main()
