"""A trained network, and what it predicts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from misread.clock import timestamp
from misread.datasets import Split
from misread.errors import DatasetError
from misread.models.batches import image_shape
from misread.models.card import Card
from misread.models.features import taking_features
from misread.models.prediction import predict_probabilities
from misread.tables import Dynamics, Origin, Predictions, Provenance


@dataclass(frozen=True)
class Trained:
    """A trained network, its card, and how each training image fared on the way."""

    network: nn.Module
    card: Card
    device: torch.device
    dynamics: Dynamics


def predict(
    trained: Trained, split: Split, on_images: Callable[[int], None] | None = None
) -> Predictions:
    """The trained network's predictions of a split.

    Their origin is `in-sample` for the split it was trained on, `held-out` for any other.

    Args:
        trained: The network and its card.
        split: Images of the shape it was trained on.
        on_images: Called after each batch with the number of its images.

    Raises:
        DatasetError: The images have another shape.
    """
    return predict_with_features(trained, split, on_images)[0]


def predict_with_features(
    trained: Trained, split: Split, on_images: Callable[[int], None] | None = None
) -> tuple[Predictions, torch.Tensor]:
    """As `predict`, with the features (N, D) float32 that the network reads the classes from."""
    card = trained.card
    check_shape(split, card.shape)
    pixels = split.pixels("prediction")
    with taking_features(trained.network) as taken:
        probabilities = predict_probabilities(trained.network, pixels, trained.device, on_images)
    predictions = Predictions(
        index=torch.arange(len(split), dtype=torch.int32).numpy(),
        given=split.labels,
        probabilities=probabilities,
        provenance=provenance_of(card, split),
    )
    return predictions, torch.cat(taken)


def provenance_of(card: Card, split: Split) -> Provenance:
    """Whence predictions of this split by the network of this card are."""
    seen = split.items_fingerprint == card.items_fingerprint
    return Provenance(
        model=card.model,
        recipe=str(card.recipe["name"]),
        seed=card.seed,
        split=split.name,
        origin=Origin.IN_SAMPLE if seen else Origin.HELD_OUT,
        classes=card.classes,
        items_fingerprint=split.items_fingerprint,
        created=timestamp(),
    )


def check_shape(split: Split, shape: tuple[int, int, int]) -> None:
    """Check that a network for images of this shape can be given the split's.

    Raises:
        DatasetError: It can't.
    """
    if not len(split):
        return
    found = image_shape(np.asarray(split.images[0])[None])
    if found != shape:
        raise DatasetError(
            f"split {split.name!r}: expected images of {shape} (height, width, channels), as the "
            f"network is trained on. Got {found} instead."
        )
