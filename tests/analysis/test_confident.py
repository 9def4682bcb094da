"""Confident learning against cleanlab, and against the paper's equations as slow loops."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.confident import (
    ConfidentJoint,
    class_thresholds,
    confident_classes,
    count_jointly,
    flag_by_class,
    flag_by_noise_rate,
)
from misread.analysis.labels import FlagBy, LabelIssues, find_label_issues
from misread.analysis.scores import score_images
from misread.analysis.suspicion import SUSPICION, self_confidence
from misread.errors import ParameterError, PredictionsError
from misread.tables import Origin, Predictions
from misread.types import Array

MakePredictions = Callable[..., Predictions]


def noisy(
    count: int, classes: int, seed: int, *, absent: int = 0, unread: int = 0, coarse: bool = False
) -> tuple[Array, Array]:
    """Given labels, a fifth of them wrong, and a model's probabilities.

    Args:
        count: Number of images.
        classes: Number of classes.
        seed: Of the generator.
        absent: Classes, the last ones, that no image is given.
        unread: Classes, the first ones, that are never predicted.
        coarse: Probabilities are sixteenths, so that many tie.
    """
    generator = np.random.default_rng(seed)
    true = generator.integers(0, classes - absent, count)
    logits = generator.normal(0, 1, (count, classes))
    logits[np.arange(count), true] += generator.normal(2.5, 1.5, count)
    logits[:, :unread] -= 20
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if coarse:
        probabilities = np.stack([generator.multinomial(16, row) / 16 for row in probabilities])
    given = np.where(
        generator.random(count) < 0.2, generator.integers(0, classes - absent, count), true
    )
    return given, probabilities.astype(np.float32)


CASES = {
    "two classes": noisy(300, 2, 0),
    "ten": noisy(2_000, 10, 1),
    "few images": noisy(12, 5, 2),
    "missing classes": noisy(500, 8, 3, absent=3),
    "never predicted": noisy(600, 6, 4, unread=2),
    "ties": noisy(800, 5, 5, coarse=True),
    "ties of two": noisy(200, 2, 6, coarse=True),
    "many classes": noisy(3_000, 200, 7, absent=20, unread=5),
    "more classes than images": noisy(150, 1_000, 8),
}


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, make_predictions: MakePredictions) -> Predictions:
    given, probabilities = CASES[request.param]
    return predict(make_predictions, given, probabilities)


def predict(make: MakePredictions, given: Array, probabilities: Array) -> Predictions:
    names = tuple(str(name) for name in range(probabilities.shape[1]))
    return make(given=given, probabilities=probabilities, classes=names)


def coarse(table: Predictions) -> bool:
    return bool((table.probabilities * 16 % 1 == 0).all())


@pytest.fixture(scope="session")
def cleanlab() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it imports is not ours to mend
        pytest.importorskip("cleanlab.experimental.label_issues_batched")
        pytest.importorskip("cleanlab.filter")
        return pytest.importorskip("cleanlab")


def flags_of_cleanlab(cleanlab: Any, table: Predictions, joint: ConfidentJoint, by: str) -> Array:
    """Its flags, of our confident joint where it takes one: equal remainders may go either way."""
    given = {} if by == "confident_learning" else {"confident_joint": joint.matrix()}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "May not flag all label issues", UserWarning)
        flags: Array = cleanlab.filter.find_label_issues(
            table.given.astype(int), table.probabilities, filter_by=by, n_jobs=1, **given
        )
    return flags


def test_thresholds_are_those_of_cleanlab(cleanlab: Any, case: Predictions) -> None:
    ours = class_thresholds(score_images(case), len(case.classes))
    theirs = cleanlab.count.get_confident_thresholds(
        case.given.astype(int), case.probabilities.astype(np.float64)
    )
    np.testing.assert_allclose(np.minimum(ours, 2), theirs, rtol=1e-12)


def test_what_is_counted_is_what_cleanlab_counts(cleanlab: Any, case: Predictions) -> None:
    issues = find_label_issues(case)
    theirs = cleanlab.count.compute_confident_joint(
        case.given.astype(int), case.probabilities, calibrate=False
    )
    np.testing.assert_array_equal(issues.joint.matrix(calibrated=False), theirs)


def test_the_calibrated_joint_is_that_of_cleanlab(cleanlab: Any, case: Predictions) -> None:
    joint = find_label_issues(case).joint
    ours = joint.matrix()
    theirs = cleanlab.count.compute_confident_joint(case.given.astype(int), case.probabilities)
    images = np.bincount(case.given, minlength=len(case.classes))
    np.testing.assert_array_equal(ours.sum(axis=1), images)
    counted = joint.matrix(calibrated=False)
    exact = counted * images[:, None] / counted.sum(axis=1, keepdims=True)
    remainder = exact - np.floor(exact)
    for row in np.flatnonzero((ours != theirs).any(axis=1)):
        # Only entries of one and the same remainder may have been rounded differently.
        differ = ours[row] != theirs[row]
        assert np.ptp(remainder[row, differ]) < 1e-9
        assert np.abs(ours[row] - theirs[row]).max() == 1
    assert joint.wrong.tolist() == (images - np.diag(ours)).tolist()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("confident-joint", "confident_learning"),
        ("noise-rate", "prune_by_noise_rate"),
        ("class", "prune_by_class"),
        ("both", "both"),
    ],
)
def test_flags_are_those_of_cleanlab(
    cleanlab: Any, case: Predictions, ours: FlagBy, theirs: str
) -> None:
    issues = find_label_issues(case, ours)
    if ours != "confident-joint" and coarse(case):
        return  # which of equally suspicious images it takes is left to its sort: see the next test
    np.testing.assert_array_equal(
        issues.flagged, flags_of_cleanlab(cleanlab, case, issues.joint, theirs)
    )


@pytest.mark.parametrize("by", ["noise-rate", "class"])
def test_where_images_tie_as_many_are_flagged_by_a_slow_loop(case: Predictions, by: FlagBy) -> None:
    """Sorting each class, or pair of classes, by hand; of equal images the first."""
    scores = score_images(case)
    joint = find_label_issues(case).joint
    keep = joint.matrix()
    for label in range(len(keep)):
        row = keep[label].astype(float)
        if row[label] < 1:
            others = int(np.count_nonzero(row)) - 1
            row -= 1 / (others if others > 1 else 1)
            row[label] = 1
        keep[label] = np.floor(np.maximum(row, 0))
    wanted = np.zeros(len(case), bool)
    for label in range(len(keep)):
        rows = np.flatnonzero(case.given == label)
        if len(rows) < 2:
            continue
        own = case.probabilities[rows, label]
        if by == "class":
            order = sorted(range(len(rows)), key=lambda at: own[at])
            wanted[rows[order[: len(rows) - keep[label, label]]]] = True
            continue
        for other in set(np.flatnonzero(keep[label])) - {label}:
            margin = case.probabilities[rows, other] - own
            order = sorted(range(len(rows)), key=lambda at: -margin[at])
            wanted[rows[order[: keep[label, other]]]] = True
    found = (
        flag_by_class(scores, joint) if by == "class" else flag_by_noise_rate(case, scores, joint)
    )
    np.testing.assert_array_equal(found, wanted)


def test_the_number_of_flags_is_that_of_cleanlab(cleanlab: Any, case: Predictions) -> None:
    flagged = int(find_label_issues(case).flagged.sum())
    theirs = cleanlab.count.num_label_issues(case.given.astype(int), case.probabilities)
    assert flagged == theirs


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("self-confidence", "self_confidence"), ("normalised-margin", "normalized_margin")],
)
def test_suspicions_are_one_minus_the_quality_of_cleanlab(
    cleanlab: Any, case: Predictions, ours: str, theirs: str
) -> None:
    quality = cleanlab.rank.get_label_quality_scores(
        case.given.astype(int), case.probabilities.astype(np.float64), method=theirs
    )
    found = SUSPICION[ours](score_images(case))
    np.testing.assert_allclose(found, 1 - quality, atol=2e-7)


def test_the_batched_flags_are_the_least_self_confident_ones(
    cleanlab: Any, make_predictions: MakePredictions
) -> None:
    """cleanlab's batched function ranks by self-confidence and keeps as many as it counts."""
    given, probabilities = CASES["ten"]
    batched = cleanlab.experimental.label_issues_batched.find_label_issues_batched(
        labels=given, pred_probs=probabilities, verbose=False, return_mask=True
    )
    issues = find_label_issues(predict(make_predictions, given, probabilities))
    order = np.argsort(-self_confidence(issues.scores), kind="stable")
    least = np.zeros(len(given), bool)
    least[order[: issues.flagged.sum()]] = True
    # It counts images whose *predicted* class is confident: nearly the same number.
    assert abs(int(batched.sum()) - int(least.sum())) <= 0.02 * len(given)
    smaller, larger = sorted([batched, least], key=np.sum)
    assert (smaller & ~larger).sum() == 0


