import base64
import dataclasses
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.datasets import Dataset, Split, load
from misread.report import Report, compose_report
from misread.report.document import MANIFEST
from misread.store import Study
from misread.tables import Origin, Predictions, Reconstructions
from misread.types import Array
from misread.views.pages import Limits, Pages
from misread.views.pages.parts import Drawing
from misread.workflows.reading_plan import make_plan
from misread.workflows.readings import simulate_readers
from misread.workflows.report import find_reconstructions, make_pages

Read = Callable[[bytes], Any]
EVIL = "<script>alert(1)</script>"


def documents(report: Report, read_html: Read) -> dict[str, Any]:
    return {
        name: read_html(content) for name, content in report.files.items() if name.endswith(".html")
    }


def test_every_link_leads_somewhere_in_the_report(report: Report, read_html: Read) -> None:
    found = documents(report, read_html)
    links = 0
    for name, html in found.items():
        for link in html.links:
            file, _, anchor = link.partition("#")
            target = found[file or name]
            assert not anchor or anchor in target.ids, f"{name}: {link}"
            links += 1
    assert links > 50


def test_ids_are_unique(report: Report, read_html: Read) -> None:
    for html in documents(report, read_html).values():
        assert [name for name, count in Counter(html.ids).items() if count > 1] == []


def test_nothing_is_loaded_from_elsewhere(report: Report, read_html: Read) -> None:
    for name, html in documents(report, read_html).items():
        assert html.resources == []
        urls = re.findall(r'url\("([^"]*)"\)', html.style)
        for url in urls:
            assert url in report.files or url.startswith("data:image/png;base64,"), name
        assert "@import" not in html.style
        assert "http" not in re.sub(r"data:\S+", "", html.style)
    used = {
        url
        for html in documents(report, read_html).values()
        for url in re.findall(r'url\("(images/[^"]*)"\)', html.style)
    }
    kept = {name for name in report.files if name.endswith(".png")}
    assert used == kept
    assert bool(kept) != report.single_file


def test_every_confusion_leads_to_its_images(report: Report, pages: Pages, read_html: Read) -> None:
    """The anchor that a number leads to is the first of as many images of that pair."""
    found = documents(report, read_html)
    names = {page.key: f"mistakes-{page.key.replace('.', '-')}" for page in pages.mistakes}
    for result in pages.overview.results:
        name = names[result.key]
        html = found["index.html" if report.single_file else f"{name}.html"]
        overview = found["index.html"]
        for cell in result.confusion.cells:
            anchor = f"{name}-g{cell.given.number}-p{cell.predicted.number}"
            url = f"#{anchor}" if report.single_file else f"{name}.html#{anchor}"
            assert url in overview.links
            assert anchor in html.ids


