import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from scipy.stats import chisquare

from misread.analysis.flips import most_confused, plant_flips
from misread.errors import ParameterError
from misread.types import IntArray, LabelArray


def labels(count: int, classes: int, seed: int = 0) -> LabelArray:
    return np.random.default_rng(seed).integers(0, classes, count).astype(np.int16)


@hypothesis_given(
    count=st.integers(0, 200),
    classes=st.integers(2, 40),
    rate=st.floats(0, 1),
    seed=st.integers(0, 2**63),
)
def test_as_many_labels_as_said_become_other_ones(
    count: int, classes: int, rate: float, seed: int
) -> None:
    given = labels(count, classes)
    before = given.copy()
    flipped = plant_flips(given, rate, classes=classes, seed=seed)
    assert (flipped != given).sum() == round(rate * count)
    assert flipped.dtype == np.int16
    assert (flipped >= 0).all()
    assert (flipped < classes).all()
    np.testing.assert_array_equal(given, before)
    np.testing.assert_array_equal(flipped, plant_flips(given, rate, classes=classes, seed=seed))


def test_another_seed_flips_others() -> None:
    given = labels(1_000, 10)
    one, other = (plant_flips(given, 0.1, classes=10, seed=seed) for seed in (0, 1))
    both = ((one != given) & (other != given)).sum()
    assert 0 < both < 30  # 10 expected, standard deviation 3


def test_without_partners_every_other_class_is_as_likely() -> None:
    given = np.full(20_000, 3, np.int16)
    counts = np.bincount(plant_flips(given, 0.5, classes=6, seed=0), minlength=6)
    assert counts[3] == 10_000
    assert chisquare(np.delete(counts, 3)).pvalue > 0.01


def test_with_partners_each_class_goes_to_its_own() -> None:
    given, partners = labels(3_000, 4), np.array([2, 3, 1, 0])
    flipped = plant_flips(given, 0.3, partners, classes=4, seed=1)
    changed = flipped != given
    assert changed.sum() == 900
    np.testing.assert_array_equal(flipped[changed], partners[given[changed]])
    assert len(np.unique(given[changed])) == 4


@pytest.mark.parametrize(
    ("rate", "partners", "classes", "says"),
    [
        (-0.1, None, 3, r"rate must be in \[0, 1\]. Got -0.1"),
        (1.1, None, 3, "Got 1.1"),
        (float("nan"), None, 3, "Got nan"),
        (0.1, None, 1, "classes must be 2 or more. Got 1"),
        (0.1, np.array([1, 1, 0]), 3, "partners: expected another class for each class"),
    ],
)
def test_what_cannot_be_flipped_is_refused(
    rate: float, partners: IntArray | None, classes: int, says: str
) -> None:
    with pytest.raises(ParameterError, match=says):
        plant_flips(labels(10, classes), rate, partners, classes=classes, seed=0)


def test_the_most_confused_class_is_that_of_a_slow_loop() -> None:
    generator = np.random.default_rng(2)
    given = generator.integers(0, 5, 300).astype(np.int16)
    given[given == 2] = 3  # no image is given the class in the middle
    probabilities = generator.dirichlet(np.full(6, 0.3), 300).astype(np.float32)
    partners = most_confused(given, probabilities)
    assert partners[2] == partners[5] == 0
    for label in (0, 1, 3, 4):
        means = {
            k: np.mean([float(row[k]) for row in probabilities[given == label]])
            for k in range(6)
            if k != label
        }
        assert partners[label] == max(means, key=lambda k: means[k])
    assert (partners != np.arange(6)).all()
    flipped = plant_flips(given, 1, partners, classes=6, seed=0)
    np.testing.assert_array_equal(flipped, partners[given])
