"""What `load` can open: the built-in datasets by name, everything else by its path."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from misread.datasets import mnist
from misread.datasets._files import show, unreadable
from misread.datasets.dataset import Dataset
from misread.datasets.idx_folder import has_idx_files, load_idx_folder
from misread.datasets.npz import load_npz
from misread.datasets.splits import parquet_files
from misread.errors import DatasetError

PATHS = "a folder of images per class, a folder of IDX files, or an .npz or .parquet file"


@dataclass(frozen=True)
class Builtin:
    """A dataset that comes with the package.

    Attributes:
        name: what `load` takes.
        summary: one line about it.
        sizes: number of images by split.
        licence: of the images.
        loader: loads it.
    """

    name: str
    summary: str
    sizes: Mapping[str, int]
    licence: str
    loader: Callable[[], Dataset]


BUILTIN: Mapping[str, Builtin] = {
    "mnist": Builtin(
        name="mnist",
        summary="handwritten digits, 28 x 28 grey, 10 classes",
        sizes=mnist.SIZES,
        licence=mnist.LICENCE,
        loader=mnist.load_mnist,
    ),
}


def load(source: str | Path) -> Dataset:
    """Load a dataset by its built-in name or from a path.

    Args:
        source: a built-in name (`BUILTIN` lists them), or the path of a folder of images per class,
            of a folder of IDX files, of an .npz file, or of a Parquet file or a folder of them. A
            path that has a built-in name is written with its folder: "./mnist".

    Returns:
        The dataset; its `source` loads it again from any folder.

    Raises:
        DatasetError: an unknown name, no such path, or a path of another kind or damaged.

    Example:
        >>> load("mnist")
        mnist: train 60,000, test 10,000, 10 classes, 28 x 28 grey
    """
    if isinstance(source, str) and source in BUILTIN:
        return BUILTIN[source].loader()
    try:
        path = Path(source).expanduser()
        found = path.exists()
        is_folder = path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(Path(source), PATHS, error) from error
    if not str(source) or not found:
        raise _unknown(str(source))
    if is_folder:
        if has_idx_files(path):
            return load_idx_folder(path)
        # Imported here: they need Pillow and pyarrow, and MNIST doesn't.
        if parquet_files(path):
            from misread.datasets.parquet import load_parquet

            return load_parquet(path)
        from misread.datasets.image_folder import load_image_folder

        return load_image_folder(path)
    if path.suffix.lower() == ".npz":
        return load_npz(path)
    if path.suffix.lower() == ".parquet":
        from misread.datasets.parquet import load_parquet

        return load_parquet(path)
    hint = "; give the folder it is in" if "ubyte" in path.name else ""
    raise DatasetError(f"{show(path)}: expected {PATHS}, found another kind of file{hint}")


def _unknown(source: str) -> DatasetError:
    """No such name and no such path: say which of them was probably meant."""
    names = ", ".join(BUILTIN)
    if Path(source).name != source or Path(source).suffix:
        return DatasetError(
            f"{show(source)}: no such file or folder; expected {PATHS}, "
            f"or a built-in name ({names})"
        )
    close = difflib.get_close_matches(source.lower(), BUILTIN, n=1)
    suggestion = f"; did you mean {close[0]!r}?" if close else ""
    return DatasetError(
        f"unknown dataset {source!a}: expected a built-in name ({names}) or "
        f"the path of {PATHS}{suggestion}"
    )
