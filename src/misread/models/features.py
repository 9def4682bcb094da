"""The features a network reads its classes from, and the images that are nearest in them."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from misread.errors import ParameterError
from misread.models.scored import ScoredNetwork
from misread.tables import Neighbours, Provenance
from misread.types import IndexArray

# Nearest training images that are kept of each image.
NEIGHBOURS = 20

# Similarities held at once: a chunk of queries against every reference.
_MOST_SIMILARITIES = 25_000_000


@contextlib.contextmanager
def taking_features(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what the last linear layer is given, batch by batch, while the network predicts.

    Of a network with a `readout`, what that layer is given.

    Yields:
        A list that grows by (B, D) float32 for each batch, on the CPU.

    Raises:
        ParameterError: The network has no linear layer.
    """
    layers: list[nn.Module] = [m for m in network.modules() if isinstance(m, nn.Linear)]
    if isinstance(network, ScoredNetwork):
        layers = [network.readout]
    if not layers:
        raise ParameterError(
            f"model: expected a network that ends in a linear layer. Got {type(network).__name__}."
        )
    taken: list[Tensor] = []

    def take(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        taken.append(inputs[0].detach().float().flatten(1).cpu())

    handle = layers[-1].register_forward_pre_hook(take)
    try:
        yield taken
    finally:
        handle.remove()


def nearest_training_images(
    features: Tensor, references: Tensor, provenance: Provenance
) -> Neighbours:
    """The nearest training images of each image of a split.

    Args:
        features: (N, D) float32, of the images of the split, in its order.
        references: (R, D) float32, of the training images, in theirs.
        provenance: Of the network's predictions of the split.
    """
    index = torch.arange(len(features), dtype=torch.int32).numpy()
    return Neighbours(index, nearest(features, references, NEIGHBOURS), provenance)


def nearest(queries: Tensor, references: Tensor, count: int) -> IndexArray:
    """The references whose features point in the most similar direction, exactly.

    Args:
        queries: (N, D) float32.
        references: (R, D) float32.
        count: How many to find; all where there are fewer.

    Returns:
        (N, M) int32, rows of `references` by falling cosine similarity, the nearest first; M is the
        smaller of `count` and R.
    """
    queries, references = F.normalize(queries), F.normalize(references)
    count = min(count, len(references))
    size = max(1, _MOST_SIMILARITIES // max(1, len(references)))
    # An empty split has one empty chunk, so that the shape is known.
    found = [
        (queries[start : start + size] @ references.T).topk(count, dim=1).indices
        for start in range(0, max(1, len(queries)), size)
    ]
    return torch.cat(found).to(torch.int32).numpy()
