"""Training, readable from top to bottom: the loop, its checkpoints, and what it returns."""

import contextlib
import dataclasses
import importlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from misread.clock import timestamp
from misread.datasets import Dataset
from misread.errors import (
    DatasetError,
    ParameterError,
    StudyError,
    TrainingDivergedError,
    TrainingStoppedError,
)
from misread.models.batches import TrainingBatches, epoch_seed, image_shape, read_pixels, to_input
from misread.models.batchnorm import measure_batch_norm
from misread.models.card import Card, EpochRow
from misread.models.catalogue import find_model
from misread.models.checkpoint import TrainingState, read_tensors, write_tensors
from misread.models.dynamics import DynamicsRecorder
from misread.models.optimizer import build_average, build_optimizer, learning_rate
from misread.models.recipe import Recipe
from misread.models.runtime import (
    has_fast_bfloat16,
    keeping_freed_memory,
    pick_device,
    versions,
)
from misread.models.scored import ScoredNetwork
from misread.models.trained import Trained, provenance_of
from misread.models.validation import Validation

# Of images, given labels and the share of the training that is done: the loss, and the logits.
Objective = Callable[[torch.Tensor, torch.Tensor, float], tuple[torch.Tensor, torch.Tensor]]

# Training images, drawn at random, that the statistics of averaged weights are measured on.
_NORM_IMAGES = 5_000


@dataclass(frozen=True)
class Progress:
    """Where a training stands, told after each step.

    Attributes:
        epoch: Number of the running epoch, from 1.
        epochs: Number of epochs.
        step: Steps done of the whole training, those before a resume included.
        steps: Steps of the whole training.
        loss: Mean loss since the epoch began.
        accuracy: Share read right since the epoch began, in [0, 1].
        images_per_second: Since the epoch began.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float


def train_network(
    dataset: Dataset,
    model: str,
    recipe: Recipe,
    seed: int,
    *,
    device: str = "auto",
    checkpoint: Path | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train one network on the training split.

    On the CPU the result is the same, bit for bit, each time on the same machine with the same
    number of threads, whether or not the training was interrupted at a checkpoint.

    Args:
        dataset: Its `train` split has images of one size.
        model: A name of the catalogue.
        recipe: How to train.
        seed: Seed of the weights, the order, the shifts and dropout; 0 or more.
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: File for the state after each epoch. If it is there, training goes on from it.
        on_step: Called after each step; after an epoch's last one, once its checkpoint is written.

    Raises:
        ParameterError: Model, seed or device is unknown or out of range.
        DatasetError: The images are of different shapes, or images or classes fewer than two.
        StudyError: The checkpoint is damaged or of another training.
        TrainingStoppedError: Interrupted by Ctrl-C; says how to go on.
        TrainingDivergedError: The loss is no longer a finite number.
    """
    place = check_settings(seed, device)
    pixels, labels = dataset.train.pixels(), dataset.train.labels
    if len(labels) < 2:
        raise DatasetError(f"{dataset.name}: expected 2 training images or more")
    shape = image_shape(pixels)
    if len(dataset.classes) < 2:
        raise DatasetError(f"{dataset.name}: expected 2 classes or more, found 1")
    # Before the training rather than after it.
    for split in dataset.splits.values():
        if split is not dataset.train:
            read_pixels(split, shape)
    # Initialisation and dropout draw from torch's global generator; the caller's is put back.
    with torch.random.fork_rng(range(torch.cuda.device_count()) if place.type == "cuda" else []):
        torch.manual_seed(epoch_seed(seed, 0))
        spec = find_model(model)
        build = importlib.import_module(spec.module).build
        network: nn.Module = build(shape, len(dataset.classes), **spec.options)
        validation = Validation.hold_out(network, pixels, labels, seed)
        batches = TrainingBatches(
            pixels, labels, recipe.batch_size, recipe.shift, seed, validation.others
        )
        network.to(place)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        state = TrainingState(
            network,
            build_optimizer(network, recipe, place),
            build_average(network, recipe),
            DynamicsRecorder(len(labels), place),
        )
        card = _new_card(dataset, shape, model, recipe, seed, network, place)
        if checkpoint is not None and checkpoint.exists():
            card = _resume(checkpoint, state, card)
        for epoch in range(len(card.log) + 1, recipe.epochs + 1):
            torch.manual_seed(epoch_seed(seed, epoch))
            try:
                with keeping_freed_memory() if place.type == "cpu" else contextlib.nullcontext():
                    row = _train_epoch(epoch, batches, state, recipe, place, on_step)
                validation.record(epoch, state, place)
                longer = dataclasses.replace(card, log=(*card.log, row))
                if checkpoint is not None:
                    write_tensors(checkpoint, state.tensors(), {"card": longer.to_json()})
                card = longer
                # Told once it is saved: what has been told is never lost.
                if on_step is not None:
                    on_step(_end_of_epoch(row, recipe, len(batches)))
            except KeyboardInterrupt:
                raise TrainingStoppedError(_stopped(card, recipe, checkpoint)) from None
    card = dataclasses.replace(card, created=timestamp())
    dynamics = state.dynamics.table(recipe.epochs, provenance_of(card, dataset.train))
    result = network
    if state.average is not None:
        result = state.average.module
        started = time.perf_counter()
        # Drawn at random: a split may lie sorted by class.
        drawn = np.random.default_rng(seed).permutation(len(pixels))[:_NORM_IMAGES]
        measure_batch_norm(result, pixels[drawn], place)
        card = dataclasses.replace(card, averaging_seconds=round(time.perf_counter() - started, 3))
    if isinstance(result, ScoredNetwork):
        card = dataclasses.replace(card, score_scale=validation.fit(result, place))
    return Trained(result.eval(), card, place, dynamics)


