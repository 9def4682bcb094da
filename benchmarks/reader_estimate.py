"""Time of everything that a reader study says, for 100 readers of 2,000 answers each.

    python benchmarks/reader_estimate.py [--readers 100] [--answers 2000] [--repeats 5]

10,000 images, of which a model misreads 62; simulated readers. Timed are the check that the
readings follow the plan, and the estimate: each reader and all together, against the model, with
exclusions and without, error consistency, slips, response times. In the second row, readers stop
where they like, so that every interval is an anytime one; in the third, one answer in a hundred is
excluded and asked again. The first time, which fills tables of factorials and of limits, is told
apart; so is the CPU time, which a busy machine doesn't lengthen as much. There is no peer: no tool
known to us computes this.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.reading.design import draw_plan
from misread.analysis.reading.exact import exact_limits, log_factorials
from misread.analysis.reading.people import measure_people
from misread.analysis.reading.simulation import simulate_readers, two_rates
from misread.analysis.reading.tally import check_follows
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.tables.readings import Purpose, Readings, join
from misread.types import LabelArray

IMAGES, HARD = 10_000, 62


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--readers", type=int, default=100, help="default 100")
    parser.add_argument("--answers", type=int, default=2_000, help="of each (default 2000)")
    parser.add_argument("--repeats", type=int, default=5, help="default 5")
    return parser.parse_args()


def exclude_some(plan: ReadingPlan, readings: Readings) -> Readings:
    """One answer in a hundred was too fast, and is asked again at the end."""
    generator = np.random.default_rng(1)
    fast = (readings.purpose == Purpose.MAIN) & (generator.random(len(readings)) < 0.01)
    again = readings.pick(fast)
    again = replace(
        again,
        readers=tuple(replace(one, name=f"{one.name} again") for one in readings.readers),
        purpose=np.full(len(again), Purpose.AGAIN, np.uint8),
        repeat_of=again.position,
        position=again.position + 2 * IMAGES,
    )
    both = join([replace(readings, rt_ms=np.where(fast, 50.0, readings.rt_ms)), again])
    return replace(both, readers=readings.readers, reader=both.reader % len(readings.readers))


def measure(
    plan: ReadingPlan, labels: LabelArray, readings: Readings, repeats: int
) -> dict[str, float]:
    """Seconds of the first and of later runs, median, and CPU seconds of the latter."""
    wrong = np.isin(np.arange(IMAGES), plan.hard)

    def estimate() -> None:
        measure_people(plan, labels, readings, {"model": wrong})

    for cache in (exact_limits, log_factorials):
        cache.cache_clear()
    first, _ = seconds(estimate)
    runs = [seconds(estimate) for _ in range(repeats)]
    checks = [seconds(lambda: check_follows(plan, readings)) for _ in range(repeats)]
    return {
        "first": first,
        "estimate": statistics.median(wall for wall, _ in runs),
        "cpu": statistics.median(cpu for _, cpu in runs),
        "check": statistics.median(wall for wall, _ in checks),
    }


def seconds(call: Callable[[], None]) -> tuple[float, float]:
    """Time on the wall and of the CPU."""
    start = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main() -> None:
    options = parse()
    machine = Machine.here(("misread", "numpy", "scipy"))
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, IMAGES).astype(np.int16)
    target = ReadingTarget("digits", "test", IMAGES, tuple("0123456789"), "", "")
    hard = np.sort(generator.choice(IMAGES, HARD, replace=False))
    plan = draw_plan(target, options.answers, hard=hard, seed=0, created="")
    seen = two_rates(plan, labels, 0.0015, 0.34, slips=0.001)
    stops = generator.integers(options.answers // 2, options.answers, options.readers).tolist()
    planned = simulate_readers(plan, seen, options.readers, seed=0)
    tables = {
        "all at the plan": planned,
        "each where he likes": simulate_readers(plan, seen, options.readers, seed=0, answers=stops),
        "with exclusions": exclude_some(plan, planned),
    }
    found = {name: measure(plan, labels, table, options.repeats) for name, table in tables.items()}
    print_table(
        ("seconds", "readings", "estimate", "its CPU time", "first time", "check of orders"),
        [
            (name, f"{len(tables[name]):,}",
             *(f"{one[column]:.3f}" for column in ("estimate", "cpu", "first", "check")))
            for name, one in found.items()
        ],
    )  # fmt: skip
    print(
        f"\n{options.readers} readers, {options.answers:,} answers each and repeats; median of "
        f"{options.repeats}"
    )
    print(machine)
    write_json(options.json, machine, {"benchmark": "reader_estimate", "seconds": found})


if __name__ == "__main__":
    main()
