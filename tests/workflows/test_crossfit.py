import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.analysis.evaluation import evaluate
from misread.datasets import Dataset, load
from misread.errors import (
    DatasetError,
    MisreadError,
    ParameterError,
    StudyError,
    TrainingStoppedError,
)  # fmt: skip
from misread.models import Recipe, find_model
from misread.models.crossfit import stratified_folds
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.workflows.crossfit import CrossfitProgress, CrossfitResult, crossfit

MakeDataset = Callable[..., Dataset]

NAME = "quick-short-e2-s0-r1"


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: MakeDataset,
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=45, test=18)))


def fit(dataset: Dataset, study: Path, **changed: Any) -> CrossfitResult:
    settings: dict[str, Any] = {"folds": 3, "epochs": 2, "study": study} | changed
    return crossfit(dataset, **settings)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> CrossfitResult:
    """One cross-fit that the tests below look at and don't change."""
    return fit(dataset, tmp_path_factory.mktemp("studies") / "study")


def copy(of: CrossfitResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(of.study.path, tmp_path / "copy"))


def contents(study: Path, name: str = NAME) -> dict[str, bytes]:
    """Every number that a repeat leaves, by what it is."""
    place, found = Study.open(study), {}
    for provenance in place.list_predictions(model=name):
        predictions, near = place.load_predictions(provenance), place.load_neighbours(provenance)
        assert near is not None
        found[f"{provenance.split} probabilities"] = predictions.probabilities.tobytes()
        found[f"{provenance.split} neighbours"] = near.neighbours.tobytes()
    for table in place.load_dynamics("train"):
        if table.provenance.run_name == name:
            for field in ("area_under_margin", "first_learned", "forgotten"):
                found[field] = getattr(table, field).tobytes()
    assert len(found) == 7
    return found


class Listener:
    """Remembers where a cross-fit was, and interrupts it in one place."""

    def __init__(self, stop: tuple[int, int, int] | None = None) -> None:
        self.seen: list[tuple[int, int, int]] = []
        self.done: list[float] = []
        self._stop = stop

    def __call__(self, now: CrossfitProgress) -> None:
        # 30 images outside a fold are one batch: a step is an epoch.
        where = (now.repeat, now.fold, now.training.epoch)
        self.seen.append(where)
        self.done.append(now.done)
        if where == self._stop:
            raise KeyboardInterrupt


def test_it_leaves_everything_in_the_study(first: CrossfitResult, dataset: Dataset) -> None:
    files = {str(p.relative_to(first.study.path)) for p in first.study.path.rglob("*.*")}
    assert files == {
        "study.toml",
        f"models/{NAME}.json",
        f"predictions/{NAME}.train.cross-fitted.parquet",
        f"predictions/{NAME}.test.held-out.parquet",
        f"neighbours/{NAME}.train.cross-fitted.parquet",
        f"neighbours/{NAME}.test.held-out.parquet",
        f"dynamics/{NAME}.train.in-sample.parquet",
    }
    (repeat,) = first.repeats
    assert (repeat.name, repeat.trained) == (NAME, True)
    assert {p.provenance.origin for p in repeat.predictions.values()} == {
        Origin.CROSS_FITTED,
        Origin.HELD_OUT,
    }
    train = repeat.predictions["train"]
    np.testing.assert_array_equal(train.given, dataset.train.labels)
    assert repeat.evaluation == evaluate(train)
    record = json.loads(first.study.model_file(NAME, ".json").read_text(encoding="utf-8"))
    assert record["folds"] == len(record["networks"]) == 3
    assert record["recipe"] == dataclasses.asdict(find_model("quick").recipe("short", 2))
    assert repeat.seconds == sum(card["seconds"] for card in record["networks"])
    assert {card["images"] for card in record["networks"]} == {30}
    assert len({card["seed"] for card in record["networks"]}) == 3


