import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from misread.datasets import Dataset
from misread.models.batches import TrainingBatches
from misread.models.prediction import predict_logits
from misread.models.recipe import Recipe
from misread.models.scored import ScoredNetwork, draw_validation, fit_scale
from misread.models.trained import Trained, predict, predict_with_features
from misread.models.training import train_network

MakeDataset = Callable[..., Dataset]

TINY = Recipe(
    "tiny", epochs=2, batch_size=32, optimizer="adamw", learning_rate=3e-3, average_decay=0.9
)


def scores_of(count: int, classes: int, mistakes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(0)
    given = generator.integers(0, classes, count)
    scores = generator.uniform(0, 0.3, (count, classes))
    read = np.where(np.arange(count) < mistakes, (given + 1) % classes, given)
    scores[np.arange(count), read] = generator.uniform(0.2, 1, count)
    return torch.from_numpy(scores), torch.from_numpy(given)


@pytest.mark.parametrize(("count", "classes", "mistakes"), [(400, 10, 9), (30, 3, 1), (50, 2, 0)])
def test_the_scale_has_the_highest_likelihood(count: int, classes: int, mistakes: int) -> None:
    """Against SciPy on the images plus one that is spread over all classes."""
    scores, given = scores_of(count, classes, mistakes)
    z = scores.numpy()

    def loss(scale: float) -> float:
        logs = log_softmax(scale * z, axis=1)
        own = logs[np.arange(count), given.numpy()].sum()
        return float(-own * count / (count + 1) - logs.mean(axis=1).sum() / (count + 1))

    best = minimize_scalar(loss, bounds=(0.1, 1_000), method="bounded", options={"xatol": 1e-8})
    assert fit_scale(scores, given) == pytest.approx(best.x, rel=1e-3)


def test_scores_that_tell_nothing_have_the_lowest_scale() -> None:
    given = torch.arange(100) % 4
    generator = torch.Generator().manual_seed(0)
    assert fit_scale(torch.rand(100, 4, generator=generator), (given + 1) % 4) < 3
    worst = torch.nn.functional.one_hot((given + 1) % 4, 4).float()
    assert fit_scale(worst, given) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(("images", "count"), [(60_000, 1_000), (240, 24), (11, 2), (2, 1)])
def test_validation_images_are_drawn_at_random(images: int, count: int) -> None:
    drawn = draw_validation(images, 3)
    assert len(set(drawn.tolist())) == len(drawn) == count
    assert 0 <= drawn.min() <= drawn.max() < images
    assert drawn.tolist() == draw_validation(images, 3).tolist() == sorted(drawn.tolist())
    if images > 100:
        assert drawn.tolist() != draw_validation(images, 4).tolist()


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(shape=(12, 13, 1))


@pytest.fixture(scope="module")
def trained(dataset: Dataset) -> Trained:
    return train_network(dataset, "efficient-capsnet", TINY, 0, device="cpu")


def test_probabilities_are_the_softmax_of_scaled_scores(dataset: Dataset, trained: Trained) -> None:
    network = trained.network
    assert isinstance(network, ScoredNetwork)
    scale = trained.card.score_scale
    assert scale == pytest.approx(float(network.scale), rel=1e-5)
    assert scale is not None
    images = torch.tensor(dataset.test.pixels()).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        scores = network.scores(images).double().numpy()
    assert scores.min() >= 0
    assert scores.max() < 1
    found = predict(trained, dataset.test).probabilities
    np.testing.assert_allclose(found, softmax(scale * scores, axis=1), atol=1e-4)


def test_the_scale_is_fitted_on_images_that_no_batch_had(
    dataset: Dataset, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    original = TrainingBatches.epoch

    def watched(self: TrainingBatches, number: int) -> object:
        for batch in original(self, number):
            seen.extend(batch[2].tolist())
            yield batch

    monkeypatch.setattr(TrainingBatches, "epoch", watched)
    again = train_network(dataset, "efficient-capsnet", TINY, 0, device="cpu")
    held_out = draw_validation(len(dataset.train), 0)
    assert not set(seen) & set(held_out.tolist())
    # All others but the few that fill no last batch, in either epoch.
    others = len(dataset.train) - len(held_out)
    assert others - others % TINY.batch_size <= len(set(seen)) <= others
    network = again.network
    assert isinstance(network, ScoredNetwork)
    scale = float(network.scale)
    network.scale.fill_(1)
    part = dataset.train.take(held_out)
    scores = predict_logits(network, part.pixels(), torch.device("cpu"))
    refitted = fit_scale(scores, torch.from_numpy(part.labels.astype("int64")))
    assert scale == pytest.approx(refitted, rel=1e-5)
    assert again.card.score_scale == trained.card.score_scale


def test_held_out_images_have_dynamics_too(dataset: Dataset, trained: Trained) -> None:
    held_out = draw_validation(len(dataset.train), 0)
    assert np.abs(trained.dynamics.area_under_margin[held_out]).min() > 0


def test_networks_that_give_logits_are_trained_on_all_images(dataset: Dataset) -> None:
    card = train_network(dataset, "quick", TINY, 0, device="cpu").card
    assert card.score_scale is None


def test_the_features_are_the_class_capsules(dataset: Dataset, trained: Trained) -> None:
    predictions, features = predict_with_features(trained, dataset.test)
    assert features.shape == (90, 3 * 16)
    lengths = features.view(-1, 3, 16).norm(dim=2).numpy()
    np.testing.assert_array_equal(lengths.argmax(axis=1), predictions.predicted)


def test_what_is_reconstructed_matters(dataset: Dataset, trained: Trained) -> None:
    recipe = dataclasses.replace(TINY, reconstruction="released")
    other = train_network(dataset, "efficient-capsnet", recipe, 0, device="cpu")
    assert other.card.log[0].loss > trained.card.log[0].loss
