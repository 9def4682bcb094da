"""What pages are built from: a study's tables, each read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from misread.analysis.evaluation import Evaluation, evaluate
from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.result import PeopleResult
from misread.datasets import Dataset
from misread.models import Card
from misread.store import Study
from misread.tables import Origin, Provenance, Reconstructions
from misread.tables.verdicts import Verdicts
from misread.views.audit import Audit
from misread.views.pages.limits import Limits
from misread.views.pages.parts import Label

_ORIGINS = (Origin.HELD_OUT, Origin.CROSS_FITTED, Origin.IN_SAMPLE)


@dataclass(frozen=True, eq=False)
class StudyTables:
    """A study's tables, each read when it is first asked for, and once.

    Attributes:
        study: The study.
        dataset: Its dataset.
        audits: What the panel says, for the splits that have a panel.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`); None for all.
        limits: How much pages show.
        people: What a reader study measured; None where there is none.
        readings: By split, what readers called single images.
        readings_problem: Why the readings can't be shown; "" if they can, or there are none.
        reconstructions: By split, what a network with a decoder drew of it.
    """

    study: Study
    dataset: Dataset
    audits: Mapping[str, Audit]
    model: str | None = None
    limits: Limits = field(default_factory=Limits)
    people: PeopleResult | None = None
    readings: Mapping[str, LabelReadings] = field(default_factory=dict)
    readings_problem: str = ""
    reconstructions: Mapping[str, Reconstructions] = field(default_factory=dict)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """The classes by number and name."""
        return tuple(Label(number, name) for number, name in enumerate(self.dataset.classes))

    @cached_property
    def predictions(self) -> tuple[Provenance, ...]:
        """All predictions, newest first."""
        return tuple(self.study.list_predictions(model=self.model))

    @cached_property
    def shown(self) -> tuple[Provenance, ...]:
        """Those whose mistakes are shown: one for each split and origin, out-of-sample ones first.

        Of several, that of the leading run, else the newest of a single network, else the newest.
        """
        return choose_shown(self.predictions)

    def outcomes(self, provenance: Provenance) -> Outcomes:
        """What one model makes of each image of a split."""
        if provenance.name not in self._outcomes:
            file = self.study.open_predictions(provenance)
            self._outcomes[provenance.name] = read_outcomes(file)
        return self._outcomes[provenance.name]

    def evaluation(self, provenance: Provenance) -> Evaluation:
        """Its loss and error rates."""
        if provenance.name not in self._evaluations:
            self._evaluations[provenance.name] = evaluate(self.outcomes(provenance))
        return self._evaluations[provenance.name]

    @cached_property
    def _outcomes(self) -> dict[str, Outcomes]:
        return {}

    @cached_property
    def _evaluations(self) -> dict[str, Evaluation]:
        return {}

    def file(self, split: str, index: int) -> str:
        """Name of an image's file; "" where images are no files."""
        return self.dataset.splits[split].file(index) or ""

    def verdicts(self, split: str) -> Verdicts:
        """The decided verdicts on a split."""
        if split not in self._decided:
            self._decided[split] = self.study.verdicts.state(split)
        return self._decided[split]

    def decided(self, split: str, index: int) -> tuple[str, Label | None]:
        """The verdict that a person gave and the class that he named; "" and None if none."""
        verdict, label = self.verdicts(split).find(index) or ("", None)
        return str(verdict), None if label is None else self.labels[label]

    @cached_property
    def _decided(self) -> dict[str, Verdicts]:
        return {}

    @cached_property
    def cards(self) -> Mapping[str, tuple[Card, ...]]:
        """The cards of each run that has some: one, or one for each network of a cross-fit."""
        names = dict.fromkeys(provenance.run_name for provenance in self.predictions)
        found = {name: read_cards(self.study, name) for name in names}
        return {name: cards for name, cards in found.items() if cards}

    def place(self, split: str, index: int) -> int | None:
        """Where the panel has this image, None if it doesn't."""
        if split not in self.audits:
            return None
        there = self.audits[split].evidence.panel.index
        at = int(np.searchsorted(there, index))
        return at if at < len(there) and there[at] == index else None


def choose_shown(predictions: Sequence[Provenance]) -> tuple[Provenance, ...]:
    """One of the predictions for each split and origin.

    The leading run is that of the newest out-of-sample predictions by a single network of the test
    split, else of any: what can be of one run, is.

    Args:
        predictions: Newest first.
    """
    single = [p for p in predictions if not p.is_mean]
    ranked = sorted(
        single or predictions,
        # A stable sort: the newest of equals stays first.
        key=lambda p: (p.origin == Origin.IN_SAMPLE, p.split != "test", _ORIGINS.index(p.origin)),
    )
    leading = ranked[0].run_name if ranked else ""
    chosen: dict[tuple[str, Origin], Provenance] = {}
    for provenance in sorted(predictions, key=lambda p: (p.run_name != leading, p.is_mean)):
        chosen.setdefault((provenance.split, provenance.origin), provenance)
    return tuple(
        sorted(chosen.values(), key=lambda p: (_ORIGINS.index(p.origin), p.split != "test"))
    )


def read_cards(study: Study, run: str) -> tuple[Card, ...]:
    """The cards that lie under a run's name: none for imported predictions.

    Raises:
        StudyError: The file is damaged.
    """
    path = study.model_file(run, ".json")
    return Card.read_all(path) if path.exists() else ()
