from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.calibration import measure_calibration
from misread.analysis.evaluation import evaluate
from misread.analysis.mistakes import find_mistakes
from misread.analysis.outcomes import read_outcomes
from misread.tables import Origin, Predictions
from misread.tables.parquet import PredictionsFile, write_predictions

Make = Callable[..., Predictions]


@pytest.fixture
def predictions(make_predictions: Make) -> Predictions:
    labels = np.random.default_rng(3).integers(0, 3, 700)
    return make_predictions(given=labels, seed=3)


def test_they_are_those_of_a_slow_loop(predictions: Predictions) -> None:
    found = read_outcomes(predictions)
    for row, probabilities in enumerate(predictions.probabilities.tolist()):
        best = max(range(3), key=lambda k: probabilities[k])
        assert found.predicted[row] == best
        assert found.p_predicted[row] == np.float32(probabilities[best])
        assert found.p_given[row] == np.float32(probabilities[predictions.given[row]])
        others = sum(p for k, p in enumerate(probabilities) if k != best)
        assert found.doubt[row] == pytest.approx(others / sum(probabilities), abs=1e-12)
        assert found.wrong[row] == (best != predictions.given[row])


def test_a_tiny_doubt_is_not_rounded_away(make_predictions: Make) -> None:
    found = read_outcomes(make_predictions(None, [[1.0, 1e-9, 0]], given=[0]))
    assert found.p_predicted[0] == 1
    assert found.doubt[0] == pytest.approx(1e-9, rel=1e-6)


def test_a_file_reads_as_the_table_in_it(predictions: Predictions, tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.parquet", predictions)
    file = PredictionsFile.open(tmp_path / "p.parquet")
    table, read = read_outcomes(predictions), read_outcomes(file, threads=1)
    for name in ("index", "given", "predicted", "p_predicted", "p_given", "doubt"):
        np.testing.assert_array_equal(getattr(read, name), getattr(table, name), err_msg=name)
    assert read.provenance == predictions.provenance
    assert evaluate(file) == evaluate(predictions) == evaluate(read)
    assert measure_calibration(file) == measure_calibration(predictions)
    np.testing.assert_array_equal(find_mistakes(file).index, find_mistakes(predictions).index)


def test_outcomes_are_read_once(predictions: Predictions) -> None:
    found = read_outcomes(predictions)
    assert read_outcomes(found) is found


def test_in_sample_ones_have_outcomes_too(make_predictions: Make) -> None:
    trained = make_predictions(given=[0, 1, 2], origin=Origin.IN_SAMPLE)
    assert len(read_outcomes(trained)) == 3
    assert len(read_outcomes(make_predictions(given=[]))) == 0
