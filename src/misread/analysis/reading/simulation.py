"""Simulated readers, for planning and for tests: marked as simulated wherever they go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.order import ReadingOrder, reading_order
from misread.analysis.reading.stopping import stop_at_width
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Purpose, Reader, Readings, Seen, join
from misread.types import Array, LabelArray

DoubleArray = npt.NDArray[np.float64]

# Median and spread (of the logarithm) of a digit's response times; errors take longer.
_MEDIAN_MS, _SPREAD, _SLOWER = 650.0, 0.3, 1.4


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What simulated readers see in each item.

    A reader sees one class in an item and sees it again when it is repeated; another reader may see
    another one. A slip is a wrong key, and independent each time.

    Attributes:
        labels: (N,) integers, the given labels.
        wrong: (N,) float64 in [0, 1], probability that a reader sees another class than the label.
        others: (N, K) float64, weights of the classes that he then sees, the label's own ignored;
            None for all others alike.
        slips: Probability of a slip, in [0, 1).
    """

    labels: LabelArray
    wrong: DoubleArray
    others: DoubleArray | None = None
    slips: float = 0.0

    def __post_init__(self) -> None:
        if (
            self.wrong.shape != self.labels.shape
            or not ((self.wrong >= 0) & (self.wrong <= 1)).all()
        ):
            raise ParameterError(
                f"wrong must be ({len(self.labels)},) in [0, 1], a probability for each item."
            )
        if not 0 <= self.slips < 1:
            raise ParameterError(f"slips must be in [0, 1), as 0.003. Got {self.slips} instead.")


def two_rates(
    plan: ReadingPlan, labels: LabelArray, error_easy: float, error_hard: float, slips: float = 0.0
) -> Behaviour:
    """Readers who misread hard items at one rate and all others at another.

    Raises:
        ParameterError: A rate is out of range.
    """
    for name, rate in (("error_easy", error_easy), ("error_hard", error_hard)):
        if not 0 <= rate <= 1:
            raise ParameterError(f"{name} must be in [0, 1], as 0.002. Got {rate} instead.")
    wrong = np.full(plan.target.images, float(error_easy))
    wrong[list(plan.hard)] = error_hard
    return Behaviour(np.asarray(labels), wrong, slips=slips)


def from_counts(labels: LabelArray, counts: Array, slips: float = 0.0) -> Behaviour:
    """Readers who see each class as often as people did who are counted in a table.

    Args:
        labels: (N,) integers, the given labels.
        counts: (N, K) integers, how many people called each item each class. Where nobody did, the
            simulated reader sees the label.
        slips: Probability of a slip on top.
    """
    counts = np.asarray(counts, np.float64)
    total = counts.sum(axis=1)
    right = counts[np.arange(len(labels)), labels]
    wrong = np.where(total > 0, 1 - right / np.maximum(total, 1), 0)
    return Behaviour(np.asarray(labels), wrong, counts, slips)


def simulate_readers(
    plan: ReadingPlan,
    behaviour: Behaviour,
    readers: int = 1,
    *,
    seed: int,
    answers: Sequence[int] | int | None = None,
    first: int = 0,
) -> Readings:
    """Readings of simulated readers, who follow the plan's orders.

    Args:
        plan: The plan.
        behaviour: What they see.
        readers: J, 1 or more.
        seed: Of what they see and how fast they are. The orders are the plan's.
        answers: Where each of them stops: how many items he reads, repeats not among them. None
            stops all where it was planned: at the plan's width, if it has one and it is reached
            before, looked at after every answer.
        first: Number of the first reader: which of the plan's orders he reads in.

    Returns:
        The readings, in each reader's order.

    Raises:
        ParameterError: Numbers that are out of range.
    """
    stops = [plan.answers if answers is None else answers] if not isinstance(
        answers, Sequence
    ) else list(answers)  # fmt: skip
    stops = stops * readers if len(stops) == 1 else stops
    if readers < 1 or len(stops) != readers or not all(
        1 <= stop <= plan.target.images for stop in stops
    ):  # fmt: skip
        raise ParameterError(
            f"answers must be 1 to {plan.target.images} for each of {readers} readers. "
            f"Got {answers} instead."
        )
    made = [
        _simulate_one(plan, behaviour, number, stop, seed)
        for number, stop in enumerate(stops, start=first)
    ]
    if answers is None and plan.width is not None:
        made = [_stop_at_width(plan, behaviour.labels, one) for one in made]
    return join(made)


def _stop_at_width(plan: ReadingPlan, labels: LabelArray, readings: Readings) -> Readings:
    main = np.flatnonzero(readings.purpose == Purpose.MAIN)
    wrong = readings.answer[main] != labels[readings.index[main]]
    stop = stop_at_width(plan, readings.hard[main], wrong)
    return readings if stop is None else readings.pick(np.arange(main[stop - 1] + 1))


def _simulate_one(
    plan: ReadingPlan, behaviour: Behaviour, number: int, stop: int, seed: int
) -> Readings:
    generator = np.random.default_rng([seed, number])
    order = reading_order(plan, number)
    shown = _shown(order, stop)
    item, first = order.item[shown], order.repeat_of[shown]
    label = behaviour.labels[item]
    sees = label.copy()
    mistaken = generator.random(len(item)) < behaviour.wrong[item]
    sees[mistaken] = _other_class(generator, plan, behaviour, item[mistaken])
    repeat = np.flatnonzero(first >= 0)
    # A position that was shown is its own place: what is shown is a beginning of the order.
    sees[repeat] = sees[first[repeat]]
    slipped = generator.random(len(item)) < behaviour.slips
    sees[slipped] = _shift(generator, sees[slipped], len(plan.target.classes))
    slow = np.where(sees != label, _SLOWER, 1.0)
    times = _MEDIAN_MS * slow * np.exp(_SPREAD * generator.standard_normal(len(item)))
    return Readings(
        split=plan.target.split,
        classes=plan.target.classes,
        design=plan.hash,
        readers=(Reader(f"simulated-{number + 1}", number, Seen.NOTHING, simulated=True),),
        reader=np.zeros(len(item), np.int32),
        index=item,
        answer=sees,
        position=np.arange(len(item), dtype=np.int32),
        hard=order.hard[shown],
        purpose=np.where(first >= 0, Purpose.REPEAT, Purpose.MAIN).astype(np.uint8),
        repeat_of=first,
        rt_ms=np.maximum(times, plan.shortest_ms).astype(np.float64).round(1),
    )


def _shown(order: ReadingOrder, stop: int) -> slice:
    """The positions up to the one where so many items were read; the plan's end if it is that."""
    main = np.cumsum(order.repeat_of < 0)
    last = int(np.searchsorted(main, stop))
    planned = int(main[order.planned - 1])
    return slice(0, order.planned if stop == planned else last + 1)


def _other_class(
    generator: np.random.Generator, plan: ReadingPlan, behaviour: Behaviour, item: Array
) -> Array:
    """Another class than the label for each of these items."""
    label, classes = behaviour.labels[item], len(plan.target.classes)
    if behaviour.others is None:
        return _shift(generator, label, classes)
    weights = behaviour.others[item].copy()
    weights[np.arange(len(item)), label] = 0
    sums = np.cumsum(weights, axis=1)
    drawn = generator.random(len(item)) * sums[:, -1]
    other: Array = (sums <= drawn[:, None]).sum(axis=1)
    return other


def _shift(generator: np.random.Generator, label: Array, classes: int) -> Array:
    """A class other than the label, all alike; the label itself where there is no other."""
    other: Array = (label + generator.integers(1, max(classes, 2), len(label))) % classes
    return other
