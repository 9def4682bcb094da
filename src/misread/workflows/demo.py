"""A ready study of MNIST from the reference panel that comes with the package."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from misread.analysis.intervals import Rate, wilson
from misread.datasets import load
from misread.errors import ParameterError, StudyError
from misread.models import Card
from misread.store import Study
from misread.tables import Predictions
from misread.workflows.reference_panel import PackedTable, PanelRun, open_reference_panel

NOTE = "demo: these predictions came with misread; nothing was trained here"
FOLDER = "mnist-demo-study"


@dataclass(frozen=True)
class DemoRun:
    """A run of the panel, and how it came about.

    Attributes:
        run: Its name, and the command that makes it.
        table: Its predictions.
        error: Their error rate with its interval (Wilson, 95%), as labelled.
        cards: One of the network; of a cross-fit, one for each fold's.
    """

    run: PanelRun
    table: PackedTable
    error: Rate
    cards: tuple[Card, ...]

    @property
    def seconds(self) -> float:
        """Time of training all its networks."""
        return sum(card.seconds for card in self.cards)

    @property
    def epochs(self) -> int:
        """Length of a training."""
        return int(self.cards[0].recipe["epochs"])


@dataclass(frozen=True)
class Demo:
    """A study made of the reference panel.

    Attributes:
        study: The study.
        note: How it came about.
        runs: What is in it.
        missing: Names of runs that belong into the panel but aren't trained yet.
    """

    study: Study
    note: str
    runs: tuple[DemoRun, ...]
    missing: tuple[str, ...]


def reference_panel(split: str = "test") -> tuple[Predictions, ...]:
    """What the networks of the reference panel predict of MNIST: they come with the package.

    Args:
        split: `test`, by networks that were trained on all training images; or `train`,
            cross-fitted: each image by a network that never saw it.

    Returns:
        A table for each run, in the order of the panel. Probabilities are rounded, as
        `misread.tables.packed` says: by 0.025 at most.

    Raises:
        ParameterError: MNIST has no such split.
        PredictionsError: The installed package is damaged.

    Example:
        ```python
        scores = misread.score_panel(misread.reference_panel())
        ```
    """
    digits = load("mnist")
    if split not in digits.splits:
        known = ", ".join(digits.splits)
        raise ParameterError(f"split: expected one of {known}. Got {split!r} instead.")
    panel, labels = open_reference_panel(), digits.splits[split].labels
    return tuple(panel.predictions(table, labels) for table in panel.tables(split=split))


def demo_predictions(run: str | None = None) -> Predictions:
    """The predictions of one run of the reference panel: of MNIST's test split, where not told.

    Args:
        run: Name of a run that `misread demo` lists, or None for the panel's first network. A
            cross-fit has predicted the training split.

    Returns:
        Predictions over 10 classes: 10,000 held-out ones of the test split, or 60,000
        cross-fitted ones of the training split.

    Raises:
        ParameterError: The panel has no such run.
        PredictionsError: The installed package is damaged.
    """
    panel = open_reference_panel()
    tables = {table.provenance.run_name: table for table in panel.tables()}
    name = next(iter(tables)) if run is None else run
    if name not in tables:
        raise ParameterError(f"run: expected one of {', '.join(tables)}. Got {run!r} instead.")
    table = tables[name]
    return panel.predictions(table, load("mnist").splits[table.provenance.split].labels)


def make_demo(study: Path | None = None) -> Demo:
    """Make a study of MNIST without training anything.

    It has what every run of the reference panel predicts, with its card; and the nearest training
    images and the training dynamics that some of them found. Verdicts, readings and predictions
    that are in it already stay.

    Args:
        study: The study's folder, None for `mnist-demo-study` in the working folder.

    Returns:
        The study, and what is in it.

    Raises:
        StudyError: The folder holds another study, or can't be written.
        PredictionsError: The installed package is damaged.
    """
    digits, panel = load("mnist"), open_reference_panel()
    folder = Path(study) if study is not None else Path.cwd() / FOLDER
    place = Study.create(folder, digits, NOTE)
    if place.note != NOTE:
        raise StudyError(
            f"{folder}: is a study already, and no demo; name another folder with --study"
        )
    panel.save_into(place, digits)
    runs = tuple(_show(place, run) for run in panel.runs)
    return Demo(place, NOTE, runs, panel.missing)


def _show(study: Study, run: PanelRun) -> DemoRun:
    (table,) = (table for table in run.tables if table.kind == "predictions")
    images = study.splits[table.provenance.split].images
    error = wilson(int(table.mistakes or 0), images)
    return DemoRun(run, table, error, Card.read_all(study.model_file(run.name, ".json")))


def open_demo(
    study: Path | None = None,
    *,
    port: int | None = None,
    browser: bool = True,
    on_start: Callable[[Demo, str], None] | None = None,
) -> None:
    """Make the demo's study and serve its gallery until Ctrl-C.

    Args:
        study: As for `make_demo`.
        port: 0 for a free one; None for the usual one, or a free one where that is taken.
        browser: Whether to open it in the user's browser.
        on_start: Called with the demo and the page's URL once it can be opened.

    Raises:
        StudyError: As `make_demo`.
        ServerError: It can't be served at this port.
    """
    from misread.workflows.open import open_gallery

    made = make_demo(study)

    def started(url: str, folder: Path) -> None:
        if on_start is not None:
            on_start(made, url)

    open_gallery(made.study.path, port=port, browser=browser, on_start=started)
