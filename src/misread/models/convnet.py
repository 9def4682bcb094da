"""The convolutional network of the blog post that misread grows out of.

Three valid convolutions, batch norm after the activation, and a dense layer, as its Keras model:
390,218 trainable parameters for 28 x 28 grey images in ten classes.
"""

import torch
from torch import Tensor, nn

from misread.errors import ParameterError

# Keras' batch-norm constants. PyTorch's momentum is the weight of the new value, Keras' of the old.
_EPSILON = 1e-3
_MOMENTUM = 1 - 0.99


class ConvNet(nn.Module):
    """The post's network; the last layer gives logits, softmax is left to the loss."""

    def __init__(self, channels: int, features: int, classes: int) -> None:
        super().__init__()
        # In place: a convolution's backward pass doesn't need its own output.
        self.features = nn.Sequential(  # (N, C, 28, 28)
            nn.Conv2d(channels, 32, 5),  # (N, 32, 24, 24)
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(32, _EPSILON, _MOMENTUM),
            nn.Conv2d(32, 64, 5),  # (N, 64, 20, 20)
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(64, _EPSILON, _MOMENTUM),
            nn.MaxPool2d(2),  # (N, 64, 10, 10)
            nn.Conv2d(64, 128, 3),  # (N, 128, 8, 8)
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(128, _EPSILON, _MOMENTUM),
            nn.MaxPool2d(2),  # (N, 128, 4, 4)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (N, 2048), channels first
            nn.Dropout(0.1),
            nn.Linear(features, 128),
            nn.ReLU(inplace=True),
            nn.BatchNorm1d(128, _EPSILON, _MOMENTUM),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def glorot_uniform(network: nn.Module) -> None:
    """Draw all weights as Keras does (Glorot & Bengio 2010, eq. 16), with biases of zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def build(shape: tuple[int, int, int], classes: int) -> ConvNet:
    """The network for images of this shape, freshly initialised from torch's global generator.

    Args:
        shape: Height, width and channels; at least 16 x 16.
        classes: Number of classes, 2 or more.

    Raises:
        ParameterError: The images are too small for the valid convolutions.
    """
    height, width, channels = shape
    if min(height, width) < 16:
        raise ParameterError(
            f"model convnet: expected images of at least 16 x 16. Got {height} x {width} instead."
        )
    # Two 5x5 convolutions take 8 pixels, the 3x3 takes 2 of what the first pooling leaves.
    rows, columns = (((side - 8) // 2 - 2) // 2 for side in (height, width))
    network = ConvNet(channels, 128 * rows * columns, classes)
    with torch.no_grad():
        glorot_uniform(network)
    return network
