"""Which predictions of a split stand side by side, and which one the others are held against.

Apart from what measures them: what can't be compared is said before that is imported.
"""

from collections.abc import Sequence

from misread.errors import StudyError
from misread.store import Study
from misread.tables import Origin, Provenance


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


def find_reference(
    study: Study, split: str, whole: Sequence[Provenance], against: str
) -> Provenance:
    """The predictions that were asked for as reference: of these, else of all of the study.

    Args:
        study: The study.
        split: Which split.
        whole: Predictions of all its images that stand side by side.
        against: A model or run; of several runs the oldest is taken.

    Raises:
        StudyError: There are no such predictions of all images by a model that never saw them.
    """
    listed = [one for one in study.list_predictions(split) if one.origin != Origin.IN_SAMPLE]
    usable = sorted(of_all_images(study, split, listed)[0], key=lambda one: one.name)
    for several in (whole, usable):
        named = [one for one in several if against in (one.model, one.run_name)]
        if named:
            return oldest(named)
    raise StudyError(
        f"{study.path}: --against expected one of {', '.join(one.run_name for one in usable)}. "
        f"Got {against!r} instead."
    )


def oldest(found: Sequence[Provenance]) -> Provenance:
    """The oldest of 1 or more runs, of a single network if there is one."""
    return min(found, key=lambda one: (one.is_mean, one.created, one.name))
