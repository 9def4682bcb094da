"""Look for duplicates in a dataset, with or without a study of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.analysis.duplicates import DISTANCE, Duplicates, PairTable, find_duplicates
from misread.datasets import Dataset
from misread.tables.export import check_kind, class_names, write_columns
from misread.types import Array
from misread.views.duplicates import draw_duplicates
from misread.views.pictures import check_png, save_picture


@dataclass(frozen=True, eq=False)
class DuplicatesResult:
    """The duplicates, and what was written of them.

    Attributes:
        dataset: The images.
        duplicates: The pairs and groups.
        picture: The picture of the worst pairs, None if there are none or none was asked for.
        table: The file with all pairs, None if none was asked for.
    """

    dataset: Dataset
    duplicates: Duplicates
    picture: Path | None
    table: Path | None


def show_duplicates(
    dataset: Dataset,
    distance: float = DISTANCE,
    *,
    save: Path | None = None,
    output: Path | None = None,
) -> DuplicatesResult:
    """Find a dataset's duplicates, draw the worst and write all.

    Args:
        dataset: Images and given labels.
        distance: Largest root mean square difference of the pixel values, as a share of 255, in
            [0, 1); 0 for identical images only.
        save: A `.png` file for the picture, which is drawn where there is a pair.
        output: A `.csv`, `.parquet` or `.json` file for the table of pairs.

    Raises:
        ParameterError: The distance is out of range, or a file is of another kind.
    """
    check_png(save)
    if output is not None:
        check_kind(Path(output))
    found = find_duplicates(dataset, distance)
    picture = Path(save) if save is not None and len(found.pairs) else None
    if picture is not None:
        save_picture(draw_duplicates(dataset, found), picture)
    table = Path(output) if output is not None else None
    if table is not None:
        write_columns(table, pair_columns(found.pairs, dataset))
    return DuplicatesResult(dataset, found, picture, table)


def pair_columns(pairs: PairTable, dataset: Dataset) -> dict[str, Array]:
    """The table of pairs with given labels by name, and files where images are files."""
    return {
        **_image_columns("a", pairs.split_a, pairs.index_a, pairs.given_a, dataset),
        **_image_columns("b", pairs.split_b, pairs.index_b, pairs.given_b, dataset),
        "distance": pairs.distance,
        "kind": pairs.kind,
    }


def _image_columns(
    which: str, split: Array, index: Array, given: Array, dataset: Dataset
) -> dict[str, Array]:
    columns = {f"split_{which}": split, f"index_{which}": index}
    files = np.full(len(index), None, dtype=object)
    for name, images in dataset.splits.items():
        of_split = split == name
        found = images.files(index[of_split])
        if found is not None:
            files[of_split] = found
    if any(file is not None for file in files):
        columns[f"file_{which}"] = files
    return columns | {f"given_{which}": class_names(given, dataset.classes)}
