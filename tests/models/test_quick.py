import pytest
import torch

from misread.errors import ParameterError
from misread.models.quick import build


def expected_parameters(channels: int, classes: int) -> int:
    """Convolutions without bias, two numbers a channel for each norm, one dense layer."""
    convolutions = [(5, channels, 16), (3, 16, 32), (3, 32, 32), (3, 32, 48), (3, 48, 48)]
    convolutions.append((3, 48, 64))
    layers = sum(size**2 * before * after + 2 * after for size, before, after in convolutions)
    return layers + 64 * classes + classes


@pytest.mark.parametrize(("channels", "classes", "count"), [(1, 10, 77_562), (3, 3, 77_907)])
def test_number_of_parameters(channels: int, classes: int, count: int) -> None:
    network = build((28, 28, channels), classes)
    assert sum(p.numel() for p in network.parameters()) == count
    assert expected_parameters(channels, classes) == count
    small = build((8, 9, channels), classes)  # padded instead of valid, with the same weights
    assert sum(p.numel() for p in small.parameters()) == count


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        ((28, 28, 1), 10),
        ((8, 8, 1), 2),
        ((9, 21, 3), 5),
        ((64, 33, 3), 100),
        ((12, 10, 3), 1),
        ((4, 4, 1), 2),
        ((23, 22, 1), 2),
    ],
)
def test_any_shape_gives_logits(shape: tuple[int, int, int], classes: int) -> None:
    height, width, channels = shape
    network = build(shape, classes)
    assert network.eval()(torch.rand(4, channels, height, width)).shape == (4, classes)
    assert network.train()(torch.rand(2, channels, height, width)).shape == (2, classes)


@pytest.mark.parametrize("shape", [(3, 28, 1), (28, 3, 1), (1, 1, 3)])
def test_images_that_are_too_small_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ParameterError) as caught:
        build(shape, 10)
    assert f"Got {shape[0]} x {shape[1]} instead" in str(caught.value)
