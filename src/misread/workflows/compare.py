"""Models, people and the literature side by side, from a study."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.datasets import Dataset
from misread.errors import PredictionsError, ReadingsError
from misread.store import Study
from misread.tables import Origin, Provenance
from misread.views.comparing import measure, of_all_images
from misread.views.comparison import draw_comparison, draw_pair
from misread.views.pages import Limits, StudyTables, build_compare
from misread.views.pages.compare import ComparePage
from misread.views.pictures import check_png, save_picture
from misread.workflows.audit import choose_predictions
from misread.workflows.people import find_people


@dataclass(frozen=True)
class Compared:
    """Models, people and the literature side by side.

    Attributes:
        page: All of it as plain data, as the report has it.
        picture: Error rates as dots with intervals.
        pairs: For each model that the reference is held against, at most 8, a picture of the images
            that only one of the two misreads.
    """

    page: ComparePage
    picture: Path
    pairs: tuple[Path, ...]


def compare(
    study: Study,
    split: str = "test",
    models: Sequence[str] = (),
    *,
    against: str | None = None,
    save: Path | None = None,
    dataset: Dataset | None = None,
) -> Compared:
    """Hold models against each other on the same images, with pictures.

    All but one are held against that one, the reference. Where people have read the split by a
    plan, they stand beside the models; beside MNIST's test split, so do figures of the literature.

    Args:
        study: Where the predictions are, and into whose figures the pictures go.
        split: Which split: held-out predictions of `test`, cross-fitted ones of `train`.
        models: Only predictions of these models (`convnet`) or runs (`convnet-short-s0`); none
            means all that never saw the images.
        against: The reference, a model or run; None takes the oldest run.
        save: A `.png` file for the picture of error rates; None for one in the study's figures.
        dataset: The study's dataset, where it is loaded already.

    Returns:
        The comparison as plain data, and where its pictures are.

    Raises:
        ParameterError: There is no such split, or `save` can't be used.
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only, or named ones aren't of all images.

    Example:
        ```python
        compared = misread.compare(misread.Study.open(Path("mnist-demo-study")))
        for model in compared.page.models:
            print(model.run, model.error.count, "of", model.error.total)
        ```
    """
    check_png(save)
    found = _choose(study, split, models)
    dataset = dataset or study.load_dataset()
    people, problem = None, ""
    try:
        people = find_people(study, dataset=dataset)
    except ReadingsError as error:
        problem = str(error)  # They don't keep models from being compared, as in the report.
    whole, partial = of_all_images(study, split, found)
    if not whole or (models and partial):
        images = study.splits[split].images
        raise PredictionsError(
            f"{(partial or found)[0].name}: expected predictions of all {images:,} images. Got "
            "fewer; --model names others"
        )
    result = measure(study, split, whole, partial, against, people)
    tables = StudyTables(study, dataset, {}, None, _ALL, readings_problem=problem)
    page = build_compare(tables, result)
    name = f"compare.{split}"
    path = study.figures / f"{name}.png" if save is None else Path(save)
    save_picture(draw_comparison(page), path)
    # Beside the picture of error rates, wherever it lies.
    folder, pairs = path.with_suffix(""), []
    for pair in page.pairs[: Limits().pairs]:
        if pair.only.images + pair.only_reference.images:
            drawn = draw_pair(page, pair, dataset.splits[split])
            pairs.append(save_picture(drawn, folder / f"{pair.run.replace(' ', '-')}.png"))
    return Compared(page, path, tuple(pairs))


# Of the page that is printed: all that can be listed.
_ALL = Limits(compared=10_000, pairs=10_000, only=10_000)


def _choose(study: Study, split: str, models: Sequence[str]) -> list[Provenance]:
    """Out-of-sample predictions: of all models, or of each that was named."""
    found = choose_predictions(study, split, models)
    usable = [provenance for provenance in found if provenance.origin != Origin.IN_SAMPLE]
    for model in models:
        if not any(model in (one.model, one.run_name) for one in usable):
            named = next(one for one in found if model in (one.model, one.run_name))
            named.require_out_of_sample()
    if not usable:
        found[0].require_out_of_sample()
    return usable
