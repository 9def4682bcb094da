"""A ready study of MNIST from predictions that come with the package."""

from importlib.resources import as_file, files
from pathlib import Path

from misread.datasets import load
from misread.errors import StudyError
from misread.models import Card
from misread.store import Study
from misread.tables import Predictions
from misread.tables.evidence_parquet import read_dynamics, read_neighbours
from misread.tables.parquet import read_predictions
from misread.views.mistakes import show_mistakes
from misread.workflows.run import RunResult, draw, with_report

NOTE = "demo: these predictions came with misread; nothing was trained here"
RUN = "convnet-short-s0"
_DATA = files("misread.workflows") / "demo_data"


def demo_predictions() -> Predictions:
    """The package's predictions of MNIST's test split by one trained `convnet`.

    Returns:
        10,000 held-out predictions over 10 classes.
    """
    with as_file(_DATA / "predictions" / f"{RUN}.test.held-out.parquet") as path:
        return read_predictions(path)


def demo_card() -> Card:
    """The card of the model behind `demo_predictions`: what was trained, how, how long."""
    path = _DATA / f"{RUN}.json"
    return Card.from_json(path.read_text(encoding="utf-8"), Path(str(path)))


def make_demo(study: Path | None = None) -> RunResult:
    """Make a study of MNIST without training anything.

    It has one network's predictions of the test split, and three cross-fits of the training split
    with what they say of the test split, their nearest training images and training dynamics.

    Args:
        study: The study's folder, None for `mnist-demo-study` in the working folder.

    Returns:
        The study with its evaluation, pictures and report, marked as a demo.

    Raises:
        StudyError: The folder holds another study.
    """
    digits = load("mnist")
    folder = Path(study) if study is not None else Path.cwd() / "mnist-demo-study"
    place = Study.create(folder, digits, NOTE)
    if place.note != NOTE:
        raise StudyError(
            f"{folder}: is a study already, and no demo; name another folder with --study"
        )
    predictions, card = demo_predictions(), demo_card()
    _save_tables(place)
    card.write(place.model_file(RUN, ".json"))
    result = draw(place, show_mistakes(digits.test, predictions))
    made = RunResult(place, card, {"test": result}, trained=False, note=NOTE)
    return with_report(made, digits)


def _save_tables(study: Study) -> None:
    """Put every table that comes with the package into a study."""
    with as_file(_DATA) as folder:
        for path in sorted((folder / "predictions").glob("*.parquet")):
            study.save_predictions(read_predictions(path))
        for path in sorted((folder / "neighbours").glob("*.parquet")):
            study.save_neighbours(read_neighbours(path))
        for path in sorted((folder / "dynamics").glob("*.parquet")):
            study.save_dynamics(read_dynamics(path))
