"""Error rates of the literature, to stand beside measured ones: quoted, never measured here."""

from dataclasses import dataclass

from misread.analysis.intervals import Rate, clopper_pearson

# By these, MNIST's test split is known wherever it was loaded from.
_MNIST_TEST = (
    "sha256:3e0c14618a662036c0bd667aa23f8d52269db4b32c4aae88e8c4671bd516fa70",
    "sha256:16d5cc87fac00f638f1eb586a8c8799e4bc2dff178ae99def61c41f04bb19c25",
)


@dataclass(frozen=True)
class Quoted:
    """An error rate that somebody else reported.

    Attributes:
        name: Of what.
        error: The rate, with the exact interval of as many mistakes in as many images.
        source: Who reported it, and what kind of figure it is.
    """

    name: str
    error: Rate
    source: str


def quoted_rates(items_fingerprint: str, labels_fingerprint: str) -> tuple[Quoted, ...]:
    """What others reported of a split; nothing of any but MNIST's test split.

    Args:
        items_fingerprint: Of the split's images.
        labels_fingerprint: Of its given labels.
    """
    if (items_fingerprint, labels_fingerprint) != _MNIST_TEST:
        return ()
    return tuple(
        Quoted(name, clopper_pearson(mistakes, 10_000), source)
        for name, mistakes, source in _REPORTED
    )


_REPORTED = (
    (
        "the post's network",
        62,
        "the blog post that misread grows out of; one training",
    ),
    (
        "capsule network",
        25,
        "Sabour, Frosst and Hinton (2017), table 1; the mean of 3 trainings",
    ),
    (
        "best ensemble",
        9,
        "An, Lee, Park, Yang and So (2020), arXiv 2008.10400; the best of several by this split",
    ),
)
