"""Matrix capsules with EM routing.

Hinton, Sabour & Frosst, "Matrix capsules with EM routing" (2018); equation and procedure numbers
are the paper's. 68,308 parameters for 28 x 28 grey images in ten classes, and 318,420 at full size.
Where the paper leaves a choice or is known to fail, Gritzman, "Avoiding implementation pitfalls of
matrix capsules with EM routing" (2019), is followed: a class is routed to from all places at once,
costs don't grow with the number of children, and parents in all places compete for a child.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from misread.errors import ParameterError
from misread.models.em_votes import Votes
from misread.models.recipe import Recipe
from misread.models.recompute import recomputed
from misread.models.scored import ScoredNetwork
from misread.types import IntArray

# Inside every variance, as in the authors' code: a parent of few or equal votes has some spread.
_FLOOR = 5e-4
# Keeps a parent without active children finite.
_EPSILON = 1e-9
# Inverse temperature of iteration t, from 1: as in the authors' code, of costs per child.
_INVERSE_TEMPERATURE, _COOLING = 2.0, 0.95
# Bytes of votes and squares that are in memory at once, unless one image has more.
_MOST_BYTES = 12 << 20
# The spread loss's margin rises between these, as in the authors' code.
_MARGIN_FROM, _MARGIN_BY = 0.2, 0.79


@dataclass(frozen=True)
class Windows:
    """Which children feed which parents: a convolution's windows, or all places at once.

    Attributes:
        children: (P, k) int64, the places of the children that feed each of P places of parents.
        rivals: (S, m) int64: for each place of a child that feeds any, its places in `children`,
            flattened; filled up with P k.
        place: (P, k) int64: the row of `rivals` of each child in `children`.
    """

    children: IntArray
    rivals: IntArray
    place: IntArray

    @classmethod
    def of_grid(cls, grid: tuple[int, int], size: tuple[int, int], stride: int) -> "Windows":
        """Valid windows of this size and stride on a grid of places, row by row."""
        numbers = np.arange(grid[0] * grid[1]).reshape(grid)
        cut = np.lib.stride_tricks.sliding_window_view(numbers, size)[::stride, ::stride]
        children = cut.reshape(-1, size[0] * size[1])
        fed, place = np.unique(children, return_inverse=True)
        place = place.reshape(children.shape)
        found = [np.flatnonzero(place == number) for number in range(len(fed))]
        rivals = np.full((len(fed), max(map(len, found))), children.size)
        for row, places in zip(rivals, found, strict=True):
            row[: len(places)] = places
        return cls(np.ascontiguousarray(children), rivals, place)

    def parents(self) -> IntArray:
        """(P, k): in how many places each child has parents."""
        counts: IntArray = (self.rivals < self.children.size).sum(axis=1)[self.place]
        return counts


class EMRouting(nn.Module):
    """One layer of matrix capsules, routed to by EM (procedure 1).

    Args:
        before: Types of capsules of the children, B.
        after: Types of capsules of the parents, C.
        windows: Which places feed which.
        iterations: Of EM, 1 or more.
        coordinates: (k, 2), added to the votes of the places in a window; then all places share
            their transformations. Else each place in the window has its own.
    """

    inside: Tensor
    rivals: Tensor
    place: Tensor
    uniform: Tensor
    offset: Tensor | None

    def __init__(
        self,
        before: int,
        after: int,
        windows: Windows,
        iterations: int,
        coordinates: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.iterations = iterations
        size = windows.children.shape[1]
        own = 1 if coordinates is not None else size
        # (C, 16, k B)
        self.transform = nn.Parameter(torch.empty(after, 16, own * before))
        self.beta_u = nn.Parameter(torch.zeros(after))
        self.beta_a = nn.Parameter(torch.zeros(after))
        tables = {"inside": windows.children, "rivals": windows.rivals, "place": windows.place}
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table), persistent=False)
        # Coupling before the first M-step: all parents that a child feeds, alike.
        share = torch.from_numpy(1 / (windows.parents() * after)).float()
        uniform = share.repeat_interleave(before, dim=1)[:, None]  # (P, 1, K)
        self.register_buffer("uniform", uniform, persistent=False)
        offset = None
        if coordinates is not None:
            offset = torch.zeros(4, 4, size, before)
            offset[0, :2] = coordinates.T[:, :, None]  # coordinate addition, section 5.1
            offset = offset.flatten(2)
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, poses: Tensor, activations: Tensor) -> tuple[Tensor, Tensor]:
        """Route.

        Args:
            poses: (N, S, 16, B) of the children in S places.
            activations: (N, S, B) in [0, 1].

        Returns:
            Poses (N, P, 16, C) and activations (N, P, C) of the parents.
        """
        count, size = len(poses), self.inside.shape[1]
        places = self.inside.flatten()
        types = activations.shape[2]
        poses = poses[:, places].view(count, -1, size, 16, types).transpose(2, 3)
        poses = poses.flatten(3)  # (N, P, 16, K)
        activations = activations[:, places].view(count, -1, size * types)  # (N, P, K)
        transform = self.transform.view(-1, 4, 4, self.transform.shape[2])  # K, or B if shared
        transform = transform.repeat(1, 1, 1, size * types // transform.shape[3])  # (C, 4, 4, K)
        step = self._images_at_once(poses)
        results = [
            recomputed(
                self._route,
                poses[start : start + step],
                activations[start : start + step],
                transform,
                self.beta_u,
                self.beta_a,
            )
            for start in range(0, max(1, count), step)
        ]
        return torch.cat([p for p, _ in results]), torch.cat([a for _, a in results])

    def _images_at_once(self, poses: Tensor) -> int:
        _, places, entries, children = poses.shape
        of_image = 2 * places * len(self.beta_u) * entries * children * poses.element_size()
        return max(1, _MOST_BYTES // of_image)

    def _route(
        self, poses: Tensor, activations: Tensor, transform: Tensor, beta_u: Tensor, beta_a: Tensor
    ) -> tuple[Tensor, Tensor]:
        """EM (procedure 1) for n images: poses (n, P, 16, K), activations (n, P, K)."""
        count, places = poses.shape[:2]
        parents = len(beta_u)
        votes = Votes(poses.reshape(count * places, 4, 4, -1), transform, self.offset)
        coupling = self.uniform.expand(count, -1, parents, -1)  # (n, P, C, K)
        # What the weights of a parent add up to where couplings are uniform and children active.
        most = self.uniform.sum(dim=-1)  # (P, 1)
        for iteration in range(1, self.iterations + 1):
            weights = coupling * activations[:, :, None]  # (n, P, C, K), line 2 of the M-step
            total = weights.sum(dim=-1, keepdim=True) + _EPSILON  # (n, P, C, 1)
            mean, square = (
                sums.view(count, places, parents, 16) / total
                for sums in votes.moments(weights.flatten(0, 1))
            )  # (n, P, C, 16) each
            # mean: line 3, relative to the votes' center
            variance = (square - mean.square()).clamp(min=0) + _FLOOR  # line 4
            # log sigma = 1/2 log sigma^2; line 5
            cost = (beta_u + 0.5 * variance.log().mean(dim=-1)) * 16 * total[..., 0] / most
            heat = _INVERSE_TEMPERATURE * (1 - _COOLING**iteration)
            logit = heat * (beta_a - cost)  # (n, P, C), line 6
            if iteration == self.iterations:
                break
            distance = votes.squared_distance(mean.flatten(0, 1), (0.5 / variance).flatten(0, 1))
            spread = 0.5 * (2 * math.pi * variance).log().sum(dim=-1, keepdim=True)
            density = -distance.view_as(coupling) - spread  # log p, E-step, line 2
            coupling = self.compete(F.logsigmoid(logit)[..., None] + density)
        center = votes.center.view_as(mean)
        return (mean + center).transpose(2, 3), logit.sigmoid()

    def compete(self, logits: Tensor) -> Tensor:
        """Softmax over all parents that a child feeds, of all types and in all places (line 3).

        Args:
            logits: (n, P, C, K), log a + log p.

        Returns:
            Couplings (n, P, C, K); those of one child, in all windows it is in, sum to 1.
        """
        of_window = logits.logsumexp(dim=2)  # (n, P, K)
        of_window = of_window.view(len(logits), self.inside.numel(), -1)  # (n, P k, B)
        # One more that weighs nothing, for children with fewer windows than others.
        padded = F.pad(of_window, (0, 0, 0, 1), value=-math.inf)
        of_child = padded[:, self.rivals].logsumexp(dim=2)  # (n, S, B)
        of_child = of_child[:, self.place].flatten(2)  # (n, P, K)
        return (logits - of_child[:, :, None]).exp()


class Activations(nn.Module):
    """Reads the class scores from the class capsules: how active they are."""

    def forward(self, poses: Tensor, activations: Tensor) -> Tensor:
        """The activations (N, K); the poses (N, K, 16) are what else a class capsule says."""
        return activations


class EMCapsNet(ScoredNetwork):
    """A convolution, primary capsules, two layers of convolutional capsules, class capsules.

    Args:
        shape: Height, width and channels of an image.
        classes: Number of classes K.
        widths: Channels of the convolution, and types of the three layers of capsules (A, B, C, D).
        iterations: Of EM in each layer.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        widths: tuple[int, int, int, int],
        iterations: int,
    ) -> None:
        super().__init__()
        a, b, c, d = widths
        height, width, channels = shape
        self.convolution = nn.Conv2d(channels, a, 5, stride=2)  # (N, A, 12, 12)
        self.poses = nn.Conv2d(a, 16 * b, 1, bias=False)
        self.activations = nn.Conv2d(a, b, 1, bias=False)
        grid = ((height - 5) // 2 + 1, (width - 5) // 2 + 1)
        self.first = EMRouting(b, c, Windows.of_grid(grid, (3, 3), 2), iterations)
        grid = ((grid[0] - 3) // 2 + 1, (grid[1] - 3) // 2 + 1)  # (5, 5)
        self.second = EMRouting(c, d, Windows.of_grid(grid, (3, 3), 1), iterations)
        grid = (grid[0] - 2, grid[1] - 2)  # (3, 3)
        # A place's receptive field: strides of 2 and 2, centres in pixels / 100 as in the code.
        y, x = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
        centers = torch.from_numpy((4 * np.stack([y, x], axis=1) + 8) / 100).float()
        self.last = EMRouting(d, classes, Windows.of_grid(grid, grid, 1), iterations, centers)
        self.readout = Activations()

    def scores(self, images: Tensor) -> Tensor:
        """Activations (N, K) of the class capsules."""
        maps = self.convolution(images).relu()
        poses = self.poses(maps).flatten(2).transpose(1, 2)
        poses = poses.reshape(len(images), poses.shape[1], 16, -1)  # (N, 144, 16, B)
        activations = self.activations(maps).sigmoid().flatten(2).transpose(1, 2)  # (N, 144, B)
        with torch.autocast(images.device.type, enabled=False):
            poses, activations = self.first(poses.float(), activations.float())  # (N, 25, 16, C)
            poses, activations = self.second(poses, activations)  # (N, 9, 16, D)
            poses, activations = self.last(poses, activations)  # (N, 1, 16, K)
            read: Tensor = self.readout(poses[:, 0].transpose(1, 2), activations[:, 0])
            return read

    def objective(
        self, images: Tensor, given: Tensor, recipe: Recipe, progress: float
    ) -> tuple[Tensor, Tensor]:
        """The spread loss (eq. 3), with a margin that grows over the training."""
        scores = self.scores(images)
        return spread_loss(scores, given, spread_margin(progress)).mean(), scores


def spread_margin(progress: float) -> float:
    """The margin when this share of the training, in [0, 1], is done: the code's, to scale."""
    return _MARGIN_FROM + _MARGIN_BY / (1 + math.exp(-min(10.0, 14 * progress - 4)))


def spread_loss(scores: Tensor, given: Tensor, margin: float) -> Tensor:
    """Spread loss (eq. 3), summed over the other classes: (N,) of scores (N, K), given (N,)."""
    column = given[:, None]
    lacking = (margin - (scores.gather(1, column) - scores)).relu().square()
    return lacking.scatter(1, column, 0.0).sum(dim=1)


def build(
    shape: tuple[int, int, int],
    classes: int,
    widths: tuple[int, int, int, int] = (64, 8, 16, 16),
    iterations: int = 2,
) -> EMCapsNet:
    """The network for images of this shape, freshly initialised from torch's global generator.

    Args:
        shape: Height, width and channels; at least 17 x 17.
        classes: Number of classes, 2 or more.
        widths: Channels of the convolution, and types of the three layers of capsules.
        iterations: Of EM in each layer, 1 or more.

    Raises:
        ParameterError: The images are too small for the valid windows, or there is no iteration.
    """
    height, width, _ = shape
    if min(height, width) < 17:
        raise ParameterError(
            "model em-capsnet: expected images of at least 17 x 17. "
            f"Got {height} x {width} instead."
        )
    if iterations < 1:
        raise ParameterError(f"iterations must be 1 or more. Got {iterations} instead.")
    network = EMCapsNet(shape, classes, widths, iterations)
    # Poses and votes of about 1: far above the variances' floor, where all parents look certain.
    nn.init.kaiming_normal_(network.convolution.weight, nonlinearity="relu")
    nn.init.kaiming_normal_(network.poses.weight, nonlinearity="relu")
    with torch.no_grad():
        network.poses.weight *= 2
    for layer in (network.first, network.second, network.last):
        nn.init.normal_(layer.transform)
    return network
