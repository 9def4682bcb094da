"""Draw a study's mistakes again, without training."""

from dataclasses import dataclass
from pathlib import Path

from misread.errors import ParameterError
from misread.store import Study
from misread.views.mistakes import Mistakes, save_grids, show_mistakes
from misread.views.pictures import no_picture, save_png


@dataclass(frozen=True)
class Drawn:
    """The mistakes and the pictures of them.

    Attributes:
        mistakes: The misread images.
        paths: The pictures that were written.
        models: Number of models that were meant; these are the newest one's mistakes.
        problem: Why they couldn't be written into the study; "" if they could.
    """

    mistakes: Mistakes
    paths: tuple[Path, ...]
    models: int
    problem: str = ""


def draw_mistakes(
    study: Study,
    split: str = "test",
    model: str | None = None,
    *,
    rows: int = 3,
    columns: int = 4,
    save: Path | None = None,
) -> Drawn:
    """Draw the mistakes of the newest predictions of a split.

    Args:
        study: Where the predictions are.
        split: Which split.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`).
        rows: Most rows of a grid, 1 or more.
        columns: Tiles in a row, 1 or more.
        save: A folder for one picture per given class, or a `.png` file for one picture of all
            classes with `columns` tiles each; None for a folder in the study's figures.

    Raises:
        StudyError: There are no such predictions.
        ParameterError: `save` is a file of another kind, or rows or columns is below 1.
    """
    save = None if save is None else Path(save)
    predictions = study.newest_predictions(split, model)
    is_mean = predictions.provenance.is_mean
    alike = [each for each in study.list_predictions(split, model) if each.is_mean == is_mean]
    models = len({each.run_name for each in alike})
    if save is not None and save.suffix and save.suffix.lower() != ".png" and not save.is_dir():
        raise ParameterError(f"save: expected a .png file or a folder. Got {str(save)!r} instead.")
    mistakes = show_mistakes(study.load_dataset().splits[split], predictions)
    place = save or study.figures / predictions.provenance.name
    try:
        if place.suffix.lower() == ".png" and not place.is_dir():
            save_png(mistakes.plot_overview(columns), place)
            return Drawn(mistakes, (place,), models)
        paths = save_grids(mistakes, place, rows, columns, clear=save is None)
        return Drawn(mistakes, paths, models)
    except OSError as error:
        refused = ParameterError(f"save: can't write {place}: {error.strerror}")
        if save is None:
            return Drawn(mistakes, (), models, no_picture(refused))
        raise refused from error
