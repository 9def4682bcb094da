"""What a study has to hold against each other on one split: models, people, the literature."""

from collections.abc import Sequence

from misread.analysis.comparing.models import compare_models
from misread.analysis.comparing.quoted import quoted_rates
from misread.analysis.comparing.result import CompareResult, compare_people
from misread.analysis.reading.result import PeopleResult
from misread.store import Study
from misread.tables import Origin, Provenance
from misread.views.reference import of_all_images, oldest


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
    result = measure(study, split, whole, partial, people, selected=model is not None)
    alone = not (len(result.comparison.models) > 1 or result.people or result.quoted)
    return None if alone else result


def measure(
    study: Study,
    split: str,
    whole: Sequence[Provenance],
    partial: Sequence[Provenance],
    people: PeopleResult | None,
    *,
    reference: Provenance | None = None,
    selected: bool = False,
) -> CompareResult:
    """Put together what stands side by side on one split.

    Args:
        study: The study.
        split: Which split.
        whole: Predictions of all its images, 1 or more.
        partial: Predictions that are left out.
        people: What the study's readings say, of this split or another.
        reference: Which of `whole` the others are held against; None takes the oldest run.
        selected: Whether models were named, rather than all taken.

    Raises:
        MisreadError: A table is damaged, or they don't belong together.
    """
    record = study.splits[split]
    files = [study.open_predictions(one) for one in whole]
    comparison = compare_models(files, whole.index(reference or oldest(whole)))
    return CompareResult(
        split=split,
        comparison=comparison,
        chosen=reference is not None,
        selected=selected,
        people=compare_people(people, split, comparison),
        quoted=quoted_rates(record.items_fingerprint, record.labels_fingerprint),
        left_out=tuple(sorted(one.name for one in partial)),
    )
