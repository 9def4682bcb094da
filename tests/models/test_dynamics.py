from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.datasets import Dataset
from misread.models.dynamics import DynamicsRecorder
from misread.models.recipe import Recipe
from misread.models.training import train_network
from misread.tables import Dynamics, Origin, Provenance

PROVENANCE = Provenance("quick", "short", 0, "train", Origin.IN_SAMPLE, ("a", "b"), "", "")
CPU = torch.device("cpu")


@dataclass
class Drawing:
    """One image as it was drawn."""

    epoch: int
    image: int
    logits: list[float]
    given: int


def by_hand(drawings: list[Drawing], images: int, epochs: int) -> dict[str, list[float]]:
    """Pleiss et al. (2020), eq. 2, and Toneva et al. (2019), definition 1, image by image."""
    margins: list[list[float]] = [[] for _ in range(images)]
    first = [float(epochs + 1)] * images
    forgotten = [0.0] * images
    was_right = [False] * images
    for each in drawings:
        of_given = each.logits[each.given]
        other = max(logit for k, logit in enumerate(each.logits) if k != each.given)
        margins[each.image].append(of_given - other)
        right = of_given > other
        if right and first[each.image] > epochs:
            first[each.image] = each.epoch
        if was_right[each.image] and not right:
            forgotten[each.image] += 1
        was_right[each.image] = right
    return {
        "area_under_margin": [sum(m) / len(m) if m else 0.0 for m in margins],
        "first_learned": first,
        "forgotten": forgotten,
    }


def assert_same(table: Dynamics, expected: dict[str, list[float]]) -> None:
    for name, values in expected.items():
        found = getattr(table, name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, values, atol=1e-4, err_msg=name)


@given(
    data=st.data(), images=st.integers(1, 12), classes=st.integers(2, 4), epochs=st.integers(1, 6)
)
@settings(deadline=None)
def test_the_record_is_that_of_a_slow_loop(
    data: st.DataObject, images: int, classes: int, epochs: int
) -> None:
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    given = generator.integers(0, classes, images)
    recorder, drawings = DynamicsRecorder(images, CPU), []
    for epoch in range(1, epochs + 1):
        # Some images sit an epoch out; logits are few whole numbers, so that some tie.
        order = generator.permutation(images)[: generator.integers(0, images + 1)]
        for batch in np.array_split(order, 2):
            logits = generator.integers(-2, 3, (len(batch), classes)).astype(np.float32)
            recorder.record(
                epoch, torch.from_numpy(batch), torch.from_numpy(logits),
                torch.from_numpy(given[batch]),
            )  # fmt: skip
            drawings += [
                Drawing(epoch, int(image), row.tolist(), int(given[image]))
                for image, row in zip(batch, logits, strict=True)
            ]
    table = recorder.table(epochs, PROVENANCE)
    assert (table.epochs, table.networks, table.provenance) == (epochs, 1, PROVENANCE)
    assert table.index.tolist() == list(range(images))
    assert_same(table, by_hand(drawings, images, epochs))


def test_a_checkpoint_holds_all_of_it() -> None:
    generator = np.random.default_rng(0)
    given = torch.arange(20) % 3

    def record(recorder: DynamicsRecorder, epochs: range) -> None:
        for epoch in epochs:
            logits = torch.from_numpy(generator.normal(size=(20, 3)).astype(np.float32))
            recorder.record(epoch, torch.arange(20), logits, given)

    whole, first = DynamicsRecorder(20, CPU), DynamicsRecorder(20, CPU)
    record(whole, range(1, 5))
    generator = np.random.default_rng(0)
    record(first, range(1, 3))
    second = DynamicsRecorder(20, CPU)
    second.restore({name: tensor.clone() for name, tensor in first.tensors().items()})
    record(second, range(3, 5))
    for field in ("area_under_margin", "first_learned", "forgotten"):
        one, other = (getattr(r.table(4, PROVENANCE), field) for r in (whole, second))
        np.testing.assert_array_equal(one, other)


def test_what_does_not_fit_is_not_restored() -> None:
    recorder = DynamicsRecorder(20, CPU)
    tensors = recorder.tensors()
    with pytest.raises(KeyError, match="drawn"):
        recorder.restore({name: t for name, t in tensors.items() if name != "drawn"})
    with pytest.raises(RuntimeError):
        recorder.restore(DynamicsRecorder(21, CPU).tensors())


def test_a_training_records_its_own_logits(
    make_dataset: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the training hands over is what the table is of: nothing is predicted again."""
    dataset = make_dataset(train=50)
    drawings: list[Drawing] = []
    record = DynamicsRecorder.record

    def listen(self: DynamicsRecorder, epoch: int, drawn: Any, logits: Any, labels: Any) -> None:
        rows = zip(drawn.tolist(), logits.tolist(), labels.tolist(), strict=True)
        drawings.extend(Drawing(epoch, image, row, label) for image, row, label in rows)
        record(self, epoch, drawn, logits, labels)

    monkeypatch.setattr(DynamicsRecorder, "record", listen)
    # 50 images in batches of 16: two sit each epoch out.
    recipe = Recipe("tiny", epochs=4, batch_size=16, learning_rate=3e-3, shift=1)
    trained = train_network(dataset, "quick", recipe, 0, device="cpu")
    assert len(drawings) == 4 * 48
    assert all(dataset.train.labels[each.image] == each.given for each in drawings)
    assert trained.dynamics.provenance.origin == Origin.IN_SAMPLE
    assert_same(trained.dynamics, by_hand(drawings, 50, 4))
    assert len(set(trained.dynamics.first_learned.tolist())) > 1
