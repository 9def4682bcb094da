"""Bring what is known of the images into a study: writers, sources, sizes, ..."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from misread.datasets import qmnist
from misread.errors import MetadataError, ParameterError
from misread.store import Study
from misread.tables.file_positions import find_files
from misread.tables.metadata import Metadata, merge
from misread.tables.reading_metadata import SplitRows, read_table, split_rows
from misread.types import IntArray

QMNIST = "qmnist"


@dataclass(frozen=True)
class ImportedMetadata:
    """What came in.

    Attributes:
        study: Where to.
        splits: All that is known now of each split that came in.
        columns: Names of the columns that came in.
        rows: How many images of each split the file has rows for.
        by_position: Whether the rows said by a column `index` or `file` which images they are
            about; else they were taken in the split's order.
    """

    study: Study
    splits: Mapping[str, Metadata]
    columns: tuple[str, ...]
    rows: Mapping[str, int]
    by_position: bool


def import_metadata(
    study: Study,
    source: str | Path,
    *,
    split: str | None = None,
    cluster: str | None = None,
    replace: bool = False,
    folder: Path | None = None,
) -> ImportedMetadata:
    """Bring a table of metadata into a study; its columns are added to those that are there.

    Args:
        study: Where to.
        source: A `.csv`, `.tsv` or `.parquet` file with a row per image: a column `index` says
            which (its position in the split), or `file` (its path in a dataset that is a folder of
            images); without them the rows are all images in order. A column `split` says of which
            split. Or `qmnist`: who wrote each MNIST digit.
        split: The split of a file that has no column `split`; None means `test`.
        cluster: The column that says which images belong together (a writer, a patient).
        replace: Take the new values of columns that are there with others.
        folder: With `qmnist`, where its tables are; None downloads them once.

    Returns:
        What came in. Either all of it was saved or, after an error, nothing.

    Raises:
        MetadataError: The table is damaged, doesn't fit the images, or has other values than are
            there.
        DatasetError: QMNIST's tables are damaged or can't be downloaded.
        ParameterError: An option doesn't go with the source.
    """
    if str(source) == QMNIST:
        for name, value in (("split", split), ("cluster", cluster)):
            if value is not None:
                raise ParameterError(f"{name}: qmnist knows its own. Got {value!r}; leave it out")
        by_position, found = True, _qmnist_rows(study, folder)
        cluster = "writer"
    else:
        if folder is not None:
            raise ParameterError(f"from: only qmnist is read from a folder. Got {source} instead.")
        path = Path(source)
        table = read_table(path)
        if "file" in table.column_names and "index" not in table.column_names:
            table, split = _joined_on_files(study, path, table, split)
        sizes = {name: record.images for name, record in study.splits.items()}
        by_position, found = "index" in table.column_names, split_rows(path, table, sizes, split)
    # All are made, and so checked, before the first is saved.
    made = {name: _merged(study, name, rows, cluster, replace) for name, rows in found.items()}
    for metadata in made.values():
        study.save_metadata(metadata)
    return ImportedMetadata(
        study=study,
        splits=made,
        columns=tuple(next(iter(found.values())).table.column_names),
        rows={name: rows.rows for name, rows in found.items()},
        by_position=by_position,
    )


def _joined_on_files(
    study: Study, path: Path, table: pa.Table, split: str | None
) -> tuple[pa.Table, str | None]:
    """The table by positions, and the split that then remains to be told.

    Where images are no files, `file` is a column like others.
    """
    splits = study.load_dataset().splits
    found = {name: images.files() for name, images in splits.items()}
    files = {name: paths for name, paths in found.items() if paths is not None}
    if len(files) < len(found):
        return table, split
    return find_files(path, table, files, split), None


def _merged(
    study: Study, split: str, rows: SplitRows, cluster: str | None, replace: bool
) -> Metadata:
    items = study.splits[split].items_fingerprint
    new = Metadata(split, items, rows.table)
    old = study.load_metadata(split)
    both = new if old is None else merge(old, new, replace=replace)
    return Metadata(split, items, both.table, cluster or both.cluster)


def _qmnist_rows(study: Study, folder: Path | None) -> dict[str, SplitRows]:
    dataset = study.load_dataset()
    splits = [name for name in dataset.splits if name in qmnist.SHA256]
    found = {}
    for name, table in qmnist.read_qmnist(folder, splits).items():
        given = dataset.splits[name].labels
        mine = table[: len(given)]
        if len(mine) < len(given) or not np.array_equal(mine[:, qmnist.CLASS], given):
            raise MetadataError(
                f"qmnist: describes MNIST's digits in their order, and the {name} split of "
                f"{study.dataset_name} has other given labels or more images"
            )
        found[name] = SplitRows(_qmnist_columns(mine), len(mine))
    if not found:
        raise MetadataError(
            f"qmnist: describes MNIST's splits train and test. Got a study of {study.dataset_name} "
            f"with {', '.join(dataset.splits)} instead."
        )
    return found


def _qmnist_columns(table: IntArray) -> pa.Table:
    series = [qmnist.series_name(hsf) for hsf in table[:, qmnist.HSF].tolist()]
    return pa.table(
        {
            "series": pa.array(series).dictionary_encode(),
            "hsf": table[:, qmnist.HSF],
            "writer": table[:, qmnist.WRITER],
            "digit_index": table[:, qmnist.DIGIT_INDEX],
            "nist_class": table[:, qmnist.NIST_CLASS],
            "nist_index": table[:, qmnist.NIST_INDEX],
        }
    )
