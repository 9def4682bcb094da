from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.noise import noise_matrix, undo_noise
from misread.tables import Predictions
from misread.tables.parquet import PredictionsFile, write_predictions
from misread.types import Array

MakePredictions = Callable[..., Predictions]

T = np.array([[0.8, 0.15, 0.05], [0.02, 0.9, 0.08], [0.2, 0.1, 0.7]])


def test_the_matrix_is_counted() -> None:
    generator = np.random.default_rng(0)
    read_as, given = generator.integers(0, 3, (2, 500)).astype(np.int16)
    read_as[read_as == 1] = 2  # nothing is read as the class in the middle
    matrix = noise_matrix(read_as, given, 4)
    for t in range(4):
        counts = [sum((read_as == t) & (given == k)) + (t == k) for k in range(4)]
        assert matrix[t] == pytest.approx(np.array(counts) / sum(counts))
    assert matrix[1].tolist() == [0, 1, 0, 0]


def test_the_matrix_finds_the_noise_that_was_put_in() -> None:
    generator = np.random.default_rng(1)
    true = generator.integers(0, 3, 60_000)
    given = (generator.random(60_000)[:, None] > T[true].cumsum(axis=1)).sum(axis=1)
    # Standard error of a share of 20,000 images: 0.0035 at most.
    assert noise_matrix(true.astype(np.int16), given.astype(np.int16), 3) == pytest.approx(
        T, abs=0.015
    )


def mixtures(count: int, classes: int = 3, seed: int = 0) -> Array:
    """What a model would say of the true class, nothing near zero."""
    drawn = np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), count)
    return 0.9 * drawn + 0.1 / classes


def test_undoing_noise_gives_back_what_noise_was_done_to(make_predictions: MakePredictions) -> None:
    """Patrini et al. (2017), theorem 2: p = q T, so that q = p T^-1."""
    q = mixtures(300)
    given = np.arange(300) % 3
    of_given, of_rival = undo_noise(make_predictions(given=given, probabilities=q @ T), T)
    rows = np.arange(300)
    np.testing.assert_allclose(of_given, q[rows, given], atol=2e-6)
    q[rows, given] = 0
    np.testing.assert_allclose(of_rival, q.max(axis=1), atol=2e-6)
    assert of_given.dtype == of_rival.dtype == np.float32


def test_what_falls_below_a_thousandth_is_cut_off(make_predictions: MakePredictions) -> None:
    p = np.random.default_rng(0).dirichlet(np.full(3, 0.2), 200)
    given = np.arange(200) % 3
    of_given, of_rival = undo_noise(make_predictions(given=given, probabilities=p), T)
    cut = 0
    for row in range(200):
        q = [max(1e-3, value) for value in np.linalg.solve(T.T, p[row])]
        cut += min(q) == 1e-3
        q = [value / sum(q) for value in q]
        assert of_given[row] == pytest.approx(q[given[row]], abs=1e-5)
        assert of_rival[row] == pytest.approx(max(np.delete(q, given[row])), abs=1e-5)
    assert 50 < cut < 200


def test_a_clear_image_is_clear_again(make_predictions: MakePredictions) -> None:
    """Every tenth 4 is given as 9, so of a clear 4 the model says 9 with probability 0.1."""
    noise = np.array([[0.9, 0.1], [0, 1]])
    table = make_predictions(given=[1], probabilities=[[0.9, 0.1]], classes=("4", "9"))
    of_given, of_rival = undo_noise(table, noise)
    assert of_given[0] == pytest.approx(1e-3, rel=1e-2)
    assert of_rival[0] > 0.99


@pytest.mark.parametrize("matrix", [[[0.5, 0.5], [0.1, 0.9]], [[0.4, 0.6], [0.6, 0.4]]])
def test_noise_that_outweighs_the_labels_is_left(
    make_predictions: MakePredictions, matrix: list[list[float]]
) -> None:
    p = mixtures(50, 2)
    table = make_predictions(given=np.zeros(50), probabilities=p, classes=("4", "9"))
    of_given, of_rival = undo_noise(table, np.array(matrix))
    np.testing.assert_allclose(of_given, p[:, 0], atol=1e-6)
    np.testing.assert_allclose(of_rival, p[:, 1], atol=1e-6)


def test_one_class_has_no_rival(make_predictions: MakePredictions) -> None:
    table = make_predictions(given=[0, 0], probabilities=[[1], [1]], classes=("4",))
    of_given, of_rival = undo_noise(table, np.ones((1, 1)))
    assert (of_given.tolist(), of_rival.tolist()) == ([1, 1], [0, 0])


def test_a_file_and_its_table_say_the_same_in_any_number_of_threads(
    make_predictions: MakePredictions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_predictions(given=np.arange(900) % 3, probabilities=mixtures(900))
    monkeypatch.setattr("misread.tables.predictions.RANGE_BYTES", 12 * 100)
    write_predictions(tmp_path / "p.parquet", table)
    file = PredictionsFile.open(tmp_path / "p.parquet")
    assert len(file.ranges()) == 9
    one, other = undo_noise(table, T, threads=1), undo_noise(file, T, threads=3)
    np.testing.assert_array_equal(one, other)
    monkeypatch.undo()
    np.testing.assert_allclose(undo_noise(table, T), one, atol=1e-6)


@hypothesis_given(order=st.permutations(range(12)), names=st.permutations(range(3)))
@settings(deadline=None, max_examples=25)
def test_the_order_of_images_and_of_classes_goes_through(
    make_predictions: MakePredictions, order: list[int], names: list[int]
) -> None:
    q, given = mixtures(12) @ T, np.arange(12) % 3
    found = undo_noise(make_predictions(given=given, probabilities=q), T)
    back = np.argsort(names)  # class k is now called names[k]
    moved = make_predictions(given=np.array(names)[given[order]], probabilities=q[order][:, back])
    again = undo_noise(moved, T[np.ix_(back, back)])
    for ours, theirs in zip(found, again, strict=True):
        np.testing.assert_allclose(ours[order], theirs, atol=2e-6)
