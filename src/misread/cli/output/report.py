"""What `misread report` prints."""

import sys
from typing import TYPE_CHECKING

from misread.cli.output.common import print_json

if TYPE_CHECKING:
    from misread.workflows.report import WrittenReport


def show_report(written: "WrittenReport", as_json: bool) -> None:
    """Print where the report is; as JSON with all that it shows."""
    problem = written.pages.overview.readings_problem
    if problem:
        print(f"no page of people: {problem}", file=sys.stderr)
    if as_json:
        from misread.views.pages import to_json

        print_json(
            {"report": str(written.path), "files": written.files, "bytes": written.size}
            | {"pages": to_json(written.pages)}
        )
        return
    files = "1 file" if written.files == 1 else f"{written.files} files"
    print(f"{written.path}\n{files}, {written.size / 1e6:.1f} MB; opens in a browser")
