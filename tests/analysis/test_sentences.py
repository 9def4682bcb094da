import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from misread.analysis.evidence import Evidence
from misread.analysis.sentences import below, models, probability, tell_evidence
from misread.tables import Dynamics

MakeEvidence = Callable[..., Evidence]
MakeDynamics = Callable[..., Dynamics]

# Rows of probabilities over the classes 4, 9 and 7.
FOUR, FOUR_UNSURE = [0.97, 0.02, 0.01], [0.61, 0.29, 0.1]
NINE, SEVEN = [0.02, 0.95, 0.03], [0.1, 0.2, 0.7]

# What the panel says of one image given 9 (its label is 1).
PANELS: list[tuple[list[list[float]], str]] = [
    ([FOUR], "the model, which never saw it, reads 4 with probability 0.97 (the given 9: 0.02)"),
    ([NINE], "the model, which never saw it, reads 9 as given, with probability 0.95"),
    (
        [[0.9999, 0.0001, 0]],
        "the model, which never saw it, reads 4 with probability >0.99 (the given 9: <0.01)",
    ),
    ([FOUR, FOUR], "2 of 2 models that never saw it read 4, the least sure at 0.97"),
    ([NINE, NINE], "2 of 2 models that never saw it read 9 as given, the least sure at 0.95"),
    (
        [FOUR, FOUR_UNSURE, NINE],
        "2 of 3 models that never saw it read 4, the least sure at 0.61, 1 reads 9 as given",
    ),
    (
        [FOUR, FOUR, FOUR, NINE, NINE, SEVEN],
        ("3 of 6 models that never saw it read 4, the least sure at 0.97, 2 read 9 as given"
        ", 1 reads something else"),
    ),
    ([FOUR, SEVEN], "1 of 2 models that never saw it reads 4, at 0.97, 1 reads something else"),
    (
        [NINE, NINE, FOUR, SEVEN],
        ("2 of 4 models that never saw it read 9 as given, the least sure at 0.95, "
        "2 read something else"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("panel", "says"), PANELS, ids=[says[:40] for _, says in PANELS])
def test_what_the_panel_says(
    make_evidence: MakeEvidence, panel: list[list[float]], says: str
) -> None:
    assert tell_evidence(make_evidence([1], *([row] for row in panel)), 0) == says


AROUND: list[tuple[list[float], list[list[int]], str]] = [
    (FOUR, [[0] * 9 + [1]], "9 of its 10 nearest training images are labelled 4, 1 is labelled 9"),
    (FOUR, [[0] * 20], "20 of its 20 nearest training images are labelled 4, none 9"),
    (
        FOUR,
        [[0] * 5 + [1] * 8 + [2] * 7],
        "5 of its 20 nearest training images are labelled 4, 8 are labelled 9, 7 are labelled 7",
    ),
    (
        FOUR,
        [[2] * 19 + [0]],
        "1 of its 20 nearest training images is labelled 4, none 9, 19 are labelled 7",
    ),
    (FOUR, [[1] * 4], "none of its 4 nearest training images is labelled 4, 4 are labelled 9"),
    (NINE, [[1] * 20], "20 of its 20 nearest training images are labelled 9"),
    (NINE, [[1] * 9 + [0]], "9 of its 10 nearest training images are labelled 9, 1 is labelled 4"),
    (NINE, [[0] * 3], "none of its 3 nearest training images is labelled 9, 3 are labelled 4"),
    (
        FOUR,
        [[0, 0, 0, 1], [0, 1]],
        "4 of its 6 nearest training images, found by 2 networks, are labelled 4, 2 are labelled 9",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("row", "around", "says"), AROUND, ids=[a[2][:50] for a in AROUND])
def test_what_the_neighbours_say(
    make_evidence: MakeEvidence, row: list[float], around: list[list[int]], says: str
) -> None:
    evidence = make_evidence([1], [row], around=[[labels] for labels in around])
    assert tell_evidence(evidence, 0).split("; ")[1:] == [says]


MARGIN = "its margin in training (score of the given label minus the best other score) is"

TRAINING: list[tuple[float, float, int, str]] = [
    (3, 0, 1, "in training it was first read as given in epoch 3"),
    (3, 1, 1, "in training it was first read as given in epoch 3, then forgotten once"),
    (3, 2, 1, "in training it was first read as given in epoch 3, then forgotten 2 times"),
    (11, 0, 1, "in training it was never read as given"),
    (11, 0, 4, "in training none of 4 networks ever read it as given"),
    (10.75, 0, 4, "in training 1 of 4 networks read it as given, first in epoch 10"),
    (
        10.75,
        0.25,
        4,
        "in training 1 of 4 networks read it as given, first in epoch 10, then forgot it once",
    ),
    (
        10.75,
        0.5,
        4,
        "in training 1 of 4 networks read it as given, first in epoch 10, then forgot it 2 times",
    ),
    # Two in the last epoch, or one in the last but one.
    (10.5, 0, 4, "in training 1 or 2 of 4 networks read it as given"),
    (10.25, 0, 4, "in training 1 to 3 of 4 networks read it as given"),
    (
        8.25,
        0.25,
        4,
        "in training at least 2 of 4 networks read it as given, then one of them forgot it once",
    ),
    (
        3,
        0.75,
        4,
        (
            "in training all 4 networks read it as given, first in epoch 3 on average, then "
            "together they forgot it 3 times"
        ),
    ),
    (1, 0, 4, "in training all 4 networks read it as given, first in epoch 1 on average"),
    (16 / 3, 0, 3, "in training at least 2 of 3 networks read it as given"),
]


@pytest.mark.parametrize(("first", "forgotten", "networks", "says"), TRAINING)
def test_what_the_training_says(
    make_evidence: MakeEvidence, make_dynamics: MakeDynamics,
    first: float, forgotten: float, networks: int, says: str,
) -> None:  # fmt: skip
    margins = {
        -2.1: "2.1 sd below the median image's",
        0: "that of the median image",
        1.6: "1.6 sd above the median image's",
    }
    scale = 1.4826
    evidence = make_evidence(
        [1] * 3,
        [FOUR] * 3,
        dynamics=lambda table: make_dynamics(
            table, np.array([-2.1, 0, 1]) * scale, [first] * 3, [forgotten] * 3, networks=networks
        ),
    )
    assert evidence.training is not None
    evidence.training.margin[:] = list(margins)
    for row, margin in enumerate(margins.values()):
        assert tell_evidence(evidence, row).split("; ")[1:] == [f"{says}, {MARGIN} {margin}"]


def test_all_evidence_is_told_in_one_line(
    make_evidence: MakeEvidence, make_dynamics: MakeDynamics
) -> None:
    evidence = make_evidence([1], [FOUR], [FOUR], around=[[[0] * 20]], dynamics=make_dynamics)
    assert tell_evidence(evidence, 0) == (
        "2 of 2 models that never saw it read 4, the least sure at 0.97; "
        "20 of its 20 nearest training images are labelled 4, none 9; "
        "in training it was first read as given in epoch 1, "
        f"{MARGIN} that of the median image"
    )


@hypothesis_given(
    votes=st.lists(st.integers(0, 3), min_size=2, max_size=9),
    around=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    given=st.integers(0, 3),
    networks=st.integers(1, 3),
)
@settings(deadline=None)
def test_every_number_is_that_of_the_votes_and_labels(
    make_evidence: MakeEvidence, votes: list[int], around: list[int], given: int, networks: int
) -> None:
    """Read the sentence as a program would, and count again."""
    classes = ("ant", "bee", "cat", "dog")
    sure = 0.5 + 0.04 * np.arange(len(votes))
    rows = [
        [[float(p) if k == vote else float(1 - p) / 3 for k in range(4)]]
        for vote, p in zip(votes, sure, strict=True)
    ]
    evidence = make_evidence([given], *rows, around=[[around]] * networks, classes=classes)
    panel, neighbours = tell_evidence(evidence, 0).split("; ")
    read = int(evidence.panel.majority[0])

    count, members, name, as_given, least = match(
        r"(\d+) of (\d+) models that never saw it reads? (\w+)( as given)?,"
        r"(?: the least sure)? at ([0-9.]+)",
        panel,
    )
    assert (int(count), int(members)) == (votes.count(read), len(votes))
    assert (name, as_given is not None) == (classes[read], read == given)
    assert float(least) == pytest.approx(
        min(p for vote, p in zip(votes, sure, strict=True) if vote == read), abs=0.0051
    )
    said = sum(int(n) for n in re.findall(r", (\d+) reads? ", panel))
    assert said == len(votes) - votes.count(read)

    whole = Counter(around * networks)
    first, total, label = match(r"(\d+|none) of its (\d+) nearest .*? labelled (\w+)", neighbours)
    told = {label: 0 if first == "none" else int(first)}
    told |= {
        name: int(n) for n, name in re.findall(r", (\d+) (?:is|are) labelled (\w+)", neighbours)
    }
    assert int(total) == len(around) * networks
    assert told == {name: whole[classes.index(name)] for name in told}
    # Of the labels other than the given one the most frequent is told.
    others = [n for label, n in whole.items() if label != given]
    assert not others or max(others) in [n for name, n in told.items() if name != classes[given]]
    for number, verb in re.findall(r"(\d+) (reads?|is|are)\b", f"{panel}; {neighbours}"):
        assert (verb in ("reads", "is")) is (number == "1")


def match(pattern: str, text: str) -> Sequence[Any]:
    found = re.match(pattern, text)
    assert found, text
    return found.groups()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (1e-9, "<0.01"), (0.0049, "<0.01"), (0.015, "0.01"), (0.5, "0.50"),
     (0.994, "0.99"), (0.996, ">0.99"), (1 - 1e-9, ">0.99"), (1, "1.00")],
)  # fmt: skip
def test_a_probability_is_never_rounded_to_certainty(value: float, text: str) -> None:
    assert probability(value) == text


@hypothesis_given(value=st.floats(0, 1, exclude_max=True, width=32), digits=st.integers(2, 3))
def test_what_is_below_a_limit_reads_so(value: float, digits: int) -> None:
    limit = min(1.0, value + 1e-6)
    shown, said = re.fullmatch(
        r"([0-9.]+), below ([0-9.e+-]+)", below(value, limit, digits)
    ).groups()  # type: ignore[union-attr]
    assert float(shown) < limit
    rounded = f"{value:.{digits}f}"
    assert shown == rounded or float(rounded) >= limit
    assert abs(value - float(shown)) < 10.0**-digits + 1e-9
    assert said == f"{limit:g}"


def test_a_number_below_its_limit_is_rounded_as_elsewhere() -> None:
    assert below(0.2691, 0.5, 2) == "0.27, below 0.5"
    assert below(0.4991, 0.5, 2) == "0.49, below 0.5"
    assert below(float(np.float32(0.74996)), 0.75, 3) == "0.749, below 0.75"


def test_one_model_and_several() -> None:
    assert [models(count) for count in (0, 1, 2)] == ["0 models", "1 model", "2 models"]


READERS = [
    ([0], "the one reader who saw it blind calls it 4"),
    ([1], "the one reader who saw it blind calls it 9 as given"),
    ([1, 1], "2 of 2 readers who saw it blind call it 9 as given"),
    ([0, 0, 1], "2 of 3 readers who saw it blind call it 4, 1 calls it 9 as given"),
    ([1, 1, 0], "2 of 3 readers who saw it blind call it 9 as given, 1 calls it 4"),
    (
        [0, 0, 0, 1, 1, 2],
        ("3 of 6 readers who saw it blind call it 4, 2 call it 9 as given, 1 calls it something "
        "else"),
    ),
    ([2, 0, 0], "2 of 3 readers who saw it blind call it 4, 1 calls it something else"),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "told"), READERS)
def test_what_readers_say(make_evidence: MakeEvidence, calls: list[int], told: str) -> None:
    evidence = make_evidence([1, 1], [FOUR, FOUR], around=[[[0] * 4] * 2], read=[calls, []])
    assert f"; {told}; 4 of its 4 nearest" in tell_evidence(evidence, 0)
    assert "blind" not in tell_evidence(evidence, 1)
