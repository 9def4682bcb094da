"""Reconstructions of a small run: what is kept, what is drawn, and who can draw."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from misread.analysis.panel import score_panel
from misread.datasets import Dataset, load
from misread.errors import MisreadError, ParameterError, StudyError
from misread.models import Card
from misread.models.capsules import VectorCapsules
from misread.models.saved import read_network
from misread.store import Study
from misread.tables import Predictions
from misread.views.reconstructions import draw_turned
from misread.workflows.reconstruct import TURNS, reconstruct, show_reconstructions
from misread.workflows.run import run

RUN = "efficient-capsnet-short-e1-s0"


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=90, test=60, shape=(13, 12, 3))))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Study:
    """One training, which nothing changes."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    return run(dataset, "efficient-capsnet", epochs=1, study=folder, device="cpu").study


@pytest.fixture
def study(trained: Study, tmp_path: Path) -> Study:
    shutil.copytree(trained.path, tmp_path / "study")
    return Study.open(tmp_path / "study")


def test_the_errors_of_all_images_are_kept_and_drawings_of_the_difficult(
    study: Study, dataset: Dataset
) -> None:
    told: list[tuple[int, int]] = []
    table = reconstruct(study, top=8, on_images=lambda *now: told.append(now))
    assert told[-1] == (60, 60)
    predictions = study.newest_predictions("test", RUN)
    assert table.provenance == predictions.provenance
    np.testing.assert_array_equal(table.predicted, predictions.predicted)
    np.testing.assert_array_equal(table.given, dataset.test.labels)
    card = Card.read(study.model_file(RUN, ".json"))
    network = read_network(card, study.model_file(RUN, ".safetensors"), torch.device("cpu"))
    assert isinstance(network, VectorCapsules)
    images = torch.from_numpy(dataset.test.pixels().copy()).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        drawn = network.decoder(network.capsules(images), torch.from_numpy(table.predicted).long())
    errors = (drawn - images).square().mean(dim=(1, 2, 3)).numpy()
    np.testing.assert_allclose(table.error_predicted, errors, rtol=1e-4)
    # The mistakes, and of the others the eight with the highest entropy.
    entropy = score_panel([predictions]).entropy
    wrong = np.flatnonzero(table.given != table.predicted)
    others = np.flatnonzero(table.given == table.predicted)
    hardest = others[np.argsort(-entropy[others], kind="stable")][:8]
    assert table.drawn.tolist() == sorted({*wrong.tolist(), *hardest.tolist()})
    for place, index in enumerate(table.drawn):
        expected = np.rint(drawn[index].permute(1, 2, 0).numpy() * 255)
        assert np.abs(table.as_predicted[place] - expected).max() <= 1
    kept = study.load_reconstructions(predictions.provenance)
    assert kept is not None
    np.testing.assert_array_equal(kept.error_given, table.error_given)
    np.testing.assert_array_equal(kept.as_given, table.as_given)


def test_what_is_there_is_kept_and_needs_no_network(study: Study) -> None:
    first = reconstruct(study, top=0)
    missing = int(np.setdiff1d(first.index, first.drawn)[0])
    second = reconstruct(study, top=0, index=[missing])
    assert set(second.drawn.tolist()) == {*first.drawn.tolist(), missing}
    np.testing.assert_array_equal(second.error_given, first.error_given)
    study.model_file(RUN, ".safetensors").unlink()
    third = reconstruct(study, top=0, index=[missing])
    np.testing.assert_array_equal(third.drawn, second.drawn)
    other = int(np.setdiff1d(first.index, second.drawn)[0])
    with pytest.raises(StudyError, match=f"expected weights of {RUN}, found none"):
        reconstruct(study, top=0, index=[other])


def test_reconstructions_of_a_former_training_are_made_anew(study: Study) -> None:
    before = reconstruct(study)
    old = dataclasses.replace(before.provenance, created="2001-01-01T00:00:00+00:00")
    study.save_reconstructions(
        dataclasses.replace(before, provenance=old, error_given=before.error_predicted)
    )
    assert study.load_reconstructions(before.provenance) is None
    again = reconstruct(study)
    np.testing.assert_array_equal(again.error_given, before.error_given)


