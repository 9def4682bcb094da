"""Trained networks on disk: weights beside their card."""

import importlib
from pathlib import Path

import torch
from torch import nn

from misread.errors import StudyError
from misread.models.card import Card
from misread.models.catalogue import find_model
from misread.models.checkpoint import read_tensors, write_tensors
from misread.models.trained import Trained


def save_weights(trained: Trained, path: Path) -> None:
    """Write the trained network's weights and batch-norm statistics as safetensors."""
    write_tensors(path, trained.network.state_dict(), {"name": trained.card.name})


def read_network(card: Card, weights: Path, device: torch.device) -> nn.Module:
    """The trained network of a card, ready to predict.

    Args:
        card: Says which network, for which images and classes.
        weights: The file that `save_weights` wrote.
        device: Where the network is to be.

    Raises:
        ParameterError: The card's network is none of the catalogue's.
        StudyError: The weights are missing, damaged or of another network.
    """
    spec = find_model(card.model)
    tensors, metadata = read_tensors(weights)
    if metadata.get("name") != card.name:
        raise StudyError(
            f"{weights}: expected the weights of {card.name}, found {metadata.get('name')!a}"
        )
    # Initialisation draws from torch's global generator; the caller's is put back.
    with torch.random.fork_rng([]):
        build = importlib.import_module(spec.module).build
        network: nn.Module = build(card.shape, len(card.classes), **card.options)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise StudyError(f"{weights}: its tensors don't fit {card.model}") from error
    network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()
