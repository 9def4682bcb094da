"""How long a folder of a million image files takes to open, and its thumbnails to make.

    python benchmarks/image_folder.py [--images 1000000] [--folder DIR] [--cold] [--json FILE]

Makes ROOT/SPLIT/CLASS/NAME.JPEG (95% train, 5% test) of 224 x 224 pixels as hard links to 1,000
different files, in a temporary folder that is removed afterwards. A million need some 60 MB of disk
and 3,000 inodes.

**Opening**, each in a fresh process, from its start to its end, with what a study does each time:
`misread.load`, and the fingerprints of images and labels. *First*: with an empty cache folder.
*Later*: with the listing that the first one kept. *One file added*: since then. *Study*:
`Study.open(...).load_dataset()`, which compares all fingerprints. Beside it, taking turns, what is
the least that any program in Python has to do: `os.walk` and the size of each file. The system's
file cache is warm, unless `--cold` empties it before each first opening (Linux, root).

**Thumbnails**, one thread: of files no larger than the thumbnail, which are passed on; of
photographs of 1,600 x 1,200 pixels, made and then read from the cache folder.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from machine import Machine, bare_environment, new_parser, print_table, run_json, write_json
from misread.datasets import load
from misread.store import Study
from misread.views.thumbnails import Thumbnails

_FILES = 1_000
_SIDE = 224
_PHOTOGRAPH = (1_200, 1_600)
_PHOTOGRAPHS = 60
_THUMBNAILS = 2_000
# misread doesn't believe folders that have changed within two seconds.
_SETTLED = 2.5

# Seconds, at a million files.
_FIRST, _LATER = 15.0, 2.0

_LOAD = """
import sys, misread
dataset = misread.load(sys.argv[1])
for split in dataset.splits.values():
    split.items_fingerprint, split.labels_fingerprint
"""
_STUDY = """
import sys
from pathlib import Path
from misread.store import Study
Study.open(Path(sys.argv[1])).load_dataset()
"""
# Not ru_maxrss: on Linux that counts what the process was before it became another one.
_PEAK = """
import json, resource, sys, time
from pathlib import Path
status = Path("/proc/self/status")
if status.exists():
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"peak": peak, "cpu": time.process_time()}))
"""
_WALK = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        os.stat(os.path.join(folder, name)).st_size
"""


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--images", type=int, default=1_000_000, help="default 1,000,000")
    parser.add_argument("--classes", type=int, default=1_000, help="default 1,000")
    parser.add_argument("--folder", type=Path, help="where the tree is made (default: temporary)")
    parser.add_argument("--repeats", type=int, default=5, help="of each opening (default 5)")
    parser.add_argument("--cold", action="store_true", help="also with an empty file cache")
    return parser.parse_args()


class Opening(NamedTuple):
    """One process from its start to its end.

    Attributes:
        seconds: By the clock on the wall.
        cpu: Seconds of processor time, which other processes hardly change.
        peak: Of resident memory, in bytes.
    """

    seconds: float
    cpu: float
    peak: int


def picture(height: int, width: int, generator: np.random.Generator) -> Image.Image:
    """Smooth colours with some noise: a JPEG of it is about as large as one of a photograph."""
    rough = generator.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))
    noise = generator.integers(-12, 13, smooth.shape)
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


