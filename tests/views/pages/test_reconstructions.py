"""The page of what a network drew: which images, in which order, with which figures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Origin, Predictions, Reconstructions
from misread.views.pages import Limits
from misread.views.pages.parts import Drawing, Picture
from misread.views.pages.reconstructions import Drawn
from misread.workflows.report import find_reconstructions, make_pages


def test_mistakes_come_first_and_the_most_difficult_of_each(
    whole_study: Study, make_dataset: Callable[..., Dataset]
) -> None:
    pages = make_pages(whole_study, dataset=make_dataset())
    (page,) = pages.reconstructions
    table = find_reconstructions(whole_study)["test"]
    assert (page.split, page.run, page.origin) == ("test", "net-short-s0", "held-out")
    assert page.images == len(table) == 90
    wrong = table.given != table.predicted
    assert page.error_wrong == np.mean(table.error_predicted[wrong], dtype=np.float64)
    assert page.error_right == np.mean(table.error_predicted[~wrong], dtype=np.float64)
    drawn = set(table.drawn.tolist())
    shown = [entry.picture.index for entry in page.mistakes]
    assert set(shown) == {index for index in drawn if wrong[index]}
    assert {entry.picture.index for entry in page.others} == drawn - set(shown)
    assert page.hidden == 0
    # Entropy of the mean of the panel's probabilities, by a loop.
    members = [whole_study.newest_predictions("test", name) for name in ("net", "fast")]

    def entropy(index: int) -> float:
        mean = sum(member.probabilities[index].astype(np.float64) for member in members) / 2
        return float(-sum(p * np.log(p) for p in mean))

    assert page.by_panel
    for entries in (page.mistakes, page.others):
        values = [entropy(entry.picture.index) for entry in entries]
        assert values == sorted(values, reverse=True)


def check(entry: Drawn, table: Reconstructions) -> None:
    index = entry.picture.index
    assert entry.picture == Picture("test", index)
    assert entry.as_given == Drawing("test", index, "net-short-s0", "given")
    assert entry.given.number == table.given[index]
    assert entry.predicted.number == table.predicted[index]
    other = Drawing("test", index, "net-short-s0", "predicted")
    assert entry.as_predicted == (None if entry.given == entry.predicted else other)
    assert entry.error_given == table.error_given[index]
    worse = np.mean(table.error_predicted >= table.error_predicted[index])
    assert entry.share_worse == pytest.approx(worse)


def test_entries_say_what_the_table_says(
    whole_study: Study, make_dataset: Callable[..., Dataset]
) -> None:
    limits = Limits(drawn=9)
    (page,) = make_pages(whole_study, dataset=make_dataset(), limits=limits).reconstructions
    entries = [*page.mistakes, *page.others]
    assert (len(entries), page.hidden) == (9, 21)
    for entry in entries:
        check(entry, find_reconstructions(whole_study)["test"])


def test_the_newest_network_that_never_saw_a_split_is_shown(
    tmp_path: Path, make_dataset: Callable[..., Dataset], make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
    make_reconstructions: Callable[..., Reconstructions],
) -> None:  # fmt: skip
    dataset = make_dataset()
    made = [
        make_predictions(dataset.test, model="a", created="2025-01-01"),
        make_predictions(dataset.test, model="b", created="2025-01-02"),
        make_predictions(dataset.test, model="c", created="2025-01-03", origin=Origin.IN_SAMPLE),
        make_predictions(dataset.train, model="d", origin=Origin.IN_SAMPLE),
    ]
    study = make_study(tmp_path / "study", dataset, *made)
    assert make_pages(study, dataset=dataset).reconstructions == ()
    for beside in made:
        study.save_reconstructions(make_reconstructions(beside, [1, 2]))
    found = find_reconstructions(study)
    assert {split: table.provenance.model for split, table in found.items()} == {
        "test": "b", "train": "d",
    }  # fmt: skip
    assert list(find_reconstructions(study, "a")) == ["test"]
    test, train = make_pages(study, dataset=dataset).reconstructions
    assert (test.run, train.run) == ("b-imported-s0", "d-imported-s0")
    # Nothing has predicted it out of sample: those drawn worst come first.
    assert not train.by_panel
