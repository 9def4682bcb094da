from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from misread.analysis.calibration import measure_calibration
from misread.analysis.intervals import wilson
from misread.datasets import Dataset, Split
from misread.errors import StudyError
from misread.models.card import Card
from misread.store import Study
from misread.tables import Origin, Predictions, Provenance
from misread.views.pages import Limits, Pages, build_pages, to_json
from misread.views.pages.overview import Overview, build_overview
from misread.views.pages.results import Result
from misread.views.pages.study_tables import StudyTables, choose_shown, read_cards


def result_of(pages: Pages, key: str) -> Result:
    return next(result for result in pages.overview.results if result.key == key)


def test_the_dataset_is_described(pages: Pages, dataset: Dataset) -> None:
    facts = pages.overview.dataset
    assert (facts.name, facts.classes, facts.licence) == ("bars", 3, "")
    assert [split.name for split in facts.splits] == ["train", "test"]
    for split in facts.splits:
        own = dataset.splits[split.name]
        assert split.images == len(own)
        assert split.size == "12 x 10 colour"
        assert split.items_fingerprint == own.items_fingerprint
        assert split.labels_fingerprint == own.labels_fingerprint


def test_a_model_is_described_by_its_card(pages: Pages) -> None:
    by_run = {facts.run: facts for facts in pages.overview.models}
    assert set(by_run) == {"net-short-s0", "fast-short-s0-r1"}
    net, fast = by_run["net-short-s0"], by_run["fast-short-s0-r1"]
    assert (net.parameters, net.seconds, net.networks, net.images) == (1234, 6.0, 1, 240)
    assert ("epochs", "3") in net.settings
    assert ("python", "3.11") in net.versions
    assert fast.parameters is fast.seconds is fast.networks is None
    assert fast.settings == fast.versions == ()


def test_error_rates_are_those_of_a_slow_loop(pages: Pages, study: Study) -> None:
    assert len(pages.overview.errors) == 4
    origins = [row.origin for row in pages.overview.errors]
    assert origins == ["held-out", "held-out", "cross-fitted", "in-sample"]
    for row in pages.overview.errors:
        provenance = next(
            p for p in study.list_predictions(row.split, row.run) if str(p.origin) == row.origin
        )
        table = study.load_predictions(provenance)
        wrong = sum(
            int(np.argmax(p)) != g
            for p, g in zip(table.probabilities, table.given.tolist(), strict=True)
        )
        expected = wilson(wrong, len(table))
        assert (row.error.count, row.error.total) == (wrong, len(table))
        assert row.error.value == wrong / len(table)
        if row.origin == "in-sample":
            assert row.error.low is row.error.high is None
        else:
            assert (row.error.low, row.error.high) == (expected.low, expected.high)
        assert row.mean == (row.run == "fast-short-s0-r1" and row.split == "test")


def test_one_result_for_each_split_and_origin_of_the_leading_run(pages: Pages) -> None:
    shown = [(result.key, result.run) for result in pages.overview.results]
    assert shown == [
        ("test.held-out", "net-short-s0"),
        ("train.cross-fitted", "fast-short-s0-r1"),
        ("train.in-sample", "net-short-s0"),
    ]


def test_confusions_and_classes_add_up(pages: Pages, study: Study) -> None:
    result = result_of(pages, "test.held-out")
    table = study.newest_predictions("test", "net")
    counts = Counter(zip(table.given.tolist(), table.predicted.tolist(), strict=True))
    confusion = result.confusion
    assert [label.name for label in confusion.classes] == ["top", "middle", "bottom"]
    assert confusion.right == tuple(counts[k, k] for k in range(3))
    cells = {(c.given.number, c.predicted.number): c.count for c in confusion.cells}
    assert cells == {pair: n for pair, n in counts.items() if pair[0] != pair[1]}
    assert [c.count for c in confusion.cells] == sorted(cells.values(), reverse=True)
    assert (confusion.hidden, confusion.hidden_images) == (0, 0)
    assert [row.given.number for row in result.classes] == [0, 1, 2]
    for row in result.classes:
        mine = {k: n for (given, k), n in cells.items() if given == row.given.number}
        assert row.error.count == sum(mine.values())
        assert row.error.total == row.error.count + counts[row.given.number, row.given.number]
        assert {c.predicted.number: c.count for c in row.read_as} == mine
    assert sum(row.error.count for row in result.classes) == result.error.count


