"""The reference panel: what the networks trained for misread predict of MNIST, in the package.

```
reference_data/
  panel.json          the runs, each with its command, its tables and how well it reads
  models/             the card of each run, as training wrote it
  tables/             {name}.{kind}.xz: predictions, neighbours and dynamics, see `tables.packed`
```

`benchmarks/reference_panel.py` makes it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from misread.datasets import Dataset
from misread.errors import PredictionsError, StudyError
from misread.files import write_bytes
from misread.store import Study
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.tables.packed import unpack_dynamics, unpack_neighbours, unpack_probabilities
from misread.types import LabelArray

FORMAT = "misread reference panel 1"
INDEX = "panel.json"
KINDS = ("predictions", "neighbours", "dynamics")
FOLDER = Path(__file__).with_name("reference_data")


@dataclass(frozen=True)
class PackedTable:
    """One table of the panel.

    Attributes:
        kind: `predictions`, `neighbours` or `dynamics`.
        provenance: Where it comes from.
        sha256: Of its file.
        settings: What its kind takes to be read: `step`; `width`; or `epochs` and `networks`.
        mistakes: Of predictions, how many images are misread.
        loss: Of predictions, the mean loss before they were packed, in nats.
    """

    kind: str
    provenance: Provenance
    sha256: str
    settings: Mapping[str, float]
    mistakes: int | None = None
    loss: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PredictionsError(f"kind must be one of {', '.join(KINDS)}. Got {self.kind!r}.")

    @property
    def file(self) -> str:
        """Its path within the panel's folder."""
        return f"tables/{self.provenance.name}.{self.kind}.xz"

    def to_json(self) -> dict[str, Any]:
        """Plain values, without what is empty."""
        content = dataclasses.asdict(self) | {"settings": dict(self.settings)}
        return {key: value for key, value in content.items() if value is not None}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "PackedTable":
        """What `to_json` made."""
        fields = dict(content["provenance"])
        fields |= {"origin": Origin(fields["origin"]), "classes": tuple(fields["classes"])}
        return cls(**(content | {"provenance": Provenance(**fields)}))


@dataclass(frozen=True)
class PanelRun:
    """A run of the panel: a network trained once, or one repeat of a cross-fit.

    Attributes:
        name: Its name, as in a study.
        command: What makes it, as a line for a shell.
        tables: Its tables.
    """

    name: str
    command: str
    tables: tuple[PackedTable, ...]


@dataclass(frozen=True)
class ReferencePanel:
    """The panel's index; tables are unpacked when they are asked for.

    Attributes:
        folder: Where it lies.
        runs: The runs, in the order of the list that the panel is made from.
        missing: Names of runs of that list that weren't there when it was packed.
    """

    folder: Path
    runs: tuple[PanelRun, ...]
    missing: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: Path) -> "ReferencePanel":
        """Read a panel's index.

        Raises:
            PredictionsError: It is missing or damaged.
        """
        path = folder / INDEX
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}")
            runs = [
                PanelRun(
                    run["name"], run["command"], tuple(map(PackedTable.from_json, run["tables"]))
                )
                for run in content["runs"]
            ]
            return cls(folder, tuple(runs), tuple(content["missing"]))
        except (OSError, ValueError, KeyError, TypeError, PredictionsError) as error:
            raise PredictionsError(
                f"{path}: expected the index of a reference panel: {error!r}"
            ) from error

    def tables(self, kind: str = "predictions", split: str | None = None) -> list[PackedTable]:
        """The tables of a kind, in the order of the runs.

        Args:
            kind: `predictions`, `neighbours` or `dynamics`.
            split: Only those of this split.
        """
        return [
            table
            for run in self.runs
            for table in run.tables
            if table.kind == kind and split in (None, table.provenance.split)
        ]

    def predictions(self, table: PackedTable, labels: LabelArray) -> Predictions:
        """Unpack predictions.

        Args:
            table: One of the panel's.
            labels: (N,) int16, the given labels of its split.

        Raises:
            PredictionsError: They are missing or damaged.
        """
        provenance, step = table.provenance, table.settings["step"]
        content = self.content(table)
        probabilities = unpack_probabilities(content, labels, len(provenance.classes), step)
        index = np.arange(len(labels), dtype=np.int32)
        return Predictions(index, labels, probabilities, provenance)

    def neighbours(
        self, table: PackedTable, labels: LabelArray, train_labels: LabelArray
    ) -> Neighbours:
        """Unpack nearest training images.

        Args:
            table: One of the panel's.
            labels: (N,) int16, the given labels of its split.
            train_labels: Those of the training split.

        Raises:
            PredictionsError: They are missing or damaged.
        """
        width = int(table.settings["width"])
        near = unpack_neighbours(self.content(table), width, labels, train_labels)
        return Neighbours(np.arange(len(labels), dtype=np.int32), near, table.provenance)

    def dynamics(self, table: PackedTable, labels: LabelArray) -> Dynamics:
        """Unpack training dynamics.

        Args:
            table: One of the panel's.
            labels: (N,) int16, the given labels of its split.

        Raises:
            PredictionsError: They are missing or damaged.
        """
        epochs, networks = int(table.settings["epochs"]), int(table.settings["networks"])
        return unpack_dynamics(self.content(table), labels, epochs, networks, table.provenance)

    def content(self, table: PackedTable) -> bytes:
        """What a table's file holds, packed.

        Raises:
            PredictionsError: It is missing or damaged.
        """
        path = self.folder / table.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise PredictionsError(f"{path}: expected a packed table: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != table.sha256:
            raise PredictionsError(
                f"{path}: isn't the table that the panel was made of (SHA-256 differs); "
                "reinstall misread"
            )
        return content

    def save_into(self, study: Study, dataset: Dataset) -> None:
        """Put every table and every card into a study of the dataset, in place of former ones.

        Raises:
            PredictionsError: A table is missing, damaged, or of other images than the study's.
            StudyError: The study can't be written.
        """
        labels = {name: split.labels for name, split in dataset.splits.items()}

        def save(table: PackedTable) -> None:
            given = labels[table.provenance.split]
            if table.kind == "predictions":
                study.save_predictions(self.predictions(table, given), replace=True)
            elif table.kind == "neighbours":
                study.save_neighbours(self.neighbours(table, given, labels["train"]))
            else:
                study.save_dynamics(self.dynamics(table, given))

        # Unpacking lets other threads run, and so does waiting until a file is on the disk.
        with ThreadPoolExecutor() as pool:
            list(pool.map(save, (table for kind in KINDS for table in self.tables(kind))))
        for run in self.runs:
            path = study.model_file(run.name, ".json")
            try:
                write_bytes(path, card_file(self.folder, run.name).read_bytes())
            except OSError as error:
                raise StudyError(f"{path}: can't write a card here: {error.strerror}") from error


def card_file(folder: Path, name: str) -> Path:
    """Where the card of a run lies in a panel's folder."""
    return folder / "models" / f"{name}.json"


def open_reference_panel() -> ReferencePanel:
    """The panel that comes with misread.

    Raises:
        PredictionsError: The installed package is damaged.
    """
    return ReferencePanel.open(FOLDER)
