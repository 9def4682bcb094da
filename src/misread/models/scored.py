"""Networks whose scores are no logits: they bring their own loss, and their scores need a scale.

A capsule's length or activation lies in [0, 1]; its softmax would be nearly flat. The predicted
probabilities are softmax(s x score), with one number s, the scale, that is fitted after training
on images of the training split that were held out of it.
"""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from misread.models.card import validation_images
from misread.models.recipe import Recipe
from misread.types import IntArray

# Scores lie in [0, 1]: beyond these limits softmax is flat, or one-hot in float32.
_LOWEST, _HIGHEST = 0.1, 1_000.0


class ScoredNetwork(nn.Module, ABC):
    """A network that is trained on its own loss, and gives scores times a scale as logits.

    Attributes:
        readout: The layer that reads the scores from the class capsules; what it is given are the
            network's features.
        scale: The scale s, a tensor without dimensions; 1 until it is fitted.
    """

    readout: nn.Module
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    @abstractmethod
    def scores(self, images: Tensor) -> Tensor:
        """Scores (N, classes) of images (N, C, H, W) in [0, 1]; the highest is the class read."""

    @abstractmethod
    def objective(
        self, images: Tensor, given: Tensor, recipe: Recipe, progress: float
    ) -> tuple[Tensor, Tensor]:
        """The loss to train on, and the scores it was computed from.

        Args:
            images: (N, C, H, W) float32 in [0, 1].
            given: (N,) int64 given labels.
            recipe: What the loss is weighted by.
            progress: Share of the training's steps that are done, in [0, 1).

        Returns:
            The mean loss over the images, and scores (N, classes).
        """

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W) in [0, 1]: scale times scores."""
        return self.scale * self.scores(images)


def draw_validation(images: int, seed: int) -> IntArray:
    """Positions of the training images that are held out to fit the scale, drawn at random.

    Args:
        images: Number of training images.
        seed: Of the training.

    Returns:
        (V,) int64 in rising order, see `validation_images`.
    """
    drawn = np.random.default_rng([seed, images]).permutation(images)
    return np.sort(drawn[: validation_images(images)])


def fit_scale(scores: Tensor, given: Tensor) -> float:
    """The scale that gives the given labels of held-out images the highest likelihood.

    One image more is imagined whose label is equally likely each of the classes: without a mistake
    among the images the likelihood would grow with the scale for ever.

    Args:
        scores: (V, K) of the held-out images.
        given: (V,) int64.

    Returns:
        A number between 0.1 and 1,000.

    Source: temperature scaling of Guo, Pleiss, Sun & Weinberger (2017), with s for 1 / T.
    """
    scores = scores.detach().cpu().double()
    given = given.cpu()
    count, classes = scores.shape
    smoothing = 1 / (count + 1)
    target = torch.full_like(scores, smoothing / classes)
    target[torch.arange(count), given] += 1 - smoothing

    def loss(log_scale: float) -> float:
        return -float((target * (math.exp(log_scale) * scores).log_softmax(dim=1)).sum())

    # Convex in s, so that there is one minimum, on the scale of ln(s) as well.
    limits = (math.log(_LOWEST), math.log(_HIGHEST))
    found = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))
