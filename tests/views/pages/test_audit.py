from misread.datasets import Dataset
from misread.store import Study
from misread.views.pages import Limits, Pages, build_pages
from misread.workflows.audit import audit


def test_the_listed_images_come_with_evidence(pages: Pages, study: Study, dataset: Dataset) -> None:
    page = pages.audits[0]
    found = audit(study, "test", dataset=dataset)
    assert page.split == "test"
    assert page.panel == ("fast-short-s0-r1", "net-short-s0")
    assert page.listed == len(page.entries) + page.hidden == len(found.listed)
    assert [entry.rank for entry in page.entries] == list(range(1, len(page.entries) + 1))
    for entry, place in zip(page.entries, found.listed, strict=False):
        row = found.row(int(place))
        assert entry.picture.index == row.index
        assert (entry.given.name, entry.read_as.name) == (row.given, row.read_as)
        assert entry.evidence == row.suggestion.evidence
        assert entry.reason == row.suggestion.reason
        assert (entry.suggested == "label") == (entry.reason == "")
        assert entry.suspicion == row.suspicion
    suspicion = [entry.suspicion for entry in page.entries]
    assert suspicion == sorted(suspicion, reverse=True)


def test_neighbours_are_training_images_with_their_labels(
    pages: Pages, study: Study, dataset: Dataset
) -> None:
    near = study.load_neighbours(study.newest_predictions("test", "net").provenance)
    assert near is not None
    for entry in pages.audits[0].entries:
        positions = [image.picture.index for image in entry.neighbours]
        assert positions == near.neighbours[entry.picture.index][:8].tolist()
        for image in entry.neighbours:
            assert image.picture.split == "train"
            assert image.given.number == dataset.train.labels[image.picture.index]
    assert all(entry.neighbours == () for entry in pages.audits[1].entries)


def test_in_sample_predictions_are_named_as_left_out(pages: Pages) -> None:
    assert pages.audits[0].left_out == ()
    assert pages.audits[1].left_out == ("net-short-s0.train.in-sample",)


def test_the_rest_is_counted(study: Study, dataset: Dataset) -> None:
    audits = {"test": audit(study, "test", dataset=dataset)}
    (page,) = build_pages(study, dataset, audits, limits=Limits(audit=2)).audits
    assert len(page.entries) == 2
    assert page.hidden == page.listed - 2 > 0
