"""What capsule networks of vectors share: lengths, the margin loss, and the decoder.

Equations are those of Sabour, Frosst & Hinton, "Dynamic routing between capsules" (2017).
"""

import torch
from torch import Tensor, nn

from misread.models.recipe import Recipe
from misread.models.scored import ScoredNetwork

# Of the margin loss, section 3.
_LENGTH_THERE, _LENGTH_ABSENT, _WEIGHT_ABSENT = 0.9, 0.1, 0.5

# Weight of the summed squared error of an image's reconstruction against its margin loss: the
# paper's, section 4.1, and what the authors' released code amounts to in the same units.
_RECONSTRUCTION = {"none": 0.0, "paper": 0.0005, "released": 0.01}

# Keeps the root of a squared length differentiable at 0.
EPSILON = 1e-7


def length(capsules: Tensor) -> Tensor:
    """Lengths (...) of vectors (..., D), with a finite gradient at 0."""
    return (capsules.square().sum(dim=-1) + EPSILON).sqrt()


class Lengths(nn.Module):
    """Reads the class scores from the class capsules: how long they are."""

    def forward(self, capsules: Tensor) -> Tensor:
        """Lengths (N, K) in [0, 1) of capsules (N, K, D)."""
        return length(capsules)


def margin_loss(lengths: Tensor, given: Tensor) -> Tensor:
    """The margin loss (eq. 4), summed over the classes: (N,) of lengths (N, K), given (N,)."""
    absent = (lengths - _LENGTH_ABSENT).relu().square() * _WEIGHT_ABSENT
    there = (_LENGTH_THERE - lengths).relu().square()
    column = given[:, None]
    loss: Tensor = absent.scatter(1, column, there.gather(1, column)).sum(dim=1)
    return loss


class Decoder(nn.Module):
    """Draws an image from the capsule of one class (section 4.1 and figure 2).

    Args:
        shape: Height, width and channels of an image.
        classes: Number of classes K.
        size: Numbers D of a class capsule.

    Attributes:
        shape: Channels, height and width of an image.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, size: int) -> None:
        super().__init__()
        height, width, channels = shape
        self.shape = (channels, height, width)
        self._classes = classes
        self.layers = nn.Sequential(
            nn.Linear(classes * size, 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, 1024),
            nn.ReLU(inplace=True),
            nn.Linear(1024, height * width * channels),
            nn.Sigmoid(),
        )

    def forward(self, capsules: Tensor, chosen: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of capsules (N, K, D), of which it sees the chosen."""
        place = torch.arange(len(capsules), device=capsules.device)
        masked = torch.zeros_like(capsules)
        masked[place, chosen] = capsules[place, chosen]
        drawn: Tensor = self.layers(masked.flatten(1))
        return drawn.view(-1, *self.shape)

    def draw(self, capsules: Tensor, label: int) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of capsules (N, D) of one class."""
        among = capsules.new_zeros(len(capsules), self._classes, capsules.shape[1])
        among[:, label] = capsules
        chosen = torch.full((len(capsules),), label, device=capsules.device)
        return self.forward(among, chosen)


class VectorCapsules(ScoredNetwork):
    """A network whose class capsules are vectors: the longest one is the class it reads.

    Attributes:
        decoder: Draws an image from the capsule of one class.
    """

    decoder: Decoder

    def __init__(self, shape: tuple[int, int, int], classes: int, size: int) -> None:
        super().__init__()
        self.readout = Lengths()
        self.decoder = Decoder(shape, classes, size)

    def capsules(self, images: Tensor) -> Tensor:
        """Class capsules (N, K, D) of images (N, C, H, W) in [0, 1]."""
        raise NotImplementedError

    def scores(self, images: Tensor) -> Tensor:
        """Lengths (N, K) of the class capsules."""
        lengths: Tensor = self.readout(self.capsules(images))
        return lengths

    def objective(
        self, images: Tensor, given: Tensor, recipe: Recipe, progress: float
    ) -> tuple[Tensor, Tensor]:
        """Margin loss plus the squared error of the given class's reconstruction, weighted."""
        capsules = self.capsules(images)
        lengths = self.readout(capsules)
        loss = margin_loss(lengths, given).mean()
        if weight := _RECONSTRUCTION[recipe.reconstruction]:
            errors = (self.decoder(capsules, given) - images).square().flatten(1).sum(dim=1)
            loss = loss + weight * errors.mean()
        return loss, lengths
