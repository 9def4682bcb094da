import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.datasets import Dataset, Split
from misread.errors import ParameterError, PredictionsError, StudyError
from misread.models import Card
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.views.comparing import find_comparison
from misread.views.pages import to_json
from misread.workflows.compare import compare
from misread.workflows.people import find_people
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers

Make = Callable[..., Predictions]
MakeStudy = Callable[..., Study]


@pytest.fixture
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


def reads(split: Split, wrong: list[int]) -> Any:
    """Probabilities that read these images as the next class, and all others as given."""
    labels = split.labels.astype(np.int64)
    seen = np.where(np.isin(np.arange(len(split)), wrong), (labels + 1) % 3, labels)
    table = np.full((len(split), 3), 0.05)
    table[np.arange(len(split)), seen] = 0.9
    return table


@pytest.fixture
def study(tmp_path: Path, dataset: Dataset, make_study: MakeStudy, make_predictions: Make) -> Study:
    """`old` misreads 0 to 9, `new` 5 to 7, `other` 5 to 9 and 50; `new` is the newest."""
    models = {"old": list(range(10)), "new": [5, 6, 7], "other": [5, 6, 7, 8, 9, 50]}
    days = {"old": 1, "other": 2, "new": 3}
    return make_study(
        tmp_path / "study", dataset,
        *(
            make_predictions(
                dataset.test, reads(dataset.test, wrong), model=model,
                created=f"2025-01-{days[model]:02}T00:00:00+00:00",
            )
            for model, wrong in models.items()
        ),
    )  # fmt: skip


def test_each_against_the_oldest(study: Study, dataset: Dataset) -> None:
    found = compare(study, dataset=dataset)
    page = found.page
    assert (page.reference, page.chosen, page.images) == ("old-imported-s0", False, 90)
    assert [row.run for row in page.models] == [
        "new-imported-s0", "other-imported-s0", "old-imported-s0", "mean of all models",
    ]  # fmt: skip
    assert [row.error.count for row in page.models] == [3, 6, 10, 5]
    assert [row.kind for row in page.models] == ["model"] * 3 + ["panel"]
    pairs = {pair.run.partition("-")[0]: pair for pair in page.pairs}
    assert (pairs["new"].only.images, pairs["new"].only_reference.images) == (0, 7)
    shown = [one.picture.index for one in pairs["other"].only.shown]
    assert shown == [50]
    image = pairs["other"].only.shown[0]
    label = int(dataset.test.labels[50])
    assert (image.given.number, image.read_as.number) == (label, (label + 1) % 3)
    sure = [image.p_read_as, image.p_given, image.p_other]
    assert sure == pytest.approx([0.9, 0.05, 0.9])
    assert pairs["new"].p_value == pytest.approx(2 / 2**7)
    assert page.comparisons == 3
    assert pairs["new"].corrected == pytest.approx(3 * 2 / 2**7)
    assert {pair.better for pair in page.pairs} == {"better", "unsettled"}
    assert page.quoted == () and page.people is None and page.left_out == ()
    assert "for these 3 comparisons (Holm)" in page.corrected
    assert "a choice made on this split" in page.choice


def test_pictures_are_written(study: Study, dataset: Dataset, tmp_path: Path) -> None:
    found = compare(study, dataset=dataset)
    assert found.picture == study.figures / "compare.test.png"
    assert [path.name for path in found.pairs] == [
        "new-imported-s0-against-old-imported-s0.png",
        "other-imported-s0-against-old-imported-s0.png",
        "mean-of-all-models-against-old-imported-s0.png",
    ]  # fmt: skip
    for path in (found.picture, *found.pairs):
        with Image.open(path) as picture:
            assert min(picture.size) > 200
    elsewhere = compare(study, save=tmp_path / "a.png", dataset=dataset)
    assert elsewhere.picture == tmp_path / "a.png"
    assert {path.parent for path in elsewhere.pairs} == {tmp_path / "a"}


def test_a_study_that_cannot_be_written_is_compared_without_pictures(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    study.figures.write_text("in the way")
    found = compare(study, dataset=dataset)
    assert (found.picture, found.pairs) == (None, ())
    assert found.problem.startswith("no picture: ")
    assert found.problem.endswith("--save puts it elsewhere")
    assert len(found.page.models) == 4
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="save: "):
        compare(study, save=tmp_path / "file" / "a.png", dataset=dataset)


