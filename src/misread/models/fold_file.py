"""A finished fold as a safetensors file, kept until its repeat is whole."""

from pathlib import Path

import torch

from misread.datasets import Dataset
from misread.errors import StudyError
from misread.models.card import Card
from misread.models.checkpoint import read_tensors, write_tensors
from misread.models.crossfit import Fold
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.types import Array

_DYNAMICS = ("area_under_margin", "first_learned", "forgotten")


def write_fold(path: Path, fold: Fold, settings: dict[str, object]) -> None:
    """Keep a finished fold until its repeat is whole, as safetensors.

    Raises:
        StudyError: The file can't be written.
    """
    tensors: dict[str, Array] = {
        f"dynamics.{field}": getattr(fold.dynamics, field) for field in ("index", *_DYNAMICS)
    }
    # By number: a split may be called anything.
    for number, (name, part) in enumerate(fold.predictions.items()):
        near = fold.neighbours[name]
        tensors |= {
            f"{number}.index": part.index,
            f"{number}.given": part.given,
            f"{number}.probabilities": part.probabilities,
            f"{number}.neighbours": near.neighbours,
        }
    plain = {name: torch.tensor(array) for name, array in tensors.items()}
    write_tensors(path, plain, {"card": fold.card.to_json(), "settings": settings})


def read_fold(path: Path, dataset: Dataset, settings: dict[str, object]) -> Fold:
    """Read what `write_fold` wrote.

    Raises:
        StudyError: It is damaged, or of a crossfit with other settings.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("settings") != settings:
        raise StudyError(
            f"{path}: belongs to a half-finished crossfit with other settings or other data; "
            "--fresh starts anew, --study names another folder"
        )
    card = Card.from_json(str(metadata.get("card")), path)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    predictions, neighbours = {}, {}
    # In the order in which a fold predicts: train comes first.
    names = ["train", *(name for name in dataset.splits if name != "train")]
    for number, name in enumerate(names):
        split, origin = dataset.splits[name], Origin.HELD_OUT
        provenance = Provenance(
            card.model, str(card.recipe["name"]), card.seed, name, origin, dataset.classes,
            split.items_fingerprint, card.created,
        )  # fmt: skip
        index, given, probabilities, places = (
            arrays[f"{number}.{field}"]
            for field in ("index", "given", "probabilities", "neighbours")
        )
        predictions[name] = Predictions(index, given, probabilities, provenance)
        neighbours[name] = Neighbours(index, places, provenance)
    dynamics = Dynamics(
        **{field: arrays[f"dynamics.{field}"] for field in ("index", *_DYNAMICS)},
        epochs=len(card.log),
        networks=1,
        provenance=predictions["train"].provenance,
    )
    return Fold(card, predictions, neighbours, dynamics)
