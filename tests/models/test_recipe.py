import dataclasses
from typing import Any

import pytest

from misread.errors import ParameterError
from misread.models import MODELS, Recipe, find_model
from misread.models.recipe import fill_in


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "my recipe"},
        {"name": ""},
        {"epochs": 0},
        {"epochs": -3},
        {"batch_size": 1},
        {"optimizer": "sgd"},
        {"schedule": "cosine"},
        {"learning_rate": 0.0},
        {"learning_rate": -1e-3},
        {"learning_rate": float("nan")},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"epsilon": -1.0},
        {"beta2": 1.0},
        {"beta2": -0.5},
        {"weight_decay": -0.01},
        {"label_smoothing": 1.5},
        {"label_smoothing": -0.1},
        {"shift": -1},
        {"average_decay": 1.0},
        {"average_decay": -0.5},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"name": "mine", "epochs": 3}
    with pytest.raises(ParameterError) as caught:
        Recipe(**(settings | changes))
    assert next(iter(changes)) in str(caught.value)
    assert "Got" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_length_has_another_name() -> None:
    recipe = Recipe("short", epochs=3, shift=2)
    longer = recipe.with_epochs(10)
    assert longer == dataclasses.replace(recipe, epochs=10, name="short-e10")
    assert recipe.with_epochs(None) is recipe
    assert recipe.with_epochs(3) is recipe
    with pytest.raises(ParameterError, match=r"epochs must be 1 or more\. Got 0"):
        recipe.with_epochs(0)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_short_recipe(name: str) -> None:
    spec = find_model(name)
    assert spec.name == name
    assert spec.recipe().name == next(iter(spec.recipes)) == "short"
    assert spec.recipe("short", 7).name == "short-e7"


@pytest.mark.parametrize("name", ["convnet", "quick"])
def test_networks_that_give_logits_have_the_posts_recipe(name: str) -> None:
    post = find_model(name).recipe("post")
    assert (post.epochs, post.batch_size, post.optimizer) == (20, 128, "adam")
    assert (post.schedule, post.shift, post.average_decay) == ("constant", 0, 0)
    assert (post.learning_rate, post.epsilon) == (1e-3, 1e-7)


@pytest.mark.parametrize("name", ["precision", "reconstruction"])
def test_settings_that_an_older_version_lacked_have_their_defaults(name: str) -> None:
    recipe = Recipe("r", epochs=3, shift=2)
    older = dataclasses.asdict(recipe)
    del older[name]
    assert fill_in(older) == dataclasses.asdict(recipe)
    assert fill_in(older | {"shift": 1}) != dataclasses.asdict(recipe)
    changes: dict[str, Any] = {name: "high"}
    with pytest.raises(ParameterError, match=f"{name} must be"):
        dataclasses.replace(recipe, **changes)


def test_unknown_names_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        ParameterError, match=r"expected one of convnet, quick, .*em-capsnet-full\. Got 'vgg'"
    ):
        find_model("vgg")
    with pytest.raises(ParameterError, match=r"one of short, post\. Got 'long'"):
        find_model("quick").recipe("long")
