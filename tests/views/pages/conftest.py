"""The pages of a small study with everything that pages can show."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Predictions
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


@pytest.fixture(scope="session")
def forty(make_dataset: Callable[..., Dataset]) -> Dataset:
    """40 test images."""
    return make_dataset(test=40)


@pytest.fixture
def four_misread(
    tmp_path: Path, forty: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> Study:  # fmt: skip
    """A model that misreads images 0 to 3 of the forty as the next class; nobody has read yet."""
    labels = forty.test.labels.astype(np.int64)
    seen = np.where(np.arange(40) < 4, (labels + 1) % 3, labels)
    probabilities = np.full((40, 3), 0.05)
    probabilities[np.arange(40), seen] = 0.9
    return make_study(tmp_path / "study", forty, make_predictions(forty.test, probabilities))
