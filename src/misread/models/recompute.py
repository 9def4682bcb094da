"""Less memory for a little time: what is differentiated is computed again instead of being kept."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class _Recomputed(Function):
    """A function that keeps its arguments alone, and is computed again to be differentiated."""

    @staticmethod
    def forward(
        ctx: Any, function: Callable[..., tuple[Tensor, ...]], *arguments: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.function = function
        ctx.save_for_backward(*arguments)
        return function(*arguments)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[1:]
        arguments = [
            tensor.detach().requires_grad_(wanted)
            for tensor, wanted in zip(ctx.saved_tensors, needed, strict=True)
        ]
        with torch.enable_grad():
            results = ctx.function(*arguments)
        wanted = [tensor for tensor in arguments if tensor.requires_grad]
        found = iter(torch.autograd.grad(results, wanted, gradients))
        return None, *(next(found) if tensor.requires_grad else None for tensor in arguments)


def recomputed(
    function: Callable[..., tuple[Tensor, ...]], *arguments: Tensor
) -> tuple[Tensor, ...]:
    """Call a function of tensors; the graph inside it isn't kept, but made again when needed."""
    results: tuple[Tensor, ...] = _Recomputed.apply(function, *arguments)  # type: ignore[no-untyped-call]
    return results
