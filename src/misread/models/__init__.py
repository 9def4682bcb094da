"""Networks, the recipes they are trained with, and training itself: the only layer with PyTorch.

Importing this package loads no torch: the catalogue (`MODELS`) is plain data, and a network's
module is imported when the network is built.
"""

from misread.models.card import Card
from misread.models.catalogue import MODELS, ModelSpec, find_model
from misread.models.recipe import Recipe
from misread.models.run import Run

__all__ = ["MODELS", "Card", "ModelSpec", "Recipe", "Run", "find_model"]
