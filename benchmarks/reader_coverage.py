"""How often the reader study's intervals hold, and how wide they are, beside simpler ones.

    python benchmarks/reader_coverage.py [--studies 4000] [--json FILE]

10,000 images, of which a model misreads 62; readers read all of these and a random sample of the
other 9,938. The scenarios say how many of each a reader gets wrong:

    A       21 of the 62, then 9 of the 438 next in difficulty, 3 of 1,500 and 2 of 8,000
    B       the same, and a slip in 0.3% of what isn't among the 62
    zero    none
    one     21 of the 62, and one in a hundred of the others

"One reader" stops at n answers, planned. "Stopping": one reader stops by what he answered. "Five
readers" err differently; one of them is careless. "People in general" are drawn anew for each study
from a population, all alike or one in ten of them careless, five times as often wrong; what is to
be held is the population's mean. Every interval is for 95%. Coverage is of the true error rate over
the 10,000 images, width the mean in percentage points.

The widths against simple random sampling of all 10,000 images are enumerated, not simulated.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import hypergeom

from machine import Machine, new_parser, print_table, write_json
from misread.analysis.intervals import Estimate, clopper_pearson
from misread.analysis.reading.anytime import anytime_limits, log_evidence
from misread.analysis.reading.design import expected_width
from misread.analysis.reading.estimate import Census, estimate_people
from misread.analysis.reading.exact import exact_limits
from misread.analysis.reading.limits import Basis, Sample, narrowing, one_reader, several_readers

Bools = npt.NDArray[np.bool_]
Interval = tuple[float, float]

IMAGES, HARD = 10_000, 62
REST = IMAGES - HARD
ALPHA = 0.05
# Errors of five readers outside the hard items.
UNLIKE = np.array([8, 10, 14, 20, 60])


@dataclass(frozen=True)
class Scenario:
    """Errors of one reader among the hard items and elsewhere, and slips on top of these."""

    hard: int
    rest: int
    slips: float = 0.0

    def draw(self, generator: np.random.Generator) -> int:
        """Errors outside the hard items in one study."""
        return self.rest + int(generator.binomial(REST - self.rest, self.slips))


SCENARIOS = {
    "A": Scenario(21, 9 + 3 + 2),
    "B": Scenario(21, 9 + 3 + 2, 0.003),
    "zero": Scenario(0, 0),
    "one": Scenario(21, REST // 100),
}


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--studies", type=int, default=4_000, help="per row (default 4000)")
    return parser.parse_args()


def draw_sample(generator: np.random.Generator, errors: int, read: int, items: int) -> Bools:
    """(read,) the first answers to a random order of `items`, of which `errors` are wrong."""
    wrong = np.zeros(items, np.bool_)
    wrong[generator.choice(items, errors, replace=False)] = True
    return wrong[:read]


def sample_of(wrong: Bools) -> Sample:
    return Sample(wrong, np.ones(len(wrong), np.bool_))


def planned(wrong: Bools, items: int = REST) -> Interval:
    found = one_reader(sample_of(wrong), items, Basis.PLANNED, ALPHA)
    return found.low, found.high


def always(wrong: Bools) -> Interval:
    found = one_reader(sample_of(wrong), REST, Basis.ANYTIME, ALPHA)
    return found.low, found.high


def last_set(wrong: Bools) -> Interval:
    """The anytime set of the last answer alone, not what all of them have in common."""
    low, high = anytime_limits(int(wrong.sum()), len(wrong), REST, ALPHA)
    return float(low), float(high)


def normal(wrong: Bools) -> Interval:
    """The usual normal interval with the finite-population correction."""
    read, rate = len(wrong), float(wrong.mean())
    variance = rate * (1 - rate) / (read - 1) * (1 - read / REST)
    half = float(ndtri(1 - ALPHA / 2)) * np.sqrt(variance)
    return REST * (rate - half), REST * (rate + half)


@dataclass
class Row:
    """Coverage and mean width of one method in one situation."""

    held: int = 0
    studies: int = 0
    width: float = 0.0

    def add(self, low: float, high: float, truth: float) -> None:
        """Count one study; limits and truth in images."""
        self.held += int(low - 1e-9 <= truth <= high + 1e-9)
        self.studies += 1
        self.width += 100 * float(high - low) / IMAGES

    @property
    def coverage(self) -> float:
        """Share of the studies whose interval holds the truth."""
        return self.held / self.studies

    @property
    def mean_width(self) -> float:
        """In percentage points."""
        return self.width / self.studies


Rows = dict[str, Row]


def one_at_the_plan(scenario: Scenario, answers: int, studies: int) -> Rows:
    """One reader who stops where it was planned, with and without a census."""
    generator = np.random.default_rng(0)
    rows: Rows = {
        name: Row() for name in ("census, exact", "census, anytime", "census, anytime, last set",
                                 "census, normal", "simple random, exact")
    }  # fmt: skip
    for _ in range(studies):
        errors = scenario.draw(generator)
        wrong = draw_sample(generator, errors, answers - HARD, REST)
        for name, method in (
            ("census, exact", planned), ("census, anytime", always),
            ("census, anytime, last set", last_set), ("census, normal", normal),
        ):  # fmt: skip
            rows[name].add(*method(wrong), errors)
        total = errors + scenario.hard
        everything = draw_sample(generator, total, answers, IMAGES)
        rows["simple random, exact"].add(*planned(everything, IMAGES), total)
    return rows


def stopping(scenario: Scenario, most: int, studies: int) -> Rows:
    """One reader who stops by what he answered, after `most` answers to the sample at last."""
    generator = np.random.default_rng(1)
    rows: Rows = {}
    for _ in range(studies):
        errors = scenario.draw(generator)
        wrong = draw_sample(generator, errors, most, REST)
        sequence = narrowing(sample_of(wrong), REST, ALPHA)
        low, high = sequence.low, sequence.high
        stops = {
            "at a width of 0.6 points": _first(high - low <= 0.006 * IMAGES, most),
            "after the second error": _first(np.cumsum(np.append(0, wrong)) == 2, most),
            "when the truth is excluded": _first((errors < low) | (errors > high), most),
        }
        for name, stop in stops.items():
            row = rows.setdefault(f"anytime, stopped {name}", Row())
            row.add(low[stop], high[stop], errors)
        # What must not be done: to look at the interval of a planned number again and again.
        looks = [planned(wrong[:read]) for read in range(100, most + 1, 20)]
        missed = next((one for one in looks if not one[0] <= errors <= one[1]), looks[-1])
        rows.setdefault("exact, looked at every 20 answers", Row()).add(*missed, errors)
    return rows


def _first(holds: Bools, otherwise: int) -> int:
    return int(np.argmax(holds)) if holds.any() else otherwise


def five_readers(stop: Callable[[np.random.Generator], list[int]], studies: int) -> Rows:
    """Five unlike readers, all hard items read; what is to be held is the mean of these five."""
    generator = np.random.default_rng(2)
    truth = float(UNLIKE.mean())
    names = ("planned, pooled", "anytime, rounds", "anytime, mean of limits at alpha/5",
             "pooled whatever the stops")  # fmt: skip
    rows: Rows = {}
    for _ in range(studies):
        stops = stop(generator)
        samples = [
            sample_of(draw_sample(generator, int(errors), read, REST))
            for errors, read in zip(UNLIKE, stops, strict=True)
        ]
        made: dict[str, Estimate] = {
            "anytime, rounds": several_readers(samples, REST, Basis.ANYTIME, ALPHA)
        }
        if len(set(stops)) == 1:
            made["planned, pooled"] = several_readers(samples, REST, Basis.PLANNED, ALPHA)
        apart = [one_reader(one, REST, Basis.ANYTIME, ALPHA / 5) for one in samples]
        means = [float(np.mean([getattr(one, end) for one in apart])) for end in ("low", "high")]
        made["anytime, mean of limits at alpha/5"] = Estimate(np.nan, means[0], means[1])
        pooled = clopper_pearson(int(sum(one.wrong.sum() for one in samples)), sum(stops))
        made["pooled whatever the stops"] = Estimate(np.nan, REST * pooled.low, REST * pooled.high)
        for name in names:
            if name in made:
                rows.setdefault(name, Row()).add(made[name].low, made[name].high, truth)
    return rows


def all_at_the_plan(_: np.random.Generator) -> list[int]:
    return [938] * 5


def any_stops(generator: np.random.Generator) -> list[int]:
    return [int(stop) for stop in generator.integers(200, 2_000, 5)]


def careless_stop_early(_: np.random.Generator) -> list[int]:
    return [1_938, 1_938, 1_938, 1_938, 200]


def people_in_general(readers: int, studies: int) -> Rows:
    """Readers drawn from a population, one in ten of whom is careless."""
    generator = np.random.default_rng(3)
    rates = np.array([0.0014, 0.007])
    truth = IMAGES * (21 + REST * (0.9 * rates[0] + 0.1 * rates[1])) / IMAGES
    rows: Rows = {"alike": Row(), "one in ten careless": Row()}
    for _ in range(studies):
        for name, rate, mean in (
            ("alike", np.full(readers, rates[0]), 21 + REST * rates[0]),
            ("one in ten careless", rates[(generator.random(readers) < 0.1).astype(int)], truth),
        ):
            hard = generator.binomial(HARD, 21 / HARD, readers)
            errors = generator.binomial(REST, rate)
            seen = generator.hypergeometric(errors, REST - errors, 938)
            made = estimate_people(((hard + seen / 938 * REST) / IMAGES).tolist(), ALPHA)
            if made is not None:
                rows[name].add(IMAGES * made.low, IMAGES * made.high, mean)
    return rows


def unfinished_census(scenario: Scenario, studies: int) -> Rows:
    """One reader who stops before he has read all hard items."""
    generator = np.random.default_rng(4)
    row = Row()
    for _ in range(studies):
        errors = scenario.draw(generator)
        unread = int(generator.integers(1, HARD))
        seen = generator.hypergeometric(scenario.hard, HARD - scenario.hard, HARD - unread)
        wrong = draw_sample(generator, errors, int(generator.integers(50, 500)), REST)
        rest = one_reader(sample_of(wrong), REST, Basis.ANYTIME, ALPHA)
        made = Census(HARD, float(seen), float(unread)).plus(rest, images=1)
        row.add(made.low, made.high, errors + scenario.hard)
    return {"census unfinished, anytime": row}


def worst_of_both(errors: int, read: int) -> tuple[float, float]:
    """Largest chance to miss where the planned interval is shown at the plan, else the anytime one.

    Exact, by dynamic programming, for a reader who stops early just when the anytime set excludes
    the truth: he would have to know it. Second is the chance at the plan alone.
    """
    seen = np.arange(min(errors, read) + 1)
    limits = [exact_limits(int(x), read, REST, ALPHA) for x in seen]
    value = np.array([not low <= errors <= high for low, high in limits], float)
    at_the_plan = float(value @ hypergeom.pmf(seen, REST, errors, read))
    for done in range(read - 1, -1, -1):
        chance = (errors - seen) / (REST - done)
        value = (1 - chance) * value + chance * np.append(value[1:], 0)
        against = log_evidence(errors, np.minimum(seen, done), done, REST)
        value[(against >= -np.log(ALPHA)) & (seen <= done)] = 1
    return float(value[0]), at_the_plan


def show(title: str, rows: Rows) -> None:
    print_table(
        (title, "holds", "width"),
        [
            (name, f"{100 * row.coverage:.2f}", f"{row.mean_width:.3f}")
            for name, row in rows.items()
        ],
    )
    print(flush=True)


def show_widths() -> dict[str, dict[int, list[float]]]:
    """Mean widths of the exact interval, with a census and without, enumerated."""
    table: dict[str, dict[int, list[float]]] = {}
    lines = []
    for name, rest in (("A", 14), ("B, 30 slips", 44)):
        table[name] = {}
        for answers in (1_000, 2_000):
            census, held = expected_width(rest, answers - HARD, REST)
            simple, held_simple = expected_width(rest + 21, answers, IMAGES)
            row = [100 * census / IMAGES, 100 * simple / IMAGES, held, held_simple]
            table[name][answers] = row
            lines.append(
                (f"{name}, n = {answers:,}", f"{row[0]:.4f}", f"{row[1]:.4f}",
                 f"{census / simple:.4f}", f"{100 * held:.2f}", f"{100 * held_simple:.2f}")
            )  # fmt: skip
    print_table(("enumerated", "census", "simple random", "ratio", "holds", "holds, simple"), lines)
    print()
    return table


def main() -> None:
    options = parse()
    machine = Machine.here(("misread", "numpy", "scipy"))
    widths, studies = show_widths(), options.studies
    found: dict[str, Rows] = {}
    for name, scenario in SCENARIOS.items():
        for answers in (1_000, 2_000):
            found[f"{name}: one reader, n = {answers:,}"] = one_at_the_plan(
                scenario, answers, studies
            )
        found[f"{name}: one reader, stopping by his answers"] = stopping(scenario, 2_000, studies)
        found[f"{name}: one reader, census unfinished"] = unfinished_census(scenario, studies)
    for title, stop in (
        ("all at the plan", all_at_the_plan), ("unequal stops", any_stops),
        ("the careless one stops early", careless_stop_early),
    ):  # fmt: skip
        found[f"five readers, {title}"] = five_readers(stop, studies)
    for readers in (5, 10, 20):
        found[f"people in general, {readers} readers"] = people_in_general(readers, studies)
    for title, rows in found.items():
        show(title, rows)
    for errors in (14, 44, 99):
        both, plan = (100 * one for one in worst_of_both(errors, 938))
        print(
            f"{errors} errors: at the plan {plan:.2f} miss, with the worst early stops {both:.2f}"
        )
    error = 100 * np.sqrt(ALPHA * (1 - ALPHA) / studies)
    print(f"\nn = {studies:,} studies a row; Monte Carlo error of a coverage {error:.2f} at 95")
    print(machine)
    content = {
        title: {key: vars(row) for key, row in rows.items()} for title, rows in found.items()
    }
    write_json(
        options.json, machine, {"benchmark": "reader_coverage", "widths": widths, "rows": content}
    )


if __name__ == "__main__":
    main()
