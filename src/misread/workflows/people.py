"""What a study's readings say of people and models."""

from collections.abc import Mapping, Sequence

from misread.analysis.adjudication import adjudicate
from misread.analysis.outcomes import read_outcomes
from misread.analysis.reading.adjudicated import measure_after
from misread.analysis.reading.answers import (
    LabelReadings,
    label_readings,
    tallied_answers,
)
from misread.analysis.reading.confusion import people_confusion
from misread.analysis.reading.described import Described, describe_answers
from misread.analysis.reading.design import as_random_sample
from misread.analysis.reading.people import measure_people
from misread.analysis.reading.result import PeopleResult
from misread.analysis.reading.tally import check_follows
from misread.datasets import Dataset
from misread.errors import PredictionsError, ReadingsError
from misread.store import Study
from misread.tables import Origin
from misread.tables.reading_plan import ReadingPlan, ReadingTarget
from misread.tables.readings import Readings
from misread.types import LabelArray
from misread.workflows.reading_plan import load_plan, out_of_sample
from misread.workflows.readings import (
    count_readings,
    find_answers,
    find_readings,
    given_labels,
    open_readings,
)


def people(
    study: Study,
    readings: Readings,
    *,
    models: Sequence[str] = (),
    random_order: bool = False,
    readers: Sequence[str] = (),
    without: Sequence[str] = (),
) -> PeopleResult:
    """How often people read a split's images otherwise than labelled, and against each model.

    Where verdicts were decided on the split, the same once more after them.

    Args:
        study: The study.
        readings: The readings, see `open_readings`.
        models: Models or runs to hold people against; none for all whose predictions of the split
            are held-out or cross-fitted.
        random_order: For readings without a plan: that each reader read a simple random sample of
            the split's images, in random order. Without that no rate can be told from them.
        readers: Only these readers; none for all.
        without: Leave these readers out. Whoever is left out is named in the result.

    Raises:
        ReadingsError: The readings follow no plan, or not the study's.
        PredictionsError: A model's predictions aren't of all images.
    """
    plan = _plan_of(study, readings, random_order)
    chosen = _choose(readings, readers, without)
    predicted = predicted_classes(study, plan.target.split, models)
    labels = given_labels(study, plan.target.split)
    there, kept = ([one.name for one in each.readers] for each in (readings, chosen))
    left_out = [name for name in there if name not in kept]
    return _measure(study, plan, labels, chosen, predicted, left_out)


def _choose(readings: Readings, readers: Sequence[str], without: Sequence[str]) -> Readings:
    readings.of(without)  # says so if nobody is called that
    chosen = readings.of(readers) if readers else readings
    kept = [one.name for one in chosen.readers if one.name not in without]
    if not kept:
        raise ReadingsError("reader: expected one or more who isn't left out. Got none.")
    return chosen.of(kept)


def find_people(
    study: Study, model: str | None = None, *, dataset: Dataset | None = None
) -> PeopleResult | None:
    """What a study's readings say, for its pages; see `people`.

    Models whose predictions aren't of all images are left out.

    Args:
        study: The study.
        model: Only predictions of this model or run; None for all.
        dataset: The study's dataset, where it is loaded already.

    Returns:
        None where nobody has read by the study's plan.

    Raises:
        ReadingsError: A table of readings is damaged.
    """
    readings = find_readings(study)
    if readings is None or not readings.design or not len(readings):
        return None
    plan = _plan_of(study, readings, random_order=False)
    split = plan.target.split
    predicted = _whole(study, split, model)
    labels = given_labels(study, split, dataset)
    return _measure(study, plan, labels, readings, predicted)


def read_labels(study: Study, *, dataset: Dataset | None = None) -> dict[str, LabelReadings]:
    """By split, what readers called each image that they read: evidence on its label.

    All readings count that `count_readings` counts.

    Args:
        study: The study.
        dataset: Its dataset, where it is loaded already.

    Raises:
        ReadingsError: A table of readings is damaged.
    """
    found = count_readings(study)
    if not found:
        return {}
    dataset = dataset or study.load_dataset()
    return {
        split: label_readings(counts, given_labels(study, split, dataset))
        for split, counts in found.items()
    }


def _measure(
    study: Study,
    plan: ReadingPlan,
    labels: LabelArray,
    readings: Readings,
    predicted: dict[str, LabelArray],
    left_out: Sequence[str] = (),
) -> PeopleResult:
    wrong = {name: read != labels for name, read in predicted.items()}
    measured = measure_people(plan, labels, readings, wrong, left_out)
    after, verdicts = None, study.verdicts.state(plan.target.split)
    if len(verdicts):
        adjudicated = adjudicate(labels, verdicts)
        after = measure_after(plan, measured.estimate, adjudicated, predicted)
    return PeopleResult(
        people=measured,
        adjudicated=after,
        confusion=people_confusion(plan, measured.estimate.counted_tallies, labels),
        labels=label_readings(tallied_answers(measured.estimate.tallies, readings.classes), labels),
        predicted=predicted,
    )


def _plan_of(study: Study, readings: Readings, random_order: bool) -> ReadingPlan:
    if readings.design:
        plan = load_plan(study)
        check_follows(plan, readings)
        return plan
    if not random_order:
        raise ReadingsError(
            "readings: expected those of a plan: without one nobody can tell which images were "
            "left out. If they are a simple random sample in random order, say so: random_order "
            "(--random-order)"
        )
    if readings.hard.any():
        raise ReadingsError(
            "readings: expected a simple random sample by random_order (--random-order). Got hard "
            "images that were read on purpose, by their stratum or condition: no rate follows from "
            "these without the plan, which the tidy form has"
        )
    record = study.splits[readings.split]
    target = ReadingTarget(
        study.dataset_name,
        readings.split,
        record.images,
        study.classes,
        record.items_fingerprint,
        record.labels_fingerprint,
    )
    return as_random_sample(target)


