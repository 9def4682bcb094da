from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from misread.analysis.reading.estimate import narrow
from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Predictions
from misread.tables.readings import Reader, Readings, Seen
from misread.views.charts import draw_narrowing, narrowing_limit
from misread.views.pages import Limits, Pages, build_pages
from misread.views.pages.people import NarrowingCurve, NarrowingPoint, PeoplePage
from misread.views.pages.versus import VersusCell
from misread.workflows.people import find_people, read_labels
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers


@pytest.fixture
def dataset(forty: Dataset) -> Dataset:
    return forty


@pytest.fixture
def study(four_misread: Study) -> Study:
    """With a plan to read all 40 images."""
    make_plan(four_misread, 40)
    return four_misread


def read(
    study: Study, dataset: Dataset, wrong: list[list[int]], seen: Seen = Seen.NOTHING
) -> Readings:
    """People who read everything, each misreading these images as the class after the label."""
    readings = simulate_readers(study, len(wrong), error_easy=0, error_hard=0, dataset=dataset)
    answer = readings.answer.copy()
    for number, images in enumerate(wrong):
        mine = (readings.reader == number) & np.isin(readings.index, images)
        answer[mine] = (answer[mine] + 1) % 3
    people = tuple(
        Reader(f"person {number}", each.number, seen)
        for number, each in enumerate(readings.readers)
    )
    columns = {name: getattr(readings, name) for name in ("reader", "index", "position", "hard",
               "purpose", "repeat_of", "unsure", "rt_ms")}  # fmt: skip
    made = Readings("test", readings.classes, readings.design, people, answer=answer, **columns)
    study.save_readings("people", made)
    return made


def page_of(study: Study, dataset: Dataset, limits: Limits | None = None) -> PeoplePage:
    people, readings = find_people(study, dataset=dataset), read_labels(study, dataset=dataset)
    pages: Pages = build_pages(study, dataset, {}, limits=limits, people=people, readings=readings)
    assert pages.people is not None
    return pages.people


def shown(cell: VersusCell) -> list[int]:
    return [one.picture.index for one in cell.shown]


def test_every_image_is_in_its_cell(study: Study, dataset: Dataset) -> None:
    """Two of three misread 0, 1 and 20; one alone misreads 2, which is then read right."""
    read(study, dataset, [[0, 1, 20], [0, 1, 20, 2], []])
    page = page_of(study, dataset)
    (versus,) = page.versus
    both, model, people, neither = versus.cells
    assert [cell.kind for cell in versus.cells] == ["both", "model", "people", "neither"]
    assert sorted(shown(both)) == [0, 1]
    assert sorted(shown(model)) == [2, 3]
    assert shown(people) == [20]
    assert (neither.read, neither.hidden) == (35, 35 - len(neither.shown))
    # All 40 were read by all: the means over the readers are known without an interval.
    assert both.images.value == pytest.approx((2 + 3 + 0) / 3)
    assert both.images.low is None
    assert people.images.value == pytest.approx(2 / 3)
    first = both.shown[0]
    assert (first.votes, first.wrong, first.answers) == (2, 2, 3)
    assert [one.wrong for one in model.shown] == [1, 0]
    assert first.called == first.predicted != first.given
    assert page.simulated == "" and all(row.blind for row in page.readers)


def test_rates_are_the_readers_own(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 1, 20], [5], []])
    page = page_of(study, dataset)
    assert [row.error.value for row in page.readers] == pytest.approx([3 / 40, 1 / 40, 0])
    assert page.together.value == pytest.approx(4 / 120)
    assert [row.hard.count + row.others.count for row in page.readers] == [3, 1, 0]
    assert (page.count, page.people, page.without_exclusions) == (3, None, None)
    assert page.versus[0].error == 4 / 40
    assert page.versus[0].read_right.value == pytest.approx(1 - (2 / 3) / 4)
    assert page.versus[0].least_error.value == pytest.approx(2 / 3 / 40)


def test_confusions_stand_side_by_side(study: Study, dataset: Dataset) -> None:
    readings = read(study, dataset, [[0, 1, 20], [0, 30]])
    labels = dataset.test.labels
    expected: dict[tuple[int, int], list[float]] = {}
    for place, (images, weight) in enumerate((([0, 1, 20, 0, 30], 1 / 2), ([0, 1, 2, 3], 1))):
        for image in images:
            pair = int(labels[image]), (int(labels[image]) + 1) % 3
            expected.setdefault(pair, [0.0, 0.0])[place] += weight
    (versus,) = page_of(study, dataset).versus
    found = {(p.given.number, p.read_as.number): [p.people, p.model] for p in versus.pairs}
    assert found == {pair: pytest.approx(numbers) for pair, numbers in expected.items()}
    # Every image was read by both, so that each answer is half an image.
    assert [pair.answers for pair in versus.pairs] == [round(2 * p.people) for p in versus.pairs]
    largest = [max(pair.people, pair.model) for pair in versus.pairs]
    assert largest == sorted(largest, reverse=True)
    assert len(readings.readers) == 2


def test_what_readers_call_something_else_is_evidence(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 20, 9], [0, 20], [0]])
    page = page_of(study, dataset)
    assert [one.picture.index for one in page.called_other] == [0, 20]
    calls = page.called_other[1].calls
    name = dataset.classes[(int(dataset.test.labels[20]) + 1) % 3]
    assert calls.told == f"2 of 3 readers call it {name}"
    assert (calls.votes, calls.votes_given, calls.simulated) == (2, 1, False)


