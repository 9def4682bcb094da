"""What `misread audit` prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import new_table, print_json, print_table

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
        f"{counts['model']:,}; {counts['ambiguous']:,} are ambiguous"
    )
    shown = new_table("image", "given", "read as", "verdict", "suspicion", "evidence")
    for row in rows:
        said = row.suggestion
        reason = f". Not flagged: {said.reason}" if said.reason else ""
        shown.add_row(
            f"#{row.index}",
            row.given,
            row.read_as,
            _verdict(row),
            f"{row.suspicion:.2f}",
            f"{said.evidence}{reason}",
        )
    print_table(shown)
    print(_CAUTION)
    for path in written:
        print(path)


def _show_panel(audit: "Audit") -> None:
    members = [provenance.run_name for provenance in audit.evidence.panel.provenances]
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
    return str(row.suggestion.verdict) + ("" if label is None else f": {label}")


def _audit_json(audit: "Audit") -> dict[str, Any]:
    return {
        "split": audit.split.name,
        "panel": [provenance.name for provenance in audit.evidence.panel.provenances],
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
