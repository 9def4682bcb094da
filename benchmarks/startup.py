"""How long misread takes to start and to load MNIST, what it loads, and how large it is.

    python benchmarks/startup.py [--install] [--json FILE]

Measures, each in fresh processes with few environment variables, after a warm-up that is discarded:
the interpreter alone, `misread --help` (and which heavy modules it loads), `import misread`, and
`misread.load("mnist")` with an empty cache, in a later process, and again in the same process. The
load has the import of NumPy in it, as a user's first load has. `--install` also makes a temporary
virtual environment, installs the base package from this checkout with pip, and prints its size.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from machine import Machine, bare_environment, new_parser, print_table, run_json, write_json

_FORBIDDEN = ("torch", "matplotlib", "pyarrow")
_HEAVY = (*_FORBIDDEN, "numpy", "scipy", "pandas", "PIL", "rich")

_HELP = f"""
import contextlib, io, json, sys
from misread.cli import main
sys.argv = ["misread", "--help"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(json.dumps({{"loaded": [name for name in {_HEAVY!r} if name in sys.modules]}}))
"""
_IMPORT = """
import json, time
started = time.perf_counter()
import misread
print(json.dumps({"import": time.perf_counter() - started}))
"""
_LOAD = """
import json, time
import misread
started = time.perf_counter()
misread.load("mnist")
once = time.perf_counter()
misread.load("mnist")
print(json.dumps({"load": once - started, "again": time.perf_counter() - once}))
"""


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--starts", type=int, default=11, help="of each start (default 11)")
    parser.add_argument("--loads", type=int, default=5, help="with an empty cache (default 5)")
    parser.add_argument("--install", action="store_true", help="measure a fresh base install")
    return parser.parse_args()


def time_process(command: Sequence[str | Path]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=bare_environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def help_command() -> list[str | Path]:
    """The installed `misread`, else `python -m misread`."""
    script = Path(sys.executable).with_name("misread")
    return [script, "--help"] if script.exists() else [sys.executable, "-m", "misread", "--help"]


def repeat(times: int, measure: Callable[[], float]) -> list[float]:
    """Measure once for nothing, then `times` times."""
    measure()
    return [measure() for _ in range(times)]


def run_python(code: str, **environment: str) -> dict[str, Any]:
    return run_json([sys.executable, "-c", code], bare_environment(**environment))


def measure_loads(times: int) -> dict[str, list[float]]:
    """Seconds of the first load, of one in a later process, and of a repetition in that process."""
    first, later, again = [], [], []
    for number in range(times + 1):
        with tempfile.TemporaryDirectory() as cache:
            cold = run_python(_LOAD, MISREAD_CACHE=cache)
            warm = run_python(_LOAD, MISREAD_CACHE=cache)
        if number:  # the first one warmed up
            first.append(cold["load"])
            later.append(warm["load"])
            again.append(warm["again"])
    return {"load, empty cache": first, "load, later": later, "load, same process": again}


def measure_times(options: argparse.Namespace) -> dict[str, list[float]]:
    """Name of the measurement -> seconds of each repetition."""
    starts, bare = options.starts, [sys.executable, "-c", "pass"]
    return {
        "python -c pass": repeat(starts, lambda: time_process(bare)),
        "misread --help": repeat(starts, lambda: time_process(help_command())),
        "import misread": repeat(starts, lambda: float(run_python(_IMPORT)["import"])),
        **measure_loads(options.loads),
    }


def measure_install() -> dict[str, float]:
    """Megabytes (10^6) on disk of a base install: all, and the largest of its packages."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        bare = disk_bytes(environment)
        python = environment / "bin" / "python"
        repository = Path(__file__).parent.parent
        install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", repository]
        # With the caller's variables: they may say which package index pip is to use.
        subprocess.run(install, check=True)
        sizes = {"whole environment": disk_bytes(environment)}
        sizes["without the empty environment"] = sizes["whole environment"] - bare
        (packages,) = environment.glob("lib/python*/site-packages")
        parts = {path.name: disk_bytes(path) for path in packages.iterdir()}
    largest = sorted(parts, key=lambda name: parts[name], reverse=True)[:8]
    sizes |= {f"  {name}": parts[name] for name in largest}
    return {name: round(size / 1e6, 1) for name, size in sizes.items()}


def disk_bytes(path: Path) -> int:
    """Bytes on disk of a file or folder, as `du` counts them."""
    found = [path, *path.rglob("*")]
    return sum(one.lstat().st_blocks * 512 for one in found)


def print_times(times: dict[str, list[float]]) -> None:
    rows = [
        (
            name,
            f"{statistics.median(values):.3f}",
            f"{min(values):.3f} to {max(values):.3f}",
            str(len(values)),
        )
        for name, values in times.items()
    ]
    print_table(("seconds", "median", "from, to", "n"), rows)


def print_modules(loaded: list[str]) -> bool:
    """Say what `misread --help` loads; whether it is what it may load."""
    wrong = [name for name in _FORBIDDEN if name in loaded]
    print(
        f"misread --help loads {', '.join(loaded) or 'no heavy module'} of {', '.join(_HEAVY)}"
        + (f": it should not load {', '.join(wrong)}" if wrong else "")
    )
    return not wrong


def main() -> None:
    options = parse()
    machine = Machine.here()
    times = measure_times(options)
    loaded = run_python(_HELP)["loaded"]
    size = measure_install() if options.install else {}
    print("start of misread, medians of fresh processes")
    print_times(times)
    allowed = print_modules(loaded)
    if size:
        print_table(("base install", "MB"), [(name, f"{mb:.1f}") for name, mb in size.items()])
    print(machine)
    medians = {name: statistics.median(values) for name, values in times.items()}
    content = {"benchmark": "startup", "n": {name: len(v) for name, v in times.items()}}
    content |= {"seconds": times, "medians": medians, "loaded": loaded, "install_mb": size}
    write_json(options.json, machine, content)
    sys.exit(0 if allowed else 1)


if __name__ == "__main__":
    main()
