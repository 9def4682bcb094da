import os
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from misread.errors import ParameterError
from misread.models.catalogue import MODELS
from misread.models.convnet import ConvNet, build

MNIST = (28, 28, 1)


def test_the_post_counts_390218_parameters() -> None:
    network = build(MNIST, 10)
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    running = sum(b.numel() for b in network.buffers() if b.ndim)
    assert trainable == 390_218
    assert trainable + running == 390_922  # as Keras' summary counts
    assert "390,218" in MODELS["convnet"].summary


def post_model(keras: Any) -> Any:
    """The post's model, written as its Keras code was."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(64, 5, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def randomise(model: Any, generator: np.random.Generator) -> None:
    """Weights and batch-norm statistics that no layer could ignore unnoticed."""
    for layer in model.layers:
        weights = layer.get_weights()
        if len(weights) == 4:  # gamma, beta, moving mean, moving variance
            count = len(weights[0])
            layer.set_weights(
                [
                    generator.uniform(0.5, 1.5, count),
                    generator.normal(0, 0.3, count),
                    generator.normal(0, 0.3, count),
                    generator.uniform(0.2, 2, count),
                ]
            )
        elif weights:
            kernel, bias = weights
            scale = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            layer.set_weights(
                [generator.normal(0, scale, kernel.shape), generator.normal(0, 0.1, bias.shape)]
            )


def copy_weights(model: Any, network: ConvNet) -> None:
    """Keras' kernels are HWIO and its flattened features channels-last; ours OIHW and first."""
    from_keras = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    kinds = nn.Conv2d | nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d
    ours = [layer for layer in network.modules() if isinstance(layer, kinds)]
    first_dense = True
    for arrays, layer in zip(from_keras, ours, strict=True):
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            targets = [layer.weight, layer.bias, layer.running_mean, layer.running_var]
        elif isinstance(layer, nn.Conv2d):
            arrays[0] = arrays[0].transpose(3, 2, 0, 1)
            assert layer.bias is not None
            targets = [layer.weight, layer.bias]
        else:
            if first_dense:
                kernel = arrays[0].reshape(4, 4, 128, 128)  # (row, column, channel, out)
                arrays[0] = kernel.transpose(2, 0, 1, 3).reshape(2048, 128)
                first_dense = False
            arrays[0] = arrays[0].T
            targets = [layer.weight, layer.bias]
        with torch.no_grad():
            for array, target in zip(arrays, targets, strict=True):
                assert array.shape == tuple(target.shape)
                target.copy_(torch.from_numpy(np.array(array)))


# Keras' own conversion of torch tensors to NumPy arrays.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
@pytest.mark.slow
def test_it_is_the_posts_keras_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("keras was imported with another backend")
    model = post_model(keras)
    assert model.count_params() == 390_922
    generator = np.random.default_rng(0)
    randomise(model, generator)
    network = build(MNIST, 10)
    copy_weights(model, network)
    images = generator.uniform(0, 1, (32, 28, 28, 1)).astype(np.float32)
    with torch.no_grad():
        expected = np.asarray(model(images, training=False).cpu())
        logits = network.eval()(torch.from_numpy(images).permute(0, 3, 1, 2))
    found = logits.softmax(dim=1).numpy()
    assert expected.std() > 0.05  # the comparison isn't one of ten equal numbers
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_constants_of_batch_norm_are_keras_s() -> None:
    norms = [
        m for m in build(MNIST, 10).modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    assert len(norms) == 4
    assert all(norm.eps == 1e-3 for norm in norms)
    assert all(norm.momentum == pytest.approx(0.01) for norm in norms)


def test_initial_weights_are_glorot_uniform() -> None:
    """Uniform in +-sqrt(6 / (fan in + fan out)), in Keras' sense of a convolution's fans."""
    torch.manual_seed(0)
    network = build(MNIST, 10)
    fans = {
        "features.0": (25 * 1, 25 * 32),
        "features.3": (25 * 32, 25 * 64),
        "features.7": (9 * 64, 9 * 128),
        "classifier.2": (2048, 128),
        "classifier.6": (128, 10),
    }
    for name, (fan_in, fan_out) in fans.items():
        layer = network.get_submodule(name)
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        bound = np.sqrt(6 / (fan_in + fan_out))
        weight = layer.weight.detach()
        assert float(weight.abs().max()) <= bound
        assert float(weight.abs().max()) > 0.97 * bound
        assert float(weight.std()) == pytest.approx(bound / np.sqrt(3), rel=0.05)
        assert layer.bias is not None
        assert not layer.bias.any()


@pytest.mark.parametrize(
    ("shape", "classes"),
    [((28, 28, 1), 10), ((16, 16, 1), 2), ((17, 31, 3), 5), ((40, 16, 3), 100), ((32, 32, 3), 1)],
)
def test_other_shapes_give_logits(shape: tuple[int, int, int], classes: int) -> None:
    height, width, channels = shape
    logits = build(shape, classes).eval()(torch.zeros(3, channels, height, width))
    assert logits.shape == (3, classes)


@pytest.mark.parametrize("shape", [(15, 28, 1), (28, 15, 1), (8, 8, 3), (1, 1, 1)])
def test_images_that_are_too_small_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ParameterError) as caught:
        build(shape, 10)
    assert f"Got {shape[0]} x {shape[1]} instead" in str(caught.value)
    assert "16 x 16" in str(caught.value)
