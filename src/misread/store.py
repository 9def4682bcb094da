"""The study: the folder in which predictions, models, figures and verdicts are kept.

```
mnist-study/
  study.toml         format, dataset, fingerprints, versions
  predictions/       {run}.{split}.{origin}.parquet
  dynamics/          {run}.{split}.in-sample.parquet
  neighbours/        {run}.{split}.{origin}.parquet
  metadata/          {split}.parquet
  models/            {run}.safetensors, {run}.json; {run}.checkpoint while a training isn't done
  figures/
```
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tomli_w

from misread.datasets import Dataset, load
from misread.datasets.images import array_fingerprint
from misread.errors import InputError, MetadataError, PredictionsError, StudyError
from misread.files import write_text
from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
from misread.tables.evidence_parquet import (
    read_dynamics,
    read_neighbours,
    write_dynamics,
    write_neighbours,
)
from misread.tables.metadata import Metadata, read_metadata, write_metadata
from misread.tables.parquet import (
    PredictionsFile,
    read_predictions,
    read_provenance,
    write_predictions,
)

FORMAT = 1
_FILE = "study.toml"
_Evidence = TypeVar("_Evidence", Dynamics, Neighbours)
_SAFE_NAME = re.compile(r"[\w+=,@-][\w.+=,@-]{0,99}")


@dataclass(frozen=True)
class SplitRecord:
    """What the study remembers of one split of its dataset.

    Attributes:
        images: Number of images.
        items_fingerprint: Of the images.
        labels_fingerprint: Of the given labels.
    """

    images: int
    items_fingerprint: str
    labels_fingerprint: str


@dataclass(frozen=True)
class Study:
    """An open study; make one with `Study.create` or `Study.open`.

    Attributes:
        path: The folder.
        dataset_name: Name of the dataset.
        source: What `load` takes to load the dataset again.
        classes: Class names.
        splits: What is remembered of each split, by its name.
        note: What there is to know about how the study came about, "" if nothing.
    """

    path: Path
    dataset_name: str
    source: str
    classes: tuple[str, ...]
    splits: dict[str, SplitRecord]
    note: str = ""

    @classmethod
    def create(cls, path: Path, dataset: Dataset, note: str = "") -> "Study":
        """The study of this dataset in this folder: opened if it is there, else made.

        Raises:
            StudyError: The folder holds a study of other images or labels, or can't be written.
        """
        path, splits = Path(path), _records(dataset)
        study = cls(path, dataset.name, dataset.source, dataset.classes, splits, note)
        if cls.exists(path):
            there = cls.open(path)
            there._check_same(study)
            if there.source == study.source:
                return there
            # The same images at another place: from now on they are found there.
            study = replace(there, source=study.source)
        study._write()
        return study

    def _write(self) -> None:
        content = {
            "format": FORMAT,
            "note": self.note,
            "dataset": {
                "name": self.dataset_name,
                "source": self.source,
                "classes": list(self.classes),
            },
            "splits": {name: vars(record) for name, record in self.splits.items()},
        }
        try:
            write_text(self.path / _FILE, tomli_w.dumps(content))
        except (OSError, ValueError) as error:
            raise StudyError(f"{self.path}: can't write a study here: {error}") from error

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether this folder holds a study."""
        return (path / _FILE).exists()

    @classmethod
    def open(cls, path: Path) -> "Study":
        """Open the study in this folder.

        Raises:
            StudyError: There is none, it is damaged, or of a newer format.
        """
        path = Path(path)
        file = path / _FILE
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StudyError(
                f"{path}: expected a study, found no {_FILE}; `misread run mnist` or "
                "`misread demo` makes one"
            ) from None
        except (OSError, ValueError) as error:
            raise StudyError(f"{file}: expected a study's TOML file: {error}") from error
        if content.get("format") != FORMAT:
            raise StudyError(
                f"{file}: expected format {FORMAT}. Got {content.get('format')!r} instead; "
                "another version of misread wrote it"
            )
        return cls._parse(path, content)

    @classmethod
    def _parse(cls, path: Path, content: dict[str, Any]) -> "Study":
        try:
            dataset = content["dataset"]
            study = cls(
                path=path,
                dataset_name=dataset["name"],
                source=dataset["source"],
                classes=tuple(dataset["classes"]),
                splits={name: SplitRecord(**record) for name, record in content["splits"].items()},
                note=content.get("note", ""),
            )
            texts = [study.dataset_name, study.source, study.note, *study.classes]
            for record in study.splits.values():
                texts += [record.items_fingerprint, record.labels_fingerprint]
                if type(record.images) is not int:
                    raise TypeError("images must be a whole number")
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("expected texts")
            return study
        except (KeyError, TypeError, AttributeError) as error:
            raise StudyError(f"{path / _FILE}: damaged: {error!r}") from error

    def discard_if_empty(self) -> None:
        """Remove the study if there is nothing in its folder but `study.toml`."""
        if [file.name for file in self.path.iterdir()] == [_FILE]:
            (self.path / _FILE).unlink()
            self.path.rmdir()

    @classmethod
    def locate(cls, path: Path | None, working: Path) -> "Study":
        """Open the study at `path`; without it the working folder, or the only `*-study` in it.

        Raises:
            StudyError: There is none, or there are several.
        """
        if path is not None:
            return cls.open(path)
        if cls.exists(working):
            return cls.open(working)
        found = sorted(file.parent for file in working.glob(f"*-study/{_FILE}"))
        if len(found) == 1:
            return cls.open(found[0])
        if found:
            names = ", ".join(folder.name for folder in found)
            raise StudyError(f"--study: there are several studies here ({names}); name one")
        raise StudyError(
            f"{working}: expected a study in this folder, found none; `misread run mnist` or "
            "`misread demo` makes one, --study names one elsewhere"
        )

    def load_dataset(self) -> Dataset:
        """Load the study's dataset again, and check that it is still the same.

        Raises:
            DatasetError: It can't be loaded.
            StudyError: Its images or labels have changed.
        """
        dataset = load(self.source)
        self._check_same(
            Study(self.path, dataset.name, dataset.source, dataset.classes, _records(dataset))
        )
        return dataset

    def _check_same(self, other: "Study") -> None:
        if self.splits != other.splits or self.classes != other.classes:
            raise StudyError(
                f"{self.path}: is a study of {self.dataset_name} ({self.source}) with other images "
                f"or labels than {other.dataset_name} ({other.source}) has now; "
                "name another folder with --study"
            )

    # Predictions

    def save_predictions(self, predictions: Predictions, *, replace: bool = False) -> Path:
        """Save predictions under their own name; the same ones again change nothing.

        Raises:
            PredictionsError: They belong to other images, labels or classes than the study's.
            StudyError: Others lie under the name, and `replace` isn't set.
        """
        provenance = predictions.provenance
        self._check_fits(predictions)
        path = self.path / "predictions" / f"{provenance.name}.parquet"
        if path.exists() and not replace:
            before = read_predictions(path)
            same = np.array_equal(before.probabilities, predictions.probabilities)
            if same and np.array_equal(before.index, predictions.index):
                return path
            raise StudyError(
                f"{path}: holds other predictions of this name; give the new ones another name, "
                "seed or study, or move the file away"
            )
        try:
            write_predictions(path, predictions)
        except OSError as error:
            raise StudyError(f"{path}: can't write predictions here: {error.strerror}") from error
        return path

    def _check_fits(self, predictions: Predictions) -> None:
        provenance = predictions.provenance
        if not _SAFE_NAME.fullmatch(provenance.name):
            raise PredictionsError(
                f"model {provenance.model!r}: expected a name of letters, digits and . _ - + only; "
                "--model gives another one"
            )
        record = self.splits.get(provenance.split)
        if record is None:
            raise PredictionsError(
                f"{provenance.name}: expected one of the splits {', '.join(self.splits)}. "
                f"Got {provenance.split!r} instead."
            )
        if record.items_fingerprint != provenance.items_fingerprint:
            raise PredictionsError(
                f"{provenance.name}: predicts other images than {self.dataset_name}'s "
                f"{provenance.split} split in {self.path}"
            )
        if provenance.classes != self.classes:
            raise PredictionsError(f"{provenance.name}: has other classes than {self.path}")
        whole = len(predictions) == record.images
        if whole and array_fingerprint(predictions.given) != record.labels_fingerprint:
            raise PredictionsError(
                f"{provenance.name}: was made with other given labels than {self.path}'s"
            )
        if len(predictions) and predictions.index[-1] >= record.images:
            raise PredictionsError(
                f"{provenance.name}: index must be below {record.images}, the number of images. "
                f"Got {predictions.index[-1]} instead."
            )

    def list_predictions(
        self, split: str | None = None, model: str | None = None
    ) -> list[Provenance]:
        """What predictions there are, newest first.

        Args:
            split: Only those of this split.
            model: Only those of this model (`convnet`) or run (`convnet-short-s0`).
        """
        found = []
        for file in sorted((self.path / "predictions").glob("*.parquet")):
            provenance = read_provenance(file)
            # Figures are named after it: a name from inside a file must not lead elsewhere.
            if provenance.name != file.stem:
                raise StudyError(f"{file}: holds {provenance.name!r}; name the file so")
            found.append(provenance)
        chosen = [
            provenance
            for provenance in found
            if split in (None, provenance.split)
            and model in (None, provenance.model, provenance.run_name)
        ]
        return sorted(chosen, key=lambda provenance: provenance.created, reverse=True)

    def load_predictions(self, provenance: Provenance) -> Predictions:
        """Read predictions that `list_predictions` listed."""
        return read_predictions(self.path / "predictions" / f"{provenance.name}.parquet")

    def open_predictions(self, provenance: Provenance) -> PredictionsFile:
        """The same, to be read a range of rows at a time: for what doesn't fit into memory."""
        return PredictionsFile.open(self.path / "predictions" / f"{provenance.name}.parquet")

    def newest_predictions(self, split: str, model: str | None = None) -> Predictions:
        """The newest predictions of a split.

        Those of a single network come before the mean of a cross-fit's networks.

        Raises:
            StudyError: There are none; the message lists what there is.
        """
        chosen = sorted(self.list_predictions(split, model), key=lambda each: each.is_mean)
        if chosen:
            return self.load_predictions(chosen[0])
        there = [provenance.name for provenance in self.list_predictions()]
        wanted = f"split {split!r}" + (f" by model {model!r}" if model else "")
        raise StudyError(
            f"{self.path}: expected predictions of {wanted}, "
            f"found {', '.join(there) if there else 'none at all'}"
        )

    def newest_out_of_sample(self, split: str, model: str | None = None) -> Predictions:
        """The newest held-out or cross-fitted predictions of a split.

        Those of a single network come before the mean of a cross-fit's networks.

        Raises:
            StudyError: There are no predictions; the message lists what there is.
            PredictionsError: There are in-sample ones only.
        """
        found = self.list_predictions(split, model)
        usable = [provenance for provenance in found if provenance.origin != Origin.IN_SAMPLE]
        if not usable:
            newest = self.newest_predictions(split, model)
            newest.provenance.require_out_of_sample()
        return self.load_predictions(min(usable, key=lambda each: each.is_mean))

    # What training leaves beside predictions

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

    # Metadata

    def save_metadata(self, metadata: Metadata) -> Path:
        """Save what is known of a split's images, in place of what was saved before.

        Raises:
            MetadataError: It is about other images than the study's.
            StudyError: It can't be written.
        """
        path = self._metadata_file(metadata.split)
        self._check_metadata(path, metadata)
        try:
            write_metadata(path, metadata)
        except OSError as error:
            raise StudyError(f"{path}: can't write metadata here: {error.strerror}") from error
        return path

    def load_metadata(self, split: str) -> Metadata | None:
        """What is known of a split's images, None if nothing was imported.

        Raises:
            MetadataError: The file is damaged or about other images.
        """
        path = self._metadata_file(split)
        if not path.exists():
            return None
        metadata = read_metadata(path)
        self._check_metadata(path, metadata)
        return metadata

    def _metadata_file(self, split: str) -> Path:
        if not _SAFE_NAME.fullmatch(split):
            raise StudyError(f"split {split!r}: expected a name that can name a file")
        return self.path / "metadata" / f"{split}.parquet"

    def _check_metadata(self, path: Path, metadata: Metadata) -> None:
        record = self.splits.get(metadata.split)
        known = None if record is None else (record.items_fingerprint, record.images)
        if path.stem != metadata.split or known != (metadata.items_fingerprint, len(metadata)):
            raise MetadataError(
                f"{path}: is about other images than {self.dataset_name}'s {path.stem} split in "
                f"{self.path}"
            )

    # Other files

    def model_file(self, run_name: str, suffix: str) -> Path:
        """Where a run keeps its weights (`.safetensors`), card (`.json`) or `.checkpoint`."""
        return self.path / "models" / f"{run_name}{suffix}"

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.path / "figures"


def _records(dataset: Dataset) -> dict[str, SplitRecord]:
    return {
        name: SplitRecord(len(split), split.items_fingerprint, split.labels_fingerprint)
        for name, split in dataset.splits.items()
    }


def default_study(dataset: Dataset, working: Path) -> Path:
    """Where `misread run` keeps the study of a dataset unless told otherwise.

    Raises:
        InputError: The dataset's name can't be part of a folder's name.
    """
    if not _SAFE_NAME.fullmatch(dataset.name):
        raise InputError(f"{dataset.name!r}: can't name a folder; name one with --study")
    return working / f"{dataset.name}-study"
