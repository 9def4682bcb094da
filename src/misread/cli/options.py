"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DATASET_HELP = (
    "A built-in name (mnist), a folder of images with a folder per class (and per split), a folder "
    "of IDX files, an .npz file, or a Parquet file or a folder of them."
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
StudyFolder = Annotated[
    Path | None,
    typer.Option(
        "--study",
        metavar="DIR",
        help="The study's folder; without it the working folder, or the only *-study in it.",
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="M", help="A model or run; without it the newest."),
]
