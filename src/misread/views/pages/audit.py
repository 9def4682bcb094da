"""What the panel says of the given labels of a split: the most suspicious, with evidence."""

from dataclasses import dataclass

from misread.views import audit
from misread.views.pages.calls import Calls, find_calls
from misread.views.pages.parts import Label, Picture
from misread.views.pages.study_tables import StudyTables

CAUTION = (
    "These are suggestions, not truth. The suspicion is calibrated on labels that were flipped on "
    "purpose; it is not the probability that a label is wrong. Whether it is, only people can tell."
)


@dataclass(frozen=True)
class NearImage:
    """A training image that lies near an image in the features of a network that never saw it.

    Attributes:
        picture: The training image.
        given: Its given label.
    """

    picture: Picture
    given: Label


@dataclass(frozen=True)
class AuditEntry:
    """What the panel says of one image.

    Attributes:
        rank: Its place in the list, from 1.
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        read_as: What the panel reads.
        suggested: The suggested verdict.
        suggested_label: The class suggested in place of the given one, if the verdict is `label`.
        suspicion: In [0, 1], higher: the given label is more likely wrong.
        evidence: What speaks for and against, in a sentence or two.
        reason: Why the label was not flagged as wrong, "" if it was.
        neighbours: Some of the nearest training images, the nearest first; empty where none are
            known.
        calls: What readers who read it blind called it; None where nobody read it.
        decided: The verdict that a person gave; "" where nobody did.
        decided_label: The class that he named, if any.
    """

    rank: int
    picture: Picture
    file: str
    given: Label
    read_as: Label
    suggested: str
    suggested_label: Label | None
    suspicion: float
    evidence: str
    reason: str
    neighbours: tuple[NearImage, ...]
    calls: Calls | None
    decided: str
    decided_label: Label | None


@dataclass(frozen=True)
class AuditPage:
    """The most suspicious images of one split.

    Attributes:
        split: Name of the split.
        panel: Names of the runs whose predictions are weighed.
        left_out: Names of in-sample predictions that are not.
        partial: Names of predictions of some images only that are not.
        images: Number of images that the panel predicts.
        read: Number of these that people read blind.
        listed: Number of images that a model of the panel misreads, that are suspicious, or that
            readers call something else.
        suggested: Number of listed images by suggested verdict.
        caution: What suggestions are worth.
        entries: The most suspicious listed images, first the most suspicious.
        nearest: Number of nearest training images that the network whose images are shown found of
            each image; 0 where none are known.
        hidden: Number of further listed images.
    """

    split: str
    panel: tuple[str, ...]
    left_out: tuple[str, ...]
    partial: tuple[str, ...]
    images: int
    read: int
    listed: int
    suggested: tuple[tuple[str, int], ...]
    caution: str
    entries: tuple[AuditEntry, ...]
    nearest: int
    hidden: int

    @property
    def title(self) -> str:
        """Heading of the page, and its name in a navigation."""
        return f"Audit of {self.split}"


def build_audit(tables: StudyTables, split: str) -> AuditPage:
    """The page of the most suspicious images of a split that has a panel.

    Args:
        tables: The study's tables.
        split: A key of their audits.
    """
    found = tables.audits[split]
    readers = found.evidence.readers
    shown = found.listed[: tables.limits.audit]
    entries = [_entry(tables, found, int(place), rank) for rank, place in enumerate(shown, start=1)]
    return AuditPage(
        split=split,
        panel=tuple(provenance.run_name for provenance in found.evidence.members),
        left_out=tuple(provenance.name for provenance in found.left_out),
        partial=tuple(provenance.name for provenance in found.partial),
        images=len(found),
        read=0 if readers is None else int((readers.answers > 0).sum()),
        listed=len(found.listed),
        suggested=tuple(found.counts.items()),
        caution=CAUTION,
        entries=tuple(entries),
        nearest=0 if found.neighbours is None else found.neighbours.width,
        hidden=len(found.listed) - len(shown),
    )


def _entry(tables: StudyTables, found: audit.Audit, place: int, rank: int) -> AuditEntry:
    labels, panel, said = tables.labels, found.evidence.panel, found.suggestions[place]
    split, index = found.split.name, int(panel.index[place])
    decided, decided_label = tables.decided(split, index)
    return AuditEntry(
        rank=rank,
        picture=Picture(split, index),
        file=tables.file(split, index),
        given=labels[panel.given[place]],
        read_as=labels[panel.majority[place]],
        suggested=str(said.verdict),
        suggested_label=None if said.label is None else labels[said.label],
        suspicion=float(found.evidence.suspicion[place]),
        evidence=said.evidence,
        reason=said.reason,
        neighbours=_neighbours(tables, found, place),
        calls=find_calls(tables, split, index),
        decided=decided,
        decided_label=decided_label,
    )


def _neighbours(tables: StudyTables, found: audit.Audit, place: int) -> tuple[NearImage, ...]:
    if found.neighbours is None or found.train is None:
        return ()
    nearest = found.neighbours.neighbours[place][: tables.limits.neighbours].tolist()
    train = found.train
    return tuple(
        NearImage(Picture(train.name, position), tables.labels[train.labels[position]])
        for position in nearest
    )
