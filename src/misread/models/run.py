"""What training returns."""

from dataclasses import dataclass

from misread.errors import DatasetError
from misread.models.card import Card, EpochRow
from misread.tables import Dynamics, Neighbours, Predictions


@dataclass(frozen=True)
class Run:
    """A trained model's card, its predictions of each split, and what else it tells of them.

    Attributes:
        card: What was trained, on what, how and how long.
        predictions: By split: `train` is `in-sample`, the others are `held-out`.
        dynamics: How each training image fared while the network learned it.
        neighbours: By split, but for `train`: the nearest training images of each image.
    """

    card: Card
    predictions: dict[str, Predictions]
    dynamics: Dynamics
    neighbours: dict[str, Neighbours]

    @property
    def log(self) -> tuple[EpochRow, ...]:
        """One row per epoch."""
        return self.card.log

    @property
    def train(self) -> Predictions:
        """In-sample predictions of the training split."""
        return self._of("train")

    @property
    def test(self) -> Predictions:
        """Held-out predictions of the test split.

        Raises:
            DatasetError: The dataset has no test split.
        """
        return self._of("test")

    def _of(self, split: str) -> Predictions:
        if split not in self.predictions:
            raise DatasetError(
                f"{self.card.dataset}: expected a split {split!r}, "
                f"found {', '.join(self.predictions)}"
            )
        return self.predictions[split]

    def __repr__(self) -> str:
        return f"Run({self.card.name}: {self.card.seconds:.0f} s, {', '.join(self.predictions)})"
