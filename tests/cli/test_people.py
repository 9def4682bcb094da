"""Commands of the reader study: what people read, against each model."""

import json
import re
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


def test_verdicts_stand_beside_the_labels(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "60")[0] == 0
    before = simulate(invoke)
    assert "As labelled. Intervals" in before and "after verdicts" not in before
    label = int(study.load_dataset().test.labels[0])
    study.verdicts.decide("test", [0], "label", (label + 1) % 3, event="a", tab="t", given=[label])
    study.verdicts.close()
    code, out, _ = invoke("people")
    assert code == 0
    assert "verdicts on 1 image: another label 1, refuted without another 0, left open 0" in out
    assert re.search(r"net-imported-s0 +8\.33% +6\.67% +6\.67% +6\.67%", out)
    assert "Reviewed of the images: 1 of the 5 that net-imported-s0 misreads" in out
    found = json.loads(invoke("people", "--json")[1])["after_verdicts"]
    assert (found["reviewed"], found["changed"]) == (1, 1)
    (model,) = found["models"]
    assert (model["as_labelled"]["value"], model["after"]["value"]) == (5 / 60, 4 / 60)
    assert [one["reader"] for one in found["readers"]] == ["simulated-1", "simulated-2"]


def test_the_audit_tells_what_readers_call_images(invoke: Invoke, study: Study) -> None:
    """Three people call image 0 what the model does, and one calls image 30 something else."""
    labels = study.load_dataset().test.labels.astype(int)
    names = study.classes
    rows = [f"ann{n},{0},{names[(labels[0] + 1) % 3]}\n" for n in range(3)]
    rows.append(f"ann0,30,{names[(labels[30] + 1) % 3]}\n")
    Path("lab.csv").write_text("reader,index,answer\n" + "".join(rows))
    assert invoke("import", "readings", "lab.csv")[0] == 0
    code, out, err = invoke("audit", "--top", "5")
    assert (code, err) == (0, "")
    assert (
        "read blind by people: 2 images, 4 answers; called one other class by more of them than "
        "its given label: 2, #0, #30\n"
    ) in out
    assert "suspicious, or called something else by readers; suggested: wrong label 1" in out
    told = " ".join(out.split())
    assert f"3 of 3 readers who saw it blind call it {names[(labels[0] + 1) % 3]}" in told
    found = json.loads(invoke("audit", "--index", "0", "--json")[1])
    assert found["readers_contradict"] == [0, 30]
    (image,) = found["images"]
    assert (image["verdict"], image["readers"], image["readers_given"]) == ("label", 3, 0)
