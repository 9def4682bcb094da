"""Page objects to HTML."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from misread.views import charts
from misread.views.html import formats
from misread.views.html.links import Links
from misread.views.pages.audit import AuditPage
from misread.views.pages.compare import ComparePage
from misread.views.pages.described import DescribedPage
from misread.views.pages.methods import Methods
from misread.views.pages.mistakes import MistakesPage
from misread.views.pages.overview import Overview
from misread.views.pages.people import PeoplePage
from misread.views.pages.reconstructions import ReconstructionsPage
from misread.views.pages.reproduce import Reproduce
from misread.views.times import duration

_HERE = Path(__file__).parent


def new_environment(*folders: Path) -> Environment:
    """Templates that escape everything, refuse what is undefined, and know the pages' formats.

    Args:
        folders: Of templates that use those of the pages.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("count", "rate", "limits", "probability", "heat", "plural",
             "percent", "number", "p_value", "decimal")  # fmt: skip
    for name in names:
        environment.filters[name] = getattr(formats, name)
    environment.filters["duration"] = duration
    environment.globals["charts"] = charts
    return environment


def read_static(name: str) -> str:
    """The pages' style sheet (`pages.css`) or script (`pages.js`)."""
    return (_HERE / "static" / name).read_text(encoding="utf-8")


class Renderer:
    """Renders page objects to the content of HTML pages, without head and navigation.

    Everything from the study is escaped. No style is inline and no script either, so that a strict
    content security policy holds, unless `links.tile` adds some.

    Args:
        links: Where links lead and how images are shown.
        level: Level of the headings of pages: 1, or 2 where several pages share a document.
        environment: Templates; None makes them anew.
    """

    def __init__(
        self, links: Links, level: int = 1, environment: Environment | None = None
    ) -> None:
        self._environment = environment or new_environment()
        self._shared = {"links": links, "level": level}

    def overview(self, page: Overview) -> Markup:
        """The overview."""
        return self._render("overview.html", page=page)

    def mistakes(self, page: MistakesPage, prefix: str) -> Markup:
        """A page of mistakes.

        Args:
            page: What it shows.
            prefix: Of the page's anchors: `{prefix}-g4` is a given class, `{prefix}-g4-p9` the
                first image of a pair of classes.
        """
        return self._render("mistakes.html", page=page, prefix=prefix)

    def audit(self, page: AuditPage) -> Markup:
        """An audit."""
        return self._render("audit.html", page=page)

    def compare(self, page: ComparePage) -> Markup:
        """Models, people and the literature side by side."""
        return self._render("compare.html", page=page)

    def reconstructions(self, page: ReconstructionsPage) -> Markup:
        """What a network thinks it saw."""
        return self._render("reconstructions.html", page=page)

    def people(self, page: PeoplePage) -> Markup:
        """People against models."""
        return self._render("people.html", page=page)

    def described(self, page: DescribedPage) -> Markup:
        """People against models, by readings that follow no plan."""
        return self._render("described.html", page=page)

    def methods(self, page: Methods, reproduce: Reproduce) -> Markup:
        """The methods, and how to reproduce the study."""
        return self._render("methods.html", page=page, reproduce=reproduce)

    def _render(self, template: str, **context: object) -> Markup:
        return Markup(self._environment.get_template(template).render(**self._shared, **context))
