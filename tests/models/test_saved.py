"""Networks come back from a study's files as they were trained."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from misread.datasets import Dataset
from misread.errors import ParameterError, StudyError
from misread.models.catalogue import find_model
from misread.models.prediction import predict_probabilities
from misread.models.saved import read_network, save_weights
from misread.models.trained import Trained
from misread.models.training import train_network

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset(train=60, test=12, shape=(13, 12, 3))


@pytest.fixture(scope="module")
def trained(dataset: Dataset) -> Trained:
    recipe = find_model("efficient-capsnet").recipe(None, 1)
    return train_network(dataset, "efficient-capsnet", recipe, 0, device="cpu")


def test_a_network_read_back_predicts_the_same(
    trained: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(trained, path)
    before = torch.random.get_rng_state()
    network = read_network(trained.card, path, CPU)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not network.training
    pixels = dataset.test.pixels()
    np.testing.assert_array_equal(
        predict_probabilities(network, pixels, CPU),
        predict_probabilities(trained.network, pixels, CPU),
    )


def test_weights_of_another_network_are_refused(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(trained, path)
    other = dataclasses.replace(trained.card, name="other")
    with pytest.raises(StudyError, match=r"expected the weights of other, found 'efficient"):
        read_network(other, path, CPU)
    wider = dataclasses.replace(trained.card, classes=("a", "b"))
    with pytest.raises(StudyError, match="its tensors don't fit efficient-capsnet"):
        read_network(wider, path, CPU)
    with pytest.raises(ParameterError, match="model: expected one of"):
        read_network(dataclasses.replace(trained.card, model="net"), path, CPU)
    with pytest.raises(StudyError, match="expected weights saved by misread"):
        read_network(trained.card, tmp_path / "none", CPU)
