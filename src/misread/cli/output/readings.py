"""What is printed of readings that came in or went out."""

from typing import TYPE_CHECKING, Any

from misread.cli.output.common import counted, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from misread.tables.readings import Readings


def show_imported(readings: "Readings", name: str, as_json: bool) -> None:
    """Print whose readings were brought in."""
    if as_json:
        print_json({"name": name, **_about(readings)})
        return
    print(f"{name}: {_told_readings(readings)}")
    if not readings.design:
        print(
            "They follow no plan of this study: `misread people --random-order` takes them for a "
            "random sample in random order"
        )


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
