"""Evidence made by hand."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from misread.analysis.evidence import Evidence, gather_evidence
from misread.analysis.reading.answers import label_readings
from misread.tables import Dynamics, Neighbours, Predictions
from misread.tables.answer_counts import count_by_image

MakePredictions = Callable[..., Predictions]
MakeEvidence = Callable[..., Evidence]


@pytest.fixture(scope="session")
def make_evidence(
    make_predictions: MakePredictions, make_neighbours: Callable[..., Neighbours]
) -> MakeEvidence:
    """Evidence on one image per given label.

    A member of the panel is a list of rows of probabilities. A network's neighbours are the given
    labels of the nearest training images, a list for each image. What readers called the images is
    a list of classes for each image.
    """

    def make(
        given: Sequence[int],
        *panel: Sequence[Sequence[float]],
        around: Sequence[Sequence[Sequence[int]]] = (),
        dynamics: Callable[[Predictions], Dynamics] | None = None,
        suspicion: float | Sequence[float] | None = None,
        read: Sequence[Sequence[int]] = (),
        classes: Sequence[str] = ("4", "9", "7"),
    ) -> Evidence:
        members = [
            make_predictions(
                given=given, probabilities=rows, classes=tuple(classes), model=f"model{number}"
            )
            for number, rows in enumerate(panel)
        ]
        # One training image of each class, so that its position is its label.
        labels = np.arange(len(classes), dtype=np.int16)
        near = [make_neighbours(members[0], rows) for rows in around]
        tables = [] if dynamics is None else [dynamics(members[0])]
        pairs = [(index, answer) for index, calls in enumerate(read) for answer in calls]
        readings = None
        if pairs:
            index, answer = np.array(pairs).T
            counts = count_by_image(tuple(classes), index, answer, simulated=False)
            readings = label_readings(counts, np.array(given, np.int16))
        evidence = gather_evidence(members, near, labels, tables, readings)
        if suspicion is None:
            return evidence
        fixed = np.broadcast_to(np.array(suspicion, np.float32), len(given)).copy()
        return dataclasses.replace(evidence, suspicion=fixed)

    return make
