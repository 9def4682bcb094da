import math
from collections.abc import Callable

import numpy as np
import pytest
from cleanlab.rank import get_normalized_margin_for_each_label, get_self_confidence_for_each_label
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.difficulty import DIFFICULTY
from misread.analysis.scores import score_images
from misread.analysis.suspicion import SUSPICION
from misread.tables import Predictions

MakePredictions = Callable[..., Predictions]


def table(make: MakePredictions, seed: int = 0) -> Predictions:
    drawn = np.random.default_rng(seed)
    probabilities = drawn.dirichlet(np.full(4, 0.3), 60)
    probabilities[:3] = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    return make(given=drawn.integers(0, 4, 60), probabilities=probabilities, classes=tuple("abcd"))


def by_hand(name: str, row: list[float], label: int) -> float:
    """The formulas of docs/scores.md."""
    first, second = sorted(row, reverse=True)[:2]
    other = max(p for k, p in enumerate(row) if k != label)
    return {
        "entropy": -math.fsum(p * math.log(p) for p in row if p),
        "least-confidence": 1 - first,
        "closeness": 1 - (first - second),
        "self-confidence": 1 - row[label],
        "normalised-margin": (1 - (row[label] - other)) / 2,
    }[name]


@pytest.mark.parametrize("name", [*DIFFICULTY, *SUSPICION])
def test_scores_are_their_formulas(make_predictions: MakePredictions, name: str) -> None:
    made = table(make_predictions)
    found = {**DIFFICULTY, **SUSPICION}[name](score_images(made))
    expected = [
        by_hand(name, [float(p) for p in row], int(label))
        for row, label in zip(made.probabilities, made.given, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_suspicions_are_what_cleanlab_calls_label_quality_upside_down(
    make_predictions: MakePredictions,
) -> None:
    made = table(make_predictions)
    scores = score_images(made)
    labels = made.given.astype(int)
    quality = get_self_confidence_for_each_label(labels, made.probabilities)
    np.testing.assert_allclose(SUSPICION["self-confidence"](scores), 1 - quality, atol=1e-6)
    quality = get_normalized_margin_for_each_label(labels, made.probabilities)
    np.testing.assert_allclose(SUSPICION["normalised-margin"](scores), 1 - quality, atol=1e-6)


@hypothesis_given(order=st.permutations(range(60)), names=st.permutations(range(4)))
@settings(deadline=None, max_examples=20)
def test_the_order_of_images_and_of_classes_goes_through(
    make_predictions: MakePredictions, order: list[int], names: list[int]
) -> None:
    made = table(make_predictions)
    moved = make_predictions(
        given=np.array(names)[made.given[order]],
        probabilities=made.probabilities[order][:, np.argsort(names)],
        classes=tuple("abcd"),
    )
    before, after = score_images(made), score_images(moved)
    for name, score in {**DIFFICULTY, **SUSPICION}.items():
        np.testing.assert_allclose(score(before)[order], score(after), atol=1e-6, err_msg=name)
