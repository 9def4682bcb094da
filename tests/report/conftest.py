"""Reports of small studies, and what is in their HTML."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from misread.datasets import Dataset
from misread.report import Report, compose_report
from misread.store import Study
from misread.tables import Reconstructions
from misread.views.pages import Pages
from misread.workflows.report import find_reconstructions, make_pages

# Elements without an end.
VOID = {"meta", "link", "br", "img", "input", "hr", "col"}


@dataclass
class Html(HTMLParser):
    """What the tests look at in one document, which has to be well formed."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    style: str = ""
    scripts: list[str] = field(default_factory=list)
    text: str = ""
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        assert len(named) == len(attrs), f"{tag}: an attribute twice: {attrs}"
        assert not [name for name in named if name.startswith("on")], f"{tag}: {attrs}"
        self.elements.append((tag, named))
        if named.get("id"):
            self.ids.append(named["id"] or "")
        if tag == "a":
            self.links.append(named["href"] or "")
        elif named.get("src") or named.get("href"):
            self.resources.append(named.get("src") or named.get("href") or "")
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> ends nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self.stack[-1] if self.stack else ""
        if inside == "style":
            self.style += data
        elif inside == "script":
            self.scripts[-1] += data
        else:
            self.text += data

    @property
    def tiles(self) -> list[list[str]]:
        """The classes of each image."""
        return [
            (named.get("class") or "").split()
            for _, named in self.elements
            if "tile" in (named.get("class") or "").split()
        ]


def parse(content: bytes) -> Html:
    html = Html()
    html.feed(content.decode())
    html.close()
    assert html.stack == []
    return html


@pytest.fixture(scope="session")
def read_html() -> Callable[[bytes], Html]:
    return parse


@pytest.fixture(scope="session")
def dataset(make_dataset: Callable[..., Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture(scope="session")
def pages(whole_study: Study, dataset: Dataset) -> Pages:
    return make_pages(whole_study, dataset=dataset)


@pytest.fixture(scope="session")
def drawings(whole_study: Study) -> dict[str, Reconstructions]:
    return find_reconstructions(whole_study)


@pytest.fixture(scope="session", params=["folder", "single file"])
def report(
    request: pytest.FixtureRequest, pages: Pages, dataset: Dataset,
    drawings: dict[str, Reconstructions],
) -> Report:  # fmt: skip
    return compose_report(pages, dataset, drawings, single_file=request.param == "single file")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Report], Path]:
    """The files of a report in a folder."""

    def written(report: Report) -> Path:
        for name, content in report.files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return written
