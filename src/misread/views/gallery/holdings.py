"""What a study holds on its splits, read when first asked for and kept while memory allows."""

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.datasets import Dataset, Split
from misread.errors import ParameterError
from misread.store import Study
from misread.tables import Neighbours, Provenance, Reconstructions
from misread.tables.parquet import PredictionsFile
from misread.types import FloatArray
from misread.views.gallery.columns import (
    MetadataColumn,
    ModelColumns,
    model_columns,
    preferred,
)
from misread.views.gallery.memo import Memo

_MODEL_BYTES = 256 << 20
_FILE_BYTES = 128 << 20
_PART_BYTES = 64 << 20
_NEIGHBOUR_BYTES = 256 << 20
_DRAWING_BYTES = 128 << 20

# Name, size and time of change of files: by which it is told whether they are others than before.
Stamp = tuple[tuple[str, int, int], ...]


def stamp(folder: Path, pattern: str = "*.parquet") -> Stamp:
    """The stamp of the files of a pattern in a folder; empty where there is no folder."""
    found = []
    for path in sorted(folder.glob(pattern)):
        info = path.stat()
        found.append((path.name, info.st_size, info.st_mtime_ns))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Listed:
    stamp: Stamp
    found: tuple[Provenance, ...]


class Holdings:
    """A study's tables.

    Predictions that come into the study while it is open are noticed.

    Args:
        study: The study.
        dataset: Its dataset.
    """

    def __init__(self, study: Study, dataset: Dataset) -> None:
        self.study, self.dataset = study, dataset
        self._listed = _Listed((), ())
        self._lock = threading.Lock()
        self._outcomes = Memo[Outcomes](_MODEL_BYTES, lambda found: 22 * len(found))
        self._models = Memo[ModelColumns](_MODEL_BYTES, lambda columns: columns.nbytes)
        self._files = Memo[PredictionsFile](_FILE_BYTES, lambda file: file.index.nbytes * 2)
        self._parts = Memo[FloatArray](_PART_BYTES, lambda part: part.nbytes)
        self._neighbours = Memo[Neighbours | None](
            _NEIGHBOUR_BYTES, lambda table: 0 if table is None else table.neighbours.nbytes
        )
        self._reconstructions = Memo[Reconstructions | None](
            _DRAWING_BYTES, lambda table: 0 if table is None else table.nbytes
        )
        self._metadata = Memo[dict[str, MetadataColumn]](1 << 40, lambda columns: 0)

    def split(self, name: str) -> Split:
        """A split of the dataset.

        Raises:
            ParameterError: There is none of this name.
        """
        if name not in self.dataset.splits:
            there = ", ".join(self.dataset.splits)
            raise ParameterError(f"split: expected one of {there}. Got {name!a} instead.")
        return self.dataset.splits[name]

    @property
    def default_split(self) -> str:
        """`test`, else the first one."""
        return "test" if "test" in self.dataset.splits else next(iter(self.dataset.splits))

    # Predictions

    def predictions(self, split: str | None = None) -> list[Provenance]:
        """What predictions there are, newest first."""
        found = self._all().found
        return [provenance for provenance in found if split in (None, provenance.split)]

    def runs(self, split: str) -> list[Provenance]:
        """One prediction of each run for a split, best suited to look at first."""
        return preferred(self.predictions(split))

    @property
    def stamp(self) -> Stamp:
        """By which it is told whether any predictions are others than before."""
        return self._all().stamp

    def predictions_stamp(self, split: str) -> Stamp:
        """By which it is told whether the predictions of a split are others than before."""
        names = {f"{provenance.name}.parquet" for provenance in self.predictions(split)}
        return tuple(entry for entry in self._all().stamp if entry[0] in names)

    def run(self, split: str, name: str) -> Provenance:
        """The predictions of a run for a split.

        Raises:
            ParameterError: There are none.
        """
        found = {provenance.run_name: provenance for provenance in self.runs(split)}
        if name not in found:
            there = ", ".join(found) or "none at all"
            raise ParameterError(f"model: expected a run that predicts {split}, found {there}")
        return found[name]

    def _all(self) -> _Listed:
        now = stamp(self.study.path / "predictions")
        with self._lock:
            if now != self._listed.stamp:
                self._listed = _Listed(now, tuple(self.study.list_predictions()))
            return self._listed

    def _stamp_of(self, provenance: Provenance) -> Stamp:
        name = f"{provenance.name}.parquet"
        return tuple(entry for entry in self._all().stamp if entry[0] == name)

    def model_columns(self, provenance: Provenance) -> ModelColumns:
        """What a model predicts for each image of its split."""

        def take() -> ModelColumns:
            return model_columns(self.outcomes(provenance), len(self.split(provenance.split)))

        return self._models.get((provenance.name, self._stamp_of(provenance)), take)

    def outcomes(self, provenance: Provenance) -> Outcomes:
        """What a model makes of the images that it predicts."""
        key = (provenance.name, self._stamp_of(provenance))
        return self._outcomes.get(key, lambda: read_outcomes(self._file(provenance)))

    def probabilities(self, provenance: Provenance, index: int) -> FloatArray | None:
        """(K,) float32, the probabilities of one image; None where it isn't predicted."""
        file = self._file(provenance)
        row = int(np.searchsorted(file.index, index))
        if row == len(file) or file.index[row] != index:
            return None
        start, stop = next(part for part in file.ranges() if part[0] <= row < part[1])
        key = (provenance.name, self._stamp_of(provenance), start)
        found: FloatArray = self._parts.get(key, lambda: file.read(start, stop))[row - start]
        return found

    def _file(self, provenance: Provenance) -> PredictionsFile:
        key = (provenance.name, self._stamp_of(provenance))
        return self._files.get(key, lambda: self.study.open_predictions(provenance))

    # What lies beside them

    def neighbours(self, split: str) -> Neighbours | None:
        """The nearest training images that the first network which noted any has found."""
        tables = (self._neighbours_of(provenance) for provenance in self.runs(split))
        return next((table for table in tables if table is not None), None)

    def _neighbours_of(self, provenance: Provenance) -> Neighbours | None:
        key = (provenance.name, self._stamp_of(provenance))
        return self._neighbours.get(key, lambda: self.study.load_neighbours(provenance))

    def reconstructions(self, split: str) -> list[Reconstructions]:
        """What the networks that draw have drawn of a split, as `runs` has them."""
        stamps = {entry[0]: entry for entry in stamp(self.study.path / "reconstructions")}
        found = []
        for provenance in self.runs(split):
            there = stamps.get(f"{provenance.name}.parquet")
            if there is not None and (table := self._drawn(provenance, there)) is not None:
                found.append(table)
        return found

    def _drawn(self, provenance: Provenance, there: tuple[str, int, int]) -> Reconstructions | None:
        key = (there, self._stamp_of(provenance))
        return self._reconstructions.get(key, lambda: self.study.load_reconstructions(provenance))

    def metadata(self, split: str) -> dict[str, MetadataColumn]:
        """The metadata columns of a split by name; empty if nothing was imported."""
        key = (split, self.metadata_stamp)
        return self._metadata.get(key, lambda: self._read_metadata(split))

    @property
    def metadata_stamp(self) -> Stamp:
        """By which it is told whether the metadata are others than before."""
        return stamp(self.study.path / "metadata")

    def _read_metadata(self, split: str) -> dict[str, MetadataColumn]:
        if not (self.study.path / "metadata" / f"{split}.parquet").exists():
            return {}
        table = self.study.load_metadata(split)
        if table is None:
            return {}
        columns = {}
        for name in table.columns:
            codes, values = table.values(name)
            columns[name] = MetadataColumn(codes.astype(np.int32), values, table.kind(name))
        return columns
