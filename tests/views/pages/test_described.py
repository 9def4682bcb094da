"""The page of readings that follow no plan."""

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.store import Study
from misread.tables.answer_counts import AnswerCounts
from misread.tables.readings import Reader, Readings, Seen
from misread.views.pages import Limits
from misread.views.pages.described import DescribedPage
from misread.workflows.people import describe_people
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers
from misread.workflows.report import make_pages


@pytest.fixture
def dataset(forty: Dataset) -> Dataset:
    return forty


@pytest.fixture
def study(four_misread: Study) -> Study:
    return four_misread


def read(study: Study, dataset: Dataset, wrong: list[list[int]]) -> None:
    """People who read images 0 to 19, each misreading some as the class after the label."""
    reader = np.repeat(np.arange(len(wrong), dtype=np.int32), 20)
    index = np.tile(np.arange(20, dtype=np.int32), len(wrong))
    missed = np.array([row in wrong[who] for who, row in zip(reader, index, strict=True)])
    answer = (dataset.test.labels[index] + missed) % 3
    people = tuple(Reader(f"person {n}", None, Seen.IMAGES) for n in range(len(wrong)))
    made = Readings("test", study.classes, "", people, reader, index, answer.astype(np.int16))
    study.save_readings("lab", made)


def page_of(study: Study, dataset: Dataset, limits: Limits | None = None) -> DescribedPage:
    pages = make_pages(study, dataset=dataset, limits=limits)
    assert pages.people is None and pages.described is not None
    return pages.described


def test_what_was_read_is_counted(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 9], [0], [0, 2]])
    page = page_of(study, dataset)
    assert (page.images, page.read, page.tables, page.simulated) == (40, 20, ("lab",), "")
    assert (page.wrong.count, page.wrong.total, page.wrong.low) == (5, 60, None)
    assert [(row.wrong.count, row.wrong.total, row.seen) for row in page.readers] == [
        (2, 20, "images"), (1, 20, "images"), (2, 20, "images")
    ]  # fmt: skip
    assert page.agreement is not None
    # Of three pairs each, 2 and 9 have two that disagree.
    assert (page.agreement.count, page.agreement.total) == (56, 60)
    (model,) = page.models
    assert (model.wrong.count, model.wrong.total) == (4, 20)
    assert [cell.read for cell in model.cells] == [1, 3, 0, 16]
    assert [one.picture.index for one in model.cells[0].shown] == [0]
    assert all(cell.images.low is None for cell in model.cells)
    # 3 + 1 of the people's 5 errors are on the model's 4 mistakes: 12 of 60 answers.
    both, people, machine = 4, 1, 8
    p, q = 5 / 60, 12 / 60
    chance = p * q + (1 - p) * (1 - q)
    assert model.consistency == pytest.approx((1 - (people + machine) / 60 - chance) / (1 - chance))
    assert both + people == 5
    label = int(dataset.test.labels[0])
    pair = next(one for one in model.pairs if one.given.number == label)
    assert pair.people == 3 + (1 if dataset.test.labels[2] == label else 0) + (
        1 if dataset.test.labels[9] == label else 0
    )
    assert pair.answers == pair.people
    assert [one.picture.index for one in page.called_other] == [0]


def test_counts_have_no_readers(study: Study, dataset: Dataset) -> None:
    counts = np.zeros((40, 3), np.int32)
    counts[np.arange(40), dataset.test.labels] = 7
    study.save_counts(
        "crowd", "test", AnswerCounts(study.classes, np.arange(40, dtype=np.int32), counts)
    )
    page = page_of(study, dataset)
    assert (page.read, page.readers, page.wrong.count, page.wrong.total) == (40, (), 0, 280)
    assert page.agreement is not None and page.agreement.value == 1
    # Nobody errs but the model.
    assert page.models[0].consistency == 0


def test_what_is_left_out_is_told(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 1, 2, 9], [0, 1, 2, 9], []])
    page = page_of(study, dataset, Limits(readers=1, versus=0, called=1))
    assert (len(page.readers), page.hidden_readers) == (1, 2)
    assert (page.models, page.hidden_models) == ((), 1)
    assert (len(page.called_other), page.hidden_called) == (1, 3)


def test_people_come_before_programs_and_a_plan_before_none(study: Study, dataset: Dataset) -> None:
    make_plan(study, 40)
    programs = simulate_readers(
        study, 1, error_easy=0, error_hard=0, save="programs", dataset=dataset
    )
    assert make_pages(study, dataset=dataset).people is not None
    read(study, dataset, [[0]])
    assert page_of(study, dataset).tables == ("lab",)
    assert describe_people(study, ["programs"], dataset=dataset).simulated
    person = Readings(**{**vars(programs), "readers": (Reader("ann", 0),)})
    study.save_readings("study", person)
    assert make_pages(study, dataset=dataset).people is not None
