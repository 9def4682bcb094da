"""The page of people against models: the report's own page object, with the gallery's images."""

from markupsafe import Markup

from misread.analysis.reading.described import Described
from misread.errors import ReadingsError
from misread.views.gallery.boot import study_id
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.memo import Memo
from misread.views.html import Renderer
from misread.views.pages import Limits, StudyTables, build_described, build_people
from misread.web.overview import GalleryLinks


class PeoplePages:
    """The page as HTML, made anew where readings, verdicts or predictions have changed.

    Args:
        gallery: Of what.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._kept = Memo[Markup | None](0, lambda page: 1)

    def render(self) -> tuple[Markup | None, str]:
        """The content of the page, None where nobody has read; and why there is none."""
        try:
            return self._content(), ""
        except ReadingsError as error:
            return None, str(error)

    def _content(self) -> Markup | None:
        gallery = self._gallery
        key = (gallery.stamp, gallery.reading.stamp, gallery.decisions.revision())
        return self._kept.get(key, self._make)

    def _make(self) -> Markup | None:
        gallery = self._gallery
        found = gallery.reading.measure()
        if found is None:
            return None
        tables = StudyTables(gallery.study, gallery.dataset, {}, None, Limits())
        links = GalleryLinks((), gallery.dataset, study_id(gallery.study))
        if isinstance(found, Described):
            return Renderer(links).described(build_described(tables, found))
        return Renderer(links).people(build_people(tables, found))
