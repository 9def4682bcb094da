import math

import numpy as np
import pytest
import torch

from misread.errors import ParameterError
from misread.models.em_capsnet import (
    EMRouting,
    Windows,
    build,
    spread_loss,
    spread_margin,
)
from misread.models.em_votes import Votes
from misread.types import Array


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


FULL = (32, 32, 32, 32)


@pytest.mark.parametrize(
    ("shape", "classes", "widths", "count"),
    [
        ((28, 28, 1), 10, (64, 8, 16, 16), 68_308),
        ((28, 28, 1), 10, FULL, 318_420),
    ],
)
def test_number_of_parameters(
    shape: tuple[int, int, int], classes: int, widths: tuple[int, int, int, int], count: int
) -> None:
    a, b, c, d = widths
    convolutions = 25 * shape[2] * a + a + a * b * 17
    matrices = 9 * b * c * 16 + 9 * c * d * 16 + d * classes * 16
    betas = 2 * (c + d + classes)
    assert convolutions + matrices + betas == count
    network = build(shape, classes, widths)
    assert sum(p.numel() for p in network.parameters()) == count


@pytest.mark.parametrize(
    ("widths", "count"), [((64, 8, 16, 16), 68_618), (FULL, 316_650)], ids=["small", "full"]
)
def test_number_of_parameters_for_pairs_of_views(
    widths: tuple[int, int, int, int], count: int
) -> None:
    """As the paper counts for smallNORB: two views as channels, five classes."""
    network = build((32, 32, 2), 5, widths)
    assert sum(p.numel() for p in network.parameters()) == count


GRID, BEFORE, AFTER = (4, 5), 2, 3


