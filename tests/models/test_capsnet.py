import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from misread.models.capsnet import build, route, squash
from misread.models.capsules import Decoder, margin_loss
from misread.types import Array


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_number_of_parameters() -> None:
    network = build((28, 28, 1), 10)
    counts = {
        "convolution": network.weight.numel() + network.bias.numel(),
        "primary": sum(p.numel() for p in network.primary.parameters()),
        "transform": network.transform.numel(),
        "decoder": sum(p.numel() for p in network.decoder.parameters()),
    }
    assert counts == {
        "convolution": 20_992,
        "primary": 5_308_672,
        "transform": 1_474_560,
        "decoder": 1_411_344,
    }
    assert sum(p.numel() for p in network.parameters()) == 8_215_568


def squash_one(s: Array) -> Array:
    squared = float(s @ s)
    return squared / (1 + squared) * s / math.sqrt(squared + 1e-7)


def route_in_loops(primary: Array, matrices: Array, iterations: int) -> tuple[Array, Array]:
    """Procedure 1, vote by vote: capsules (N, K, D), and the couplings (N, I, K) they came from."""
    images, children, _ = primary.shape
    classes, size = matrices.shape[0], matrices.shape[3]
    capsules = np.zeros((images, classes, size))
    couplings = np.zeros((images, children, classes))
    for n in range(images):
        votes = np.array(
            [[primary[n, i] @ matrices[k, i] for k in range(classes)] for i in range(children)]
        )  # u_hat, (I, K, D)
        logits = np.zeros((children, classes))
        for _ in range(iterations):
            for i in range(children):
                powers = np.exp(logits[i])
                couplings[n, i] = powers / powers.sum()
            for k in range(classes):
                total = sum(couplings[n, i, k] * votes[i, k] for i in range(children))
                capsules[n, k] = squash_one(np.asarray(total))
            for i in range(children):
                for k in range(classes):
                    logits[i, k] += votes[i, k] @ capsules[n, k]
    return capsules, couplings


def example(iterations: int) -> tuple[torch.Tensor, torch.Tensor, Array]:
    primary, matrices = draw(3, 4, 7), 2 * draw(5, 4, 7, 6, seed=1)
    expected, couplings = route_in_loops(
        primary.transpose(1, 2).numpy(), matrices.transpose(1, 2).numpy(), iterations
    )
    assert iterations == 1 or couplings.std() > 0.1  # routing does something here
    return primary, matrices.flatten(1, 2), expected


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_routing_is_what_loops_compute(iterations: int) -> None:
    primary, weights, expected = example(iterations)
    found = route(primary, weights, iterations).transpose(0, 1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-8)
    single = route(primary.float(), weights.float(), iterations).transpose(0, 1)
    np.testing.assert_allclose(single.numpy(), expected, atol=1e-5)


def test_couplings_sum_to_one_over_the_classes() -> None:
    """If every vote of a child is the same vector, the classes share exactly that vector."""
    primary = draw(2, 4, 1)
    same = draw(1, 4, 1, 6, seed=1).expand(5, -1, -1, -1).flatten(1, 2)
    # One child, whose couplings are 1 / 5 each: the sums before squashing add up to its vote.
    found = route(primary, same, 3)
    vote = torch.einsum("nd,dz->nz", primary[:, :, 0], same[0])
    torch.testing.assert_close(found, squash(vote / 5).expand(5, -1, -1))


def test_the_order_of_children_does_not_matter() -> None:
    primary, weights, _ = example(3)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(2))
    turned = weights.view(5, 4, 7, 6)[:, :, order].flatten(1, 2)
    torch.testing.assert_close(route(primary[:, :, order], turned, 3), route(primary, weights, 3))


def test_turning_the_votes_turns_the_classes() -> None:
    primary, weights, _ = example(3)
    turn, _ = torch.linalg.qr(draw(6, 6, seed=3))
    torch.testing.assert_close(route(primary, weights @ turn, 3), route(primary, weights, 3) @ turn)


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_gradients_are_right(iterations: int) -> None:
    primary, weights = draw(2, 2, 3).requires_grad_(), draw(3, 6, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda u, w: route(u, w, iterations), (primary, weights))


@pytest.mark.parametrize("size", [0.0, 1e-20, 1e-6, 1e4, 1e8])
def test_gradients_are_finite_at_extremes(size: float) -> None:
    primary = (draw(2, 4, 7) * size).float().requires_grad_()
    weights = draw(5, 28, 6, seed=1).float().requires_grad_()
    found = route(squash(primary, dim=1), weights * max(size, 1), 3)
    found.square().sum().backward()  # type: ignore[no-untyped-call]
    for tensor in (found, primary.grad, weights.grad):
        assert tensor is not None
        assert tensor.isfinite().all()


@pytest.mark.parametrize("shape", [(28, 28, 1), (17, 17, 3), (18, 21, 2), (20, 19, 1)])
def test_the_network_is_two_plain_convolutions_and_routing(shape: tuple[int, int, int]) -> None:
    """The windows, blocks and frequencies are another way to write two valid convolutions."""
    height, width, channels = shape
    torch.manual_seed(0)
    network = build(shape, 6)
    images = torch.rand(3, channels, height, width).to(memory_format=torch.channels_last)
    first = network.weight.view(9, 9, channels, 256).permute(3, 2, 0, 1)
    second = network.primary.weight.view(9, 9, 256, 256).permute(3, 2, 0, 1)
    maps = F.conv2d(images, first, network.bias).relu()
    primary = F.conv2d(maps, second, network.primary.bias, stride=2)  # (N, 8 x 32, rows, columns)
    primary = primary.reshape(3, 8, 32, -1).transpose(2, 3).flatten(2)
    expected = route(squash(primary, dim=1), network.transform, 3).transpose(0, 1)
    torch.testing.assert_close(network.capsules(images), expected, rtol=1e-3, atol=1e-6)


def test_more_images_than_are_routed_at_once() -> None:
    network = build((17, 17, 1), 3)
    images = torch.rand(70, 1, 17, 17)
    with torch.no_grad():
        whole = network.capsules(images)
        parts = torch.cat([network.capsules(part) for part in images.view(10, 7, 1, 17, 17)])
    torch.testing.assert_close(whole, parts, rtol=1e-3, atol=1e-6)


def test_margin_loss_is_equation_4() -> None:
    lengths = torch.tensor([[0.95, 0.05, 0.3], [0.2, 0.9, 0.1]])
    given = torch.tensor([0, 2])
    expected = [0.5 * 0.2**2, 0.5 * 0.1**2 + 0.5 * 0.8**2 + 0.8**2]
    torch.testing.assert_close(margin_loss(lengths, given), torch.tensor(expected))


def test_the_decoder_sees_the_chosen_class_alone() -> None:
    decoder = Decoder((5, 4, 3), 3, 16)
    capsules, chosen = torch.randn(2, 3, 16), torch.tensor([2, 0])
    drawn = decoder(capsules, chosen)
    assert drawn.shape == (2, 3, 5, 4)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    other = capsules.clone()
    other[0, :2] += 1
    other[1, 1:] += 1
    torch.testing.assert_close(decoder(other, chosen), drawn)
    other[0, 2] += 1
    assert not torch.allclose(decoder(other, chosen)[0], drawn[0])
