"""What is printed of readings that came in or went out."""

import sys
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import counted, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from misread.tables.answer_counts import AnswerCounts
    from misread.tables.readings import Readings
    from misread.workflows.readings_held import BroughtReadings


def show_imported(brought: "BroughtReadings", name: str, as_json: bool) -> None:
    """Print whose readings were brought in, and whose were there already."""
    readings = brought.readings
    if as_json:
        told = {"held_already": list(brought.held), "same_order": brought.same_order}
        print_json({"name": name, **_about(readings), **told})
        return
    if brought.held:
        print(f"in the study already, left as they are: {', '.join(brought.held)}")
    if not readings.readers and brought.held:
        print("nothing changed")
        return
    print(f"{name}: {_told_readings(readings)}")
    for one, other in brought.same_order:
        print(
            f"{one} and {other} read in the same order, and so the same sample: intervals of both "
            "together take their samples for independent"
        )
    if not readings.design:
        print(
            "They follow no plan of this study: `misread people` counts them, `misread people "
            f"--readings {name} --random-order` takes them for random samples in random order"
        )


def show_counts(counts: "AnswerCounts", name: str, split: str, as_json: bool) -> None:
    """Print what counts were brought in."""
    answers = int(counts.counts.sum())
    images = int((counts.counts.sum(axis=1) > 0).sum())
    if as_json:
        print_json(
            {"name": name, "split": split, "answers": answers, "images": images,
             "simulated": counts.simulated}
        )  # fmt: skip
        return
    marked = ", simulated" if counts.simulated else ""
    print(f"{name}: {answers:,} answers to {counted(images, 'image')} of the {split} split{marked}")
    print("`misread people` counts them, `misread audit` takes them as evidence on labels")


def send_readings(content: bytes, readings: "Readings") -> None:
    """Write a table to stdout, and what it is to stderr."""
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    print(_told_readings(readings), file=sys.stderr)


def show_exported(path: "Path", readings: "Readings", as_json: bool) -> None:
    """Print what was written where."""
    if as_json:
        print_json({"path": str(path), **_about(readings)})
        return
    print(f"{_told_readings(readings)}\n{path}")


def _told_readings(readings: "Readings") -> str:
    marked = ", simulated" if readings.simulated else ""
    readers = counted(len(readings.readers), "reader")
    return f"{len(readings):,} answers of {readers} on the {readings.split} split{marked}"


def _about(readings: "Readings") -> dict[str, Any]:
    return {
        "split": readings.split,
        "answers": len(readings),
        "readers": [reader.name for reader in readings.readers],
        "simulated": readings.simulated,
        "plan": readings.design,
    }
