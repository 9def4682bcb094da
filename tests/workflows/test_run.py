import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset, load
from misread.errors import (
    DatasetError,
    MisreadError,
    ParameterError,
    PredictionsError,
    StudyError,
    TrainingStoppedError,
)
from misread.models import find_model
from misread.models.training import Progress
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.parquet import read_predictions
from misread.workflows.mistakes import draw_mistakes
from misread.workflows.run import RunResult, run
from misread.workflows.training import train

MakeDataset = Callable[..., Dataset]


@pytest.fixture(scope="module")
def source(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: MakeDataset,
    write_npz: Callable[[Path, Dataset], Path],
) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "bars.npz", make_dataset())


@pytest.fixture(scope="module")
def dataset(source: Path) -> Dataset:
    return load(source)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> RunResult:
    """One training that the tests below look at and don't change."""
    return run(dataset, "quick", epochs=1, study=tmp_path_factory.mktemp("studies") / "study")


def files(study: Study) -> set[str]:
    return {str(path.relative_to(study.path)) for path in study.path.rglob("*") if path.is_file()}


NAME = "quick-short-e1-s0"


def test_a_run_leaves_everything_in_the_study(first: RunResult, dataset: Dataset) -> None:
    found = files(first.study)
    assert {
        "study.toml",
        f"predictions/{NAME}.train.in-sample.parquet",
        f"predictions/{NAME}.test.held-out.parquet",
        f"models/{NAME}.safetensors",
        f"models/{NAME}.json",
        f"figures/{NAME}.train.in-sample.png",
        f"figures/{NAME}.test.held-out.png",
    } <= found
    pictures = {name for name in found if "/given-" in name}
    expected = {
        str(path.relative_to(first.study.path))
        for split in first.splits.values()
        for path in split.grids
    }
    assert pictures == expected
    assert not any(".checkpoint" in name or name.endswith(".tmp") for name in found)


def test_its_results_are_those_of_its_files(first: RunResult, dataset: Dataset) -> None:
    assert first.trained
    assert first.card.name == NAME
    assert list(first.splits) == ["train", "test"]
    for name, result in first.splits.items():
        origin = Origin.IN_SAMPLE if name == "train" else Origin.HELD_OUT
        assert result.provenance.origin is origin
        saved = first.study.load_predictions(result.provenance)
        wrong = int((saved.probabilities.argmax(axis=1) != dataset.splits[name].labels).sum())
        assert result.evaluation.error.count == wrong == len(result.mistakes)
        assert len(result.grids) == len(set(result.mistakes.table.given.tolist()))
        assert result.overview.exists()


def copy_study(first: RunResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first.study.path, tmp_path / "copy"))


def test_a_second_run_does_not_train(first: RunResult, dataset: Dataset, tmp_path: Path) -> None:
    place = copy_study(first, tmp_path)
    weights = (place / "models" / f"{NAME}.safetensors").stat().st_mtime_ns
    for picture in place.rglob("*.png"):
        picture.unlink()
    steps: list[Progress] = []
    again = run(dataset, "quick", epochs=1, study=place, on_step=steps.append)
    assert not again.trained
    assert steps == []
    assert again.card == first.card
    assert again.splits["test"].evaluation == first.splits["test"].evaluation
    assert again.splits["test"].overview.exists()
    assert (place / "models" / f"{NAME}.safetensors").stat().st_mtime_ns == weights


def test_fresh_trains_anew_to_the_same_result(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy_study(first, tmp_path)
    again = run(dataset, "quick", epochs=1, study=place, fresh=True)
    assert again.trained
    for name in ("train", "test"):
        file = f"{first.splits[name].provenance.name}.parquet"
        one = read_predictions(first.study.path / "predictions" / file)
        other = read_predictions(place / "predictions" / file)
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def stop_after(steps: int) -> Callable[[Progress], None]:
    def stop(now: Progress) -> None:
        if now.step == steps:
            raise KeyboardInterrupt

    return stop


# 240 images and batches of 256 cut down to them: one step an epoch.


def test_an_interrupted_run_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingStoppedError, match="the same command goes on after epoch 2"):
        run(dataset, "quick", epochs=4, study=tmp_path / "a", on_step=stop_after(2))
    assert (tmp_path / "a" / "models" / "quick-short-e4-s0.checkpoint").exists()
    steps: list[int] = []
    resumed = run(
        dataset, "quick", epochs=4, study=tmp_path / "a", on_step=lambda now: steps.append(now.step)
    )
    assert steps == [3, 4]
    whole = run(dataset, "quick", epochs=4, study=tmp_path / "b")
    for split in ("train", "test"):
        one = resumed.study.newest_predictions(split)
        other = whole.study.newest_predictions(split)
        assert one.probabilities.tobytes() == other.probabilities.tobytes()
    assert not list(resumed.study.path.glob("models/*.checkpoint"))