def test_neighbours_are_of_other_folds(first: CrossfitResult, dataset: Dataset) -> None:
    fold = stratified_folds(dataset.train.labels, 3, 0, 1)
    near = first.study.load_neighbours(first.repeats[0].predictions["train"].provenance)
    assert near is not None
    assert (fold[near.neighbours] != fold[:, None]).all()


def test_a_second_run_trains_nothing(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy(first, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.*")}
    listener = Listener()
    again = fit(dataset, place, on_step=listener)
    assert listener.seen == []
    assert not again.repeats[0].trained
    assert again.repeats[0].evaluation == first.repeats[0].evaluation
    assert again.repeats[0].seconds == first.repeats[0].seconds
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*.*")} == before


@pytest.mark.parametrize(
    ("stop", "goes_on"),
    [
        ((1, 1, 1), [(1, 1, 2), (1, 2, 1), (1, 2, 2), (1, 3, 1), (1, 3, 2)]),
        ((1, 1, 2), [(1, 2, 1), (1, 2, 2), (1, 3, 1), (1, 3, 2)]),
        ((1, 2, 1), [(1, 2, 2), (1, 3, 1), (1, 3, 2)]),
        ((1, 3, 2), []),
    ],
)
def test_what_is_interrupted_goes_on_to_the_same_bits(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path,
    stop: tuple[int, int, int], goes_on: list[tuple[int, int, int]],
) -> None:  # fmt: skip
    """Fold by fold, and within a fold from its last finished epoch: what was told is saved."""
    with pytest.raises(TrainingStoppedError) as caught:
        fit(dataset, tmp_path, on_step=Listener(stop))
    assert str(caught.value) == (f"{NAME} stopped in fold {stop[1]} of 3; the same command goes on")
    listener = Listener()
    fit(dataset, tmp_path, on_step=listener)
    assert listener.seen == goes_on
    assert contents(tmp_path) == contents(first.study.path)
    assert not list(tmp_path.rglob("*fold*"))


def test_two_interruptions_do_no_harm_either(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    for stop in ((1, 1, 2), (1, 2, 1), (1, 2, 2)):
        with pytest.raises(TrainingStoppedError):
            fit(dataset, tmp_path, on_step=Listener(stop))
    fit(dataset, tmp_path)
    assert contents(tmp_path) == contents(first.study.path)


def test_an_end_while_the_results_are_saved_loses_nothing(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Study, table: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Study, "save_dynamics", die)
        with pytest.raises(TrainingStoppedError, match=r"stopped; the same command goes on$"):
            fit(dataset, tmp_path)
    assert Study.open(tmp_path).list_predictions(model=NAME)
    listener = Listener()
    again = fit(dataset, tmp_path, on_step=listener)
    assert listener.seen == []
    assert again.repeats[0].trained
    assert contents(tmp_path) == contents(first.study.path)


def test_fresh_trains_anew_to_the_same_result(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy(first, tmp_path)
    again = fit(dataset, place, fresh=True)
    assert again.repeats[0].trained
    assert contents(place) == contents(first.study.path)


@pytest.mark.parametrize(
    ("stop", "goes_on"), [((1, 1, 1), (1, 2, 1)), ((1, 2, 1), (2, 1, 1)), ((2, 1, 1), (2, 2, 1))]
)
def test_an_interrupted_fresh_cross_fit_goes_on_as_it_says(
    dataset: Dataset, tmp_path: Path, stop: tuple[int, int, int], goes_on: tuple[int, int, int]
) -> None:
    """The old results don't stand in for the new ones, nor in their way."""
    fit(dataset, tmp_path, epochs=1, folds=2, repeats=2)
    with pytest.raises(TrainingStoppedError, match=r"goes on \(without --fresh\)$"):
        fit(dataset, tmp_path, epochs=1, folds=2, repeats=2, fresh=True, on_step=Listener(stop))
    listener = Listener()
    again = fit(dataset, tmp_path, epochs=1, folds=2, repeats=2, on_step=listener)
    assert listener.seen[0] == goes_on
    assert listener.seen[-1] == (2, 2, 1)
    assert again.repeats[1].trained


def test_repeats_deal_and_train_anew(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    place, listener = copy(first, tmp_path), Listener()
    more = fit(dataset, place, repeats=2, on_step=listener)
    assert [repeat.trained for repeat in more.repeats] == [False, True]
    assert {where[0] for where in listener.seen} == {2}
    assert listener.done == pytest.approx(list(np.arange(7, 13) / 12))
    other = "quick-short-e2-s0-r2"
    assert [repeat.name for repeat in more.repeats] == [NAME, other]
    one, two = contents(place), contents(place, other)
    assert all(one[what] != two[what] for what in one if what != "forgotten")
    records = [
        json.loads((place / "models" / f"{name}.json").read_text(encoding="utf-8"))
        for name in (NAME, other)
    ]
    seeds = [card["seed"] for record in records for card in record["networks"]]
    assert len(set(seeds)) == 6
    assert (stratified_folds(dataset.train.labels, 3, 0, 1) !=
            stratified_folds(dataset.train.labels, 3, 0, 2)).any()  # fmt: skip


def test_another_seed_lies_beside_it(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy(first, tmp_path)
    other = fit(dataset, place, seed=1)
    assert other.repeats[0].name == "quick-short-e2-s1-r1"
    assert contents(place) == contents(first.study.path)
    assert contents(place, "quick-short-e2-s1-r1") != contents(place)


def other_rate() -> Recipe:
    return dataclasses.replace(find_model("quick").recipe("short", 2), learning_rate=7e-3)


@pytest.mark.parametrize(
    "changed", [{"folds": 2}, {"recipe": other_rate(), "epochs": None}], ids=["folds", "recipe"]
)
def test_other_settings_are_refused_and_made_with_fresh(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path, changed: dict[str, Any]
) -> None:
    place = copy(first, tmp_path)
    with pytest.raises(StudyError, match=r"with other folds, another recipe .* --fresh"):
        fit(dataset, place, **changed)
    assert contents(place) == contents(first.study.path)
    again = fit(dataset, place, fresh=True, **changed)
    assert again.repeats[0].trained
    assert contents(place) != contents(first.study.path)


@pytest.mark.parametrize("stop", [(1, 1, 2), (1, 2, 1)])
@pytest.mark.parametrize(
    "changed", [{"folds": 2}, {"recipe": other_rate(), "epochs": None}], ids=["folds", "recipe"]
)
def test_a_half_finished_one_of_other_settings_is_refused(
    dataset: Dataset, tmp_path: Path, stop: tuple[int, int, int], changed: dict[str, Any]
) -> None:
    with pytest.raises(TrainingStoppedError):
        fit(dataset, tmp_path, on_step=Listener(stop))
    listener = Listener()
    with pytest.raises(StudyError, match=r"half-finished cross-fit with other folds.* --fresh"):
        fit(dataset, tmp_path, on_step=listener, **changed)
    assert listener.seen == []
    fit(dataset, tmp_path, fresh=True, on_step=listener, **changed)
    assert listener.seen[0] == (1, 1, 1)


def test_predictions_of_others_are_not_replaced(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    """The same name, but no record: somebody brought them in."""
    place = copy(first, tmp_path)
    (place / "models" / f"{NAME}.json").unlink()
    with pytest.raises(StudyError, match="that no cross-fit here has made; --fresh replaces them"):
        fit(dataset, place)
    assert contents(place) == contents(first.study.path)
    assert fit(dataset, place, fresh=True).repeats[0].trained


def test_predictions_that_were_lost_are_made_again(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path
) -> None:
    place = copy(first, tmp_path)
    (place / "predictions" / f"{NAME}.test.held-out.parquet").unlink()
    assert fit(dataset, place).repeats[0].trained
    assert contents(place) == contents(first.study.path)


@pytest.mark.parametrize("text", ["{", "[]", '{"networks": [{}]}', '{"networks": 1}'])
def test_a_damaged_record_is_an_error_of_ours(
    first: CrossfitResult, dataset: Dataset, tmp_path: Path, text: str
) -> None:
    place = copy(first, tmp_path)
    (place / "models" / f"{NAME}.json").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=rf"{NAME}\.json: expected a cross-fit's record") as caught:
        fit(dataset, place)
    assert "\n" not in str(caught.value)


def test_bad_arguments_leave_no_study(dataset: Dataset, tmp_path: Path) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"model": "vgg"}, "model"),
        ({"recipe": "long"}, "recipe"),
        ({"epochs": 0}, "epochs must be 1 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"device": "quantum"}, "device"),
        ({"folds": 1}, r"folds must be 2 or more, .* \(45\)\. Got 1 instead"),
        ({"folds": 46}, r"at most one per training image \(45\)\. Got 46 instead"),
        ({"repeats": 0}, r"repeats must be 1 or more\. Got 0 instead"),
    ]
    for arguments, says in bad:
        with pytest.raises(ParameterError, match=says):
            fit(dataset, tmp_path / "study", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_more_folds_than_images_of_a_class(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """The rarest class is missing from most folds, and from one network's training."""
    plain = make_dataset(train=12, test=6)
    labels = np.where(np.arange(12) == 3, 2, np.arange(12) % 2)
    train = dataclasses.replace(plain.train, labels=labels)
    dataset = dataclasses.replace(plain, splits={**plain.splits, "train": train})
    result = fit(dataset, tmp_path, folds=6, epochs=1)
    train_predictions = result.repeats[0].predictions["train"]
    assert train_predictions.probabilities.shape == (12, 3)
    assert np.isfinite(train_predictions.probabilities).all()


def test_a_dataset_of_train_alone(dataset: Dataset, tmp_path: Path) -> None:
    only = Dataset("only", dataset.classes, {"train": dataset.train}, dataset.source)
    result = fit(only, tmp_path, epochs=1, folds=2)
    assert list(result.repeats[0].predictions) == ["train"]
    with pytest.raises(MisreadError, match="train"):
        fit(Dataset("no", dataset.classes, {"test": dataset.test}, "no"), tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_nothing_is_trained_into_a_demo(dataset: Dataset, tmp_path: Path) -> None:
    Study.create(tmp_path, dataset, "demo: nothing was trained here")
    with pytest.raises(StudyError, match=r"is a demo.*--study"):
        fit(dataset, tmp_path)


def test_a_study_that_cannot_be_written_is_an_error_of_ours(
    dataset: Dataset, tmp_path: Path
) -> None:
    for folder in ("models", "predictions", "neighbours", "dynamics"):
        place = tmp_path / f"no-{folder}"
        Study.create(place, dataset)
        (place / folder).touch()
        with pytest.raises(MisreadError) as caught:
            fit(dataset, place, epochs=1, folds=2)
        assert "\n" not in str(caught.value)


def test_the_study_is_named_after_the_dataset(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingStoppedError):
        crossfit(dataset, folds=3, epochs=2, on_step=Listener((1, 1, 1)))
    assert [path.name for path in tmp_path.iterdir()] == ["bars-study"]


def test_its_predictions_are_a_panel_member_like_any_other(
    first: CrossfitResult, dataset: Dataset
) -> None:
    newest = first.study.newest_out_of_sample("train")
    assert isinstance(newest, Predictions)
    assert newest.provenance.run_name == NAME
    assert first.study.newest_out_of_sample("test").provenance.is_mean


def test_images_that_are_refused_leave_nothing(tmp_path: Path) -> None:
    for split, sides in {"train": (8, 9), "test": (8, 8)}.items():
        for i in range(12):
            file = tmp_path / f"data/{split}/{'ab'[i % 2]}/{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, sides[i % 2]), i, np.uint8)).save(file)
    sizes = load(tmp_path / "data")
    with pytest.raises(DatasetError):
        fit(sizes, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    Study.create(tmp_path / "study", sizes)
    with pytest.raises(DatasetError):
        fit(sizes, tmp_path / "study")
    assert [file.name for file in (tmp_path / "study").iterdir()] == ["study.toml"]
