"""How many networks read an image as given, against all that could have led to the means."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from misread.analysis.learning import count_learners
from misread.tables import Dynamics, Predictions

MakePredictions = Callable[..., Predictions]
MakeDynamics = Callable[..., Dynamics]


@pytest.mark.parametrize(("networks", "epochs"), [(1, 3), (2, 2), (4, 3), (3, 1)])
def test_it_is_as_sharp_as_the_means_allow(
    make_predictions: MakePredictions, make_dynamics: MakeDynamics, networks: int, epochs: int
) -> None:
    """Every way in which networks can learn an image, grouped by what tables keep of it."""
    never = epochs + 1
    learners: dict[float, set[int]] = {}
    for firsts in itertools.product(range(1, never + 1), repeat=networks):
        learned = sum(first < never for first in firsts)
        learners.setdefault(float(np.mean(firsts)), set()).add(learned)
    means = sorted(learners)
    table = make_predictions(given=[0] * len(means))
    found = count_learners(
        [make_dynamics(table, first_learned=means, epochs=epochs, networks=networks)]
    )
    assert found.least.tolist() == [min(learners[mean]) for mean in means]
    assert found.most.tolist() == [max(learners[mean]) for mean in means]
    for mean, epoch, least in zip(means, found.epoch, found.least, strict=True):
        if len(learners[mean]) > 1 or not least:
            assert np.isnan(epoch)
        else:
            assert epoch == pytest.approx((mean * networks - (networks - least) * never) / least)


def test_tables_add_up(make_predictions: MakePredictions, make_dynamics: MakeDynamics) -> None:
    """One network of four in its epoch 3 of 3, and all of two in epoch 1 or 2 of 10."""
    table = make_predictions(given=[0])
    found = count_learners(
        [
            make_dynamics(table, first_learned=[3.75], forgotten=[0.25], epochs=3, networks=4),
            make_dynamics(table, first_learned=[1.5], forgotten=[1.0], epochs=10, networks=2),
        ]
    )
    assert (found.least.tolist(), found.most.tolist(), found.forgotten.tolist()) == ([3], [3], [3])
    assert found.epoch.tolist() == [2.0]
