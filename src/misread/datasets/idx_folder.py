"""A folder of four IDX files, named as MNIST's are: MNIST itself, Fashion-MNIST, KMNIST, ..."""

from itertools import product
from pathlib import Path

from misread.datasets._files import show, unreadable
from misread.datasets.dataset import Dataset, Split, numbered_classes
from misread.datasets.idx import read_idx
from misread.errors import DatasetError

EXPECTED = "train-images-idx3-ubyte and train-labels-idx1-ubyte (and t10k-..., .gz or not)"

_PREFIXES = {"train": ("train",), "test": ("t10k", "test")}


def has_idx_files(path: Path) -> bool:
    """Whether a folder holds a file that is named as an IDX file."""
    try:
        return any("ubyte" in file.name and "idx" in file.name for file in path.iterdir())
    except OSError as error:
        raise unreadable(path, "a folder", error) from error


def load_idx_folder(path: str | Path) -> Dataset:
    """Load a folder of IDX files with MNIST's names.

    `-` or `.` before "idx", with or without `.gz` (a file without is preferred), `test-` instead
    of `t10k-`; a folder that holds only one of the two splits is fine. Files without `.gz` are
    memory-mapped. Classes are named "0" up to the largest label.

    Args:
        path: the folder.

    Returns:
        Dataset with the splits "train" and "test", or the one that is there.

    Raises:
        DatasetError: no such files, images without labels or labels without images, a damaged
            file, or images and labels that don't fit together.
    """
    try:
        folder = Path(path).resolve()
        names = {entry.name for entry in folder.iterdir() if entry.is_file()}
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(Path(path), "a folder of IDX files", error) from error
    splits = {}
    for split, prefixes in _PREFIXES.items():
        images = _find(names, prefixes, "images", "idx3")
        labels = _find(names, prefixes, "labels", "idx1")
        if images and labels:
            splits[split] = _read_split(split, folder / images, folder / labels)
        elif images or labels:
            there, absent = ("images", "labels") if images else ("labels", "images")
            raise DatasetError(
                f"{show(folder / (images or labels or ''))}: {there} without "
                f"{absent}; put the {absent} of split {split!r} beside it"
            )
    if not splits:
        raise DatasetError(f"{show(folder)}: no IDX files in this folder; expected {EXPECTED}")
    return Dataset(folder.name or "idx", numbered_classes(splits), splits, str(folder))


def _find(names: set[str], prefixes: tuple[str, ...], kind: str, dimensions: str) -> str | None:
    """The name that is there, files that aren't gzipped first."""
    for ending, prefix, separator in product(("", ".gz"), prefixes, "-."):
        name = f"{prefix}-{kind}{separator}{dimensions}-ubyte{ending}"
        if name in names:
            return name
    return None


def _read_split(name: str, images_path: Path, labels_path: Path) -> Split:
    images = read_idx(images_path, mapped=True)
    labels = read_idx(labels_path)
    if not len(images):
        raise DatasetError(f"{show(images_path)}: holds no images; download it again")
    try:
        return Split(name, images, labels)
    except DatasetError as error:
        at = f"{show(images_path)} and {labels_path.name}"
        raise DatasetError(f"{at}: {error}") from error
