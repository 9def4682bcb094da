import math

import numpy as np
import pytest
import torch

from misread.models.efficient_capsnet import attend, build, squash
from misread.types import Array


def parts(network: torch.nn.Module) -> tuple[int, int]:
    """Numbers of parameters outside and inside the decoder."""
    named = list(network.named_parameters())
    inside = sum(p.numel() for name, p in named if name.startswith("decoder."))
    return sum(p.numel() for _, p in named) - inside, inside


def test_number_of_parameters() -> None:
    network = build((28, 28, 1), 10)
    convolutions = sum(s**2 * a * b + b for s, a, b in [(5, 1, 32), (3, 32, 64), (3, 64, 64)])
    convolutions += 9 * 64 * 128 + 128 + 81 * 128 + 128
    norms = 2 * (32 + 64 + 64 + 128)
    attention = 16 * 10 * 8 * 16 + 16 * 10
    assert parts(network) == (161_824, 1_411_344)
    assert convolutions + norms + attention == 161_824


def attend_in_loops(votes: Array, prior: Array) -> Array:
    """U U^T / sqrt(d), softmax over the classes of its row sums, plus the prior (eqs. 4 to 6)."""
    images, children, classes, size = votes.shape
    found = np.zeros((images, classes, size))
    for n in range(images):
        summed = np.zeros((children, classes))
        for k in range(classes):
            u = votes[n, :, k]
            for i in range(children):
                for j in range(children):
                    summed[i, k] += u[i] @ u[j] / math.sqrt(size)
        for i in range(children):
            powers = [math.exp(summed[i, k]) for k in range(classes)]
            for k in range(classes):
                coupling = powers[k] / sum(powers) + prior[i, k]
                found[n, k] += coupling * votes[n, i, k]
    return found


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_attention_is_what_loops_compute() -> None:
    votes, prior = draw(3, 6, 4, 5), draw(6, 4, seed=1)
    expected = attend_in_loops(votes.numpy(), prior.numpy())
    np.testing.assert_allclose(attend(votes, prior).numpy(), expected, rtol=1e-9)
    single = attend(votes.float(), prior.float()).numpy()
    np.testing.assert_allclose(single, expected, atol=1e-5)


def test_the_order_of_children_does_not_matter() -> None:
    votes, prior = draw(2, 7, 3, 4), draw(7, 3, seed=1)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(attend(votes[:, order], prior[order]), attend(votes, prior))


def test_squash_keeps_the_direction() -> None:
    vectors = draw(50, 8)
    norms = vectors.norm(dim=1, keepdim=True)
    expected = (1 - torch.exp(-norms)) * vectors / norms
    torch.testing.assert_close(squash(vectors), expected, rtol=1e-6, atol=0)


def test_gradients_are_right_and_finite_at_extremes() -> None:
    votes, prior = draw(2, 3, 4, 5).requires_grad_(), draw(3, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda u, b: squash(attend(u, b)), (votes, prior))
    for size in (0.0, 1e-20, 1e4):
        votes = (draw(2, 3, 4, 5) * size).float().requires_grad_()
        squash(attend(votes, torch.zeros(3, 4))).sum().backward()  # type: ignore[no-untyped-call]
        assert votes.grad is not None
        assert votes.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(11, 11, 1), (12, 20, 3), (33, 28, 1)])
def test_the_primary_capsules_see_the_whole_grid(shape: tuple[int, int, int]) -> None:
    height, width, channels = shape
    network = build(shape, 4).eval()
    images = torch.rand(3, channels, height, width)
    assert network.features(images).shape == (3, 128)
    assert network.capsules(images).shape == (3, 4, 16)
