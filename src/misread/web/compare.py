"""The pages of models side by side: the report's own page objects, with the gallery's images."""

from markupsafe import Markup

from misread.analysis.reading.result import PeopleResult
from misread.errors import ParameterError, ReadingsError
from misread.tables import Origin
from misread.views.comparing import find_comparison
from misread.views.gallery.boot import study_id
from misread.views.gallery.gallery import Gallery
from misread.views.html import Renderer
from misread.views.pages import StudyTables, build_compare
from misread.web.overview import GalleryLinks


class ComparePages:
    """A page for each split as HTML, made anew where predictions or readings have changed.

    Args:
        gallery: Of what.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._kept: dict[str, tuple[object, Markup | None]] = {}

    @property
    def splits(self) -> list[str]:
        """Splits that have predictions by models which never saw them, the test split first."""
        listed = self._gallery.study.list_predictions()
        found = {one.split for one in listed if one.origin != Origin.IN_SAMPLE}
        return sorted(found, key=lambda name: (name != "test", name))

    def render(self, split: str) -> Markup | None:
        """The content of a split's page; None where there is nothing to hold against each other.

        Args:
            split: Which split.

        Raises:
            ParameterError: There is no such split.
            MisreadError: Predictions are damaged.
        """
        gallery = self._gallery
        if split not in gallery.dataset.splits:
            expected = ", ".join(gallery.dataset.splits)
            raise ParameterError(f"split: expected one of {expected}. Got {split!r} instead.")
        key = (gallery.stamp, gallery.reading.stamp)
        kept = self._kept.get(split)
        if kept is None or kept[0] != key:
            kept = self._kept[split] = key, self._make(split)
        return kept[1]

    def _make(self, split: str) -> Markup | None:
        gallery = self._gallery
        people, problem = None, ""
        try:
            read = gallery.reading.measure()
            people = read if isinstance(read, PeopleResult) else None
        except ReadingsError as error:
            problem = str(error)
        found = find_comparison(gallery.study, split, people=people)
        if found is None:
            return None
        tables = StudyTables(gallery.study, gallery.dataset, {}, readings_problem=problem)
        links = GalleryLinks((), gallery.dataset, study_id(gallery.study))
        return Renderer(links).compare(build_compare(tables, found))