def test_the_policy_allows_what_is_there_and_nothing_else(report: Report, read_html: Read) -> None:
    for html in documents(report, read_html).values():
        (policy,) = (
            named["content"]
            for tag, named in html.elements
            if tag == "meta" and named.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        for inline in (html.style, *html.scripts):
            digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
        assert not [named for _, named in html.elements if "style" in named]


def test_headings_are_in_order(report: Report, read_html: Read) -> None:
    """One h1, and no level is left out on the way down."""
    for html in documents(report, read_html).values():
        levels = [int(tag[1]) for tag, _ in html.elements if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_image_says_what_it_is(report: Report, read_html: Read) -> None:
    for html in documents(report, read_html).values():
        for _, named in html.elements:
            if named.get("role") == "img":
                assert (named.get("aria-label") or "").strip()


def test_the_same_pages_give_the_same_bytes(
    pages: Pages, dataset: Dataset, drawings: dict[str, Reconstructions]
) -> None:
    one, other = (compose_report(pages, dataset, drawings) for _ in range(2))
    assert one.files == other.files


def cells(html: Any, files: dict[str, bytes]) -> list[Array]:
    """The pixels of each image of a document, cut out of its sheets as the style rules say."""
    sheets = {}
    for name, width, height, url in re.findall(
        r'\.(s\d+)\{--w:(\d+);--h:(\d+);[^}]*url\("([^"]*)"\)', html.style
    ):
        _, comma, data = url.partition(",")
        content = base64.b64decode(data) if comma else files[url]
        sheets[name] = np.asarray(Image.open(io.BytesIO(content))), int(width), int(height)
    cut = []
    for classes in html.tiles:
        named = {key[0]: int(key[1:]) for key in classes if re.fullmatch(r"[sxy]\d+", key)}
        pixels, width, height = sheets[f"s{named['s']}"]
        x, y = named["x"] * width, named["y"] * height
        cut.append(pixels[y : y + height, x : x + width])
    return cut


def test_pixels_are_exact(
    report: Report, pages: Pages, dataset: Dataset, drawings: dict[str, Reconstructions],
    read_html: Read,
) -> None:  # fmt: skip
    """Every image of every page, decoded, is the dataset's image or the drawing bit by bit."""
    found = documents(report, read_html)
    order = [tile.picture for result in pages.overview.results for tile in result.first]
    on_page = {"index": order}
    for page in pages.mistakes:
        name = f"mistakes-{page.key.replace('.', '-')}"
        on_page[name] = [tile.picture for group in page.groups for tile in group.tiles]
    for audit in pages.audits:
        on_page[f"audit-{audit.split}"] = [
            picture
            for entry in audit.entries
            for picture in (entry.picture, *(near.picture for near in entry.neighbours))
        ]
    for drawn in pages.reconstructions:
        on_page[f"drawn-{drawn.split}"] = [
            picture
            for entry in (*drawn.mistakes, *drawn.others)
            for picture in (entry.picture, entry.as_given, entry.as_predicted)
            if picture is not None
        ]
    for compared in pages.compared:
        on_page[f"compare-{compared.split}"] = [
            one.picture
            for pair in compared.pairs
            for part in (pair.only, pair.only_reference)
            for one in part.shown
        ]
    people = pages.people
    assert people is not None
    seen = [one for each in people.versus for cell in each.cells for one in cell.shown]
    called = [one.picture for one in people.called_other]
    on_page["people"] = [*(one.picture for one in seen), *called]
    if report.single_file:
        names = ["index", *(n for n in on_page if n.startswith("mistakes")), "audit-test",
                 "audit-train", "drawn-test", "compare-test", "people"]  # fmt: skip
        on_page = {"index": [picture for name in names for picture in on_page[name]]}
    for name, pictures in on_page.items():
        shown = cells(found[f"{name}.html"], dict(report.files))
        assert len(shown) == len(pictures) > 0
        for pixels, picture in zip(shown, pictures, strict=True):
            expected = dataset.splits[picture.split].images[picture.index]
            if isinstance(picture, Drawing):
                kept = drawings[picture.split].drawings(picture.index)
                assert kept is not None
                expected = kept[picture.role == "predicted"]
            np.testing.assert_array_equal(pixels, expected)


def test_models_stand_side_by_side_where_there_are_two(
    report: Report, pages: Pages, read_html: Read
) -> None:
    """Of train there is a single cross-fit, and so nothing to hold against each other."""
    assert [page.split for page in pages.compared] == ["test"]
    found = documents(report, read_html)
    html = found["index.html" if report.single_file else "compare-test.html"]
    page = pages.compared[0]
    for text in ("Side by side: test", page.choice, page.corrected, "mean of all models"):
        assert text in " ".join(html.text.split())
    assert ("#compare-test" if report.single_file else "compare-test.html") in found[
        "index.html"
    ].links
    assert "compare-train.html" not in report.files


def test_a_page_is_named_alike_in_the_navigation_and_in_its_heading(
    report: Report, pages: Pages, read_html: Read
) -> None:
    titles = {f"mistakes-{page.key.replace('.', '-')}": page.title for page in pages.mistakes}
    titles |= {f"audit-{page.split}": page.title for page in pages.audits}
    titles |= {f"drawn-{page.split}": page.title for page in pages.reconstructions}
    titles |= {f"compare-{page.split}": page.title for page in pages.compared}
    assert titles["mistakes-test-held-out"] == "Misread test images: net-short-s0"
    assert {titles["audit-test"], titles["drawn-test"], titles["compare-test"]} == {
        "Audit of test", "Reconstructions of test", "Side by side: test",
    }  # fmt: skip
    for name, title in titles.items():
        content = report.files["index.html" if report.single_file else f"{name}.html"].decode()
        level = 2 if report.single_file else 1
        assert f"<h{level}>{title}</h{level}>" in content
        assert f">{title}" in content.partition("</nav>")[0]


def test_a_page_of_mistakes_says_that_it_is_of_one_model(
    report: Report, pages: Pages, read_html: Read
) -> None:
    page = next(page for page in pages.mistakes if page.key == "test.held-out")
    assert page.models == 2
    found = documents(report, read_html)
    html = found["index.html" if report.single_file else "mistakes-test-held-out.html"]
    assert "One of 2 models; all side by side" in " ".join(html.text.split())
    assert ("#compare-test" if report.single_file else "compare-test.html") in html.links


def test_people_have_a_page_where_there_are_readings(report: Report, read_html: Read) -> None:
    found = documents(report, read_html)
    html = found["index.html" if report.single_file else "people.html"]
    assert "nothing here is about people" in html.text
    assert ("#people" if report.single_file else "people.html") in found["index.html"].links
    assert "simulated readers call it" in "".join(each.text for each in found.values())


def test_a_study_that_nobody_read_has_no_page_of_people(
    make_gallery: Callable[..., Any], make_dataset: Callable[..., Dataset]
) -> None:
    dataset = make_dataset()
    pages = make_pages(make_gallery(dataset).study, dataset=dataset)
    assert pages.people is None
    assert all(entry.calls is None for audit in pages.audits for entry in audit.entries)
    report = compose_report(pages, dataset)
    assert "people.html" not in report.files
    assert b"people.html" not in report.files["index.html"]


@pytest.fixture(scope="module")
def evil(
    tmp_path_factory: pytest.TempPathFactory, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
    make_reconstructions: Callable[..., Reconstructions],
) -> tuple[Pages, Dataset, dict[str, Reconstructions]]:  # fmt: skip
    """Names of dataset, classes, splits, columns, values and notes that try to break out."""
    import pyarrow as pa

    from misread.tables.metadata import TEXT, Metadata

    generator = np.random.default_rng(0)
    names = (EVIL, '"><img src=x onerror=alert(1)>', "</style>", "'&{{7*7}}{%", "../../etc/passwd")
    labels = generator.integers(0, 5, 60).astype(np.int16)
    images = generator.integers(0, 255, (60, 6, 6), dtype=np.uint8)
    split = Split("test", images, labels)
    other = Split("../" + EVIL, images, labels)
    dataset = Dataset(f"evil{EVIL}", names, {"test": split, other.name: other}, EVIL, EVIL)
    table = make_predictions(split, classes=names)
    study = make_study(tmp_path_factory.mktemp("evil") / "study", dataset, table, note=EVIL)
    columns = {EVIL: pa.array(["</table>" + EVIL, "b"] * 30).cast(TEXT)}
    study.save_metadata(Metadata("test", split.items_fingerprint, pa.table(columns)))
    make_plan(study, 60)
    readings = simulate_readers(study, 1, error_easy=0.3, error_hard=0.3, dataset=dataset)
    reader = dataclasses.replace(readings.readers[0], name=EVIL)
    study.save_readings("evil", dataclasses.replace(readings, readers=(reader,)))
    study.save_reconstructions(make_reconstructions(table, range(60), (6, 6, 1)))
    return make_pages(study, dataset=dataset), dataset, find_reconstructions(study)


@pytest.mark.parametrize("single_file", [False, True])
def test_names_are_escaped_everywhere(
    evil: tuple[Pages, Dataset, dict[str, Reconstructions]], single_file: bool, read_html: Read
) -> None:
    report = compose_report(*evil, single_file=single_file)
    for name, html in documents(report, read_html).items():
        assert len(html.scripts) == 2, f"{name}: a script came in"
        assert all("alert" not in script for script in html.scripts)
        assert not [tag for tag, _ in html.elements if tag == "img"]
        assert "alert" not in html.style
    index = report.files["index.html"].decode()
    assert EVIL not in index
    assert read_html(index.encode()).text.count(EVIL) > 5
    assert "{{7*7}}" in index.replace("&#39;", "'")
    for name in report.files:
        assert re.fullmatch(r"[a-z0-9/.-]+", name), name
        assert ".." not in name


def test_splits_with_other_names_go_by_their_number(
    make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
    tmp_path: Path, dataset: Dataset,
) -> None:  # fmt: skip
    split = Split("Field Test é", dataset.test.images, dataset.test.labels)
    renamed = Dataset("bars", dataset.classes, {"train": dataset.train, split.name: split}, "bars")
    table = make_predictions(dataset.train, origin=Origin.CROSS_FITTED)
    pages = make_pages(make_study(tmp_path, renamed, table), dataset=renamed)
    assert "mistakes-train-cross-fitted.html" in compose_report(pages, renamed).files
    from misread.report.links import Addresses

    addresses = Addresses(pages, single_file=False)
    assert addresses.audit_name("Field Test é") == "audit-split-1"
    assert addresses.drawn_name("Field Test é") == "drawn-split-1"


def many_classes(make_predictions: Callable[..., Predictions]) -> tuple[Dataset, Predictions]:
    generator = np.random.default_rng(0)
    classes = tuple(f"a long name of class number {n}" for n in range(1000))
    labels = np.repeat(np.arange(1000), 8).astype(np.int16)
    images = generator.integers(0, 255, (8000, 8, 8), dtype=np.uint8)
    split = Split("test", images, labels)
    table = make_predictions(split, generator.dirichlet(np.full(1000, 0.01), 8000), classes=classes)
    return Dataset("many", classes, {"test": split}, "many"), table


def test_a_thousand_classes_stay_usable(
    tmp_path: Path, make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
    read_html: Read,
) -> None:  # fmt: skip
    dataset, table = many_classes(make_predictions)
    limits = Limits(tiles=300)
    pages = make_pages(make_study(tmp_path, dataset, table), dataset=dataset, limits=limits)
    report = compose_report(pages, dataset)
    found = documents(report, read_html)
    test_every_link_leads_somewhere_in_the_report(report, read_html)
    test_ids_are_unique(report, read_html)
    mistakes = found["mistakes-test-held-out.html"]
    assert len(mistakes.tiles) == 300
    assert len([1 for tag, _ in mistakes.elements if tag == "section"]) == limits.groups
    assert "mistakes are not on this page, and 900 classes have no group" in mistakes.text
    index = found["index.html"]
    assert not [1 for _, named in index.elements if "matrix" in (named.get("class") or "")]
    assert "960 more classes are not listed" in index.text
    assert "more pairs with" in index.text
    sizes = {name: len(content) for name, content in report.files.items()}
    assert sum(sizes.values()) < 3_000_000, sizes


def test_a_folder_of_images_of_several_sizes(
    tmp_path: Path, make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
    read_html: Read,
) -> None:  # fmt: skip
    generator = np.random.default_rng(0)
    shapes = [(30, 20, 3), (20, 40, 3), (300, 500, 3), (9, 9)]
    for number, name in enumerate(["cats & dogs", "<b>"]):
        folder = tmp_path / "pets" / name
        folder.mkdir(parents=True)
        for n, shape in enumerate(shapes):
            pixels = generator.integers(0, 255, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}-{n}.png")
    dataset = load(tmp_path / "pets")
    split = dataset.splits["test"]
    wrong = np.eye(2)[1 - split.labels]
    table = make_predictions(split, wrong, classes=dataset.classes)
    pages = make_pages(make_study(tmp_path / "study", dataset, table), dataset=dataset)
    report = compose_report(pages, dataset)
    assert pages.overview.dataset.splits[0].size == "sizes not read"
    files = {tile.file for group in pages.mistakes[0].groups for tile in group.tiles}
    assert len(files) == 8
    assert "cats & dogs/0-1.png" in files
    found = documents(report, read_html)
    mistakes = found["mistakes-test-held-out.html"]
    assert "0-1.png" in mistakes.text
    assert "cats & dogs/0-1.png" in [named.get("title") for _, named in mistakes.elements]
    shown = cells(found["mistakes-test-held-out.html"], dict(report.files))
    assert {image.shape for image in shown} == {(67, 112, 4)}  # the largest, scaled down
    for tile, pixels in zip(
        [tile for group in pages.mistakes[0].groups for tile in group.tiles], shown, strict=True
    ):
        image = split.images[tile.picture.index]
        if max(image.shape) > 112:
            continue
        height, width = image.shape[:2]
        rows, columns = np.nonzero(pixels[..., 3])
        own = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1, :3]
        expected = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
        assert own.shape == (height, width, 3)
        np.testing.assert_array_equal(own, expected)


def test_a_report_of_nothing_says_so(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study], read_html: Read
) -> None:
    pages = make_pages(make_study(tmp_path, dataset), dataset=dataset)
    report = compose_report(pages, dataset)
    assert set(report.files) == {"index.html", "methods.html", MANIFEST}
    assert "no predictions yet" in read_html(report.files["index.html"]).text


def test_in_sample_only_and_nothing_misread(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions], read_html: Read,
) -> None:  # fmt: skip
    right = make_predictions(
        dataset.train, np.eye(3)[dataset.train.labels], origin=Origin.IN_SAMPLE
    )
    pages = make_pages(make_study(tmp_path, dataset, right), dataset=dataset)
    found = documents(compose_report(pages, dataset), read_html)
    assert set(found) == {"index.html", "methods.html", "mistakes-train-in-sample.html"}
    assert "no interval" in found["index.html"].text
    assert "Nothing is misread." in found["mistakes-train-in-sample.html"].text
    assert "Calibration" not in found["index.html"].text
