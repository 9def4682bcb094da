"""The pages of a small study with everything that pages can show."""

from collections.abc import Callable

import pytest

from misread.datasets import Dataset
from misread.store import Study
from misread.views.pages import Pages, build_pages
from misread.workflows.audit import audit
from misread.workflows.people import find_people, read_labels


@pytest.fixture(scope="session")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture(scope="session")
def study(whole_study: Study) -> Study:
    return whole_study


@pytest.fixture(scope="session")
def pages(study: Study, dataset: Dataset) -> Pages:
    audits = {split: audit(study, split, dataset=dataset) for split in ("test", "train")}
    return build_pages(
        study,
        dataset,
        audits,
        people=find_people(study, dataset=dataset),
        readings=read_labels(study, dataset=dataset),
    )
