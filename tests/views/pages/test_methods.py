from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from misread.analysis.verdicts import Thresholds
from misread.datasets import Dataset
from misread.store import Study
from misread.tables import Origin, Predictions
from misread.views.pages import Pages, build_pages
from misread.workflows.audit import audit


def headings(pages: Pages) -> list[str]:
    return [method.heading for method in pages.methods.methods]


def test_methods_are_those_of_what_is_shown(pages: Pages) -> None:
    assert headings(pages) == [
        "Mistakes", "Intervals", "What the models had seen", "Calibration", "Training curves",
        "Slices", "People against models", "Panel and suspicion", "Suggested verdicts",
        "What this can't tell",
    ]  # fmt: skip
    assert all(method.paragraphs and all(method.paragraphs) for method in pages.methods.methods)


def test_a_study_with_less_has_fewer(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    table = make_predictions(dataset.train, origin=Origin.IN_SAMPLE)
    pages = build_pages(make_study(tmp_path, dataset, table), dataset, {})
    assert headings(pages) == [
        "Mistakes", "Intervals", "What the models had seen", "What this can't tell",
    ]  # fmt: skip
    (seen,) = pages.methods.methods[2].paragraphs
    assert seen.startswith("In-sample")


def test_the_thresholds_are_the_ones_that_were_used(study: Study, dataset: Dataset) -> None:
    chosen = Thresholds(confidence=0.61, members=2)
    audits = {"test": audit(study, "test", thresholds=chosen, dataset=dataset)}
    pages = build_pages(study, dataset, audits)
    text = " ".join(pages.methods.methods[-2].paragraphs)
    assert "0.61" in text
    assert "2 models or more" in text


def test_commands_versions_seeds_and_fingerprints(pages: Pages, dataset: Dataset) -> None:
    again = pages.reproduce
    assert [command.line for command in again.commands] == [
        "misread run bars --model net --recipe short --seed 0",
        "misread crossfit bars --model fast --recipe short --seed 0",
        "misread import metadata FILE",
        "misread report",
    ]
    assert ("python", "3.11") in again.versions
    assert set(again.seeds) == {("net-short-s0", 0), ("fast-short-s0-r1", 0)}
    assert again.splits[0].items_fingerprint == dataset.train.items_fingerprint


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"recipe": "short-e9", "seed": 4}, "run bars.npz --model net --recipe short --epochs 9"),
        (
            {"recipe": "imported"},
            "import predictions FILE --dataset bars.npz --model net --split test --origin held-out",
        ),
    ],
)
def test_other_runs(
    more: dict[str, Any], line: str, tmp_path: Path, make_dataset: Callable[..., Dataset],
    make_study: Callable[..., Study], make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    dataset = make_dataset(source="/home/somebody/secret/bars.npz")
    table = make_predictions(dataset.test, **({"model": "net"} | more))
    commands = build_pages(make_study(tmp_path, dataset, table), dataset, {}).reproduce.commands
    assert line in commands[0].line
    assert "secret" not in "".join(command.line for command in commands)


def test_a_demo_is_made_by_the_demo_and_says_how_its_runs_were(
    tmp_path: Path, dataset: Dataset, make_study: Callable[..., Study],
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    came = make_predictions(dataset.test, model="net", recipe="short-e9")
    mine = make_predictions(dataset.test, model="mine", created="2025-02-01T00:00:00+00:00")
    study = make_study(tmp_path, dataset, came, mine, note="demo: nothing was trained")
    commands = build_pages(study, dataset, {}).reproduce.commands
    assert commands[0].line == "misread demo"
    assert "run bars --model net --recipe short --epochs 9 --seed 0" in commands[1].line
    assert commands[1].what == "trains net-short-e9-s0; its predictions came with misread"
    assert commands[2].what == "brings in predictions that were made elsewhere"
