import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from misread.analysis.panel import PanelScores, score_panel
from misread.errors import PredictionsError
from misread.tables import Origin, Predictions
from misread.tables.parquet import PredictionsFile, write_predictions

MakePredictions = Callable[..., Predictions]


def make_panel(
    make: MakePredictions, models: int, count: int, classes: int, seed: int = 0
) -> list[Predictions]:
    """Models that agree in part: a common leaning of each image, and one of each model."""
    generator = np.random.default_rng(seed)
    names = tuple(str(name) for name in range(classes))
    given = generator.integers(0, classes, count)
    common = generator.normal(0, 2, (count, classes))
    panel = []
    for model in range(models):
        powers = np.exp(common + generator.normal(0, 1, common.shape))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        panel.append(
            make(given=given, probabilities=probabilities, classes=names, model=f"model{model}")
        )
    return panel


@pytest.mark.parametrize(("models", "classes"), [(1, 3), (2, 2), (5, 4), (4, 300)])
def test_scores_are_those_of_a_slow_loop(
    make_predictions: MakePredictions, models: int, classes: int
) -> None:
    panel = make_panel(make_predictions, models, 120, classes)
    scores = score_panel(panel)
    assert scores.models == models
    for row in range(120):
        each = [[float(p) for p in one.probabilities[row]] for one in panel]
        each = [[p / math.fsum(one) for p in one] for one in each]
        mean = [math.fsum(one[k] for one in each) / models for k in range(classes)]
        expected = math.fsum(-p * math.log(p) for one in each for p in one if p) / models
        entropy = math.fsum(-p * math.log(p) for p in mean if p)
        assert scores.expected_entropy[row] == pytest.approx(expected, abs=1e-6)
        assert scores.mutual_information[row] == pytest.approx(entropy - expected, abs=1e-6)
        label = panel[0].given[row]
        assert scores.p_given[row] == pytest.approx(mean[label], abs=1e-6)
        read = [max(range(classes), key=one.__getitem__) for one in each]
        against = sum(one != label for one in read) / models
        assert scores.contradiction[row] == pytest.approx(against)
        majority = max(set(read), key=lambda k: (read.count(k), mean[k], -k))
        assert scores.majority[row] == majority
        assert scores.votes[row] == read.count(majority)
        least = min(one[majority] for one, k in zip(each, read, strict=True) if k == majority)
        assert scores.least_confidence[row] == pytest.approx(least, abs=1e-5)


def test_ties_go_to_the_mean_then_to_the_first_class(make_predictions: MakePredictions) -> None:
    one = [[0.6, 0.4, 0], [0.9, 0.1, 0], [0, 0.5, 0.5]]
    other = [[0.1, 0.9, 0], [0.1, 0.9, 0], [0, 0.5, 0.5]]
    scores = score_panel([make_predictions(given=[0] * 3, probabilities=p) for p in (one, other)])
    assert scores.majority.tolist() == [1, 0, 1]
    assert scores.votes.tolist() == [1, 1, 2]
    assert scores.least_confidence == pytest.approx([0.9, 0.9, 0.5])


def test_models_that_agree_share_no_information(make_predictions: MakePredictions) -> None:
    """Also where float32 rows don't sum to 1 exactly; opposite certainties share ln 2."""
    table = make_panel(make_predictions, 1, 500, 50)[0]
    shifted = make_predictions(
        given=table.given,
        probabilities=table.probabilities * np.float32(1.004),
        classes=table.classes,
    )
    assert score_panel([table, table, shifted]).mutual_information.max() < 1e-6
    certain = [make_predictions(given=[0], probabilities=[p]) for p in ([1, 0, 0], [0, 1, 0])]
    scores = score_panel(certain)
    assert scores.mutual_information == pytest.approx([math.log(2)])
    assert scores.expected_entropy == pytest.approx([0])


def test_information_is_in_its_range(make_predictions: MakePredictions) -> None:
    for models in (2, 3, 7):
        scores = score_panel(make_panel(make_predictions, models, 2_000, 5))
        assert scores.mutual_information.min() >= 0
        assert scores.mutual_information.max() <= math.log(min(models, 5)) + 1e-6


def assert_equal(one: PanelScores, other: PanelScores) -> None:
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_files_score_as_tables_whatever_their_row_groups(
    make_predictions: MakePredictions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = make_panel(make_predictions, 3, 1_500, 6)
    expected = score_panel(panel, threads=1)
    sources: list[Any] = [panel[0]]
    for number, rows in enumerate((100, 333)):
        monkeypatch.setattr("misread.tables.predictions.RANGE_BYTES", 24 * rows)
        write_predictions(tmp_path / f"{number}.parquet", panel[number + 1])
        sources.append(PredictionsFile.open(tmp_path / f"{number}.parquet"))
        assert len(sources[-1].ranges()) == -(-1_500 // rows)
    monkeypatch.undo()
    assert_equal(score_panel(sources, threads=3), expected)
    assert_equal(score_panel(sources[1:], threads=2), score_panel(panel[1:]))


def test_a_panel_of_different_things_is_refused(make_predictions: MakePredictions) -> None:
    table = make_predictions(given=[0, 1, 2])
    others = {
        "classes": make_predictions(given=[0, 1, 2], classes=("a", "b", "c")),
        "given labels": make_predictions(given=[0, 1, 1]),
        "images": make_predictions(given=[0, 1]),
        "expected held-out": make_predictions(given=[0, 1, 2], origin=Origin.IN_SAMPLE),
    }
    for message, other in others.items():
        with pytest.raises(PredictionsError, match=message) as caught:
            score_panel([table, other])
        assert "\n" not in str(caught.value)
    with pytest.raises(PredictionsError, match="Got none"):
        score_panel([])


def test_no_images_give_no_scores(make_predictions: MakePredictions) -> None:
    assert len(score_panel([make_predictions(given=[])] * 2)) == 0
