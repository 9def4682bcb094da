import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from misread.datasets import Dataset, Split, load
from misread.errors import ParameterError, PredictionsError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.workflows.calibration import choose_fitting, show_calibration

MakePredictions = Callable[..., Predictions]
MakeSure = Callable[..., Predictions]


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=900, test=600)))


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset) -> Study:
    return Study.create(tmp_path / "study", dataset)


@pytest.fixture
def too_sure(make_predictions: MakePredictions, dataset: Dataset) -> MakeSure:
    """Predictions that are right only at a temperature of 3."""

    def make(split: str, seed: int = 0, **named: object) -> Predictions:
        images = dataset.splits[split]
        generator = np.random.default_rng([seed, len(split)])
        logits = generator.normal(0, 2, (len(images), 3))
        # Labels are given: what is drawn is which column they stand in.
        sums = softmax(logits, axis=1).cumsum(axis=1)
        drawn = (generator.random(len(images))[:, None] > sums).sum(axis=1).clip(0, 2)
        rows = np.arange(len(images))
        given = images.labels
        logits[rows, drawn], logits[rows, given] = logits[rows, given], logits[rows, drawn]
        return make_predictions(images, softmax(3 * logits, axis=1), seed=seed, **named)

    return make


def test_a_temperature_from_cross_fitting_mends_what_is_too_sure(
    study: Study, too_sure: MakeSure
) -> None:
    study.save_predictions(too_sure("test"))
    study.save_predictions(too_sure("train", origin=Origin.CROSS_FITTED, seed=4))
    result = show_calibration(study)
    assert result.note == ""
    assert result.scaled is not None
    fitted = result.scaled.temperature
    assert fitted.provenance.name == "oracle-imported-s4.train.cross-fitted"
    assert fitted.low < 3 < fitted.high
    assert result.calibration.p_value < 0.01
    assert result.calibration.doubt < result.calibration.misread.low
    after = result.scaled.calibration
    assert after.ece_debiased < result.calibration.ece_debiased / 3
    assert after.misread == result.calibration.misread
    assert after.ece.high < result.calibration.ece.low
    assert result.scaled.gain.low > 0
    assert result.scaled.gain.value == pytest.approx(
        result.calibration.loss.value - after.loss.value
    )
    assert result.picture == study.figures / "oracle-imported-s0.test.held-out.calibration.png"
    with Image.open(result.picture) as picture:
        assert picture.width > 400


def test_without_anything_to_fit_on_the_curve_stands_alone(
    study: Study, too_sure: MakeSure
) -> None:
    study.save_predictions(too_sure("test", model="quick", recipe="short"))
    # Neither another model's, nor what the model was trained on.
    study.save_predictions(too_sure("train", origin=Origin.CROSS_FITTED, model="other"))
    study.save_predictions(
        too_sure("train", origin=Origin.IN_SAMPLE, model="quick", recipe="short")
    )
    result = show_calibration(study, model="quick")
    assert result.scaled is None
    assert "misread crossfit --model quick --recipe short" in result.note
    assert result.picture.exists()
    study.save_predictions(too_sure("test", model="mine"))
    note = show_calibration(study, model="mine").note
    assert "import predictions FILE --model mine --split train --origin cross-fitted" in note


def test_the_training_split_takes_a_validation_split(study: Study, too_sure: MakeSure) -> None:
    study.save_predictions(too_sure("train", origin=Origin.CROSS_FITTED))
    study.save_predictions(too_sure("test"))
    result = show_calibration(study, "train")
    assert result.scaled is None
    assert "a split named validation or val" in result.note


def test_a_perfect_model_has_no_temperature(
    study: Study, make_predictions: MakePredictions, dataset: Dataset
) -> None:
    for split, origin in (("train", Origin.CROSS_FITTED), ("test", Origin.HELD_OUT)):
        images = dataset.splits[split]
        right = np.full((len(images), 3), 0.01) + 0.97 * np.eye(3)[images.labels]
        study.save_predictions(make_predictions(images, right, origin=origin))
    result = show_calibration(study)
    assert result.scaled is None
    assert "no temperature: oracle-imported-s0.train.cross-fitted" in result.note


def test_in_sample_predictions_are_passed_over_or_refused(study: Study, too_sure: MakeSure) -> None:
    study.save_predictions(too_sure("train", origin=Origin.IN_SAMPLE, created="2030"))
    with pytest.raises(PredictionsError, match="Got in-sample ones instead"):
        show_calibration(study, "train")
    study.save_predictions(too_sure("train", origin=Origin.CROSS_FITTED))
    shown = show_calibration(study, "train").calibration.provenance
    assert shown.origin == Origin.CROSS_FITTED


def test_what_a_temperature_is_fitted_on(make_predictions: MakePredictions) -> None:
    """Its own validation first, then cross-fitted ones of its model and recipe; newest first."""
    image = np.zeros((1, 4, 4), np.uint8)
    splits = {
        name: Split(name, image + number, np.zeros(1, int))
        for number, name in enumerate(("train", "test", "val"))
    }

    def of(split: str, origin: Origin, **named: object) -> Predictions:
        return make_predictions(splits[split], [[1, 0, 0]], origin=origin, **named)

    evaluated = of("test", Origin.HELD_OUT).provenance
    fitting = of("train", Origin.CROSS_FITTED, seed=7).provenance
    newer = of("train", Origin.CROSS_FITTED, seed=8).provenance
    validation = of("val", Origin.HELD_OUT).provenance
    useless = [
        of("val", Origin.HELD_OUT, seed=1).provenance,
        of("val", Origin.IN_SAMPLE).provenance,
        of("train", Origin.IN_SAMPLE).provenance,
        of("train", Origin.HELD_OUT).provenance,
        of("train", Origin.CROSS_FITTED, model="other").provenance,
        of("train", Origin.CROSS_FITTED, recipe="other").provenance,
        of("test", Origin.CROSS_FITTED).provenance,
        evaluated,
        dataclasses.replace(validation, items_fingerprint=evaluated.items_fingerprint),
    ]
    assert choose_fitting(evaluated, useless) is None
    assert choose_fitting(evaluated, [*useless, newer, fitting]) == newer
    assert choose_fitting(evaluated, [*useless, newer, validation]) == validation
    assert choose_fitting(validation, [validation, evaluated, fitting]) == fitting
    assert choose_fitting(fitting, [fitting, newer, evaluated]) is None


def test_wrong_files_and_names_are_refused(study: Study, too_sure: MakeSure) -> None:
    with pytest.raises(StudyError, match="expected predictions of split 'test'"):
        show_calibration(study)
    study.save_predictions(too_sure("test"))
    with pytest.raises(ParameterError, match=r"save: expected a \.png file"):
        show_calibration(study, save=Path("curve.pdf"))
    (study.path / "file").touch()
    with pytest.raises(ParameterError, match=r"save: can't write .*curve\.png"):
        show_calibration(study, save=study.path / "file" / "curve.png")
