"""What readers called single images: evidence on their labels."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.reading.answers import LabelReadings
from misread.views.pages.parts import Label, Picture
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class Calls:
    """What readers who read an image blind called it.

    Attributes:
        answers: Number of answers, 1 or more.
        votes_given: How many of them are the given label.
        called: The class that most of the others called it; None if there are no others.
        votes: How many called it that.
        simulated: Whether programs gave some of the answers: then they are evidence of nothing.
        told: The same in words.
    """

    answers: int
    votes_given: int
    called: Label | None
    votes: int
    simulated: bool
    told: str


@dataclass(frozen=True)
class CalledOther:
    """An image that more readers call one other class than call it its given label.

    Attributes:
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        calls: What readers called it.
    """

    picture: Picture
    file: str
    given: Label
    calls: Calls


def find_calls(tables: StudyTables, split: str, index: int) -> Calls | None:
    """What readers called an image; None where nobody read it."""
    found = tables.readings.get(split)
    if found is None:
        return None
    rows = np.flatnonzero(found.index == index)
    return make_calls(tables, found, int(rows[0])) if len(rows) else None


def make_calls(tables: StudyTables, found: LabelReadings, row: int) -> Calls:
    """One row of what readers called images."""
    answers, given = int(found.answers[row]), tables.labels[found.label[row]]
    votes_given, votes = int(found.votes_label[row]), int(found.votes[row])
    called = None if votes_given == answers else tables.labels[found.majority[row]]
    return Calls(
        answers=answers,
        votes_given=votes_given,
        called=called,
        votes=votes,
        simulated=found.simulated,
        told=tell_calls(answers, given.name, called.name if called else None, votes, found),
    )


def tell_calls(
    answers: int, given: str, called: str | None, votes: int, found: LabelReadings
) -> str:
    """What readers called an image, in words: `2 of 3 readers call it 9`."""
    kind = "simulated reader" if found.simulated else "reader"
    readers = kind if answers == 1 else f"{kind}s"
    number = answers if called is None else votes
    verb = "calls" if number == 1 else "call"
    return f"{number} of {answers} {readers} {verb} it {given if called is None else called}"


def called_other(
    tables: StudyTables, found: LabelReadings, split: str, most: int
) -> tuple[tuple[CalledOther, ...], int]:
    """Images that readers call something else, the clearest first, and how many more there are."""
    rows = np.flatnonzero(found.contradicted)
    # More readers say more, at the same share.
    rows = rows[np.argsort(found.votes_label[rows] - found.votes[rows], kind="stable")]
    made = [
        CalledOther(
            picture=Picture(split, index),
            file=tables.file(split, index),
            given=tables.labels[found.label[row]],
            calls=make_calls(tables, found, int(row)),
        )
        for row, index in ((row, int(found.index[row])) for row in rows[:most])
    ]
    return tuple(made), max(0, len(rows) - most)
