"""Drawing the plan of a reader study: hard items, practice, and how wide an interval to expect."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from misread.analysis.reading.exact import DoubleArray, exact_limits
from misread.analysis.reading.order import reading_order
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.types import IntArray

MOST_HARD = 150
ANSWERS = 1_000
PRACTICE = 10
# That an answer takes, for an honest guess of the time.
SECONDS_EACH = 1.5
REPEATED = 0.05

# Of the practice draw; readers' numbers are below.
_PRACTICE_STREAM = 1 << 31


def choose_hard(
    wrong: npt.NDArray[np.bool_], difficulty: npt.ArrayLike, most: int = MOST_HARD
) -> IntArray:
    """The items that all readers read: those that any model gets wrong.

    Args:
        wrong: (N,) bool, whether any chosen model misreads the item.
        difficulty: (N,) floats, higher is harder; decides where there are too many.
        most: Most hard items.

    Returns:
        (C,) int64, their positions, rising. Ties keep the split's order.
    """
    found = np.flatnonzero(wrong)
    ranked = found[np.argsort(-np.asarray(difficulty, np.float64)[found], kind="stable")]
    return np.sort(ranked[: max(most, 0)])


def most_hard(answers: int, images: int) -> int:
    """How many hard items fit among so many answers: a fourth, and at most `MOST_HARD`.

    Then at most every second answer of the first half is a hard one.
    """
    return MOST_HARD if answers >= images else min(MOST_HARD, answers // 4)


def draw_plan(
    target: ReadingTarget,
    answers: int,
    *,
    hard: npt.ArrayLike = (),
    models: tuple[str, ...] = (),
    practice_split: str = "",
    practice_images: int = 0,
    seed: int,
    created: str,
    width: float | None = None,
    alpha: float = 0.05,
    expected_rate: float = 0.003,
    repeated: float = REPEATED,
    brief: bool = False,
) -> ReadingPlan:
    """Freeze a plan: the same arguments give the same plan, order and hash.

    Args:
        target: The images that the statement will be about.
        answers: n, planned number of each reader's answers.
        hard: (C,) positions of the items that all readers read, rising: `choose_hard`.
        models: Names of the predictions that they were chosen by.
        practice_split: Split of the practice images, "" for no practice.
        practice_images: Number of images of that split; at most `PRACTICE` are drawn.
        seed: Of every draw.
        created: ISO 8601 time.
        width: Stop once the interval is this narrow, None to stop at n answers.
        alpha: Largest probability that an interval misses.
        expected_rate: Error rate that the anytime interval bets on.
        repeated: Share of the answers that are asked for again, in [0, 1].
        brief: Whether images are shown briefly.

    Raises:
        ParameterError: `repeated` is out of range.
        ReadingsError: The rest doesn't make a plan.
    """
    if not 0 <= repeated <= 1:
        raise ParameterError(f"repeated must be in [0, 1], as 0.05. Got {repeated} instead.")
    practice = _draw_practice(practice_images, seed) if practice_split else ()
    plan = ReadingPlan(
        target=target,
        models=models,
        hard=tuple(int(item) for item in np.asarray(hard, np.int64)),
        answers=answers,
        repeats=round(repeated * answers),
        practice_split=practice_split if practice else "",
        practice=practice,
        seed=seed,
        first_order="",
        created=created,
        width=width,
        alpha=alpha,
        expected_rate=expected_rate,
        brief=brief,
    )
    return replace(plan, first_order=reading_order(plan, 0).digest)


def as_random_sample(target: ReadingTarget, alpha: float = 0.05) -> ReadingPlan:
    """What stands for a plan where readings were made elsewhere, without one.

    Everything is the rest, of which each reader is said to have read a simple random sample in
    random order. Nobody declared a number beforehand: only anytime limits hold.
    """
    return draw_plan(target, target.images, seed=0, created="", alpha=alpha, repeated=0)


def _draw_practice(images: int, seed: int) -> tuple[int, ...]:
    raw = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(_PRACTICE_STREAM,)))
    return tuple(np.argsort(raw.random_raw(images), kind="stable")[:PRACTICE].tolist())


def expected_width(errors: int, read: int, items: int, alpha: float = 0.05) -> tuple[float, float]:
    """Mean width and coverage of the exact interval, enumerated over what can be seen.

    Args:
        errors: K, errors among the N items.
        read: m, items read, fixed beforehand.
        items: N.
        alpha: Largest probability that the interval misses K.

    Returns:
        Mean of K_U - K_L, in errors, and the probability that K_L <= K <= K_U; what has a
        probability below 1e-12 is left out.

    Example:
        >>> width, coverage = expected_width(errors=14, read=938, items=9_938)
        >>> f"{100 * width / 10_000:.3f} points, {coverage:.3f}"
        '0.583 points, 0.993'
    """
    seen = hypergeom(items, errors, read)
    wrong = np.arange(int(seen.ppf(1e-12)), int(seen.isf(1e-12)) + 1)
    chance: DoubleArray = seen.pmf(wrong)
    low, high = np.array([exact_limits(int(x), read, items, alpha) for x in wrong]).T
    holds = (low <= errors) & (errors <= high)
    return float(chance @ (high - low)), float(chance @ holds)
