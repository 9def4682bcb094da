"""Drawings and their errors against loops over the capsules' numbers."""

import importlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

from misread.datasets import Split
from misread.errors import DatasetError, ParameterError
from misread.models import MODELS, reconstruction
from misread.models.capsnet import build as build_capsnet
from misread.models.capsules import VectorCapsules
from misread.models.efficient_capsnet import build as build_efficient
from misread.models.reconstruction import reconstruct, reconstruction_errors, turn
from misread.types import Array

Build = Callable[[tuple[int, int, int], int], VectorCapsules]


def make(
    build: Build = build_efficient, shape: tuple[int, ...] = (13, 12, 3), count: int = 7
) -> tuple[VectorCapsules, Split]:
    torch.manual_seed(0)
    network = build((shape[0], shape[1], shape[2] if len(shape) == 3 else 1), 4).eval()
    with torch.no_grad():
        # Fresh weights draw the same grey for everything.
        for parameter in network.decoder.parameters():
            parameter.mul_(6)
    drawn = np.random.default_rng(1).integers(0, 256, (count, *shape), dtype=np.uint8)
    return network, Split("test", drawn, np.arange(count, dtype=np.int16) % 4)


def draw_in_loops(network: VectorCapsules, capsule: Array, label: int) -> Array:
    """An image (H, W, C) of one class's capsule (D,): every other number of the vector is 0."""
    vector = [0.0] * (4 * len(capsule))
    for place, number in enumerate(capsule):
        vector[label * len(capsule) + place] = float(number)
    flat = network.decoder.layers(torch.tensor([vector]))[0].detach().numpy()
    channels, height, width = network.decoder.shape
    image = np.empty((height, width, channels))
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                image[row, column, channel] = flat[(channel * height + row) * width + column]
    return image


def capsules_of(network: VectorCapsules, split: Split) -> Array:
    images = torch.from_numpy(np.array(split.images)).float().div(255)
    if images.ndim == 3:
        images = images[..., None]
    with torch.no_grad():
        found: Array = network.capsules(images.permute(0, 3, 1, 2)).numpy()
    return found


@pytest.mark.parametrize(
    ("build", "shape"),
    [(build_efficient, (13, 12, 3)), (build_efficient, (12, 13)), (build_capsnet, (18, 17, 3))],
)
def test_drawings_and_errors_are_what_loops_compute(
    monkeypatch: pytest.MonkeyPatch, build: Build, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(reconstruction, "_BATCH", 3)
    network, split = make(build, shape)
    chosen = np.stack([split.labels, (split.labels + 1) % 4], axis=1)
    seen: list[int] = []
    drawings = reconstruct(network, split, chosen)
    errors = reconstruction_errors(network, split, chosen, seen.append)
    channels = shape[2] if len(shape) == 3 else 1
    assert drawings.shape == (7, 2, shape[0], shape[1], channels)
    assert drawings.dtype == errors.dtype == np.float32
    assert errors.shape == (7, 2)
    assert seen == [3, 3, 1]
    capsules = capsules_of(network, split)
    for n in range(7):
        for r in range(2):
            label = int(chosen[n, r])
            expected = draw_in_loops(network, capsules[n, label], label)
            np.testing.assert_allclose(drawings[n, r], expected, atol=1e-5)
            image = np.asarray(split.images[n]).reshape(expected.shape)
            total = sum(
                (a / 255 - b) ** 2 for a, b in zip(image.ravel(), expected.ravel(), strict=True)
            )
            assert errors[n, r] == pytest.approx(total / expected.size, rel=1e-4)
    # Two classes draw different images: the rest is masked out.
    assert np.abs(drawings[:, 0] - drawings[:, 1]).max() > 0.01


def test_turning_adds_to_one_number_at_a_time() -> None:
    network, split = make()
    steps = np.array([-0.25, 0.0, 0.1])
    drawings = turn(network, np.asarray(split.images[2]), 3, steps)
    assert drawings.shape == (16, 3, 13, 12, 3)
    capsule = capsules_of(network, split)[2, 3]
    for number in range(16):
        for column, step in enumerate(steps):
            turned = capsule.copy()
            turned[number] += step
            expected = draw_in_loops(network, turned, 3)
            np.testing.assert_allclose(drawings[number, column], expected, atol=1e-5)
    as_it_is = reconstruct(network, split.take([2]), np.array([[3]]))[0, 0]
    for row in drawings[:, 1]:
        np.testing.assert_allclose(row, as_it_is, atol=1e-6)
    assert np.abs(drawings[:, 0] - drawings[:, 2]).max(axis=(1, 2, 3)).min() > 1e-4


def test_no_image_has_no_drawing() -> None:
    network, split = make()
    none = split.take([])
    assert reconstruct(network, none, np.empty((0, 2), np.int64)).shape == (0, 2, 13, 12, 3)
    assert reconstruction_errors(network, none, np.empty((0, 2), np.int64)).shape == (0, 2)


def test_grey_images_of_a_coloured_split_get_its_channels() -> None:
    network, split = make()
    grey = np.ascontiguousarray(np.asarray(split.images)[..., 0])
    threefold = np.repeat(grey[..., None], 3, axis=3)
    chosen = split.labels[:, None]
    found = reconstruction_errors(network, Split("test", grey, split.labels), chosen)
    expected = reconstruction_errors(network, Split("test", threefold, split.labels), chosen)
    np.testing.assert_array_equal(found, expected)


def test_other_images_and_other_networks_are_refused() -> None:
    network, split = make()
    other = Split("test", np.zeros((2, 12, 13, 3), np.uint8), np.zeros(2, np.int16))
    with pytest.raises(DatasetError, match=r"expected images of \(13, 12, 3\).*\(12, 13, 3\)"):
        reconstruct(network, other, np.zeros((2, 1), np.int64))
    with pytest.raises(DatasetError, match=r"\(12, 13, 3\)"):
        turn(network, np.zeros((12, 13, 3), np.uint8), 0, np.zeros(1))
    plain = torch.nn.Linear(1, 1)
    for call in (reconstruct, reconstruction_errors):
        with pytest.raises(ParameterError, match=r"expected a network with a decoder\. Got Linear"):
            call(plain, split, split.labels[:, None])
    with pytest.raises(ParameterError, match="with a decoder"):
        turn(plain, np.asarray(split.images[0]), 0, np.zeros(1))


def test_the_catalogue_says_which_networks_draw() -> None:
    for spec in MODELS.values():
        network = importlib.import_module(spec.module).build((28, 28, 1), 3, **spec.options)
        assert isinstance(network, VectorCapsules) == spec.decoder, spec.name
