"""What files and folders of a split are called."""

from collections.abc import Mapping
from pathlib import Path

# A name in small letters -> the split's name; in the order of a dataset's splits.
SPLITS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def split_of(name: str) -> str | None:
    """The split that a file or folder of this name is of, None for any other name."""
    return SPLITS.get(name.lower())


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder that is a dataset of such files, sorted; else none.

    They lie in the folder itself or in its folder `data`, as in Hugging Face's repositories. A
    folder with other folders is none: a table may lie beside folders of images.

    Raises:
        OSError: The folder can't be read.
    """
    below = [place for place in folder.iterdir() if place.is_dir() and place.name[0] != "."]
    place = folder if not below else below[0]
    if below and [one.name for one in below] != ["data"]:
        return []
    return sorted(file for file in place.glob("*.parquet") if file.name[0] != ".")
