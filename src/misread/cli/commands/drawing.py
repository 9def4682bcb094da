"""Commands that draw what a network thinks it saw."""

from pathlib import Path
from typing import Annotated

import typer

from misread.cli.options import Json, StudyFolder

commands = typer.Typer()


@commands.command(epilog="Example: misread reconstruct --index 247 --turn")
def reconstruct(
    split: Annotated[str, typer.Option(help="Which split: test, train, ...")] = "test",
    model: Annotated[
        str | None,
        typer.Option(metavar="M", help="A model or run; without it the newest with a decoder."),
    ] = None,
    index: Annotated[
        list[int] | None, typer.Option(help="Show this image instead; repeat it for several.")
    ] = None,
    top: Annotated[int, typer.Option(help="Most difficult images, beside the mistakes.")] = 50,
    turn: Annotated[
        bool,
        typer.Option("--turn", help="Turn the capsules of one image, a number at a time."),
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Where the picture goes.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    study: StudyFolder = None,
    as_json: Json = False,
) -> None:
    """Draw what a capsule network thinks it saw.

    Its mistakes and the most difficult images, as the given and as the predicted class. The error
    of every image is kept in the study; the gallery and the report show the drawings beside the
    evidence.
    """
    from misread.cli.output import reconstruct as printed
    from misread.cli.progress import DrawingBar
    from misread.store import Study
    from misread.workflows.reconstruct import show_reconstructions

    place = Study.locate(study, Path.cwd())
    with DrawingBar() as bar:
        shown = show_reconstructions(
            place, split, model, top=top, index=index or (), turn=turn, save=save, device=device,
            on_images=bar.draw,
        )  # fmt: skip
    printed.show_reconstructions(shown, as_json)
