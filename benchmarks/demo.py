"""How soon `misread demo` shows its gallery, from the command to the painted grid.

    python benchmarks/demo.py [--python .venv-base/bin/python] [--starts 9] [--json FILE]

Each start is of a new process with few environment variables, and of a study that isn't there yet:
the whole reference panel is unpacked into it, its gallery is served, and a Chromium that runs
already paints its first page, in a new window, so that nothing is in its cache. It ends when every
tile on the screen is drawn and a frame has been painted since.

`--python` is the interpreter that misread is started with: that of a base install, which has no
PyTorch, is made by `make base`. MNIST is unpacked once before; a last start, told apart, has an
empty cache folder, as the very first one has.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gallery import CHROMIUM, FLAGS, wait_for_picture
from machine import Machine, bare_environment, new_parser, print_table, serving, write_json

_FIGURE = 3.0
_FACTS = """
import importlib.util, json, misread
print(json.dumps([misread.__file__, importlib.util.find_spec("torch") is not None]))
"""


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter")
    parser.add_argument("--starts", type=int, default=9, help="with MNIST unpacked (default 9)")
    return parser.parse_args()


@contextmanager
def start(python: Path, study: Path, cache: Path) -> Iterator[tuple[float, dict[str, Any]]]:
    """`misread demo` until it serves: when it was started, and what it said."""
    command = [str(python), "-m", "misread", "demo", "--study", str(study), "--no-browser"]
    command += ["--port", "0", "--json"]
    with serving(command, bare_environment(MISREAD_CACHE=str(cache))) as (began, said, _):
        yield began, said


def measure(browser: Any, python: Path, folder: Path, cache: Path) -> tuple[float, float, int]:
    """Seconds until it serves, seconds until the picture, and the number of runs in the panel."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    with start(python, folder / "mnist-demo-study", cache) as (began, said):
        served = time.perf_counter() - began
        page.goto(said["url"], wait_until="commit")
        wait_for_picture(page)
        taken = time.perf_counter() - began
    context.close()
    return served, taken, len(said["runs"])


def main() -> None:
    from playwright.sync_api import sync_playwright

    options = parse()
    machine = Machine.here(("misread", "numpy", "pyarrow", "starlette", "uvicorn", "playwright"))
    done = subprocess.run(
        [options.python, "-c", _FACTS], env=bare_environment(), capture_output=True, check=True
    )
    package, torch = json.loads(done.stdout)
    with (
        tempfile.TemporaryDirectory() as kept,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = []
        for _ in range(options.starts + 1):
            with tempfile.TemporaryDirectory() as folder:
                found.append(measure(browser, options.python, Path(folder), Path(kept)))
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as empty:
            first = measure(browser, options.python, Path(folder), Path(empty))
        browser.close()
    warm = found[1:]  # the first one warmed up
    kinds = {
        "until it serves": [one[0] for one in warm],
        "until the first picture": [one[1] for one in warm],
        "the same, MNIST not unpacked yet": [first[1]],
    }
    print(f"misread demo, {warm[0][2]} runs, {'with' if torch else 'without'} PyTorch, {package}")
    rows = [
        (name, f"{statistics.median(v):.2f}", f"{min(v):.2f} to {max(v):.2f}", str(len(v)))
        for name, v in kinds.items()
    ]
    print_table(("seconds", "median", "from, to", "n"), rows)
    median = statistics.median(kinds["until the first picture"])
    met = "met" if median <= _FIGURE else "MISSED"
    print(f"figure: at most {_FIGURE:g} s: {met} ({median:.2f} s)")
    print(machine)
    content = {"benchmark": "demo", "runs": warm[0][2], "torch": torch, "seconds": kinds}
    write_json(options.json, machine, content)


if __name__ == "__main__":
    main()
