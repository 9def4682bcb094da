"""The models behind a study's predictions: recipe, time, and how the training went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from misread.models import MODELS, Card
from misread.tables import Provenance
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class ModelFacts:
    """One run: a network trained once, a cross-fit, or a model that was imported.

    Attributes:
        run: Its name.
        model: Name of the model.
        recipe: Name of the recipe; `imported` for predictions made elsewhere.
        seed: Seed of the training.
        settings: Names and values of the recipe's settings; empty where no card is there.
        networks: Number of networks that were trained, more than 1 for a cross-fit; None if that
            isn't known.
        parameters: Number of trainable parameters of one network; None if that isn't known.
        images: Number of images that each was trained on; None if that isn't known.
        seconds: Time of all trainings; None if that isn't known.
        device: What they ran on; "" if that isn't known.
        created: ISO 8601 time of the newest predictions.
        versions: Names and versions of the software; empty where no card is there.
    """

    run: str
    model: str
    recipe: str
    seed: int
    settings: tuple[tuple[str, str], ...]
    networks: int | None
    parameters: int | None
    images: int | None
    seconds: float | None
    device: str
    created: str
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EpochPoint:
    """One epoch of a training.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean training loss, with label smoothing and augmentation.
        accuracy: Share of the training images read right as they were drawn, in [0, 1].
    """

    epoch: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class TrainingCurve:
    """How the training of a single network went.

    Attributes:
        run: Name of the run.
        points: One per epoch.
        note: What to know of the loss; "" if that is plain.
    """

    run: str
    points: tuple[EpochPoint, ...]
    note: str = ""


def build_models(tables: StudyTables) -> tuple[ModelFacts, ...]:
    """What is known of each run, newest first."""
    runs: dict[str, list[Provenance]] = {}
    for provenance in tables.predictions:
        runs.setdefault(provenance.run_name, []).append(provenance)
    return tuple(_facts(members, tables.cards.get(run, ())) for run, members in runs.items())


def _facts(members: Sequence[Provenance], cards: Sequence[Card]) -> ModelFacts:
    newest = members[0]
    card = cards[0] if cards else None
    networks = len(cards) if cards else None
    return ModelFacts(
        run=newest.run_name,
        model=newest.model,
        recipe=newest.recipe,
        seed=newest.seed,
        settings=() if card is None else _texts(card.recipe),
        networks=networks,
        parameters=None if card is None else card.parameters,
        images=None if card is None else card.trained_images,
        seconds=sum(card.seconds for card in cards) if cards else None,
        device="" if card is None else card.device,
        created=newest.created,
        versions=() if card is None else _texts(card.versions),
    )


def _texts(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in values.items())


def build_curves(tables: StudyTables) -> tuple[TrainingCurve, ...]:
    """The training of each single network that has a log, newest first."""
    curves = []
    for run, cards in tables.cards.items():
        # The networks of a cross-fit are many and alike.
        if len(cards) == 1 and cards[0].log:
            points = tuple(EpochPoint(row.epoch, row.loss, row.accuracy) for row in cards[0].log)
            spec = MODELS.get(cards[0].model)
            curves.append(TrainingCurve(run, points, "" if spec is None else spec.loss_note))
    return tuple(curves[: tables.limits.curves])
