import dataclasses
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from misread.datasets import Dataset, Split
from misread.errors import DatasetError, ParameterError
from misread.models import crossfit
from misread.models.crossfit import Fold, fit_fold, fold_seed, join_folds, stratified_folds
from misread.models.recipe import Recipe
from misread.models.trained import Trained
from misread.models.training import train_network
from misread.tables import Neighbours, Origin, Predictions
from misread.types import Array

MakeDataset = Callable[..., Dataset]

TINY = Recipe("tiny", epochs=1, batch_size=16, learning_rate=3e-3)


@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(lambda c: sum(c) > 1),
    data=st.data(),
    seed=st.integers(0, 2**63 - 1),
    repeat=st.integers(1, 9),
)
@settings(deadline=None)
def test_folds_are_whole_even_and_stratified(
    counts: list[int], data: st.DataObject, seed: int, repeat: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int16)
    labels = np.random.default_rng(0).permutation(labels)
    folds = data.draw(st.integers(2, len(labels)))
    fold = stratified_folds(labels, folds, seed, repeat)
    assert fold.shape == labels.shape  # each image in one fold
    sizes = Counter(fold.tolist())
    assert set(sizes) == set(range(folds))  # none is empty
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for label in range(len(counts)):
        of_class = Counter(fold[labels == label].tolist())
        shares = [of_class[number] for number in range(folds)]
        # Of a class with fewer images than folds each fold has one at most.
        assert max(shares) - min(shares) <= 1
    np.testing.assert_array_equal(fold, stratified_folds(labels, folds, seed, repeat))


def test_seeds_and_repeats_deal_anew() -> None:
    labels = np.zeros(1_000, np.int16)
    dealt = [stratified_folds(labels, 5, *which) for which in ((0, 1), (0, 2), (1, 1), (1, 2))]
    for number, one in enumerate(dealt):
        for other in dealt[:number]:
            # Independent deals agree on 200 of 1,000, standard deviation 13.
            assert abs((one == other).sum() - 200) < 60


@pytest.mark.parametrize("folds", [-1, 0, 1, 11])
def test_too_few_or_too_many_folds_are_refused(folds: int) -> None:
    with pytest.raises(ParameterError, match=rf"training image \(10\)\. Got {folds} instead"):
        stratified_folds(np.zeros(10, np.int16), folds, 0)


def test_every_fold_has_a_seed_of_its_own() -> None:
    seeds = {
        fold_seed(*which)
        for which in ((s, r, f) for s in (0, 1, 2**62) for r in range(1, 5) for f in range(1, 9))
    }
    assert len(seeds) == 3 * 4 * 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert fold_seed(0, 1, 1) == fold_seed(0, 1, 1)


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(train=60, test=20)


@pytest.fixture(scope="module")
def member() -> Array:
    return np.isin(np.arange(60) % 3, 1)


@pytest.fixture(scope="module")
def fold(dataset: Dataset, member: Array) -> Fold:
    return fit_fold(dataset, "quick", TINY, member, 7, device="cpu")


def with_labels(dataset: Dataset, changed: Array) -> Dataset:
    train = dataset.train
    labels = np.where(changed, (train.labels + 1) % 3, train.labels)
    splits = {**dataset.splits, "train": Split("train", train.images, labels)}
    return dataclasses.replace(dataset, splits=splits)


def test_labels_of_the_fold_change_nothing_and_those_outside_do(
    dataset: Dataset, member: Array, fold: Fold
) -> None:
    """What the network could have learned from a label would show, bit for bit."""

    def again(changed: Array) -> Fold:
        return fit_fold(with_labels(dataset, changed), "quick", TINY, member, 7, device="cpu")

    inside = again(member)
    for split in ("train", "test"):
        one, other = fold.predictions[split], inside.predictions[split]
        assert one.probabilities.tobytes() == other.probabilities.tobytes()
        near, too = fold.neighbours[split], inside.neighbours[split]
        np.testing.assert_array_equal(near.neighbours, too.neighbours)
    assert (inside.predictions["train"].given != fold.predictions["train"].given).all()
    one_outside = np.zeros(60, bool)
    one_outside[0] = True
    outside = again(one_outside)
    assert not np.array_equal(
        fold.predictions["train"].probabilities, outside.predictions["train"].probabilities
    )


def test_a_fold_predicts_its_images_and_the_other_splits(
    dataset: Dataset, member: Array, fold: Fold
) -> None:
    inside, outside = np.flatnonzero(member), np.flatnonzero(~member)
    assert list(fold.predictions) == list(fold.neighbours) == ["train", "test"]
    np.testing.assert_array_equal(fold.predictions["train"].index, inside)
    np.testing.assert_array_equal(fold.predictions["train"].given, dataset.train.labels[inside])
    np.testing.assert_array_equal(fold.predictions["test"].index, np.arange(20))
    for near in fold.neighbours.values():
        assert near.width == 20
        assert set(near.neighbours.ravel().tolist()) <= set(outside.tolist())
    np.testing.assert_array_equal(fold.dynamics.index, outside)
    assert {p.provenance.origin for p in fold.predictions.values()} == {Origin.HELD_OUT}
    assert fold.card.images == 40


