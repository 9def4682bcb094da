"""The panel's files: from a study with trained runs, through a folder, into another study."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from misread.datasets import Dataset
from misread.errors import PredictionsError, StudyError
from misread.models import Card
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions
from misread.workflows.reference_packing import (
    PlannedRun,
    find_finished,
    find_packed,
    pack_panel,
)
from misread.workflows.reference_panel import ReferencePanel, card_file

Make = Callable[..., Any]

PLAN = (
    PlannedRun("convnet", seed=1, neighbours=4),
    PlannedRun("quick", epochs=10, seed=2),
    PlannedRun("quick", repeat=1, repeats=2, neighbours=3, dynamics=True),
    PlannedRun("quick", repeat=2, repeats=2),
)


@pytest.fixture(scope="module")
def dataset(make_dataset: Make) -> Dataset:
    made: Dataset = make_dataset(train=60, test=45)
    return made


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, make_predictions: Make,
    make_dynamics: Make, make_card: Make,
) -> Study:  # fmt: skip
    """All but the second repeat; with in-sample predictions, which don't belong into a panel."""
    place = Study.create(tmp_path_factory.mktemp("trained") / "study", dataset)
    generator = np.random.default_rng(0)

    def save(run: PlannedRun, split: str, origin: Origin) -> Predictions:
        found = dataset.splits[split]
        table: Predictions = make_predictions(
            found, seed=run.seed, model=run.model, recipe=run.recipe.name, origin=origin,
            repeat=run.repeat,
        )  # fmt: skip
        table = dataclasses.replace(
            table, provenance=dataclasses.replace(table.provenance, seed=run.seed)
        )
        place.save_predictions(table)
        near = generator.integers(0, len(dataset.train), (len(found), 5)).astype(np.int32)
        place.save_neighbours(Neighbours(table.index, near, table.provenance))
        return table

    for run in PLAN[:3]:
        save(run, run.split, run.origin)
        save(run, *("train", Origin.IN_SAMPLE) if run.repeat is None else ("test", Origin.HELD_OUT))
        card = dataclasses.replace(
            make_card(dataset, run.name), recipe=dataclasses.asdict(run.recipe)
        )
        card.write(place.model_file(run.name, ".json"))
    fitted = place.newest_predictions("train", PLAN[2].name)
    figures = generator.integers(0, 9, (3, len(fitted)))
    place.save_dynamics(make_dynamics(fitted, *figures / 4, epochs=3, networks=4))
    return place


@pytest.fixture(scope="module")
def panel(
    tmp_path_factory: pytest.TempPathFactory, study: Study, dataset: Dataset
) -> ReferencePanel:
    return pack_panel([study], dataset, PLAN, tmp_path_factory.mktemp("packed") / "panel")


def test_a_run_is_named_and_made_as_the_command_line_does() -> None:
    assert [(run.name, run.command) for run in PLAN] == [
        ("convnet-short-s1", "misread run mnist --model convnet --seed 1"),
        ("quick-short-e10-s2", "misread run mnist --model quick --epochs 10 --seed 2"),
        ("quick-short-s0-r1", "misread crossfit mnist --model quick --seed 0 --repeats 2"),
        ("quick-short-s0-r2", "misread crossfit mnist --model quick --seed 0 --repeats 2"),
    ]


def test_the_index_says_what_is_there_and_what_is_missing(panel: ReferencePanel) -> None:
    assert panel.missing == ("quick-short-s0-r2",)
    assert [run.name for run in panel.runs] == [run.name for run in PLAN[:3]]
    assert [run.command for run in panel.runs] == [run.command for run in PLAN[:3]]
    assert [table.file for table in panel.tables()] == [
        "tables/convnet-short-s1.test.held-out.predictions.xz",
        "tables/quick-short-e10-s2.test.held-out.predictions.xz",
        "tables/quick-short-s0-r1.train.cross-fitted.predictions.xz",
    ]
    assert len(panel.tables("predictions", "test")) == 2
    assert [table.provenance.split for table in panel.tables("neighbours")] == ["test", "train"]
    assert [table.settings for table in panel.tables("dynamics")] == [{"epochs": 3, "networks": 4}]
    assert ReferencePanel.open(panel.folder) == panel


def test_every_file_is_in_the_index(panel: ReferencePanel) -> None:
    there = {str(path.relative_to(panel.folder)) for path in panel.folder.rglob("*.*")}
    tables = {table.file for run in panel.runs for table in run.tables}
    assert there == {"panel.json", *tables, *(f"models/{run.name}.json" for run in panel.runs)}


