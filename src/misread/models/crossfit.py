"""Cross-fitting: every training image is predicted by a network that never saw it.

The training split is cut into folds; for each fold a network is trained on the others and predicts
the fold (Stone 1974; K-fold cross-validation, of which the predictions are kept).
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.clock import timestamp
from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.models.card import Card
from misread.models.features import nearest_training_images
from misread.models.recipe import Recipe
from misread.models.trained import predict_with_features
from misread.models.training import Progress, train_network
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.types import Array, IntArray, LabelArray


def stratified_folds(labels: LabelArray, folds: int, seed: int, repeat: int = 1) -> IntArray:
    """Deal the images out to folds, class by class, at random.

    Args:
        labels: (N,) given labels.
        folds: Number of folds, in 2..N.
        seed: Of the run.
        repeat: Number of the repeat; each deals anew.

    Returns:
        (N,) int64, the fold of each image. The folds' sizes differ by one image at most, and so do
        their images of any one class.

    Raises:
        ParameterError: There are fewer than 2 folds, or more folds than images.
    """
    if not 2 <= folds <= len(labels):
        raise ParameterError(
            f"folds must be 2 or more, and at most one per training image ({len(labels):,}). "
            f"Got {folds} instead."
        )
    order = np.random.default_rng([seed, repeat]).permutation(len(labels))
    # Class after class around the table: the next class goes on where the last one stopped.
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


@dataclass(frozen=True, eq=False)
class Fold:
    """What one fold's network leaves.

    Attributes:
        card: Of the network.
        predictions: Probabilities by split: the fold's images of `train`, all of any other.
        neighbours: Their nearest training images, none of the fold, by split.
        dynamics: Of the images the network was trained on.
    """

    card: Card
    predictions: dict[str, Predictions]
    neighbours: dict[str, Neighbours]
    dynamics: Dynamics


def fit_fold(
    dataset: Dataset,
    model: str,
    recipe: Recipe,
    member: Array,
    seed: int,
    *,
    device: str = "auto",
    checkpoint: Path | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Fold:
    """Train a network on the images outside a fold, and predict those in it.

    Args:
        dataset: Its `train` split is cross-fitted, its other splits are predicted as well.
        model: A name of the catalogue.
        recipe: How to train.
        member: (N,) bool, whether each training image is in the fold.
        seed: Of the network.
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: File for the state after each epoch.
        on_step: Called after each step.

    Raises:
        MisreadError: As `train_network`.
    """
    seen, unseen = np.flatnonzero(~member), np.flatnonzero(member)
    others = {name: split for name, split in dataset.splits.items() if name != "train"}
    part = dataclasses.replace(dataset, splits={"train": dataset.train.take(seen)} | others)
    trained = train_network(
        part, model, recipe, seed, device=device, checkpoint=checkpoint, on_step=on_step
    )
    _, references = predict_with_features(trained, part.train)
    predictions, neighbours = {}, {}
    for name, split in ({"train": dataset.train.take(unseen)} | others).items():
        index = (unseen if name == "train" else np.arange(len(split))).astype(np.int32)
        found, features = predict_with_features(trained, split)
        # Positions are those in the whole split.
        whole = dataset.splits[name].items_fingerprint
        provenance = dataclasses.replace(found.provenance, items_fingerprint=whole)
        predictions[name] = dataclasses.replace(found, index=index, provenance=provenance)
        near = nearest_training_images(features, references, provenance)
        neighbours[name] = dataclasses.replace(
            near, index=index, neighbours=seen[near.neighbours].astype(np.int32)
        )
    in_sample = dataclasses.replace(predictions["train"].provenance, origin=Origin.IN_SAMPLE)
    dynamics = dataclasses.replace(
        trained.dynamics, index=seen.astype(np.int32), provenance=in_sample
    )
    return Fold(trained.card, predictions, neighbours, dynamics)


def join_folds(
    dataset: Dataset, folds: Sequence[Fold], seed: int, repeat: int
) -> tuple[dict[str, Predictions], dict[str, Neighbours], Dynamics]:
    """Put the folds together: one table of each kind for a whole repeat.

    The networks' predictions of any other split are averaged: a committee that never saw it. Its
    neighbours are those that the first fold's network finds.

    Args:
        dataset: Was cross-fitted.
        folds: One per fold.
        seed: Of the run.
        repeat: Number of the repeat.

    Returns:
        Predictions and neighbours by split, `train` as `cross-fitted`, the others as `held-out`;
        and the dynamics of the training images, means over the networks that were trained on each.
    """
    card, created = folds[0].card, timestamp()
    predictions, neighbours = {}, {}
    for name, split in dataset.splits.items():
        provenance = Provenance(
            model=card.model,
            recipe=str(card.recipe["name"]),
            seed=seed,
            split=name,
            origin=Origin.CROSS_FITTED if name == "train" else Origin.HELD_OUT,
            classes=dataset.classes,
            items_fingerprint=split.items_fingerprint,
            created=created,
            repeat=repeat,
        )
        parts = [fold.predictions[name] for fold in folds]
        near = [fold.neighbours[name] for fold in folds]
        if name == "train":
            order = np.argsort(np.concatenate([part.index for part in parts]))
            probabilities = np.concatenate([part.probabilities for part in parts])[order]
            # A fold of a small dataset may have had fewer images to find neighbours among.
            width = min(table.neighbours.shape[1] for table in near)
            places = np.concatenate([table.neighbours[:, :width] for table in near])[order]
        else:
            probabilities = np.mean([part.probabilities for part in parts], axis=0)
            places = near[0].neighbours
        index = np.arange(len(split), dtype=np.int32)
        predictions[name] = Predictions(index, split.labels, probabilities, provenance)
        neighbours[name] = Neighbours(index, places, provenance)
    in_sample = dataclasses.replace(predictions["train"].provenance, origin=Origin.IN_SAMPLE)
    dynamics = Dynamics.mean([fold.dynamics for fold in folds], in_sample)
    return predictions, neighbours, dynamics


def fold_seed(seed: int, repeat: int, fold: int) -> int:
    """The seed of one fold's network: a 63-bit number, another one for every fold and repeat."""
    return int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1, np.uint64)[0] >> 1)
