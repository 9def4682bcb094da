"""What a capsule network thinks it saw: images drawn from the capsule of a chosen class.

Source: Sabour, Frosst & Hinton, "Dynamic routing between capsules" (2017), sections 4.1 and 5.1.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from misread.datasets import Split
from misread.errors import ParameterError
from misread.models.batches import as_tensor, read_pixels, to_input
from misread.models.capsules import VectorCapsules
from misread.types import Array, ByteArray, FloatArray

_BATCH = 250


def find_decoder(network: nn.Module) -> VectorCapsules:
    """The network, once it is found to have a decoder.

    Raises:
        ParameterError: It has none.
    """
    if not isinstance(network, VectorCapsules):
        raise ParameterError(
            f"model: expected a network with a decoder. Got {type(network).__name__} instead."
        )
    return network.eval()


def reconstruct(network: nn.Module, split: Split, chosen: Array) -> FloatArray:
    """Draw images from the capsules of chosen classes.

    Args:
        network: Has a decoder.
        split: N images of the shape that it was trained on.
        chosen: (N, R) integers, classes whose capsules are left in, each by itself.

    Returns:
        (N, R, H, W, C) float32 in [0, 1].

    Raises:
        ParameterError: The network has no decoder.
        DatasetError: The images have another shape.
    """
    capsules = find_decoder(network)
    channels, height, width = capsules.decoder.shape
    found = np.empty((*chosen.shape, height, width, channels), np.float32)
    for rows, _, drawn in _draw(capsules, split, chosen):
        found[rows] = drawn.permute(0, 1, 3, 4, 2).cpu().numpy()
    return found


def reconstruction_errors(
    network: nn.Module,
    split: Split,
    chosen: Array,
    on_images: Callable[[int], None] | None = None,
) -> FloatArray:
    """How far the images drawn from chosen classes' capsules are from the images themselves.

    Images are read, and drawn, a batch at a time: memory doesn't grow with their number.

    Args:
        network: Has a decoder.
        split: N images of the shape that it was trained on.
        chosen: (N, R) integers, classes.
        on_images: Called after each batch with the number of its images.

    Returns:
        (N, R) float32 in [0, 1]: the mean over pixels and channels of the squared difference, of
        values in [0, 1].

    Raises:
        ParameterError: The network has no decoder.
        DatasetError: The images have another shape.
    """
    found = np.empty(chosen.shape, np.float32)
    for rows, images, drawn in _draw(find_decoder(network), split, chosen):
        errors = (drawn - images[:, None]).square().mean(dim=(2, 3, 4))
        found[rows] = errors.cpu().numpy()
        if on_images is not None:
            on_images(len(images))
    return found


def turn(network: nn.Module, image: ByteArray, label: int, steps: Array) -> FloatArray:
    """Draw an image again and again, one number of its capsule turned each time.

    Args:
        network: Has a decoder.
        image: (H, W) or (H, W, C) uint8.
        label: The class whose capsule is turned; the others are masked out.
        steps: (S,) what is added to the number; the paper has -0.25, -0.20, ..., 0.25.

    Returns:
        (D, S, H, W, C) float32 in [0, 1]: row d has the capsule's d-th number turned.

    Raises:
        ParameterError: The network has no decoder.
        DatasetError: The image has another shape.
    """
    capsules = find_decoder(network)
    split = Split("turned", np.asarray(image)[None], np.zeros(1, np.int16))
    with torch.inference_mode():
        capsule = capsules.capsules(_read(capsules, split, slice(0, 1)))[0, label]  # (D,)
        size = len(capsule)
        added = torch.as_tensor(np.asarray(steps, np.float32), device=capsule.device)
        # Row d adds every step to number d, and 0 to the others.
        turned = capsule + torch.eye(size, device=capsule.device)[:, None] * added[:, None]
        drawn = capsules.decoder.draw(turned.flatten(0, 1), label)  # (D S, C, H, W)
    channels, height, width = capsules.decoder.shape
    found = drawn.permute(0, 2, 3, 1).cpu().numpy()
    return found.reshape(size, len(added), height, width, channels)


def _draw(
    network: VectorCapsules, split: Split, chosen: Array
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows of the split, their images (B, C, H, W) and what is drawn of each (B, R, C, H, W)."""
    for start in range(0, len(split), _BATCH):
        rows = slice(start, min(start + _BATCH, len(split)))
        with torch.inference_mode():
            images = _read(network, split, rows)
            capsules = network.capsules(images)
            columns = torch.from_numpy(chosen[rows].astype(np.int64)).to(images.device).T
            drawn = torch.stack([network.decoder(capsules, column) for column in columns], dim=1)
        yield rows, images, drawn


def _read(network: VectorCapsules, split: Split, rows: slice) -> Tensor:
    """Some images as the network takes them (B, C, H, W), where the network is."""
    channels, height, width = network.decoder.shape
    part = split.take(np.arange(rows.start, rows.stop))
    images = as_tensor(read_pixels(part, (height, width, channels), "reconstruction"))
    return to_input(images, next(network.parameters()).device)
