"""Models, people and the literature side by side, from a study."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from misread.datasets import Dataset, Split
from misread.errors import ParameterError, PredictionsError, ReadingsError
from misread.store import Study
from misread.tables import Origin, Provenance
from misread.views.pictures import check_png, keep_picture, save_picture
from misread.views.reference import find_reference, of_all_images
from misread.workflows.choosing import choose_predictions

if TYPE_CHECKING:
    from misread.views.pages import Limits
    from misread.views.pages.compare import ComparePage


@dataclass(frozen=True)
class Compared:
    """Models, people and the literature side by side.

    Attributes:
        page: All of it as plain data, as the report has it.
        picture: Error rates as dots with intervals; None if it couldn't be written.
        pairs: For each model that the reference is held against, at most 8, a picture of the images
            that only one of the two misreads.
        problem: Why pictures couldn't be written into the study; "" if they could.
    """

    page: "ComparePage"
    picture: Path | None
    pairs: tuple[Path, ...]
    problem: str = ""


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
        models: Only predictions of these models (`convnet`) or runs (`convnet-short-s0`), and the
            reference; none means all that never saw the images.
        against: The reference, a model or run; None takes the oldest run.
        save: A `.png` file for the picture of error rates; None for one in the study's figures.
        dataset: The study's dataset, where it is loaded already.

    Returns:
        The comparison as plain data, and where its pictures are.

    Raises:
        ParameterError: That is no open study, there is no such split, or `save` can't be used.
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only, or named ones aren't of all images.

    Example:
        ```python
        compared = misread.compare(misread.Study.open(Path("mnist-demo-study")))
        for model in compared.page.models:
            print(model.run, model.error.count, "of", model.error.total)
        ```
    """
    if not isinstance(study, Study):
        raise ParameterError(
            f"study: expected an open study, as misread.Study.open(Path({str(study)!r})) gives "
            f"one. Got {study!r} instead."
        )
    check_png(save)
    found = _choose(study, split, models)
    whole, partial = of_all_images(study, split, found)
    if not whole or (models and partial):
        images = study.splits[split].images
        raise PredictionsError(
            f"{(partial or found)[0].name}: expected predictions of all {images:,} images. Got "
            "fewer; --model names others"
        )
    reference = None if against is None else find_reference(study, split, whole, against)
    if reference is not None and reference not in whole:
        # In the order of their names, as without it.
        whole = sorted([*whole, reference], key=lambda one: one.name)
    # SciPy and matplotlib take a second to import: not before all that was named is there.
    from misread.views.comparing import measure
    from misread.views.comparison import draw_comparison
    from misread.views.pages import StudyTables, build_compare
    from misread.workflows.people import find_people

    dataset = dataset or study.load_dataset()
    people, problem = None, ""
    try:
        people = find_people(study, dataset=dataset)
    except ReadingsError as error:
        problem = str(error)  # They don't keep models from being compared, as in the report.
    result = measure(
        study, split, whole, partial, people, reference=reference, selected=bool(models)
    )
    tables = StudyTables(study, dataset, {}, None, _all(), readings_problem=problem)
    page = build_compare(tables, result)
    usual = study.figures / f"compare.{split}.png"
    picture, problem = keep_picture(draw_comparison(page), usual, save)
    if picture is None:
        return Compared(page, None, (), problem)
    pairs = _draw_pairs(page, dataset.splits[split], picture, clear=save is None)
    return Compared(page, picture, pairs)


def _all() -> "Limits":
    """Of the page that is printed: all that can be listed."""
    from misread.views.pages import Limits

    return Limits(compared=10_000, pairs=10_000, only=10_000)


def _draw_pairs(page: "ComparePage", split: Split, path: Path, *, clear: bool) -> tuple[Path, ...]:
    """Draw the pairs into a folder beside the picture of error rates.

    Args:
        page: What is drawn.
        split: The images.
        path: That picture.
        clear: Remove other pictures from the folder: those of a former comparison. Only for a
            folder that is misread's own.

    Returns:
        The pictures of pairs.
    """
    from misread.views.comparison import draw_pair
    from misread.views.pages import Limits

    drawn = {
        path.with_suffix("") / f"{pair.run} against {page.reference}.png".replace(" ", "-"): pair
        for pair in page.pairs[: Limits().pairs]
        if pair.only.images + pair.only_reference.images
    }
    if clear:
        for old in set(path.with_suffix("").glob("*.png")) - set(drawn):
            old.unlink()
    return tuple(save_picture(draw_pair(page, pair, split), file) for file, pair in drawn.items())


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
