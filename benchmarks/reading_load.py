"""Two hundred readers at once, each with an answer a second: how long until an answer is kept.

    python benchmarks/reading_load.py [--readers 200] [--seconds 60] [--kills 0] [--json FILE]

Starts the reader study's server on loopback, with a plan on the MNIST test digits, and simulated
pages in this process: each asks for its trials and images as a real page does, and sends an answer
every second, at a random phase, whether or not the one before is acknowledged (an open loop).
Prints the quantiles of the time from when an answer is due to its acknowledgement, which comes once
it is on disk, and compares what was acknowledged with what the study holds afterwards.

With `--kills N` the server is killed with SIGKILL and started again N times, at random moments, and
the pages send again what was not acknowledged. Nothing acknowledged may be missing, and nothing may
be counted twice. Bounded in readers and time; only addresses of this machine are asked.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import Machine, new_parser, print_table, write_json
from misread.datasets import load
from misread.store import Study
from misread.tables.reading_plan import ReadingPlan
from misread.workflows.reading_plan import make_plan

_SCREEN = {"width": 1280, "height": 800, "ratio": 1, "zoom": 1, "side": 280}
_PATIENCE = 0.5  # seconds until an answer that wasn't acknowledged is sent again


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--readers", type=int, default=200, help="default 200")
    parser.add_argument("--seconds", type=int, default=60, help="default 60, at most 600")
    parser.add_argument("--kills", type=int, default=0, help="kill the server so often")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


@dataclass
class Tally:
    """What the pages saw."""

    sent: int = 0
    refused: int = 0
    retried: int = 0
    milliseconds: list[float] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    late: int = 0


class Server:
    """The server in a process of its own, so that it can be killed."""

    def __init__(self, study: Path) -> None:
        self._study = study
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        code = (
            "import sys; from pathlib import Path; from misread.store import Study; "
            "from misread.workflows.read import read; "
            f"read(Study.open(Path({str(self._study)!r})), port={self.port}, "
            "browser=False, on_start=lambda links: print('ready', flush=True))"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        output = self._process.stdout
        if output is None or output.readline().strip() != "ready":
            sys.exit("the server did not start")

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing said."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


class Connection:
    """HTTP/1.1 over one kept connection, with little work of its own: the server is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, content: Any = None) -> tuple[int, bytes]:
        """Status and body.

        Raises:
            OSError: The connection broke; the next request opens another.
        """
        body = b"" if content is None else json.dumps(content).encode()
        own = f"127.0.0.1:{self._port}"
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {own}\r\nOrigin: http://{own}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(answer.partition("content-length: ")[2].partition("\r")[0])
            return int(answer.split(" ", 2)[1]), await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            if self._streams is not None:
                self._streams[1].close()
            self._streams = None
            raise OSError(str(error)) from error


class Page:
    """One reader's page: a connection for answers, another for trials and images."""

    def __init__(self, port: int, token: str, name: str, tally: Tally) -> None:
        self._base, self._name, self._tally = f"/r/{token}", name, tally
        self._answers, self._images = Connection(port), Connection(port)
        self._sending, self._loading = asyncio.Lock(), asyncio.Lock()
        self._trials: list[str] = []
        self._last = ""
        self._number = 0

    async def begin(self) -> None:
        """Agree, and take the first trials."""
        await self._ask(self._answers, "POST", "/agree", {"seen": "no", "agreed": True})
        await self._more()

    async def read(self, end: float, phase: float) -> None:
        """Send an answer each second until the end; then wait for what isn't acknowledged."""
        waiting = []
        due = time.perf_counter() + phase
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self._trials:
                waiting.append(asyncio.create_task(self._answer(self._trials.pop(0), due)))
            else:
                self._tally.late += 1
            waiting.append(asyncio.create_task(self._load()))
            due += 1
        await asyncio.gather(*waiting)

    async def _load(self) -> None:
        """What a page asks for while an image is looked at: the next image, now and then trials."""
        async with self._loading:
            if self._trials:
                await self._ask(self._images, "GET", f"/images/{self._trials[-1]}")
            if len(self._trials) < 4:
                await self._more()

    async def _more(self) -> None:
        content = await self._ask(self._images, "GET", f"/state?after={self._last}")
        for each in json.loads(content)["upcoming"]:
            self._trials.append(each["trial"])
            self._last = each["trial"]

    async def _answer(self, trial: str, due: float) -> None:
        self._number += 1
        event = f"{self._name}-{self._number:06}"
        answer = {
            "event": event, "session": "session-1", "trial": trial, "attempt": 1, "undoes": None,
            "exposures": 1, "answer": self._number % 10, "unsure": False, "rt": 700,
            "onset": 1_700_000_000_000, "blurred": False, "screen": _SCREEN,
        }  # fmt: skip
        self._tally.sent += 1
        # Answers of one page go out one after another, as the page sends them.
        async with self._sending:
            await self._ask(self._answers, "POST", "/answers", {"answers": [answer]})
        self._tally.milliseconds.append(1000 * (time.perf_counter() - due))
        self._tally.kept.add(event)

    async def _ask(
        self, connection: Connection, method: str, path: str, content: Any = None
    ) -> bytes:
        """Ask until there is an answer, as the page does."""
        while True:
            try:
                status, body = await connection.ask(method, self._base + path, content)
            except OSError:
                self._tally.retried += 1
                await asyncio.sleep(_PATIENCE)
                continue
            if status >= 400:
                self._tally.refused += 1
                sys.exit(f"{path}: {body.decode()}")
            return body