def test_what_is_left_out_is_counted(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 1, 2, 3, 20, 21], [0, 1, 2, 3, 20, 21]])
    few = Limits(cell=1, called=2, readers=1, narrowing=1, versus=0)
    page = page_of(study, dataset, few)
    assert (page.hidden_called, page.hidden_readers, page.hidden_models) == (4, 1, 1)
    assert (len(page.narrowing), page.versus) == (1, ())
    (versus,) = page_of(study, dataset, Limits(cell=1, confusions=2)).versus
    assert [(len(cell.shown), cell.hidden) for cell in versus.cells] == [
        (1, 3), (0, 0), (1, 1), (1, 33),
    ]  # fmt: skip
    assert (len(versus.pairs), versus.hidden_pairs > 0) == (1, True)


def test_the_narrowing_is_that_of_the_answers(study: Study, dataset: Dataset) -> None:
    read(study, dataset, [[0, 20], []])
    found = find_people(study, dataset=dataset)
    assert found is not None
    for curve, tally in zip(page_of(study, dataset).narrowing, found.people.estimate.tallies,
                            strict=True):  # fmt: skip
        whole = narrow(found.people.plan, tally)
        assert [point.answers for point in curve.points] == list(range(41))
        np.testing.assert_array_equal([point.low for point in curve.points], whole.low)
        np.testing.assert_array_equal([point.high for point in curve.points], whole.high)


def test_who_did_not_say_is_not_blind_and_programs_are_marked(
    study: Study, dataset: Dataset
) -> None:
    simulate_readers(study, 2, error_easy=0.1, error_hard=0.5, save="programs", dataset=dataset)
    page = page_of(study, dataset)
    assert page.simulated.startswith("SIMULATED")
    assert all("simulated reader" in one.calls.told for one in page.called_other)
    read(study, dataset, [[0]], seen=Seen.MISTAKES)
    page = page_of(study, dataset)
    # People come before programs.
    assert (page.simulated, page.count, page.readers[0].blind) == ("", 1, False)


def test_the_confidence_is_the_plan_s(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    made = make_study(tmp_path / "other", dataset, make_predictions(dataset.test))
    make_plan(made, 20, alpha=0.1)
    read(made, dataset, [[0, 20]])
    page = page_of(made, dataset)
    assert page.confidence == "90%"
    assert "(90%)" in page.target


def test_after_verdicts_stand_beside_as_labelled(study: Study, dataset: Dataset) -> None:
    """Of the model's mistakes 0 to 3, 0 has another label, 1 is open; 20 is refuted."""
    read(study, dataset, [[0, 1, 20], [5]])
    assert page_of(study, dataset).after is None
    labels = dataset.test.labels
    for image, verdict, right in (
        (0, "label", (int(labels[0]) + 1) % 3), (1, "ambiguous", None), (20, "label", None),
    ):  # fmt: skip
        study.verdicts.decide(
            "test", [image], verdict, right, event=f"e{image}", tab="t", given=[int(labels[image])]
        )
    page = page_of(study, dataset)
    after = page.after
    assert after is not None
    assert (after.reviewed, after.changed, after.refuted, after.open) == (3, 1, 1, 1)
    people, model = after.rows
    values = [
        [round(40 * (one.value or 0), 6) for one in (row.as_labelled, row.after, row.lowest,
                                                      row.highest)]
        for row in (people, model)
    ]  # fmt: skip
    # Reader 0: 0 is right now, 1 and 20 stay wrong. Reader 1: 0, 5 and 20 are wrong, 1 may be.
    assert values == [[2, (2 + 3) / 2, (0 + 3) / 2, (2 + 4) / 2], [4, 4, 3, 4]]
    assert [40 * (row.after.value or 0) for row in page.readers if row.after] == [2, 3]
    assert people.difference is None and people.better == ""
    assert model.difference is not None and model.difference.value == pytest.approx(-1.5 / 40)
    assert "2 of the 4 that oracle-imported-s0 misreads, 3 of the 4 that a reader" in after.caution


def curve_of(*limits: tuple[int, float, float]) -> NarrowingCurve:
    return NarrowingCurve("a <reader>", tuple(NarrowingPoint(*each) for each in limits))


def test_the_chart_tells_its_last_limits_and_escapes_names() -> None:
    curve = curve_of((0, 0, 1), (50, 0.001, 0.2), (100, 0.002, 0.01))
    limit = narrowing_limit([curve], [0.005])
    assert limit == pytest.approx(0.03)
    chart = draw_narrowing(curve, limit, "net", 0.005)
    assert "between 0.20% and 1.00%; that of net is 0.50%" in chart
    assert "a &lt;reader&gt;" in chart and "<reader>" not in chart
    assert 'class="diagonal"' not in draw_narrowing(curve, limit)


@pytest.mark.parametrize("limits", [[(0, 0.0, 1.0)], [(0, 0.0, 0.0)]])
def test_a_reader_without_answers_has_a_chart(limits: list[tuple[int, float, float]]) -> None:
    curve = curve_of(*limits)
    assert "<svg" in draw_narrowing(curve, narrowing_limit([curve], []))
