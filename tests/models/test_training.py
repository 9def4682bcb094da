import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from misread.datasets import Dataset, Split
from misread.errors import (
    DatasetError,
    ParameterError,
    StudyError,
    TrainingDivergedError,
    TrainingStoppedError,
)
from misread.models import MODELS, Card, training
from misread.models.checkpoint import read_tensors, write_tensors
from misread.models.recipe import Recipe
from misread.models.saved import save_weights
from misread.models.trained import Trained, predict, predict_with_features
from misread.models.training import Progress, train_network
from misread.tables import Origin
from misread.types import ByteArray

MakeDataset = Callable[..., Dataset]

TINY = Recipe(
    "tiny",
    epochs=4,
    batch_size=32,
    optimizer="adamw",
    learning_rate=6e-3,
    schedule="one-cycle",
    warmup=0.25,
    weight_decay=0.01,
    label_smoothing=0.1,
    shift=1,
    average_decay=0.9,
)
PLAIN = Recipe("plain", epochs=4, batch_size=32)


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset()


def train(dataset: Dataset, recipe: Recipe = TINY, seed: int = 0, **more: object) -> Trained:
    return train_network(dataset, "quick", recipe, seed, device="cpu", **more)  # type: ignore[arg-type]


def weights(trained: Trained) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trained.network.state_dict().items()}


def same(one: Trained, other: Trained) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


