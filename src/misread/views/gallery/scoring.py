"""Difficulty, suspicion and suggested verdicts: computed in the background, kept in the study."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from misread.errors import MisreadError, StudyError
from misread.files import replacing
from misread.tables import Origin
from misread.tables.verdicts import CODES, Verdict
from misread.types import LabelArray
from misread.views.gallery.answers import ScoresState
from misread.views.gallery.background import Task
from misread.views.gallery.columns import CodeArray, ScoreColumns, spread
from misread.views.gallery.holdings import Holdings, stamp

if TYPE_CHECKING:
    # The audit loads SciPy, which would delay the first picture.
    from misread.views.audit import Audit

# Of the files in the cache; another way to compute the scores needs another number.
_FORMAT = 1
# Seconds that the first picture has for itself.
_DELAY = 1.5
# Suggestions bring sentences along, and there may be a million.
_AT_ONCE = 4_096

AuditSplit = Callable[[str], "Audit"]


class Scoring:
    """The scores of each split of a study.

    Args:
        holdings: The study's tables.
        audit: Puts together what is known of the given labels of a split; takes its time.
        readings: By which it is told whether the readings that count as evidence are others than
            before; None without any.
    """

    def __init__(
        self, holdings: Holdings, audit: AuditSplit, readings: Callable[[], object] = lambda: None
    ) -> None:
        self._holdings, self._audit, self._readings = holdings, audit, readings
        self._lock = threading.Lock()
        self._columns: dict[tuple[str, str], Task[ScoreColumns]] = {}
        self._audits: dict[tuple[str, str], Task[Audit]] = {}

    def state(self, split: str, *, start: bool = True) -> ScoresState:
        """Whether a split's scores are known.

        Args:
            split: Name of the split.
            start: Whether to compute them soon where they aren't known.
        """
        refusal = self._refusal(split)
        if refusal:
            return ScoresState("none", refusal)
        with self._lock:
            task = self._columns.get((split, self._key(split)))
        if task is None and start:
            task = self._task(split)
        if task is None or not task.done:
            return ScoresState("pending")
        return (
            ScoresState("ready") if task.error is None else ScoresState("none", _reason(task.error))
        )

    def evidence_state(self, split: str) -> ScoresState:
        """The same, but pending too while evidence that somebody asked for isn't there."""
        state = self.state(split, start=False)
        with self._lock:
            task = self._audits.get((split, self._key(split)))
        at_work = state.state == "ready" and task is not None and not task.done
        return ScoresState("pending") if at_work else state

    def columns(self, split: str) -> ScoreColumns | None:
        """A split's scores, None while or where they aren't known; somebody waits for them."""
        if self._refusal(split):
            return None
        task = self._task(split)
        task.hurry()
        return task.result

    def known(self, split: str) -> ScoreColumns | None:
        """A split's scores where they are known already."""
        return None if self._refusal(split) else self._task(split).result

    def audit(self, split: str) -> "Audit | None":
        """The evidence behind the scores, None while or where it isn't there."""
        if self._refusal(split):
            return None
        return self._audit_task(split).result

    def wait_for_audit(self, split: str, seconds: float | None) -> "Audit | None":
        """The same, waited for; at most that long, if it is said how long."""
        if self._refusal(split):
            return None
        task = self._audit_task(split)
        task.wait(seconds)
        return task.result

    def wait(self, split: str, seconds: float) -> bool:
        """Wait for a split's scores at most that long; whether there is nothing to wait for."""
        return bool(self._refusal(split)) or self._task(split).wait(seconds)

    def _refusal(self, split: str) -> str:
        """Why there is nothing to compute scores from, "" if there is."""
        found = self._holdings.predictions(split)
        if not found:
            return (
                f"no predictions of {split}, so neither difficulty nor suspicion; `misread run` "
                "makes some, `misread import predictions` brings some"
            )
        if all(provenance.origin == Origin.IN_SAMPLE for provenance in found):
            return (
                f"in-sample predictions of {split} only: a model repeats the labels that it was "
                "trained on, so neither difficulty nor suspicion; `misread crossfit` predicts each "
                "image by a model that never saw it"
            )
        return ""

    def _task(self, split: str) -> Task[ScoreColumns]:
        key = (split, self._key(split))
        with self._lock:
            if key not in self._columns:
                path = self._holdings.study.path / "cache" / f"scores.{split}.{key[1]}.npz"
                self._columns[key] = Task(lambda: self._compute(split, path), self._delay(path))
            return self._columns[key]

    def _audit_task(self, split: str) -> Task["Audit"]:
        key = (split, self._key(split))
        with self._lock:
            if key not in self._audits:
                self._audits[key] = Task(lambda: self._audit(split))
            return self._audits[key]

    def _key(self, split: str) -> str:
        study = self._holdings.study.path
        said: list[object] = [
            _FORMAT,
            self._holdings.study.splits[split].labels_fingerprint,
            self._holdings.predictions_stamp(split),
            [entry for kind in ("neighbours", "dynamics") for entry in stamp(study / kind)],
        ]
        readings = self._readings()
        if readings is not None:
            said.append(readings)
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    @staticmethod
    def _delay(path: Path) -> float:
        return 0 if path.exists() else _DELAY

    def _compute(self, split: str, path: Path) -> ScoreColumns:
        images = len(self._holdings.split(split))
        kept = _read(path, images)
        if kept is not None:
            return kept
        audit_task = self._audit_task(split)
        audit_task.wait()
        if audit_task.result is None:
            raise audit_task.error or StudyError("the audit ended without a result")
        columns = score_columns(audit_task.result, images)
        _keep(path, columns)
        return columns


def score_columns(audit: "Audit", images: int) -> ScoreColumns:
    """The scores of an audit as columns.

    Args:
        audit: Of some or all images of the split.
        images: N, number of images of the split.
    """
    from misread.analysis.verdicts import suggest

    evidence = audit.evidence
    index = evidence.panel.index
    suggested: CodeArray = np.full(len(index), CODES[Verdict.FINE], np.int8)
    label: LabelArray = np.full(len(index), -1, np.int16)
    for start in range(0, len(audit.listed), _AT_ONCE):
        places = audit.listed[start : start + _AT_ONCE]
        found = suggest(evidence, places, audit.thresholds)
        suggested[places] = [CODES[suggestion.verdict] for suggestion in found]
        label[places] = [-1 if each.label is None else each.label for each in found]
    return ScoreColumns(
        difficulty=spread(evidence.panel.entropy, index, images, np.nan),
        suspicion=spread(evidence.suspicion, index, images, np.nan),
        suggested=spread(suggested, index, images, -1),
        suggested_label=spread(label, index, images, -1),
    )


def _read(path: Path, images: int) -> ScoreColumns | None:
    """Kept scores; None where there are none, or the file is damaged."""
    try:
        # Opened here: NumPy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            columns = ScoreColumns(*(file[field.name] for field in fields(ScoreColumns)))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    whole = all(getattr(columns, field.name).shape == (images,) for field in fields(columns))
    return columns if whole else None


def _keep(path: Path, columns: ScoreColumns) -> None:
    """Keep scores in place of those of other predictions; a study may be read-only."""
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(columns))
        for other in path.parent.glob(f"{path.name.rsplit('.', 2)[0]}.*.npz"):
            if other != path:
                other.unlink(missing_ok=True)
    except OSError:
        return


def _reason(error: BaseException) -> str:
    # What isn't ours is a bug; the page says so rather than wait for ever.
    return str(error) if isinstance(error, MisreadError) else f"{type(error).__name__}: {error}"
