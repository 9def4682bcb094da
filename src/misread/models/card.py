"""A model's card: what was trained, on what, how, with what and how long."""

import csv
import dataclasses
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from misread.errors import StudyError
from misread.files import write_text
from misread.models.recipe import fill_in

# Images held out to fit the scale of scores: so many, or this share of a smaller training split.
_MOST_VALIDATION = 1_000
_VALIDATION_SHARE = 1 / 10


def validation_images(images: int) -> int:
    """How many training images are held out to fit the scale of a network's scores.

    Args:
        images: Number of training images.

    Returns:
        1,000, or a tenth of fewer than 10,000 images, at least 1.
    """
    return min(_MOST_VALIDATION, math.ceil(images * _VALIDATION_SHARE))


@dataclass(frozen=True)
class EpochRow:
    """One row of a training's log.

    Attributes:
        epoch: Number of the epoch, from 1.
        loss: Mean training loss over the epoch (with label smoothing and augmentation).
        accuracy: Share of the training images read right as they were drawn, in [0, 1].
        learning_rate: At the epoch's last step.
        images_per_second: Over the epoch.
        seconds: Time of the epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    seconds: float


@dataclass(frozen=True)
class Card:
    """The record that lies beside a model's weights.

    Attributes:
        name: Name of the run, `{model}-{recipe}-s{seed}`.
        model: Name of the network.
        recipe: Every setting of the recipe.
        seed: Seed of the training.
        dataset: Name of the dataset.
        items_fingerprint: Of the training images.
        labels_fingerprint: Of the training labels.
        images: Number of training images, with those held out for the scale of the scores.
        shape: Height, width and channels of an image.
        classes: Class names.
        parameters: Number of trainable parameters.
        device: `cpu`, `cuda` or `mps`.
        threads: CPU threads of each leg: a run that was resumed has several.
        versions: Version of python, numpy, torch and misread.
        created: ISO 8601 time at which the training ended.
        log: One row per epoch.
        averaging_seconds: Time of measuring the batch-norm statistics of averaged weights.
        options: What the network was built with beside shape and classes.
        precision: Of the large matrix products in training: `float32` or `bfloat16`.
        score_scale: Predicted probabilities are softmax(scale x score), for a network whose scores
            are no logits; fitted on training images held out of the training. None for logits.
    """

    name: str
    model: str
    recipe: dict[str, Any]
    seed: int
    dataset: str
    items_fingerprint: str
    labels_fingerprint: str
    images: int
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    parameters: int
    device: str
    threads: tuple[int, ...]
    versions: dict[str, str]
    created: str
    log: tuple[EpochRow, ...] = ()
    averaging_seconds: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    precision: str = "float32"
    score_scale: float | None = None

    @property
    def trained_images(self) -> int:
        """Number of images that weights were fitted to: none of those held out for the scale."""
        held_out = 0 if self.score_scale is None else validation_images(self.images)
        return self.images - held_out

    @property
    def seconds(self) -> float:
        """Time of the training: epochs and averaging, without loading and predicting."""
        return sum(row.seconds for row in self.log) + self.averaging_seconds

    def settings(self) -> dict[str, Any]:
        """What decides the result of the training: two runs that agree here are the same run."""
        keys = ("model", "seed", "items_fingerprint", "labels_fingerprint", "classes", "options")
        found = {"recipe": fill_in(self.recipe)} | {key: getattr(self, key) for key in keys}
        # As a card that is read back has them: JSON knows no tuples.
        settings: dict[str, Any] = json.loads(json.dumps(found))
        return settings

    def to_json(self) -> str:
        """The card as indented JSON, with the time of the training named apart."""
        content = dataclasses.asdict(self) | {"seconds": round(self.seconds, 3)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the card atomically."""
        write_text(path, self.to_json())

    def write_log(self, path: Path) -> None:
        """Write the log as a table: CSV with one row per epoch."""
        table = io.StringIO()
        names = [column.name for column in dataclasses.fields(EpochRow)]
        rows = csv.DictWriter(table, names, lineterminator="\n")
        rows.writeheader()
        rows.writerows(dataclasses.asdict(row) for row in self.log)
        write_text(path, table.getvalue())

    @classmethod
    def from_json(cls, text: str, path: Path) -> "Card":
        """Parse a card; `path` names it in errors.

        Raises:
            StudyError: It is no card, or damaged.
        """
        try:
            content = json.loads(text)
            content.pop("seconds")
            content["log"] = tuple(EpochRow(**row) for row in content["log"])
            for key in ("shape", "classes", "threads"):
                content[key] = tuple(content[key])
            return cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StudyError(f"{path}: expected a model's card, found damaged JSON") from error

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card.

        Raises:
            StudyError: It is missing, no card, or damaged.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise StudyError(f"{path}: expected a model's card: {error}") from error

    @classmethod
    def read_all(cls, path: Path) -> tuple["Card", ...]:
        """The cards in a file: the one of a training, or those of a cross-fit's networks.

        Raises:
            StudyError: It is missing, or no card, or damaged.
        """
        try:
            text = path.read_text(encoding="utf-8")
            record = json.loads(text)
            networks = record.get("networks") if isinstance(record, dict) else None
            parts = [text] if networks is None else [json.dumps(network) for network in networks]
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(f"{path}: expected a model's card: {error}") from error
        return tuple(cls.from_json(part, path) for part in parts)
