"""A trained network, and what it predicts."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from misread.clock import timestamp
from misread.datasets import Split
from misread.models.batches import read_pixels
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
    pixels = read_pixels(split, card.shape)
    with taking_features(trained.network) as taken:
        probabilities = predict_probabilities(trained.network, pixels, trained.device, on_images)
    predictions = Predictions(
        index=torch.arange(len(split), dtype=torch.int32).numpy(),
        given=split.labels,
        probabilities=probabilities,
        provenance=provenance_of(card, split),
    )
    # Of an empty split a blank image was predicted, so that the number of classes is known.
    return predictions, torch.cat(taken)[: len(split)]


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
