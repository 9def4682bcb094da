"""What `misread export` and `misread import labels` print."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import print_json

if TYPE_CHECKING:
    from misread.views.exports import Export
    from misread.workflows.labels_import import ImportedVerdicts


def show_export(table: "Export", written: tuple[Path, ...], as_json: bool) -> None:
    """Say what was written, and what to know before it is used."""
    if as_json:
        said = {key: value for key, value in table.description.items() if key != "classes"}
        print_json(
            {"what": table.what, "rows": len(table)}
            | said
            | {"written": [str(path) for path in written]}
        )
        return
    print(f"{table.what} of the {table.split} split: {len(table):,} rows")
    _tell(table, sys.stdout)
    for path in written:
        print(path)


def send_export(table: "Export", kind: str) -> None:
    """Write the table to stdout, and what to know before it is used to stderr."""
    sys.stdout.buffer.write(table.encode(kind))
    sys.stdout.buffer.flush()
    _tell(table, sys.stderr)


def _tell(table: "Export", stream: Any) -> None:
    from misread.views.exports import INTERVALS, tell_error

    for note in table.notes:
        print(note, file=stream)
    for error in table.errors:
        print(*tell_error(error), sep="\n", file=stream)
    if table.errors:
        print(INTERVALS, file=stream)


def show_imported(imported: "ImportedVerdicts", as_json: bool) -> None:
    """Say how many verdicts came in."""
    if as_json:
        print_json(
            {
                "study": str(imported.study.path),
                "rows": imported.rows,
                "added": imported.added,
                "same": imported.same,
                "kept": imported.kept,
            }
        )
        return
    rows = ", ".join(f"{count:,} of {split}" for split, count in imported.rows.items())
    print(f"verdicts in the file: {rows or 'none'}")
    print(f"recorded {imported.added:,}; {imported.same:,} stood here already")
    if imported.kept:
        print(
            f"{imported.kept:,} were left out: another verdict stands here, or theirs was taken "
            "back since it came in; --replace takes the file's"
        )
