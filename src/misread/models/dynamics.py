"""Training dynamics: how each training image fared while the network learned it.

Recorded from the logits that training computes anyway, as each image is drawn: no extra pass.
"""

import torch
from torch import Tensor

from misread.tables import Dynamics, Provenance


class DynamicsRecorder:
    """Sums over the epochs, one row per training image.

    Args:
        images: Number of training images.
        device: Where the logits are.
    """

    def __init__(self, images: int, device: torch.device) -> None:
        self._sums = {
            "margin": torch.zeros(images, device=device),
            "drawn": torch.zeros(images, device=device),
            "first_learned": torch.zeros(images, device=device),  # 0: never yet
            "forgotten": torch.zeros(images, device=device),
            "right": torch.zeros(images, dtype=torch.bool, device=device),  # when last drawn
        }

    @torch.no_grad()
    def record(self, epoch: int, drawn: Tensor, logits: Tensor, given: Tensor) -> None:
        """Take down one batch.

        Args:
            epoch: Number of the epoch, from 1.
            drawn: (B,) int64, positions of the images in the split, each once.
            logits: (B, K) float, K of 2 or more, from before the step.
            given: (B,) int64.
        """
        sums = self._sums
        drawn = drawn.to(given.device)
        column = given[:, None]
        of_given = logits.gather(1, column)[:, 0]
        others = logits.scatter(1, column, -torch.inf).amax(dim=1)
        right = of_given > others
        sums["margin"][drawn] += (of_given - others).float()
        sums["drawn"][drawn] += 1
        first = sums["first_learned"][drawn]
        sums["first_learned"][drawn] = torch.where((first == 0) & right, float(epoch), first)
        sums["forgotten"][drawn] += sums["right"][drawn] & ~right
        sums["right"][drawn] = right

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold."""
        return self._sums

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint.

        Raises:
            KeyError: A tensor is missing.
            RuntimeError: One has another length.
        """
        for name, tensor in self._sums.items():
            tensor.copy_(tensors[name])

    def table(self, epochs: int, provenance: Provenance) -> Dynamics:
        """What was recorded over a whole training of this many epochs."""
        sums = {name: tensor.cpu() for name, tensor in self._sums.items()}
        first = sums["first_learned"]
        return Dynamics(
            index=torch.arange(len(first), dtype=torch.int32).numpy(),
            # An image that never filled a batch has no margin: neither for nor against its label.
            area_under_margin=(sums["margin"] / sums["drawn"].clamp(min=1)).numpy(),
            first_learned=torch.where(first == 0, float(epochs + 1), first).numpy(),
            forgotten=sums["forgotten"].numpy(),
            epochs=epochs,
            networks=1,
            provenance=provenance,
        )
