"""What `misread plan` and `misread read` print."""

from typing import TYPE_CHECKING

from misread.cli.output.common import counted, print_json

if TYPE_CHECKING:
    from misread.store import Study
    from misread.tables.reading_plan import ReadingPlan
    from misread.workflows.read import ReadingLinks
    from misread.workflows.reading_plan import PlanForecast


def show_plan(
    study: "Study",
    plan: "ReadingPlan",
    forecast: "PlanForecast",
    as_json: bool,
    *,
    frozen: bool = False,
    begin: bool = True,
) -> None:
    """Print what is frozen, and what to expect of it.

    Args:
        study: Whose plan.
        plan: The plan.
        forecast: What to expect of it.
        as_json: One JSON object.
        frozen: Whether it was frozen before, and nothing changed.
        begin: Whether to say how reading begins.
    """
    if as_json:
        print_json(_plan_data(study, plan, forecast, frozen))
        return
    if frozen:
        print(f"frozen already, on {plan.created}: nothing changed")
    _print_images(plan, forecast)
    _print_end(plan, forecast)
    print(f"{study.plan_file}\n  {plan.hash}")
    if begin:
        print("begin to read: misread read --reader NAME")


def _plan_data(
    study: "Study", plan: "ReadingPlan", forecast: "PlanForecast", frozen: bool
) -> dict[str, object]:
    return {
        "plan": str(study.plan_file),
        "hash": plan.hash,
        "split": plan.target.split,
        "images": plan.target.images,
        "answers": plan.answers,
        "hard": len(plan.hard),
        "misread_by_models": forecast.candidates,
        "sample": plan.sample,
        "repeats": plan.repeats,
        "practice": len(plan.practice),
        "models": list(plan.models),
        "width": plan.width,
        "alpha": plan.alpha,
        "expected_width": {"supposed_rate": forecast.supposed_rate, "width": forecast.width},
        "expected_stop": forecast.stop,
        "frozen_before": frozen,
    }


def _print_images(plan: "ReadingPlan", forecast: "PlanForecast") -> None:
    """What is read."""
    target = plan.target
    print(f"{target.dataset}, {target.split} split: {target.images:,} images")
    if plan.models:
        told = _told_hard(plan, forecast.candidates)
        print(f"hard images, read by everyone: {told}misread by a model of")
        for model in plan.models:
            print(f"  {model}")
    else:
        print("no hard images: the study has no predictions of this split by models that never "
              "saw it")  # fmt: skip
    print(f"of the other {plan.rest:,}, a random sample by each reader: {plan.sample:,}")
    print(f"shown again, outside of the estimate: {plan.repeats:,}; practice: {len(plan.practice)}")


def _print_end(plan: "ReadingPlan", forecast: "PlanForecast") -> None:
    """When a reader's work ends, and what is known then."""
    most = "at most " if plan.width is not None else ""
    minutes = counted(forecast.minutes, "minute")
    print(f"each reader: {most}{counted(plan.answers, 'answer')}, about {minutes}")
    supposed = f"if {100 * forecast.supposed_rate:g}% of the sample is misread"
    if plan.width is None:
        print(
            f"the {plan.confidence} interval of one reader is expected to be "
            f"{100 * forecast.width:.2f} points wide, {supposed}"
        )
        return
    print(f"a reader stops earlier once his interval is {100 * plan.width:.2f} points wide:")
    print(
        f"  after about {forecast.stop:,} answers, {supposed}"
        if forecast.stop is not None
        else f"  not to be expected within {plan.answers:,} answers, {supposed}; --answers allows "
        "more"
    )


def _told_hard(plan: "ReadingPlan", candidates: int | None) -> str:
    """How many, and why not all that models misread."""
    count = len(plan.hard)
    if candidates is None or candidates <= count:
        return f"{count:,}, "
    cap = "a fourth of the answers" if count == plan.answers // 4 else "at most so many"
    return f"{count:,} of {candidates:,} ({cap}; the most difficult ones) "


def show_links(links: "ReadingLinks", as_json: bool) -> None:
    """Print each reader's link, and the owner's."""
    if as_json:
        print_json(
            {"study": str(links.study), "readers": links.readers, "owner": links.owner}, flush=True
        )
        return
    for name, link in links.readers.items():
        print(f"{name}: {link}")
    print(f"who has read how much: {links.owner}", flush=True)


def ask_to_forget(name: str, answers: int) -> str:
    """What is asked before a reader's answers are deleted."""
    return f"Delete {name}'s name, link and {counted(answers, 'answer')} for good?"


def show_forgotten(name: str, answers: int, as_json: bool) -> None:
    """Print what was deleted."""
    if as_json:
        print_json({"reader": name, "answers_deleted": answers})
        return
    print(f"{name}: link and {counted(answers, 'answer')} deleted")
