from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Predictions
from misread.tables.verdicts import Verdict
from misread.views.pages import Limits, Pages, build_pages
from misread.views.pages.mistakes import build_mistakes, fair_share
from misread.views.pages.study_tables import StudyTables


def test_a_group_for_each_given_class_as_a_slow_loop_finds_them(pages: Pages, study: Study) -> None:
    page = next(page for page in pages.mistakes if page.key == "test.held-out")
    table = study.newest_predictions("test", "net")
    expected: dict[int, list[tuple[float, int, int]]] = {}
    for row, given_label in enumerate(table.given.tolist()):
        read = int(np.argmax(table.probabilities[row]))
        if read != given_label:
            mine = expected.setdefault(given_label, [])
            mine.append((-float(table.probabilities[row, read]), row, read))
    assert [group.given.number for group in page.groups] == sorted(expected)
    for group in page.groups:
        mine = sorted(expected[group.given.number])
        assert [tile.picture.index for tile in group.tiles] == [row for _, row, _ in mine]
        assert [tile.predicted.number for tile in group.tiles] == [read for _, _, read in mine]
        assert [-tile.p_predicted for tile in group.tiles] == [p for p, _, _ in mine]
        for tile in group.tiles:
            assert tile.p_given == table.probabilities[tile.picture.index, group.given.number]
        assert group.hidden == 0
    assert page.hidden == page.hidden_groups == 0
    assert sum(n for _, n in page.suggested) == page.error.count


def test_too_many_are_counted_rather_than_shown(study: Study, dataset: Dataset) -> None:
    tables = StudyTables(study, dataset, {}, limits=Limits(groups=2, tiles=7))
    provenance = next(p for p in tables.shown if p.split == "train")
    page = build_mistakes(tables, provenance)
    everything = build_mistakes(StudyTables(study, dataset, {}), provenance)
    counts = {group.given.number: len(group.tiles) for group in everything.groups}
    most = sorted(counts, key=lambda label: -counts[label])[:2]
    assert [group.given.number for group in page.groups] == sorted(most)
    assert page.hidden_groups == len(counts) - 2
    assert sum(len(group.tiles) for group in page.groups) <= 7
    for group in page.groups:
        assert len(group.tiles) + group.hidden == counts[group.given.number]
    assert page.hidden == page.error.count - sum(len(group.tiles) for group in page.groups)


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 500))
def test_a_fair_share_fills_the_room_and_no_more(counts: list[int], most: int) -> None:
    share = fair_share(counts, most)
    total = sum(min(count, share) for count in counts)
    # One of each is shown, whatever the room.
    assert total <= max(most, len(counts))
    if counts and share < max(counts):
        more = sum(min(count, share + 1) for count in counts)
        assert more > most


def test_decided_verdicts_stand_beside_the_suggested_ones(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    study = make_study(tmp_path, dataset, make_predictions(dataset.test))
    before = build_pages(study, dataset, {}).mistakes[0].groups[0].tiles
    assert all((tile.decided, tile.decided_label) == ("", None) for tile in before)
    assert build_pages(study, dataset, {}).overview.results[0].after is None
    first, second = before[0], before[1]
    log = study.verdicts
    other = second.predicted.number
    log.decide("test", [first.picture.index], Verdict.UNREADABLE, event="1", tab="t")
    log.decide("test", [second.picture.index], Verdict.LABEL, other, event="2", tab="t")
    pages = build_pages(study, dataset, {})
    tiles = pages.mistakes[0].groups[0].tiles
    assert (tiles[0].decided, tiles[0].decided_label) == ("unreadable", None)
    assert (tiles[1].decided, tiles[1].decided_label) == ("label", second.predicted)
    assert tiles[2].decided == ""
    (result,) = pages.overview.results
    after = result.after
    assert after is not None
    assert after.error.count == result.error.count - 1  # the label was wrong, the model right
    assert (after.lowest.count, after.highest.count) == (after.error.count - 1, after.error.count)
    assert (after.reviewed_mistakes, after.reviewed_others, after.righted) == (2, 0, 1)
    assert "can only lower the error" in after.caution
    assert "After verdicts" in [method.heading for method in pages.methods.methods]


def test_nothing_misread(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    sure = make_predictions(dataset.test, np.eye(3)[dataset.test.labels])
    pages = build_pages(make_study(tmp_path, dataset, sure), dataset, {})
    (result,) = pages.overview.results
    assert not (pages.mistakes[0].groups or result.first or result.confusion.cells)
    assert result.error.count == 0
