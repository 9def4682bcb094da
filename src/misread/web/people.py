"""The page of people against models: the report's own page object, with the gallery's images."""

from markupsafe import Markup

from misread.views.gallery.boot import study_id
from misread.views.gallery.gallery import Gallery
from misread.views.html import Renderer
from misread.views.pages import Limits, StudyTables, build_people
from misread.web.overview import GalleryLinks


class PeoplePages:
    """The page as HTML, made anew where readings or predictions have changed.

    Args:
        gallery: Of what.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._kept: tuple[object, Markup | None] = (None, None)

    def render(self) -> Markup | None:
        """The content of the page; None where nobody has read by a plan.

        Raises:
            ReadingsError: The readings are damaged.
        """
        gallery = self._gallery
        key = (gallery.stamp, gallery.reading.stamp)
        if self._kept[0] != key:
            self._kept = key, self._make()
        return self._kept[1]

    def _make(self) -> Markup | None:
        gallery = self._gallery
        found = gallery.reading.measure()
        if found is None:
            return None
        tables = StudyTables(gallery.study, gallery.dataset, {}, None, Limits())
        links = GalleryLinks((), gallery.dataset, study_id(gallery.study))
        return Renderer(links).people(build_people(tables, found))
