"""Planted label flips: the one kind of wrong label whose truth is known."""

import numpy as np

from misread.errors import ParameterError
from misread.types import FloatArray, IntArray, LabelArray


def plant_flips(
    given: LabelArray, rate: float, partners: IntArray | None = None, *, classes: int, seed: int
) -> LabelArray:
    """Give some images, drawn at random, another label.

    Args:
        given: (N,) int16, labels in 0..classes - 1.
        rate: Share of the images to flip, in [0, 1]; round(rate x N) of them are.
        partners: (K,) int64, the class that each class is flipped to; None draws one of the other
            classes uniformly.
        classes: Number of classes K, 2 or more.
        seed: Seed of the draw.

    Returns:
        (N,) int16, the labels with the flips; compare with `given` to find them.

    Raises:
        ParameterError: The rate is outside [0, 1], there is one class, or a class is its own
            partner.
    """
    if not 0 <= rate <= 1:
        raise ParameterError(f"rate must be in [0, 1]. Got {rate} instead.")
    if classes < 2:
        raise ParameterError(f"classes must be 2 or more. Got {classes} instead.")
    if partners is not None and np.any(partners == np.arange(classes)):
        raise ParameterError("partners: expected another class for each class, found the same one")
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(given), round(rate * len(given)), replace=False)
    flipped = given.copy()
    if partners is None:
        steps = generator.integers(1, classes, len(chosen))
        flipped[chosen] = (given[chosen] + steps) % classes
    else:
        flipped[chosen] = partners[given[chosen]]
    return flipped


def most_confused(given: LabelArray, probabilities: FloatArray) -> IntArray:
    """The class that each class is most mistaken for.

    Args:
        given: (N,) int16.
        probabilities: (N, K) float32, of a model that saw none of these images.

    Returns:
        (K,) int64, for each class the other class with the largest mean probability among the
        images given it; the first other class where it has no images.
    """
    classes = probabilities.shape[1]
    sums = np.zeros((classes, classes))
    np.add.at(sums, given, probabilities)
    np.fill_diagonal(sums, -1)
    partners: IntArray = sums.argmax(axis=1)
    return partners
