import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from misread.analysis.evidence import gather_evidence
from misread.analysis.labels import find_label_issues
from misread.analysis.ranking import SCORES
from misread.analysis.verdicts import Thresholds, suggest
from misread.datasets import Dataset, load
from misread.errors import InputError, ParameterError, PredictionsError, StudyError
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions
from misread.tables.verdicts import Verdict
from misread.workflows.audit import audit, show_audit

MakePredictions = Callable[..., Predictions]

# Images of the train split: one whose label is contradicted by everything, one misread by a model
# against its neighbours, one at even odds.
WRONG, BLUNDER, DOUBT = 7, 11, 19


@pytest.fixture(scope="module")
def dataset(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    return load(write_npz(path, make_dataset(train=60, test=30)))


class Maker:
    """Predictions, neighbours and dynamics in which three images stand out."""

    def __init__(
        self, dataset: Dataset, make: MakePredictions, near: Callable[..., Neighbours],
        dynamics: Callable[..., Dynamics],
    ) -> None:  # fmt: skip
        self.dataset, self._make, self._near, self._dynamics = dataset, make, near, dynamics
        self.labels = dataset.train.labels
        self.other = (self.labels + 1) % 3

    def predictions(self, seed: int, model: str = "quick", **named: Any) -> Predictions:
        """Cross-fitted ones of the train split, sure of what they read."""
        read = self.labels.copy()
        read[[WRONG, BLUNDER]] = self.other[[WRONG, BLUNDER]]
        rows = np.full((60, 3), 0.02)
        rows[np.arange(60), read] = 0.96 - 0.001 * seed
        rows[BLUNDER, self.labels[BLUNDER]] = 0.3
        rows[DOUBT] = 0.02
        rows[DOUBT, [self.labels[DOUBT], self.other[DOUBT]]] = (0.45, 0.53)
        rows /= rows.sum(axis=1, keepdims=True)
        named = {"recipe": "short", "origin": Origin.CROSS_FITTED} | named
        return self._make(self.dataset.train, rows, seed=seed, model=model, **named)

    def neighbours(self, beside: Predictions) -> Neighbours:
        labels = self.labels.copy()
        labels[WRONG] = self.other[WRONG]
        of = {label: np.flatnonzero(self.labels == label) for label in range(3)}
        return self._near(beside, [of[label][:10] for label in labels])

    def dynamics(self, beside: Predictions) -> Dynamics:
        margin = np.linspace(3, 6, 60)
        margin[WRONG] = -9
        return self._dynamics(beside, margin, networks=4)


@pytest.fixture
def maker(
    dataset: Dataset,
    make_predictions: MakePredictions,
    make_neighbours: Callable[..., Neighbours],
    make_dynamics: Callable[..., Dynamics],
) -> Maker:
    return Maker(dataset, make_predictions, make_neighbours, make_dynamics)


@pytest.fixture
def study(tmp_path: Path, maker: Maker) -> Study:
    """Three networks' cross-fitted predictions of train, with everything that lies beside them."""
    made = Study.create(tmp_path / "study", maker.dataset)
    for seed in range(3):
        predictions = maker.predictions(seed)
        made.save_predictions(predictions)
        made.save_neighbours(maker.neighbours(predictions))
        made.save_dynamics(maker.dynamics(predictions))
    return made


def test_an_audit_is_of_all_that_the_study_has(study: Study, maker: Maker) -> None:
    found = audit(study, "train")
    assert [p.seed for p in found.evidence.members] == [0, 1, 2]
    assert found.left_out == ()
    assert found.evidence.neighbourhood is not None
    assert found.evidence.neighbourhood.networks == 3
    assert found.evidence.training is not None
    assert found.evidence.training.networks == 12
    assert found.neighbours is not None
    assert found.neighbours.provenance.seed == 0
    panel = [maker.predictions(seed) for seed in range(3)]
    expected = gather_evidence(
        panel,
        [maker.neighbours(each) for each in panel],
        maker.labels,
        [maker.dynamics(each) for each in panel],
    )
    np.testing.assert_array_equal(found.evidence.suspicion, expected.suspicion)


def test_each_of_the_three_gets_its_verdict(study: Study, dataset: Dataset) -> None:
    found = audit(study, "train")
    assert sorted(found.listed.tolist()) == [WRONG, BLUNDER, DOUBT]
    assert found.counts == {"model": 2, "label": 1, "ambiguous": 0}
    wrong, blunder = found.row(WRONG), found.row(BLUNDER)
    label = int(dataset.train.labels[WRONG])
    names = [dataset.classes[label], dataset.classes[(label + 1) % 3]]
    assert (wrong.index, wrong.given, wrong.read_as) == (WRONG, *names)
    assert (wrong.suggestion.verdict, wrong.suggested_label) == (Verdict.LABEL, names[1])
    assert (blunder.suggestion.verdict, blunder.suggested_label) == (Verdict.MODEL, None)
    assert found.row(0).suggestion.verdict == Verdict.FINE
    assert found.rank()[0] == WRONG
    ties = found.rank("contradiction").tolist()  # keep the order of the split
    assert ties == [WRONG, BLUNDER, DOUBT, *(n for n in range(60) if n not in ties[:3])]
    assert [row.index for row in found.rows(2)] == found.rank()[:2].tolist()


def test_models_are_picked_by_name_once_each(study: Study, maker: Maker) -> None:
    study.save_predictions(maker.predictions(0, model="mine", recipe="imported"))
    run, mine, quick = "quick-short-s1", "mine-imported-s0", [f"quick-short-s{n}" for n in range(3)]
    for models, members in (
        ((), [mine, *quick]),
        (("mine",), [mine]),
        ((run,), [run]),
        (("quick", run, "mine", "mine"), [mine, *quick]),
    ):
        found = audit(study, "train", models)
        assert [p.run_name for p in found.evidence.members] == members
    # Dynamics and neighbours are those of the models that were picked.
    alone = audit(study, "train", ["mine"])
    assert (alone.evidence.training, alone.neighbours) == (None, None)
    one = audit(study, "train", [run])
    assert one.evidence.training is not None
    assert one.evidence.training.networks == 4


def test_in_sample_predictions_are_left_out_or_refused(study: Study, maker: Maker) -> None:
    trained = maker.predictions(9, origin=Origin.IN_SAMPLE)
    study.save_predictions(trained)
    found = audit(study, "train")
    assert len(found.evidence.members) == 3
    assert [p.name for p in found.left_out] == ["quick-short-s9.train.in-sample"]
    with pytest.raises(PredictionsError, match="`misread crossfit` predicts each training image"):
        audit(study, "train", ["quick-short-s9"])


def test_predictions_of_some_images_are_left_out(study: Study, maker: Maker) -> None:
    whole = maker.predictions(0, model="part")
    part = Predictions(
        whole.index[:30], whole.given[:30], whole.probabilities[:30], whole.provenance
    )
    study.save_predictions(part)
    found = audit(study, "train")
    assert len(found) == 60
    assert [p.model for p in found.evidence.members] == ["quick"] * 3
    assert [p.name for p in found.partial] == ["part-short-s0.train.cross-fitted"]
    # Alone they are what there is.
    alone = audit(study, "train", ["part"])
    assert (len(alone), alone.partial) == (30, ())


def test_the_panel_may_be_of_other_models_than_the_neighbours(study: Study, maker: Maker) -> None:
    """Without neighbours or dynamics of a member, those of the others still count."""
    study.save_predictions(maker.predictions(0, model="mine", recipe="imported"))
    found = audit(study, "train")
    assert len(found.evidence.members) == 4
    assert found.evidence.neighbourhood is not None
    assert found.evidence.neighbourhood.networks == 3


def test_other_thresholds_and_a_loaded_dataset_are_used(
    study: Study, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Study, "load_dataset", lambda self: pytest.fail("loaded again"))
    found = audit(study, "train", thresholds=Thresholds(confidence=1), dataset=dataset)
    assert found.counts["label"] == 0
    assert found.train is dataset.train


def test_what_cannot_be_audited_is_refused_in_one_line(study: Study, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], type[InputError], str]] = [
        ({"split": "val"}, ParameterError, "split: expected one of train, test. Got 'val'"),
        ({"split": "test"}, StudyError, "expected predictions of test, found quick-short-s"),
        ({"models": ["vgg"]}, StudyError, "expected predictions of train by 'vgg', found quick"),
        ({"by": "size"}, ParameterError, "by: expected one of suspicion,"),
        ({"top": 0}, ParameterError, "top must be 1 or more. Got 0 instead."),
        ({"top": -3}, ParameterError, "top must be 1 or more. Got -3 instead."),
        ({"index": 60}, ParameterError, "0 to 59. Got 60 instead."),
        ({"index": -1}, ParameterError, "0 to 59. Got -1 instead."),
        ({"save": Path("a.pdf")}, ParameterError, "save: expected a .png file. Got 'a.pdf'"),
        ({"output": Path("a.txt")}, ParameterError, "output: expected .csv, .parquet, .json. Got"),
    ]  # fmt: skip
    usual: dict[str, Any] = {"split": "train", "output": tmp_path / "a.csv"}
    for changed, kind, says in cases:
        with pytest.raises(kind) as caught:
            show_audit(study, **(usual | changed))
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.csv").exists()  # nothing is written before all is well
    assert not study.figures.exists()
    with pytest.raises(StudyError, match="found none at all; `misread crossfit` makes them"):
        audit(Study.create(tmp_path / "bare", load(study.source)), "train")


