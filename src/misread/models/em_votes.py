"""The votes of matrix capsules, as EM routing uses them: weighted sums and log densities.

A layer's votes are hundreds of thousands of numbers for each image, sixteen for each pair of child
and parent, and routing walks over them again and again. Here they are made for a few images at a
time, so that they stay in a processor's cache, and they are made anew for the backward pass instead
of being kept. Both things that routing asks of them are linear in the votes and their squares, V
and V^2; so the gradient for all that was asked is one matrix product of low rank.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

# Bytes that are worked on at once: what a processor's inner caches hold.
_BLOCK = 2 << 20


class Votes:
    """The votes of K children, each with a pose, for C parents in each of G places.

    Args:
        poses: (G, 4, 4, K) pose matrices M, the children last.
        transform: (C, 4, 4, K) matrices W.
        offset: (4, 4, K), added to the votes; or None.
    """

    def __init__(self, poses: Tensor, transform: Tensor, offset: Tensor | None) -> None:
        self._terms = _Terms()
        # What is asked later depends on this number, so that its backward pass comes last.
        self._made: Tensor = _Make.apply(self._terms, poses, transform, offset)  # type: ignore[no-untyped-call]

    def moments(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted sums of V - c and of its square over the children.

        Args:
            weights: (G, C, K).

        Returns:
            (G, C, 16) each. c is `center`; sums near 0 keep what squares would round away.
        """
        sums: Tensor = _Sum.apply(self._terms, self._made, weights)  # type: ignore[no-untyped-call]
        return sums[..., :16], sums[..., 16:]

    @property
    def center(self) -> Tensor:
        """C (G, C, 16): the plain mean of the votes, a constant for the gradient."""
        return self._terms.center

    def squared_distance(self, mean: Tensor, precision: Tensor) -> Tensor:
        """Sum over the pose's entries of precision x (V - c - mean)^2.

        Args:
            mean: (G, C, 16), relative to `center`.
            precision: (G, C, 16).

        Returns:
            (G, C, K).
        """
        factors = torch.cat([-2 * mean * precision, precision], dim=-1)
        of_votes: Tensor = _Product.apply(self._terms, self._made, factors)  # type: ignore[no-untyped-call]
        return of_votes + (mean.square() * precision).sum(dim=-1, keepdim=True)


