import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.evidence import Evidence, gather_evidence
from misread.analysis.flip_suspicion import planted_flip_suspicion, standardised
from misread.analysis.labels import find_label_issues
from misread.analysis.neighbourhood import look_around
from misread.analysis.noise import noise_matrix, undo_noise
from misread.analysis.panel import score_panel
from misread.analysis.ranking import SCORES
from misread.errors import PredictionsError
from misread.tables import Dynamics, Neighbours, Origin, Predictions
from misread.types import Array, LabelArray

MakePredictions = Callable[..., Predictions]
MakeNeighbours = Callable[..., Neighbours]
MakeDynamics = Callable[..., Dynamics]

CLASSES = ("a", "b", "c")


class Case:
    """Evidence of every kind on N images, and whatever is made of it."""

    def __init__(
        self, predictions: MakePredictions, near: MakeNeighbours, dynamics: MakeDynamics
    ) -> None:
        self._makers = predictions, near, dynamics
        generator = np.random.default_rng(0)
        self.given = generator.integers(0, 3, 30).astype(np.int16)
        self.probabilities = list(generator.dirichlet(np.full(3, 0.4), (4, 30)))
        self.train_labels: LabelArray = generator.integers(0, 3, 50).astype(np.int16)
        self.near = list(generator.integers(0, 50, (2, 30, 6)))
        self.margin = generator.normal(4, 3, (2, 30))
        self.first = generator.integers(1, 12, (2, 30))
        self.forgotten = generator.integers(0, 4, (2, 30))

    def tables(self) -> tuple[list[Predictions], list[Neighbours], list[Dynamics]]:
        predictions, near, dynamics = self._makers
        panel = [
            predictions(given=self.given, probabilities=p, classes=CLASSES, model=f"m{number}")
            for number, p in enumerate(self.probabilities)
        ]
        records = zip(self.margin, self.first, self.forgotten, strict=True)
        return (
            panel,
            [near(panel[0], places) for places in self.near],
            [dynamics(panel[0], *record, epochs=11, networks=4) for record in records],
        )

    def gather(self) -> Evidence:
        panel, near, dynamics = self.tables()
        return gather_evidence(panel, near, self.train_labels, dynamics)


@pytest.fixture
def case(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours, make_dynamics: MakeDynamics
) -> Case:
    return Case(make_predictions, make_neighbours, make_dynamics)


def scores(evidence: Evidence) -> dict[str, Array]:
    found = {name: compute(evidence) for name, compute in SCORES.items()}
    return {name: values for name, values in found.items() if values is not None}


def test_it_is_put_together_from_what_each_part_says(
    case: Case, make_predictions: MakePredictions
) -> None:
    panel, near, _ = case.tables()
    found = case.gather()
    assert len(found) == 30
    assert found.classes == CLASSES
    assert [provenance.model for provenance in found.members] == ["m0", "m1", "m2", "m3"]
    alone = score_panel(panel)
    for name, values in vars(alone).items():
        np.testing.assert_array_equal(getattr(found.panel, name), values, err_msg=name)
    around = look_around(near, case.train_labels, case.given, alone.majority, 3)
    assert found.neighbourhood is not None
    np.testing.assert_array_equal(found.neighbourhood.given, around.given)
    mean = make_predictions(
        given=case.given, probabilities=np.mean(case.probabilities, axis=0), classes=CLASSES
    )
    np.testing.assert_array_equal(found.issues.flagged, find_label_issues(mean).flagged)
    assert found.training is not None
    np.testing.assert_array_equal(found.flips.margin, found.training.margin)
    # The noise of the labels is counted among the half that is read most surely.
    sure = alone.p_majority >= np.median(alone.p_majority)
    noise = noise_matrix(alone.majority[sure], case.given[sure], 3)
    given, rival = undo_noise(mean, noise)
    np.testing.assert_allclose(found.flips.given, given, atol=1e-6)
    np.testing.assert_allclose(found.flips.rival, rival, atol=1e-6)
    np.testing.assert_array_equal(found.suspicion, planted_flip_suspicion(found.flips))


def test_training_records_are_means_over_the_tables(case: Case) -> None:
    record = case.gather().training
    assert record is not None
    assert (record.networks, record.epochs) == (8, 11)
    for row in range(30):
        assert record.first_learned[row] == np.mean(case.first[:, row])
        assert record.forgotten[row] == np.mean(case.forgotten[:, row])
    one, other = (standardised(margin.astype(np.float32)) for margin in case.margin)
    np.testing.assert_allclose(record.margin, (one + other) / 2, atol=1e-6)


@pytest.mark.parametrize("part", ["neighbours", "dynamics"])
def test_what_is_not_known_is_left_out(case: Case, part: str) -> None:
    panel, near, dynamics = case.tables()
    if part == "neighbours":
        near = []
    else:
        dynamics = []
    found = gather_evidence(panel, near, case.train_labels, dynamics)
    assert (found.neighbourhood is None) is (part == "neighbours")
    assert (found.training is None) is (part == "dynamics")
    assert (found.flips.margin is None) is (part == "dynamics")


