from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text

from misread.analysis.evidence import gather_evidence
from misread.analysis.ranking import SCORES
from misread.analysis.verdicts import Thresholds
from misread.datasets import Split
from misread.errors import ParameterError
from misread.tables import Neighbours, Predictions
from misread.tables.verdicts import Verdict
from misread.views.audit import Audit

MakePredictions = Callable[..., Predictions]
MakeNeighbours = Callable[..., Neighbours]

CLASSES = ("zero", "one", "$two$ _{x}")


@pytest.fixture
def make_audit(
    make_predictions: MakePredictions, make_neighbours: MakeNeighbours
) -> Callable[..., Audit]:
    """Six images, positions 0, 2, .., 10 of their split; the first is read otherwise than given."""

    def make(
        models: int = 3, *, near: bool = True, classes: Sequence[str] = CLASSES, times: int = 1
    ) -> Audit:
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (12, 9, 7), dtype=np.uint8)
        labels = np.arange(12, dtype=np.int16) % 3
        split = Split("test", images, labels)
        train = Split("train", images[::-1].copy(), labels)
        given = labels[::2]
        rows = np.full((6, 3), 0.02)
        rows[np.arange(6), given] = 0.96
        rows[0] = (0.02, 0.96, 0.02)  # given 0
        rows[3] = (0.5, 0.47, 0.03)  # given 0, in doubt
        panel = []
        for number in range(models):
            whole = make_predictions(
                given=given, probabilities=rows, classes=tuple(classes), model=f"m{number}"
            )
            panel.append(
                Predictions(
                    np.arange(0, 12, 2, dtype=np.int32),
                    whole.given,
                    whole.probabilities,
                    whole.provenance,
                )
            )
        places = [[1, 4, 7, 10]] + [[int(label), int(label) + 3] * 2 for label in given[1:]]
        places = [each * times for each in places]
        tables = [make_neighbours(panel[0], places)] if near else []
        evidence = gather_evidence(panel, tables, train.labels)
        return Audit(split, train, evidence, Thresholds(), tables[0] if near else None)

    return make


def texts(figure: Figure) -> list[str]:
    return [str(text.get_text()) for text in figure.findobj(Text) if text.get_text()]


def drawn(figure: Figure) -> list[np.ndarray]:
    """The images of a figure, in the order in which they were drawn."""
    return [np.asarray(image.get_array()) for image in figure.findobj(AxesImage)]


def test_places_are_of_the_panel_and_indices_of_the_split(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit()
    assert len(audit) == 6
    assert [audit.place(index) for index in (0, 4, 10)] == [0, 2, 5]
    assert [row.index for row in audit.rows(6)] == [2 * int(place) for place in audit.rank()]
    for index in (1, 12, -2):
        with pytest.raises(ParameterError, match=rf"0 to 11. Got {index} instead"):
            audit.place(index)


def test_rows_say_what_the_evidence_does(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit()
    assert audit.listed.tolist() == [0]
    assert audit.counts == {"model": 0, "label": 1, "ambiguous": 0}
    row = audit.rows(1)[0]
    assert (row.index, row.given, row.read_as) == (0, "zero", "one")
    assert (row.suggestion.verdict, row.suggested_label) == (Verdict.LABEL, "one")
    assert row.suspicion == row.scores["suspicion"] == audit.evidence.suspicion[0]
    assert set(row.scores) == {
        name for name in SCORES if name not in ("area_under_margin", "first_learned", "forgotten")
    }
    assert audit.rows(0) == []
    assert len(audit.rows(100)) == 6


def test_ties_keep_the_order_of_the_split(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit()
    assert audit.rank("contradiction").tolist() == [0, 1, 2, 3, 4, 5]
    assert audit.rank("entropy")[0] == 3


def test_columns_are_ranked_and_complete(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit(near=False)
    table = audit.columns("entropy")
    assert table["index"].tolist() == [2 * int(place) for place in audit.rank("entropy")]
    assert {len(column) for column in table.values()} == {6}
    assert "neighbours" not in table
    assert table["verdict"].tolist().count("label") == 1
    assert [text for text in table["suggested_label"] if text is not None] == ["one"]
    fine = table["verdict"] == "fine"
    assert not any(table["evidence"][fine])
    assert all(table["evidence"][~fine])


def test_the_picture_shows_each_image_and_what_is_nearest(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit()
    figure = audit.plot(2)
    shown = drawn(figure)
    assert len(shown) == 2 * (1 + 4)
    assert audit.train is not None
    expected: list[Any] = []
    for place in audit.rank()[:2]:
        expected.append(audit.split.images[2 * int(place)])
        near = audit.neighbours.neighbours[place] if audit.neighbours else []
        expected += [audit.train.images[int(position)] for position in near]
    for image, one in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(image[..., 0], one)
    said = texts(figure)
    assert "Images of test highest in suspicion" in said
    assert (
        "panel: 3 models; at the right the nearest training images, with their given labels" in said
    )
    assert "given zero, read as one" in said
    assert "label seems wrong, suggested: one" in said
    assert any(text.startswith("#0  suspicion ") for text in said)
    assert " ".join(said).count("3 of 3 models that never saw it") == 2
    assert said.count("one") == 4  # below the neighbours


def test_the_picture_says_that_it_shows_some_of_the_nearest(
    make_audit: Callable[..., Audit],
) -> None:
    figure = make_audit(times=3).plot(1)
    assert len(drawn(figure)) == 1 + 8
    assert (
        "panel: 3 models; at the right the 8 nearest of 12 training images, with their given labels"
    ) in texts(figure)


def test_the_picture_without_neighbours(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit(1, near=False)
    figure = audit.plot(100, "mutual-information")
    assert len(drawn(figure)) == 6
    said = texts(figure)
    assert "Images of test highest in mutual information" in said
    assert "panel: m0-imported-s0" in said
    with pytest.raises(ParameterError, match=r"top must be 1 or more. Got 0 instead"):
        audit.plot(0)
    with pytest.raises(ParameterError, match="needs nearest training images"):
        audit.plot(1, "neighbours")


def test_class_names_are_not_taken_for_formulas(make_audit: Callable[..., Audit]) -> None:
    audit = make_audit(classes=("$zero", "o$ne", CLASSES[2]))
    figure = audit.plot_places([0, 1, 2, 3], "Any images")
    figure.draw_without_rendering()
    said = texts(figure)
    assert "given $zero, read as o$ne" in said
    assert "Any images" in said
    assert {"label seems wrong, suggested: o$ne", "fine"} <= set(said)


def test_every_verdict_has_a_heading(make_audit: Callable[..., Audit]) -> None:
    from misread.analysis.verdicts import SUGGESTED
    from misread.views.audit_figure import _COLOURS

    assert set(_COLOURS) >= set(SUGGESTED)
    audit = make_audit(1)
    audit.evidence.panel.p_given[0] = 0.3
    audit.evidence.neighbourhood.given[0] = 0.8  # type: ignore[union-attr]
    audit.evidence.neighbourhood.read_as[0] = 0.2  # type: ignore[union-attr]
    said = texts(audit.plot_places([0], "One"))
    assert "model seems wrong" in said
    assert any("Not flagged:" in text for text in said)
