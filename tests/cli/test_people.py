"""Commands of the reader study: what people read, against each model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from misread.datasets import Dataset, load
from misread.store import Study
from misread.tables import Predictions

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    make_predictions: Callable[..., Predictions],
    write_npz: Callable[[Path, Dataset], Path],
) -> Study:
    """60 images, of which a model misreads 0 to 4 as the next class."""
    dataset = load(str(write_npz(tmp_path / "bars.npz", make_dataset(test=60))))
    labels = dataset.test.labels.astype(int)
    probabilities = [
        [0.9 if k == (label + (index < 5)) % 3 else 0.05 for k in range(3)]
        for index, label in enumerate(labels)
    ]
    made = Study.create(tmp_path / "bars-study", dataset)
    made.save_predictions(make_predictions(dataset.test, probabilities, model="net"))
    return made


def simulate(invoke: Invoke, name: str = "programs") -> str:
    code, out, err = invoke(
        "simulate-readers",
        "--readers",
        "2",
        "--error-easy",
        "0.1",
        "--error-hard",
        "0.5",
        "--name",
        name,
    )
    assert (code, err) == (0, "")
    return out


@pytest.mark.parametrize(("alpha", "confidence"), [("0.05", "95%"), ("0.1", "90%")])
def test_intervals_are_called_what_the_plan_fixed(
    invoke: Invoke, study: Study, alpha: str, confidence: str
) -> None:
    assert invoke("plan", "--answers", "40", "--alpha", alpha)[0] == 0
    told = simulate(invoke)
    assert f"error ({confidence} interval)" in told
    assert f"Intervals ({confidence}) are about these 60 images" in told
    code, out, _ = invoke("people", "--json")
    assert code == 0
    assert json.loads(out)["confidence"] == 1 - float(alpha)
