"""Batches of training images: shuffled, shifted, scaled to [0, 1]."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from misread.datasets import Split
from misread.errors import DatasetError
from misread.types import ByteArray, LabelArray


def image_shape(pixels: ByteArray) -> tuple[int, int, int]:
    """Height, width and channels of images (N, H, W) or (N, H, W, C)."""
    height, width, *channels = pixels.shape[1:]
    return height, width, channels[0] if channels else 1


def read_pixels(
    split: Split, shape: tuple[int, int, int], operation: str = "prediction"
) -> ByteArray:
    """The images of a split as a network that was built for this shape takes them.

    Grey images get the channels of a network for coloured ones: a split can have both, and be read
    in parts.

    Args:
        split: N images.
        shape: Height, width and channels.
        operation: What they are needed for, to be named in an error.

    Returns:
        (N, H, W, C) uint8.

    Raises:
        DatasetError: They have another shape, or don't fit in memory.
    """
    if not len(split):
        return np.empty((0, *shape), np.uint8)
    pixels = split.pixels(operation)
    found = image_shape(pixels)
    if found not in (shape, (*shape[:2], 1)):
        raise DatasetError(
            f"split {split.name!r}: expected images of {shape} (height, width, channels), as the "
            f"network is trained on. Got {found} instead."
        )
    pixels = pixels.reshape(len(pixels), *found)
    return pixels if found == shape else np.repeat(pixels, shape[2], axis=3)


def as_tensor(pixels: ByteArray) -> Tensor:
    """Images (N, H, W[, C]) uint8 as a tensor (N, H, W, C) uint8; read-only ones are copied."""
    # torch can't share memory that it must not write to.
    tensor = torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy())
    return tensor.reshape(len(tensor), *image_shape(pixels))


def to_input(images: Tensor, device: torch.device) -> Tensor:
    """Images (B, H, W, C) uint8 as float32 (B, C, H, W) in [0, 1], channels last in memory.

    Channels-last is how oneDNN and cuDNN convolve fastest, and it is how the bytes lie already:
    the permutation moves nothing.
    """
    return images.to(device).permute(0, 3, 1, 2).float().div_(255)


class TrainingBatches:
    """The training split, a shuffled and shifted epoch at a time.

    Every epoch has a generator of its own, seeded by the run's seed and the epoch's number, so
    that a resumed training draws what an uninterrupted one would have drawn.
    """

    def __init__(
        self,
        pixels: ByteArray,
        labels: LabelArray,
        batch_size: int,
        shift: int,
        seed: int,
        chosen: Tensor | None = None,
    ) -> None:
        self._labels = torch.from_numpy(labels.astype("int64"))
        # Positions of the images to train on, None for all.
        self._chosen = chosen
        self._images = len(labels) if chosen is None else len(chosen)
        self._batch_size = min(batch_size, self._images)
        self._shift = shift
        self._seed = seed
        if shift:
            # One allocation, straight from a memory-mapped file.
            edges = [(0, 0), (shift, shift), (shift, shift), *[(0, 0)] * (pixels.ndim - 3)]
            pixels = np.pad(pixels, edges)
        images = as_tensor(pixels)
        self._windows = _windows(images, shift)  # (N, 2s + 1, 2s + 1, H, W, C)

    def __len__(self) -> int:
        """Steps of an epoch; the images that fill no last batch sit this epoch out."""
        return self._images // self._batch_size

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield images (B, H, W, C) uint8, labels and positions in the split (B,) int64."""
        generator = torch.Generator().manual_seed(epoch_seed(self._seed, number))
        order = torch.randperm(self._images, generator=generator)
        if self._chosen is not None:
            order = self._chosen[order]
        for step in range(len(self)):
            chosen = order[step * self._batch_size : (step + 1) * self._batch_size]
            rows, columns = torch.randint(
                0, 2 * self._shift + 1, (2, len(chosen)), generator=generator
            )
            yield self._windows[chosen, rows, columns], self._labels[chosen], chosen


def epoch_seed(seed: int, epoch: int) -> int:
    """One 63-bit seed for each pair of run and epoch (SplitMix64's finaliser)."""
    mask = 2**64 - 1
    mixed = (seed * 0x9E3779B97F4A7C15 + epoch + 1) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return (mixed ^ (mixed >> 31)) >> 1


def _windows(padded: Tensor, shift: int) -> Tensor:
    """All shifted images as a view: (N, 2s + 1, 2s + 1, H, W, C), no copies."""
    count, height, width, channels = padded.shape
    steps = 2 * shift
    by_image, by_row, by_column, by_channel = padded.stride()
    return padded.as_strided(
        (count, steps + 1, steps + 1, height - steps, width - steps, channels),
        (by_image, by_row, by_column, by_row, by_column, by_channel),
    )
