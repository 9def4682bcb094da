"""What `misread plan` and `misread read` print."""

from typing import TYPE_CHECKING

from misread.cli.output.common import print_json

if TYPE_CHECKING:
    from misread.store import Study
    from misread.tables.reading_plan import ReadingPlan
    from misread.workflows.read import ReadingLinks

# Share of the images outside the census that the forecast supposes to be misread.
_SUPPOSED = 0.002


def show_plan(study: "Study", plan: "ReadingPlan", as_json: bool) -> None:
    """Print what is frozen, and what to expect of it."""
    from misread.analysis.reading.design import SECONDS_EACH, expected_width

    errors = round(_SUPPOSED * plan.rest)
    width, _ = expected_width(errors, plan.sample, plan.rest, plan.alpha) if plan.rest else (0, 1)
    share = width / plan.target.images
    if as_json:
        print_json(
            {
                "plan": str(study.plan_file),
                "hash": plan.hash,
                "split": plan.target.split,
                "images": plan.target.images,
                "answers": plan.answers,
                "hard": len(plan.hard),
                "sample": plan.sample,
                "repeats": plan.repeats,
                "practice": len(plan.practice),
                "models": list(plan.models),
                "width": plan.width,
                "alpha": plan.alpha,
                "expected_width": {"supposed_rate": _SUPPOSED, "width": share},
            }
        )
        return
    target = plan.target
    print(f"{target.dataset}, {target.split} split: {target.images:,} images")
    if plan.models:
        print(f"hard images, read by everyone: {len(plan.hard):,}, misread by a model of")
        for model in plan.models:
            print(f"  {model}")
    else:
        print("no hard images: the study has no predictions of this split by models that never "
              "saw it")  # fmt: skip
    print(f"of the other {plan.rest:,}, a random sample by each reader: {plan.sample:,}")
    print(f"shown again, outside of the estimate: {plan.repeats:,}; practice: {len(plan.practice)}")
    shown = plan.answers + plan.repeats
    print(f"each reader: {plan.answers:,} answers, about {shown * SECONDS_EACH / 60:.0f} minutes")
    if plan.width is not None:
        print(f"a reader stops earlier once his interval is {100 * plan.width:.2f} points wide")
    print(
        f"the {plan.confidence} interval of one reader is expected to be "
        f"{100 * share:.2f} points wide, if {100 * _SUPPOSED:g}% of the sample is misread"
    )
    print(f"{study.plan_file}\n  {plan.hash}")
    print("misread read --reader NAME begins")


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


def show_forgotten(name: str, answers: int, as_json: bool) -> None:
    """Print what was deleted."""
    if as_json:
        print_json({"reader": name, "answers_deleted": answers})
        return
    print(f"{name}: link and {answers:,} answers deleted")
