"""Commands of the reader study: what people read, against each model."""

import io
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.reading.order import reading_order
from misread.datasets import Dataset, load
from misread.store import Study
from misread.store.database import ReadingRow
from misread.tables import Predictions
from misread.tables.readings import Seen
from misread.workflows.reading_plan import load_plan

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


def answer(study: Study, name: str, count: int, seen: Seen = Seen.NOTHING, wrong: int = 0) -> None:
    """Let a reader answer by the plan, the first `wrong` of his answers otherwise than labelled."""
    plan, labels = load_plan(study), study.load_dataset().test.labels
    reader = study.reading_log.enrol(plan, name)
    study.reading_log.agree(reader, seen)
    order = reading_order(plan, reader.place)
    rows = [
        ReadingRow(
            number=0, event=f"{name}-{at}", reader=reader.number, session="s", position=at,
            attempt=1, item=int(order.item[at]), hard=int(order.hard[at]),
            purpose=int(order.repeat_of[at] >= 0), repeat_of=int(order.repeat_of[at]),
            answer=int(labels[order.item[at]] + (at < wrong)) % 3, undoes=None, unsure=0,
            exposures=1, rt_ms=500.0, onset=0, unfocused=0, screen="", zoom=1.0, received_at=1,
        )
        for at in range(count)
    ]  # fmt: skip
    study.reading_log.record(rows)
    study.reading_log.close()


def test_the_studys_own_export_changes_nothing(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42)
    before = invoke("people", "--json")
    code, out, err = invoke("export", "readings")
    assert (code, err) == (0, "")
    file = out.splitlines()[-1]
    code, out, err = invoke("import", "readings", file)
    assert (code, err) == (0, "")
    assert "in the study already, left as they are: ann\nnothing changed" in out
    assert json.loads(invoke("import", "readings", file, "--json")[1])["held_already"] == ["ann"]
    assert study.list_readings() == []
    assert invoke("people", "--json") == before


def test_readings_that_contradict_keep_no_report_from_being_written(
    invoke: Invoke, study: Study, tmp_path: Path
) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42)
    assert invoke("export", "readings", "--output", str(tmp_path / "a.csv"))[0] == 0
    # As an older version brought it in.
    (study.path / "readings" / "a.csv").write_bytes((tmp_path / "a.csv").read_bytes())
    code, _, err = invoke("people")
    assert code == 2
    assert "readings/a.csv: reader ann is in what was read here as well" in err
    code, out, err = invoke("report")
    assert code == 0
    assert "no page of people: readings/a.csv: reader ann" in err
    page = Path(out.splitlines()[0])
    assert "isn't shown: readings/a.csv: reader ann" in page.read_text("utf-8")
    assert not (page.parent / "people.html").exists()
    code, out, err = invoke("compare")
    assert code == 0
    assert "without people: readings/a.csv: reader ann" in err
    assert "test: " in out.splitlines()[0]
    assert json.loads(invoke("compare", "--json")[1])["people"] is None


def test_an_early_quitter_decides_no_mean(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42, wrong=12)
    alone = json.loads(invoke("people", "--json")[1])
    answer(study, "bob", 5)
    found = json.loads(invoke("people", "--json")[1])
    assert found["together"] == alone["together"]
    assert found["together_of"] == ["ann"]
    assert [each["reader"]["name"] for each in found["readers"]] == ["ann", "bob"]
    code, out, _ = invoke("people")
    assert code == 0
    told = " ".join(out.split())
    assert "anytime, too few" in told
    assert "Not in the mean, with fewer than half of the 40 planned answers: bob (5)." in told


def test_who_limits_the_mean_is_told_and_can_be_left_out(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42, wrong=12)
    alone = json.loads(invoke("people", "--json")[1])
    answer(study, "bob", 30)
    found = json.loads(invoke("people", "--json")[1])
    assert found["together"]["readers"] == 2
    assert found["together"]["longest"] == 35
    rounds = found["together"]["rounds"]
    assert rounds < 35
    expected = f"limited to the first {rounds} sampled answers of each reader, since bob gave only"
    assert expected in invoke("people")[1]
    code, out, _ = invoke("people", "--without", "bob", "--json")
    left = json.loads(out)
    assert (code, left["left_out"]) == (0, ["bob"])
    assert left["together"] == alone["together"]
    assert "Left out by choice: bob." in invoke("people", "--reader", "ann")[1]
    code, _, err = invoke("people", "--without", "carl")
    assert (code, "expected one of ann, bob" in err) == (2, True)
    assert invoke("people", "--without", "ann", "--without", "bob")[0] == 2


def test_who_is_not_blind_is_shown_with_and_without(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42, wrong=12)
    alone = json.loads(invoke("people", "--json")[1])
    assert alone["together_blind"] is None
    answer(study, "bob", 42, Seen.MISTAKES)
    found = json.loads(invoke("people", "--json")[1])
    assert found["together"]["readers"] == 2
    assert found["together_blind"] == alone["together"]
    told = invoke("people")[1]
    assert "or did not say: bob\nwithout them: " in told


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
    assert "both wrong 1, only the model 4, only people 0, neither 14, readers divided 1" in out
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
    again = ("--form", "counts", "--name", "other")
    code, _, err = invoke("import", "readings", "crowd.npy", *again)
    assert code == 2 and "holds the same counts of test as crowd" in err
    counts[3] = 0
    np.save("fewer.npy", counts)
    shown = json.loads(invoke("import", "readings", "fewer.npy", *again, "--json")[1])
    assert (shown["name"], shown["answers"], shown["images"]) == ("other", 2_950, 59)