def describe_people(
    study: Study,
    names: Sequence[str] = (),
    *,
    models: Sequence[str] = (),
    dataset: Dataset | None = None,
) -> Described:
    """What people called the images that they read, where no plan says what was left out.

    Of several splits, that of the first table; the test split comes first.

    Args:
        study: The study.
        names: Tables of readings or of counts; none for all, without simulated ones where there are
            others.
        models: Models or runs that read the same images; none for all that never saw the split and
            predicted all of it.
        dataset: The study's dataset, where it is loaded already.

    Raises:
        ReadingsError: There are no such tables, or they are damaged.
        PredictionsError: A model that was named didn't predict all images.
    """
    return _describe(study, names, models, None, dataset)


def look_at_people(
    study: Study,
    names: Sequence[str] = (),
    *,
    models: Sequence[str] = (),
    random_order: bool = False,
    readers: Sequence[str] = (),
    without: Sequence[str] = (),
) -> PeopleResult | Described:
    """What a study's readings say: measured by the plan where they follow it, else counted.

    Args:
        study: The study.
        names: Tables of readings or of counts; none for those by the plan, or where there are none
            all others.
        models: As for `people`.
        random_order: As for `people`.
        readers: As for `people`; only where the readings are measured.
        without: As for `people`, likewise.

    Raises:
        ReadingsError: There are no readings, or they are damaged or don't go together.
        PredictionsError: A model's predictions aren't of all images.
    """
    tables, counts = find_answers(study, names)
    found = find_readings(study) if not names else None
    if tables and names and not counts:
        found = open_readings(study, names)
    if random_order and (counts or found is None):
        raise ReadingsError(
            "random-order: expected readings, which have an order. Got counts of answers; name "
            "tables with --readings"
        )
    if found is not None and not counts and _is_measured(found, tables, names, random_order):
        return people(
            study, found, models=models, random_order=random_order, readers=readers,
            without=without,
        )  # fmt: skip
    if readers or without:
        raise ReadingsError(
            "reader, without: expected readings by the plan, or --random-order. Got others, "
            "which are counted; --readings names tables of them"
        )
    return describe_people(study, names, models=models)


def find_page(
    study: Study, model: str | None = None, *, dataset: Dataset | None = None
) -> PeopleResult | Described | None:
    """The same for a study's pages; None where nobody has read anything.

    Models whose predictions aren't of all images are left out.

    Args:
        study: The study.
        model: Only predictions of this model or run; None for all.
        dataset: The study's dataset, where it is loaded already.

    Raises:
        ReadingsError: A table of readings is damaged.
    """
    tables, counts = find_answers(study)
    found = find_readings(study)
    if found is not None and len(found) and _is_measured(found, tables, (), False):
        return find_people(study, model, dataset=dataset)
    if not any(map(len, tables.values())) and not counts:
        return None
    return _describe(study, (), (), model, dataset)


def _is_measured(
    found: Readings, tables: Mapping[str, Readings], names: Sequence[str], random_order: bool
) -> bool:
    """Whether an error rate follows from these readings, and nobody else read.

    Where only programs have read by the plan, people who read without it come first.
    """
    programs = not names and found.simulated
    people = any(not table.simulated for table in tables.values())
    return bool(found.design or random_order) and not (programs and people)


def _describe(
    study: Study,
    names: Sequence[str],
    models: Sequence[str],
    model: str | None,
    dataset: Dataset | None,
) -> Described:
    readings, counts = find_answers(study, names)
    splits = [*(each.split for each in readings.values()), *(split for _, split in counts)]
    if not splits:
        raise ReadingsError(
            f"{study.path}: expected readings, found none; `misread read` collects them, "
            "`misread import readings` brings them in"
        )
    split = min(splits, key=lambda name: name != "test")
    return describe_answers(
        split,
        given_labels(study, split, dataset),
        {name: each for name, each in readings.items() if each.split == split and len(each)},
        {name: each for (name, of), each in counts.items() if of == split},
        predicted_classes(study, split, models) if models else _whole(study, split, model),
    )


def _whole(study: Study, split: str, model: str | None) -> dict[str, LabelArray]:
    """By name of the predictions, the predicted classes of models that never saw a split.

    Those that didn't predict all its images are left out.
    """
    listed = study.list_predictions(split, model=model)
    found = [one for one in listed if one.origin != Origin.IN_SAMPLE]
    predicted = {}
    for provenance in [one for one in found if not one.is_mean] or found:
        outcomes = read_outcomes(study.open_predictions(provenance))
        if len(outcomes) == study.splits[split].images:
            predicted[provenance.name] = outcomes.predicted
    return predicted


def predicted_classes(
    study: Study, split: str, models: Sequence[str] = ()
) -> dict[str, LabelArray]:
    """By name of the predictions, (N,) int16 predicted class of every image of a split.

    Raises:
        StudyError: There are no predictions of a model.
        PredictionsError: Predictions are in-sample, or not of all images.
    """
    images, found = study.splits[split].images, {}
    for provenance in out_of_sample(study, split, models):
        outcomes = read_outcomes(study.open_predictions(provenance))
        if len(outcomes) != images:
            raise PredictionsError(
                f"{provenance.name}: expected predictions of all {images:,} images. "
                f"Got {len(outcomes):,}; --model names others"
            )
        found[provenance.name] = outcomes.predicted
    return found