def test_what_is_saved_into_a_study_is_what_was_trained(
    tmp_path: Path, panel: ReferencePanel, study: Study, dataset: Dataset
) -> None:
    made = Study.create(tmp_path, dataset)
    panel.save_into(made, dataset)
    found = made.list_predictions()
    assert {p.name for p in found} == {table.provenance.name for table in panel.tables()}
    for provenance in found:
        before, after = study.load_predictions(provenance), made.load_predictions(provenance)
        assert after.provenance == before.provenance
        np.testing.assert_array_equal(before.predicted, after.predicted)
        np.testing.assert_allclose(before.probabilities, after.probabilities, atol=0.025)
    for name, width in (("convnet-short-s1", 4), ("quick-short-s0-r1", 3)):
        (provenance,) = (p for p in found if p.run_name == name)
        old, new = study.load_neighbours(provenance), made.load_neighbours(provenance)
        assert old is not None and new is not None
        np.testing.assert_array_equal(old.neighbours[:, :width], new.neighbours)
    (old_dynamics,), (new_dynamics,) = study.load_dynamics("train"), made.load_dynamics("train")
    for field in dataclasses.fields(Dynamics):
        np.testing.assert_array_equal(
            getattr(old_dynamics, field.name), getattr(new_dynamics, field.name)
        )
    for run in panel.runs:
        card = Card.read(made.model_file(run.name, ".json"))
        assert card == Card.read(study.model_file(run.name, ".json"))
    panel.save_into(made, dataset)  # twice changes nothing


def test_mistakes_and_loss_are_those_of_the_training(panel: ReferencePanel, study: Study) -> None:
    for table in panel.tables():
        before = study.load_predictions(table.provenance)
        assert table.mistakes == int((before.predicted != before.given).sum())
        given = before.probabilities[np.arange(len(before)), before.given].astype(np.float64)
        assert table.loss == pytest.approx(-np.log(given).mean(), abs=1e-6)


def test_a_run_without_its_card_is_not_finished(tmp_path: Path, study: Study) -> None:
    copy = Study.open(Path(shutil.copytree(study.path, tmp_path / "copy")))
    copy.model_file("quick-short-e10-s2", ".json").unlink()
    (copy.path / "predictions" / "convnet-short-s1.test.held-out.parquet").unlink()
    assert find_finished([copy], PLAN) == {"quick-short-s0-r1": copy}
    both = find_finished([copy, study], PLAN)
    assert {name: place.path for name, place in both.items()} == {
        "convnet-short-s1": study.path,
        "quick-short-e10-s2": study.path,
        "quick-short-s0-r1": copy.path,
    }


def test_a_run_by_another_recipe_is_not_finished(tmp_path: Path, study: Study) -> None:
    copy = Study.open(Path(shutil.copytree(study.path, tmp_path / "copy")))
    path = copy.model_file(PLAN[1].name, ".json")
    card = json.loads(path.read_text())
    card["recipe"]["epochs"] += 1
    path.write_text(json.dumps(card))
    assert set(find_finished([copy], PLAN)) == {PLAN[0].name, PLAN[2].name}