def test_scores_without_evidence_are_refused(study: Study, maker: Maker, tmp_path: Path) -> None:
    study.save_predictions(maker.predictions(0, model="mine", recipe="imported"))
    for by in ("neighbours", "area-under-margin"):
        with pytest.raises(ParameterError, match=f"by: {by.replace('-', '_')} needs"):
            show_audit(study, "train", ["mine"], by=by, output=tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


# The table

COLUMNS = [
    "index", "given", "verdict", "suggested_label", "read_as", "votes", "votes_given", "members",
    "p_read_as", "p_given", *SCORES, "confident_learning", "evidence", "reason_not_flagged",
]  # fmt: skip


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".json":
        return list(json.loads(path.read_text(encoding="utf-8")))
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: None if value == "" else value for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".json"])
@pytest.mark.parametrize("by", ["suspicion", "mutual-information"])
def test_the_table_has_every_image_with_all_that_is_known(
    study: Study, maker: Maker, tmp_path: Path, kind: str, by: str
) -> None:
    shown = show_audit(study, "train", by=by, top=3, output=tmp_path / "new" / f"a{kind}")
    assert shown.table == tmp_path / "new" / f"a{kind}"
    rows, found = read(shown.table), shown.audit
    assert [list(row) for row in rows] == [COLUMNS] * 60
    order = [int(row["index"]) for row in rows]
    assert sorted(order) == list(range(60))
    assert order == found.rank(by).tolist()
    key = by.replace("-", "_")
    values = [float(row[key]) for row in rows]
    assert values == sorted(values, reverse=True)
    mean = np.mean([maker.predictions(seed).probabilities for seed in range(3)], axis=0)
    issues = find_label_issues(dataclasses.replace(maker.predictions(0), probabilities=mean))
    for row in rows:
        place = int(row["index"])
        one = found.row(place)
        listed = place in found.listed
        assert (row["given"], row["read_as"]) == (one.given, one.read_as)
        assert row["verdict"] == (str(one.suggestion.verdict) if listed else "fine")
        assert row["suggested_label"] == one.suggested_label
        assert (row["evidence"] or "") == (one.suggestion.evidence if listed else "")
        assert (row["reason_not_flagged"] or "") == (one.suggestion.reason if listed else "")
        assert int(row["votes"]) == found.evidence.panel.votes[place]
        assert int(row["votes_given"]) == found.evidence.panel.votes_given[place]
        assert int(row["members"]) == 3
        assert float(row["p_given"]) == pytest.approx(found.evidence.panel.p_given[place])
        assert {name: float(row[name]) for name in SCORES} == pytest.approx(one.scores)
        assert str(row["confident_learning"]) == str(bool(issues.flagged[place]))


