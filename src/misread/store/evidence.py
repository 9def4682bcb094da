"""What a study has beside predictions: dynamics, neighbours and reconstructions."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from misread.errors import StudyError
from misread.store.record import StudyRecord
from misread.tables import Dynamics, Neighbours, Provenance, Reconstructions
from misread.tables.evidence_parquet import (
    read_dynamics,
    read_neighbours,
    write_dynamics,
    write_neighbours,
)
from misread.tables.reconstructions_parquet import read_reconstructions, write_reconstructions

_Evidence = TypeVar("_Evidence", Dynamics, Neighbours, Reconstructions)


class StudyEvidence(StudyRecord):
    """A study, as far as such evidence goes."""

    def save_dynamics(self, dynamics: Dynamics) -> Path:
        """Save training dynamics under their own name; former ones of that name are replaced."""
        return self._save_evidence("dynamics", dynamics, write_dynamics)

    def save_neighbours(self, neighbours: Neighbours) -> Path:
        """Save nearest neighbours under their own name; former ones are replaced."""
        return self._save_evidence("neighbours", neighbours, write_neighbours)

    def save_reconstructions(self, table: Reconstructions) -> Path:
        """Save reconstructions under their own name; former ones are replaced."""
        return self._save_evidence("reconstructions", table, write_reconstructions)

    def _save_evidence(
        self, kind: str, table: _Evidence, write: Callable[[Path, _Evidence], None]
    ) -> Path:
        path = self.path / kind / f"{table.provenance.name}.parquet"
        try:
            write(path, table)
        except OSError as error:
            raise StudyError(f"{path}: can't write {kind} here: {error.strerror}") from error
        return path

    def load_neighbours(self, provenance: Provenance) -> Neighbours | None:
        """The neighbours that lie beside these predictions; None if there are none."""
        path = self.path / "neighbours" / f"{provenance.name}.parquet"
        return read_neighbours(path) if path.exists() else None

    def load_dynamics(self, split: str) -> list[Dynamics]:
        """All training dynamics of a split; a table for each run and each cross-fit."""
        files = sorted((self.path / "dynamics").glob(f"*.{split}.in-sample.parquet"))
        return [read_dynamics(file) for file in files]

    def load_reconstructions(self, provenance: Provenance) -> Reconstructions | None:
        """The reconstructions that were made with these predictions; None if there are none.

        Those of a former training under the same name are none.
        """
        path = self.path / "reconstructions" / f"{provenance.name}.parquet"
        table = read_reconstructions(path) if path.exists() else None
        return table if table is not None and table.provenance == provenance else None