def layer_of(iterations: int, *, shared: bool = False, seed: int = 1) -> EMRouting:
    """A layer on a 4 x 5 grid: 3x3 windows, or one class from all places."""
    if shared:
        numbers = torch.arange(GRID[0] * GRID[1])
        places = torch.stack([numbers // GRID[1], numbers % GRID[1]], dim=1).float() / 10
        layer = EMRouting(BEFORE, AFTER, Windows.of_grid(GRID, GRID, 1), iterations, places)
    else:
        layer = EMRouting(BEFORE, AFTER, Windows.of_grid(GRID, (3, 3), 1), iterations)
    layer = layer.double()
    with torch.no_grad():
        layer.transform.copy_(draw(*layer.transform.shape, seed=seed))
        layer.beta_u.copy_(draw(AFTER, seed=seed + 1))
        layer.beta_a.copy_(draw(AFTER, seed=seed + 2))
    return layer


def children_of(images: int) -> tuple[torch.Tensor, torch.Tensor]:
    places = GRID[0] * GRID[1]
    return draw(images, places, 16, BEFORE), draw(images, places, BEFORE, seed=5).sigmoid()


def route_in_loops(
    layer: EMRouting, poses: Array, activations: Array, windows: list[list[int]], *, shared: bool
) -> tuple[Array, Array, dict[tuple[int, int], float]]:
    """Procedure 1 for one image, vote by vote, from the equations.

    Returns:
        Poses (P, C, 16) and activations (P, C) of the parents, and what the last couplings of each
        child (place, type) add up to.
    """
    size = len(windows[0])
    matrices = layer.transform.detach().numpy().reshape(AFTER, 4, 4, -1, BEFORE)
    beta_u, beta_a = layer.beta_u.detach().numpy(), layer.beta_a.detach().numpy()
    votes: dict[tuple[int, ...], Array] = {}
    coupling: dict[tuple[int, ...], float] = {}
    fed: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for p, window in enumerate(windows):
        for k, s in enumerate(window):
            for b in range(BEFORE):
                fed.setdefault((s, b), []).append((p, k))
                pose = poses[s, :, b].reshape(4, 4)
                for c in range(AFTER):
                    vote = pose @ matrices[c, :, :, 0 if shared else k, b]
                    if shared:
                        vote[0, 0] += s // GRID[1] / 10
                        vote[0, 1] += s % GRID[1] / 10
                    votes[p, k, b, c] = vote.reshape(16)
    for (_, b), places in fed.items():
        for p, k in places:
            for c in range(AFTER):
                coupling[p, k, b, c] = 1 / (len(places) * AFTER)
    uniform = dict(coupling)
    mean = np.zeros((len(windows), AFTER, 16))
    variance = np.zeros_like(mean)
    active = np.zeros((len(windows), AFTER))
    for t in range(1, layer.iterations + 1):
        for p, window in enumerate(windows):
            for c in range(AFTER):
                pairs = [(k, b) for k in range(size) for b in range(BEFORE)]
                r = {(k, b): coupling[p, k, b, c] * activations[window[k], b] for k, b in pairs}
                total = sum(r.values())
                most = sum(uniform[p, k, b, c] for k, b in pairs)
                mean[p, c] = sum(r[pair] * votes[(p, *pair, c)] for pair in pairs) / total
                squares = sum(r[pair] * (votes[(p, *pair, c)] - mean[p, c]) ** 2 for pair in pairs)
                variance[p, c] = squares / total + 5e-4
                cost = sum((beta_u[c] + math.log(math.sqrt(v))) for v in variance[p, c])
                heat = 2.0 * (1 - 0.95**t)
                active[p, c] = 1 / (1 + math.exp(-heat * (beta_a[c] - cost * total / most)))
        if t == layer.iterations:
            break
        for (_, b), places in fed.items():
            logits = {}
            for p, k in places:
                for c in range(AFTER):
                    v = variance[p, c]
                    gap = votes[p, k, b, c] - mean[p, c]
                    log_p = -(gap**2 / (2 * v)).sum() - 0.5 * np.log(2 * math.pi * v).sum()
                    logits[p, k, c] = math.log(active[p, c]) + log_p
            top = max(logits.values())
            whole = sum(math.exp(value - top) for value in logits.values())
            for (p, k, c), value in logits.items():
                coupling[p, k, b, c] = math.exp(value - top) / whole
    sums = {
        child: sum(coupling[p, k, child[1], c] for p, k in places for c in range(AFTER))
        for child, places in fed.items()
    }
    return mean, active, sums


@pytest.mark.parametrize("shared", [False, True], ids=["convolution", "classes"])
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_routing_is_what_loops_compute(iterations: int, shared: bool) -> None:
    layer = layer_of(iterations, shared=shared)
    poses, activations = children_of(2)
    windows = [list(range(20))] if shared else windows_of(GRID, 3, 1)
    with torch.no_grad():
        found_poses, found = layer(poses, activations)
        single_poses, single = layer.float()(poses.float(), activations.float())
    for n in range(2):
        mean, active, sums = route_in_loops(
            layer, poses[n].numpy(), activations[n].numpy(), windows, shared=shared
        )
        assert all(total == pytest.approx(1) for total in sums.values())
        np.testing.assert_allclose(found_poses[n].transpose(1, 2), mean, atol=2e-6)
        np.testing.assert_allclose(found[n], active, atol=2e-6)
        np.testing.assert_allclose(single_poses[n].transpose(1, 2), mean, atol=1e-4)
        np.testing.assert_allclose(single[n], active, atol=1e-5)


def windows_of(grid: tuple[int, int], size: int, stride: int) -> list[list[int]]:
    found = []
    for y in range(0, grid[0] - size + 1, stride):
        for x in range(0, grid[1] - size + 1, stride):
            found.append([(y + j) * grid[1] + x + i for j in range(size) for i in range(size)])
    return found


@pytest.mark.parametrize(("grid", "stride"), [((12, 12), 2), ((5, 5), 1), ((4, 7), 2)])
def test_windows(grid: tuple[int, int], stride: int) -> None:
    windows = Windows.of_grid(grid, (3, 3), stride)
    expected = windows_of(grid, 3, stride)
    assert windows.children.tolist() == expected
    flat = windows.children.flatten()
    counts = windows.parents()
    for p, window in enumerate(expected):
        for k, child in enumerate(window):
            row = windows.rivals[windows.place[p, k]]
            rivals = row[row < flat.size]
            assert set(flat[rivals]) == {child}
            assert len(rivals) == counts[p, k] == sum(child in other for other in expected)


def test_couplings_of_a_child_sum_to_one_over_all_its_parents() -> None:
    layer = layer_of(2)
    windows = Windows.of_grid(GRID, (3, 3), 1)
    logits = 30 * draw(2, 6, AFTER, 9 * BEFORE)
    coupling = layer.compete(logits).view(2, 6, AFTER, 9, BEFORE).numpy()
    for child in range(GRID[0] * GRID[1]):
        mine = windows.children == child
        for b in range(BEFORE):
            total = coupling[:, :, :, :, b].transpose(0, 1, 3, 2)[:, mine].sum(axis=(1, 2))
            np.testing.assert_allclose(total, 1)


def test_before_the_first_step_a_childs_couplings_are_alike_and_sum_to_one() -> None:
    uniform = layer_of(1).uniform.view(-1, 9, BEFORE)  # (P, k, B)
    windows = Windows.of_grid(GRID, (3, 3), 1)
    for child in range(GRID[0] * GRID[1]):
        shares = uniform[torch.from_numpy(windows.children == child)]
        torch.testing.assert_close(AFTER * shares.sum(dim=0), torch.ones(BEFORE).double())


def test_the_order_of_children_does_not_matter() -> None:
    """Types of children in another order, with their matrices."""
    layer, (poses, activations) = layer_of(3), children_of(2)
    expected = layer(poses, activations)
    with torch.no_grad():
        flipped = layer.transform.view(AFTER, 16, 9, BEFORE).flip(3).flatten(2)
        layer.transform.copy_(flipped)
    found = layer(poses.flip(3), activations.flip(2))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_a_change_of_viewpoint_carries_over_to_the_parents(iterations: int) -> None:
    """V = M W: a matrix that multiplies all poses from the left multiplies all votes."""
    generator = np.random.default_rng(0)
    turn = torch.from_numpy(np.linalg.qr(generator.normal(size=(4, 4)))[0])
    poses, transform = draw(5, 4, 4, 7), draw(3, 4, 4, 7, seed=1)

    def votes(of: torch.Tensor) -> torch.Tensor:
        made = Votes(of, transform, None)
        raw, _ = made.moments(torch.eye(7, dtype=torch.float64).view(7, 1, 1, 7)[0].expand(5, 3, 7))
        return (raw + made.center).view(5, 3, 4, 4)

    turned = torch.einsum("xp,gpqk->gxqk", turn, poses)
    torch.testing.assert_close(votes(turned), turn @ votes(poses))
    if iterations == 1:
        # Plain means of the votes: equivariant as they are.
        layer, (children, activations) = layer_of(1), children_of(2)
        apart = children.view(2, -1, 4, 4, BEFORE)
        moved = torch.einsum("xp,nspqb->nsxqb", turn, apart).flatten(2, 3)
        expected = layer(children, activations)[0].reshape(2, -1, 4, 4, AFTER)
        found = layer(moved, activations)[0].reshape(2, -1, 4, 4, AFTER)
        torch.testing.assert_close(found, torch.einsum("xp,nspqc->nsxqc", turn, expected))


@pytest.mark.parametrize("shared", [False, True], ids=["convolution", "classes"])
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_gradients_are_right(iterations: int, shared: bool) -> None:
    layer = layer_of(iterations, shared=shared)
    poses, activations = (tensor[:1].requires_grad_() for tensor in children_of(1))

    def routed(*arguments: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values = dict(zip(("transform", "beta_u", "beta_a"), arguments[2:], strict=True))
        found: tuple[torch.Tensor, ...] = torch.func.functional_call(layer, values, arguments[:2])
        return found

    arguments = (poses, activations, layer.transform, layer.beta_u, layer.beta_a)
    # Random directions instead of each of 1,700 numbers by itself.
    assert torch.autograd.gradcheck(routed, arguments, fast_mode=True)


@pytest.mark.parametrize("limit", ["em_capsnet._MOST_BYTES", "em_votes._BLOCK"])
@pytest.mark.parametrize("bytes_at_once", [1, 20_000, 1 << 30])
def test_how_much_is_done_at_once_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, limit: str, bytes_at_once: int
) -> None:
    layer, (poses, activations) = layer_of(2), children_of(5)
    expected = layer(poses, activations)
    whole = torch.autograd.grad(expected[0].square().sum() + expected[1].sum(), layer.transform)
    monkeypatch.setattr(f"misread.models.{limit}", bytes_at_once)
    found = layer(poses, activations)
    parts = torch.autograd.grad(found[0].square().sum() + found[1].sum(), layer.transform)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(parts, whole)


def extremes() -> list[tuple[float, float]]:
    """Sizes of the poses, and activations."""
    return [(size, active) for size in (0.0, 1e-8, 1.0, 1e3, 1e6) for active in (0.0, 1e-30, 1.0)]


@pytest.mark.parametrize(("size", "active"), extremes())
def test_gradients_are_finite_at_extremes(size: float, active: float) -> None:
    layer = layer_of(3).float()
    poses = (size * children_of(2)[0]).float().requires_grad_()
    activations = torch.full((2, 20, BEFORE), active).requires_grad_()
    found = layer(poses, activations)
    (found[0].tanh().sum() + found[1].sum()).backward()
    tensors = [*found, poses.grad, activations.grad, *(p.grad for p in layer.parameters())]
    for tensor in tensors:
        assert tensor is not None
        assert tensor.isfinite().all()


def test_sums_far_from_zero_keep_their_spread() -> None:
    """Votes of 1,000 +- 0.1 have a variance that their squares alone would lose in float32."""
    poses = torch.zeros(1, 4, 4, 50)
    generator = torch.Generator().manual_seed(0)
    poses[:, 0, 0] = 1_000 + 0.1 * torch.randn(50, generator=generator)
    transform = torch.eye(4)[None, :, :, None].expand(1, 4, 4, 50).contiguous()
    votes = Votes(poses, transform, None)
    first, second = votes.moments(torch.full((1, 1, 50), 1 / 50))
    variance = float(second[0, 0, 0] - first[0, 0, 0] ** 2)
    truth = float(poses[0, 0, 0].double().var(correction=0))
    assert variance == pytest.approx(truth, rel=0.01)


def test_spread_loss_is_equation_3() -> None:
    scores = torch.tensor([[0.5, 0.4, 0.1], [0.2, 0.9, 0.3]])
    found = spread_loss(scores, torch.tensor([0, 2]), 0.3)
    expected = [(0.3 - 0.1) ** 2, (0.3 - 0.1) ** 2 + (0.3 + 0.6) ** 2]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_the_margin_rises_from_a_fifth_to_nearly_one() -> None:
    margins = [spread_margin(progress) for progress in np.linspace(0, 1, 50)]
    assert 0.2 < margins[0] < 0.22
    assert 0.98 < margins[-1] < 0.99
    assert (np.diff(margins) > 0).all()


def test_no_iteration_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"iterations must be 1 or more\. Got 0"):
        build((28, 28, 1), 10, iterations=0)
