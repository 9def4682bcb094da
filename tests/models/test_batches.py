from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from misread.models.batches import TrainingBatches, as_tensor, epoch_seed, image_shape, to_input
from misread.types import Array

SHAPES = [(6, 7), (6, 7, 1), (5, 8, 3)]


def images(count: int, shape: tuple[int, ...]) -> Array:
    """No two images, and no two pixels of one, are alike by accident."""
    generator = np.random.default_rng(0)
    return generator.integers(1, 256, (count, *shape), dtype=np.uint8)


def batches(pixels: Array, batch_size: int = 4, shift: int = 0, seed: int = 0) -> TrainingBatches:
    # The label is the image's number, so that a batch tells which images it holds.
    return TrainingBatches(pixels, np.arange(len(pixels), dtype=np.int16), batch_size, shift, seed)


def epoch(made: TrainingBatches, number: int) -> tuple[Tensor, Tensor]:
    drawn = list(made.epoch(number))
    return torch.cat([x for x, _, _ in drawn]), torch.cat([y for _, y, _ in drawn])


@pytest.mark.parametrize(("count", "size"), [(20, 4), (21, 4), (3, 256), (2, 2), (257, 256)])
def test_every_image_comes_at_most_once_an_epoch(count: int, size: int) -> None:
    made = batches(images(count, (6, 7)), size)
    drawn = list(made.epoch(1))
    used = min(size, count)
    assert len(drawn) == len(made) == count // used
    assert all(x.shape == (used, 6, 7, 1) and y.shape == (used,) for x, y, _ in drawn)
    assert all(torch.equal(y, position) for _, y, position in drawn)
    labels = torch.cat([y for _, y, _ in drawn]).tolist()
    assert len(set(labels)) == len(labels) == used * (count // used)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_shift_images_are_as_they_were(shape: tuple[int, ...]) -> None:
    pixels = images(12, shape)
    drawn, labels = epoch(batches(pixels), 1)
    expected = pixels[labels.numpy()].reshape(drawn.shape)
    np.testing.assert_array_equal(drawn.numpy(), expected)
    assert drawn.dtype == torch.uint8
    assert labels.dtype == torch.int64


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [1, 2])
def test_shifts_are_crops_of_the_zero_padded_image(shape: tuple[int, ...], shift: int) -> None:
    pixels = images(30, shape)
    height, width = shape[:2]
    made = batches(pixels, 5, shift)
    seen = set()
    for number in range(1, 13):
        drawn, labels = epoch(made, number)
        for picture, label in zip(drawn.numpy(), labels.tolist(), strict=True):
            original = pixels[label].reshape(height, width, -1)
            padded = np.pad(original, ((shift, shift), (shift, shift), (0, 0)))
            places = [
                (row, column)
                for row, column in product(range(2 * shift + 1), repeat=2)
                if np.array_equal(picture, padded[row : row + height, column : column + width])
            ]
            assert len(places) == 1
            seen.add(places[0])
    assert len(seen) == (2 * shift + 1) ** 2  # every shift occurs


def test_an_epoch_is_decided_by_seed_and_number_alone() -> None:
    pixels = images(40, (6, 7))
    first, other = batches(pixels, shift=1, seed=3), batches(pixels, shift=1, seed=3)
    list(first.epoch(1))
    for number in (2, 5):
        for a, b in zip(epoch(first, number), epoch(other, number), strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(epoch(first, 1)[1], epoch(first, 2)[1])
    assert not torch.equal(epoch(first, 1)[1], epoch(batches(pixels, shift=1, seed=4), 1)[1])


def test_batches_do_not_draw_from_the_global_generator() -> None:
    before = torch.get_rng_state()
    epoch(batches(images(20, (6, 7)), shift=2), 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_epoch_seeds_differ() -> None:
    """200,000 pairs, neighbouring and large ones: all distinct, all fit 63 bits."""
    seeds = [*range(1_900), *(2**31 - 1 - k for k in range(50)), *(2**63 + k for k in range(50))]
    found = [epoch_seed(seed, number) for seed in seeds for number in range(100)]
    assert len(found) == 200_000
    assert len(set(found)) == len(found)
    assert all(0 <= seed < 2**63 for seed in found)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**20), st.integers(1, 2**20))
def test_neighbouring_epochs_never_share_a_seed(seed: int, number: int, step: int) -> None:
    assert epoch_seed(seed, number) != epoch_seed(seed, number + step)


def test_to_input_scales_and_puts_channels_first() -> None:
    pixels = images(4, (5, 8, 3))
    found = to_input(as_tensor(pixels), torch.device("cpu"))
    expected = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_as_tensor_takes_what_is_read_only() -> None:
    pixels = images(4, (5, 8))
    pixels.flags.writeable = False
    assert as_tensor(pixels).shape == (4, 5, 8, 1)
    np.testing.assert_array_equal(as_tensor(pixels[::-1])[:, :, :, 0].numpy(), pixels[::-1])


@pytest.mark.parametrize(("shape", "says"), [((3, 4, 5), (4, 5, 1)), ((3, 4, 5, 3), (4, 5, 3))])
def test_image_shape(shape: tuple[int, ...], says: tuple[int, int, int]) -> None:
    assert image_shape(np.zeros(shape, np.uint8)) == says
