"""Whose readings a study holds already, so that nothing counts twice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from misread.errors import ReadingsError, StudyError
from misread.store import Study
from misread.tables.answer_counts import AnswerCounts
from misread.tables.readings import Purpose, Readings, join


@dataclass(frozen=True)
class BroughtReadings:
    """What an import brought in.

    Attributes:
        readings: The readings that were saved; of no reader if the study held all of them.
        held: Readers of the file whom the study holds with the same answers: left as they were.
        same_order: Pairs of readers, one of them new, who read in the same order of the plan: their
            samples are the same, where estimates of several readers take them for independent.
    """

    readings: Readings
    held: tuple[str, ...]
    same_order: tuple[tuple[str, str], ...]


def keep_new(
    study: Study, file: Path, readings: Readings, replacing: str | None = None
) -> BroughtReadings:
    """The readings of those readers whom the study doesn't hold yet.

    Args:
        study: Where they are to go.
        file: Where they are from.
        readings: The readings.
        replacing: Name of the table whose place they take; it doesn't count as held.

    Raises:
        ReadingsError: A reader of the same name has other answers there.
    """
    held = _held(study, readings, replacing)
    same: list[str] = []
    for reader in readings.readers:
        for where, table in held:
            if reader.name not in [each.name for each in table.readers]:
                continue
            mine, theirs = table.of([reader.name]), readings.of([reader.name])
            if table.design != readings.design:
                # A form without the plan, as of another program, has the same answers by image.
                mine, theirs = _by_image(mine), _by_image(theirs)
            if _contains(mine, theirs):
                same.append(reader.name)
            elif table.design == readings.design:
                raise ReadingsError(
                    f"{file}: reader {reader.name} has other answers in {where} already; call the "
                    f"file's reader something else, or {_way_out(where, reader.name)}"
                )
    new = readings.of([one.name for one in readings.readers if one.name not in same])
    pairs = [
        (there.name, one.name)
        for _, table in held
        for there in table.readers
        for one in new.readers
        if readings.design and table.design == readings.design and one.number == there.number
        and not one.simulated and not there.simulated
    ]  # fmt: skip
    return BroughtReadings(new, tuple(dict.fromkeys(same)), tuple(pairs))


def join_apart(tables: Sequence[tuple[str, Readings]]) -> Readings:
    """The readings of several tables as one.

    Args:
        tables: With the place of each, for messages.

    Raises:
        ReadingsError: A reader is in two of them, or they don't go together.
    """
    seen: dict[str, str] = {}
    for where, table in tables:
        for reader in table.readers:
            if reader.name in seen:
                raise ReadingsError(
                    f"{where}: reader {reader.name} is in {seen[reader.name]} as well; to count "
                    f"him once, {_way_out(where, reader.name)}"
                )
            seen[reader.name] = where
    return join([table for _, table in tables])


def refuse_same_counts(study: Study, counts: AnswerCounts, split: str, name: str) -> None:
    """See that counts aren't there already by another name: they would count twice.

    Raises:
        StudyError: They are.
    """
    for other in (other for other, of in study.list_counts() if of == split and other != name):
        there = study.load_counts(other, split)
        if np.array_equal(there.index, counts.index) and np.array_equal(
            there.counts, counts.counts
        ):
            raise StudyError(
                f"counts: the study holds the same counts of {split} as {other}; nothing imported"
            )


def next_simulated(study: Study, design: str) -> int:
    """The first number that no simulated reader of a plan has whom the study holds.

    Two of one number have one name, and one sample, where estimates take samples for independent.
    """
    tables = map(study.load_readings, study.list_readings())
    readers = (reader for table in tables if table.design == design for reader in table.readers)
    taken = [each.number for each in readers if each.simulated and each.number is not None]
    return max(taken, default=-1) + 1


def _held(study: Study, readings: Readings, replacing: str | None) -> list[tuple[str, Readings]]:
    """The study's readings of the same split, and where they are."""
    plan = study.load_plan()
    found = [
        (place_of(name), study.load_readings(name))
        for name in study.list_readings()
        if name != replacing
    ]
    if plan is not None:
        found.append((READ_HERE, study.reading_log.load(plan)))
    return [(where, table) for where, table in found if table.split == readings.split]


READ_HERE = "what was read here"
"""Place of the answers that the readers' pages collected."""


def place_of(name: str) -> str:
    """Where a table of readings lies in the study, in words."""
    return f"readings/{name}.csv"


def _way_out(where: str, name: str) -> str:
    if where == READ_HERE:
        return f"delete his answers here: misread read --forget {name}"
    return f"move {where} out of the study"


def _by_image(table: Readings) -> Readings:
    """The first answers to each image, at the image's number in the place of their position."""
    main = table.pick(table.purpose == Purpose.MAIN)
    return replace(main, position=main.index)


def _contains(table: Readings, part: Readings) -> bool:
    """Whether one reader's answers are all there already, at the same positions."""
    order = np.argsort(table.position, kind="stable")
    if not len(table):
        return not len(part)
    at = np.minimum(np.searchsorted(table.position[order], part.position), len(table) - 1)
    rows = order[at]
    return all(
        bool((getattr(table, name)[rows] == getattr(part, name)).all())
        for name in ("position", "index", "answer", "purpose")
    )
