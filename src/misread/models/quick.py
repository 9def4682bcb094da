"""A small network that trains in seconds on two cores: for crossfits, panels and first looks.

A strided stem leaves a quarter of the positions, so that the five 3x3 convolutions behind it are
cheap. Global average pooling makes it indifferent to the size of the image.
"""

from torch import Tensor, nn

from misread.errors import ParameterError


def _block(channels_in: int, channels_out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the norm has the bias."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Quick(nn.Module):
    """Five small convolutions behind a 5x5 stride-2 stem; gives logits."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(  # (N, C, 28, 28)
            _block(channels, 16, size=5, stride=2),  # (N, 16, 14, 14)
            _block(16, 32),
            nn.MaxPool2d(2),  # (N, 32, 7, 7)
            _block(32, 48),
            _block(48, 48),
            nn.MaxPool2d(2, ceil_mode=True),  # (N, 48, 4, 4)
            _block(48, 64),
            _block(64, 64),
            nn.AdaptiveAvgPool2d(1),  # (N, 64, 1, 1)
            nn.Flatten(),
        )
        self.classifier = nn.Linear(64, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def build(shape: tuple[int, int, int], classes: int) -> Quick:
    """The network for images of this shape, freshly initialised from torch's global generator.

    Args:
        shape: Height, width and channels; at least 8 x 8.
        classes: Number of classes, 2 or more.

    Raises:
        ParameterError: The images are too small.
    """
    height, width, channels = shape
    if min(height, width) < 8:
        raise ParameterError(
            f"model quick: expected images of at least 8 x 8. Got {height} x {width} instead."
        )
    return Quick(channels, classes)
