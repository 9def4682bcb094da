"""The overview page: the report's own page objects, with links into the gallery."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from markupsafe import Markup

from misread.datasets import Dataset
from misread.views.audit import Audit
from misread.views.gallery.boot import study_id
from misread.views.gallery.gallery import Gallery
from misread.views.html import Renderer
from misread.views.html.links import Size
from misread.views.pages import Limits, StudyTables, build_overview
from misread.views.pages.parts import Drawing, Picture
from misread.views.pages.results import Result

# About how large an image is shown, in CSS pixels. Small ones are enlarged by whole factors only.
_SIDES: dict[Size, int] = {"small": 56, "normal": 96, "large": 112}
# Seconds to wait for a panel's suggestions.
_WAIT = 5.0


class GalleryLinks:
    """Where the overview's links lead in the gallery.

    Args:
        results: Results whose mistakes are linked to.
        dataset: The images.
        study: Id of the study.
    """

    def __init__(self, results: Iterable[Result], dataset: Dataset, study: str) -> None:
        self._results = {result.key: (result.split, result.run) for result in results}
        self._dataset, self._study = dataset, study

    def mistakes(
        self, key: str, given: int | None = None, predicted: int | None = None
    ) -> str | None:
        """The misread images of one model, of a given class, of a pair of classes."""
        split, run = self._results[key]
        asked: dict[str, object] = {"split": split, "model": run, "sort": "confidence"}
        for name, number in (("given", given), ("predicted", predicted)):
            if number is not None:
                asked[name] = number
        return "/?" + urlencode(asked | {"right": "no"})

    def audit(self, split: str) -> str | None:
        """The split's images, the most suspicious first."""
        return "/?" + urlencode({"split": split, "group": "none", "sort": "suspicion"})

    def compare(self, split: str) -> str | None:
        """The split's models side by side."""
        return "/compare?" + urlencode({"split": split})

    def methods(self) -> str | None:
        """The report has them."""
        return None

    def image(self, picture: Picture) -> str | None:
        """The image, opened among those of its split."""
        return "/?" + urlencode({"split": picture.split, "image": picture.index})

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        """An image of its own."""
        width, height = self._size(picture, size)
        if isinstance(picture, Drawing):
            asked = urlencode({"run": picture.run, "role": picture.role})
            url = f"/drawing/{quote(picture.split, safe='')}/{picture.index}?{asked}"
        else:
            url = self._image(picture)
        return Markup(
            '<img class="tile" src="{}" alt="{}" width="{}" height="{}" loading="lazy">'
        ).format(url, label, width, height)

    def _image(self, picture: Picture) -> str:
        split = quote(picture.split, safe="")
        return f"/image/{split}/{picture.index}?size=thumb&v={self._study}"

    def _size(self, picture: Picture, size: Size) -> tuple[int, int]:
        """Width and height in CSS pixels."""
        split, side = self._dataset.splits[picture.split], _SIDES[size]
        height, width = (split.image_shape or split.images[picture.index].shape)[:2]
        longest = max(height, width)
        zoom = side // longest if longest <= side else side / longest
        return max(1, round(width * zoom)), max(1, round(height * zoom))


class OverviewPage:
    """The overview as HTML, made anew where anything that it shows has changed.

    Args:
        gallery: Of what.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._kept: tuple[object, Markup] = (None, Markup())

    def render(self) -> tuple[Markup, bool]:
        """The content of the page, and whether suggested verdicts are still to come."""
        gallery = self._gallery
        splits = sorted(gallery.dataset.splits, key=lambda name: name != "test")
        known = [name for name in splits if gallery.scoring.state(name).state != "none"]
        waited = {name: gallery.scoring.wait_for_audit(name, _WAIT) for name in known}
        audits = {name: audit for name, audit in waited.items() if audit is not None}
        key = (gallery.stamp, gallery.decisions.revision(), tuple(audits))
        if self._kept[0] != key:
            self._kept = key, self._make(audits)
        return self._kept[1], len(audits) < len(known)

    def _make(self, audits: dict[str, Audit]) -> Markup:
        gallery = self._gallery
        tables = StudyTables(gallery.study, gallery.dataset, audits, None, Limits())
        page = build_overview(tables)
        links = GalleryLinks(page.results, gallery.dataset, study_id(gallery.study))
        return Renderer(links).overview(page)
