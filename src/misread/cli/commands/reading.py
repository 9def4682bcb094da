"""Commands of the reader study: plan it, read, and see what the readings say."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from misread.cli.options import Json, StudyFolder

if TYPE_CHECKING:
    from misread.workflows.read import ReadingLinks

commands = typer.Typer()

_BRIEF = "for 200 ms, then a mask; after 1500 ms without an answer the next one comes"

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model", metavar="M", help="A model or run; repeat it. Without it all that never saw it."
    ),
]


@commands.command(epilog="Example: misread plan --answers 2000")
def plan(
    answers: Annotated[
        int | None,
        typer.Option(
            help="Each reader's number of answers, at most with --width; 1000, or all images if "
            "fewer."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="The split that the statement is about.")] = "test",
    model: Models = None,
    width: Annotated[
        float | None,
        typer.Option(
            help="Stop once a reader's interval is this narrow, as a share of the images: 0.005; "
            "at the latest at --answers."
        ),
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="Largest probability that an interval misses.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of all orders.")] = 0,
    brief: Annotated[bool, typer.Option("--brief", help=f"Show each image {_BRIEF}.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a plan that nobody has read by.")
    ] = False,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Freeze what is read, and when it ends.

    And in which order: once, before the first answer. All images that any of the models misreads
    are read, and of the others a random sample by each reader. The same command again changes
    nothing.
    """
    from misread.cli.output import reading as output
    from misread.store import Study
    from misread.workflows.reading_plan import forecast_plan, make_plan

    place = Study.locate(study, Path.cwd())
    before = place.load_plan()
    made = make_plan(
        place, answers, split=split, models=model or (), seed=seed, width=width, alpha=alpha,
        brief=brief, replace=replace,
    )  # fmt: skip
    frozen = before is not None and before.hash == made.hash
    output.show_plan(place, made, forecast_plan(place, made), as_json, frozen=frozen)


@commands.command(epilog="Example: misread read --reader ann --reader bob")
def read(
    reader: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A pseudonym; repeat it for several readers."),
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help=f"Of a new plan: show each image {_BRIEF}.")
    ] = False,
    keys: Annotated[
        str | None,
        typer.Option(help='A character for each class, in their order; kept. "": the usual ones.'),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Who asks, and how to reach them: readers are told, also later."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; 0.0.0.0 lets in the network, and links name this machine on it.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="The port; 0 for a free one. [default: that of the readers' links, first 7470]",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Delete this reader's name, link and answers; --json doesn't ask."
        ),
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Read images blind, in the browser.

    So that people's error rate can be measured. All readers have their own links, which stay the
    same, and go on where they stopped. Read before you look at the model's mistakes. Without a
    plan, one with 1,000 answers is frozen. Serves until Ctrl-C. Where the port of the links is in
    use, it says so and ends: the links would be dead.
    """
    from misread.cli.output import reading as output
    from misread.store import Study
    from misread.workflows import read as workflow
    from misread.workflows.reading_plan import forecast_plan

    place = Study.locate(study, Path.cwd())
    if forget is not None:
        held = workflow.count_answers_of(place, forget)
        if not as_json:  # a script can't be asked
            typer.confirm(output.ask_to_forget(forget, held), abort=True, err=True)
        count = workflow.forget(place, forget)
        output.show_forgotten(forget, count, as_json)
        return

    planned = place.plan_file.exists()

    def started(links: "ReadingLinks") -> None:
        if not (planned or as_json):
            forecast = forecast_plan(place, links.plan)
            output.show_plan(place, links.plan, forecast, as_json, begin=False)
        output.show_links(links, as_json)
        for note in links.notes:
            print(f"note: {note}", file=sys.stderr)
        print("Ctrl-C ends it; the same command goes on", file=sys.stderr, flush=True)

    workflow.read(
        place, reader or (), brief=brief, keys=keys, contact=contact, host=host, port=port,
        browser=browser, on_start=started,
    )  # fmt: skip


@commands.command(epilog="Example: misread people --model convnet")
def people(
    model: Models = None,
    readings: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A table of imported or simulated readings, or of counts; repeat it.",
        ),
    ] = None,
    reader: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this reader; repeat it.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave this reader out; repeat it. It is told."),
    ] = None,
    random_order: Annotated[
        bool,
        typer.Option(
            "--random-order",
            help="Of readings without a plan: they are a random sample in random order.",
        ),
    ] = False,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """People's error rate, beside the models'.

    How often they read these images otherwise than labelled, and against each model. The mean of
    the readers is of those who gave half of the planned answers or more. Readings that follow no
    plan are counted: no rate of all images follows from them.
    """
    from misread.analysis.reading.described import Described
    from misread.cli.output import described, people
    from misread.store import Study
    from misread.workflows.people import look_at_people

    place = Study.locate(study, Path.cwd())
    found = look_at_people(
        place, readings or (), models=model or (), random_order=random_order,
        readers=reader or (), without=without or (),
    )  # fmt: skip
    if isinstance(found, Described):
        described.show_described(found, as_json)
    else:
        people.show_people(found, as_json)


@commands.command(
    "simulate-readers",
    epilog="Example: misread simulate-readers --error-easy 0.001 --error-hard 0.3",
)
def simulate_readers(
    readers: Annotated[int, typer.Option(help="How many.")] = 1,
    error_easy: Annotated[
        float | None, typer.Option(help="Probability of misreading an image that isn't hard.")
    ] = None,
    error_hard: Annotated[
        float | None, typer.Option(help="Probability of misreading a hard one.")
    ] = None,
    slips: Annotated[float, typer.Option(help="Probability of a wrong key.")] = 0.0,
    counts: Annotated[
        Path | None,
        typer.Option(help="Instead: how often people called each image each class, N x K."),
    ] = None,
    answers: Annotated[
        int | None,
        typer.Option(help="Where each reader stops; without it as planned, a width included."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what they see.")] = 0,
    name: Annotated[
        str | None, typer.Option(help="Keep them in the study under this name.")
    ] = None,
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Try a plan on simulated readers.

    What it would tell of readers with given error rates, before anybody reads. Simulated readers
    are marked as such wherever they go.
    """
    from misread.cli.output import people as output
    from misread.store import Study
    from misread.workflows import readings as workflow
    from misread.workflows.people import people as measure

    place = Study.locate(study, Path.cwd())
    made = workflow.simulate_readers(
        place, readers, error_easy=error_easy, error_hard=error_hard, slips=slips, counts=counts,
        answers=answers, seed=seed, save=name,
    )  # fmt: skip
    output.show_people(measure(place, made), as_json)