class StopAfter:
    """Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.seen: list[Progress] = []

    def __call__(self, now: Progress) -> None:
        self.seen.append(now)
        if len(self.seen) == self.steps:
            raise KeyboardInterrupt


@pytest.mark.parametrize("recipe", [TINY, PLAIN], ids=["tiny", "plain"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(dataset: Dataset, recipe: Recipe) -> None:
    first, again = train(dataset, recipe, 3), train(dataset, recipe, 3)
    assert same(first, again)
    assert [row.loss for row in first.card.log] == [row.loss for row in again.card.log]
    assert not same(first, train(dataset, recipe, 4))


def test_the_weights_do_not_depend_on_the_callers_generators(dataset: Dataset) -> None:
    torch.manual_seed(1)
    first = train(dataset)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    assert same(first, train(dataset))


def test_the_callers_random_state_is_untouched(dataset: Dataset) -> None:
    before = torch.get_rng_state()
    train(dataset)
    with pytest.raises(TrainingStoppedError):
        train(dataset, on_step=StopAfter(2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("recipe", [TINY, PLAIN], ids=["tiny", "plain"])
@pytest.mark.parametrize("epochs_before", [1, 2, 3])
def test_an_interrupted_training_ends_in_the_same_weights(
    dataset: Dataset, tmp_path: Path, recipe: Recipe, epochs_before: int
) -> None:
    whole = train(dataset, recipe)
    checkpoint = tmp_path / "a.checkpoint"
    steps = 240 // 32
    stop = StopAfter(epochs_before * steps + 3)
    with pytest.raises(TrainingStoppedError) as caught:
        train(dataset, recipe, checkpoint=checkpoint, on_step=stop)
    assert f"stopped in epoch {epochs_before + 1} of 4" in str(caught.value)
    assert f"goes on after epoch {epochs_before}" in str(caught.value)
    seen: list[Progress] = []
    resumed = train(dataset, recipe, checkpoint=checkpoint, on_step=seen.append)
    assert seen[0].step == epochs_before * steps + 1
    assert seen[-1].step == seen[-1].steps == 4 * steps
    assert same(resumed, whole)
    for ours, theirs in zip(resumed.card.log, whole.card.log, strict=True):
        assert (ours.epoch, ours.loss, ours.accuracy) == (
            theirs.epoch,
            theirs.loss,
            theirs.accuracy,
        )
    assert len(resumed.card.threads) == 2


def test_two_interruptions_do_no_harm_either(dataset: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "a.checkpoint"
    for _ in range(2):
        with pytest.raises(TrainingStoppedError):
            train(dataset, checkpoint=checkpoint, on_step=StopAfter(10))
    resumed = train(dataset, checkpoint=checkpoint)
    assert same(resumed, train(dataset))
    assert len(resumed.card.threads) == 3


def test_a_training_killed_after_its_last_epoch_has_nothing_left_to_do(
    dataset: Dataset, tmp_path: Path
) -> None:
    whole = train(dataset, checkpoint=tmp_path / "a.checkpoint")
    seen: list[Progress] = []
    again = train(dataset, checkpoint=tmp_path / "a.checkpoint", on_step=seen.append)
    assert seen == []
    assert same(again, whole)


def test_an_epoch_is_told_once_it_is_saved(dataset: Dataset, tmp_path: Path) -> None:
    """Whoever stops a training when an epoch is told has that epoch."""
    checkpoint = tmp_path / "a.checkpoint"
    ends: list[int] = []

    def look(now: Progress) -> None:
        if now.step == now.epoch * now.steps // now.epochs:
            _, metadata = read_tensors(checkpoint)
            assert len(Card.from_json(str(metadata["card"]), checkpoint).log) == now.epoch
            ends.append(now.epoch)
            if now.epoch in (2, 4):
                raise KeyboardInterrupt

    with pytest.raises(TrainingStoppedError, match=r"stopped in epoch 3 of 4; .* after epoch 2"):
        train(dataset, checkpoint=checkpoint, on_step=look)
    with pytest.raises(TrainingStoppedError, match=r"after the last epoch of 4; .* after epoch 4"):
        train(dataset, checkpoint=checkpoint, on_step=look)
    assert ends == [1, 2, 3, 4]
    assert same(train(dataset, checkpoint=checkpoint), train(dataset))


def test_stopped_before_anything_was_saved_says_so(dataset: Dataset, tmp_path: Path) -> None:
    for checkpoint in (None, tmp_path / "a.checkpoint"):
        with pytest.raises(TrainingStoppedError, match="stopped in epoch 1 of 4; no epoch was"):
            train(dataset, checkpoint=checkpoint, on_step=StopAfter(1))


@pytest.fixture
def interrupted(dataset: Dataset, tmp_path: Path) -> Path:
    checkpoint = tmp_path / "a.checkpoint"
    with contextlib.suppress(TrainingStoppedError):
        train(dataset, checkpoint=checkpoint, on_step=StopAfter(10))
    return checkpoint


def refuse(dataset: Dataset, checkpoint: Path, recipe: Recipe = TINY, seed: int = 0) -> str:
    with pytest.raises(StudyError) as caught:
        train(dataset, recipe, seed, checkpoint=checkpoint)
    message = str(caught.value)
    assert str(checkpoint) in message
    assert "\n" not in message
    return message


def test_a_checkpoint_of_another_training_is_refused(
    dataset: Dataset, interrupted: Path, make_dataset: MakeDataset
) -> None:
    content = interrupted.read_bytes()
    for other in (
        refuse(dataset, interrupted, seed=1),
        refuse(dataset, interrupted, recipe=PLAIN),
        refuse(make_dataset(seed=1), interrupted),
        refuse(make_dataset(classes=("a", "b", "c")), interrupted),
    ):
        assert "other settings or other data" in other
    assert interrupted.read_bytes() == content


def test_a_damaged_checkpoint_is_refused(dataset: Dataset, interrupted: Path) -> None:
    content = interrupted.read_bytes()
    for damaged in (b"", b"junk" * 100, content[: len(content) // 2], content[:-1]):
        interrupted.write_bytes(damaged)
        refuse(dataset, interrupted)


@pytest.mark.parametrize("metadata", [[], {}, {"card": None}, {"card": "{}"}, "text"], ids=str)
def test_a_checkpoint_without_a_card_is_refused(
    dataset: Dataset, interrupted: Path, metadata: object
) -> None:
    tensors, _ = read_tensors(interrupted)
    write_tensors(interrupted, tensors, metadata)  # type: ignore[arg-type]
    refuse(dataset, interrupted)


@pytest.mark.parametrize("part", ["network.", "average.", "optimizer.", "optimizer.0.exp_avg"])
def test_a_checkpoint_that_lacks_tensors_is_refused(
    dataset: Dataset, interrupted: Path, part: str
) -> None:
    tensors, metadata = read_tensors(interrupted)
    fewer = {name: t for name, t in tensors.items() if not name.startswith(part)}
    assert len(fewer) < len(tensors)
    write_tensors(interrupted, fewer, metadata)
    refuse(dataset, interrupted)


def test_a_small_network_learns(dataset: Dataset) -> None:
    """Chance is an error of two thirds."""
    trained = train(dataset, Recipe("r", epochs=6, batch_size=16, learning_rate=5e-3))
    test = predict(trained, dataset.test)
    assert (test.predicted != test.given).mean() < 0.1
    losses = [row.loss for row in trained.card.log]
    assert losses[-1] < 0.5 * losses[0]


def test_what_was_trained_on_is_in_sample_and_everything_else_held_out(dataset: Dataset) -> None:
    trained = train(dataset)
    train_split = predict(trained, dataset.train)
    test = predict(trained, dataset.test)
    assert train_split.provenance.origin is Origin.IN_SAMPLE
    assert test.provenance.origin is Origin.HELD_OUT
    # The same images under another name were still trained on.
    renamed = Split("validation", dataset.train.pixels(), dataset.train.labels)
    assert predict(trained, renamed).provenance.origin is Origin.IN_SAMPLE
    assert test.provenance.name == "quick-tiny-s0.test.held-out"
    assert test.provenance.items_fingerprint == dataset.test.items_fingerprint
    assert test.index.tolist() == list(range(90))
    np.testing.assert_array_equal(test.given, dataset.test.labels)
    assert test.probabilities.dtype == np.float32
    np.testing.assert_allclose(test.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", list(MODELS))
def test_an_empty_split_has_empty_predictions(name: str, make_dataset: MakeDataset) -> None:
    dataset = make_dataset(train=8, test=2, shape=(17, 17, 1))
    trained = train_network(dataset, name, Recipe("r", epochs=1, batch_size=4), 0, device="cpu")
    empty, features = predict_with_features(trained, dataset.test.take([]))
    assert len(empty) == len(features) == 0
    assert empty.probabilities.shape == (0, 3)
    one, of_one = predict_with_features(trained, dataset.test.take([0]))
    assert (len(one), len(of_one), features.shape[1:]) == (1, 1, of_one.shape[1:])


def test_the_card_says_what_was_done(dataset: Dataset) -> None:
    seen: list[Progress] = []
    card = train(dataset, on_step=seen.append).card
    assert card.name == "quick-tiny-s0"
    assert card.recipe["learning_rate"] == TINY.learning_rate
    assert card.shape == (12, 10, 3)
    assert card.parameters == 77_907
    assert card.images == 240
    assert card.device == "cpu"
    assert card.threads == (torch.get_num_threads(),)
    assert card.versions["torch"] == torch.__version__
    assert card.created
    assert [row.epoch for row in card.log] == [1, 2, 3, 4]
    assert [now.step for now in seen] == list(range(1, 29))
    assert {now.steps for now in seen} == {28}
    assert seen[6].loss == pytest.approx(card.log[0].loss, abs=1e-5)
    assert seen[6].accuracy == pytest.approx(card.log[0].accuracy, abs=1e-5)


def test_the_saved_weights_are_the_networks(dataset: Dataset, tmp_path: Path) -> None:
    trained = train(dataset)
    save_weights(trained, tmp_path / "w.safetensors")
    tensors, metadata = read_tensors(tmp_path / "w.safetensors")
    assert metadata == {"name": "quick-tiny-s0"}
    assert tensors.keys() == weights(trained).keys()
    assert all(torch.equal(tensors[key], value) for key, value in weights(trained).items())


def test_what_cannot_be_trained_is_refused(dataset: Dataset, make_dataset: MakeDataset) -> None:
    with pytest.raises(ParameterError, match=r"seed must be 0 or more.* Got -1"):
        train(dataset, seed=-1)
    with pytest.raises(ParameterError, match="device: expected auto or one of cpu"):
        train_network(dataset, "quick", TINY, 0, device="quantum")
    with pytest.raises(ParameterError, match="model: expected one of"):
        train_network(dataset, "vgg", TINY, 0)
    with pytest.raises(ParameterError, match="at least 16 x 16"):
        train_network(dataset, "convnet", TINY, 0)
    for count in (0, 1):
        few = Dataset("few", dataset.classes, {"train": dataset.train.take(range(count))}, "few")
        with pytest.raises(DatasetError, match="few"):
            train(few)
    nothing = Split("train", dataset.train.pixels(), np.zeros(240, int))
    with pytest.raises(DatasetError, match="one: expected 2 classes or more, found 1"):
        train(Dataset("one", ("all",), {"train": nothing}, "one"))
    assert len(make_dataset(train=2).train) == 2
    train(make_dataset(train=2), Recipe("r", epochs=1))


class Pictures:
    """Images that may differ in size and colour, as files do."""

    def __init__(self, *images: ByteArray) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, place: int) -> ByteArray:
        return self._images[place]


def of_pictures(name: str, *shapes: tuple[int, ...]) -> Split:
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, shape).astype(np.uint8) for shape in shapes]
    return Split(name, Pictures(*images), np.arange(len(shapes), dtype=np.int16) % 2)


GREY, COLOUR = (12, 10), (12, 10, 3)


@pytest.mark.parametrize(
    ("seen", "shapes"),
    [
        ([GREY, COLOUR, COLOUR], [COLOUR, GREY]),
        ([COLOUR, COLOUR], [GREY, GREY]),
        ([GREY, GREY], [GREY]),
    ],
)
def test_grey_images_among_coloured_ones_are_trained_on_and_predicted(
    seen: list[tuple[int, ...]], shapes: list[tuple[int, ...]]
) -> None:
    splits = {"train": of_pictures("train", *seen), "test": of_pictures("test", *shapes)}
    dataset = Dataset("mixed", ("a", "b"), splits, "mixed")
    trained = train(dataset, Recipe("r", epochs=1, batch_size=2))
    whole = predict(trained, dataset.test).probabilities
    # Each alone as well, though then no other says that the network is for colour.
    for place in range(len(shapes)):
        alone = predict(trained, dataset.test.take([place])).probabilities
        np.testing.assert_allclose(alone[0], whole[place], atol=1e-6)


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ([GREY, COLOUR], r"'test': expected images of \(12, 10, 1\).* Got \(12, 10, 3\)"),
        ([GREY, (13, 10)], "'test': prediction needs images of one size"),
        ([(13, 10), (13, 10)], r"'test': expected images of \(12, 10, 1\).* Got \(13, 10, 1\)"),
    ],
)
def test_images_that_cannot_be_predicted_are_refused_before_the_training(
    shapes: list[tuple[int, ...]], says: str
) -> None:
    splits = {"train": of_pictures("train", GREY, GREY), "test": of_pictures("test", *shapes)}
    steps: list[Progress] = []
    with pytest.raises(DatasetError, match=says):
        train(
            Dataset("mixed", ("a", "b"), splits, "mixed"), Recipe("r", epochs=1),
            on_step=steps.append,
        )  # fmt: skip
    assert steps == []


KILLED = """
import json, pathlib, sys
import torch
torch.set_num_threads(1)
from misread.datasets import load
from misread.models.recipe import Recipe
from misread.models.saved import save_weights
from misread.models.training import train_network

