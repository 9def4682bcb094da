"""Tables that name images by their files: from the files' paths to positions in the splits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from misread.errors import MetadataError
from misread.types import Array


def find_files(
    path: Path, table: pa.Table, files: Mapping[str, Array], split: str | None
) -> pa.Table:
    """The table with the columns `index` and `split` in place of its column `file`.

    Args:
        path: The table's file, to be named in errors.
        table: As `read_table` gives it, with a column `file`: paths in the dataset's folder.
        files: The paths of each split's images, in their order.
        split: The split that the table is about, None if that is told by the paths alone.

    Raises:
        MetadataError: A path is missing, of no image, or of another split than the row says.
    """
    splits = np.array(list(files))
    offsets = np.cumsum([0, *(len(paths) for paths in files.values())])
    known = pa.array(np.concatenate(list(files.values())), pa.string())
    places = pc.index_in(table["file"].cast(pa.string()), value_set=known).combine_chunks()
    if places.null_count:
        row = places.is_null().index(True).as_py()
        raise MetadataError(
            f"{path}: column 'file': expected paths in the dataset's folder, as {known[0]}. "
            f"Got {table['file'][row].as_py()!r} in row {row + 1:,} instead."
        )
    place = places.to_numpy()
    number = np.searchsorted(offsets, place, side="right") - 1
    found = splits[number]
    if "split" in table.column_names:
        said = np.array(table["split"].cast(pa.string()).to_pylist(), dtype=object)
    else:
        said = np.full(len(place), split, dtype=object) if split is not None else found
    if (wrong := found != said).any():
        row = int(wrong.argmax())
        raise MetadataError(
            f"{path}: column 'file': expected images of the {said[row]} split. "
            f"Got {table['file'][row].as_py()!r} of {found[row]} in row {row + 1:,} instead."
        )
    others = table.drop_columns([n for n in ("file", "split") if n in table.column_names])
    names = pa.array(found).dictionary_encode()
    return others.append_column("index", pa.array(place - offsets[number])).append_column(
        "split", names
    )
