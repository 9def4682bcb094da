"""A finished fold as a safetensors file, kept until its repeat is whole."""

from dataclasses import replace
from pathlib import Path

import torch

from misread.datasets import Dataset
from misread.errors import PredictionsError, StudyError
from misread.models.card import Card
from misread.models.checkpoint import read_tensors, write_tensors
from misread.models.crossfit import Fold
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.types import Array

_DYNAMICS = ("area_under_margin", "first_learned", "forgotten")


def write_fold(path: Path, fold: Fold) -> None:
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
    write_tensors(path, plain, {"card": fold.card.to_json()})


def read_fold(path: Path, dataset: Dataset) -> Fold:
    """Read what `write_fold` wrote of a fold of this dataset.

    Raises:
        StudyError: It is missing or damaged.
    """
    tensors, metadata = read_tensors(path)
    card = Card.from_json(str(metadata.get("card")), path)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    try:
        return _assemble(card, arrays, dataset)
    except (KeyError, PredictionsError) as error:
        raise StudyError(
            f"{path}: expected a finished fold: {error}; without the file it is done anew"
        ) from error


def _assemble(card: Card, arrays: dict[str, Array], dataset: Dataset) -> Fold:
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
        provenance=replace(predictions["train"].provenance, origin=Origin.IN_SAMPLE),
    )
    return Fold(card, predictions, neighbours, dynamics)