source, checkpoint, weights = sys.argv[1:]
recipe = Recipe("r", epochs=8, batch_size=64, optimizer="adamw", learning_rate=3e-3,
                schedule="one-cycle", warmup=0.25, shift=1, average_decay=0.99)
trained = train_network(load(source), "convnet", recipe, 5, device="cpu",
                        checkpoint=pathlib.Path(checkpoint))
save_weights(trained, pathlib.Path(weights))
print(json.dumps({"legs": len(trained.card.threads), "loss": [r.loss for r in trained.card.log]}))
"""


@pytest.mark.slow
def test_a_killed_process_is_resumed_to_the_same_bits(
    tmp_path: Path, make_dataset: MakeDataset, write_npz: Callable[[Path, Dataset], Path]
) -> None:
    """kill -9 as soon as there is a checkpoint; another process goes on."""
    source = write_npz(tmp_path / "bars.npz", make_dataset(train=192, shape=(16, 17, 3)))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def command(name: str) -> list[str]:
        files = [tmp_path / "one.checkpoint", tmp_path / f"{name}.safetensors"]
        if name == "whole":
            files[0] = tmp_path / "whole.checkpoint"
        return [sys.executable, "-c", KILLED, str(source), *map(str, files)]

    checkpoint = tmp_path / "one.checkpoint"
    process = subprocess.Popen(command("killed"), env=environment)
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9, "it ended before it could be killed"
    assert not (tmp_path / "killed.safetensors").exists()

    results = {}
    for name in ("resumed", "whole"):
        done = subprocess.run(
            command(name), env=environment, check=True, capture_output=True, text=True
        )
        results[name] = json.loads(done.stdout)
    assert (results["resumed"]["legs"], results["whole"]["legs"]) == (2, 1)
    assert results["resumed"]["loss"] == results["whole"]["loss"]
    one, _ = read_tensors(tmp_path / "resumed.safetensors")
    other, _ = read_tensors(tmp_path / "whole.safetensors")
    assert all(torch.equal(one[key], other[key]) for key in other)


def test_a_split_sorted_by_class_trains_as_well(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statistics of averaged weights come from all classes, wherever they lie."""
    shuffled = make_dataset(train=600)
    order = np.argsort(shuffled.train.labels, kind="stable")
    splits = {"train": shuffled.train.take(order), "test": shuffled.test}
    ordered = Dataset("ordered", shuffled.classes, splits, "bars")
    # Fewer than one class has.
    monkeypatch.setattr(training, "_NORM_IMAGES", 100)
    trained = train(ordered)
    found = predict(trained, ordered.test)
    assert np.mean(found.predicted != found.given) < 0.1


def test_a_training_that_diverges_says_so_and_leaves_no_checkpoint(
    dataset: Dataset, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "a.checkpoint"
    hot = Recipe("hot", epochs=2, batch_size=32, learning_rate=1e30)
    with pytest.raises(TrainingDivergedError, match=r"diverged; .* than 1e\+30"):
        train(dataset, hot, checkpoint=checkpoint)
    assert not checkpoint.exists()