def test_a_panel_is_left_whole_when_it_is_stopped_between_two(
    tmp_path: Path, study: Study, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack_panel([study], dataset, PLAN, tmp_path / "panel")
    rename = Path.rename

    def stop(path: Path, target: Path) -> Path:
        if path.suffix == ".tmp":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", stop)
        pack_panel([study], dataset, PLAN[:1], tmp_path / "panel")
    assert ReferencePanel.open(tmp_path / "panel").runs == whole.runs
    assert [path.name for path in tmp_path.iterdir()] == ["panel"]


def test_an_old_panel_is_replaced_and_nothing_else_is(
    tmp_path: Path, study: Study, dataset: Dataset
) -> None:
    pack_panel([study], dataset, PLAN, tmp_path / "panel")
    again = pack_panel([study], dataset, PLAN[:1], tmp_path / "panel")
    assert len(list((again.folder / "tables").iterdir())) == 2
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="found something else"):
        pack_panel([study], dataset, PLAN, other)
    assert (other / "mine.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "panel"]


def test_what_no_study_has_can_stay_from_the_former_panel(
    tmp_path: Path, study: Study, dataset: Dataset
) -> None:
    whole = pack_panel([study], dataset, PLAN, tmp_path / "panel")
    kept = find_packed(whole, PLAN)
    assert kept == [run.name for run in PLAN[:3]]
    few = Study.open(Path(shutil.copytree(study.path, tmp_path / "few")))
    for run in (PLAN[0], PLAN[2]):
        few.model_file(run.name, ".json").unlink()
    again = pack_panel([few], dataset, PLAN, whole.folder, kept=kept)
    assert (again.runs, again.missing) == (whole.runs, whole.missing)
    for table in again.tables("predictions", "test"):
        assert len(again.predictions(table, dataset.test.labels)) == len(dataset.test)
    without = pack_panel([few], dataset, PLAN, whole.folder, kept=kept[2:])
    assert [run.name for run in without.runs] == [PLAN[1].name, PLAN[2].name]


@pytest.mark.parametrize("changed", [{"dynamics": True}, {"neighbours": 0}])
def test_what_the_list_asks_for_anew_is_not_kept(
    panel: ReferencePanel, changed: dict[str, Any]
) -> None:
    assert find_packed(panel, [dataclasses.replace(PLAN[0], **changed)]) == []


def test_a_run_by_another_recipe_is_not_kept(tmp_path: Path, panel: ReferencePanel) -> None:
    folder = Path(shutil.copytree(panel.folder, tmp_path / "panel"))
    path = card_file(panel.folder, PLAN[1].name)
    card = json.loads(path.read_text())
    card["recipe"]["learning_rate"] *= 2
    card_file(folder, PLAN[1].name).write_text(json.dumps(card))
    left = find_packed(ReferencePanel.open(folder), PLAN)
    assert left == [PLAN[0].name, PLAN[2].name]


def test_a_study_without_any_of_the_runs(tmp_path: Path, dataset: Dataset) -> None:
    empty = Study.create(tmp_path / "study", dataset)
    with pytest.raises(StudyError, match="expected at least one finished run"):
        pack_panel([empty], dataset, PLAN, tmp_path / "panel")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"neighbours": 6}, "expected 6 neighbours beside quick-short-e10-s2.test.held-out"),
        ({"dynamics": True}, "expected training dynamics of quick-short-e10-s2"),
    ],
)
def test_what_the_list_asks_for_must_be_there(
    tmp_path: Path, study: Study, dataset: Dataset, changed: dict[str, Any], match: str
) -> None:
    plan = (dataclasses.replace(PLAN[1], **changed),)
    with pytest.raises(StudyError, match=match):
        pack_panel([study], dataset, plan, tmp_path / "panel")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_covers_less_than_its_split(
    tmp_path: Path, study: Study, dataset: Dataset
) -> None:
    copy = Study.open(Path(shutil.copytree(study.path, tmp_path / "copy")))
    before = copy.newest_predictions("test", "quick-short-e10-s2")
    few = Predictions(
        before.index[:9], before.given[:9], before.probabilities[:9], before.provenance
    )
    copy.save_predictions(few, replace=True)
    with pytest.raises(PredictionsError, match=r"expected all 45 images of test. Got 9"):
        pack_panel([copy], dataset, PLAN, tmp_path / "panel")


def test_a_damaged_panel_is_told(tmp_path: Path, panel: ReferencePanel, dataset: Dataset) -> None:
    folder = Path(shutil.copytree(panel.folder, tmp_path / "panel"))
    table, labels = panel.tables()[0], dataset.test.labels
    path = folder / table.file
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(PredictionsError, match="SHA-256 differs"):
        ReferencePanel.open(folder).predictions(table, labels)
    path.unlink()
    with pytest.raises(PredictionsError, match="expected a packed table"):
        ReferencePanel.open(folder).predictions(table, labels)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content | {"format": "misread reference panel 9"},
        lambda content: {key: value for key, value in content.items() if key != "missing"},
        lambda content: content | {"runs": [{"name": "one"}]},
        lambda content: json.loads(json.dumps(content).replace('"held-out"', '"cheated"')),
        lambda content: json.loads(json.dumps(content).replace('"predictions"', '"guesses"')),
        lambda content: [],
    ],
)
def test_a_damaged_index_is_told(
    tmp_path: Path, panel: ReferencePanel, damage: Callable[[Any], Any]
) -> None:
    content = json.loads((panel.folder / "panel.json").read_text())
    (tmp_path / "panel.json").write_text(json.dumps(damage(content)))
    with pytest.raises(PredictionsError, match="expected the index of a reference panel"):
        ReferencePanel.open(tmp_path)


def test_a_missing_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="expected the index of a reference panel"):
        ReferencePanel.open(tmp_path)
