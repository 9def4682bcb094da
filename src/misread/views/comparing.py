"""What a study has to hold against each other on one split: models, people, the literature."""

from collections.abc import Sequence

from misread.analysis.comparing.models import compare_models
from misread.analysis.comparing.quoted import quoted_rates
from misread.analysis.comparing.result import CompareResult, compare_people
from misread.analysis.reading.result import PeopleResult
from misread.errors import StudyError
from misread.store import Study
from misread.tables import Origin, Provenance


def find_comparison(
    study: Study,
    split: str,
    model: str | None = None,
    *,
    people: PeopleResult | None = None,
) -> CompareResult | None:
    """What stands side by side on one split, for a study's pages.

    Args:
        study: The study.
        split: Which split.
        model: Only predictions of this model or run; None for all.
        people: What the study's readings say, see `find_people`.

    Returns:
        None where there is nothing to hold against each other.

    Raises:
        MisreadError: A table of the study is damaged.
    """
    found = [p for p in study.list_predictions(split, model) if p.origin != Origin.IN_SAMPLE]
    whole, partial = of_all_images(study, split, found)
    if not whole:
        return None
    result = measure(study, split, whole, partial, None, people)
    alone = not (len(result.comparison.models) > 1 or result.people or result.quoted)
    return None if alone else result


def of_all_images(
    study: Study, split: str, found: Sequence[Provenance]
) -> tuple[list[Provenance], list[Provenance]]:
    """Those of some predictions that are of all images of their split, and the others."""
    images = study.splits[split].images
    parts: tuple[list[Provenance], list[Provenance]] = ([], [])
    for one in found:
        whole = bool(images) and len(study.open_predictions(one).index) == images
        parts[not whole].append(one)
    return parts


def measure(
    study: Study,
    split: str,
    whole: Sequence[Provenance],
    partial: Sequence[Provenance],
    against: str | None,
    people: PeopleResult | None,
) -> CompareResult:
    """Put together what stands side by side on one split.

    Args:
        study: The study.
        split: Which split.
        whole: Predictions of all its images, 1 or more.
        partial: Predictions that are left out.
        against: The reference, a model or run; None takes the oldest run.
        people: What the study's readings say, of this split or another.

    Raises:
        StudyError: There are no predictions by the reference.
        MisreadError: A table is damaged, or they don't belong together.
    """
    record, reference = study.splits[split], _reference(study, whole, against)
    files = [study.open_predictions(one) for one in whole]
    comparison = compare_models(files, whole.index(reference))
    return CompareResult(
        split=split,
        comparison=comparison,
        chosen=against is not None,
        people=compare_people(people, split, comparison),
        quoted=quoted_rates(record.items_fingerprint, record.labels_fingerprint),
        left_out=tuple(sorted(one.name for one in partial)),
    )


def _reference(study: Study, whole: Sequence[Provenance], against: str | None) -> Provenance:
    """The oldest run, of a single network if there is one: of all, or by the name given."""
    named = [one for one in whole if against in (None, one.model, one.run_name)]
    if not named:
        raise StudyError(
            f"{study.path}: --against expected one of {', '.join(one.run_name for one in whole)}. "
            f"Got {against!r} instead."
        )
    return min(named, key=lambda one: (one.is_mean, one.created, one.name))
