"""A folder of image files with a folder per class: ROOT/SPLIT/CLASS/... or ROOT/CLASS/..."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from misread.datasets._files import show, unreadable
from misread.datasets.dataset import MAX_CLASSES, Dataset, Split
from misread.datasets.folder_listing import Listing, list_tree
from misread.datasets.folder_scan import Folder
from misread.datasets.image_files import ImageFiles
from misread.datasets.splits import SPLITS, split_of
from misread.errors import DatasetError

EXPECTED = "a folder of images per class, or per split (train, test, val) and class"

# Class -> its folders that hold images, in order.
_Classes = dict[str, list[Folder]]


def load_image_folder(path: str | Path) -> Dataset:
    """Load a folder of image files: ROOT/SPLIT/CLASS/... or ROOT/CLASS/...

    Splits are folders named train, training, test, testing, val, valid or validation in small or
    capital letters. Without them there is one split, named after ROOT if that is such a name, else
    "test". Classes are the names of their folders, sorted, over all splits; images in folders below
    a class folder count. They are in the order of class, folder and name. Hidden files and files of
    other kinds are left out, and counted in the dataset's `notes`.

    No image is read before it is asked for. Fingerprints are over paths and sizes.

    Args:
        path: the folder. Links in it are followed.

    Returns:
        Dataset whose splits have `ImageFiles`: (H, W) or (H, W, 3) uint8 of any size.

    Raises:
        DatasetError: no images, images or folders in other places, a class without images, names
            that differ in case only, a link that leads in a circle, or something unreadable.
    """
    try:
        root = Path(path).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(Path(path), EXPECTED, error) from error
    listing = list_tree(root)
    splits = {
        split: (inside, _by_class(listing, inside))
        for split, inside in _find_splits(root, listing).items()
    }
    for inside, found in splits.values():
        _check_classes(root, listing, inside, found)
    classes = tuple(sorted({name for _, found in splits.values() for name in found}))
    _check_names(root, splits.values(), classes)
    numbers = {name: number for number, name in enumerate(classes)}
    return Dataset(
        name=root.name or "images",
        classes=classes,
        splits={
            s: _split(root, s, inside, found, numbers) for s, (inside, found) in splits.items()
        },
        source=str(root),
        notes=tuple(_notes(listing, [inside for inside, _ in splits.values()])),
    )


def _find_splits(root: Path, listing: Listing) -> dict[str, str]:
    """Split -> its folder, relative to the root; "" where the root itself is the only one."""
    top = listing[""]
    if not top.subfolders:
        raise _no_classes(root, top)
    found: dict[str, str] = {}
    for name in top.subfolders:
        split = split_of(name)
        if split in found:
            raise DatasetError(
                f"{show(root)}: {show(found[split])} and {show(name)} would be one split; "
                "put their images together, or give one of them alone"
            )
        if split is not None:
            found[split] = name
    others = [name for name in top.subfolders if name not in found.values()]
    if not found:
        _check_no_splits_below(root, listing, others)
        return {split_of(root.name) or "test": ""}
    for name in others:
        if any(map(len, _below(listing, name))):
            split = next(iter(found.values()))
            raise DatasetError(
                f"{show(root)}: expected folders of classes or of splits, found both, {show(name)} "
                f"and {show(split)}; move one of them, or if {show(split)} is a class, put all "
                "classes into a folder test"
            )
    return {split: found[split] for split in dict.fromkeys(SPLITS.values()) if split in found}


def _no_classes(root: Path, top: Folder) -> DatasetError:
    if len(top):
        loose = "1 image" if len(top) == 1 else f"{len(top):,} images"
        return DatasetError(
            f"{show(root)}: expected {EXPECTED}, found {loose} in no class; put images into a "
            "folder per class"
        )
    there = _counts(top.others) if top.others else "nothing"
    return DatasetError(f"{show(root)}: expected {EXPECTED}, found {there}")


def _check_no_splits_below(root: Path, listing: Listing, classes: Iterable[str]) -> None:
    """Refuse a dataset in a folder of its own, or splits below classes, as one class each."""
    for name in classes:
        for below in listing[name].subfolders:
            if split_of(below):
                raise DatasetError(
                    f"{show(root)}: expected {EXPECTED}, found the split {show(below)} in "
                    f"{show(name)}; give {show(root / name)} if that is the dataset, else put "
                    "the splits above the classes"
                )


def _below(listing: Listing, path: str) -> Iterator[Folder]:
    """A folder and all folders below it."""
    stack = [path]
    while stack:
        folder = listing[stack.pop()]
        yield folder
        start = f"{folder.path}/" if folder.path else ""
        stack += [start + name for name in folder.subfolders]


def _by_class(listing: Listing, inside: str) -> _Classes:
    """The class folders of a split with all folders below them that hold images."""
    start = f"{inside}/" if inside else ""
    return {
        name: sorted(
            (folder for folder in _below(listing, start + name) if len(folder)),
            key=lambda folder: folder.path,
        )
        for name in listing[inside].subfolders
    }


def _check_classes(root: Path, listing: Listing, inside: str, found: _Classes) -> None:
    place = root / inside
    if not found:
        raise _no_classes(place, listing[inside])
    if not any(found.values()):
        others: Counter[str] = Counter()
        for folder in _below(listing, inside):
            others.update(folder.others)
        there = f", only {_counts(others)}" if others else ""
        raise DatasetError(f"{show(place)}: expected {EXPECTED}, found no images{there}")


def _check_names(
    root: Path, splits: Iterable[tuple[str, _Classes]], classes: tuple[str, ...]
) -> None:
    if len(classes) > MAX_CLASSES:
        raise DatasetError(
            f"{show(root)}: expected at most {MAX_CLASSES:,} folders of classes, "
            f"found {len(classes):,}"
        )
    empty = set(classes)
    places: dict[str, str] = {}
    for inside, found in splits:
        empty -= {name for name, folders in found.items() if folders}
        places |= {name: f"{inside}/{name}" if inside else name for name in found}
    if empty:
        name = min(empty)
        raise DatasetError(
            f"{show(root / places[name])}: no images in this class; add some, or remove the folder"
        )
    alike: dict[str, str] = {}
    for name in classes:
        other = alike.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise DatasetError(
                f"{show(root)}: the classes {show(places[other])} and {show(places[name])} differ "
                "in capital letters or accents' encoding only; give them one name"
            )


def _split(
    root: Path, name: str, inside: str, found: _Classes, numbers: Mapping[str, int]
) -> Split:
    folders = [folder for label in sorted(found) for folder in found[label]]
    given = np.array([numbers[label] for label in found for _ in found[label]], dtype=np.int16)
    counts = [len(folder) for folder in folders]
    return Split(name, ImageFiles(root, inside, folders), np.repeat(given, counts))


def _notes(listing: Listing, insides: list[str]) -> Iterator[str]:
    """What was left out."""
    others: defaultdict[str, int] = defaultdict(int)
    for folder in listing.values():
        for ending, count in folder.others.items():
            others[ending] += count
    if others:
        yield f"left out {_counts(others)}"
    if hidden := sum(folder.hidden for folder in listing.values()):
        yield f"left out {hidden:,} hidden " + (
            "file or folder" if hidden == 1 else "files or folders"
        )
    if loose := sum(len(listing[inside]) for inside in {"", *insides}):
        yield f"left out {loose:,} image{'' if loose == 1 else 's'} in no class folder"


def _counts(others: Mapping[str, int]) -> str:
    """How many files aren't images, most frequent endings first."""
    total = sum(others.values())
    ranked = sorted(others.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{show(ending) or 'without ending'} {count:,}" for ending, count in ranked[:4]]
    more = ", ..." if len(ranked) > 4 else ""
    files = "1 file that isn't an image" if total == 1 else f"{total:,} files that aren't images"
    return f"{files} ({', '.join(named)}{more})"
