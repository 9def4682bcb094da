"""The networks that misread can train, and their recipes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from misread.errors import ParameterError
from misread.models.recipe import Recipe

# As the blog post trained its network.
POST = Recipe("post", epochs=20)

# A few epochs with a steep schedule; tuned on a part of the training digits.
SHORT = Recipe(
    "short",
    epochs=3,
    optimizer="adamw",
    learning_rate=1.2e-2,
    schedule="one-cycle",
    warmup=0.25,
    weight_decay=0.01,
    label_smoothing=0.1,
    shift=2,
    average_decay=0.99,
)

# Capsule networks: no label smoothing, for their losses have margins of their own.
EFFICIENT = replace(
    SHORT,
    epochs=8,
    learning_rate=5e-3,
    label_smoothing=0.0,
    precision="mixed",
    reconstruction="paper",
)
CAPSNET = replace(EFFICIENT, epochs=6, learning_rate=3e-3)
# Learns slowly: after so few epochs it is far from overfitting, and shifted less.
EM = replace(
    CAPSNET,
    epochs=8,
    batch_size=32,
    learning_rate=1.5e-2,
    warmup=0.1,
    beta2=0.99,
    weight_decay=1e-4,
    shift=1,
    precision="float32",
    reconstruction="none",
)


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue.

    Attributes:
        name: What `--model` takes.
        summary: One line for `misread models`.
        module: Name of the module that holds the network as `build(shape, classes, **options)`.
        recipes: Recipe by name; the first one is the default.
        options: Further keyword arguments of `build`.
        decoder: Whether it draws images from its capsules.
        loss_note: What to know of its loss while it is trained; "" if that is plain.
    """

    name: str
    summary: str
    module: str
    recipes: Mapping[str, Recipe]
    options: Mapping[str, Any] = field(default_factory=dict)
    decoder: bool = False
    loss_note: str = ""

    def recipe(self, name: str | None = None, epochs: int | None = None) -> Recipe:
        """The recipe of this name (None: the default), at this length (None: its own).

        Raises:
            ParameterError: This model has no such recipe.
        """
        if name is None:
            name = next(iter(self.recipes))
        if name not in self.recipes:
            known = ", ".join(self.recipes)
            raise ParameterError(
                f"recipe: {self.name} is trained with one of {known}. Got {name!r} instead."
            )
        return self.recipes[name].with_epochs(epochs)


def _recipes(*recipes: Recipe) -> Mapping[str, Recipe]:
    return MappingProxyType({recipe.name: recipe for recipe in recipes})


# The spread loss's margin grows over the training.
_RISING_LOSS = "its loss rises as its margin does: compare accuracies"

MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {
        "convnet": ModelSpec(
            name="convnet",
            summary="the post's network: three convolutions, 390,218 parameters for MNIST",
            module="misread.models.convnet",
            recipes=_recipes(SHORT, POST),
        ),
        "quick": ModelSpec(
            name="quick",
            summary="a small network that trains in seconds: six convolutions, 77,562 parameters",
            module="misread.models.quick",
            recipes=_recipes(replace(SHORT, batch_size=256), POST),
        ),
        "efficient-capsnet": ModelSpec(
            name="efficient-capsnet",
            summary="capsules with self-attention routing: 161,824 parameters and a decoder",
            module="misread.models.efficient_capsnet",
            recipes=_recipes(EFFICIENT),
            decoder=True,
        ),
        "capsnet": ModelSpec(
            name="capsnet",
            summary="capsules with dynamic routing: 6,804,224 parameters and a decoder",
            module="misread.models.capsnet",
            recipes=_recipes(CAPSNET),
            decoder=True,
        ),
        "em-capsnet": ModelSpec(
            name="em-capsnet",
            summary="matrix capsules with EM routing, small: 68,308 parameters",
            module="misread.models.em_capsnet",
            recipes=_recipes(EM),
            loss_note=_RISING_LOSS,
        ),
        "em-capsnet-full": ModelSpec(
            name="em-capsnet-full",
            summary="matrix capsules with EM routing, full size: 318,420 parameters",
            module="misread.models.em_capsnet",
            recipes=_recipes(EM),
            options={"widths": (32, 32, 32, 32)},
            loss_note=_RISING_LOSS,
        ),
    }
)


def find_model(name: str) -> ModelSpec:
    """The catalogue's entry of this name.

    Raises:
        ParameterError: There is no such model.
    """
    if name not in MODELS:
        raise ParameterError(
            f"model: expected one of {', '.join(MODELS)}. Got {name!r} instead; "
            "`misread models` lists them."
        )
    return MODELS[name]
