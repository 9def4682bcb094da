"""Freezing the plan of a reader study."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from misread.analysis.reading.design import (
    ANSWERS,
    choose_hard,
    draw_plan,
    expected_width,
    most_hard,
)
from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.store import Study
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.workflows.reading.models import mistaken_by

_TRAIN = "train"
# Error rate outside of the hard items that the forecast of the interval's width supposes.
_SUPPOSED_RATE = 0.003


@dataclass(frozen=True)
class PlanResult:
    """A plan, and what to expect of it.

    Attributes:
        plan: The plan.
        path: Its file.
        made: Whether it was made now, rather than there already.
        width: Mean width of the interval of one reader, as a share of the images, if
            `supposed_rate` of those outside of the census are misread.
        supposed_rate: See there.
    """

    plan: ReadingPlan
    path: Path
    made: bool
    width: float
    supposed_rate: float


def plan_reading(
    study: Study,
    split: str | None = None,
    answers: int | None = None,
    *,
    models: Sequence[str] = (),
    width: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    brief: bool = False,
) -> PlanResult:
    """Freeze what is read: the hard items, the order of the rest, repeats, practice, and the end.

    A plan is made once for a split, before the first answer. The hard items are those that any of
    the models gets wrong; all are read. Of the rest each reader reads a random sample of his own.

    Args:
        study: Where the models' predictions are, and where the plan goes.
        split: Which split; None for `test`, else the only one.
        answers: Planned number of each reader's answers; None for 1,000, or all images if there are
            fewer.
        models: Whose mistakes the hard items are; none means all single models that never saw the
            split.
        width: Stop once the interval is this narrow, as a share of the images; None to stop at
            the planned number of answers.
        alpha: Largest probability that an interval misses.
        seed: Of all orders.
        brief: Whether images are shown for 200 ms and then masked.

    Returns:
        The plan; the one that is there where nothing was asked for.

    Raises:
        ParameterError: An argument is out of range.
        ReadingsError: Another plan is frozen already.
    """
    chosen = choose_split(study, split)
    log = study.readings
    before = log.plan(chosen)
    asked = (answers, width) != (None, None) or models or brief or seed or alpha != 0.05
    if before is not None and not asked:
        return _result(before, log.plan_file(chosen), made=False)
    images = study.splits[chosen].images
    count = min(ANSWERS, images) if answers is None else answers
    if not 1 <= count <= images:
        raise ParameterError(
            f"answers must be in 1..{images:,}, the images of the {chosen} split. "
            f"Got {count:,} instead."
        )
    mistaken = mistaken_by(study, chosen, models)
    hard = np.empty(0, np.int64)
    if mistaken:
        wrong = np.any([each.wrong for each in mistaken], axis=0)
        # Misread by more models, then less surely read by those that are right.
        difficulty = np.mean([each.wrong + each.doubt for each in mistaken], axis=0)
        hard = choose_hard(wrong, difficulty, most_hard(count, images))
    practice = _TRAIN if _TRAIN in study.splits and chosen != _TRAIN else ""
    record = study.splits[chosen]
    plan = draw_plan(
        ReadingTarget(
            study.dataset_name, chosen, images, study.classes,
            record.items_fingerprint, record.labels_fingerprint,
        ),
        count,
        hard=hard,
        models=tuple(each.name for each in mistaken),
        practice_split=practice,
        practice_images=study.splits[practice].images if practice else 0,
        seed=seed,
        created=datetime.now(UTC).isoformat(timespec="seconds") if before is None
        else before.created,
        width=width,
        alpha=alpha,
        brief=brief,
    )  # fmt: skip
    return _result(plan, log.freeze(plan), made=before is None)


def choose_split(study: Study, split: str | None) -> str:
    """The split that is meant.

    Raises:
        ParameterError: There is no such split, or it doesn't say which.
    """
    names = list(study.splits)
    wanted = ("test" if "test" in names or len(names) > 1 else names[0]) if split is None else split
    if wanted not in names:
        raise ParameterError(f"split: expected one of {', '.join(names)}. Got {wanted!r} instead.")
    return wanted


def require_dataset(study: Study, plan: ReadingPlan) -> Dataset:
    """The study's dataset, which must hold the images of the plan.

    Raises:
        ParameterError: The plan is about other images or labels.
    """
    record = study.splits.get(plan.target.split)
    same = record is not None and (record.images, record.items_fingerprint) == (
        plan.target.images,
        plan.target.items_fingerprint,
    )
    if not same:
        raise ParameterError(
            f"{study.readings.plan_file(plan.target.split)}: is about other images than the "
            f"{plan.target.split} split of {study.path}"
        )
    return study.load_dataset()


def _result(plan: ReadingPlan, path: Path, *, made: bool) -> PlanResult:
    errors = round(_SUPPOSED_RATE * plan.rest)
    width = 0.0
    if plan.rest:
        width = expected_width(errors, plan.sample, plan.rest, plan.alpha)[0] / plan.target.images
    return PlanResult(plan, path, made, width, _SUPPOSED_RATE)
