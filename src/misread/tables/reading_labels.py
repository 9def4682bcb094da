"""Verdicts and corrected labels made elsewhere: CSV, TSV, Parquet or JSON, a row per image."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from misread.errors import VerdictsError
from misread.tables.verdicts import Verdict

KINDS = (".csv", ".tsv", ".parquet", ".json")


@dataclass(frozen=True)
class LabelRow:
    """What a file says of one image.

    Attributes:
        split: Its split, None where the file doesn't say.
        index: Its position there.
        file: Name of its file, None where the table doesn't say.
        given: Its given label by the file, None where that doesn't say.
        against: The label that the verdict was given against, None where the file doesn't say.
        verdict: The verdict; None where a bare label says less: it may be the given one.
        label: The right class, None where none is said.
        person: Who decided, "" where the file doesn't say.
        decided_at: Milliseconds since 1970, UTC; None where the file doesn't say.
    """

    split: str | None
    index: int
    file: str | None
    given: int | None
    against: int | None
    verdict: Verdict | None
    label: int | None
    person: str
    decided_at: int | None


@dataclass(frozen=True)
class LabelFile:
    """The rows of a file that say anything, and which images they are about.

    Attributes:
        rows: The rows.
        items_fingerprint: Of the images, "" where the file doesn't say.
    """

    rows: list[LabelRow] = field(repr=False)
    items_fingerprint: str


def read_labels(path: Path, classes: Sequence[str]) -> LabelFile:
    """Read verdicts or corrected labels.

    Args:
        path: A table that misread exported as verdicts, mistakes (column `decided`) or labels
            (columns `verdict` and `adjudicated`); or one with a column `label`, the corrected
            labels by number or by class name. All have a column `index`; `split`, `file`,
            `given`, `person` and `decided_at` are read where they are there.
        classes: Names of the classes.

    Raises:
        VerdictsError: The file is missing, damaged, or holds something else.
    """
    if path.suffix.lower() not in KINDS:
        raise VerdictsError(f"{path}: expected labels or verdicts as {', '.join(KINDS)}")
    try:
        rows, about = _read(path)
    except FileNotFoundError:
        raise VerdictsError(f"{path}: expected a file of labels or verdicts, found none") from None
    except (OSError, ValueError, TypeError, KeyError, csv.Error, pa.ArrowException) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise VerdictsError(f"{path}: expected a table: {reason}") from error
    names = set(rows[0]) if rows else set()
    kind = next((kind for kind, needs in _COLUMNS.items() if needs <= names), None)
    if kind is None:
        raise VerdictsError(
            f"{path}: expected rows with the columns index and decided (verdicts), verdict and "
            f"adjudicated (labels), or label. Got {', '.join(map(str, names)) or 'no rows'}."
        )
    parser = _Parser(path, classes, kind)
    split = about.get("split")
    found = [
        parser.parse(number, {"split": split} | row) for number, row in enumerate(rows, start=1)
    ]
    items = about.get("items_fingerprint", "")
    return LabelFile([row for row in found if row is not None], items)


_COLUMNS = {
    "decided": {"index", "decided"},
    "adjudicated": {"index", "adjudicated", "verdict"},
    "label": {"index", "label"},
}


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows, and what the file says about itself."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        table = pq.read_table(path)
        said = table.schema.metadata or {}
        about = {
            key.decode(): json.loads(value)
            for key, value in said.items()
            if key in (b"split", b"items_fingerprint")
        }
        return table.to_pylist(), about
    if kind == ".json":
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        listed = isinstance(content, list)
        rows, about = (content, {}) if listed else (content["rows"], content["about"])
        if not all(isinstance(row, dict) for row in rows):
            raise TypeError("expected a list of objects")
        return rows, about
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="," if kind == ".csv" else "\t", strict=True)
        return [_checked_fields(reader.line_num, row) for row in reader], {}


def _checked_fields(line: int, row: dict[Any, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise ValueError(f"line {line} has another number of fields than the first line")
    return {key: value if value != "" else None for key, value in row.items()}


class _Parser:
    """Reads rows, and says of a bad one where it is."""

    def __init__(self, path: Path, classes: Sequence[str], kind: str) -> None:
        self._path, self._classes, self._kind = path, classes, kind
        self._numbers = {name: number for number, name in enumerate(classes)}

    def parse(self, number: int, row: dict[str, Any]) -> LabelRow | None:
        """A row, None if it says nothing of its image."""
        self._row = number
        given = self._label("given", row.get("given"))
        verdict: Verdict | None
        if self._kind == "label":
            verdict, label = None, self._label("label", row["label"])
            if label is None:
                return None
        else:
            column = "decided" if self._kind == "decided" else "verdict"
            if row[column] is None:
                return None
            verdict = self._verdict(column, row[column])
            named = "decided_label" if self._kind == "decided" else "adjudicated"
            label = self._label(named, row.get(named)) if verdict == Verdict.LABEL else None
        against = self._label("given_then", row.get("given_then"))
        index = self._whole("index", row["index"])
        return LabelRow(
            split=row.get("split"),
            index=index,
            file=row.get("file"),
            given=given,
            against=given if against is None else against,
            verdict=verdict,
            label=label,
            person=str(row.get("person") or ""),
            decided_at=self._time(row.get("decided_at")),
        )

    def _whole(self, column: str, value: Any) -> int:
        try:
            number = int(value)
            if number != float(value) or isinstance(value, bool):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise self._refuse(column, "a whole number", value) from None
        return number

    def _label(self, column: str, value: Any) -> int | None:
        """A class by its number, or by its name."""
        if value is None:
            return None
        if isinstance(value, str) and not value.strip().lstrip("-").isdecimal():
            if value not in self._numbers:
                raise self._refuse(column, "a class", value)
            return self._numbers[value]
        number = self._whole(column, value)
        if not 0 <= number < len(self._classes):
            raise self._refuse(column, f"a class in 0..{len(self._classes) - 1}", value)
        return number

    def _verdict(self, column: str, value: Any) -> Verdict:
        try:
            return Verdict(value)
        except ValueError:
            raise self._refuse(column, f"one of {', '.join(Verdict)}", value) from None

    def _time(self, value: Any) -> int | None:
        if value is None:
            return None
        try:
            time = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise self._refuse("decided_at", "a time as 2025-01-31T12:00:00Z", value) from None
        # A time without a zone is taken as UTC, as misread writes it.
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)

    def _refuse(self, column: str, expected: str, value: Any) -> VerdictsError:
        return VerdictsError(
            f"{self._path}: row {self._row:,}, column {column!r}: expected {expected}. "
            f"Got {value!r:.60} instead."
        )
