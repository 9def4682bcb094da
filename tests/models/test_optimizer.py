import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from misread.models.optimizer import build_average, build_optimizer, learning_rate
from misread.models.recipe import Recipe

CYCLE = Recipe("r", epochs=1, learning_rate=0.01, schedule="one-cycle", warmup=0.25)
CPU = torch.device("cpu")


def test_a_constant_rate_is_constant() -> None:
    recipe = Recipe("r", epochs=1, learning_rate=0.01)
    assert {learning_rate(recipe, step, 50) for step in range(50)} == {0.01}


def test_one_cycle_rises_in_a_line_to_its_peak_and_falls_as_a_cosine() -> None:
    rates = np.array([learning_rate(CYCLE, step, 400) for step in range(400)])
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[100] == rates.max() == pytest.approx(0.01)
    np.testing.assert_allclose(np.diff(rates[:101], 2), 0, atol=1e-12)
    assert (np.diff(rates[:101]) > 0).all()
    assert (np.diff(rates[100:]) < 0).all()
    assert rates[250] == pytest.approx(0.005)  # half way down
    assert 0 < rates[-1] < 1e-6


@given(st.integers(1, 10_000), st.floats(0, 0.99), st.floats(1e-6, 1))
def test_rates_are_positive_and_below_the_peak(steps: int, warmup: float, peak: float) -> None:
    recipe = Recipe("r", epochs=1, learning_rate=peak, schedule="one-cycle", warmup=warmup)
    for step in {0, steps // 3, steps // 2, steps - 1}:
        rate = learning_rate(recipe, step, steps)
        assert math.isfinite(rate)
        assert 0 < rate <= peak * (1 + 1e-9)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def test_only_matrices_decay() -> None:
    made = network()
    recipe = Recipe("r", epochs=1, optimizer="adamw", weight_decay=0.5, epsilon=1e-6, beta2=0.99)
    optimizer = build_optimizer(made, recipe, CPU)
    decays = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert len(decays) == len(list(made.parameters()))
    for parameter in made.parameters():
        assert decays[id(parameter)] == (0.5 if parameter.ndim > 1 else 0)
    for group in optimizer.param_groups:
        assert group["eps"] == 1e-6
        assert group["betas"] == (0.9, 0.99)


@pytest.mark.parametrize("beta2", [0.999, 0.9])
def test_adam_is_adam(beta2: float) -> None:
    """Three steps against Kingma & Ba's algorithm 1 in NumPy."""
    made = nn.Linear(5, 2, bias=False)
    recipe = Recipe("r", epochs=1, learning_rate=0.1, epsilon=1e-7, beta2=beta2)
    optimizer = build_optimizer(made, recipe, CPU)
    weight = made.weight.detach().numpy().astype(np.float64).copy()
    first, second = np.zeros_like(weight), np.zeros_like(weight)
    generator = np.random.default_rng(0)
    for step in range(1, 4):
        gradient = generator.normal(size=weight.shape)
        made.weight.grad = torch.from_numpy(gradient.astype(np.float32))
        optimizer.step()
        first = 0.9 * first + 0.1 * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        corrected = first / (1 - 0.9**step), second / (1 - beta2**step)
        weight -= 0.1 * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
        np.testing.assert_allclose(made.weight.detach().numpy(), weight, rtol=1e-5, atol=1e-6)


def test_no_decay_means_no_average() -> None:
    assert build_average(network(), Recipe("r", epochs=1)) is None


def test_the_average_is_that_of_a_slow_loop() -> None:
    made = network()
    average = build_average(made, Recipe("r", epochs=1, average_decay=0.9))
    assert average is not None
    generator = np.random.default_rng(1)
    expected: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    for number in range(150):
        with torch.no_grad():
            for parameter in made.parameters():
                noise = generator.normal(size=tuple(parameter.shape)).astype(np.float32)
                parameter.add_(torch.from_numpy(noise))
        average.update_parameters(made)
        current = [p.detach().numpy().astype(np.float64) for p in made.parameters()]
        if number == 0:
            expected = current  # the first weights are the first average
            continue
        decay = min(0.9, (1 + number) / (10 + number))
        expected = [decay * e + (1 - decay) * c for e, c in zip(expected, current, strict=True)]
    for ours, oracle in zip(average.module.parameters(), expected, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), oracle, rtol=1e-4, atol=1e-4)
