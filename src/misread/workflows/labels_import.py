"""Bring verdicts and corrected labels of another study or person into a study."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.datasets import Dataset, Split
from misread.errors import VerdictsError
from misread.store import Decision, Study
from misread.tables.reading_labels import LabelFile, LabelRow, read_labels
from misread.tables.verdicts import Verdict, Verdicts
from misread.types import LabelArray

# One for all imports: an event is the same only with the same tab.
_TAB = "import"


@dataclass(frozen=True)
class ImportedVerdicts:
    """What came in.

    Attributes:
        study: Where to.
        rows: Number of verdicts in the file, by split.
        added: Number of those that were recorded.
        same: Number of those that stood here already.
        kept: Number of those left out, as another verdict stands here, or one of the same that came
            in before was taken back since.
    """

    study: Study
    rows: dict[str, int]
    added: int
    same: int
    kept: int


def import_labels(
    study: Study,
    file: Path | str,
    *,
    split: str | None = None,
    person: str = "",
    replace: bool = False,
    dataset: Dataset | None = None,
) -> ImportedVerdicts:
    """Bring verdicts or corrected labels into a study, as decided verdicts; nothing is lost.

    The same file again changes nothing.

    Args:
        study: Where to.
        file: What `misread export verdicts` or `labels` wrote, of a study of the same images; or a
            table with the columns `index` and `label`: where that isn't the given label, the
            verdict is `label`. See `read_labels`.
        split: The split of a file that doesn't say; None means `test`.
        person: Who decided, where the file doesn't say.
        replace: Take the file's verdict where another one stands here.
        dataset: The study's dataset, where it is loaded already.

    Raises:
        VerdictsError: The file is damaged or about other images.
        StudyError: The verdicts can't be written.
        ParameterError: A verdict doesn't fit the images.
    """
    path = Path(file)
    content = read_labels(path, study.classes)
    dataset = dataset or study.load_dataset()
    by_split: dict[str, list[LabelRow]] = {}
    for row in content.rows:
        by_split.setdefault(_split_of(study, path, row, split), []).append(row)
    decisions, rows, same, kept = [], {}, 0, 0
    revision = study.verdicts.revision()
    for name, found in by_split.items():
        labels = dataset.splits[name].labels
        _check_images(study, path, content, found, dataset.splits[name])
        made = [d for row in found if (d := _decision(name, row, labels, person)) is not None]
        rows[name] = len(made)
        new, equal = _news(made, study.verdicts.state(name), replace)
        same += equal
        kept += len(made) - len(new) - equal
        decisions += [_named(decision, revision if replace else 0) for decision in new]
    recorded = study.verdicts.decide_all(decisions, tab=_TAB)
    added = sum(each > revision for each in recorded)
    return ImportedVerdicts(study, rows, added, same, kept + len(recorded) - added)


def _split_of(study: Study, path: Path, row: LabelRow, split: str | None) -> str:
    if split is not None and row.split is not None and row.split != split:
        raise VerdictsError(f"split: {path} says that it is about {row.split!r}; leave --split out")
    name = row.split or split or "test"
    if name not in study.splits:
        raise VerdictsError(
            f"{path}: expected labels of {', '.join(study.splits)}. Got {name!r} instead."
        )
    return name


def _check_images(
    study: Study,
    path: Path,
    content: LabelFile,
    rows: Sequence[LabelRow],
    images: Split,
) -> None:
    """Refuse a file that is about other images."""
    split, labels = images.name, images.labels
    known = study.splits[split].items_fingerprint
    if content.items_fingerprint not in ("", known):
        raise VerdictsError(f"{path}: is about other images than {study.path}'s {split} split")
    seen = set()
    for row in rows:
        if not 0 <= row.index < len(labels) or row.index in seen:
            raise VerdictsError(
                f"{path}: index must be in 0..{len(labels) - 1}, each image of the {split} split "
                f"once. Got {row.index} instead{', again' if row.index in seen else ''}."
            )
        seen.add(row.index)
        here = images.file(row.index)
        if row.file and here not in (None, row.file):
            raise VerdictsError(
                f"{path}: image {row.index} of the {split} split is {here} here. Got "
                f"{row.file} instead: the file is about other images"
            )
        # Without a fingerprint the given labels are all that tells other images apart.
        if not content.items_fingerprint and row.given not in (None, int(labels[row.index])):
            raise VerdictsError(
                f"{path}: image {row.index} of the {split} split isn't given "
                f"{study.classes[row.given or 0]} here: the file is about other images or labels; "
                "a .parquet or .json export says which images it is about"
            )


def _decision(split: str, row: LabelRow, labels: LabelArray, person: str) -> Decision | None:
    """The decision of a row, None for a bare label that is the given one."""
    against = int(labels[row.index]) if row.against is None else row.against
    verdict = row.verdict
    if verdict is None:
        if row.label == against:
            return None
        verdict = Verdict.LABEL
    who = row.person or person
    return Decision(split, [row.index], verdict, row.label, "", [against], who, row.decided_at)


def _news(decisions: list[Decision], state: Verdicts, replace: bool) -> tuple[list[Decision], int]:
    """Those that are news here, and how many stand here already."""
    new, same = [], 0
    for decision in decisions:
        there = state.find(decision.items[0])
        if there == (decision.verdict, decision.label):
            same += 1
        elif there is None or replace:
            new.append(decision)
    return new, same


def _named(decision: Decision, revision: int) -> Decision:
    """The same decision with an id that it has in every import.

    Where it is to replace what stands here, the revision makes it another one: what was imported
    before and changed since is imported again.
    """
    content = json.dumps([vars(decision) | {"verdict": str(decision.verdict)}, revision])
    name = hashlib.sha256(content.encode()).hexdigest()[:32]
    return dataclasses.replace(decision, event=f"import-{name}")
