"""Is a model right as often as it says, and does a temperature help?"""

from dataclasses import dataclass
from pathlib import Path

from misread.analysis.calibration import (
    Calibration,
    losses,
    mean_with_interval,
    measure_calibration,
)
from misread.analysis.intervals import Estimate
from misread.analysis.temperature import Temperature, fit_temperature
from misread.errors import PredictionsError
from misread.store import Study
from misread.tables import Origin, Predictions, Provenance
from misread.views.calibration import draw_calibration
from misread.views.pictures import check_png, save_picture

_VALIDATION = ("validation", "val")


@dataclass(frozen=True)
class Scaled:
    """What a temperature does.

    Attributes:
        temperature: The temperature and where it was fitted.
        calibration: Of the scaled predictions.
        gain: By how much the loss falls, in nats, over the same images; above 0 is better.
    """

    temperature: Temperature
    calibration: Calibration
    gain: Estimate


@dataclass(frozen=True)
class CalibrationResult:
    """The calibration of one model on one split.

    Attributes:
        calibration: As predicted.
        scaled: After temperature scaling; None where there is nothing to fit a temperature on.
        note: Why there is no temperature, "" if there is one.
        picture: The reliability diagram.
    """

    calibration: Calibration
    scaled: Scaled | None
    note: str
    picture: Path


def show_calibration(
    study: Study,
    split: str = "test",
    model: str | None = None,
    *,
    bins: int = 15,
    binning: str = "mistakes",
    save: Path | None = None,
) -> CalibrationResult:
    """Measure the calibration of the newest out-of-sample predictions of a split.

    The temperature is fitted on other images than those it is judged by: held-out predictions of a
    split named `validation` or `val`, else the model's cross-fitted predictions of `train`.

    Args:
        study: Where the predictions are.
        split: Which split.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`).
        bins: Most bins of the reliability curve, 1 or more.
        binning: `mistakes`, `images` or `width`: what is equal in all bins.
        save: A `.png` file for the reliability diagram, None for one in the study's figures.

    Raises:
        StudyError: There are no such predictions.
        PredictionsError: There are in-sample ones only.
        ParameterError: An argument is out of range, or `save` is of another kind.
    """
    check_png(save)
    predictions = study.newest_out_of_sample(split, model)
    before = measure_calibration(predictions, bins, binning)
    scaled, note = _scale(study, predictions, bins, binning)
    name = predictions.provenance.name
    picture = Path(save) if save is not None else study.figures / f"{name}.calibration.png"
    save_picture(draw_calibration(before, scaled.calibration if scaled else None), picture)
    return CalibrationResult(before, scaled, note, picture)


def _scale(
    study: Study, predictions: Predictions, bins: int, binning: str
) -> tuple[Scaled | None, str]:
    provenance = predictions.provenance
    if provenance.is_mean:
        return None, (
            f"no temperature: {provenance.name} is the mean of a cross-fit's networks, less sure "
            "than each of them; `misread run` trains a single one"
        )
    fitted_on = choose_fitting(provenance, study.list_predictions())
    if fitted_on is None:
        return None, _nothing_to_fit_on(study, provenance)
    try:
        temperature = fit_temperature(study.load_predictions(fitted_on))
    except PredictionsError as error:
        return None, f"no temperature: {error}"
    after = temperature.apply(predictions)
    return Scaled(
        temperature,
        measure_calibration(after, bins, binning),
        mean_with_interval(losses(predictions) - losses(after)),
    ), ""


def choose_fitting(evaluated: Provenance, there: list[Provenance]) -> Provenance | None:
    """The predictions to fit a temperature on: of the same model, and never of the same images.

    Args:
        evaluated: Whose calibration is measured.
        there: All predictions of the study, newest first.

    Returns:
        The run's own held-out predictions of a validation split; else the newest cross-fitted ones
        of `train` by the same model and recipe; None if there are neither.
    """
    others = [
        provenance
        for provenance in there
        if provenance.model == evaluated.model
        and provenance.recipe == evaluated.recipe
        and provenance.split != evaluated.split
        and provenance.items_fingerprint != evaluated.items_fingerprint
    ]
    validation = [
        provenance
        for provenance in others
        if provenance.split in _VALIDATION
        and provenance.origin == Origin.HELD_OUT
        and provenance.run_name == evaluated.run_name
    ]
    crossfitted = [
        provenance
        for provenance in others
        if provenance.split == "train" and provenance.origin == Origin.CROSS_FITTED
    ]
    return next(iter([*validation, *crossfitted]), None)


def _nothing_to_fit_on(study: Study, evaluated: Provenance) -> str:
    if evaluated.split == "train":
        return (
            "no temperature: one for the training split takes held-out predictions of a split "
            "named validation or val"
        )
    if evaluated.recipe == "imported":
        way = (
            f"misread import predictions FILE --model {evaluated.model} --split train "
            "--origin cross-fitted"
        )
    else:
        recipe, _, epochs = evaluated.recipe.partition("-e")
        way = f"misread crossfit --model {evaluated.model} --recipe {recipe}"
        way += f" --epochs {epochs}" if epochs else ""
    return (
        f"no temperature: it is never fitted on the split that it is judged by, and {study.path} "
        f"has no cross-fitted predictions of train by {evaluated.model}-{evaluated.recipe}: {way}"
    )
