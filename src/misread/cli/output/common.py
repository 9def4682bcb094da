"""Tables for people and JSON for programs: what every command prints with."""

import json
import math
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    from misread.analysis.intervals import Rate
    from misread.datasets import Dataset
    from misread.tables import Provenance


def print_json(content: dict[str, Any], *, flush: bool = False) -> None:
    """Print one JSON object on stdout."""
    print(json.dumps(content, ensure_ascii=False, indent=2), flush=flush)


def open_dataset(source: str) -> "Dataset":
    """Load a dataset, and say on stderr what was left out of it."""
    from misread.datasets import load

    dataset = load(source)
    for note in dataset.notes:
        print(f"{plain(dataset.name)}: {note}", file=sys.stderr)
    return dataset


def new_table(*columns: str) -> "Table":
    """An empty table of these columns; counts stand right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        counts = column in ("images", "misread")
        table.add_column(column, justify="right" if counts else "left", overflow="fold")
    return table


def plain(name: str) -> str:
    """A file's name for a terminal: as it is, or quoted where it would do more than be read."""
    return name if name.isprintable() else ascii(name)


def print_table(table: "Table", *, whole: bool = False) -> None:
    """Print a table on stdout.

    Args:
        table: The table; its last use.
        whole: Keep its first column, names that are copied, on one line each: in a narrow terminal
            the other columns give way, and where there is no terminal nothing is folded.
    """
    from rich.console import Console

    # Class names come from users: no markup, no emoji codes, no highlighting of numbers.
    console = Console(markup=False, emoji=False, highlight=False)
    if whole:
        _keep_names(table, console)
    around = "" if table.show_edge else "\n"
    console.print(around, table, around, sep="", end="")


# Columns of text that no line has: measured at this width, nothing is folded.
_WIDEST = 100_000


def _keep_names(table: "Table", console: "Console") -> None:
    """Make room for the first column, in the table and, if need be, beyond the terminal's edge."""
    from rich.cells import cell_len

    def widest(texts: Iterable[object]) -> int:
        return max((cell_len(str(text)) for text in texts), default=0)

    def needed() -> "Measurement":
        return console.measure(table, options=console.options.update(max_width=_WIDEST))

    names, *others = table.columns
    names.no_wrap, names.min_width = True, widest(names.cells)
    if not console.is_terminal:
        console.width = needed().maximum
    elif needed().maximum > console.width:
        # Columns move together, then heads fold, then cells that have spaces; no word is broken.
        table.show_edge, table.collapse_padding = False, True
        if needed().maximum > console.width:
            table.padding = (0, 0)
        if needed().maximum > console.width:
            for column in others:
                head, cells = str(column.header), list(column.cells)
                column.header = textwrap.fill(head, max(widest(cells), widest(head.split()), 1))
                column.no_wrap = not any(" " in str(cell) for cell in cells)
        console.width = max(console.width, needed().minimum)


def provenance_json(provenance: "Provenance") -> dict[str, Any]:
    """What names predictions, for JSON."""
    return {
        "predictions": provenance.name,
        "split": provenance.split,
        "origin": str(provenance.origin),
    }


def rate_json(rate: "Rate") -> dict[str, Any]:
    """A rate with its interval, for JSON."""
    return {
        "count": rate.count,
        "total": rate.total,
        "rate": number(rate.value),
        "low": number(rate.low),
        "high": number(rate.high),
    }


def number(value: float) -> float | None:
    """JSON has no NaN: a rate over no images is null."""
    return None if math.isnan(value) else value


def counted(number: int, noun: str) -> str:
    """So many of something: `1 pair`, `1,200 pairs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def relative(path: Path, folder: Path) -> Path:
    """The path as seen from a folder, where it lies in it."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path
