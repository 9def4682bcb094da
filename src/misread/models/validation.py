"""Training images held out for the scale of a network's scores."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from misread.models.checkpoint import TrainingState
from misread.models.prediction import predict_logits
from misread.models.scored import ScoredNetwork, draw_validation, fit_scale
from misread.types import ByteArray, LabelArray


@dataclass(frozen=True)
class Validation:
    """Training images that a network whose scores need a scale isn't trained on.

    No weight is fitted to them. The batch-norm statistics of averaged weights may be measured on
    some: those know no label.

    Attributes:
        pixels: (V, H, W[, C]) uint8; none for a network that gives logits.
        given: (V,) int64.
        drawn: (V,) int64, their positions in the training split.
        others: Positions of all other training images, None for all images.
    """

    pixels: ByteArray
    given: torch.Tensor
    drawn: torch.Tensor
    others: torch.Tensor | None

    @classmethod
    def hold_out(
        cls, network: nn.Module, pixels: ByteArray, labels: LabelArray, seed: int
    ) -> "Validation":
        """Draw them, if the network needs them."""
        count = len(labels)
        needed = isinstance(network, ScoredNetwork)
        drawn = draw_validation(count, seed) if needed else np.empty(0, np.int64)
        others = np.setdiff1d(np.arange(count), drawn)
        return cls(
            pixels[drawn],
            torch.from_numpy(labels[drawn].astype("int64")),
            torch.from_numpy(drawn),
            torch.from_numpy(others) if needed else None,
        )

    def record(self, epoch: int, state: TrainingState, device: torch.device) -> None:
        """Take down how they fare after an epoch: no batch had them."""
        if len(self.drawn):
            logits = predict_logits(state.network, self.pixels, device).to(device)
            state.dynamics.record(epoch, self.drawn, logits, self.given.to(device))

    def fit(self, network: ScoredNetwork, device: torch.device) -> float:
        """Fit the network's scale on them, and return it."""
        network.scale.fill_(1)
        scale = fit_scale(predict_logits(network, self.pixels, device), self.given)
        network.scale.fill_(scale)
        return round(scale, 6)