async def load_server(options: argparse.Namespace, server: Server, tokens: list[str]) -> Tally:
    tally, dice = Tally(), random.Random(options.seed)
    pages = [Page(server.port, token, f"reader{at:04}", tally) for at, token in enumerate(tokens)]
    await asyncio.gather(*(page.begin() for page in pages))
    end = time.perf_counter() + options.seconds
    killing = asyncio.create_task(kill_now_and_then(options, server, dice))
    await asyncio.gather(*(page.read(end, dice.random()) for page in pages))
    await killing
    return tally


async def kill_now_and_then(
    options: argparse.Namespace, server: Server, dice: random.Random
) -> None:
    for _ in range(options.kills):
        await asyncio.sleep(dice.uniform(0.5, 1.5) * options.seconds / (options.kills + 1) / 1.2)
        server.kill()
        await asyncio.to_thread(server.start)


def check(study: Study, plan: ReadingPlan, tally: Tally) -> tuple[int, int, int]:
    """Answers in the study, acknowledged ones that are missing, and ones there twice."""
    events = [
        answer.event
        for reader in study.reading_log.readers(plan)
        for answer in study.reading_log.answers(reader)
    ]
    return len(events), len(tally.kept - set(events)), len(events) - len(set(events))


def main() -> None:
    options = parse()
    options.seconds = min(options.seconds, 600)
    machine = Machine.here(("misread", "numpy", "starlette", "uvicorn"))
    with tempfile.TemporaryDirectory() as folder:
        study = Study.create(Path(folder, "mnist-study"), load("mnist"))
        plan = make_plan(study, 2_000)
        tokens = [
            study.reading_log.enrol(plan, f"reader {at}").token for at in range(options.readers)
        ]
        server = Server(study.path)
        server.start()
        try:
            tally = asyncio.run(load_server(options, server, tokens))
        finally:
            server.stop()
        there, missing, twice = check(study, plan, tally)
    print(machine)
    milliseconds = sorted(tally.milliseconds)
    cuts = statistics.quantiles(milliseconds, n=100)
    print(
        f"\n{options.readers} readers, an answer a second each, {options.seconds} s, open loop; "
        f"server killed {options.kills} times"
    )
    print_table(
        ("answers", "p50 ms", "p95 ms", "p99 ms", "most", "sent again", "no trial in time"),
        [
            (
                f"{len(milliseconds):,}", f"{cuts[49]:.1f}", f"{cuts[94]:.1f}", f"{cuts[98]:.1f}",
                f"{milliseconds[-1]:.1f}", f"{tally.retried:,}", f"{tally.late:,}",
            )
        ],
    )  # fmt: skip
    print(
        f"acknowledged {len(tally.kept):,}; in the study {there:,}; acknowledged and missing "
        f"{missing}; counted twice {twice}; errors {tally.refused}"
    )
    values = {
        "readers": options.readers, "seconds": options.seconds, "kills": options.kills,
        "answers": len(milliseconds), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98],
        "missing": missing, "twice": twice, "errors": tally.refused,
    }  # fmt: skip
    write_json(options.json, machine, values)
    sys.exit(bool(missing or twice or tally.refused))


if __name__ == "__main__":
    main()
