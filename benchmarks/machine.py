"""What every benchmark shares: the machine it ran on, fresh processes, tables and JSON."""

import argparse
import json
import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

_PACKAGES = ("misread", "numpy", "torch")
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


@dataclass(frozen=True)
class Machine:
    """Where and with what a benchmark ran.

    Attributes:
        processor: Model of the CPU.
        cores: Cores that this process may use.
        memory_gb: Main memory, in 10^9 bytes.
        system: Operating system.
        versions: Version of Python and of the packages that matter.
        load: Mean number of running processes in the minute before: well above 0 means that
            something else was running.
        date: ISO 8601 time.
    """

    processor: str
    cores: int
    memory_gb: float
    system: str
    versions: dict[str, str]
    load: float
    date: str

    @classmethod
    def here(cls, packages: Sequence[str] = _PACKAGES) -> Self:
        """This machine, now."""
        return cls(
            processor=_processor(),
            cores=_cores(),
            memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            system=f"{platform.system()} {platform.machine()}",
            versions={"python": platform.python_version()} | _versions(packages),
            load=round(os.getloadavg()[0], 2),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def __str__(self) -> str:
        """The hardware and the date on one line, the versions on another."""
        names = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gb:g} GB, {self.system}, "
            f"load {self.load:g} before, {self.date}\n{names}"
        )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def bare_environment(**extra: str) -> dict[str, str]:
    """Few variables: none that preloads an allocator, adds to the path or names another cache."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | extra


def run_json(command: Sequence[str | Path], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a command that ends with one line of JSON on stdout, and parse that line."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: failed\n{done.stderr[-2000:]}")
    parsed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return parsed


@contextmanager
def serving(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[tuple[float, dict[str, Any], int]]:
    """A command that serves until Ctrl-C: when it was started, the JSON it printed, its process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SystemExit(f"{' '.join(map(str, command))}: ended at once")
            text += line
        yield began, json.loads(text), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def new_parser(documentation: str | None) -> argparse.ArgumentParser:
    """A parser that shows the module's docstring and knows `--json`."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value as JSON")
    return parser


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns that line up; the first to the left, the others to the right."""
    lines = [columns, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        first, *others = (
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def write_json(path: Path | None, machine: Machine, content: Mapping[str, Any]) -> None:
    """Write a benchmark's values beside the machine they were measured on; None writes nothing."""
    if path is None:
        return
    text = json.dumps({"machine": asdict(machine), **content}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