def make_tree(place: Path, images: int, classes: int) -> Path:
    """The tree of hard links."""
    generator = np.random.default_rng(0)
    store = place / "store"
    store.mkdir(parents=True)
    files = [store / f"{number}.jpg" for number in range(min(_FILES, images))]
    for file in files:
        picture(_SIDE, _SIDE, generator).save(file, quality=90)
    root, made = place / "tree", 0
    for label in range(classes):
        count = images * (label + 1) // classes - made
        for split, part in (
            ("train", range(count * 19 // 20)),
            ("test", range(count * 19 // 20, count)),
        ):
            folder = root / split / f"n{label:08}"
            folder.mkdir(parents=True)
            for number in part:
                os.link(files[(made + number) % len(files)], folder / f"n{label:08}_{number}.JPEG")
        made += count
    time.sleep(_SETTLED)
    return root


def run(code: str, argument: Path, cache: Path) -> Opening:
    """Run a process."""
    command = [sys.executable, "-c", code + _PEAK, str(argument)]
    started = time.perf_counter()
    said = run_json(command, bare_environment(MISREAD_CACHE=str(cache)))
    return Opening(time.perf_counter() - started, said["cpu"], said["peak"])


def empty_file_cache() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def measure_openings(root: Path, place: Path, repeats: int, cold: bool) -> dict[str, list[Opening]]:
    """Name of the opening -> each repetition."""
    cache, study = place / "cache", place / "study"
    kinds = ("first", "os.walk and os.stat", "later", "one file added", "study, later")
    found: dict[str, list[Opening]] = {kind: [] for kind in kinds}

    def first() -> Opening:
        shutil.rmtree(cache, ignore_errors=True)
        return run(_LOAD, root, cache)

    first()  # warms up, and is discarded
    for number in range(repeats):
        found["first"].append(first())
        found["os.walk and os.stat"].append(run(_WALK, root, cache))
        found["later"].append(run(_LOAD, root, cache))
        folder = next((root / "train").iterdir())
        shutil.copy(next(folder.iterdir()), folder / f"added-{number}.JPEG")
        found["one file added"].append(run(_LOAD, root, cache))
        time.sleep(_SETTLED)
    os.environ["MISREAD_CACHE"] = str(cache)
    Study.create(study, load(root))
    found["study, later"] = [run(_STUDY, study, cache) for _ in range(repeats)]
    if cold:
        found["first, file cache emptied"] = []
        for _ in range(repeats):
            empty_file_cache()
            found["first, file cache emptied"].append(first())
    return found


def measure_thumbnails(root: Path, place: Path) -> dict[str, float]:
    """Thumbnails per second."""
    generator = np.random.default_rng(1)
    photographs = place / "photographs" / "test" / "any"
    photographs.mkdir(parents=True)
    for number in range(_PHOTOGRAPHS):
        picture(*_PHOTOGRAPH, generator).save(photographs / f"{number:03}.jpg", quality=90)
    small, large = load(root), load(photographs.parent.parent)
    chosen = generator.choice(len(small.test), min(_THUMBNAILS, len(small.test)), replace=False)
    passed_on = Thumbnails(small, place / "thumbnails")
    made = Thumbnails(large, place / "thumbnails")
    return {
        "224 x 224, passed on": rate(chosen.tolist(), lambda i: passed_on.get("test", i)),
        "1,600 x 1,200, made": rate(range(_PHOTOGRAPHS), lambda i: made.get("test", i)),
        "1,600 x 1,200, kept": rate(range(_PHOTOGRAPHS), lambda i: made.get("test", i)),
    }


def rate(items: list[int] | range, get: Callable[[int], object]) -> float:
    started = time.perf_counter()
    for item in items:
        get(item)
    return len(items) / (time.perf_counter() - started)


def main() -> None:
    options = parse()
    machine = Machine.here(("misread", "numpy", "pillow"))
    place = Path(tempfile.mkdtemp(prefix="misread-images-", dir=options.folder))
    try:
        started = time.perf_counter()
        root = make_tree(place, options.images, options.classes)
        making = time.perf_counter() - started
        openings = measure_openings(root, place, options.repeats, options.cold)
        thumbnails = measure_thumbnails(root, place)
    finally:
        shutil.rmtree(place)
    print(
        f"{options.images:,} files of {_SIDE} x {_SIDE} in {options.classes:,} classes "
        f"(made in {making:.0f} s), n={options.repeats}"
    )
    rows = []
    for name, values in openings.items():
        seconds, cpu, peaks = zip(*values, strict=True)
        rows.append(
            (
                name,
                f"{statistics.median(seconds):.2f}",
                f"{min(seconds):.2f} to {max(seconds):.2f}",
                f"{statistics.median(cpu):.2f}",
                f"{max(peaks) / 1e6:.0f}",
            )
        )
    columns = ("opening, whole process", "seconds, median", "from, to", "CPU seconds", "peak MB")
    print_table(columns, rows)
    print_table(
        ("thumbnails, one thread", "a second"),
        [(name, f"{value:,.0f}") for name, value in thumbnails.items()],
    )
    print(machine)
    settings = {key: value for key, value in vars(options).items() if key not in ("json", "folder")}
    content = {"benchmark": "image_folder", "settings": settings, "making_seconds": making}
    write_json(options.json, machine, content | {"openings": openings, "thumbnails": thumbnails})
    slow = [
        name
        for name, most in (("first", _FIRST), ("later", _LATER), ("study, later", _LATER))
        if statistics.median(opening.seconds for opening in openings[name]) > most
    ]
    if slow:
        sys.exit(f"slower than it should be: {', '.join(slow)}")


if __name__ == "__main__":
    main()
