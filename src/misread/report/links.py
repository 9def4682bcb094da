"""Where the links of a report lead: to its files, or to places in its one file."""

from markupsafe import Markup

from misread.report.sheets import Sheets
from misread.views.html.links import Size
from misread.views.pages import Pages
from misread.views.pages.parts import Picture

# Splits whose names may be part of a file's name; others go by their number.
_PLAIN = ("train", "test", "validation", "val")


class Addresses:
    """Names the pages of a report, and finds what is on them.

    A page's name is its file's without `.html`, and its anchor in a single file. It is made of
    numbers and known words only, never of a name from the dataset.

    Args:
        pages: All pages.
        single_file: Whether all of them are in one document.
    """

    def __init__(self, pages: Pages, *, single_file: bool) -> None:
        self._single_file = single_file
        splits = [split.name for split in pages.overview.dataset.splits]
        self._slugs = {
            name: name if name in _PLAIN else f"split-{number}"
            for number, name in enumerate(splits)
        }
        self._audits = {page.split for page in pages.audits}
        self._compared = {page.split for page in pages.compared}
        self._shown: set[tuple[str, int | None, int | None]] = set()
        self._names: dict[str, str] = {}
        for page in pages.mistakes:
            self._names[page.key] = f"mistakes-{self._slugs[page.split]}-{page.origin}"
            self._shown.add((page.key, None, None))
            for group in page.groups:
                self._shown.add((page.key, group.given.number, None))
                for tile in group.tiles:
                    self._shown.add((page.key, group.given.number, tile.predicted.number))

    def mistakes_name(self, key: str) -> str:
        """Name of the page of a result's mistakes, and prefix of the anchors on it."""
        return self._names[key]

    def audit_name(self, split: str) -> str:
        """Name of the page of a split's audit."""
        return f"audit-{self._slugs[split]}"

    def compare_name(self, split: str) -> str:
        """Name of the page of what stands side by side on a split."""
        return f"compare-{self._slugs[split]}"

    def drawn_name(self, split: str) -> str:
        """Name of the page of what a network drew of a split."""
        return f"drawn-{self._slugs[split]}"

    def url(self, name: str, anchor: str = "") -> str:
        """URL of a page of this report, or of an anchor on it."""
        if self._single_file:
            return f"#{anchor or name}"
        return f"{name}.html" + (f"#{anchor}" if anchor else "")

    def mistakes(self, key: str, given: int | None, predicted: int | None) -> str | None:
        """As `Links.mistakes`: images of a pair that isn't shown are sought in their class."""
        name = self._names[key]
        if (key, given, predicted) in self._shown and predicted is not None:
            return self.url(name, f"{name}-g{given}-p{predicted}")
        if given is not None and (key, given, None) in self._shown:
            return self.url(name, f"{name}-g{given}") if predicted is None else None
        return self.url(name) if given is None else None

    def audit(self, split: str) -> str | None:
        """As `Links.audit`."""
        return self.url(self.audit_name(split)) if split in self._audits else None

    def compare(self, split: str) -> str | None:
        """As `Links.compare`."""
        return self.url(self.compare_name(split)) if split in self._compared else None


class ReportLinks:
    """The `Links` of one document of a report.

    Args:
        addresses: Of its pages.
        sheets: Of the document's images.
    """

    def __init__(self, addresses: Addresses, sheets: Sheets) -> None:
        self._addresses = addresses
        self._sheets = sheets

    def mistakes(
        self, key: str, given: int | None = None, predicted: int | None = None
    ) -> str | None:
        """URL of mistakes on a page of the report."""
        return self._addresses.mistakes(key, given, predicted)

    def audit(self, split: str) -> str | None:
        """URL of the audit of a split."""
        return self._addresses.audit(split)

    def compare(self, split: str) -> str | None:
        """URL of what stands side by side on a split."""
        return self._addresses.compare(split)

    def methods(self) -> str | None:
        """URL of the methods."""
        return self._addresses.url("methods")

    def image(self, picture: Picture) -> str | None:
        """The report has no page of a single image."""
        return None

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        """A cell of a sprite sheet."""
        return self._sheets.tile(picture, label, size)
