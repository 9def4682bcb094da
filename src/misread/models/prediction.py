"""Predicted probabilities of a trained network."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from misread.models.batches import as_tensor, to_input
from misread.types import ByteArray, FloatArray

_BATCH = 250


def predict_probabilities(
    network: nn.Module,
    pixels: ByteArray,
    device: torch.device,
    on_images: Callable[[int], None] | None = None,
) -> FloatArray:
    """Softmax of the network's logits.

    Args:
        network: Gives logits (B, K) of images (B, C, H, W) in [0, 1].
        pixels: (N, H, W) or (N, H, W, C) uint8.
        device: Where the network is.
        on_images: Called after each batch with the number of its images.

    Returns:
        (N, K) float32, rows sum to 1.
    """
    chunks = []
    for logits in _batches(network, pixels, device):
        # In double precision: a confident softmax in float32 rounds to sums off by 1e-7 and
        # loses the order of its small probabilities.
        chunks.append(logits.cpu().double().softmax(dim=1).float().numpy())
        if on_images is not None:
            on_images(len(logits))
    return np.concatenate(chunks)


def predict_logits(network: nn.Module, pixels: ByteArray, device: torch.device) -> Tensor:
    """The network's logits (N, K) of images (N, H, W[, C]) uint8, on the CPU."""
    return torch.cat([logits.cpu() for logits in _batches(network, pixels, device)])


def _batches(network: nn.Module, pixels: ByteArray, device: torch.device) -> Iterator[Tensor]:
    """Logits (B, K), batch by batch; of an empty split one empty batch, so that K is known."""
    network.eval()
    count = len(pixels)
    if not count:
        pixels = np.zeros((1, *pixels.shape[1:]), np.uint8)
    for start in range(0, len(pixels), _BATCH):
        images = as_tensor(pixels[start : start + _BATCH])
        with torch.inference_mode():
            logits: Tensor = network(to_input(images, device))
        yield logits[:count]
