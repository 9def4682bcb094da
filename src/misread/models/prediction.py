"""Predicted probabilities of a trained network."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

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
    network.eval()
    chunks = []
    with torch.inference_mode():
        # An empty split has one empty batch, so that K is known.
        for start in range(0, max(1, len(pixels)), _BATCH):
            images = as_tensor(pixels[start : start + _BATCH])
            # In double precision: a confident softmax in float32 rounds to sums off by 1e-7 and
            # loses the order of its small probabilities.
            logits = network(to_input(images, device)).cpu().double()
            chunks.append(logits.softmax(dim=1).float().numpy())
            if on_images is not None:
                on_images(len(images))
    return np.concatenate(chunks)
