"""Batch-norm statistics for averaged weights."""

import torch
from torch import nn

from misread.models.batches import as_tensor, to_input
from misread.types import ByteArray

_BATCH = 250


def measure_batch_norm(network: nn.Module, pixels: ByteArray, device: torch.device) -> None:
    """Set the running statistics of every batch norm to what these images give.

    Averaged weights never saw a batch themselves: the statistics gathered while training belong to
    other weights (Izmailov et al. 2018, section 3.1).

    Args:
        network: Is changed in place and left in evaluation mode, dropout off.
        pixels: (N, H, W) or (N, H, W, C) uint8 training images, 2 or more.
        device: Where the network is.
    """
    network.eval()
    norms = [
        layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    images = as_tensor(pixels)
    with torch.no_grad():
        # The rest that fills no batch stays out, so that each batch weighs the same.
        size = min(_BATCH, len(images))
        for start in range(0, len(images) - size + 1, size):
            network(to_input(images[start : start + size], device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
