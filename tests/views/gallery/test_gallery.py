import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from misread.datasets import Dataset, Split
from misread.errors import DatasetError, ParameterError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.metadata import TEXT, Metadata
from misread.types import Array
from misread.views.audit import Audit
from misread.views.gallery.boot import boot, study_id
from misread.views.gallery.confusion import MOST_CELLS, confusion
from misread.views.gallery.detail import detail
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.pictures import Pictures
from misread.views.gallery.query import Query, parse
from misread.views.gallery.tiles import tiles
from misread.workflows.audit import audit

MakeGallery = Callable[..., Gallery]
MakeDataset = Callable[..., Dataset]
MakePredictions = Callable[..., Predictions]


class MixedImages:
    """Images of several sizes, of which one is read at a time."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: int, /) -> Array:
        return np.full((10 + i % 3, 400, 3), i % 256, np.uint8)

    def fingerprint(self) -> str:
        return f"sha256:mixed-{self._count}"


def everything(gallery: Gallery, query: Query) -> list[int]:
    return gallery.items(query, 0, 100_000).index


def ready(gallery: Gallery, split: str = "test") -> None:
    assert gallery.scoring.wait(split, 30)
    assert gallery.scoring.state(split).state == "ready"


def test_an_empty_query_shows_all_of_the_test_split_by_given_label(
    make_gallery: MakeGallery,
) -> None:
    gallery = make_gallery()
    view = gallery.view(Query())
    assert (view.total, view.of, view.revision) == (90, 90, 0)
    assert parse(view.query).split == "test" and parse(view.query).model == "two-imported-s1"
    assert [(group.key, group.label, group.count) for group in view.groups] == [
        (0, "top", 30),
        (1, "middle", 30),
        (2, "bottom", 30),
    ]
    labels = gallery.dataset.test.labels
    assert everything(gallery, Query()) == np.argsort(labels, kind="stable").tolist()


def test_the_pinned_query_finds_the_same_view_again(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    for query in (Query(right=False, sort="confidence"), Query(decided="none", group="none")):
        view = gallery.view(query)
        again = gallery.view(parse(view.query))
        assert again == view
        assert everything(gallery, parse(view.query)) == everything(gallery, query)


def test_another_model_misreads_other_images(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    one = everything(gallery, Query(model="one-imported-s0", right=False))
    two = everything(gallery, Query(model="two-imported-s1", right=False))
    predictions = gallery.study.newest_predictions("test", "one")
    assert sorted(one) == np.flatnonzero(predictions.predicted != predictions.given).tolist()
    assert one != two


@pytest.mark.parametrize(
    ("query", "line"),
    [
        (Query(split="validation"), "split: expected one of train, test. Got 'validation'"),
        (Query(model="three"), "model: expected a run that predicts test, found two-.*, one-"),
        (Query(given=3), "given: expected the number of a class, 0 to 2. Got 3"),
        (Query(predicted=9), "predicted: expected the number of a class, 0 to 2. Got 9"),
        (Query(decided="any", as_of=1), r"as_of must be in 0..0"),
        (Query(meta=(("writer", "1"),)), r"meta: expected a column of the metadata \(none\)"),
    ],
)
def test_what_there_is_not_is_refused(make_gallery: MakeGallery, query: Query, line: str) -> None:
    with pytest.raises(ParameterError, match=line):
        make_gallery().view(query)


def test_scores_come_in_without_reshuffling_what_is_shown(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    by_suspicion = Query(sort="suspicion", group="none")
    before = gallery.view(by_suspicion)
    assert before.pending and before.scores.state == "pending"
    shown = everything(gallery, parse(before.query))
    assert shown == list(range(90))
    ready(gallery)
    # The same pinned query shows the same; the user's own query is sorted now.
    assert everything(gallery, parse(before.query)) == shown
    after = gallery.view(by_suspicion)
    assert not after.pending and after.scores.state == "ready"
    suspicion = tiles(gallery, parse(after.query), 0, 90).suspicion
    assert suspicion == sorted((s for s in suspicion if s is not None), reverse=True)
    assert len(set(suspicion)) > 1


def test_scores_are_those_of_the_audit(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    ready(gallery)
    columns = gallery.scoring.known("test")
    found = audit(gallery.study, "test", dataset=gallery.dataset)
    assert columns is not None
    np.testing.assert_array_equal(columns.suspicion, found.evidence.suspicion)
    np.testing.assert_array_equal(columns.difficulty, found.evidence.panel.entropy)
    for place, suggestion in found.suggestions.items():
        said = tiles(gallery, Query(group="none"), place, 1)
        assert said.suggested == [str(suggestion.verdict)]
        assert said.suggested_label == [suggestion.label]


def test_scores_are_kept_in_the_study_until_predictions_change(
    make_gallery: MakeGallery, make_predictions: MakePredictions
) -> None:
    gallery = make_gallery()
    ready(gallery)
    kept = list((gallery.study.path / "cache").glob("scores.test.*.npz"))
    assert len(kept) == 1

    def forbidden(split: str) -> None:
        raise AssertionError("the scores are kept")

    again = Gallery(gallery.study, gallery.dataset, forbidden)  # type: ignore[arg-type]
    ready(again)
    first, second = gallery.scoring.known("test"), again.scoring.known("test")
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.suspicion, second.suspicion)

    split = gallery.dataset.test
    gallery.study.save_predictions(make_predictions(split, seed=9, model="three"))
    assert gallery.scoring.state("test").state == "pending"
    ready(gallery)
    now = list((gallery.study.path / "cache").glob("scores.test.*.npz"))
    assert len(now) == 1 and now != kept


def test_a_damaged_cache_is_made_anew(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    ready(gallery)
    (kept,) = (gallery.study.path / "cache").glob("scores.test.*.npz")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:100], whole[:-100]):
        kept.write_bytes(damaged)
        again = Gallery(
            gallery.study,
            gallery.dataset,
            lambda split: audit(gallery.study, split, dataset=gallery.dataset),
        )
        ready(again)
        assert kept.read_bytes() == whole


def test_predictions_that_come_in_are_noticed(
    make_gallery: MakeGallery, make_predictions: MakePredictions
) -> None:
    gallery = make_gallery(origins={})
    none = gallery.view(Query(right=False))
    assert none.total == 0 and none.model is None
    assert "no predictions of test" in none.note
    gallery.study.save_predictions(make_predictions(gallery.dataset.test))
    assert gallery.view(Query(right=False)).total > 0


def test_without_predictions_the_images_are_there(make_gallery: MakeGallery) -> None:
    gallery = make_gallery(origins={})
    view = gallery.view(Query(sort="difficulty"))
    assert view.total == 90 and not view.pending and view.scores.state == "none"
    assert "misread run" in view.note
    found = tiles(gallery, Query(), 0, 5)
    assert found.predicted == [None] * 5 and found.suspicion == [None] * 5
    image = detail(gallery, "test", 3, Query())
    assert image.models == [] and image.evidence is None and image.suggested is None
    assert confusion(gallery, Query()).total == 0


def test_in_sample_predictions_alone_give_no_suspicion(make_gallery: MakeGallery) -> None:
    gallery = make_gallery(origins={("one", "train"): Origin.IN_SAMPLE})
    view = gallery.view(Query(split="train", sort="suspicion", right=False))
    assert view.total > 0 and view.scores.state == "none" and not view.pending
    assert "in-sample" in view.note and "misread crossfit" in view.note
    assert detail(gallery, "train", 0, Query(split="train")).models[0].origin == "in-sample"


def test_a_damaged_file_is_said_rather_than_waited_for(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    (gallery.study.path / "dynamics").mkdir()
    (gallery.study.path / "dynamics" / "x.test.in-sample.parquet").write_bytes(b"nonsense")
    assert gallery.scoring.wait("test", 30)
    state = gallery.scoring.state("test")
    assert state.state == "none" and "x.test.in-sample.parquet" in state.reason


def test_verdicts_are_shown_at_once_and_leave_a_snapshot_alone(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    before = gallery.view(Query(decided="none"))
    done = gallery.decisions.decide("test", [5, 2], "ambiguous", None, event="e1", tab="t")
    assert (done.revision, done.items, done.decided) == (1, [5, 2], ["ambiguous"] * 2)
    assert gallery.view(parse(before.query)).total == 90
    assert gallery.view(Query(decided="none")).total == 88
    assert everything(gallery, Query(decided="ambiguous", group="none")) == [2, 5]
    shown = tiles(gallery, parse(before.query), 0, 90)
    assert shown.revision == 1
    at = shown.index.index(5)
    assert shown.decided[at] == "ambiguous" and shown.decided_label[at] is None


def test_undo_and_redo_say_what_the_images_are_now(make_gallery: MakeGallery) -> None:
    decisions = make_gallery().decisions
    decisions.decide("test", [1], "fine", None, event="a", tab="t")
    decisions.decide("test", [1, 2], "model", None, event="b", tab="t")
    undone = decisions.step("undo", "t", "c")
    assert (undone.split, undone.items, undone.decided) == ("test", [1, 2], ["fine", None])
    redone = decisions.step("redo", "t", "d")
    assert redone.decided == ["model", "model"] and redone.revision == 4
    assert decisions.step("redo", "t", "e").items == []
    assert decisions.step("undo", "other", "f").split is None


def test_changes_tell_other_tabs_what_happened(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    wrong = (int(gallery.dataset.test.labels[4]) + 1) % 3
    gallery.decisions.decide("test", [4], "label", wrong, event="a", tab="one")
    gallery.decisions.decide("train", [7], "fine", None, event="b", tab="two")
    gallery.decisions.decide("train", [7], None, None, event="c", tab="two")
    told = gallery.changes(0)
    assert told.revision == 3
    assert sorted(told.changes) == [("test", 4, "label", wrong), ("train", 7, None, None)]
    assert gallery.changes(1).changes == [("train", 7, None, None)]
    assert gallery.changes(3).changes == [] and gallery.changes(99).changes == []


def test_one_image_has_everything_that_is_known_of_it(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    ready(gallery)
    query = Query(right=False, group="none")
    shown = everything(gallery, query)
    assert gallery.scoring.wait_for_audit("test", 30) is not None
    image = detail(gallery, "test", shown[1], query)
    assert (image.position, image.previous, image.next) == (1, shown[0], shown[2])
    assert image.total == len(shown) and image.shape == [12, 10, 3]
    assert [said.run for said in image.models] == ["two-imported-s1", "one-imported-s0"]
    for said in image.models:
        predictions = gallery.study.newest_predictions("test", said.run)
        probabilities = predictions.probabilities[shown[1]]
        assert said.predicted == probabilities.argmax()
        assert said.p_given == pytest.approx(probabilities[image.given], abs=1e-4)
        assert [k for k, _ in said.top] == np.argsort(-probabilities).tolist()
    assert "of 2 models that never saw it" in (image.evidence or "")
    assert image.suggested in ("model", "label", "ambiguous") and image.reason
    outside = detail(gallery, "test", shown[1], Query(right=True))
    assert (outside.position, outside.previous, outside.next) == (None, None, None)


def test_evidence_behind_kept_scores_is_pending_until_it_is_made(
    make_gallery: MakeGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = make_gallery()
    ready(gallery)
    made = threading.Event()

    def slow(split: str) -> Audit:
        made.wait(30)
        return audit(gallery.study, split, dataset=gallery.dataset)

    monkeypatch.setattr("misread.views.gallery.detail._WAIT", 0.01)
    again = Gallery(gallery.study, gallery.dataset, slow)
    ready(again)
    assert again.changes(0).scores["test"].state == "ready"
    image = detail(again, "test", 3, Query())
    assert image.evidence is None and image.scores.state == "pending"
    assert image.suggested is not None and image.suspicion is not None
    assert again.changes(0).scores["test"].state == "pending"
    assert not again.view(Query(sort="suspicion")).pending
    made.set()
    assert again.scoring.wait_for_audit("test", 30) is not None
    assert again.changes(0).scores["test"].state == "ready"
    assert detail(again, "test", 3, Query()).evidence


class BrokenImages(MixedImages):
    """Images of which none can be read."""

    def __getitem__(self, i: int, /) -> Array:
        raise DatasetError(f"image {i}: damaged")


def test_what_is_known_of_an_image_that_cannot_be_read_is_shown(make_gallery: MakeGallery) -> None:
    split = Split("test", BrokenImages(30), (np.arange(30) % 3).astype(np.int16))
    gallery = make_gallery(Dataset("broken", ("a", "b", "c"), {"test": split}, "broken"), {})
    image = detail(gallery, "test", 4, Query())
    assert image.shape == [] and image.given == 1


def test_metadata_can_be_asked_for(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    split = gallery.dataset.test
    writers = [None if i == 0 else f"w{i % 3}" for i in range(90)]
    table = pa.table(
        {
            "writer": pa.array(writers).cast(TEXT),
            "age": pa.array(range(90), pa.int64()),
            "old": pa.array([i > 80 for i in range(90)]),
        }
    )
    gallery.study.save_metadata(Metadata("test", split.items_fingerprint, table))
    found = {column.name: column for column in boot(gallery, "t").splits["test"].metadata}
    assert found["writer"].values == [("w1", 30), ("w2", 30), ("w0", 29)]
    assert (found["writer"].missing, found["writer"].distinct) == (1, 3)
    assert found["old"].values == [("no", 81), ("yes", 9)]
    assert len(found["age"].values) == 90
    assert everything(gallery, parse("group=none&meta.age=17")) == [17]
    assert everything(gallery, parse("meta.writer=")) == [0]
    assert len(everything(gallery, parse("meta.old=yes&meta.writer=w1"))) == 3
    assert detail(gallery, "test", 0, Query()).metadata == [
        ("writer", None),
        ("age", "0"),
        ("old", "no"),
    ]


def test_a_thousand_classes_send_nothing_that_grows_with_their_square(
    make_gallery: MakeGallery, make_dataset: MakeDataset
) -> None:
    classes = tuple(f"class {k}" for k in range(1_000))
    generator = np.random.default_rng(0)
    split = Split(
        "test",
        generator.integers(0, 255, (8_000, 4, 4), dtype=np.uint8),
        generator.integers(0, 1_000, 8_000).astype(np.int16),
    )
    gallery = make_gallery(Dataset("many", classes, {"test": split}, "many"))
    view = gallery.view(Query())
    assert len(view.groups) == len(np.unique(split.labels))
    found = confusion(gallery, Query(given=3, right=False))
    assert len(found.cells) == MOST_CELLS and found.left_off > 1_000
    predictions = gallery.study.newest_predictions("test")
    assert found.total == 8_000
    right = predictions.predicted == predictions.given
    assert sum(count for _, count in found.diagonal) == right.sum()
    given, predicted, count = found.cells[0]
    same = (predictions.given == given) & (predictions.predicted == predicted)
    assert count == same.sum() > 1
    assert view.total == 8_000


def test_the_confusion_leaves_out_the_filters_that_its_cells_set(make_gallery: MakeGallery) -> None:
    gallery = make_gallery()
    whole = confusion(gallery, Query())
    assert confusion(gallery, Query(given=1, predicted=2, right=False)) == whole
    for given_label, predicted, count in whole.cells:
        cell = gallery.view(Query(given=given_label, predicted=predicted))
        assert cell.total == count
    counts = [count for _, _, count in whole.cells]
    assert (
        counts == sorted(counts, reverse=True)
        and sum(counts) + sum(count for _, count in whole.diagonal) == 90
    )


def test_images_of_several_sizes_have_no_cell(make_gallery: MakeGallery) -> None:
    split = Split("test", MixedImages(30), (np.arange(30) % 3).astype(np.int16))
    dataset = Dataset("mixed", ("a", "b", "c"), {"test": split}, "mixed")
    gallery = make_gallery(dataset)
    assert boot(gallery, "t").splits["test"].cell is None
    assert detail(gallery, "test", 4, Query()).shape == [11, 400, 3]
    pictures = Pictures(dataset)
    with pytest.raises(ParameterError, match="small images of one size"):
        pictures.sprite("test", [1], 1)
    content, kind = pictures.image("test", 4, full=False)
    assert kind == "image/jpeg" and content
    assert pictures.image("test", 4, full=True)[1] == "image/png"


@pytest.mark.parametrize("items", [[], [0] * 501, [90], [-1]])
def test_a_sprite_of_images_that_there_are_not_is_refused(
    make_dataset: MakeDataset, items: list[int]
) -> None:
    with pytest.raises(ParameterError, match="items: expected"):
        Pictures(make_dataset()).sprite("test", items, 4)


@pytest.fixture
def read_only(make_gallery: MakeGallery) -> Iterator[Gallery]:
    gallery = make_gallery()
    folder = gallery.study.path
    folder.chmod(0o500)
    yield gallery
    folder.chmod(0o700)


def test_a_study_that_cannot_be_written_shows_everything(
    read_only: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever runs the tests as root may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    ready(read_only)
    assert read_only.view(Query(sort="suspicion", decided="none")).total == 90
    assert not boot(read_only, "t").writable


def test_the_id_of_a_study_tells_it_from_others(
    make_gallery: MakeGallery, tmp_path: Path, make_dataset: MakeDataset
) -> None:
    gallery = make_gallery()
    same = Study.open(gallery.study.path)
    other = Study.create(tmp_path / "other", make_dataset())
    assert study_id(same) == study_id(gallery.study) != study_id(other)


def test_boot_names_what_there_is(make_gallery: MakeGallery) -> None:
    start = boot(make_gallery(), "secret")
    assert start.token == "secret" and start.classes == ["top", "middle", "bottom"]
    assert start.splits["test"].cell == (10, 12)
    assert start.default == {"split": "test", "model": "two-imported-s1"}
    assert [(model.run, model.split) for model in start.models] == [
        ("two-imported-s1", "test"),
        ("one-imported-s0", "test"),
    ]
    assert start.verdicts == ["model", "label", "ambiguous", "unreadable", "fine"]
    # Asking for the boot data alone computes nothing.
    assert start.splits["test"].scores.state == "pending"
