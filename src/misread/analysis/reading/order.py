"""The order in which a reader sees the items, from the plan's seed and the reader's number."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.errors import ReadingsError
from misread.tables.reading_plan import ReadingPlan
from misread.types import IndexArray, IntArray

# A repeat comes at least this many answers after the first time, where there are so many.
REPEAT_GAP = 30


@dataclass(frozen=True, eq=False)
class ReadingOrder:
    """What one reader sees, position by position.

    The first `planned` positions are the plan: n items, hard ones scattered among the first half of
    them, and repeats between them. The rest of the items follow, for whoever reads on. An item that
    is asked again, since its answer was excluded, gets a position past the end.

    Attributes:
        item: (T,) int32, position of the item in the split.
        hard: (T,) bool, whether it is a hard one.
        repeat_of: (T,) int32, the earlier position that a repeat repeats, -1 where there is none.
        planned: Number of positions that are planned.
    """

    item: IndexArray
    hard: npt.NDArray[np.bool_]
    repeat_of: IndexArray
    planned: int

    def __len__(self) -> int:
        return len(self.item)

    @property
    def digest(self) -> str:
        """SHA-256 over items and repeats, "sha256:..."."""
        content = np.stack([self.item, self.repeat_of]).astype("<i4").tobytes()
        return f"sha256:{hashlib.sha256(content).hexdigest()}"


def reading_order(plan: ReadingPlan, reader: int) -> ReadingOrder:
    """The order of one reader; those of different readers are independent.

    The same numbers on every platform and with every version of NumPy: only raw 64-bit numbers of
    the Philox generator are used, whose stream NumPy promises to keep.

    Args:
        plan: The plan.
        reader: Number of the reader, from 0.

    Raises:
        ReadingsError: The reader's number is negative.
    """
    if reader < 0:
        raise ReadingsError(f"reader: expected a number of 0 or more. Got {reader} instead.")
    return draw_order(
        plan.target.images, plan.hard, plan.answers, plan.repeats, seed=plan.seed, reader=reader
    )


def check_order(plan: ReadingPlan) -> None:
    """Refuse to go on with a plan whose orders this program would draw otherwise.

    Raises:
        ReadingsError: The first reader's order isn't the frozen one.
    """
    if reading_order(plan, 0).digest != plan.first_order:
        raise ReadingsError(
            "plan: expected the order of readings that was frozen with it, drew another one; read "
            "on with the version of misread that made the plan"
        )


def draw_order(
    images: int, hard: tuple[int, ...], answers: int, repeats: int, *, seed: int, reader: int
) -> ReadingOrder:
    """An order from its numbers: see `ReadingPlan` for their meaning."""
    raw = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(reader,)))
    main = _main_order(raw, images, np.array(hard, np.int64), answers)
    is_hard = np.zeros(images, np.bool_)
    is_hard[list(hard)] = True
    chosen = _draw_repeats(raw, is_hard[main[:answers]], repeats)
    gap = min(REPEAT_GAP, answers // 4)
    after = np.minimum(chosen + gap, answers - 1) + _below(raw, answers - gap - chosen)
    # A slot of the main order comes first at its place, then the repeats that follow it.
    at = np.concatenate([np.arange(images), after])
    order = np.argsort(at, kind="stable")
    item = np.concatenate([main, main[chosen]])[order]
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    repeat_of = np.full(len(order), -1)
    repeat_of[position[images:]] = position[chosen]
    return ReadingOrder(
        item.astype(np.int32), is_hard[item], repeat_of.astype(np.int32), answers + repeats
    )


def _main_order(raw: np.random.Philox, images: int, hard: IntArray, answers: int) -> IntArray:
    """(N,) every item once: `hard` among the first half of the answers, one in each equal part."""
    rest = np.setdiff1d(np.arange(images), hard, assume_unique=True)
    hard, rest = _shuffled(raw, hard), _shuffled(raw, rest)
    half = max(answers // 2, len(hard))
    edges = np.arange(len(hard) + 1) * half // max(len(hard), 1)
    slots = edges[:-1] + _below(raw, np.diff(edges))
    main = np.empty(images, np.int64)
    free = np.ones(images, np.bool_)
    free[slots] = False
    main[slots], main[free] = hard, rest
    return main


def _draw_repeats(raw: np.random.Philox, hard: npt.NDArray[np.bool_], repeats: int) -> IntArray:
    """(repeats,) slots among the planned answers to show again.

    Half of them hard ones where there are so many: misreadings are where the repeats can tell them
    from slips.
    """
    answers = len(hard)
    slots = _shuffled(raw, np.arange(answers))
    # Late ones only where there aren't enough early ones: a repeat needs answers in between.
    late = slots >= answers - min(REPEAT_GAP, answers // 4)
    slots = slots[np.argsort(late, kind="stable")]
    kind = hard[slots]
    wanted = min(repeats // 2, int(kind.sum()))
    place = np.where(kind, np.cumsum(kind) > wanted, np.cumsum(~kind) > repeats - wanted)
    return slots[np.argsort(place, kind="stable")][:repeats]


def _shuffled(raw: np.random.Philox, values: IntArray) -> IntArray:
    keys = np.asarray(raw.random_raw(len(values)), np.uint64)
    shuffled: IntArray = values[np.argsort(keys, kind="stable")]
    return shuffled


def _below(raw: np.random.Philox, bounds: IntArray) -> IntArray:
    """Uniform integers from 0 to each bound, exclusive; 0 where the bound is below 1.

    The remainder of 64 bits favours small numbers by less than one in 10^13.
    """
    drawn = np.asarray(raw.random_raw(len(bounds)), np.uint64)
    below: IntArray = (drawn % np.maximum(bounds, 1).astype(np.uint64)).astype(np.int64)
    return below
