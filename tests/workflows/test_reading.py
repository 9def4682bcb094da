"""The reader study from its plan to what it says, on a study of made-up predictions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.analysis.reading.limits import Basis
from misread.datasets import Dataset, load
from misread.errors import ParameterError, PredictionsError, ReadingsError, StudyError
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.tables.answer_counts import AnswerCounts, read_counts, write_counts
from misread.tables.readings import Purpose, Reader, Readings, Seen
from misread.types import IntArray
from misread.workflows.audit import audit
from misread.workflows.people import describe_people, people, predicted_classes
from misread.workflows.reading_plan import load_plan, make_plan
from misread.workflows.readings import (
    bring_readings,
    export_readings,
    import_counts,
    import_readings,
    open_readings,
    simulate_readers,
)


@pytest.fixture
def dataset(tmp_path: Path, make_dataset: Callable[..., Dataset],
            write_npz: Callable[[Path, Dataset], Path]) -> Dataset:  # fmt: skip
    return load(str(write_npz(tmp_path / "bars.npz", make_dataset(test=300))))


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset, make_predictions: Callable[..., Predictions]) -> Study:
    """Two models: one misreads every tenth image, the other every fifteenth."""
    made = Study.create(tmp_path / "study", dataset)
    for model, step, doubt in (("one", 10, 0.3), ("other", 15, 0.1)):
        labels = dataset.test.labels
        wrong = np.arange(300) % step == 0
        seen = np.where(wrong, (labels + 1) % 3, labels)
        probabilities = np.full((300, 3), doubt / 2)
        probabilities[np.arange(300), seen] = 1 - doubt
        probabilities[5::20] = 1 / 3
        probabilities[np.arange(300), seen] += 1e-3
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        made.save_predictions(make_predictions(dataset.test, probabilities, model=model))
    return made


def test_the_plan_takes_what_any_model_misreads(study: Study) -> None:
    plan = make_plan(study, 200)
    assert plan.hard == tuple(i for i in range(300) if i % 10 == 0 or i % 15 == 0)
    assert sorted(plan.models) == [
        "one-imported-s0.test.held-out", "other-imported-s0.test.held-out",
    ]  # fmt: skip
    assert (plan.answers, plan.practice_split, len(plan.practice)) == (200, "train", 10)
    assert load_plan(study) == plan
    with pytest.raises(StudyError, match="holds another plan"):
        make_plan(study, 100)


def test_one_model_and_few_answers_take_the_most_difficult(study: Study) -> None:
    plan = make_plan(study, 60, models=["one"])
    assert len(plan.hard) == 15
    assert all(item % 10 == 0 for item in plan.hard)
    assert plan.models == ("one-imported-s0.test.held-out",)


def test_a_study_without_predictions_draws_from_everything(
    tmp_path: Path, dataset: Dataset
) -> None:
    plan = make_plan(Study.create(tmp_path / "bare", dataset))
    assert (plan.hard, plan.models, plan.answers) == ((), (), 300)


def test_what_makes_no_plan_is_refused(study: Study) -> None:
    with pytest.raises(ParameterError, match="split: expected one of train, test"):
        make_plan(study, split="other")
    with pytest.raises(StudyError, match="expected predictions"):
        make_plan(study, models=["absent"])
    with pytest.raises(ReadingsError, match="1 to 300 answers"):
        make_plan(study, 301)
    with pytest.raises(ReadingsError, match="`misread plan` makes one"):
        load_plan(study)
    assert not study.plan_file.exists()


def test_practice_is_never_of_the_split_itself(study: Study) -> None:
    assert make_plan(study, 100, practice_split="test").practice == ()


def test_simulated_readers_are_estimated(study: Study, dataset: Dataset) -> None:
    plan = make_plan(study, 200)
    made = simulate_readers(study, 3, error_easy=0.02, error_hard=0.5, seed=1, save="trial")
    assert open_readings(study).design == plan.hash
    found = people(study, open_readings(study))
    assert found.people.simulated
    assert found.adjudicated is None
    assert found.people.estimate.together.basis == Basis.PLANNED
    assert found.labels.simulated
    assert {one.model for one in found.people.estimate.against} == set(plan.models)
    one = next(one for one in found.people.estimate.against if one.model.startswith("one"))
    assert (one.mistakes, one.inside) == (30, True)
    assert found.confusion.images.sum() == pytest.approx(300)
    given = int(dataset.test.labels[0])
    study.verdicts.decide("test", [0], "label", (given + 1) % 3, event="a", tab="t", given=[given])
    after = people(study, made, models=["one"]).adjudicated
    assert after is not None
    assert after.against[0].mistakes == 29
    assert (after.models[0].as_labelled.value, after.models[0].after.value) == (0.1, 29 / 300)
    study.verdicts.undo("t", event="b")
    assert people(study, made, models=["one"]).adjudicated is None


def test_people_come_before_simulated_readers(study: Study) -> None:
    make_plan(study, 200)
    with pytest.raises(ReadingsError, match="expected readings, found none"):
        open_readings(study)
    simulated = simulate_readers(study, 1, error_easy=0, error_hard=0, save="bots")
    assert open_readings(study).simulated
    person = Readings(**{**vars(simulated), "readers": (Reader("ann", 0),)})
    study.save_readings("lab", person)
    assert [reader.name for reader in open_readings(study).readers] == ["ann"]
    assert open_readings(study, ["bots"]).simulated
    assert len(open_readings(study, ["bots", "lab"]).readers) == 2


def test_simulated_readers_see_what_was_counted(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    make_plan(study, 200)
    counts: IntArray = np.zeros((300, 3), int)
    counts[np.arange(300), (dataset.test.labels + 1) % 3] = 9
    write_counts(
        tmp_path / "c.csv",
        AnswerCounts(dataset.classes, np.arange(300, dtype=np.int32), counts.astype(np.int32)),
    )
    made = simulate_readers(study, counts=tmp_path / "c.csv")
    assert (made.answer == (dataset.test.labels[made.index] + 1) % 3).all()


@pytest.mark.parametrize(
    "options",
    [{}, {"error_easy": 0.1}, {"error_easy": 0.1, "error_hard": 0.1, "counts": Path("c")}],
)
def test_simulated_readers_need_rates_or_counts(study: Study, options: dict[str, object]) -> None:
    make_plan(study, 200)
    with pytest.raises(
        ParameterError, match=r"need error_easy and error_hard .*or a table of counts"
    ):
        simulate_readers(study, **options)  # type: ignore[arg-type] # deliberately wrong


@pytest.mark.parametrize("form", ["tidy", "model-vs-human"])
def test_what_is_exported_is_imported_again(study: Study, form: str, tmp_path: Path) -> None:
    make_plan(study, 200)
    made = simulate_readers(study, 2, error_easy=0.1, error_hard=0.5)
    path = tmp_path / "lab.csv"
    export_readings(study, made, path, form)  # type: ignore[arg-type] # one of them
    found = import_readings(study, path, form=form)
    assert study.list_readings() == ["lab"]
    assert found.simulated
    main = made.purpose == Purpose.MAIN
    again = found.purpose == Purpose.MAIN
    assert found.index[again].tolist() == made.index[main].tolist()
    assert found.answer[again].tolist() == made.answer[main].tolist()
    before = (study.path / "readings" / "lab.csv").read_bytes()
    assert not len(import_readings(study, path, form=form))
    assert not len(import_readings(study, path, form=form, name="again"))
    assert study.list_readings() == ["lab"]
    assert (study.path / "readings" / "lab.csv").read_bytes() == before
    other = simulate_readers(study, 3, error_easy=0.1, error_hard=0.5).of(["simulated-3"])
    export_readings(study, other, path, form)  # type: ignore[arg-type] # one of them
    with pytest.raises(StudyError, match="holds readings already"):
        import_readings(study, path, form=form)
    import_readings(study, path, form=form, replace=True)
    if form == "tidy":
        assert people(study, found).people.estimate.together.basis == Basis.PLANNED


def test_simulated_readers_of_several_tables_go_together(study: Study) -> None:
    make_plan(study, 200)
    for name, readers in (("a", 2), ("b", 1)):
        simulate_readers(study, readers, error_easy=0.1, error_hard=0.5, save=name)
    found = open_readings(study)
    assert [reader.name for reader in found.readers] == [f"simulated-{n}" for n in (1, 2, 3)]
    assert [reader.number for reader in found.readers] == [0, 1, 2]
    assert people(study, found).people.estimate.together.readers == 3


def by_people(readings: Readings, *names: str) -> Readings:
    readers = tuple(Reader(name, number) for number, name in enumerate(names))
    return Readings(**{**vars(readings), "readers": readers})


def test_only_readers_who_are_new_come_in(study: Study, tmp_path: Path) -> None:
    make_plan(study, 200)
    both = by_people(simulate_readers(study, 2, error_easy=0.1, error_hard=0.5), "ann", "bob")
    study.save_readings("first", both.of(["ann"]))
    export_readings(study, both, tmp_path / "lab.csv")
    brought = bring_readings(study, tmp_path / "lab.csv")
    assert brought.held == ("ann",) and brought.same_order == ()
    assert [reader.name for reader in brought.readings.readers] == ["bob"]
    assert [reader.name for reader in open_readings(study).readers] == ["ann", "bob"]
    again = by_people(both.of(["ann"]), "cat")
    export_readings(study, again, tmp_path / "cat.csv")
    assert bring_readings(study, tmp_path / "cat.csv").same_order == (("ann", "cat"),)


def test_another_reader_of_the_same_name_is_refused(study: Study, tmp_path: Path) -> None:
    make_plan(study, 200)
    made = simulate_readers(study, 2, error_easy=0.1, error_hard=0.5)
    ann, other = by_people(made, "ann", "bob").of(["ann"]), by_people(made, "bob", "ann")
    study.save_readings("first", ann)
    path = tmp_path / "lab.csv"
    export_readings(study, other.of(["ann"]), path)
    expected = rf"{path.name}: reader ann has other answers in readings/first\.csv already.*move"
    with pytest.raises(ReadingsError, match=expected):
        import_readings(study, path)
    export_readings(study, ann, path)
    import_readings(study, path, name="first", replace=True)
    assert study.list_readings() == ["first"]


def test_a_reader_in_two_tables_is_named_with_both(study: Study) -> None:
    make_plan(study, 200)
    ann = by_people(simulate_readers(study, 1, error_easy=0, error_hard=0), "ann")
    study.save_readings("one", ann)
    study.save_readings("two", ann)
    expected = r"two\.csv: reader ann is in readings/one\.csv as well"
    with pytest.raises(ReadingsError, match=expected):
        open_readings(study)


def test_counts_are_exported(study: Study, tmp_path: Path) -> None:
    make_plan(study, 200)
    made = simulate_readers(study, 4, error_easy=0.1, error_hard=0.5)
    export_readings(study, made, tmp_path / "c.csv", "counts")
    found = read_counts(tmp_path / "c.csv", study.classes)
    assert found.simulated
    assert found.counts.sum() == 4 * 200
    for call in (
        lambda: export_readings(study, made, tmp_path / "c.csv", "other"),  # type: ignore[arg-type] # wrong
        lambda: import_readings(study, tmp_path / "c.csv", form="other"),
    ):
        with pytest.raises(ParameterError, match="form: expected tidy"):
            call()


def test_readings_without_a_plan_need_a_word(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    order = np.random.default_rng(0).permutation(300)[:150]
    rows = "".join(f"ann,{i},{dataset.classes[dataset.test.labels[i]]}\n" for i in order)
    (tmp_path / "lab.csv").write_text("reader,index,answer\n" + rows)
    found = import_readings(study, tmp_path / "lab.csv")
    with pytest.raises(ReadingsError, match="without one nobody can tell"):
        people(study, found)
    made = people(study, found, random_order=True).people.estimate.readers[0]
    assert (made.basis, made.error.value, made.read) == (Basis.ANYTIME, 0, 150)


def test_readings_of_another_plan_are_refused(study: Study) -> None:
    make_plan(study, 200)
    made = simulate_readers(study, 1, error_easy=0, error_hard=0)
    other = Readings(**{**vars(made), "design": "sha256:other"})
    with pytest.raises(ReadingsError, match="expected those of the plan"):
        people(study, other)


def test_predictions_must_be_of_all_images(
    study: Study, dataset: Dataset, make_predictions: Callable[..., Predictions]
) -> None:
    labels = dataset.test.labels
    assert set(predicted_classes(study, "test")) == {
        "one-imported-s0.test.held-out", "other-imported-s0.test.held-out",
    }  # fmt: skip
    part = make_predictions(dataset.test.take(np.arange(20)), model="part")
    whole = make_predictions(dataset.test, model="part").provenance
    study.save_predictions(
        Predictions(np.arange(20, dtype=np.int32), labels[:20], part.probabilities, whole)
    )
    with pytest.raises(PredictionsError, match="expected predictions of all 300 images"):
        predicted_classes(study, "test", ["part"])
    inside = make_predictions(dataset.test, model="inside", origin=Origin.IN_SAMPLE)
    study.save_predictions(inside)
    with pytest.raises(PredictionsError, match="in-sample"):
        predicted_classes(study, "test", ["inside"])
    with pytest.raises(ParameterError, match="split"):
        make_plan(study, split="validation")


def test_counts_alone_say_what_a_crowd_said(study: Study, dataset: Dataset, tmp_path: Path) -> None:
    counts: IntArray = np.zeros((300, 3), int)
    counts[np.arange(300), dataset.test.labels] = 9
    counts[7] = 0
    counts[7, (dataset.test.labels[7] + 1) % 3] = 10
    np.save(tmp_path / "crowd.npy", counts)
    import_counts(study, tmp_path / "crowd.npy")
    found = describe_people(study)
    assert (found.error.count, found.error.total) == (10, 299 * 9 + 10)
    assert found.labels.index[0] == 7
    assert found.labels.contradicted.sum() == 1
    assert (found.names, found.readers, found.simulated) == (("crowd",), (), False)
    assert found.pairs == 299 * 36 + 45 == found.agreeing
    one = next(each for each in found.models if each.model.startswith("one"))
    assert (one.images, one.mistakes) == (300, 30)
    assert [
        len(cell)
        for cell in (one.cells.both, one.cells.model_only, one.cells.people_only, one.cells.neither)
    ] == [0, 30, 1, 269]
    with pytest.raises(StudyError, match="holds the same counts of test as crowd"):
        import_counts(study, tmp_path / "crowd.npy", name="again")
    import_counts(study, tmp_path / "crowd.npy", replace=True)
    assert study.list_counts() == [("crowd", "test")]
    np.save(tmp_path / "c.npy", np.zeros((301, 3), int))
    with pytest.raises(ReadingsError, match="expected those of images and classes of"):
        import_counts(study, tmp_path / "c.npy")


def test_images_of_a_folder_are_known_by_their_files(tmp_path: Path) -> None:
    """As the toolbox's own data have them; a name that two files have tells nothing."""
    for number, name in enumerate(["test/a/x.png", "test/b/y.png", "test/a/z.png", "test/b/z.png"]):
        path = tmp_path / "bugs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), 50 * number, np.uint8)).save(path)
    study = Study.create(tmp_path / "study", load(str(tmp_path / "bugs")))
    split = study.load_dataset().test
    files = [str(split.file(index)) for index in range(len(split))]
    x, y = (
        next(i for i, path in enumerate(files) if path.endswith(name))
        for name in ("x.png", "y.png")
    )
    header = "subj,Session,trial,rt,object_response,category,condition,imagename\n"
    (tmp_path / "t.csv").write_text(header + "s1,1,1,0.5,b,a,cr,x.png\ns1,1,2,0.5,b,b,cr,y.png\n")
    found = import_readings(study, tmp_path / "t.csv", form="model-vs-human")
    assert found.index.tolist() == [x, y]
    (tmp_path / "t.csv").write_text(header + "s1,1,1,0.5,b,a,cr,z.png\n")
    with pytest.raises(ReadingsError, match=r"or the file of an image, as [xy]\.png. Got 'z\.png'"):
        import_readings(study, tmp_path / "t.csv", form="model-vs-human", name="other")


