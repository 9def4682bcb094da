import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.evidence import Evidence
from misread.analysis.ranking import SCORES, find_score, score
from misread.errors import ParameterError
from misread.tables import Dynamics

MakeEvidence = Callable[..., Evidence]
MakeDynamics = Callable[..., Dynamics]

# The image in the middle is the worst by every score: given 0, it is read as something else.
ROWS = {
    "sure": ([0.98, 0.01, 0.01], [0.98, 0.01, 0.01]),
    "doubt": ([0.5, 0.3, 0.2], [0.5, 0.2, 0.3]),
    "worst": ([0.02, 0.49, 0.49], [0.02, 0.08, 0.9]),
}


@pytest.fixture
def evidence(make_evidence: MakeEvidence, make_dynamics: MakeDynamics) -> Evidence:
    order = ("doubt", "worst", "sure")
    one, other = ([ROWS[name][member] for name in order] for member in (0, 1))
    return make_evidence(
        [0, 0, 0],
        one,
        other,
        around=[[[0, 0, 0, 1], [1, 2, 2, 2], [0, 0, 0, 0]]],
        dynamics=lambda table: make_dynamics(table, [2, -5, 8], [2, 9, 1], [1, 4, 0]),
    )


# What is expected of the worst image, from the docstrings and docs/scores.md.
def entropy(row: list[float]) -> float:
    return -math.fsum(p * math.log(p) for p in row)


MEAN = [0.02, 0.285, 0.695]
EXPECTED = (entropy(ROWS["worst"][0]) + entropy(ROWS["worst"][1])) / 2
WORST = {
    "self_confidence": 0.98,
    "margin": (1 - (0.02 - 0.695)) / 2,
    "expected_entropy": EXPECTED,
    "mutual_information": entropy(MEAN) - EXPECTED,
    "contradiction": 1,
    "neighbours": 1,
    "area_under_margin": 7 / (1.4826 * 6),  # median 2, distances 0, 7, 6
    "first_learned": 9,
    "forgotten": 4,
}


@pytest.mark.parametrize("name", SCORES)
def test_higher_is_worse_in_every_score(evidence: Evidence, name: str) -> None:
    """An image that nothing speaks against ranks last, the worst one by construction first."""
    found = score(evidence, name)
    assert found.dtype == np.float32
    assert found.shape == (3,)
    if name in ("entropy", "expected_entropy"):
        # A doubtful image is harder than a misread one; both are harder than a sure one.
        assert found[[0, 1]].min() > found[2]
        assert found[0] > found[1]
    elif name == "contradiction":
        assert found.tolist() == [0, 1, 0]
    else:
        assert found[1] > found[0]
        assert found[0] > found[2] or name == "mutual_information"
    if name in WORST:
        assert found[1] == pytest.approx(WORST[name], abs=1e-5)


def test_the_entropy_is_that_of_the_mean(evidence: Evidence) -> None:
    assert score(evidence, "entropy")[1] == pytest.approx(entropy(MEAN), abs=1e-5)


def test_scores_are_named_with_either_line(evidence: Evidence) -> None:
    assert find_score("mutual-information") == "mutual_information"
    for name in SCORES:
        np.testing.assert_array_equal(
            score(evidence, name.replace("_", "-")), score(evidence, name)
        )
    with pytest.raises(ParameterError, match=r"by: expected one of suspicion, .* Got 'size'"):
        score(evidence, "size")


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("neighbours", "nearest training images"),
        ("area-under-margin", "training dynamics"),
        ("first_learned", "training dynamics"),
        ("forgotten", "training dynamics"),
    ],
)
def test_what_there_is_no_evidence_for_is_said(evidence: Evidence, name: str, needs: str) -> None:
    bare = dataclasses.replace(evidence, neighbourhood=None, training=None)
    with pytest.raises(ParameterError, match=f"by: {name} needs {needs}, .*`misread crossfit`"):
        score(bare, name)
    assert score(bare, "suspicion") is bare.suspicion


def test_one_model_ranks_too(make_evidence: MakeEvidence) -> None:
    one = make_evidence([0, 0], [ROWS["worst"][0], ROWS["sure"][0]])
    for name in ("suspicion", "self_confidence", "margin", "contradiction", "entropy"):
        assert score(one, name)[0] > score(one, name)[1]
    assert score(one, "mutual_information").tolist() == [0, 0]


def test_the_document_names_every_score() -> None:
    page = Path(__file__).parents[2] / "docs" / "audit.md"
    text = page.read_text(encoding="utf-8")
    assert [name for name in SCORES if f"`{name}`" not in text] == []