def slow_confident_class(row: Array, thresholds: Array) -> int:
    reached = [k for k in range(len(row)) if float(row[k]) >= thresholds[k] - 1e-6]
    if not reached:
        return -1
    return reached[0] if len(reached) == 1 else int(np.argmax(row))


def test_confident_classes_are_those_of_a_slow_loop(case: Predictions) -> None:
    scores = score_images(case)
    thresholds = class_thresholds(scores, len(case.classes))
    wanted = [slow_confident_class(row, thresholds) for row in case.probabilities]
    assert confident_classes(case, scores, thresholds).tolist() == wanted


def test_thresholds_are_compared_exactly(make_predictions: MakePredictions) -> None:
    """A limit between two float32 numbers is reached by the upper one only."""
    lower = np.float32(0.3)
    upper = np.nextafter(lower, np.float32(1))
    limit = (float(lower) + float(upper)) / 2 + 1e-6
    table = make_predictions(given=[1, 1], probabilities=[[0.7, lower, 0], [0.7, upper, 0]])
    found = confident_classes(table, score_images(table), np.array([0.9, limit, np.inf]))
    assert found.tolist() == [-1, 1]


@hypothesis_given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), max_size=60),
)
@settings(deadline=None)
def test_the_joint_shares_out_every_image(pairs: list[tuple[int, int]]) -> None:
    given = np.array([one for one, _ in pairs], np.int16)
    confident = np.array([other for _, other in pairs], np.int16)
    joint = count_jointly(given, confident, 5)
    matrix = joint.matrix()
    assert matrix.sum(axis=1).tolist() == np.bincount(given, minlength=5).tolist()
    assert (matrix >= 0).all()
    counted = np.eye(5, dtype=int)
    for one, other in pairs:
        if other >= 0 and (one != other):
            counted[one, other] += 1
    for label in range(5):
        counted[label, label] = max(1, sum(1 for pair in pairs if pair == (label, label)))
    np.testing.assert_array_equal(joint.matrix(calibrated=False), counted)
    # Largest remainders: nothing is further than one image from its exact share.
    exact = counted * matrix.sum(axis=1, keepdims=True) / counted.sum(axis=1, keepdims=True)
    assert (np.abs(matrix - exact) < 1).all()


