"""What `misread audit` prints."""

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import counted, plain, print_json

if TYPE_CHECKING:
    from misread.types import IntArray
    from misread.views.audit import Audit, AuditRow
    from misread.workflows.audit import ShownAudit


_CAUTION = (
    "Suggestions, not truth: the suspicion is calibrated on planted label flips only. Whether a "
    "label is wrong, only people can tell."
)


# Images that readers call something else, on one line.
_FEW = 10


def show_audit(shown: "ShownAudit", as_json: bool) -> None:
    """Print the counts of suggested verdicts and the top images; or all that is known of one."""
    audit, row = shown.audit, shown.row
    rows = [row] if row is not None else audit.rows(shown.top, shown.by)
    written = [str(path) for path in (shown.picture, shown.table) if path is not None]
    if as_json:
        found = {"by": shown.by, "images": [_row_json(each) for each in rows], "written": written}
        print_json(_audit_json(audit) | found)
        return
    _show_panel(audit)
    _show_readers(audit)
    if row is not None:
        _show_one(audit, row)
    else:
        _show_counts(audit)
        for rank, each in enumerate(rows, start=1):
            _show_row(rank, each, shown.by)
    if audit.evidence.neighbourhood is None:
        print(
            "No nearest training images are known of these models: `misread crossfit` and "
            "`misread run` record them."
        )
    print(_CAUTION)
    for path in written:
        print(path)
    if shown.problem:
        print(shown.problem, file=sys.stderr)


def _show_counts(audit: "Audit") -> None:
    counts = audit.counts
    print(
        f"{len(audit.listed):,} of {len(audit):,} images misread by a model of the panel"
        f"{' or' if audit.evidence.readers is None else ','} suspicious"
        f"{'' if audit.evidence.readers is None else ', or called something else by readers'}; "
        f"suggested: wrong label {counts['label']:,}, wrong model "
        f"{counts['model']:,}, ambiguous {counts['ambiguous']:,}\n"
    )


def _show_row(rank: int, row: "AuditRow", by: str) -> None:
    """The verdict on one line, the evidence below it."""
    said = row.suggestion
    ranked = "" if by == "suspicion" else f"  {by} {row.scores[by]:.3g}"
    print(
        f"{rank:>3}. #{row.index}  given {row.given}, read as {row.read_as}  "
        f"{_verdict(row)}  suspicion {row.suspicion:.2f}{ranked}"
    )
    reason = f". Not flagged: {said.reason}" if said.reason else ""
    indent = " " * 5
    if row.file is not None:
        print(f"{indent}{plain(row.file)}")
    told = textwrap.fill(
        said.evidence + reason,
        max(40, shutil.get_terminal_size().columns),
        initial_indent=indent,
        subsequent_indent=indent,
    )
    print(f"{told}\n")


def _show_panel(audit: "Audit") -> None:
    members = [provenance.run_name for provenance in audit.evidence.members]
    panel = counted(len(members), "model")
    print(f"{audit.split.name} split, panel of {panel}: {', '.join(members)}")
    if audit.left_out:
        names = ", ".join(provenance.name for provenance in audit.left_out)
        print(f"left out, as these models were trained on the labels they repeat: {names}")
    for provenance in audit.partial:
        print(f"left out, not of all images: {provenance.name}")


def _show_readers(audit: "Audit") -> None:
    readers = audit.evidence.readers
    if readers is None:
        return
    read, called = int((readers.answers > 0).sum()), audit.contradicted
    print(
        f"read blind by people: {counted(read, 'image')}, {int(readers.answers.sum()):,} answers; "
        f"called one other class by more of them than its given label: {len(called):,}"
        + (f", #{_numbers(audit, called[:_FEW])}" if len(called) else "")
        + (", ..." if len(called) > _FEW else "")
    )


def _numbers(audit: "Audit", places: "IntArray") -> str:
    return ", #".join(str(index) for index in audit.evidence.panel.index[places].tolist())


def _show_one(audit: "Audit", row: "AuditRow") -> None:
    said = row.suggestion
    label = "" if row.suggested_label is None else f", suggested label {row.suggested_label}"
    print(f"#{row.index}: given {row.given}, read as {row.read_as}")
    if row.file is not None:
        print(f"file: {plain(row.file)}")
    print(f"suggested verdict: {said.verdict}{label}")
    print(f"evidence: {said.evidence}")
    if said.reason:
        print(f"not flagged as a wrong label: {said.reason}")
    scores = {name: f"{value:.3g}" for name, value in row.scores.items()}
    training, place = audit.evidence.training, audit.place(row.index)
    if training is not None and training.never_learned[place]:
        scores["first_learned"] = "never"
    elif training is not None and training.learning.least[place] < training.networks:
        scores["first_learned"] += " (never counts as the epoch after the last)"
    print("scores: " + ", ".join(f"{name} {value}" for name, value in scores.items()))


def _verdict(row: "AuditRow") -> str:
    label = row.suggested_label
    return f"[{row.suggestion.verdict}{'' if label is None else f': {label}'}]"


def _audit_json(audit: "Audit") -> dict[str, Any]:
    return {
        "split": audit.split.name,
        "panel": [provenance.name for provenance in audit.evidence.members],
        "left_out": [provenance.name for provenance in audit.left_out],
        "partial": [provenance.name for provenance in audit.partial],
        "images_audited": len(audit),
        "listed": len(audit.listed),
        "suggested": audit.counts,
        "readers_contradict": audit.evidence.panel.index[audit.contradicted].tolist(),
    }


def _row_json(row: "AuditRow") -> dict[str, Any]:
    said = row.suggestion
    return {
        "index": row.index,
        **({} if row.file is None else {"file": row.file}),
        "given": row.given,
        "read_as": row.read_as,
        "verdict": str(said.verdict),
        "suggested_label": row.suggested_label,
        "readers": row.readers,
        "readers_given": row.readers_given,
        "scores": row.scores,
        "evidence": said.evidence,
        "reason_not_flagged": said.reason,
    }
