from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from misread.errors import StudyError
from misread.models.checkpoint import TrainingState, read_tensors, write_tensors
from misread.models.dynamics import DynamicsRecorder
from misread.models.optimizer import build_average, build_optimizer
from misread.models.recipe import Recipe

RECIPE = Recipe("r", epochs=1, optimizer="adamw", weight_decay=0.1, average_decay=0.9)


def state(seed: int, recipe: Recipe = RECIPE) -> TrainingState:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 3))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TrainingState(
        network,
        build_optimizer(network, recipe, torch.device("cpu")),
        build_average(network, recipe),
        DynamicsRecorder(8, torch.device("cpu")),
    )


def step(made: TrainingState, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(8, 2, 6, 6, generator=generator)
    made.optimizer.zero_grad()
    made.network(images).square().sum().backward()
    made.optimizer.step()
    if made.average is not None:
        made.average.update_parameters(made.network)


@pytest.mark.parametrize("recipe", [RECIPE, Recipe("r", epochs=1)], ids=["adamw", "adam"])
def test_a_restored_state_goes_on_as_the_original(tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "a.checkpoint"
    original, restored = state(0, recipe), state(1, recipe)
    step(original, 1)
    step(original, 2)
    write_tensors(path, original.tensors(), {"n": 2, "text": "é"})
    tensors, metadata = read_tensors(path)
    assert metadata == {"n": 2, "text": "é"}
    restored.restore(tensors)
    step(original, 3)
    step(restored, 3)
    one, other = original.tensors(), restored.tensors()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert any(key.startswith("optimizer.") for key in one)


@pytest.mark.parametrize("part", ["network.", "optimizer.", "average.", "optimizer.0.exp_avg"])
def test_a_state_that_lacks_tensors_is_not_restored(part: str) -> None:
    """Otherwise the training would go on with fresh moments and nobody would know."""
    original = state(0)
    step(original, 1)
    tensors = {key: t for key, t in original.tensors().items() if not key.startswith(part)}
    with pytest.raises((RuntimeError, KeyError, ValueError, StudyError)):
        state(1).restore(tensors)


def test_moments_of_another_shape_are_not_restored() -> None:
    original = state(0)
    step(original, 1)
    tensors = original.tensors() | {"optimizer.0.exp_avg": torch.zeros(7)}
    with pytest.raises((RuntimeError, KeyError, ValueError, StudyError)):
        state(1).restore(tensors)


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, state(0).network.state_dict(), {"name": "x"})
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    variants = [content[:length] for length in range(0, len(content), 23)]
    for position in range(min(len(content), 900)):
        damaged = bytearray(content)
        damaged[position] ^= int(generator.integers(1, 256))
        variants.append(bytes(damaged))
    variants += [b"", b"{}", b"\xff" * 64, (2).to_bytes(8, "little") + b"{}"]
    for variant in variants:
        path.write_bytes(variant)
        try:
            read_tensors(path)
        except StudyError as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="absent"):
        read_tensors(tmp_path / "absent")


def test_weights_of_others_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(StudyError, match="expected weights saved by misread"):
        read_tensors(tmp_path / "other.safetensors")
