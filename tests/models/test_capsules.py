"""What all capsule networks must do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from misread.datasets import Dataset, load
from misread.errors import ParameterError, TrainingStoppedError
from misread.models.capsnet import build as build_capsnet
from misread.models.catalogue import find_model
from misread.models.efficient_capsnet import build as build_efficient
from misread.models.em_capsnet import build as build_em
from misread.models.recipe import Recipe
from misread.models.scored import ScoredNetwork
from misread.models.trained import Trained
from misread.models.training import Progress, train_network

MakeDataset = Callable[..., Dataset]
Build = Callable[..., ScoredNetwork]


def build_tiny_em(shape: tuple[int, int, int], classes: int) -> ScoredNetwork:
    return build_em(shape, classes, widths=(16, 4, 6, 6))


BUILDS: dict[str, Build] = {
    "efficient-capsnet": build_efficient,
    "capsnet": build_capsnet,
    "em-capsnet": build_tiny_em,
}
SMALLEST = {"efficient-capsnet": 11, "capsnet": 17, "em-capsnet": 17}


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 10), ((19, 24, 3), 2)])
def test_any_shape_gives_scores_and_logits(
    name: str, shape: tuple[int, int, int], classes: int
) -> None:
    height, width, channels = shape
    network = BUILDS[name](shape, classes).eval()
    images = torch.rand(3, channels, height, width)
    with torch.no_grad():
        scores = network.scores(images)
        assert scores.shape == (3, classes)
        assert 0 <= scores.min() <= scores.max() <= 1
        network.scale.fill_(7)
        torch.testing.assert_close(network(images), 7 * scores)


@pytest.mark.parametrize("name", BUILDS)
def test_the_smallest_image_is_trained_on_and_a_smaller_one_refused(name: str) -> None:
    side = SMALLEST[name]
    network = BUILDS[name]((side, side, 1), 3)
    recipe = Recipe("r", epochs=1, reconstruction="paper")
    loss, scores = network.objective(torch.rand(2, 1, side, side), torch.tensor([0, 2]), recipe, 0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert scores.shape == (2, 3)
    for height, width in ((side - 1, 30), (30, side - 1)):
        with pytest.raises(ParameterError) as caught:
            BUILDS[name]((height, width, 1), 3)
        assert f"Got {height} x {width} instead" in str(caught.value)
        assert name in str(caught.value)


@pytest.mark.parametrize("name", BUILDS)
def test_one_image_or_many_give_the_same_scores(name: str) -> None:
    network = BUILDS[name]((20, 20, 1), 4).eval()
    images = torch.rand(9, 1, 20, 20)
    with torch.no_grad():
        apart = torch.cat([network.scores(image[None]) for image in images])
        torch.testing.assert_close(network.scores(images), apart, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps", "rate"), [
    ("efficient-capsnet", 40, 3e-3), ("capsnet", 30, 1e-3), ("em-capsnet", 150, 1e-2),
])  # fmt: skip
def test_64_digits_are_learned_by_heart(name: str, steps: int, rate: float) -> None:
    digits = load("mnist").train.take(range(64))
    images = torch.tensor(digits.pixels()).float()[:, None] / 255
    given = torch.tensor(digits.labels.astype("int64"))
    torch.manual_seed(0)
    network = BUILDS[name]((28, 28, 1), 10)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    recipe = Recipe("r", epochs=1, reconstruction="paper")
    for _ in range(steps):
        loss, scores = network.objective(images, given, recipe, 0.3)
        if (scores.argmax(dim=1) == given).all():
            break
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert (scores.argmax(dim=1) == given).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficient-capsnet", "capsnet", "em-capsnet", "em-capsnet-full"])
def test_an_interrupted_training_ends_in_the_same_weights(
    name: str, make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(train=48, test=8, shape=(17, 18, 1))
    spec = find_model(name)
    recipe = Recipe(
        "r", epochs=2, batch_size=16, optimizer="adamw", learning_rate=1e-3, schedule="one-cycle",
        warmup=0.25, shift=1, average_decay=0.9, precision=spec.recipe().precision,
        reconstruction=spec.recipe().reconstruction,
    )  # fmt: skip

    def train(**more: Any) -> Trained:
        return train_network(dataset, name, recipe, 0, device="cpu", **more)

    whole = train()
    steps: list[Progress] = []

    def stop(now: Progress) -> None:
        steps.append(now)
        if now.epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "a.checkpoint"
    with pytest.raises(TrainingStoppedError, match="goes on after epoch 1"):
        train(checkpoint=checkpoint, on_step=stop)
    resumed = train(checkpoint=checkpoint)
    one, other = state(resumed), state(whole)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert resumed.card.score_scale == whole.card.score_scale is not None


def state(trained: Trained) -> dict[str, Tensor]:
    return dict(trained.network.state_dict())


def test_the_card_names_the_options_and_the_precision(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(train=8, test=2, shape=(17, 17, 1))
    recipe = Recipe("r", epochs=1, batch_size=4, precision="mixed")
    card = train_network(dataset, "em-capsnet-full", recipe, 0, device="cpu").card
    assert card.options == {"widths": (32, 32, 32, 32)}
    assert card.precision in ("float32", "bfloat16")
