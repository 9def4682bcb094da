"""What `misread plan` and `misread read` print."""

from typing import TYPE_CHECKING

from misread.cli.output.common import counted, print_json

if TYPE_CHECKING:
    from misread.store import Study
    from misread.tables.reading_plan import ReadingPlan
    from misread.workflows.read import ReadingLinks

# Share of the images outside the census that the forecast supposes to be misread.
_SUPPOSED = 0.002


def show_plan(
    study: "Study", plan: "ReadingPlan", as_json: bool, *, frozen: bool = False, begin: bool = True
) -> None:
    """Print what is frozen, and what to expect of it.

    Args:
        study: Whose plan.
        plan: The plan.
        as_json: One JSON object.
        frozen: Whether it was frozen before, and nothing changed.
        begin: Whether to say how reading begins.
    """
    from misread.analysis.reading.design import SECONDS_EACH, expected_width
    from misread.analysis.reading.stopping import expect_stop
    from misread.workflows.reading_plan import count_candidates

    errors = round(_SUPPOSED * plan.rest)
    width, _ = expected_width(errors, plan.sample, plan.rest, plan.alpha) if plan.rest else (0, 1)
    share = width / plan.target.images
    misread = count_candidates(study, plan)
    stop = None if plan.width is None else expect_stop(plan, _SUPPOSED)
    if as_json:
        print_json(
            {
                "plan": str(study.plan_file),
                "hash": plan.hash,
                "split": plan.target.split,
                "images": plan.target.images,
                "answers": plan.answers,
                "hard": len(plan.hard),
                "misread_by_models": misread,
                "sample": plan.sample,
                "repeats": plan.repeats,
                "practice": len(plan.practice),
                "models": list(plan.models),
                "width": plan.width,
                "alpha": plan.alpha,
                "expected_width": {"supposed_rate": _SUPPOSED, "width": share},
                "expected_stop": stop,
                "frozen_before": frozen,
            }
        )
        return
    target = plan.target
    if frozen:
        print(f"frozen already, on {plan.created}: nothing changed")
    print(f"{target.dataset}, {target.split} split: {target.images:,} images")
    if plan.models:
        print(f"hard images, read by everyone: {_told_hard(plan, misread)}misread by a model of")
        for model in plan.models:
            print(f"  {model}")
    else:
        print("no hard images: the study has no predictions of this split by models that never "
              "saw it")  # fmt: skip
    print(f"of the other {plan.rest:,}, a random sample by each reader: {plan.sample:,}")
    print(f"shown again, outside of the estimate: {plan.repeats:,}; practice: {len(plan.practice)}")
    shown = plan.answers + plan.repeats
    most = "at most " if plan.width is not None else ""
    minutes = counted(max(1, round(shown * SECONDS_EACH / 60)), "minute")
    print(f"each reader: {most}{counted(plan.answers, 'answer')}, about {minutes}")
    supposed = f"if {100 * _SUPPOSED:g}% of the sample is misread"
    if plan.width is not None:
        print(f"a reader stops earlier once his interval is {100 * plan.width:.2f} points wide:")
        print(
            f"  after about {stop:,} answers, {supposed}"
            if stop is not None
            else f"  not to be expected within {plan.answers:,} answers, {supposed}; --answers "
            "allows more"
        )
    else:
        print(
            f"the {plan.confidence} interval of one reader is expected to be "
            f"{100 * share:.2f} points wide, {supposed}"
        )
    print(f"{study.plan_file}\n  {plan.hash}")
    if begin:
        print("misread read --reader NAME begins")


def _told_hard(plan: "ReadingPlan", misread: int | None) -> str:
    """How many, and why not all that models misread."""
    count = len(plan.hard)
    if misread is None or misread <= count:
        return f"{count:,}, "
    cap = "a fourth of the answers" if count == plan.answers // 4 else "at most so many"
    return f"{count:,} of {misread:,} ({cap}; the most difficult ones) "


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
