"""Columns of a file that somebody else may have written, read as text and parsed on demand."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from misread.errors import ReadingsError
from misread.tables.metadata import first_line
from misread.types import Array, IntArray

KINDS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")

# How a missing value is written where a number or one of a few words is expected; misread itself
# writes an empty field. A reader may be called NA.
NULLS = ("", "NA", "N/A", "NaN", "nan", "na", "null")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, eq=False)
class TextColumns:
    """A table of text, trimmed.

    Attributes:
        table: The columns of strings, "" for null, by their names in lower case.
    """

    table: pa.Table

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of any known kind.

        Raises:
            ReadingsError: The file is missing, damaged, of another kind, or has no rows.
        """
        name = path.name.lower()
        if not name.endswith(KINDS):
            raise ReadingsError(f"{path}: expected readings as {', '.join(KINDS)}")
        try:
            if name.endswith(".parquet"):
                table = pq.read_table(path)
            else:
                table = _read_text(path, "\t" if ".tsv" in name[-7:] else ",")
            names = [str(column).strip().lower() for column in table.column_names]
            columns = [_as_text(column) for column in table.columns]
        except FileNotFoundError:
            raise ReadingsError(f"{path}: expected a file of readings, found none") from None
        except (OSError, ValueError, csv.Error, pa.ArrowException, MemoryError) as error:
            raise ReadingsError(f"{path}: expected a table: {first_line(error)}") from error
        if not table.num_rows:
            raise ReadingsError(f"{path}: expected a row per answer, found no rows")
        if len(set(names)) < len(names):
            twice = next(one for one in names if names.count(one) > 1)
            raise ReadingsError(f"{path}: {names.count(twice)} columns are named {twice!r}")
        return cls(pa.table(columns, names=names))

    def __contains__(self, name: object) -> bool:
        return name in self.table.column_names

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def require(self, name: str) -> None:
        """Refuse a table without a column.

        Raises:
            ReadingsError: It isn't there.
        """
        if name not in self:
            there = ", ".join(self.table.column_names[:20])
            raise ReadingsError(f"expected a column {name!r}, found {there}")

    def integers(self, name: str, missing: int | None = None) -> IntArray:
        """(n,) int64.

        Args:
            name: The column.
            missing: What stands for a missing value; None refuses one.

        Raises:
            ReadingsError: A value is no whole number.
        """
        column = self._parsed(name, pa.int64(), "whole numbers")
        if missing is not None:
            column = pc.fill_null(column, missing)
        elif column.null_count:
            row = int(np.argmax(column.is_null().to_numpy()))
            raise ReadingsError(f"column {name!r}: expected a number in row {row + 1}, found none")
        integers: IntArray = column.to_numpy()
        return integers

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """(n,) float64, NaN where a value is missing.

        Raises:
            ReadingsError: A value is no number.
        """
        column = self._parsed(name, pa.float64(), "numbers")
        floats: npt.NDArray[np.float64] = pc.fill_null(column, float("nan")).to_numpy()
        return floats

    def _parsed(self, name: str, kind: pa.DataType, words: str) -> pa.ChunkedArray:
        column = self.table[name]
        missing = pc.is_in(column, pa.array(NULLS))
        try:
            return pc.if_else(missing, pa.scalar(None, pa.string()), column).cast(kind)
        except pa.ArrowException as error:
            raise ReadingsError(
                f"column {name!r}: expected {words}: {first_line(error)}"
            ) from error

    def texts(self, name: str) -> Array:
        """(n,) text, "" where a value is missing."""
        return np.asarray(self.table[name].to_pylist(), np.str_)

    def categories(self, name: str) -> tuple[IntArray, list[str]]:
        """(n,) int64, which of the distinct values each row has; and these, as they come first.

        Raises:
            ReadingsError: A value is missing.
        """
        codes, values = self._distinct(name)
        if "" in values:
            row = int(np.argmax(codes == values.index("")))
            raise ReadingsError(f"column {name!r}: expected a value in row {row + 1}, found none")
        return codes, values

    def codes(self, name: str, names: Sequence[str], missing: int) -> IntArray:
        """(n,) int64, the place of each value among `names`.

        Args:
            name: The column.
            names: All that it may hold.
            missing: What stands for a missing value.

        Raises:
            ReadingsError: A value is none of them.
        """
        column = self.table[name].combine_chunks()
        places = pc.index_in(column, pa.array(list(names), pa.string()))
        known = pc.or_(places.is_valid(), pc.is_in(column, pa.array(NULLS)))
        strange = pc.invert(known).to_numpy(zero_copy_only=False)
        if strange.any():
            row = int(np.argmax(strange))
            raise ReadingsError(
                f"column {name!r}: expected one of {', '.join(names[:10])}. "
                f"Got {column[row].as_py()!r} in row {row + 1}."
            )
        codes: IntArray = pc.fill_null(places, missing).to_numpy().astype(np.int64)
        return codes

    def switches(self, name: str) -> npt.NDArray[np.bool_]:
        """(n,) bool; what is missing is no.

        Raises:
            ReadingsError: A value is neither yes nor no.
        """
        codes, values = self._distinct(name)
        return np.array([self.is_yes(name, value) for value in values], np.bool_)[codes]

    @staticmethod
    def is_yes(name: str, value: str) -> bool:
        """Whether a text says yes; what is missing says no.

        Raises:
            ReadingsError: It says something else.
        """
        if value not in NULLS and value.lower() not in _YES:
            raise ReadingsError(f"column {name!r}: expected yes or no. Got {value!r} instead.")
        return _YES.get(value.lower(), False)

    def single(self, name: str) -> str:
        """The one value of a column, "" if there is no such column or no value.

        Raises:
            ReadingsError: There are several.
        """
        values = self._distinct(name)[1] if name in self else [""]
        if len(values) > 1:
            raise ReadingsError(
                f"column {name!r}: expected the same in every row. "
                f"Got {values[0]!r} and {values[1]!r}."
            )
        return values[0]

    def of_groups(self, name: str, group: IntArray, groups: int) -> list[str]:
        """The one value of each group of rows, "" if there is no such column or no value.

        Args:
            name: The column.
            group: (n,) int64 in [0, groups), each of which has a row.
            groups: Number of groups.

        Raises:
            ReadingsError: The rows of a group have several.
        """
        if name not in self:
            return [""] * groups
        codes, values = self._distinct(name)
        value = np.empty(groups, np.int64)
        value[group] = codes
        differ = value[group] != codes
        if differ.any():
            row = int(np.argmax(differ))
            raise ReadingsError(
                f"column {name!r}: expected the same in all rows of a reader. "
                f"Got {values[codes[row]]!r} and {values[value[group[row]]]!r}."
            )
        return [values[code] for code in value]

    def _distinct(self, name: str) -> tuple[IntArray, list[str]]:
        encoded = self.table[name].combine_chunks().dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _read_text(path: Path, delimiter: str) -> pa.Table:
    with pa.input_stream(str(path), compression="detect") as stream:
        content = stream.read()
    header = content.split(b"\n", 1)[0].decode("utf-8-sig")
    names = next(csv.reader([header], delimiter=delimiter), [])
    kinds = {name: pa.string() for name in names}
    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(block_size=max(len(content), 1) + 1),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
    )


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "yes", "no")
    return pc.fill_null(pc.utf8_trim_whitespace(column.cast(pa.string())), "")
