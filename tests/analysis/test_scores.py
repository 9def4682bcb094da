from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st
from scipy.stats import entropy as entropy_of_scipy

from misread.analysis.difficulty import DIFFICULTY, closeness, least_confidence
from misread.analysis.scores import ImageScores, over_ranges, score_images
from misread.analysis.suspicion import SUSPICION
from misread.errors import PredictionsError
from misread.tables import Origin, Predictions, Provenance
from misread.tables.parquet import PredictionsFile, write_predictions

MakePredictions = Callable[..., Predictions]


def random_table(make: MakePredictions, count: int, classes: int, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    return make(
        given=generator.integers(0, classes, count),
        probabilities=generator.dirichlet(np.full(classes, 0.1), count),
        classes=tuple(str(name) for name in range(classes)),
    )


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 1_000])
def test_columns_are_those_of_a_slow_loop(make_predictions: MakePredictions, classes: int) -> None:
    table = random_table(make_predictions, 300, classes)
    scores = score_images(table)
    for row, probabilities in enumerate(table.probabilities):
        rest = sorted(probabilities)[:-1]
        label = table.given[row]
        assert scores.predicted[row] == table.predicted[row]
        assert scores.p_predicted[row] == probabilities.max()
        assert scores.p_second[row] == (rest[-1] if rest else 0)
        assert scores.p_given[row] == probabilities[label]
        assert scores.p_other[row] == np.delete(probabilities, label).max(initial=0)
    exact = entropy_of_scipy(table.probabilities.astype(np.float64), axis=1)
    np.testing.assert_allclose(scores.entropy, exact, atol=5e-6)
    assert scores.entropy.dtype == np.float32


def test_a_certain_row_and_an_even_one_are_the_ends(make_predictions: MakePredictions) -> None:
    table = make_predictions(given=[0, 1], probabilities=[[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    scores = score_images(table)
    np.testing.assert_allclose(scores.entropy, [0, np.log(3)], atol=1e-6)
    np.testing.assert_allclose(least_confidence(scores), [0, 2 / 3], atol=1e-6)
    np.testing.assert_allclose(closeness(scores), [0, 1], atol=1e-6)
    assert scores.predicted.tolist() == [0, 0]  # of equal ones the first


@hypothesis_given(
    logits=st.lists(st.lists(st.floats(-200, 200), min_size=4, max_size=4), min_size=1, max_size=8)
)
@settings(deadline=None)
def test_every_score_is_finite_and_in_its_range(logits: list[list[float]]) -> None:
    values = np.array(logits)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    table = Predictions(
        np.arange(len(values), dtype=np.int32),
        (np.arange(len(values)) % 4).astype(np.int16),
        (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32),
        Provenance("m", "r", 0, "test", Origin.HELD_OUT, ("a", "b", "c", "d"), "", ""),
    )
    scores = score_images(table)
    highest = {"entropy": np.log(4), "least-confidence": 0.75}
    for name, score in {**DIFFICULTY, **SUSPICION}.items():
        values = score(scores)
        assert values.dtype == np.float32, name
        assert (values >= -1e-6).all(), name
        assert (values <= highest.get(name, 1) + 1e-5).all(), name


@pytest.mark.parametrize("name", DIFFICULTY)
def test_difficulties_rise_from_certain_to_even_and_ignore_the_label(
    make_predictions: MakePredictions, name: str
) -> None:
    steps = np.linspace(0, 1, 20)[:, None]
    mixed = (1 - steps) * [1, 0, 0] + steps * [1 / 3, 1 / 3, 1 / 3]
    found = [
        DIFFICULTY[name](
            score_images(make_predictions(given=np.full(20, label), probabilities=mixed))
        )
        for label in range(3)
    ]
    assert (np.diff(found[0]) > 0).all()
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()


@pytest.mark.parametrize("name", SUSPICION)
def test_suspicions_fall_with_the_probability_of_the_given_class(
    make_predictions: MakePredictions, name: str
) -> None:
    share = np.linspace(0, 1, 20)[:, None]
    mixed = share * [1, 0, 0] + (1 - share) * [0, 0.8, 0.2]
    scores = score_images(make_predictions(given=np.zeros(20), probabilities=mixed))
    assert (np.diff(SUSPICION[name](scores)) < 0).all()


@pytest.mark.parametrize("classes", [3, 700])
def test_a_file_scores_as_its_table(
    make_predictions: MakePredictions,
    tmp_path: Path,
    classes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = random_table(make_predictions, 2_000, classes)
    monkeypatch.setattr("misread.tables.predictions.RANGE_BYTES", 400 * classes)
    write_predictions(tmp_path / "p.parquet", table)
    file = PredictionsFile.open(tmp_path / "p.parquet")
    assert len(file.ranges()) == 20
    monkeypatch.undo()
    assert len(table.ranges()) == 1
    ours, theirs = score_images(table), score_images(file, threads=3)
    for name in vars(ours):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), atol=2e-6 if name == "entropy" else 0
        )


def test_in_sample_probabilities_are_refused(make_predictions: MakePredictions) -> None:
    with pytest.raises(PredictionsError, match="expected held-out or cross-fitted"):
        score_images(make_predictions(given=[0, 1], origin=Origin.IN_SAMPLE))


def test_an_error_in_a_thread_is_raised_at_once() -> None:
    done = []

    def work(start: int, stop: int) -> None:
        done.append(start)
        raise PredictionsError("row 3 is damaged")

    with pytest.raises(PredictionsError, match="row 3 is damaged"):
        over_ranges(work, [(at, at + 1) for at in range(1_000)], threads=2)
    assert len(done) < 1_000


def test_scores_know_their_length(make_predictions: MakePredictions) -> None:
    scores: ImageScores = score_images(make_predictions(given=[0, 1, 2, 0]))
    assert len(scores) == 4