def called(study: Study, name: str, image: int, calls: list[int], **reader: Any) -> None:
    """Save readings without a plan: people who each called one image something."""
    readers = tuple(Reader(f"{name}{number}", **reader) for number in range(len(calls)))
    rows = np.arange(len(calls), dtype=np.int32)
    answer = np.array(calls, np.int16)
    made = Readings("test", study.classes, "", readers, rows, np.full_like(rows, image), answer)
    study.save_readings(name, made)


def test_readings_are_evidence_on_labels(study: Study, dataset: Dataset) -> None:
    """Image 0 is misread by both models, image 1 by none; whoever saw mistakes doesn't count."""
    labels = dataset.test.labels
    other = (labels + 1) % 3
    assert audit(study).evidence.readers is None
    called(study, "lab", 0, [int(other[0])] * 3)
    called(study, "knowing", 0, [int(labels[0])] * 9, seen=Seen.MISTAKES)
    called(study, "bots", 0, [int(labels[0])] * 9, simulated=True)
    called(study, "more", 1, [int(other[1])] * 2)
    counts = AnswerCounts(
        dataset.classes, np.array([1], np.int32), np.eye(3, dtype=np.int32)[other[[1]]]
    )
    study.save_counts("crowd", "test", counts)
    study.save_counts("programs", "test", replace(counts, simulated=True))
    # A plan that is made afterwards doesn't take evidence away.
    make_plan(study, 200)
    found = audit(study)
    assert found.evidence.readers is not None
    assert found.evidence.readers.answers.tolist() == [3, 3] + 298 * [0]
    assert {0, 1} <= {found.row(place).index for place in found.listed}
    first, second = found.row(0), found.row(1)
    assert (first.suggestion.verdict, first.readers, first.readers_given) == ("label", 3, 0)
    assert first.suggested_label == dataset.classes[other[0]]
    assert "3 of 3 readers who saw it blind call it" in first.suggestion.evidence
    assert second.suggestion.verdict == "ambiguous"
    assert found.contradicted.tolist() == [0, 1]
    columns = found.columns()
    rows = np.argsort(columns["index"])
    assert columns["readers"][rows][:3].tolist() == [3, 3, 0]
    assert columns["readers_called"][rows][:3].tolist() == [
        dataset.classes[other[0]], dataset.classes[other[1]], None
    ]  # fmt: skip


def test_damaged_counts_are_told(study: Study) -> None:
    with pytest.raises(ReadingsError, match="images and classes of bars"):
        study.save_counts(
            "far", "test", AnswerCounts(study.classes, np.array([300]), np.ones((1, 3), int))
        )
    counts = AnswerCounts(study.classes, np.array([0]), np.ones((1, 3), int))
    study.save_counts("crowd", "test", counts)
    with pytest.raises(StudyError, match="holds readings already"):
        study.save_counts("crowd", "test", counts)
    study.save_counts("crowd", "test", counts, replace=True)
    assert study.list_counts() == [("crowd", "test")]
    assert study.load_counts("crowd", "test").counts.tolist() == [[1, 1, 1]]
    (study.path / "readings" / "crowd.test.npz").write_bytes(b"PK")
    with pytest.raises(ReadingsError, match=r"crowd\.test\.npz: expected a table of counts"):
        audit(study)
