"""The optimizer of a recipe, and its learning rate at each step."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel

from misread.models.recipe import Recipe

_BETA1 = 0.9
# A one-cycle schedule starts here, relative to its peak.
_START = 1 / 25


def build_optimizer(network: nn.Module, recipe: Recipe, device: torch.device) -> Optimizer:
    """Adam or AdamW in one fused kernel where the device has it."""
    fused = device.type in ("cpu", "cuda")
    betas = (_BETA1, recipe.beta2)
    rate, epsilon = recipe.learning_rate, recipe.epsilon
    if recipe.optimizer == "adam":
        return Adam(network.parameters(), rate, betas, epsilon, fused=fused)
    # Decay holds weights down; biases and batch-norm scales are left alone.
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW(groups, rate, betas, epsilon, fused=fused)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of step `step` of `steps`: a function, so that nothing is to be resumed."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    position, peak = step / steps, recipe.warmup
    if position < peak:
        return recipe.learning_rate * (_START + (1 - _START) * position / peak)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (position - peak) / (1 - peak)))


def build_average(network: nn.Module, recipe: Recipe) -> AveragedModel | None:
    """The moving average of the weights that a recipe asks for."""
    if not recipe.average_decay:
        return None

    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], count: Tensor | int) -> None:
        # A short memory at first: otherwise a brief training would remember its initial weights.
        decay = min(recipe.average_decay, (1 + int(count)) / (10 + int(count)))
        for average, current in zip(averages, currents, strict=True):
            average.lerp_(current, 1 - decay)

    return AveragedModel(network, multi_avg_fn=update)