@pytest.mark.parametrize(
    ("epochs", "first", "never"),
    [
        # Of four networks three never read it as given, and one did so in the first epoch.
        ([1], [[1.75, 2.0]], [False, True]),
        ([10], [[8.5, 11.0]], [False, True]),
        # Of trainings of different lengths the mean lies below the longer one.
        ([10, 30], [[11, 11], [31, 30.75]], [True, False]),
    ],
)
def test_never_learned_is_by_no_network_at_all(
    make_predictions: MakePredictions,
    make_dynamics: MakeDynamics,
    epochs: list[int],
    first: list[list[float]],
    never: list[bool],
) -> None:
    table = make_predictions(given=[0, 1], classes=CLASSES)
    tables = [
        make_dynamics(table, first_learned=each, epochs=length, networks=4)
        for length, each in zip(epochs, first, strict=True)
    ]
    record = gather_evidence([table], dynamics=tables).training
    assert record is not None
    assert record.epochs == max(epochs)
    assert record.never_learned.tolist() == never


@hypothesis_given(order=st.permutations(range(30)))
@settings(deadline=None, max_examples=15)
def test_the_order_of_images_goes_through(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours,
    make_dynamics: MakeDynamics, order: list[int],
) -> None:  # fmt: skip
    case = Case(make_predictions, make_neighbours, make_dynamics)
    before = scores(case.gather())
    case.given = case.given[order]
    for name in ("probabilities", "near", "margin", "first", "forgotten"):
        setattr(case, name, [np.asarray(each)[order] for each in getattr(case, name)])
    after = scores(case.gather())
    assert before.keys() == after.keys() == set(SCORES)
    for name, values in before.items():
        np.testing.assert_allclose(values[order], after[name], atol=1e-5, err_msg=name)


@hypothesis_given(order=st.permutations(range(4)))
@settings(deadline=None, max_examples=10)
def test_the_order_of_the_panel_changes_nothing(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours,
    make_dynamics: MakeDynamics, order: list[int],
) -> None:  # fmt: skip
    case = Case(make_predictions, make_neighbours, make_dynamics)
    before = scores(case.gather())
    case.probabilities = [case.probabilities[member] for member in order]
    after = scores(case.gather())
    for name, values in before.items():
        np.testing.assert_allclose(values, after[name], atol=1e-5, err_msg=name)


@hypothesis_given(names=st.permutations(range(3)))
@settings(deadline=None, max_examples=6)
def test_other_numbers_of_the_classes_change_nothing(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours,
    make_dynamics: MakeDynamics, names: list[int],
) -> None:  # fmt: skip
    case = Case(make_predictions, make_neighbours, make_dynamics)
    before = scores(case.gather())
    renamed, back = np.array(names, np.int16), np.argsort(names)
    case.given, case.train_labels = renamed[case.given], renamed[case.train_labels]
    case.probabilities = [p[:, back] for p in case.probabilities]
    after = scores(case.gather())
    for name, values in before.items():
        np.testing.assert_allclose(values, after[name], atol=1e-5, err_msg=name)


def test_a_member_twice_is_no_more_evidence(case: Case) -> None:
    """All of the panel's scores are means or shares; only `members` counts them."""
    before = scores(case.gather())
    case.probabilities *= 2
    after = case.gather()
    assert after.panel.models == 8
    for name, values in scores(after).items():
        np.testing.assert_allclose(values, before[name], atol=1e-5, err_msg=name)


def test_what_does_not_fit_together_is_refused(case: Case) -> None:
    panel, near, dynamics = case.tables()

    def of(table: Neighbours | Dynamics, **changed: object) -> object:
        provenance = dataclasses.replace(table.provenance, **changed)  # type: ignore[arg-type]
        return dataclasses.replace(table, provenance=provenance)

    short = dataclasses.replace(near[0], index=near[0].index + 1)
    far = dataclasses.replace(near[0], neighbours=near[0].neighbours + 40)
    negative = dataclasses.replace(near[0], neighbours=near[0].neighbours - 3)
    trained = dataclasses.replace(
        panel[1],
        provenance=dataclasses.replace(panel[1].provenance, origin=Origin.IN_SAMPLE),
    )
    cases: list[tuple[list[object], str]] = [
        ([panel, [short]], "m0-imported-s0.test.held-out: covers other images"),
        ([panel, [of(near[0], split="train")]], "covers other images"),
        ([panel, [], [of(dynamics[0], split="train")]], "covers other images"),
        ([panel, [far]], r"neighbours must be in 0..49, positions in the training split. Got 4\d"),
        ([panel, [negative]], r"neighbours must be in 0..49.* Got -3\.\."),
        ([panel, [of(near[0], origin=Origin.IN_SAMPLE)]], "`misread crossfit` predicts each"),
        ([[panel[0], trained]], "`misread crossfit` predicts each"),
        ([[]], "panel must have the predictions of one model or more"),
    ]
    for (members, *rest), says in cases:
        tables, records = [*rest, [], []][:2]
        with pytest.raises(PredictionsError, match=says) as caught:
            gather_evidence(members, tables, case.train_labels, records)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_no_images_are_no_evidence(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours, make_dynamics: MakeDynamics
) -> None:
    empty = make_predictions(given=[], classes=CLASSES)
    found = gather_evidence(
        [empty, empty],
        [make_neighbours(empty, np.empty((0, 5)))],
        np.zeros(3, np.int16),
        [make_dynamics(empty)],
    )
    assert len(found) == 0
    assert {name: len(values) for name, values in scores(found).items()} == dict.fromkeys(SCORES, 0)