def test_calibration_is_that_of_the_analysis(pages: Pages, study: Study) -> None:
    reliability = result_of(pages, "test.held-out").reliability
    found = measure_calibration(study.newest_predictions("test", "net"))
    assert reliability is not None
    assert (reliability.ece.value, reliability.ece.low) == (found.ece.value, found.ece.low)
    assert [row.confidence for row in reliability.bins] == [row.confidence for row in found.bins]
    assert result_of(pages, "train.in-sample").reliability is None


def test_the_first_mistakes_are_the_most_confident(pages: Pages) -> None:
    result = result_of(pages, "train.cross-fitted")
    confidence = [tile.p_predicted for tile in result.first]
    assert len(confidence) == 10
    assert confidence == sorted(confidence, reverse=True)
    assert all(tile.predicted != tile.given for tile in result.first)
    assert {tile.suggested for tile in result.first} <= {"model", "label", "ambiguous"}
    assert "" not in {tile.suggested for tile in result.first}


def test_training_curves_are_the_cards_log(pages: Pages) -> None:
    (curve,) = pages.overview.curves
    assert curve.run == "net-short-s0"
    assert [(p.epoch, p.loss) for p in curve.points] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert curve.note == ""


def test_a_loss_that_rises_is_explained(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions], make_card: Callable[..., Card],
) -> None:  # fmt: skip
    study = make_study(tmp_path / "study", dataset, make_predictions(dataset.test, model="em"))
    card = replace(make_card(dataset), model="em-capsnet", name="em-imported-s0")
    card.write(study.model_file(card.name, ".json"))
    (curve,) = build_pages(study, dataset, {}).overview.curves
    assert curve.note.startswith("its loss rises as its margin does")


def test_models_stand_by_their_error_within_a_split(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    """Whenever they were made."""
    made = []
    for number, wrong in enumerate((9, 2, 30)):
        given = dataset.test.labels.astype(int)
        read = np.where(np.arange(len(given)) < wrong, (given + 1) % 3, given)
        probabilities = np.eye(3)[read] * 0.9 + 0.1 / 3
        day = f"2025-01-0{number + 1}T00:00:00+00:00"
        made.append(
            make_predictions(dataset.test, probabilities, model=f"net{number}", created=day)
        )
    page = build_pages(make_study(tmp_path / "study", dataset, *made), dataset, {}).overview
    assert [row.error.count for row in page.errors] == [2, 9, 30]


def test_classes_beyond_the_third_are_counted(
    tmp_path: Path, make_study: Callable[..., Study], make_predictions: Callable[..., Predictions]
) -> None:
    """As what the images of a class are read."""
    classes = tuple("abcdef")
    split = Split("test", np.zeros((8, 4, 4), np.uint8), np.zeros(8, np.int16))
    data = Dataset("letters", classes, {"test": split}, "nowhere")
    read = np.array([0, 1, 1, 2, 2, 3, 4, 5])
    predictions = make_predictions(split, np.eye(6)[read], classes=classes)
    study = make_study(tmp_path / "study", data, predictions)
    overview = build_pages(study, data, {}).overview
    row = overview.results[0].classes[0]
    assert ([cell.count for cell in row.read_as], row.hidden) == ([2, 2, 1], 2)


def test_slices_of_each_column(pages: Pages) -> None:
    writer, size = pages.overview.slices
    assert (writer.column, writer.split, writer.run) == ("writer", "test", "net-short-s0")
    assert len(writer.slices) == 7
    assert "same writer" in writer.target
    assert size.binned
    assert "new writer" in size.target
    rates = [part.error.value or 0 for part in writer.slices]
    assert rates == sorted(rates, reverse=True)
    assert sum(part.error.total for part in writer.slices) == 90


def test_the_panels_suggestions_are_counted(pages: Pages) -> None:
    test, train = pages.overview.audits
    assert (test.split, test.models, test.images) == ("test", 2, 90)
    assert (train.split, train.models, train.images) == ("train", 1, 240)
    assert sum(number for _, number in test.suggested) == test.listed > 0


def provenance(
    run: str, split: str, origin: Origin, day: int, repeat: int | None = None
) -> Provenance:
    model, recipe = run.split("-")
    created = f"2025-01-{day:02}T00:00:00+00:00"
    return Provenance(model, recipe, 0, split, origin, ("a", "b"), "", created, repeat)


def test_what_is_shown_is_of_one_run_where_it_can_be() -> None:
    old = [
        provenance("old-short", "test", Origin.HELD_OUT, 1),
        provenance("old-short", "train", Origin.IN_SAMPLE, 1),
    ]
    new = [
        provenance("new-short", "test", Origin.HELD_OUT, 9),
        provenance("new-short", "train", Origin.IN_SAMPLE, 2),
    ]
    fold = [
        provenance("fold-short", "test", Origin.HELD_OUT, 12, 1),
        provenance("fold-short", "train", Origin.CROSS_FITTED, 12, 1),
    ]
    newest_first = sorted([*old, *new, *fold], key=lambda p: p.created, reverse=True)
    assert choose_shown(newest_first) == (new[0], fold[1], new[1])
    assert choose_shown(fold) == tuple(fold)
    assert choose_shown(()) == ()
    assert choose_shown(old[1:]) == (old[1],)


def test_a_study_without_predictions_has_facts(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study]
) -> None:
    pages = build_pages(make_study(tmp_path, dataset, note="empty"), dataset, {})
    assert pages.overview.note == "empty"
    assert not (pages.overview.results or pages.overview.errors or pages.mistakes)
    assert pages.overview.dataset.splits[0].images == 240