def check_settings(seed: int, device: str) -> torch.device:
    """The device of this name, once it and the seed are found good.

    Raises:
        ParameterError: Seed or device is unknown or out of range.
    """
    if not 0 <= seed < 2**63:
        raise ParameterError(f"seed must be 0 or more, below 2**63. Got {seed} instead.")
    return pick_device(device)


def _train_epoch(
    epoch: int,
    batches: TrainingBatches,
    state: TrainingState,
    recipe: Recipe,
    device: torch.device,
    on_step: Callable[[Progress], None] | None,
) -> EpochRow:
    """One pass over the training images."""
    network, optimizer = state.network.train(), state.optimizer
    steps = recipe.epochs * len(batches)
    objective, casting = _objective(network, recipe), _casting(recipe, device)
    loss_sum = right_sum = torch.zeros((), device=device)
    images = 0
    rate = 0.0
    started = time.perf_counter()
    for number, (pixels, given, drawn) in enumerate(batches.epoch(epoch)):
        step = (epoch - 1) * len(batches) + number
        rate = learning_rate(recipe, step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        given = given.to(device)
        with casting:
            loss, logits = objective(to_input(pixels, device), given, step / steps)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if state.average is not None:
            state.average.update_parameters(network)
        # Sums stay on the device: reading them at every step would wait for an accelerator.
        with torch.no_grad():
            loss_sum = loss_sum + loss * len(given)
            right_sum = right_sum + (logits.argmax(dim=1) == given).sum()
        state.dynamics.record(epoch, drawn, logits, given)
        images += len(given)
        if on_step is not None and _tell(number, len(batches), device):
            speed = images / (time.perf_counter() - started)
            on_step(
                Progress(
                    epoch, recipe.epochs, step + 1, steps,
                    float(loss_sum) / images, float(right_sum) / images, speed,
                )
            )  # fmt: skip
    loss_mean, accuracy = float(loss_sum) / images, float(right_sum) / images
    if not math.isfinite(loss_mean):
        raise TrainingDivergedError(
            f"epoch {epoch}: the loss is {loss_mean}: the training has diverged; try a recipe with "
            f"a lower learning rate than {recipe.learning_rate:g}"
        )
    seconds = time.perf_counter() - started
    return EpochRow(
        epoch=epoch,
        loss=round(loss_mean, 6),
        accuracy=round(accuracy, 6),
        learning_rate=rate,
        images_per_second=round(images / seconds, 1),
        seconds=round(seconds, 3),
    )


def _objective(network: nn.Module, recipe: Recipe) -> Objective:
    """What is minimised: the network's own loss, or cross-entropy where it gives logits."""
    if isinstance(network, ScoredNetwork):
        return lambda images, given, progress: network.objective(images, given, recipe, progress)

    def cross_entropy(
        images: torch.Tensor, given: torch.Tensor, _: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = network(images)
        return F.cross_entropy(logits, given, label_smoothing=recipe.label_smoothing), logits

    return cross_entropy


def _precision(recipe: Recipe, device: torch.device) -> str:
    """The precision of a training's large matrix products, as the card has it."""
    mixed = recipe.precision == "mixed" and has_fast_bfloat16(device)
    return "bfloat16" if mixed else "float32"


def _casting(recipe: Recipe, device: torch.device) -> contextlib.AbstractContextManager[object]:
    if _precision(recipe, device) == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


def _tell(number: int, steps: int, device: torch.device) -> bool:
    """Whether to report this step: reading the sums makes an accelerator wait.

    The last one of an epoch is reported when the epoch is saved.
    """
    return number < steps - 1 and (device.type == "cpu" or number % 10 == 9)


def _end_of_epoch(row: EpochRow, recipe: Recipe, steps: int) -> Progress:
    """Where the training stands after the last of an epoch's steps."""
    return Progress(
        row.epoch, recipe.epochs, row.epoch * steps, recipe.epochs * steps,
        row.loss, row.accuracy, row.images_per_second,
    )  # fmt: skip


def _new_card(
    dataset: Dataset,
    shape: tuple[int, int, int],
    model: str,
    recipe: Recipe,
    seed: int,
    network: nn.Module,
    device: torch.device,
) -> Card:
    return Card(
        name=f"{model}-{recipe.name}-s{seed}",
        model=model,
        recipe=dataclasses.asdict(recipe),
        seed=seed,
        dataset=dataset.name,
        items_fingerprint=dataset.train.items_fingerprint,
        labels_fingerprint=dataset.train.labels_fingerprint,
        images=len(dataset.train),
        shape=shape,
        classes=dataset.classes,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        device=device.type,
        threads=(torch.get_num_threads(),),
        versions=versions(),
        created="",
        options=dict(find_model(model).options),
        precision=_precision(recipe, device),
    )


def _resume(checkpoint: Path, state: TrainingState, card: Card) -> Card:
    """Take over a checkpoint's state; its card goes on with this leg's threads."""
    try:
        tensors, metadata = read_tensors(checkpoint)
    except StudyError as error:
        raise StudyError(f"{error}; --fresh trains anew") from error
    before = Card.from_json(str(metadata.get("card")), checkpoint)
    if before.settings() != card.settings():
        raise StudyError(
            f"{checkpoint}: holds a half-finished training with other settings or other data; "
            "--fresh starts anew, --study names another folder"
        )
    try:
        state.restore(tensors)
    except (RuntimeError, KeyError, ValueError) as error:
        raise StudyError(f"{checkpoint}: its tensors don't fit {card.model}") from error
    return dataclasses.replace(card, log=before.log, threads=before.threads + card.threads)


def _stopped(card: Card, recipe: Recipe, checkpoint: Path | None) -> str:
    epoch = len(card.log)
    left = epoch < recipe.epochs
    where = f"in epoch {epoch + 1} of" if left else "after the last epoch of"
    done = f"training of {card.name} stopped {where} {recipe.epochs}"
    if checkpoint is None or not epoch:
        return f"{done}; no epoch was saved, so the same command starts anew"
    return f"{done}; the same command goes on after epoch {epoch}"
