import pytest
import torch
from torch.nn import functional as F

from misread.models.spectral import SIDE, SpectralConvolution


def blocks_of(maps: torch.Tensor) -> torch.Tensor:
    """(N, B, 2 R, 2 S) maps as (R S, N, 4 B): the four pixels of a block one after the other."""
    count, channels, height, width = maps.shape
    cut = maps.view(count, channels, height // 2, 2, width // 2, 2)
    return cut.permute(2, 4, 0, 3, 5, 1).reshape(height * width // 4, count, 4 * channels)


def layer_of(before: int, after: int, grid: tuple[int, int]) -> SpectralConvolution:
    layer = SpectralConvolution(before, after, grid).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in layer.parameters():
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data.copy_(values)
    return layer


@pytest.mark.parametrize("grid", [(10, 10), (5, 5), (5, 8), (9, 6), (6, 7)])
def test_it_is_the_librarys_convolution_forward_and_backward(grid: tuple[int, int]) -> None:
    layer = layer_of(3, 2, grid)
    generator = torch.Generator().manual_seed(0)
    size = (4, 3, 2 * grid[0], 2 * grid[1])
    maps = torch.randn(size, generator=generator, dtype=torch.float64, requires_grad=True)
    kernel = layer.weight.view(SIDE, SIDE, 3, 2).permute(3, 2, 0, 1)
    expected = F.conv2d(maps, kernel, layer.bias, stride=2)
    found = layer(blocks_of(maps)).permute(1, 2, 0).reshape(expected.shape)
    # The matrices are float32: sines are rounded to 1e-7, and the sums have 243 terms of about 1.
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)
    toward = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    leaves = (maps, layer.weight, layer.bias)
    ours = torch.autograd.grad((found * toward).sum(), leaves)
    theirs = torch.autograd.grad((expected * toward).sum(), leaves)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_float32_is_as_exact_as_the_direct_sum() -> None:
    exact = layer_of(64, 8, (10, 10))
    layer = SpectralConvolution(64, 8, (10, 10))
    layer.load_state_dict(exact.state_dict())
    maps = torch.rand(2, 64, 20, 20, generator=torch.Generator().manual_seed(0))
    kernel = layer.weight.view(SIDE, SIDE, 64, 8).permute(3, 2, 0, 1)
    truth = F.conv2d(maps.double(), kernel.double(), layer.bias.double(), stride=2)
    direct = F.conv2d(maps, kernel, layer.bias, stride=2)
    found = layer(blocks_of(maps)).permute(1, 2, 0).reshape(truth.shape)
    spread = truth.std()
    assert (direct - truth).abs().max() / spread < 1e-5
    assert (found - truth).abs().max() / spread < 1e-5


def test_the_matrices_are_no_part_of_the_weights() -> None:
    assert set(layer_of(2, 2, (5, 5)).state_dict()) == {"weight", "bias"}
