"""Small plans and the readings of whoever follows them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.design import draw_plan
from misread.analysis.reading.order import reading_order
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.tables.readings import Purpose, Reader, Readings
from misread.types import Array

CLASSES = ("ant", "bee", "cow")


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., ReadingPlan]:
    """A plan of 200 images, 10 of them hard, and 60 answers, unless told otherwise."""

    def make(images: int = 200, answers: int = 60, **options: Any) -> ReadingPlan:
        target = ReadingTarget("bugs", "test", images, CLASSES, "sha256:items", "sha256:labels")
        defaults: dict[str, Any] = {"hard": range(0, images, 20), "seed": 3, "created": "2026"}
        return draw_plan(target, answers, **(defaults | options))

    return make


@pytest.fixture(scope="session")
def follow() -> Callable[..., Readings]:
    """Readings of one reader who follows a plan's order.

    `answer` has his answer to each image; `stop` the number of positions that he reads, by default
    the planned ones; other columns of `Readings` may be given.
    """

    def make(
        plan: ReadingPlan,
        answer: Array,
        stop: int | None = None,
        number: int = 0,
        name: str = "ann",
        **columns: Any,
    ) -> Readings:
        order = reading_order(plan, number)
        shown = slice(0, order.planned if stop is None else stop)
        index, first = order.item[shown], order.repeat_of[shown]
        made = {
            "reader": np.zeros(len(index), int),
            "index": index,
            "answer": np.asarray(answer)[index],
            "position": np.arange(len(index)),
            "hard": order.hard[shown],
            "purpose": np.where(first < 0, Purpose.MAIN, Purpose.REPEAT).astype(int),
            "repeat_of": first,
        }
        return Readings(
            "test", plan.target.classes, plan.hash, (Reader(name, number),), **(made | columns)
        )

    return make
