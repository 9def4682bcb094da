import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import Dataset, Split
from misread.errors import StudyError
from misread.models.checkpoint import read_tensors, write_tensors
from misread.models.crossfit import Fold, fit_fold, join_folds
from misread.models.fold_file import read_fold, write_fold
from misread.models.recipe import Recipe
from misread.tables import Neighbours, Origin, Predictions

MakeDataset = Callable[..., Dataset]

TINY = Recipe("tiny", epochs=1, batch_size=16, learning_rate=3e-3)


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(train=60, test=20)


@pytest.fixture(scope="module")
def fold(dataset: Dataset) -> Fold:
    member = np.isin(np.arange(60) % 3, 1)
    return fit_fold(dataset, "quick", TINY, member, 7, device="cpu")


def test_a_fold_survives_its_file(dataset: Dataset, fold: Fold, tmp_path: Path) -> None:
    write_fold(tmp_path / "fold.safetensors", fold)
    found = read_fold(tmp_path / "fold.safetensors", dataset)
    assert found.card == fold.card
    for name in ("train", "test"):
        for kind in ("predictions", "neighbours"):
            one, other = getattr(fold, kind)[name], getattr(found, kind)[name]
            for field, value in vars(one).items():
                if isinstance(value, np.ndarray):
                    np.testing.assert_array_equal(getattr(other, field), value)
                    assert getattr(other, field).dtype == value.dtype
            assert dataclasses.replace(other.provenance, created="") == dataclasses.replace(
                one.provenance, created=""
            )
    assert found.dynamics.provenance.origin == Origin.IN_SAMPLE
    for field in ("index", "area_under_margin", "first_learned", "forgotten", "epochs"):
        np.testing.assert_array_equal(getattr(found.dynamics, field), getattr(fold.dynamics, field))
    one_way, other_way = (join_folds(dataset, [f, complement(f)], 0, 1) for f in (fold, found))
    np.testing.assert_array_equal(
        one_way[0]["train"].probabilities, other_way[0]["train"].probabilities
    )


def complement(fold: Fold) -> Fold:
    """The rest of the images, so that the fold can be joined to a whole."""
    table = fold.predictions["train"]
    rest = np.setdiff1d(np.arange(60), table.index).astype(np.int32)
    rows = np.arange(40) % 20
    near = fold.neighbours["train"]
    train = Predictions(rest, table.given[rows], table.probabilities[rows], table.provenance)
    return dataclasses.replace(
        fold,
        predictions=fold.predictions | {"train": train},
        neighbours=fold.neighbours
        | {"train": Neighbours(rest, near.neighbours[rows], near.provenance)},
    )


def test_splits_of_any_name_fit_into_a_file(make_dataset: MakeDataset, tmp_path: Path) -> None:
    plain = make_dataset(train=24, test=8)
    test = plain.splits["test"]
    odd = {"0.index": Split("0.index", test.images, test.labels), "train": plain.train}
    dataset = dataclasses.replace(plain, splits=odd)
    fold = fit_fold(dataset, "quick", TINY, np.arange(24) < 8, 0, device="cpu")
    write_fold(tmp_path / "fold.safetensors", fold)
    found = read_fold(tmp_path / "fold.safetensors", dataset)
    for name in odd:
        np.testing.assert_array_equal(
            found.predictions[name].probabilities, fold.predictions[name].probabilities
        )


def test_a_damaged_file_is_refused(dataset: Dataset, fold: Fold, tmp_path: Path) -> None:
    path = tmp_path / "fold.safetensors"
    write_fold(path, fold)
    tensors, metadata = read_tensors(path)
    less = {name: tensor for name, tensor in tensors.items() if name != "1.given"}
    short = tensors | {"0.given": tensors["0.given"][:-1]}
    for content in (less, short):
        write_tensors(path, content, metadata)
        with pytest.raises(
            StudyError, match=r"fold\.safetensors: expected a finished fold"
        ) as caught:
            read_fold(path, dataset)
        assert "\n" not in str(caught.value)
    path.write_bytes(b"")
    with pytest.raises(StudyError, match="expected weights saved by misread"):
        read_fold(path, dataset)