class _Terms:
    """The votes and their squares, and the gradient for them as factors of a matrix product."""

    def __init__(self) -> None:
        self.both = torch.empty(0)  # (G, C, 32, K): V - c above its square
        self.center = torch.empty(0)
        self._left: list[Tensor] = []
        self._right: list[Tensor] = []

    def make(self, poses: Tensor, transform: Tensor, offset: Tensor | None) -> None:
        places, parents, children = len(poses), len(transform), poses.shape[-1]
        both = poses.new_empty(places, parents, 2, 4, 4, children)
        votes = both[:, :, 0]
        # V = M W, a term of the row's product at a time: the children lie side by side in memory.
        for q in range(4):
            left, right = poses[:, None, :, q, None], transform[None, :, None, q]
            if q == 0:
                torch.mul(left, right, out=votes)
            else:
                votes.addcmul_(left, right)
        if offset is not None:
            votes += offset
        center = votes.mean(dim=-1, keepdim=True)
        votes -= center
        torch.mul(votes, votes, out=both[:, :, 1])
        self.both, self.center = both.flatten(2, 4), center.flatten(2)

    def add(self, left: Tensor, right: Tensor) -> None:
        """Add left (G, C, 32) times right (G, C, K) to the gradient."""
        # Without the graph, which holds these terms: nothing is to wait for the garbage collector.
        self._left.append(left.detach())
        self._right.append(right.detach())

    def sum(self, weights: Tensor) -> Tensor:
        """Sums (G, C, 32) over the children, each times its weight (G, C, K)."""
        sums = weights.new_empty(self.both.shape[:3])
        for block, scratch in self._blocks():
            torch.mul(self.both[block], weights[block, :, None], out=scratch)
            torch.sum(scratch, dim=-1, out=sums[block])
        return sums

    def product(self, factors: Tensor) -> Tensor:
        """Products (G, C, K) with factors (G, C, 32)."""
        return torch.matmul(factors[..., None, :], self.both)[..., 0, :]

    def gradient(self) -> Tensor:
        """The gradient for the votes, child by child (K, G, 4, C, 4).

        That of V, and 2 V times that of V^2.
        """
        left, right = torch.stack(self._left, dim=-1), torch.stack(self._right, dim=-2)
        places, parents, _, children = self.both.shape
        gradient = left.new_empty(children, places, 4, parents, 4)
        for block, product in self._blocks():
            factors = left[block].flatten(0, 1), right[block].flatten(0, 1)
            torch.bmm(*factors, out=product.flatten(0, 1))
            of_votes, of_squares = product[:, :, :16], product[:, :, 16:]
            of_votes.addcmul_(of_squares, self.both[block, :, :16], value=2)
            of_votes = of_votes.view(-1, parents, 4, 4, children)
            gradient[:, block] = of_votes.permute(4, 0, 2, 1, 3)
        return gradient

    def _blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Some of the places, and room for one number for each of theirs in `both`."""
        places = len(self.both)
        of_place = self.both[0].numel() * self.both.element_size()
        step = min(places, max(1, _BLOCK // of_place))
        scratch = torch.empty_like(self.both[:step])
        for start in range(0, places, step):
            block = slice(start, min(start + step, places))
            yield block, scratch[: block.stop - start]


class _Make(Function):
    """Make the votes; backward, turn their gradient into those of poses and transformation."""

    @staticmethod
    def forward(
        ctx: Any, terms: _Terms, poses: Tensor, transform: Tensor, offset: Tensor | None
    ) -> Tensor:
        terms.make(poses, transform, offset)
        ctx.terms = terms
        ctx.save_for_backward(poses, transform)
        return poses.new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor | None, ...]:
        poses, transform = ctx.saved_tensors
        places, parents, children = len(poses), len(transform), poses.shape[-1]
        # One matrix product for each child.
        gradient = ctx.terms.gradient().view(children, places * 4, parents * 4)
        left = poses.permute(3, 0, 1, 2).contiguous().view(children, places * 4, 4)
        right = transform.permute(3, 1, 0, 2).contiguous().view(children, 4, parents * 4)
        of_poses = torch.bmm(gradient, right.transpose(1, 2)).view(children, places, 4, 4)
        of_transform = torch.bmm(left.transpose(1, 2), gradient).view(children, 4, parents, 4)
        return None, of_poses.permute(1, 2, 3, 0), of_transform.permute(2, 1, 3, 0), None


class _Sum(Function):
    """Weighted sums (G, C, 32) of the votes and their squares over the children."""

    @staticmethod
    def forward(ctx: Any, terms: _Terms, _: Tensor, weights: Tensor) -> Tensor:
        ctx.terms = terms
        ctx.save_for_backward(weights)
        return terms.sum(weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weights,), (gradient,) = ctx.saved_tensors, gradients
        ctx.terms.add(gradient, weights)
        of_weights = ctx.terms.product(gradient)
        return None, gradient.new_zeros(()), of_weights


class _Product(Function):
    """Products (G, C, K) of factors (G, C, 32) with the votes and their squares."""

    @staticmethod
    def forward(ctx: Any, terms: _Terms, _: Tensor, factors: Tensor) -> Tensor:
        ctx.terms = terms
        ctx.save_for_backward(factors)
        return terms.product(factors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (factors,), (gradient,) = ctx.saved_tensors, gradients
        ctx.terms.add(factors, gradient)
        of_factors = ctx.terms.sum(gradient)
        return None, gradient.new_zeros(()), of_factors
