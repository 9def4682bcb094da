"""Freeze the plan of a reader study, and take it up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced

import numpy as np

from misread.analysis.outcomes import read_outcomes
from misread.analysis.panel import score_panel
from misread.analysis.reading.design import (
    ANSWERS,
    SECONDS_EACH,
    choose_hard,
    draw_plan,
    expected_width,
    most_hard,
)
from misread.analysis.reading.order import check_order
from misread.analysis.reading.stopping import expect_stop
from misread.clock import timestamp
from misread.errors import ParameterError, ReadingsError, StudyError
from misread.store import Study
from misread.tables import Origin, Provenance
from misread.tables.parquet import PredictionsFile
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.types import BoolArray, IntArray

# Share of the images outside the census that a forecast supposes to be misread.
_SUPPOSED = 0.002


@dataclass(frozen=True)
class PlanForecast:
    """What is to be expected of a plan before anybody has read by it.

    Attributes:
        candidates: How many images the plan's models misread: the hard ones are the most difficult
            of them. None where predictions have gone since.
        minutes: Of one reader, 1 or more.
        supposed_rate: Share of the images outside the census that is supposed to be misread.
        width: Mean width of one reader's interval after all answers, as a share of the images.
        stop: Answers after which the plan's width is reached; None without a width, or where all
            answers aren't enough.
    """

    candidates: int | None
    minutes: int
    supposed_rate: float
    width: float
    stop: int | None


def make_plan(
    study: Study,
    answers: int | None = None,
    *,
    split: str = "test",
    models: Sequence[str] = (),
    practice_split: str = "train",
    seed: int = 0,
    width: float | None = None,
    alpha: float = 0.05,
    brief: bool = False,
    replace: bool = False,
) -> ReadingPlan:
    """Freeze the plan of a study's reader study; the same one again changes nothing.

    The hard items are those that any of the models misreads; if they are too many, the most
    difficult ones by the entropy of the models together.

    Args:
        study: Whose.
        answers: Planned number of each reader's answers; None for 1,000, or all images if there are
            fewer.
        split: The split that the statement will be about.
        models: Models or runs whose mistakes are the hard items; none for all whose predictions of
            the split are held-out or cross-fitted.
        practice_split: Where practice images come from, if the study has it.
        seed: Of every draw.
        width: Stop a reader once his interval is this narrow, as a share of the images; at the
            latest at `answers`.
        alpha: Largest probability that an interval misses.
        brief: Whether images are shown briefly.
        replace: Take the place of another plan, if nobody has answered by it yet.

    Returns:
        The plan, as saved; the one of before, if it is the same but for the time.

    Raises:
        ParameterError: There is no such split or model.
        ReadingsError: The numbers don't make a plan.
        StudyError: Another plan is frozen already, and people have answered by it or `replace`
            isn't set.
    """
    if split not in study.splits:
        raise ParameterError(
            f"split: expected one of {', '.join(study.splits)}. Got {split!r} instead."
        )
    record = study.splits[split]
    answers = min(ANSWERS, record.images) if answers is None else answers
    chosen = out_of_sample(study, split, models)
    practice = study.splits.get(practice_split) if practice_split != split else None
    plan = draw_plan(
        ReadingTarget(
            study.dataset_name,
            split,
            record.images,
            study.classes,
            record.items_fingerprint,
            record.labels_fingerprint,
        ),
        answers,
        hard=_hard(study, chosen, most_hard(answers, record.images)),
        models=tuple(one.name for one in chosen),
        practice_split=practice_split if practice else "",
        practice_images=practice.images if practice else 0,
        seed=seed,
        created=timestamp(),
        width=width,
        alpha=alpha,
        brief=brief,
    )
    return _freeze(study, plan, replace)


def _freeze(study: Study, plan: ReadingPlan, replace: bool) -> ReadingPlan:
    before = study.load_plan()
    if before is not None:
        if before == replaced(plan, created=before.created):
            return before
        if answered(study, before):
            raise StudyError(
                f"{study.plan_file}: holds another plan, frozen on {before.created}, and people "
                "have answered by it; make the new one in another study: --study"
            )
        if not replace:
            raise StudyError(
                f"{study.plan_file}: holds another plan, frozen on {before.created}; nobody has "
                "answered by it yet: --replace puts the new one in its place"
            )
    study.save_plan(plan, replace=replace)
    return plan


def answered(study: Study, plan: ReadingPlan) -> bool:
    """Whether a person has answered by a plan, here or in a table that was brought in."""
    log = study.reading_log
    if any(log.answers(reader) for reader in log.readers(plan)):
        return True
    tables = (study.load_readings(name) for name in study.list_readings())
    return any(table.design == plan.hash and not table.simulated for table in tables)


def forecast_plan(study: Study, plan: ReadingPlan) -> PlanForecast:
    """What to expect of a study's plan."""
    errors = round(_SUPPOSED * plan.rest)
    width, _ = expected_width(errors, plan.sample, plan.rest, plan.alpha) if plan.rest else (0, 1)
    return PlanForecast(
        candidates=_count_candidates(study, plan),
        minutes=max(1, round((plan.answers + plan.repeats) * SECONDS_EACH / 60)),
        supposed_rate=_SUPPOSED,
        width=width / plan.target.images,
        stop=None if plan.width is None else expect_stop(plan, _SUPPOSED),
    )


def _count_candidates(study: Study, plan: ReadingPlan) -> int | None:
    listed = {one.name: one for one in study.list_predictions(plan.target.split)}
    if not all(name in listed for name in plan.models):
        return None
    files = [study.open_predictions(listed[name]) for name in plan.models]
    return int(_misread_by_any(files).sum()) if files else 0


def _hard(study: Study, chosen: Sequence[Provenance], most: int) -> IntArray:
    if not chosen:
        return np.empty(0, np.int64)
    files = [study.open_predictions(one) for one in chosen]
    panel = score_panel(files)
    place = choose_hard(_misread_by_any(files), panel.entropy, most)
    return panel.index[place].astype(np.int64)


def _misread_by_any(files: Sequence[PredictionsFile]) -> BoolArray:
    wrong: BoolArray = np.any([read_outcomes(file).wrong for file in files], axis=0)
    return wrong


def out_of_sample(study: Study, split: str, models: Sequence[str]) -> list[Provenance]:
    """Held-out or cross-fitted predictions of a split: of these models, or of all."""
    if not models:
        found = [one for one in study.list_predictions(split) if one.origin != Origin.IN_SAMPLE]
        return [one for one in found if not one.is_mean] or found
    return [study.newest_out_of_sample(split, model).provenance for model in models]


def load_plan(study: Study) -> ReadingPlan:
    """The frozen plan of a study.

    Raises:
        ReadingsError: There is none, it is damaged, or this program would draw other orders.
    """
    plan = study.load_plan()
    if plan is None:
        raise ReadingsError(
            f"{study.plan_file}: expected a plan, found none; `misread plan` makes one"
        )
    check_order(plan)
    return plan