# The picture


def test_the_picture_goes_where_it_is_told(study: Study, tmp_path: Path) -> None:
    shown = show_audit(study, "train", by="expected-entropy", top=2)
    assert shown.picture == study.figures / "audit.train.expected-entropy.png"
    assert (shown.by, shown.top, shown.row, shown.table) == ("expected_entropy", 2, None, None)
    other = show_audit(study, "train", top=4, save=tmp_path / "new" / "a.PNG")
    assert other.picture == tmp_path / "new" / "a.PNG"
    with Image.open(shown.picture) as small, Image.open(other.picture) as large:
        assert small.width == large.width
        assert small.height < large.height
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match=r"save: can't write .*file/a\.png"):
        show_audit(study, "train", save=tmp_path / "file" / "a.png")


def test_no_more_rows_are_drawn_than_somebody_scrolls_through(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("misread.workflows.audit._MOST_ROWS", 3)
    sizes = []
    for top in (2, 3, 4):
        show_audit(study, "train", top=top, save=tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as picture:
            sizes.append(picture.size)
    assert sizes[0] != sizes[1] == sizes[2]


def test_one_image_is_told_of_and_drawn_where_it_is_told(study: Study, tmp_path: Path) -> None:
    shown = show_audit(study, "train", index=BLUNDER)
    assert shown.row is not None
    assert shown.row.index == BLUNDER
    assert shown.picture is None
    assert not study.figures.exists()
    both = show_audit(
        study, "train", index=BLUNDER, save=tmp_path / "a.png", output=tmp_path / "a.json"
    )
    assert both.picture == tmp_path / "a.png"
    assert len(read(tmp_path / "a.json")) == 60
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.height > 100


def test_a_part_of_the_images_is_audited_by_position(study: Study, maker: Maker) -> None:
    whole = maker.predictions(0, model="part")
    rows = np.arange(5, 50, 6)
    columns = (whole.index[rows], whole.given[rows], whole.probabilities[rows])
    study.save_predictions(Predictions(*columns, whole.provenance))
    shown = show_audit(study, "train", ["part"], index=11)
    assert shown.row is not None
    assert (shown.row.index, shown.row.suggestion.verdict) == (11, Verdict.AMBIGUOUS)
    assert len(shown.audit) == 8
    with pytest.raises(ParameterError, match=r"that the panel predicts, 0 to 59. Got 12 instead"):
        show_audit(study, "train", ["part"], index=12)


def test_the_suggestions_are_those_of_the_analysis(study: Study) -> None:
    found = audit(study, "train")
    expected = suggest(found.evidence, np.arange(60), found.thresholds)
    assert [found.row(place).suggestion for place in range(60)] == expected
    assert dataclasses.replace(found, thresholds=Thresholds(members=1)).counts == found.counts
