"""Commands of the reader study: what people read, against each model."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
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


def test_readings_without_a_plan_are_counted(invoke: Invoke, study: Study) -> None:
    """Ann and Bob read images 0 to 19; both misread 0, which the model does too, Bob also 7."""
    code, _, err = invoke("people")
    assert code == 2
    assert "expected readings, found none; `misread read` collects them" in err
    labels = study.load_dataset().test.labels.astype(int)
    rows = [
        f"{name},{index},{study.classes[(labels[index] + (index in wrong)) % 3]}\n"
        for name, wrong in (("ann", [0]), ("bob", [0, 7]))
        for index in range(20)
    ]
    Path("lab.csv").write_text("reader,index,answer\n" + "".join(rows))
    code, out, _ = invoke("import", "readings", "lab.csv")
    assert code == 0
    assert "`misread people` counts them" in out and "--readings lab --random-order" in out
    code, out, err = invoke("people")
    assert (code, err) == (0, "")
    assert "20 of 60 images read, 40 answers by 2 readers (lab)" in out
    assert re.search(r"ann +20 +1 \(5\.00%\) +blind or not", out)
    assert re.search(r"all answers +40 +3 \(7\.50%\)", out)
    assert "two answers to one image are the same: 95.0% of 20 pairs" in out
    assert "misreads 5 (25.00%) of these 20 images" in out
    assert "both wrong 1, only the model 4, only people 0, neither 15" in out
    assert "No plan says which images were left out" in out and "interval)" not in out
    found = json.loads(invoke("people", "--json")[1])
    assert (found["plan"], found["answers"], found["wrong"], found["pairs"]) == (None, 40, 3, 20)
    assert [one["index"] for one in found["called_something_else"]] == [0]
    # The way out that it names.
    code, out, _ = invoke("people", "--readings", "lab", "--random-order")
    assert code == 0
    assert "Intervals (95%) are about these 60 images" in out
    # Readings by the plan come first from then on; others are there by name.
    assert invoke("plan", "--answers", "40")[0] == 0
    simulate(invoke)
    assert "20 of 60 images read" in invoke("people")[1]
    assert "SIMULATED" in invoke("people", "--readings", "programs")[1]
    assert "20 of 60 images read" in invoke("people", "--readings", "lab")[1]


def test_counts_of_answers_are_imported_and_counted(invoke: Invoke, study: Study) -> None:
    """Fifty people saw each image; of image 3 most call it the next class."""
    labels = study.load_dataset().test.labels.astype(int)
    counts = np.zeros((60, 3), int)
    counts[np.arange(60), labels] = 50
    counts[3, [labels[3], (labels[3] + 1) % 3]] = 10, 40
    np.save("crowd.npy", counts)
    code, out, _ = invoke("import", "readings", "crowd.npy", "--form", "counts")
    assert code == 0
    assert "crowd: 3,000 answers to 60 images of the test split" in out
    out = invoke("people")[1]
    assert "60 of 60 images read, 3,000 answers (crowd)" in out
    assert re.search(r"all answers +3,000 +40 \(1\.33%\)", out)
    assert "both wrong 1, only the model 4, only people 0, neither 55" in out
    code, _, err = invoke("people", "--random-order")
    assert code == 2 and "Got counts of answers" in err
    assert invoke("import", "readings", "crowd.npy", "--form", "counts")[0] == 2
    assert invoke("import", "readings", "crowd.npy", "--form", "counts", "--replace")[0] == 0
    found = json.loads(invoke("audit", "--index", "3", "--json")[1])
    assert (found["readers_contradict"], found["images"][0]["readers"]) == ([3], 50)
    shown = json.loads(invoke("import", "readings", "crowd.npy", "--form", "counts", "--json",
                              "--name", "other")[1])  # fmt: skip
    assert (shown["name"], shown["answers"], shown["images"]) == ("other", 3_000, 60)
