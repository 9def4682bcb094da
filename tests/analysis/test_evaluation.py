import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from misread.analysis.evaluation import evaluate
from misread.analysis.intervals import wilson
from misread.errors import ParameterError
from misread.tables import Predictions

Make = Callable[..., Predictions]


@pytest.fixture
def predictions(make_predictions: Make) -> Predictions:
    labels = np.random.default_rng(5).integers(0, 3, 400)
    return make_predictions(given=labels, seed=5)


def test_loss_and_accuracy_are_those_of_scikit_learn(predictions: Predictions) -> None:
    result = evaluate(predictions)
    probabilities = predictions.probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = log_loss(predictions.given, probabilities, labels=[0, 1, 2])
    assert result.loss == pytest.approx(loss, rel=1e-5)
    assert result.accuracy == pytest.approx(
        accuracy_score(predictions.given, predictions.predicted)
    )


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_rates_are_those_of_a_slow_loop(predictions: Predictions, level: float) -> None:
    result = evaluate(predictions, level)
    pairs = list(zip(predictions.given.tolist(), predictions.predicted.tolist(), strict=True))
    wrong = sum(g != p for g, p in pairs)
    assert result.error == wilson(wrong, len(pairs), level)
    assert [row.given for row in result.classes] == [0, 1, 2]
    for row in result.classes:
        mine = [p for g, p in pairs if g == row.given]
        counts = Counter(p for p in mine if p != row.given)
        assert row.error == wilson(sum(counts.values()), len(mine), level)
        assert row.read_as == tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    assert sum(row.error.count for row in result.classes) == wrong


def test_equally_frequent_readings_come_in_the_order_of_the_classes(make_predictions: Make) -> None:
    rows = [[0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    result = evaluate(make_predictions(None, rows, given=[0] * 5))
    assert result.classes[0].read_as == ((1, 2), (2, 2))
    assert str(result.error).startswith("80.00%")


def test_classes_without_images_have_no_row(make_predictions: Make) -> None:
    result = evaluate(make_predictions(None, np.eye(3)[[1, 1]], given=[1, 1]))
    assert [row.given for row in result.classes] == [1]
    assert result.classes[0].error.count == 0
    assert result.classes[0].read_as == ()
    assert result.accuracy == 1
    assert result.loss == 0


def test_no_images_give_nan(make_predictions: Make) -> None:
    result = evaluate(make_predictions(given=[]))
    assert result.classes == ()
    assert math.isnan(result.loss)
    assert math.isnan(result.accuracy)
    assert math.isnan(result.error.low)


def test_a_probability_of_zero_has_a_finite_loss(make_predictions: Make) -> None:
    result = evaluate(make_predictions(None, [[0, 1, 0], [1, 0, 0]], given=[0, 0]))
    assert math.isfinite(result.loss)
    assert result.loss == pytest.approx(-math.log(float(np.finfo(np.float32).tiny)) / 2)


def test_a_thousand_classes_are_no_matrix(make_predictions: Make) -> None:
    classes = tuple(f"c{k}" for k in range(1_000))
    labels = np.arange(50) * 17
    result = evaluate(make_predictions(given=labels, classes=classes))
    assert [row.given for row in result.classes] == labels.tolist()


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_a_level_out_of_range_is_refused(predictions: Predictions, level: float) -> None:
    with pytest.raises(ParameterError, match="level must be in"):
        evaluate(predictions, level)