def test_in_sample_predictions_alone_have_no_panel_and_no_calibration(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    table = make_predictions(dataset.train, origin=Origin.IN_SAMPLE)
    pages = build_pages(make_study(tmp_path, dataset, table), dataset, {})
    (result,) = pages.overview.results
    assert result.reliability is None
    assert result.error.low is None
    assert all(row.error.low is None for row in result.classes)
    assert {tile.suggested for tile in result.first} == {""}
    assert not (pages.overview.slices or pages.audits or pages.mistakes[0].suggested)


def test_a_run_can_be_chosen(study: Study, dataset: Dataset) -> None:
    overview = build_overview(StudyTables(study, dataset, {}, "fast"))
    assert {row.run for row in overview.errors} == {"fast-short-s0-r1"}
    assert [result.key for result in overview.results] == ["test.held-out", "train.cross-fitted"]


def test_a_cross_fits_record_has_a_card_for_each_network(
    tmp_path: Path,
    dataset: Dataset,
    make_card: Callable[..., Card],
    make_study: Callable[..., Study],
) -> None:
    study = make_study(tmp_path, dataset)
    path = study.model_file("fast-short-s0-r1", ".json")
    path.parent.mkdir()
    one = make_card(dataset).to_json()
    path.write_text(f'{{"networks": [{one}, {one}]}}')
    assert [found.parameters for found in read_cards(study, "fast-short-s0-r1")] == [1234, 1234]
    path.write_text("{")
    with pytest.raises(StudyError, match="expected a model's card"):
        read_cards(study, "fast-short-s0-r1")


@pytest.fixture(scope="module")
def many(
    tmp_path_factory: pytest.TempPathFactory, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> Overview:  # fmt: skip
    """1,000 classes of 3 images each; nearly all are misread, all over the place."""
    generator = np.random.default_rng(0)
    classes = tuple(f"class {n}" for n in range(1000))
    labels = np.repeat(np.arange(1000), 3).astype(np.int16)
    split = Split("test", generator.integers(0, 255, (3000, 4, 4), dtype=np.uint8), labels)
    dataset = Dataset("many", classes, {"test": split}, "many")
    table = make_predictions(split, generator.dirichlet(np.full(1000, 0.01), 3000), classes=classes)
    study = make_study(tmp_path_factory.mktemp("many"), dataset, table)
    return build_pages(study, dataset, {}).overview


def test_nothing_grows_with_the_square_of_the_classes(many: Overview) -> None:
    limits, (result,) = Limits(), many.results
    assert not result.confusion.classes
    assert not result.confusion.right
    assert len(result.confusion.cells) == limits.confusions
    shown = sum(cell.count for cell in result.confusion.cells)
    assert shown + result.confusion.hidden_images == result.error.count > 2_900
    assert len(result.classes) == limits.classes
    assert result.hidden_classes == 1000 - limits.classes
    worst = [row.error.value for row in result.classes]
    assert worst == sorted(worst, reverse=True)  # type: ignore[type-var]
    assert len(str(to_json(many))) < 60_000


def test_columns_that_name_images_are_no_slices(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    import pyarrow as pa

    from misread.tables.metadata import TEXT, Metadata

    study = make_study(tmp_path, dataset, make_predictions(dataset.test))
    columns: dict[str, Any] = {
        "file": pa.array([f"{n}.png" for n in range(90)]).cast(TEXT),
        "same": pa.array(["x"] * 90).cast(TEXT),
        "half": pa.array(["a", "b"] * 45).cast(TEXT),
    }
    study.save_metadata(Metadata("test", dataset.test.items_fingerprint, pa.table(columns)))
    overview = build_overview(StudyTables(study, dataset, {}))
    assert [table.column for table in overview.slices] == ["half"]
