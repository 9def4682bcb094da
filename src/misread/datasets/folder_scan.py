"""Looking through a tree of folders for image files, without opening any of them."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.datasets._files import show, unreadable
from misread.errors import DatasetError
from misread.types import IntArray

# Not what this computer's Pillow reads: which files count must not depend on the computer.
ENDINGS = frozenset({
    ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm",
    ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
})  # fmt: skip
EXPECTED = "a folder of image files"

# Besides names that start with a dot: what macOS adds to archives.
_HIDDEN = frozenset({"__MACOSX"})

# A change this shortly before the folder is looked through might be followed by another one that
# leaves the same time: file systems count in steps of up to 2 s.
_SETTLED_NS = 2_000_000_000

# Seconds that a local disk needs at most: for a folder, for each file in it, and once. A slower
# one is probably far away, and then many are asked at once; on a local disk that would cost time.
_SLOW_FOLDER, _SLOW_FILE = 1e-3, 100e-6
_PATIENCE = 0.1
_THREADS = 16

_LONGEST_ENDING = 8


@dataclass(frozen=True, eq=False)
class Folder:
    """One folder that has been looked through.

    Attributes:
        path: Relative to the root, with "/"; "" for the root itself.
        stamp: Tells whether the folder has changed since; "" where nothing could tell.
        subfolders: Names of its folders, sorted, hidden ones left out.
        names: UTF-8 names of its image files, sorted, each followed by "/".
        sizes: (F,) int64, their sizes in bytes.
        hidden: Hidden files and folders that were left out.
        others: Files that aren't images by their ending, and how many of each.
    """

    path: str
    stamp: str
    subfolders: tuple[str, ...]
    names: bytes
    sizes: IntArray
    hidden: int
    others: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.sizes)


def scan_tree(root: Path, known: Mapping[str, Folder] | None = None) -> dict[str, Folder]:
    """Look through a folder and all folders below it.

    Links are followed. Hidden files and folders and files of other kinds are counted only.

    Args:
        root: The folder.
        known: What was found before, by path: folders that haven't changed aren't looked through
            again. A folder changes when a file is added, removed, renamed or replaced in it, not
            when a file is written over in its place.

    Returns:
        The folders by path, the root first.

    Raises:
        DatasetError: A folder or file can't be read, or a link leads back to where it lies.
    """
    before = known or {}
    found: dict[str, Folder] = {}
    level = [""]
    while level:
        below: list[str] = []
        for folder in _each(lambda path: _look(root, path, before.get(path)), level):
            found[folder.path] = folder
            start = f"{folder.path}/" if folder.path else ""
            below += [start + name for name in folder.subfolders]
        level = below
    return found


def _each(look: Callable[[str], Folder], paths: Sequence[str]) -> Iterator[Folder]:
    """Look through folders one after another, or many at once where that turns out slow."""
    started, allowed = time.perf_counter(), _PATIENCE
    for number, path in enumerate(paths, start=1):
        folder = look(path)
        yield folder
        allowed += _SLOW_FOLDER + _SLOW_FILE * len(folder)
        if time.perf_counter() - started > allowed:
            with ThreadPoolExecutor(_THREADS) as pool:
                yield from pool.map(look, paths[number:])
            return


def _look(root: Path, path: str, before: Folder | None) -> Folder:
    place = root / path
    try:
        # Taken before its entries are: what changes meanwhile makes the stamp an old one.
        stamp = _stamp(place.stat())
        if before is not None and stamp and before.stamp == stamp:
            return before
        with os.scandir(place) as entries:
            return _list(root, path, stamp, entries)
    except OSError as error:
        raise unreadable(Path(error.filename or place), EXPECTED, error) from error


def _stamp(state: os.stat_result) -> str:
    """Changes whenever an entry does: unlike `mtime`, no program can set the inode's `ctime`."""
    changed = state.st_mtime_ns if os.name == "nt" else state.st_ctime_ns
    if changed > time.time_ns() - _SETTLED_NS:
        return ""
    return f"{state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


def _list(root: Path, path: str, stamp: str, entries: Iterable[os.DirEntry[str]]) -> Folder:
    names: list[str] = []
    sizes: list[int] = []
    subfolders: list[str] = []
    others: Counter[str] = Counter()
    hidden = 0
    # A million times: everything here is measured in microseconds.
    for entry in entries:
        name = entry.name
        if name[0] == "." or name in _HIDDEN:
            hidden += 1
        elif entry.is_dir():
            if entry.is_symlink():
                _check_no_loop(root, path, entry)
            subfolders.append(name)
        elif (ending := name[name.rfind(".") :].lower()) in ENDINGS:
            state = entry.stat()
            # A pipe would be waited for when it is read.
            if stat.S_ISREG(state.st_mode):
                names.append(name)
                sizes.append(state.st_size)
            else:
                others[ending] += 1
        else:
            others[ending if "." in name and len(ending) <= _LONGEST_ENDING else ""] += 1
    order = sorted(range(len(names)), key=names.__getitem__)
    _check_utf8(root, path, subfolders)
    return Folder(
        path=path,
        stamp=stamp,
        subfolders=tuple(sorted(subfolders)),
        names=_check_utf8(root, path, [names[k] for k in order]),
        sizes=np.array(sizes, dtype=np.int64)[order],
        hidden=hidden,
        others=dict(others),
    )


def _check_utf8(root: Path, path: str, names: Sequence[str]) -> bytes:
    """The names in UTF-8, each followed by "/", which none can contain.

    Raises:
        DatasetError: One isn't text: it could be in no table and on no page.
    """
    try:
        return "".join(f"{name}/" for name in names).encode()
    except UnicodeEncodeError:
        name = next(name for name in names if any("\ud800" <= one <= "\udfff" for one in name))
        raise DatasetError(
            f"{show(root / path / name)}: expected a name in UTF-8; rename it, or leave it out"
        ) from None


def _check_no_loop(root: Path, path: str, link: os.DirEntry[str]) -> None:
    """Refuse a link to a folder that it lies in, directly or through other links."""
    place, target = root / path, Path(link.path).resolve()
    # The folder and those above it up to the root, each where it really is.
    lying_in = [one.resolve() for one in (place, *place.parents) if one.is_relative_to(root)]
    if any(one.is_relative_to(target) for one in lying_in):
        raise DatasetError(
            f"{show(link.path)}: expected a folder, found a link to a folder that it lies in, "
            f"{show(target)}; remove the link"
        )
