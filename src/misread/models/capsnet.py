"""The capsule network with dynamic routing.

Sabour, Frosst & Hinton, "Dynamic routing between capsules" (2017); equation numbers are the
paper's. 6,804,224 parameters for 28 x 28 grey images in ten classes, and 1,411,344 of the decoder.

The votes, 184,320 numbers an image, are never written down: what routing needs of them, their
weighted sum and their product with the class capsules, are matrix products with the transformation.
"""

import math

import torch
from torch import Tensor, nn

from misread.errors import ParameterError
from misread.models.capsules import EPSILON, VectorCapsules
from misread.models.recompute import recomputed
from misread.models.spectral import SIDE, SpectralConvolution

_CHANNELS, _TYPES, _PRIMARY, _SIZE = 256, 32, 8, 16
_ITERATIONS = 3
# Images routed at once: few enough that their products stay in a processor's cache.
_TOGETHER = 32


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shorten vectors along `dim` to a length below 1 (eq. 1)."""
    squared = s.square().sum(dim=dim, keepdim=True)
    return squared / (1 + squared) / (squared + EPSILON).sqrt() * s


def route(primary: Tensor, weights: Tensor, iterations: int) -> Tensor:
    """Dynamic routing (procedure 1).

    Args:
        primary: (N, d, I), I capsules u of d numbers.
        weights: (K, d I, D), the matrices W that turn a capsule into its vote for a class.
        iterations: How often; 1 or more.

    Returns:
        Class capsules v (K, N, D).
    """
    classes = len(weights)
    # All logits b are 0 at first, so that every coupling is 1 / K.
    flat = primary.flatten(1).expand(classes, -1, -1)  # (K, N, dI)
    capsules = squash(torch.bmm(flat, weights) / classes)  # (K, N, D), eqs. 1 and 2
    logits: Tensor | float = 0.0
    for _ in range(iterations - 1):
        logits = logits + agreement(primary, weights, capsules)
        coupling = logits.softmax(dim=0)  # (K, N, I), eq. 3
        weighted = coupling[:, :, None] * primary  # (K, N, d, I)
        # sum_i c_i (W_i u_i) = sum_i W_i (c_i u_i), eq. 2
        capsules = squash(torch.bmm(weighted.flatten(2), weights))
    return capsules


def agreement(primary: Tensor, weights: Tensor, capsules: Tensor) -> Tensor:
    """Products (K, N, I) of each vote with its class capsule: (W u) . v = u . (W^T v)."""
    back = torch.bmm(capsules, weights.transpose(1, 2))  # (K, N, dI)
    return (back.view(-1, *primary.shape) * primary).sum(dim=2)


def _route(primary: Tensor, weights: Tensor) -> tuple[Tensor, ...]:
    return (route(primary, weights, _ITERATIONS),)


class CapsNet(VectorCapsules):
    """Two convolutions, the second of which makes primary capsules, and routing to the classes.

    Args:
        shape: Height, width and channels of an image.
        classes: Number of classes K.
        grid: Rows and columns of the primary capsules.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, grid: tuple[int, int]) -> None:
        super().__init__(shape, classes, _SIZE)
        rows, columns = grid
        # In blocks of 2 x 2: the second kernel is 5 blocks wide.
        self._grid = (rows + 4, columns + 4)
        self.weight = nn.Parameter(torch.empty(SIDE * SIDE * shape[2], _CHANNELS))
        self.bias = nn.Parameter(torch.empty(_CHANNELS))
        self.primary = SpectralConvolution(_CHANNELS, _TYPES * _PRIMARY, self._grid)
        children = rows * columns * _TYPES
        self.transform = nn.Parameter(torch.empty(classes, _PRIMARY * children, _SIZE))

    def capsules(self, images: Tensor) -> Tensor:
        """Class capsules (N, K, 16) of images (N, C, H, W) in [0, 1]."""
        maps = torch.addmm(self.bias, self.cut(images), self.weight)
        maps = maps.relu_()  # (100 N 4, 256): 20 x 20 pixels in 10 x 10 blocks
        blocks = maps.view(-1, len(images), 4 * _CHANNELS)
        primary = self.primary(blocks).float()  # (36, N, 256)
        with torch.autocast(images.device.type, enabled=False):
            primary = primary.view(-1, len(images), _PRIMARY, _TYPES)
            primary = primary.permute(1, 2, 0, 3).flatten(2)  # (N, 8, 1152)
            primary = squash(primary, dim=1)
            starts = range(0, len(primary), _TOGETHER)
            routed = [
                recomputed(_route, primary[start : start + _TOGETHER], self.transform)[0]
                for start in starts
            ]  # (K, n, 16) each
            return torch.cat(routed, dim=1).transpose(0, 1)

    def cut(self, images: Tensor) -> Tensor:
        """The 9x9 windows of images (N, C, H, W) as rows, block by block: (G N 4, 81 C)."""
        count, channels, height, width = images.shape
        rows, columns = self._grid
        # An odd number of windows lacks half a block; the kernel is zero there.
        below = max(0, 2 * rows + SIDE - 1 - height)
        beside = max(0, 2 * columns + SIDE - 1 - width)
        pixels = nn.functional.pad(images, (0, beside, 0, below)).permute(0, 2, 3, 1)
        pixels = pixels.contiguous()
        down, right = pixels.stride(1), pixels.stride(2)
        windows = pixels.as_strided(
            (rows, columns, count, 2, 2, SIDE, SIDE * channels),
            (2 * down, 2 * right, pixels.stride(0), down, right, down, 1),
        )
        return windows.reshape(-1, SIDE * SIDE * channels)


def build(shape: tuple[int, int, int], classes: int) -> CapsNet:
    """The network for images of this shape, freshly initialised from torch's global generator.

    Args:
        shape: Height, width and channels; at least 17 x 17.
        classes: Number of classes, 2 or more.

    Raises:
        ParameterError: The images are too small for the valid convolutions.
    """
    height, width, channels = shape
    if min(height, width) < 17:
        raise ParameterError(
            f"model capsnet: expected images of at least 17 x 17. Got {height} x {width} instead."
        )
    network = CapsNet(shape, classes, ((height - 17) // 2 + 1, (width - 17) // 2 + 1))
    for layer, fan in ((network, channels), (network.primary, _CHANNELS)):
        bound = 1 / math.sqrt(SIDE * SIDE * fan)
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)
    nn.init.normal_(network.transform, std=0.1)
    return network
