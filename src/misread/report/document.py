"""Page objects to the files of a report: HTML with everything inlined, and sprite sheets."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from markupsafe import Markup

from misread.datasets import Dataset
from misread.report.links import Addresses, ReportLinks
from misread.report.sheets import Sheets, cell_rules
from misread.tables import Reconstructions
from misread.views.html.render import Renderer, new_environment, read_static
from misread.views.pages import Pages
from misread.views.pages.audit import AuditPage
from misread.views.pages.compare import ComparePage
from misread.views.pages.mistakes import MistakesPage
from misread.views.pages.reconstructions import ReconstructionsPage

# By this line, near the start of each of its files, a report is known again.
GENERATOR = '<meta name="generator" content="misread report">'
MANIFEST = "manifest.json"
FORMAT = "misread report 1"

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Report:
    """A report that isn't written yet.

    Attributes:
        files: Content by name within the folder; one file named `index.html` if it is a single one.
        single_file: Whether everything is in that one.
    """

    files: Mapping[str, bytes]
    single_file: bool


@dataclass(frozen=True)
class _Page:
    """One page: its name, its title for the navigation, and how it is rendered."""

    name: str
    title: str
    render: Callable[[Renderer], Markup]


def compose_report(
    pages: Pages,
    dataset: Dataset,
    drawings: Mapping[str, Reconstructions] | None = None,
    *,
    single_file: bool = False,
) -> Report:
    """Render all pages with their images.

    The same pages give the same bytes.

    Args:
        pages: What is shown.
        dataset: The images.
        drawings: By split, the drawings that pages refer to.
        single_file: Put everything into one document.

    Raises:
        DatasetError: An image can't be read.
    """
    addresses = Addresses(pages, single_file=single_file)
    listed = _list(pages, addresses)
    composer = _Composer(pages, partial(Sheets, dataset, drawings), addresses, listed)
    if single_file:
        html = composer.document(listed, lambda name, png: _data_url(png))
        return Report({"index.html": html}, single_file=True)
    files: dict[str, bytes] = {}

    def keep(page: _Page, name: str, png: bytes) -> str:
        path = f"images/{page.name}-{name}.png"
        files[path] = png
        return path

    for page in listed:
        files[f"{page.name}.html"] = composer.document([page], partial(keep, page))
    content = {"format": FORMAT, "files": sorted([*files, MANIFEST])}
    files[MANIFEST] = (json.dumps(content, indent=1) + "\n").encode()
    return Report(files, single_file=False)


def _list(pages: Pages, addresses: Addresses) -> list[_Page]:
    """All pages in the order of the navigation."""
    listed = [_Page("index", "Overview", lambda r: r.overview(pages.overview))]
    splits = [page.split for page in pages.mistakes]
    for page in pages.mistakes:
        origin = f" ({page.origin})" if splits.count(page.split) > 1 else ""
        name, title = addresses.mistakes_name(page.key), f"{page.title}{origin}"
        listed.append(_Page(name, title, partial(_render_mistakes, page, name)))
    for audit in pages.audits:
        name = addresses.audit_name(audit.split)
        listed.append(_Page(name, audit.title, partial(_render_audit, audit)))
    for drawn in pages.reconstructions:
        name = addresses.drawn_name(drawn.split)
        listed.append(_Page(name, drawn.title, partial(_render_drawn, drawn)))
    for compared in pages.compared:
        name = addresses.compare_name(compared.split)
        listed.append(_Page(name, compared.title, partial(_render_compare, compared)))
    people = pages.people
    if people is not None:
        listed.append(_Page("people", "People", lambda r: r.people(people)))
    described = pages.described
    if described is not None:
        listed.append(_Page("people", "People", lambda r: r.described(described)))
    methods = _Page("methods", "Methods", lambda r: r.methods(pages.methods, pages.reproduce))
    return [*listed, methods]


def _render_mistakes(page: MistakesPage, name: str, renderer: Renderer) -> Markup:
    return renderer.mistakes(page, name)


def _render_audit(page: AuditPage, renderer: Renderer) -> Markup:
    return renderer.audit(page)


def _render_drawn(page: ReconstructionsPage, renderer: Renderer) -> Markup:
    return renderer.reconstructions(page)


def _render_compare(page: ComparePage, renderer: Renderer) -> Markup:
    return renderer.compare(page)


class _Composer:
    """Makes documents of pages that share a navigation."""

    def __init__(
        self,
        pages: Pages,
        new_sheets: Callable[[], Sheets],
        addresses: Addresses,
        listed: Sequence[_Page],
    ) -> None:
        self._title = pages.overview.title
        self._new_sheets = new_sheets
        self._addresses = addresses
        self._navigation = [(page.name, page.title, addresses.url(page.name)) for page in listed]
        self._environment = new_environment(_HERE / "templates")
        self._style = read_static("pages.css") + _read("report.css") + cell_rules()
        self._scripts = {"theme": _read("theme.js"), "pages": read_static("pages.js")}

    def document(self, shown: Sequence[_Page], keep: Callable[[str, bytes], str]) -> bytes:
        """One HTML file.

        Args:
            shown: Pages in it.
            keep: Is given the name and the content of each sprite sheet, returns its URL.
        """
        sheets = self._new_sheets()
        single = len(shown) == len(self._navigation)
        renderer = Renderer(
            ReportLinks(self._addresses, sheets), 2 if single else 1, self._environment
        )
        bodies = [(page.name, page.render(renderer)) for page in shown]
        rules = [sheet.rule(keep(sheet.name, sheet.sprite.png)) for sheet in sheets.make()]
        style = self._style + "".join(rules)
        template = self._environment.get_template("document.html")
        html = template.render(
            title=self._title,
            page_title="" if single else shown[0].title,
            current="" if single else shown[0].name,
            navigation=self._navigation,
            bodies=bodies,
            single=single,
            # Not escaped: both are the project's own, and hold no name from the dataset.
            style=Markup(style),
            scripts={name: Markup(script) for name, script in self._scripts.items()},
            policy=_policy(style, self._scripts.values()),
            generator=Markup(GENERATOR),
            version=version("misread"),
        )
        return html.encode()


def _policy(style: str, scripts: Iterable[str]) -> str:
    """A content security policy that lets nothing run but what is inlined here.

    Should a name from the dataset ever get past the escaping, its script would still not run.
    """
    hashes = " ".join(_hash(script) for script in scripts)
    # 'self' is for a report that is served; on file:// it means nothing.
    return (
        f"default-src 'none'; img-src data: 'self' file:; style-src {_hash(style)}; "
        f"script-src {hashes}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _read(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")