def test_random_labels_are_memorised_in_sample_and_guessed_out_of_fold() -> None:
    """No fold's network could have seen what it predicts."""
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (48, 8, 8), dtype=np.uint8)
    train = Split("train", images, generator.permutation(np.arange(48) % 2))
    dataset = Dataset("coins", ("heads", "tails"), {"train": train}, "nowhere")
    recipe = Recipe("memorise", epochs=25, batch_size=12, learning_rate=5e-3)
    fold = stratified_folds(train.labels, 2, 0)
    done = [
        fit_fold(dataset, "quick", recipe, fold == number, number, device="cpu")
        for number in range(2)
    ]
    assert all(each.card.log[-1].accuracy == 1 for each in done)
    predictions, neighbours, dynamics = join_folds(dataset, done, 0, 1)
    crossfitted = predictions["train"]
    assert crossfitted.provenance.origin == Origin.CROSS_FITTED
    np.testing.assert_array_equal(crossfitted.index, np.arange(48))
    np.testing.assert_array_equal(crossfitted.given, train.labels)
    right = int((crossfitted.predicted == crossfitted.given).sum())
    assert binomtest(right, 48, 0.5).pvalue > 0.01
    near = neighbours["train"].neighbours
    assert (fold[near] != fold[:, None]).all()
    assert (dynamics.first_learned <= recipe.epochs).all()
    assert dynamics.networks == 1


def made_fold(dataset: Dataset, index: Array, width: int, seed: int, fold: Fold) -> Fold:
    """A fold with made-up contents."""
    generator = np.random.default_rng(seed)
    predictions, neighbours = {}, {}
    for name, places in (("train", index), ("test", np.arange(20))):
        of = fold.predictions[name].provenance
        given = dataset.splits[name].labels[places]
        probabilities = generator.dirichlet(np.ones(3), len(places)).astype(np.float32)
        where = places.astype(np.int32)
        predictions[name] = Predictions(where, given, probabilities, of)
        near = generator.integers(0, 60, (len(places), width)).astype(np.int32)
        neighbours[name] = Neighbours(where, near, of)
    rest = np.setdiff1d(np.arange(60), index).astype(np.int32)
    columns = generator.normal(size=(3, len(rest))).astype(np.float32)
    names = ("area_under_margin", "first_learned", "forgotten")
    dynamics = dataclasses.replace(
        fold.dynamics, index=rest, **dict(zip(names, columns, strict=True))
    )
    return Fold(fold.card, predictions, neighbours, dynamics)


def test_folds_are_joined_as_a_slow_loop_would(dataset: Dataset, fold: Fold) -> None:
    order = np.random.default_rng(9).permutation(60)
    parts = [np.sort(part) for part in np.array_split(order, 4)]
    widths = (5, 4, 5, 6)
    folds = [
        made_fold(dataset, part, width, number, fold)
        for number, (part, width) in enumerate(zip(parts, widths, strict=True))
    ]
    predictions, neighbours, dynamics = join_folds(dataset, folds, 3, 2)
    made = [each.provenance for each in predictions.values()]
    made += [each.provenance for each in neighbours.values()]
    assert {provenance.name for provenance in [*made, dynamics.provenance]} == {
        "quick-tiny-s3-r2.train.cross-fitted",
        "quick-tiny-s3-r2.test.held-out",
        "quick-tiny-s3-r2.train.in-sample",
    }
    for image in range(60):
        (own,) = (each for each, part in zip(folds, parts, strict=True) if image in part)
        row = list(own.predictions["train"].index).index(image)
        np.testing.assert_array_equal(
            predictions["train"].probabilities[image], own.predictions["train"].probabilities[row]
        )
        np.testing.assert_array_equal(  # as many as the fold with the fewest has
            neighbours["train"].neighbours[image], own.neighbours["train"].neighbours[row][:4]
        )
        rest = [each.dynamics for each in folds if each is not own]
        for name in ("area_under_margin", "first_learned", "forgotten"):
            values = [getattr(d, name)[list(d.index).index(image)] for d in rest]
            assert getattr(dynamics, name)[image] == pytest.approx(np.mean(values), abs=1e-6)
    assert dynamics.networks == 3
    mean = np.mean([each.predictions["test"].probabilities for each in folds], axis=0)
    np.testing.assert_allclose(predictions["test"].probabilities, mean, atol=1e-7)
    np.testing.assert_array_equal(
        neighbours["test"].neighbours, folds[0].neighbours["test"].neighbours
    )


def test_a_class_that_is_missing_outside_a_fold_is_predicted_all_the_same(
    make_dataset: MakeDataset,
) -> None:
    plain = make_dataset(train=30, test=6)
    labels = np.where(np.arange(30) == 4, 2, plain.train.labels % 2)  # one image of the last class
    train = Split("train", plain.train.images, labels)
    dataset = dataclasses.replace(plain, splits={**plain.splits, "train": train})
    fold = stratified_folds(labels.astype(np.int16), 3, 0)
    member = fold == fold[4]
    found = fit_fold(dataset, "quick", TINY, member, 0, device="cpu")
    assert found.predictions["train"].probabilities.shape == (10, 3)
    assert 2 in found.predictions["train"].given
    assert 2 not in labels[~member]


def test_a_fold_that_leaves_too_little_is_refused(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(train=3, test=3)
    with pytest.raises(DatasetError, match="expected 2 training images or more"):
        fit_fold(dataset, "quick", TINY, np.array([True, True, False]), 0, device="cpu")


def test_only_images_outside_the_fold_are_trained_on(
    dataset: Dataset, member: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Split] = []

    def train(part: Dataset, *rest: object, **more: object) -> Trained:
        seen.append(part.train)
        return train_network(part, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(crossfit, "train_network", train)
    fit_fold(dataset, "quick", TINY, member, 7, device="cpu")
    (part,) = seen
    np.testing.assert_array_equal(part.pixels(), dataset.train.pixels()[~member])
    np.testing.assert_array_equal(part.labels, dataset.train.labels[~member])
