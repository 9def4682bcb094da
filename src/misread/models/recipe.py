"""How a network is trained, as one frozen record of plain settings."""

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Literal

from misread.errors import ParameterError


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; every field is written into the model's card.

    Attributes:
        name: Short name of letters, digits and _ - +, part of the file names of a run
            (`convnet-short-s0`).
        epochs: Passes over the training split, 1 or more. The last one counts.
        batch_size: Images per step.
        optimizer: `adam` (Kingma & Ba 2015) or `adamw` (Loshchilov & Hutter 2019).
        learning_rate: Peak learning rate.
        schedule: `constant`, or `one-cycle` (Smith & Topin 2018): a linear rise over the first
            `warmup` of the steps, then a cosine fall to zero.
        warmup: Share of the steps that rise, in [0, 1).
        epsilon: Adam's epsilon (1e-7 is Keras' default).
        beta2: Memory of Adam's second moment, in [0, 1).
        weight_decay: Decoupled weight decay, `adamw` only.
        label_smoothing: Share of the target spread evenly over the classes (Szegedy 2016).
        shift: Each image moves by up to this many pixels in both directions, filled with 0.
        average_decay: Decay per step of an exponential moving average of the weights, which then
            is the result, with batch-norm statistics measured anew; 0 for none.
        precision: Of the large matrix products in training: `float32`, or `mixed`: bfloat16 where
            the device has instructions for it, else float32. Weights and sums are float32 in both.
        reconstruction: Weight of a capsule network's reconstruction loss: `paper`, `released` (20
            times as much, as in the authors' code) or `none`. Other networks have no such loss.
    """

    name: str
    epochs: int
    batch_size: int = 128
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-3
    schedule: Literal["constant", "one-cycle"] = "constant"
    warmup: float = 0.0
    epsilon: float = 1e-7
    beta2: float = 0.999
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    shift: int = 0
    average_decay: float = 0.0
    precision: Literal["float32", "mixed"] = "float32"
    reconstruction: Literal["none", "paper", "released"] = "none"

    def __post_init__(self) -> None:
        # Written so that NaN fails: a comparison with NaN is false.
        checks = {
            "name": (re.fullmatch(r"\w[\w+-]{0,49}", self.name), "letters, digits and _ - + only"),
            "epochs": (self.epochs >= 1, "1 or more"),
            "batch_size": (self.batch_size >= 2, "2 or more, for batch norm"),
            "optimizer": (self.optimizer in ("adam", "adamw"), "adam or adamw"),
            "learning_rate": (0 < self.learning_rate < math.inf, "above 0"),
            "schedule": (self.schedule in ("constant", "one-cycle"), "constant or one-cycle"),
            "warmup": (0 <= self.warmup < 1, "in [0, 1)"),
            "epsilon": (0 < self.epsilon < math.inf, "above 0"),
            "beta2": (0 <= self.beta2 < 1, "in [0, 1)"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "0 or more"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "in [0, 1)"),
            "shift": (self.shift >= 0, "0 or more"),
            "average_decay": (0 <= self.average_decay < 1, "in [0, 1)"),
            "precision": (self.precision in ("float32", "mixed"), "float32 or mixed"),
            "reconstruction": (
                self.reconstruction in ("none", "paper", "released"),
                "none, paper or released",
            ),
        }
        for name, (good, expected) in checks.items():
            if not good:
                got = getattr(self, name)
                raise ParameterError(f"{name} must be {expected}. Got {got!r} instead.")

    def with_epochs(self, epochs: int | None) -> "Recipe":
        """The same recipe at another length, named after it (`short-e10`).

        Args:
            epochs: Number of epochs, or None to leave the recipe as it is.

        Returns:
            A recipe; its name differs from this one's where its length does, so that the files
            of both can lie in one study.
        """
        if epochs is None or epochs == self.epochs:
            return self
        return replace(self, epochs=epochs, name=f"{self.name}-e{epochs}")


def fill_in(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's settings as an older version wrote them, with the defaults of newer ones."""
    defaults = {
        field.name: field.default for field in fields(Recipe) if field.default is not MISSING
    }
    return defaults | dict(settings)
