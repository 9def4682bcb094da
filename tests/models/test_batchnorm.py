import numpy as np
import pytest
import torch
from torch import nn

from misread.models.batchnorm import measure_batch_norm
from misread.types import Array

CPU = torch.device("cpu")


def images(count: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, (count, 6, 5, 3), dtype=np.uint8)


def network() -> nn.Sequential:
    """A norm right behind the images, and one behind a dense layer and dropout."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.BatchNorm2d(3, momentum=0.01),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(90, 4),
        nn.BatchNorm1d(4, momentum=0.02),
    )


@pytest.mark.parametrize(("count", "used", "size"), [(1_100, 1_000, 250), (40, 40, 40), (2, 2, 2)])
def test_statistics_are_the_mean_over_batches_of_250(count: int, used: int, size: int) -> None:
    made, pixels = network(), images(count)
    measure_batch_norm(made, pixels, CPU)
    scaled = pixels[:used].astype(np.float64).reshape(used // size, size * 30, 3) / 255
    norm = made[0]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    np.testing.assert_allclose(norm.running_mean, scaled.mean(axis=1).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, scaled.var(axis=1, ddof=1).mean(axis=0), rtol=1e-5)
    if count > 100:
        whole = pixels.reshape(-1, 3) / 255
        np.testing.assert_allclose(norm.running_var, whole.var(axis=0), rtol=0.01)


def test_later_layers_are_measured_behind_the_earlier_ones_without_dropout() -> None:
    made, pixels = network(), images(200)
    measure_batch_norm(made, pixels, CPU)
    first, dense, last = made[0], made[3], made[4]
    assert isinstance(first, nn.BatchNorm2d)
    assert isinstance(dense, nn.Linear)
    assert isinstance(last, nn.BatchNorm1d)
    scaled = pixels.transpose(0, 3, 1, 2).astype(np.float64) / 255
    mean = scaled.mean(axis=(0, 2, 3), keepdims=True)
    variance = scaled.var(axis=(0, 2, 3), keepdims=True)
    flat = ((scaled - mean) / np.sqrt(variance + first.eps)).reshape(200, -1)
    values = flat @ dense.weight.detach().numpy().T + dense.bias.detach().numpy()
    assert last.running_mean is not None
    assert last.running_var is not None
    np.testing.assert_allclose(last.running_mean, values.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(last.running_var, values.var(axis=0, ddof=1), rtol=1e-4)


def test_everything_else_stays() -> None:
    made = network()
    weights = [p.detach().clone() for p in made.parameters()]
    measure_batch_norm(made, images(20), CPU)
    first = [norm.running_mean.clone() for norm in (made[0], made[4])]  # type: ignore[operator]
    measure_batch_norm(made, images(20), CPU)
    again = [norm.running_mean.clone() for norm in (made[0], made[4])]  # type: ignore[operator]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(weights, made.parameters(), strict=True))
    assert not any(layer.training for layer in made.modules())
    assert [made[0].momentum, made[4].momentum] == [0.01, 0.02]
    assert not any(p.grad is not None for p in made.parameters())


def test_a_network_without_batch_norm_is_not_asked() -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    network = nn.Flatten()
    network.register_forward_hook(fail)
    measure_batch_norm(network, np.zeros((4, 5, 5), np.uint8), torch.device("cpu"))
    assert not network.training