@pytest.mark.parametrize("by", ["confident-joint", "noise-rate", "class", "both"])
def test_the_number_of_threads_changes_nothing(
    make_predictions: MakePredictions, by: FlagBy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("misread.tables.predictions.RANGE_BYTES", 40_000)
    table = predict(make_predictions, *CASES["many classes"])
    assert len(table.ranges()) > 50
    one, several = find_label_issues(table, by, 1), find_label_issues(table, by, 4)
    assert one.flagged.tobytes() == several.flagged.tobytes()
    for name, column in vars(one.scores).items():
        assert column.tobytes() == getattr(several.scores, name).tobytes(), name


def test_no_rule_flags_what_the_model_reads_as_given(case: Predictions) -> None:
    for by in ("confident-joint", "noise-rate", "class", "both"):
        issues = find_label_issues(case, by)
        assert not (issues.flagged & (case.predicted == case.given)).any()
        assert ((issues.suggested != case.given) == issues.flagged).all()


def issues_of(make: MakePredictions) -> LabelIssues:
    return find_label_issues(predict(make, *CASES["ten"]))


def test_the_ranking_is_of_flagged_images_and_falls(make_predictions: MakePredictions) -> None:
    issues = issues_of(make_predictions)
    for name, score in SUSPICION.items():
        ranked = issues.ranked(name)
        assert sorted(ranked) == np.flatnonzero(issues.flagged).tolist()
        assert (np.diff(score(issues.scores)[ranked]) <= 0).all()
    with pytest.raises(ParameterError, match="by must be one of self-confidence, normalised"):
        issues.ranked("size")


def test_most_planted_flips_are_found(make_predictions: MakePredictions) -> None:
    """A model that is right of 99% of the images, 3% of whose labels are flipped."""
    generator = np.random.default_rng(0)
    true = generator.integers(0, 10, 5_000)
    flipped = generator.random(5_000) < 0.03
    given = np.where(flipped, (true + generator.integers(1, 10, 5_000)) % 10, true)
    read = np.where(generator.random(5_000) < 0.01, generator.integers(0, 10, 5_000), true)
    probabilities = generator.dirichlet(np.ones(10), 5_000) * 0.02
    probabilities[np.arange(5_000), read] += 0.98
    issues = find_label_issues(predict(make_predictions, given, probabilities))
    found = issues.flagged & flipped
    assert found.sum() >= 0.95 * flipped.sum()
    assert found.sum() >= 0.7 * issues.flagged.sum()
    assert (issues.suggested[found] == true[found]).mean() > 0.95
    assert abs(int(issues.joint.wrong.sum()) - int(issues.flagged.sum())) < 60


def test_bad_input_is_refused_in_one_line(make_predictions: MakePredictions) -> None:
    table = make_predictions(given=[0, 1, 2])
    with pytest.raises(ParameterError, match="flag_by must be one of confident-joint, noise-rate"):
        find_label_issues(table, "magic")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="threads must be 1 or more"):
        find_label_issues(table, threads=0)
    with pytest.raises(PredictionsError, match="misread crossfit"):
        find_label_issues(make_predictions(given=[0, 1], origin=Origin.IN_SAMPLE))


def test_no_images_give_no_issues(make_predictions: MakePredictions) -> None:
    for by in ("confident-joint", "both"):
        issues = find_label_issues(make_predictions(given=[]), by)
        assert len(issues) == 0
        assert issues.ranked().tolist() == []
        assert issues.joint.wrong.tolist() == [0, 0, 0]