def test_the_best_models_are_listed_with_the_reference_and_the_mean(
    study: Study, dataset: Dataset
) -> None:
    page = compare(study, dataset=dataset).page
    worst = page.models[-2]
    page = dataclasses.replace(page, reference=worst.run)
    assert page.best(4) == page.models
    assert page.best(3) == (page.models[0], *page.models[-2:])
    assert page.best(1) == page.models[-2:]


def test_pictures_of_a_former_comparison_do_not_stay(
    study: Study, dataset: Dataset, tmp_path: Path
) -> None:
    former = compare(study, dataset=dataset)
    found = compare(study, against="new", dataset=dataset)
    assert set(found.pairs).isdisjoint(former.pairs)
    assert set((study.figures / "compare.test").iterdir()) == set(found.pairs)
    # A folder of the user's is left as it is.
    (tmp_path / "a").mkdir()
    mine = tmp_path / "a" / "mine.png"
    mine.write_bytes(b"")
    compare(study, save=tmp_path / "a.png", dataset=dataset)
    assert mine.exists()


def test_models_and_the_reference_can_be_chosen(study: Study, dataset: Dataset) -> None:
    page = compare(study, models=["old", "new"], against="new", dataset=dataset).page
    assert (page.reference, page.chosen) == ("new-imported-s0", True)
    assert [pair.run for pair in page.pairs] == ["old-imported-s0", "mean of these 2 models"]
    assert page.pairs[0].difference.value == pytest.approx(7 / 90)
    alone = compare(study, models=["new"], dataset=dataset)
    assert (len(alone.page.models), alone.page.pairs, alone.page.choice) == (1, (), "")
    assert alone.pairs == ()


def test_the_reference_is_always_among_the_models(study: Study, dataset: Dataset) -> None:
    page = compare(study, models=["new"], against="other", dataset=dataset).page
    assert page.reference == "other-imported-s0"
    assert [row.run for row in page.models] == [
        "new-imported-s0", "other-imported-s0", "mean of these 2 models",
    ]  # fmt: skip
    assert page.comparisons == 2


def test_a_path_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"study: expected an open study.*Got 'digits'"):
        compare("digits")  # type: ignore[arg-type]