def test_a_plan_can_be_made_again_until_somebody_has_read(invoke: Invoke, study: Study) -> None:
    code, out, _ = invoke("plan", "--answers", "12")
    assert code == 0
    assert "read by everyone: 3 of 5 (a fourth of the answers; the most difficult ones)" in out
    frozen = study.plan_file.read_bytes()
    code, out, _ = invoke("plan", "--answers", "12")
    assert (code, study.plan_file.read_bytes()) == (0, frozen)
    assert out.startswith("frozen already, on 20")
    code, _, err = invoke("plan", "--answers", "40")
    assert (code, study.plan_file.read_bytes()) == (2, frozen) or code == 1
    assert "nobody has answered by it yet: --replace" in err
    assert study.plan_file.read_bytes() == frozen
    code, out, _ = invoke("plan", "--answers", "40", "--replace")
    assert (code, load_plan(study).answers) == (0, 40)
    assert "read by everyone: 5, misread by" in out
    answer(study, "ann", 1)
    code, _, err = invoke("plan", "--answers", "12", "--replace")
    assert code != 0 and "people have answered by it" in err
    assert load_plan(study).answers == 40


def test_a_plan_with_a_width_tells_when_it_is_reached(invoke: Invoke, study: Study) -> None:
    code, out, _ = invoke("plan", "--width", "0.3")
    assert code == 0
    assert "each reader: at most 60 answers" in out
    stop = json.loads(invoke("plan", "--width", "0.3", "--json")[1])["expected_stop"]
    assert 5 < stop < 60
    assert f"after about {stop} answers, if 0.2% of the sample is misread" in out
    found = invoke("simulate-readers", "--error-easy", "0", "--error-hard", "0.5", "--json")[1]
    (reader,) = json.loads(found)["readers"]
    assert abs(reader["read"] + reader["census"]["items"] - stop) < 12


def test_answers_are_deleted_once_it_is_confirmed(
    invoke: Invoke, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 7)
    asked = "Delete ann's name, link and 7 answers for good?"
    for said, deleted in (("n\n", False), ("", False), ("y\n", True)):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        code, out, err = invoke("read", "--forget", "ann")
        assert asked in err
        assert (code == 0, "deleted" in out) == (deleted, deleted)
        assert len(study.reading_log.readers(load_plan(study))) == (not deleted)
        study.reading_log.close()
    answer(study, "bob", 3)
    code, out, _ = invoke("read", "--forget", "bob", "--json")
    assert (code, json.loads(out)) == (0, {"reader": "bob", "answers_deleted": 3})


def test_what_simulated_readers_lack_is_named_as_flags(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    code, _, err = invoke("simulate-readers")
    assert code == 2
    assert "(--error-easy and --error-hard), or a table of counts (--counts). Got none" in err


def test_readings_are_sent_to_stdout(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42)
    path = Path(invoke("export", "readings")[1].splitlines()[-1])
    code, out, err = invoke("export", "readings", "--output", "-")
    assert (code, out) == (0, path.read_text())
    assert "42 answers of 1 reader" in err
    code, out, _ = invoke("export", "readings", "--format", "counts", "--output", "-")
    assert (code, out.splitlines()[0].startswith("index,")) == (0, True)
    code, _, err = invoke("export", "nothing")
    assert code == 2
    assert "one of verdicts, labels, predictions, mistakes, readings. Got 'nothing'" in err


def test_an_enriched_sample_is_no_random_one(invoke: Invoke, study: Study) -> None:
    assert invoke("plan", "--answers", "40")[0] == 0
    answer(study, "ann", 42)
    out = invoke("export", "readings", "--format", "model-vs-human")[1]
    other = Study.create(Path("other-study"), study.load_dataset())
    file = out.splitlines()[-1]
    place = ("--study", other.path)
    assert invoke("import", "readings", file, "--form", "model-vs-human", "--name", "mvh", *place)[
        0
    ] == 0  # fmt: skip
    code, _, err = invoke("people", "--readings", "mvh", "--random-order", *place)
    assert code == 2
    assert "hard images that were read on purpose, by their stratum or condition" in err


def test_an_image_outside_of_the_split_is_named_with_its_row(invoke: Invoke, study: Study) -> None:
    Path("lab.csv").write_text(f"reader,index,answer\nann,3,{study.classes[0]}\nann,99999,\n")
    code, _, err = invoke("import", "readings", "lab.csv")
    assert code == 2
    assert "expected 0 to 59, an image of the test split. Got 99999 in row 2." in err


def test_reading_without_a_plan_says_what_it_freezes(
    invoke: Invoke, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(app: object, listening: socket.socket, started: Callable[[], None]) -> None:
        started()
        listening.close()

    monkeypatch.setattr("misread.workflows.read.run_server", end)
    command = ("read", "--no-browser", "--port", "0")
    code, out, _ = invoke(*command)
    assert code == 0
    assert "each reader: 60 answers, about" in out
    assert "\nreader: http://127.0.0.1:" in out
    code, out, _ = invoke(*command)
    assert (code, out.startswith("reader: http")) == (0, True)
    study.plan_file.unlink()
    assert set(json.loads(invoke(*command, "--json")[1])) == {"study", "readers", "owner"}
