"""The study: the folder in which predictions, models, figures and verdicts are kept.

```
mnist-study/
  study.toml         format, dataset, fingerprints, versions
  predictions/       {run}.{split}.{origin}.parquet
  dynamics/          {run}.{split}.in-sample.parquet
  neighbours/        {run}.{split}.{origin}.parquet
  reconstructions/   {run}.{split}.{origin}.parquet
  metadata/          {split}.parquet
  models/            {run}.safetensors, {run}.json; {run}.checkpoint while a training isn't done
  figures/
  readings/          plan.json, frozen; {name}.csv: readings simulated or made elsewhere;
                     {name}.{split}.npz: counts of them
  study.sqlite       decided verdicts and readings, once there are any
```
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from misread.datasets import Dataset, load
from misread.errors import InputError, StudyError
from misread.store.evidence import StudyEvidence
from misread.store.metadata import StudyMetadata
from misread.store.predictions import StudyPredictions
from misread.store.reading_log import ReadingLog
from misread.store.readings import StudyReadings
from misread.store.record import FILE, SAFE_NAME, split_records
from misread.store.verdict_log import VerdictLog


class Study(StudyPredictions, StudyEvidence, StudyMetadata, StudyReadings):
    """An open study; make one with `Study.create` or `Study.open`.

    Attributes:
        path: The folder.
        dataset_name: Name of the dataset.
        source: What `load` takes to load the dataset again.
        classes: Class names.
        splits: What is remembered of each split, by its name.
        note: What there is to know about how the study came about, "" if nothing.
    """

    @classmethod
    def create(cls, path: Path, dataset: Dataset, note: str = "") -> "Study":
        """The study of this dataset in this folder: opened if it is there, else made.

        Raises:
            StudyError: The folder holds a study of other images or labels, or can't be written.
        """
        path, splits = Path(path), split_records(dataset)
        study = cls(path, dataset.name, dataset.source, dataset.classes, splits, note)
        if cls.exists(path):
            there = cls.open(path)
            there._check_same(study)
            if there.source == study.source:
                return there
            # The same images at another place: from now on they are found there.
            study = replace(there, source=study.source)
        study.write()
        return study

    def discard_if_empty(self) -> None:
        """Remove the study if there is nothing in its folder but `study.toml`."""
        if [file.name for file in self.path.iterdir()] == [FILE]:
            (self.path / FILE).unlink()
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
        found = sorted(file.parent for file in working.glob(f"*-study/{FILE}"))
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
            Study(self.path, dataset.name, dataset.source, dataset.classes, split_records(dataset))
        )
        return dataset

    def _check_same(self, other: "Study") -> None:
        if self.splits != other.splits or self.classes != other.classes:
            raise StudyError(
                f"{self.path}: is a study of {self.dataset_name} ({self.source}) with other images "
                f"or labels than {other.dataset_name} ({other.source}) has now; "
                "name another folder with --study"
            )

    def model_file(self, run_name: str, suffix: str) -> Path:
        """Where a run keeps its weights (`.safetensors`), card (`.json`) or `.checkpoint`."""
        return self.path / "models" / f"{run_name}{suffix}"

    @cached_property
    def verdicts(self) -> VerdictLog:
        """The decided verdicts."""
        return VerdictLog(self.path, self.splits, len(self.classes))

    @cached_property
    def reading_log(self) -> ReadingLog:
        """The readers of the reader study, and their answers."""
        return ReadingLog(self.path)

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.path / "figures"


def default_study(dataset: Dataset, working: Path) -> Path:
    """Where `misread run` keeps the study of a dataset unless told otherwise.

    Raises:
        InputError: The dataset's name can't be part of a folder's name.
    """
    if not SAFE_NAME.fullmatch(dataset.name):
        raise InputError(f"{dataset.name!r}: can't name a folder; name one with --study")
    return working / f"{dataset.name}-study"
