import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from misread.datasets import load
from misread.errors import StudyError
from misread.models import MODELS
from misread.store import Study
from misread.tables import Origin
from misread.workflows.demo import NOTE, demo_card, demo_predictions, make_demo


def test_the_demo_is_the_posts_network_on_the_test_split() -> None:
    predictions, digits = demo_predictions(), load("mnist")
    assert predictions.probabilities.shape == (10_000, 10)
    assert predictions.provenance.origin is Origin.HELD_OUT
    assert predictions.provenance.split == "test"
    assert predictions.provenance.items_fingerprint == digits.test.items_fingerprint
    assert predictions.classes == digits.classes
    np.testing.assert_array_equal(predictions.given, digits.test.labels)
    np.testing.assert_array_equal(predictions.index, np.arange(10_000))
    error = float((predictions.predicted != predictions.given).mean())
    assert 0.002 < error < 0.008


def test_its_card_belongs_to_it() -> None:
    card, provenance = demo_card(), demo_predictions().provenance
    assert card.name == provenance.run_name == "convnet-short-s0"
    assert card.parameters == 390_218
    assert card.images == 60_000
    assert card.recipe["epochs"] == len(card.log) == MODELS["convnet"].recipe().epochs
    assert card.items_fingerprint == load("mnist").train.items_fingerprint


def test_a_demo_study_is_ready_to_look_at(tmp_path: Path) -> None:
    result = make_demo(tmp_path / "demo")
    assert not result.trained
    assert list(result.splits) == ["test"]
    assert result.splits["test"].overview.exists()
    assert len(result.splits["test"].grids) == 10
    study = Study.open(tmp_path / "demo")
    assert study.note == NOTE
    assert study.newest_predictions("test").provenance.model == "convnet"
    assert make_demo(tmp_path / "demo").card == result.card  # twice is fine


def test_another_study_is_not_overwritten(tmp_path: Path) -> None:
    digits = load("mnist")
    other = type(digits)("few", digits.classes, {"test": digits.test.take([0, 1])}, "few")
    Study.create(tmp_path, other)
    with pytest.raises(StudyError, match="name another folder"):
        make_demo(tmp_path)


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    code = """
import json, sys
from misread import make_demo
result = make_demo()
print(json.dumps([str(result.study.path), sorted({"torch", "safetensors"} & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [str(tmp_path / "mnist-demo-study"), []]
