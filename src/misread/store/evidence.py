"""What training leaves in a study beside predictions: dynamics and neighbours."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from misread.errors import StudyError
from misread.store.record import StudyRecord
from misread.tables import Dynamics, Neighbours, Provenance
from misread.tables.evidence_parquet import (
    read_dynamics,
    read_neighbours,
    write_dynamics,
    write_neighbours,
)

_Evidence = TypeVar("_Evidence", Dynamics, Neighbours)


class StudyEvidence(StudyRecord):
    """A study, as far as dynamics and neighbours go."""

    def save_dynamics(self, dynamics: Dynamics) -> Path:
        """Save training dynamics under their own name; former ones of that name are replaced."""
        return self._save_evidence("dynamics", dynamics, write_dynamics)

    def save_neighbours(self, neighbours: Neighbours) -> Path:
        """Save nearest neighbours under their own name; former ones are replaced."""
        return self._save_evidence("neighbours", neighbours, write_neighbours)

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
