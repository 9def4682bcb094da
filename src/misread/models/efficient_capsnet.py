"""Efficient-CapsNet: capsules with self-attention instead of iterated routing.

Mazzia, Salvetti & Chiaberge, "Efficient-CapsNet: capsule network with self-attention routing"
(2021); equation numbers are the paper's. 161,824 parameters for 28 x 28 grey images in ten classes,
and 1,411,344 of the decoder.
"""

import math

import torch
from torch import Tensor, nn

from misread.errors import ParameterError
from misread.models.capsules import VectorCapsules, length

_TYPES, _PRIMARY, _SIZE = 16, 8, 16
# Keras' batch-norm constants; PyTorch's momentum is the weight of the new value.
_EPSILON, _MOMENTUM = 1e-3, 1 - 0.99


def squash(s: Tensor) -> Tensor:
    """Shorten vectors (..., D) to a length below 1 (eq. 2)."""
    norm = length(s)[..., None]
    return (1 - (-norm).exp()) * s / norm


def attend(votes: Tensor, prior: Tensor) -> Tensor:
    """Self-attention routing: class capsules before squashing (eqs. 4 to 6).

    Args:
        votes: (N, I, K, D), what each of I capsules predicts of each of K classes.
        prior: (I, K), learned.

    Returns:
        (N, K, D).
    """
    # The row sums of U U^T: each vote's product with the sum of all votes for that class.
    together = votes.sum(dim=1, keepdim=True)  # (N, 1, K, D)
    agreement = (votes * together).sum(dim=-1) / math.sqrt(votes.shape[-1])  # (N, I, K), eq. 5
    coupling = agreement.softmax(dim=2) + prior  # (N, I, K), eq. 6
    return (coupling[..., None] * votes).sum(dim=1)  # eq. 4


class EfficientCapsNet(VectorCapsules):
    """Four convolutions, a depthwise one that makes 16 capsules, and self-attention to classes.

    Args:
        shape: Height, width and channels of an image.
        classes: Number of classes K.
        grid: Rows and columns that the convolutions leave.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, grid: tuple[int, int]) -> None:
        super().__init__(shape, classes, _SIZE)
        self.features = nn.Sequential(  # (N, C, 28, 28)
            *_layer(shape[2], 32, 5),  # (N, 32, 24, 24)
            *_layer(32, 64, 3),  # (N, 64, 22, 22)
            *_layer(64, 64, 3),  # (N, 64, 20, 20)
            *_layer(64, 128, 3, stride=2),  # (N, 128, 9, 9)
            # Each channel's whole grid becomes one number of a capsule.
            nn.Conv2d(128, _TYPES * _PRIMARY, grid, groups=_TYPES * _PRIMARY),  # (N, 128, 1, 1)
            nn.Flatten(),  # (N, 128)
        )
        self.transform = nn.Parameter(torch.empty(_TYPES, _PRIMARY, classes * _SIZE))
        self.prior = nn.Parameter(torch.zeros(_TYPES, classes))

    def capsules(self, images: Tensor) -> Tensor:
        """Class capsules (N, K, 16) of images (N, C, H, W) in [0, 1]."""
        features = self.features(images)
        with torch.autocast(images.device.type, enabled=False):
            primary = squash(features.float().view(-1, _TYPES, _PRIMARY))  # (N, 16, 8)
            # One matrix product for each of the 16 capsules (eq. 3).
            votes = torch.bmm(primary.transpose(0, 1), self.transform)  # (16, N, K * 16)
            votes = votes.view(_TYPES, len(images), -1, _SIZE).transpose(0, 1)  # (N, 16, K, 16)
            return squash(attend(votes, self.prior))


def _layer(before: int, after: int, size: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(before, after, size, stride),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(after, _EPSILON, _MOMENTUM),
    )


def build(shape: tuple[int, int, int], classes: int) -> EfficientCapsNet:
    """The network for images of this shape, freshly initialised from torch's global generator.

    Args:
        shape: Height, width and channels; at least 11 x 11.
        classes: Number of classes, 2 or more.

    Raises:
        ParameterError: The images are too small for the valid convolutions.
    """
    height, width, _ = shape
    if min(height, width) < 11:
        raise ParameterError(
            "model efficient-capsnet: expected images of at least 11 x 11. "
            f"Got {height} x {width} instead."
        )
    # 5x5 and two 3x3 convolutions take 8 pixels; the strided 3x3 halves the rest.
    grid = ((height - 8 - 3) // 2 + 1, (width - 8 - 3) // 2 + 1)
    network = EfficientCapsNet(shape, classes, grid)
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(torch.as_tensor(layer.bias))
    # He's deviation with the fan that the authors' code counts: parents x children x inputs.
    nn.init.normal_(network.transform, std=math.sqrt(2 / (classes * _TYPES * _PRIMARY)))
    return network
