"""The predictions of a study: one Parquet file for each run, split and origin."""

from pathlib import Path

import numpy as np

from misread.datasets.images import array_fingerprint
from misread.errors import PredictionsError, StudyError
from misread.store.record import SAFE_NAME, StudyRecord
from misread.tables import Origin, Predictions, Provenance
from misread.tables.parquet import (
    PredictionsFile,
    read_predictions,
    read_provenance,
    write_predictions,
)


class StudyPredictions(StudyRecord):
    """A study, as far as its predictions go."""

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

    def check_run(self, run: str) -> None:
        """See that a run's predictions of each split can be saved, before they are made.

        Raises:
            PredictionsError: The name of the run or of a split can't be part of a file's name.
        """
        for split in self.splits:
            if not SAFE_NAME.fullmatch(f"{run}.{split}"):
                raise PredictionsError(
                    f"{run}: expected a split's name of letters, digits and . _ - + only. "
                    f"Got {split!r} instead."
                )

    def _check_fits(self, predictions: Predictions) -> None:
        provenance = predictions.provenance
        if not SAFE_NAME.fullmatch(provenance.name):
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

    def list_run(self, run: str) -> dict[str, Provenance]:
        """By split, the newest predictions of the run of this name (`convnet-short-s0`).

        Not those of a model that was given the name.
        """
        found = [each for each in self.list_predictions() if each.run_name == run]
        return {each.split: each for each in reversed(found)}

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
