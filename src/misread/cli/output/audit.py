"""What `misread audit` prints."""

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import print_json

if TYPE_CHECKING:
    from misread.views.audit import Audit, AuditRow


_CAUTION = (
    "Suggestions, not truth: the suspicion is calibrated on planted label flips only. Whether a "
    "label is wrong, only people can tell."
)


def show_audit(
    audit: "Audit", top: int, by: str, picture: Path, table: Path | None, as_json: bool
) -> None:
    """Print the counts of suggested verdicts and the top images."""
    rows = audit.rows(top, by)
    written = [str(path) for path in (picture, table) if path is not None]
    if as_json:
        print_json(
            _audit_json(audit) | {"by": by, "images": [_row_json(r) for r in rows]}
            | {"written": written}
        )  # fmt: skip
        return
    _show_panel(audit)
    counts = audit.counts
    print(
        f"{len(audit.listed):,} of {len(audit):,} images are misread by a model of the panel or "
        f"suspicious; suggested wrong: the label of {counts['label']:,}, the model on "
        f"{counts['model']:,}; {counts['ambiguous']:,} are ambiguous\n"
    )
    for rank, row in enumerate(rows, start=1):
        _show_row(rank, row)
    if audit.evidence.neighbourhood is None:
        print(
            "No nearest training images are known of these models: `misread crossfit` and "
            "`misread run` record them."
        )
    print(_CAUTION)
    for path in written:
        print(path)


def _show_row(rank: int, row: "AuditRow") -> None:
    """The verdict on one line, the evidence below it."""
    said = row.suggestion
    print(
        f"{rank:>3}. #{row.index}  given {row.given}, read as {row.read_as}  "
        f"{_verdict(row)}  suspicion {row.suspicion:.2f}"
    )
    reason = f". Not flagged: {said.reason}" if said.reason else ""
    indent = " " * 5
    told = textwrap.fill(
        said.evidence + reason,
        max(40, shutil.get_terminal_size().columns),
        initial_indent=indent,
        subsequent_indent=indent,
    )
    print(f"{told}\n")


def _show_panel(audit: "Audit") -> None:
    members = [provenance.run_name for provenance in audit.evidence.members]
    counted = "1 model" if len(members) == 1 else f"{len(members)} models"
    print(f"{audit.split.name} split, panel of {counted}: {', '.join(members)}")
    if audit.left_out:
        names = ", ".join(provenance.name for provenance in audit.left_out)
        print(f"left out, as these models were trained on the labels they repeat: {names}")


def show_one(audit: "Audit", index: int, as_json: bool) -> None:
    """Print all that is known of one image."""
    row = audit.find(index)
    if as_json:
        print_json(_audit_json(audit) | {"image": _row_json(row)})
        return
    _show_panel(audit)
    said = row.suggestion
    label = "" if row.suggested_label is None else f", suggested label {row.suggested_label}"
    print(f"#{row.index}: given {row.given}, read as {row.read_as}")
    print(f"suggested verdict: {said.verdict}{label}; suspicion {row.suspicion:.3f}")
    print(f"evidence: {said.evidence}")
    if said.reason:
        print(f"not flagged as a wrong label: {said.reason}")
    print(_CAUTION)


def _verdict(row: "AuditRow") -> str:
    label = row.suggested_label
    return f"[{row.suggestion.verdict}{'' if label is None else f': {label}'}]"


def _audit_json(audit: "Audit") -> dict[str, Any]:
    return {
        "split": audit.split.name,
        "panel": [provenance.name for provenance in audit.evidence.members],
        "left_out": [provenance.name for provenance in audit.left_out],
        "images_audited": len(audit),
        "listed": len(audit.listed),
        "suggested": audit.counts,
    }


def _row_json(row: "AuditRow") -> dict[str, Any]:
    said = row.suggestion
    return {
        "index": row.index,
        "given": row.given,
        "read_as": row.read_as,
        "verdict": str(said.verdict),
        "suggested_label": row.suggested_label,
        "suspicion": row.suspicion,
        "evidence": said.evidence,
        "reason_not_flagged": said.reason,
    }
