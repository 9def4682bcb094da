"""What is said of a page while it is served."""

import sys
from pathlib import Path

from misread.cli.output.common import print_json


def show_address(url: str, study: Path, as_json: bool) -> None:
    """Say where the page is, and how to end it."""
    if as_json:
        print_json({"study": str(study), "url": url})
        sys.stdout.flush()
        return
    print(f"{study}: {url}", flush=True)
    if "?token=" in url:
        told = (
            "whoever has this link may look and decide; from other machines, put this one's name in"
        )
        print(told, file=sys.stderr)
    print("Ctrl-C ends it", file=sys.stderr, flush=True)