def test_an_interrupted_fresh_run_goes_on_as_it_says(dataset: Dataset, tmp_path: Path) -> None:
    """The old results don't stand in for the half-finished new ones."""
    place = tmp_path / "study"
    run(dataset, "quick", epochs=3, study=place)
    with pytest.raises(TrainingStoppedError, match="goes on after epoch 2"):
        run(dataset, "quick", epochs=3, study=place, fresh=True, on_step=stop_after(2))
    steps: list[int] = []
    again = run(dataset, "quick", epochs=3, study=place, on_step=lambda now: steps.append(now.step))
    assert steps == [3]
    assert again.trained


def test_the_former_run_is_whole_until_a_fresh_one_replaces_it(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy_study(first, tmp_path)

    def contents() -> dict[str, bytes]:
        return {name: (place / name).read_bytes() for name in files(Study.open(place))}

    before = contents()
    with pytest.raises(TrainingStoppedError):
        run(dataset, "quick", epochs=1, study=place, fresh=True, on_step=stop_after(1))
    after = contents()
    assert after.pop(f"models/{NAME}.checkpoint")
    assert after == before


def test_a_fresh_run_that_saved_nothing_leaves_the_former_one(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy_study(first, tmp_path)
    before = files(Study.open(place))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TrainingStoppedError, match="anew"):
        patch.setattr("misread.models.training.TrainingBatches.epoch", stop)
        run(dataset, "quick", epochs=1, study=place, fresh=True)
    assert files(Study.open(place)) == before
    assert not run(dataset, "quick", epochs=1, study=place).trained


@pytest.mark.parametrize(
    ("where", "fresh", "says"),
    [
        ("Study.create", False, "the same command starts anew"),
        ("_show_all", False, "the same command shows what it has trained"),
        ("_show_all", True, "the same command (without --fresh) shows what it has trained"),
        ("Card.write", False, "the same command goes on after the last saved epoch"),
    ],
)
def test_what_the_same_command_does_after_ctrl_c_is_said(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, fresh: bool,
    says: str,
) -> None:  # fmt: skip
    """Wherever it comes: the message follows from what lies in the study."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"misread.workflows.run.{where}", stop)
    with pytest.raises(TrainingStoppedError) as caught:
        run(dataset, "quick", epochs=1, study=tmp_path, fresh=fresh)
    assert str(caught.value) == f"{NAME} stopped; {says}"


def test_fresh_ignores_a_checkpoint(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingStoppedError):
        run(dataset, "quick", epochs=3, study=tmp_path, on_step=stop_after(3))
    steps: list[int] = []
    run(
        dataset, "quick", epochs=3, study=tmp_path, fresh=True,
        on_step=lambda now: steps.append(now.step),
    )  # fmt: skip
    assert steps == [1, 2, 3]


def test_other_seeds_and_lengths_lie_side_by_side(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy_study(first, tmp_path)
    other = run(dataset, "quick", epochs=1, seed=1, study=place)
    assert other.trained
    assert {p.run_name for p in other.study.list_predictions()} == {NAME, "quick-short-e1-s1"}


def test_another_dataset_in_the_same_study_is_refused(
    first: RunResult, make_dataset: MakeDataset
) -> None:
    before = files(first.study)
    with pytest.raises(StudyError, match="name another folder with --study"):
        run(make_dataset(seed=4), "quick", epochs=1, study=first.study.path)
    assert files(first.study) == before


def test_bad_arguments_leave_no_study(dataset: Dataset, tmp_path: Path) -> None:
    bad: list[dict[str, object]] = [
        {"model": "vgg"},
        {"model": "quick", "recipe": "long"},
        {"model": "quick", "epochs": 0},
        {"model": "quick", "seed": -1},
        {"model": "quick", "device": "quantum"},
    ]
    for arguments in bad:
        with pytest.raises(ParameterError):
            run(dataset, study=tmp_path / "study", **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_data_that_cannot_be_trained_on_leave_no_study(dataset: Dataset, tmp_path: Path) -> None:
    untrained = dataclasses.replace(dataset, splits={"test": dataset.test})
    with pytest.raises(DatasetError, match="training takes a folder 'train' beside it"):
        run(untrained, "quick", study=tmp_path / "study")
    with pytest.raises(ParameterError, match="at least 16 x 16"):
        run(dataset, "convnet", study=tmp_path / "study")
    named = dataclasses.replace(dataset.test, name="my split")
    oddly = dataclasses.replace(dataset, splits={"train": dataset.train, "my split": named})
    with pytest.raises(PredictionsError, match=r"expected a split's name of.* Got 'my split'"):
        run(oddly, "quick", study=tmp_path / "study")
    assert list(tmp_path.iterdir()) == []
    kept = Study.create(tmp_path / "study", dataset)  # somebody's own, and empty
    with pytest.raises(ParameterError, match="at least 16 x 16"):
        run(dataset, "convnet", study=kept.path)
    assert Study.open(kept.path) == kept


def test_the_study_is_named_after_the_dataset(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingStoppedError):
        run(dataset, "quick", epochs=1, on_step=stop_after(1))
    assert [path.name for path in tmp_path.iterdir()] == ["bars-study"]


def test_a_damaged_card_is_an_error_of_ours(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy_study(first, tmp_path)
    (place / "models" / f"{NAME}.json").write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match=r"quick-short-e1-s0\.json"):
        run(dataset, "quick", epochs=1, study=place)


def test_a_study_that_cannot_be_written_is_an_error_of_ours(
    dataset: Dataset, tmp_path: Path
) -> None:
    for folder in ("models", "predictions", "figures"):
        place = tmp_path / f"no-{folder}"
        Study.create(place, dataset)
        (place / folder).touch()
        with pytest.raises(MisreadError) as caught:
            run(dataset, "quick", epochs=1, study=place)
        assert "\n" not in str(caught.value)


def test_train_gives_what_run_gives(first: RunResult, dataset: Dataset) -> None:
    trained = train(dataset, "quick", epochs=1)
    test = first.study.newest_predictions("test")
    assert trained.test.probabilities.tobytes() == test.probabilities.tobytes()
    assert trained.train.provenance.origin is Origin.IN_SAMPLE
    assert trained.log == trained.card.log
    assert "quick-short-e1-s0" in repr(trained)
    only = Dataset("only", dataset.classes, {"train": dataset.train}, "only")
    with pytest.raises(MisreadError, match="expected a split 'test', found train"):
        _ = train(only, "quick", epochs=1).test


# Drawing again


def test_mistakes_are_drawn_again(first: RunResult, tmp_path: Path) -> None:
    study = Study.open(copy_study(first, tmp_path))
    drawn = draw_mistakes(study, "test")
    assert len(drawn.mistakes) == len(first.splits["test"].mistakes)
    assert [path.parent for path in drawn.paths] == [
        study.figures / f"{NAME}.test.held-out" for _ in drawn.paths
    ]
    picture = tmp_path / "new" / "all.png"
    assert draw_mistakes(study, "train", "quick", save=picture).paths == (picture,)
    assert picture.read_bytes().startswith(b"\x89PNG")
    folder = tmp_path / "pictures"
    assert {p.parent for p in draw_mistakes(study, save=folder, rows=1, columns=1).paths} <= {
        folder
    }


def test_what_cannot_be_drawn_is_refused(first: RunResult, tmp_path: Path) -> None:
    study = Study.open(copy_study(first, tmp_path))
    with pytest.raises(ParameterError, match=r"save: expected a \.png file or a folder"):
        draw_mistakes(study, save=tmp_path / "all.pdf")
    with pytest.raises(ParameterError, match="rows must be 1 or more"):
        draw_mistakes(study, rows=0)
    with pytest.raises(ParameterError, match="columns must be 1 or more"):
        draw_mistakes(study, columns=0, save=tmp_path / "all.png")
    for split, model in (("validation", None), ("test", "vgg")):
        with pytest.raises(StudyError, match="expected predictions of"):
            draw_mistakes(study, split, model)
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match=r"can't write .*file/all\.png"):
        draw_mistakes(study, save=tmp_path / "file" / "all.png")


def test_a_figures_folder_that_cannot_be_written_is_named(first: RunResult, tmp_path: Path) -> None:
    study = Study.open(copy_study(first, tmp_path))
    shutil.rmtree(study.figures)
    study.figures.touch()
    drawn = draw_mistakes(study)
    assert drawn.paths == () and len(drawn.mistakes.table) > 0
    assert str(study.figures) in drawn.problem


def test_the_card_is_plain_json(first: RunResult) -> None:
    path = first.study.model_file(NAME, ".json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["name"] == NAME
    assert content["recipe"] == dataclasses.asdict(find_model("quick").recipe("short", 1))


def test_a_run_of_other_settings_is_not_taken_for_this_one(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    study = Study.open(Path(shutil.copytree(first.study.path, tmp_path / "copy")))
    file = study.model_file(first.card.name, ".json")
    content = json.loads(file.read_text(encoding="utf-8"))
    content["recipe"]["learning_rate"] = 7.0
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StudyError, match=r"trained with other settings .* --fresh"):
        run(dataset, "quick", epochs=1, study=study.path)
    assert run(dataset, "quick", epochs=1, study=study.path, fresh=True).trained


def test_predictions_of_others_are_not_replaced(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    """The same name, but no card: somebody brought them in."""
    study = Study.open(Path(shutil.copytree(first.study.path, tmp_path / "copy")))
    study.model_file(first.card.name, ".json").unlink()
    with pytest.raises(StudyError, match="that no training here has made; --fresh"):
        run(dataset, "quick", epochs=1, study=study.path)


def test_a_model_that_is_named_like_a_run_is_not_taken_for_it(
    first: RunResult, dataset: Dataset, tmp_path: Path
) -> None:
    study = Study.open(copy_study(first, tmp_path))
    own = first.splits["test"].provenance
    probabilities = np.full((90, 3), 1 / 3, np.float32)
    later = dataclasses.replace(own, model=NAME, recipe="imported", created="2999-01-01T00:00:00")
    mine = Predictions(np.arange(90, dtype=np.int32), dataset.test.labels, probabilities, later)
    study.save_predictions(mine)
    assert run(dataset, "quick", epochs=1, study=study.path).splits["test"].provenance == own
    alone = Study.create(tmp_path / "alone", dataset)
    alone.save_predictions(mine)
    assert run(dataset, "quick", epochs=1, study=alone.path).trained


def test_nothing_is_trained_into_a_demo(dataset: Dataset, tmp_path: Path) -> None:
    Study.create(tmp_path / "demo", dataset, "demo: nothing was trained here")
    with pytest.raises(StudyError, match=r"is a demo.*--study"):
        run(dataset, "quick", epochs=1, study=tmp_path / "demo")


def test_the_log_is_a_table(first: RunResult) -> None:
    lines = first.study.model_file(first.card.name, ".log.csv").read_text(encoding="utf-8")
    header, row = lines.splitlines()
    assert header == "epoch,loss,accuracy,learning_rate,images_per_second,seconds"
    assert float(row.split(",")[1]) == first.card.log[0].loss


def test_data_that_moved_are_found_at_their_new_place(
    first: RunResult, source: Path, tmp_path: Path
) -> None:
    study = Study.open(Path(shutil.copytree(first.study.path, tmp_path / "copy")))
    moved = Path(shutil.copy(source, tmp_path / "moved.npz"))
    assert not run(load(moved), "quick", epochs=1, study=study.path).trained
    assert Study.open(study.path).source == str(moved)
