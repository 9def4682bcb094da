"""A 9x9 convolution with stride 2 as a matrix product for each spatial frequency.

By the convolution theorem a convolution multiplies each frequency by itself: for 28 x 28 images
that is about 200 M multiply-adds where the direct sum takes 573 M, forward and back. The images are
small, so that a discrete Fourier transform is one small matrix; a stride of 2 is a convolution
without a stride whose channels are the four pixels of each 2 x 2 block. Nothing is approximated:
the result differs from the direct sum by rounding.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

from misread.types import Array

# Side of the kernel, and of the kernel in blocks of 2 x 2.
SIDE = 9
_BLOCKS = (SIDE + 1) // 2
# Frequencies of the kernel that are in memory at once: half of those of 28 x 28 images.
_TOGETHER = 26


@dataclass(frozen=True)
class _Transforms:
    """The transforms as real matrices; F is the number of frequencies, real and imaginary apart.

    Attributes:
        images: (2F, rows x columns), from blocks of 2 x 2 to frequencies.
        kernel: (2, F, 25), from the kernel's blocks to the real and the imaginary part of its
            frequencies, conjugate: a layer correlates.
        back: (outputs, 4F), from the products with the kernel's real part, and with its
            imaginary part, to the outputs.
    """

    images: Array
    kernel: Array
    back: Array

    @classmethod
    def of_grid(cls, rows: int, columns: int) -> "_Transforms":
        """For a grid of so many blocks of 2 x 2."""
        frequencies, weights = _half_plane(rows, columns)
        grid = _angles(frequencies, rows, columns, rows, columns)
        taps = _angles(frequencies, rows, columns, _BLOCKS, _BLOCKS)
        outputs = _angles(frequencies, rows, columns, rows - _BLOCKS + 1, columns - _BLOCKS + 1)
        scale = (weights / (rows * columns))[:, None]
        cosine, sine = np.cos(outputs) * scale, np.sin(outputs) * scale
        # (Xr + i Xi)(Kr + i Ki), of which the real part comes back.
        back = [_rows(cosine, -sine).T, _rows(-sine, -cosine).T]
        return cls(
            images=_rows(np.cos(grid), -np.sin(grid)),
            kernel=np.stack([np.cos(taps), np.sin(taps)]),
            back=np.concatenate(back, axis=1),
        )


def _half_plane(rows: int, columns: int) -> tuple[Array, Array]:
    """Frequencies (F, 2), one of each conjugate pair of a real image, and how often each counts."""
    pairs = [(u, v) for u in range(rows) for v in range(columns)]
    kept = [(u, v) for u, v in pairs if (u, v) <= (-u % rows, -v % columns)]
    weights = [1 if (u, v) == (-u % rows, -v % columns) else 2 for u, v in kept]
    return np.array(kept), np.array(weights)


def _angles(frequencies: Array, rows: int, columns: int, height: int, width: int) -> Array:
    """Phases (F, height x width) of the frequencies of a grid at its first places."""
    y, x = np.divmod(np.arange(height * width), width)
    turns = np.outer(frequencies[:, 0] / rows, y) + np.outer(frequencies[:, 1] / columns, x)
    angles: Array = 2 * math.pi * turns
    return angles


def _rows(real: Array, imaginary: Array) -> Array:
    """(2F, ...): the real and the imaginary row of each frequency, one after the other."""
    return np.stack([real, imaginary], axis=1).reshape(2 * len(real), -1)


class _Multiply(Function):
    """Frequencies (F, 2N, 4B) times the kernel's real and imaginary part: (2, F, 2N, A).

    The kernel's frequencies, twenty times the kernel, are made for a few at a time, and made again
    for the backward pass, so that they stay in a processor's cache.
    """

    @staticmethod
    def forward(ctx: Any, frequencies: Tensor, kernel: Tensor, taps: Tensor) -> Tensor:
        ctx.save_for_backward(frequencies, kernel, taps)
        count, before = frequencies.shape[1:]
        products = frequencies.new_empty(2, len(frequencies), count, taps.shape[1] // before)
        for part, few, factors in _factors(frequencies, kernel, taps):
            torch.bmm(frequencies[few], factors, out=products[part, few])
        return products

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        frequencies, kernel, taps = ctx.saved_tensors
        (gradient,) = gradients
        of_frequencies, of_taps = torch.zeros_like(frequencies), torch.zeros_like(taps)
        for part, few, factors in _factors(frequencies, kernel, taps):
            of_product = gradient[part, few]
            of_frequencies[few].baddbmm_(of_product, factors.transpose(1, 2))
            of_factors = torch.bmm(frequencies[few].transpose(1, 2), of_product, out=factors)
            of_taps += kernel[part, few].T.to(of_factors.dtype) @ of_factors.flatten(1)
        return of_frequencies, None, of_taps


def _factors(
    frequencies: Tensor, kernel: Tensor, taps: Tensor
) -> Iterator[tuple[int, slice, Tensor]]:
    """The kernel's frequencies (f, 4B, A), a few at a time, in the precision of the images'."""
    before, precision = frequencies.shape[2], frequencies.dtype
    kernel, taps = kernel.to(precision), taps.to(precision)
    room = taps.new_empty(_TOGETHER, taps.shape[1])
    for start in range(0, len(frequencies), _TOGETHER):
        few = slice(start, min(start + _TOGETHER, len(frequencies)))
        for part in (0, 1):
            factors = room[: few.stop - start]
            torch.matmul(kernel[part, few], taps, out=factors)
            yield part, few, factors.view(len(factors), before, -1)


class SpectralConvolution(nn.Module):
    """A 9x9 convolution with stride 2 and bias, valid, of maps that lie block by block.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        grid: Rows and columns of the input in blocks of 2 x 2; each 5 or more.
    """

    images: Tensor
    kernel: Tensor
    back: Tensor

    def __init__(self, before: int, after: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(SIDE * SIDE, before * after))
        self.bias = nn.Parameter(torch.empty(after))
        for name, matrix in vars(_Transforms.of_grid(*grid)).items():
            self.register_buffer(name, torch.from_numpy(matrix).float(), persistent=False)

    def forward(self, blocks: Tensor) -> Tensor:
        """Convolve.

        Args:
            blocks: (G, N, 4 B), the grid's blocks of N images; the last axis holds a block's upper
                left, upper right, lower left and lower right pixel, B channels each.

        Returns:
            (P, N, A), the output's pixels row by row.
        """
        images, kernel, back = self.images, self.kernel, self.back
        count, before, after = blocks.shape[1], blocks.shape[2], self.bias.shape[0]
        frequencies = (images @ blocks.flatten(1)).view(-1, 2 * count, before)  # (F, 2N, 4B)
        # A tenth row and column of zeros, so that the kernel is whole blocks.
        taps = F.pad(self.weight.view(SIDE, SIDE, -1), (0, 0, 0, 1, 0, 1))
        taps = taps.view(_BLOCKS, 2, _BLOCKS, 2, -1).transpose(1, 2).reshape(_BLOCKS**2, -1)
        products: Tensor = _Multiply.apply(frequencies, kernel, taps)  # type: ignore[no-untyped-call]
        outputs = back @ products.view(-1, count * after)  # (P, N A)
        return outputs.view(-1, count, after) + self.bias
