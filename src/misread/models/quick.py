"""A small network that trains in seconds on two cores: for crossfits, panels and first looks.

A strided stem leaves a quarter of the positions, so that the five 3x3 convolutions behind it are
cheap. Global average pooling makes it indifferent to the size of the image. 77,562 trainable
parameters for 28 x 28 grey images in ten classes.
"""

from torch import Tensor, nn

from misread.errors import ParameterError

# Valid convolutions are cheaper, but leave nothing of an image smaller than this.
_VALID_FROM = 23


def _block(
    channels_in: int, channels_out: int, size: int = 3, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the norm has the bias."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, stride, padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Quick(nn.Module):
    """Five small convolutions behind a 5x5 stride-2 stem; gives logits.

    Args:
        channels: Channels of an image.
        classes: Number of classes.
        valid: Let the first three and the last convolution shrink the image.
    """

    def __init__(self, channels: int, classes: int, *, valid: bool) -> None:
        super().__init__()
        edge = 0 if valid else 1
        self.features = nn.Sequential(  # (N, C, 28, 28)
            _block(channels, 16, size=5, stride=2, padding=2 * edge),  # (N, 16, 12, 12)
            _block(16, 32, padding=edge),  # (N, 32, 10, 10)
            _block(32, 32, padding=edge),  # (N, 32, 8, 8)
            nn.MaxPool2d(2),  # (N, 32, 4, 4)
            _block(32, 48, padding=1),
            _block(48, 48, padding=1),
            _block(48, 64, padding=edge),  # (N, 64, 2, 2)
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
        shape: Height, width and channels; at least 4 x 4.
        classes: Number of classes, 2 or more.

    Raises:
        ParameterError: The images are too small.
    """
    height, width, channels = shape
    if min(height, width) < 4:
        raise ParameterError(
            f"model quick: expected images of at least 4 x 4. Got {height} x {width} instead."
        )
    return Quick(channels, classes, valid=min(height, width) >= _VALID_FROM)
