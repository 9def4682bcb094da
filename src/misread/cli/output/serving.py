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
        print("Whoever has this link may look and decide.", file=sys.stderr)
        print("From other machines, put this one's name or address into it.", file=sys.stderr)
    print("Ctrl-C ends it", file=sys.stderr, flush=True)
