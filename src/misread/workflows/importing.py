"""Bring predictions made elsewhere into a study."""

from pathlib import Path

import numpy as np

from misread.clock import timestamp
from misread.datasets import Dataset, load
from misread.errors import MisreadError, ParameterError, PredictionsError
from misread.store import Study, default_study
from misread.tables import Origin, Predictions, Provenance
from misread.tables.importing import read_probabilities
from misread.tables.parquet import read_predictions
from misread.tables.predictions import check_probabilities


def import_predictions(
    study: Study,
    file: Path,
    *,
    split: str | None = None,
    model: str | None = None,
    origin: str | None = None,
) -> Predictions:
    """Bring a file of predictions into a study.

    Args:
        study: Where to.
        file: misread's own `.parquet`, or an N x K array of probabilities as `.npy`, `.npz`,
            `.csv` or `.tsv`, one row per image of the split in its order.
        split: Which split was predicted, None for `test`. misread's own files know split, model
            and origin themselves: what is named here must agree.
        model: Name of the model; None takes the file's name.
        origin: `held-out`, `cross-fitted` or `in-sample`; None means `held-out` for any split but
            `train`, where it must be said.

    Returns:
        The predictions, as saved.

    Raises:
        PredictionsError: The file is damaged or predicts something else.
        ParameterError: The split or the origin is unknown, or missing.
        StudyError: The study holds other predictions of this name.
    """
    file = Path(file)
    if file.suffix.lower() == ".parquet":
        predictions = read_predictions(file)
        _check_agrees(file, predictions.provenance, split, model, origin)
    else:
        predictions = _from_array(study, file, split or "test", model or file.stem, origin)
    study.save_predictions(predictions)
    return predictions


def _from_array(
    study: Study, file: Path, split: str, model: str, origin: str | None
) -> Predictions:
    dataset = study.load_dataset()
    if split not in dataset.splits:
        raise ParameterError(
            f"split: expected one of {', '.join(dataset.splits)}. Got {split!r} instead."
        )
    probabilities = read_probabilities(file, dataset.classes)
    images = dataset.splits[split]
    if len(probabilities) != len(images):
        notes = "".join(f"; {note}" for note in dataset.notes)
        raise PredictionsError(
            f"{file}: expected {len(images):,} rows, one per image of {dataset.name}'s {split} "
            f"split{notes}. Got {len(probabilities):,} instead."
        )
    provenance = Provenance(
        model=model,
        recipe="imported",
        seed=0,
        split=split,
        origin=_origin(split, origin),
        classes=dataset.classes,
        items_fingerprint=images.items_fingerprint,
        created=timestamp(),
    )
    # Here rather than by the table: its name says nothing to who has named a file.
    check_probabilities(str(file), probabilities)
    index = np.arange(len(images), dtype=np.int32)
    return Predictions(index, images.labels, probabilities, provenance)


def _check_agrees(
    file: Path, provenance: Provenance, split: str | None, model: str | None, origin: str | None
) -> None:
    """Refuse to import a file as something else than it says it is."""
    said = {"split": split, "model": model, "origin": origin}
    for name, value in said.items():
        known = str(getattr(provenance, name))
        if value not in (None, known):
            raise ParameterError(f"{name}: {file} says {known!r} itself. Got {value!r} instead.")


def _origin(split: str, origin: str | None) -> Origin:
    if origin is None and split != "train":
        return Origin.HELD_OUT
    if origin not in set(Origin):
        got = "nothing" if origin is None else repr(origin)
        raise ParameterError(
            f"origin: expected one of {', '.join(Origin)}: what the model had seen of the {split} "
            f"split. Got {got} instead."
        )
    return Origin(origin)


def import_file(
    path: Path | None,
    dataset: str | None,
    file: Path,
    *,
    split: str | None = None,
    model: str | None = None,
    origin: str | None = None,
) -> tuple[Study, Predictions]:
    """Import into the study at `path`, making it of `dataset` where that is named.

    If the file is refused, a study that was made for it goes again.

    Raises:
        MisreadError: As `open_study` and `import_predictions`.
    """
    study, made = open_study(path, dataset)
    try:
        return study, import_predictions(study, file, split=split, model=model, origin=origin)
    except MisreadError:
        if made:
            study.discard_if_empty()
        raise


def open_study(path: Path | None, dataset: str | None) -> tuple[Study, bool]:
    """The study to import into: made of `dataset` where that is named, else one that is there.

    Returns:
        The study, and whether it was made.

    Raises:
        StudyError: There is none, there are several, or it is of another dataset.
        DatasetError: The dataset can't be loaded.
    """
    if dataset is None:
        return Study.locate(path, Path.cwd()), False
    loaded = load(dataset)
    folder = path or default_study(loaded, Path.cwd())
    made = not Study.exists(folder)
    return Study.create(folder, loaded), made


def open_dataset(path: Path | None, dataset: str | None) -> tuple[Dataset, Path | None]:
    """The dataset that is named, else that of the study; and the study's folder.

    No study is made: what is to be done with the dataset may still be refused.

    Args:
        path: The study's folder, None where it isn't named.
        dataset: What `load` takes; None means that of the study at `path`, or of the only one here.

    Returns:
        The dataset, and the folder; None for that of a dataset whose study isn't named.

    Raises:
        StudyError: Neither is named, and there is no study or several.
        DatasetError: The dataset can't be loaded.
    """
    if dataset is not None:
        return load(dataset), path
    study = Study.locate(path, Path.cwd())
    return study.load_dataset(), study.path