@pytest.mark.parametrize("named", [["--study", "nowhere"], ["--against", "nosuch"]])
def test_what_is_missing_is_said_before_scipy_is_imported(study: Study, named: list[str]) -> None:
    script = f"""
import sys
from misread.cli import main
sys.argv = ["misread", "compare", "--study", {str(study.path)!r}, *{named}]
try:
    main()
finally:
    print([name for name in ("scipy", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "expected" in done.stderr
    assert done.stdout == "[]\n"


def test_what_each_cost_comes_from_its_cards(
    study: Study, dataset: Dataset, make_card: Callable[..., Card]
) -> None:
    make_card(dataset, "old-imported-s0").write(study.model_file("old-imported-s0", ".json"))
    rows = {row.run: row for row in compare(study, dataset=dataset).page.models}
    old = rows["old-imported-s0"]
    assert (old.networks, old.parameters, old.epochs, old.images) == (1, 1234, 3, 240)
    assert old.seconds == pytest.approx(6.0)
    # Of all models together nothing is known while one of them isn't.
    for run in ("new-imported-s0", "mean of all models"):
        assert (rows[run].networks, rows[run].seconds) == (None, None)
    for name in ("new-imported-s0", "other-imported-s0"):
        make_card(dataset, name).write(study.model_file(name, ".json"))
    whole = {row.run: row for row in compare(study, dataset=dataset).page.models}
    mean = whole["mean of all models"]
    assert (mean.networks, mean.parameters, mean.epochs) == (3, 3702, None)
    assert mean.seconds == pytest.approx(18.0)


def test_people_are_held_against_each_as_by_people(study: Study, dataset: Dataset) -> None:
    make_plan(study, 60)
    simulate_readers(study, 3, error_easy=0.02, error_hard=0.5, save="programs", dataset=dataset)
    page = compare(study, dataset=dataset).page
    assert page.people is not None
    assert (page.people.readers, page.people.simulated) == (3, True)
    measured = find_people(study, dataset=dataset)
    assert measured is not None
    expected = measured.people.estimate
    assert page.people.error.value == pytest.approx(expected.together.error.value)
    by_name = {one.model: one for one in expected.against}
    assert [row.run for row in page.people.against] == [row.run for row in page.models]
    for row in page.people.against[:-1]:
        one = by_name[f"{row.run}.test.held-out"]
        assert row.difference.value == pytest.approx(one.difference.value)
        assert row.difference.low == pytest.approx(one.difference.low)
        assert row.consistency.value == pytest.approx(one.consistency.value)
        assert row.better == str(one.better)
    # Their own split only.
    assert find_comparison(study, "train", people=find_people(study, dataset=dataset)) is None


def test_predictions_of_some_images_are_left_out(
    study: Study, dataset: Dataset, make_predictions: Make
) -> None:
    whole = make_predictions(dataset.test, model="part")
    part = Predictions(
        whole.index[:40], whole.given[:40], whole.probabilities[:40], whole.provenance
    )
    study.save_predictions(part)
    page = compare(study, dataset=dataset).page
    assert page.left_out == ("part-imported-s0.test.held-out",)
    assert len(page.models) == 4
    with pytest.raises(PredictionsError, match=r"part-imported-s0.*expected predictions of all 90"):
        compare(study, models=["new", "part"], dataset=dataset)


def test_train_takes_cross_fitted_ones(
    study: Study, dataset: Dataset, make_predictions: Make
) -> None:
    with pytest.raises(StudyError, match="misread crossfit"):
        compare(study, "train", dataset=dataset)
    study.save_predictions(make_predictions(dataset.train, model="a", origin=Origin.IN_SAMPLE))
    with pytest.raises(PredictionsError, match="in-sample"):
        compare(study, "train", dataset=dataset)
    for repeat in (1, 2):
        study.save_predictions(
            make_predictions(
                dataset.train, model="b", recipe="short", origin=Origin.CROSS_FITTED, repeat=repeat,
                seed=repeat,
            )
        )  # fmt: skip
    page = compare(study, "train", dataset=dataset).page
    assert [row.origin for row in page.models] == ["cross-fitted"] * 3
    assert len(page.trainings) == 1
    with pytest.raises(PredictionsError, match="in-sample"):
        compare(study, "train", models=["b", "a"], dataset=dataset)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"split": "nope"}, ParameterError, "split: expected one of"),
        ({"models": ["nope"]}, StudyError, "expected predictions of test by 'nope'"),
        ({"against": "nope"}, StudyError, "--against expected one of .*'nope'"),
        ({"save": Path("a.jpg")}, ParameterError, "save: expected a .png"),
    ],
)
def test_what_cannot_be_compared(
    study: Study, dataset: Dataset, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        compare(study, dataset=dataset, **arguments)


def test_the_reference_is_a_single_network_where_there_is_one(
    tmp_path: Path, dataset: Dataset, make_study: MakeStudy, make_predictions: Make
) -> None:
    study = make_study(
        tmp_path / "folds", dataset,
        make_predictions(dataset.test, model="fast", repeat=1, created="2024-01-01T00:00:00+00:00"),
        make_predictions(dataset.test, model="net", created="2025-01-01T00:00:00+00:00"),
    )  # fmt: skip
    page = compare(study, dataset=dataset).page
    assert page.reference == "net-imported-s0"
    assert {row.run: row.kind for row in page.models}["fast-imported-s0-r1"] == "folds"


def test_one_model_alone_makes_no_page(
    tmp_path: Path, dataset: Dataset, make_study: MakeStudy, make_predictions: Make
) -> None:
    study = make_study(tmp_path / "one", dataset, make_predictions(dataset.test))
    assert find_comparison(study, "test") is None
    assert find_comparison(study, "train") is None


def test_mnist_has_the_literature_beside_it(tmp_path: Path) -> None:
    from misread.datasets import load
    from misread.workflows.demo import demo_predictions

    digits = load("mnist")
    study = Study.create(tmp_path / "digits", digits)
    study.save_predictions(demo_predictions())
    assert find_comparison(study, "test") is not None
    page = to_json(compare(study, dataset=digits).page)
    assert [(row["name"], row["error"]["count"]) for row in page["quoted"]] == [
        ("the post's network", 62), ("capsule network", 25), ("best ensemble", 9),
    ]  # fmt: skip
    assert page["pairs"] == [] and page["trainings"] == []