def test_of_many_mistakes_the_most_difficult_are_drawn_beside_the_most_confident(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("misread.workflows.reconstruct._MOST_MISTAKES", 4)
    table = reconstruct(study, top=3)
    predictions = study.newest_predictions("test", RUN)
    wrong = np.flatnonzero(table.given != table.predicted)
    assert len(wrong) > 10
    confidence = predictions.probabilities.max(axis=1)
    entropy = score_panel([predictions]).entropy
    sure = wrong[np.argsort(-confidence[wrong], kind="stable")][:4]
    hard = wrong[np.argsort(-entropy[wrong], kind="stable")][:3]
    drawn = set(table.drawn.tolist())
    assert {*sure.tolist(), *hard.tolist()} == drawn & set(wrong.tolist())
    assert len(drawn - set(wrong.tolist())) == 3


def test_predictions_of_some_images_do_not_keep_it_from_drawing(study: Study) -> None:
    whole = study.newest_predictions("test", RUN)
    named = dataclasses.replace(whole.provenance, model="part")
    part = Predictions(whole.index[:9], whole.given[:9], whole.probabilities[:9], named)
    study.save_predictions(part)
    assert show_reconstructions(study, model=RUN, top=3).by_panel


def test_pictures_show_mistakes_first(study: Study) -> None:
    shown = show_reconstructions(study, top=30)
    table = shown.table
    wrong = table.given != table.predicted
    of_shown = wrong[shown.shown]
    assert of_shown.sum() == wrong.sum()
    assert of_shown.tolist() == sorted(of_shown.tolist(), reverse=True)
    assert shown.by_panel
    assert shown.picture == study.figures / f"{table.provenance.name}.reconstructions.png"
    assert shown.picture.exists()
    few = show_reconstructions(study, index=[7, 3], save=study.path / "few.png")
    assert few.shown.tolist() == [7, 3]
    assert few.picture == study.path / "few.png"


def test_images_of_the_training_split_are_difficult_where_they_are_drawn_worst(
    study: Study,
) -> None:
    shown = show_reconstructions(study, "train", top=5)
    assert not shown.by_panel
    table = shown.table
    worst = np.argsort(-table.error_predicted, kind="stable").tolist()
    right = [i for i in worst if table.given[i] == table.predicted[i]][:5]
    assert len(right) == 5
    assert shown.shown.tolist()[-5:] == right


def test_turning_draws_both_capsules_of_one_image(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = reconstruct(study)
    wrong = int(np.flatnonzero(table.given != table.predicted)[0])
    blocks: list[list[int]] = []

    def spy(*arguments: object) -> Figure:
        blocks.append([turned.label for turned in arguments[3]])  # type: ignore[attr-defined]
        return draw_turned(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("misread.workflows.reconstruct.draw_turned", spy)
    shown = show_reconstructions(study, index=[wrong], turn=True)
    assert blocks == [[int(table.given[wrong]), int(table.predicted[wrong])]]
    assert shown.picture is not None
    assert shown.picture.name.endswith(f".turned-{wrong}.png")
    np.testing.assert_allclose(TURNS, np.linspace(-0.25, 0.25, 11), atol=1e-12)
    right = int(np.flatnonzero(table.given == table.predicted)[0])
    show_reconstructions(study, index=[right], turn=True)
    assert len(blocks[1]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"index": [60]}, r"index: expected images of the test split .* 0 to 59. Got 60"),
        ({"index": [-1]}, "Got -1"),
        ({"top": -1}, "top must be 0 or more"),
        ({"split": "other"}, "split: expected one of train, test. Got 'other'"),
        ({"turn": True}, r"turn: expected exactly one image \(--index\). Got 0"),
        ({"turn": True, "index": [1, 2]}, "Got 2"),
        ({"save": Path("a.jpg")}, r"expected a \.png file"),
        ({"device": "tpu"}, "device: expected auto or one of"),
    ],
)
def test_what_can_not_be_shown_is_refused(
    study: Study, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        show_reconstructions(study, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_model_without_a_decoder_gets_one_clear_line(
    study: Study, dataset: Dataset, make_predictions: Callable[..., Predictions]
) -> None:
    newer = "2999-01-01T00:00:00+00:00"
    study.save_predictions(make_predictions(dataset.test, created=newer))
    # The newest model can't draw: the newest that can is taken.
    assert reconstruct(study).provenance.run_name == RUN
    with pytest.raises(StudyError) as caught:
        reconstruct(study, model="oracle")
    assert str(caught.value) == (
        f"{study.path}: expected a run of a network with a decoder (efficient-capsnet, capsnet) "
        "that predicts test by 'oracle', found oracle-imported-s0; "
        "`misread run DATASET --model efficient-capsnet` makes one"
    )
    study.model_file(RUN, ".json").unlink()
    with pytest.raises(MisreadError, match=f"found oracle-imported-s0, {RUN}; "):
        reconstruct(study)


def copy_run(study: Study, seed: int, created: str) -> str:
    """Another run of the network, without its weights."""
    card = Card.read(study.model_file(RUN, ".json"))
    name = RUN.replace("s0", f"s{seed}")
    dataclasses.replace(card, name=name, seed=seed).write(study.model_file(name, ".json"))
    before = study.newest_predictions("test", RUN)
    after = dataclasses.replace(before.provenance, seed=seed, created=created)
    study.save_predictions(dataclasses.replace(before, provenance=after))
    return name


def test_a_run_without_weights_hides_none_that_has_them(study: Study) -> None:
    copy_run(study, 1, "2999-01-01T00:00:00+00:00")
    assert reconstruct(study).provenance.run_name == RUN


def test_where_no_run_has_weights_the_way_out_is_said(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before PyTorch is loaded."""
    newer = copy_run(study, 1, "2999-01-01T00:00:00+00:00")
    study.model_file(RUN, ".safetensors").unlink()
    monkeypatch.setattr("misread.workflows.reconstruct.require_torch", None)
    with pytest.raises(StudyError) as caught:
        reconstruct(study)
    told = f"{study.path}: expected weights of {newer}, {RUN}, found none: "
    assert str(caught.value) == (
        f"{told}`misread run DATASET --model efficient-capsnet --fresh` trains one anew"
    )
    demo = dataclasses.replace(study, note="demo: these predictions came with misread")
    with pytest.raises(StudyError) as caught:
        reconstruct(demo)
    assert str(caught.value) == (
        f"{told}the demo has no weights; `misread run bars --model efficient-capsnet` trains a "
        "network"
    )


def test_a_decoder_that_was_not_trained_does_not_draw(study: Study) -> None:
    path = study.model_file(RUN, ".json")
    card = Card.read(path)
    dataclasses.replace(card, recipe=card.recipe | {"reconstruction": "none"}).write(path)
    with pytest.raises(StudyError, match="expected a run of a network with a decoder"):
        reconstruct(study)
