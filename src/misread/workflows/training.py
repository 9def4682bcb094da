"""Train a network and predict every split with it."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from misread.datasets import Dataset
from misread.errors import MissingExtraError
from misread.models import Recipe, Run, find_model

if TYPE_CHECKING:
    from misread.models.trained import Trained
    from misread.models.training import Progress


def train(
    dataset: Dataset,
    model: str = "convnet",
    recipe: str | Recipe | None = None,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    on_step: "Callable[[Progress], None] | None" = None,
) -> Run:
    """Train a network on the training split and predict every split with it.

    On the CPU the same call gives the same run, bit for bit, on the same machine with the same
    number of threads.

    Args:
        dataset: Has a `train` split with images of one size.
        model: A name that `misread models` lists.
        recipe: Name of one of the model's recipes, a recipe of your own, or None for the default.
        epochs: Another number of epochs than the recipe's, 1 or more.
        seed: Seed of the weights, the order, the shifts and dropout; 0 or more.
        device: `auto` (CUDA, else MPS, else CPU), `cpu`, `cuda` or `mps`.
        on_step: Called after each step with where the training stands.

    Returns:
        The card, the log and the predictions; `run.train` is in-sample, `run.test` held-out.

    Raises:
        MissingExtraError: PyTorch isn't installed.
        ParameterError: An argument is unknown or out of range.
        DatasetError: The images can't be trained on.
        TrainingStoppedError: Interrupted by Ctrl-C.

    Example:
        ```python
        digits = misread.load("mnist")
        run = misread.train(digits, model="quick", epochs=1)
        run.test.probabilities.shape  # (10000, 10)
        ```
    """
    chosen = choose_recipe(model, recipe, epochs)
    trained = require_torch().train_network(
        dataset, model, chosen, seed, device=device, on_step=on_step
    )
    return predict_splits(trained, dataset)


def predict_splits(
    trained: "Trained", dataset: Dataset, on_predict: Callable[[int, int], None] | None = None
) -> Run:
    """The trained network's predictions of every split of the dataset.

    Args:
        trained: The network and its card.
        dataset: Its splits are predicted.
        on_predict: Called after each batch with the images done and those there are.
    """
    predict = require_torch("trained").predict_with_features
    total = sum(len(split) for split in dataset.splits.values())
    done = 0

    def count(images: int) -> None:
        nonlocal done
        done += images
        if on_predict is not None:
            on_predict(done, total)

    predictions, features = {}, {}
    for name, split in dataset.splits.items():
        predictions[name], features[name] = predict(trained, split, count)
    nearest = require_torch("features").nearest_training_images
    neighbours = {
        name: nearest(features[name], features["train"], predictions[name].provenance)
        for name in dataset.splits
        if name != "train"
    }
    return Run(trained.card, predictions, trained.dynamics, neighbours)


def choose_recipe(model: str, recipe: str | Recipe | None, epochs: int | None) -> Recipe:
    """The recipe that these arguments mean.

    Raises:
        ParameterError: The model or its recipe is unknown, or epochs is out of range.
    """
    spec = find_model(model)
    return recipe.with_epochs(epochs) if isinstance(recipe, Recipe) else spec.recipe(recipe, epochs)


def require_torch(name: str = "training", what: str = "training a network") -> ModuleType:
    """A module of `misread.models` that needs PyTorch.

    Args:
        name: Of the module.
        what: It is needed for.

    Raises:
        MissingExtraError: PyTorch or safetensors isn't installed; says the pip command.
    """
    try:
        return import_module(f"misread.models.{name}")
    except ModuleNotFoundError as error:
        if error.name in ("torch", "safetensors"):
            raise MissingExtraError(what, "torch") from error
        raise
