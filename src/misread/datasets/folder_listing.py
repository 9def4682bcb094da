"""What was found in a tree of folders, kept in the cache folder for the next time."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from misread.datasets.folder_scan import ENDINGS, Folder, scan_tree
from misread.files import cache_folder, replacing
from misread.types import IntArray

_FORMAT = 1

# Fewer files are listed in a fraction of a second, and then every change is noticed.
_FEWEST_FILES = 20_000

# So many files, evenly spread over those that were listed before, are looked at again.
_LOOKED_AT = 1_000

Listing = dict[str, Folder]


def list_tree(root: Path) -> Listing:
    """The folders at and below a path, as `scan_tree` finds them; faster the second time.

    Trees of 20,000 files or more are kept in the cache folder (`MISREAD_CACHE`, else the user's).
    Then only folders that have changed are looked through again, and 1,000 files are looked at: if
    one has another size than before, so may others, and all are listed anew.

    Raises:
        DatasetError: As `scan_tree`.
    """
    file = listing_file(root)
    before = _read(file, root)
    found = scan_tree(root, before)
    reused = [folder for folder in found.values() if before.get(folder.path) is folder]
    if not _same_sizes(root, reused):
        found, reused = scan_tree(root), []
    if len(reused) < max(len(found), len(before)):
        _keep(file, root, found)
    return found


def listing_file(root: Path) -> Path:
    """Where the listing of a tree is kept."""
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
    return cache_folder() / "listings" / f"{name}.npz"


def _same_sizes(root: Path, folders: Iterable[Folder]) -> bool:
    """Whether files here and there still have the sizes that were listed."""
    folders = [folder for folder in folders if len(folder)]
    ends = np.cumsum([len(folder) for folder in folders], dtype=np.int64)
    if not len(ends):
        return True
    chosen = np.unique(np.linspace(0, ends[-1] - 1, _LOOKED_AT).astype(np.int64))
    for place in np.unique(np.searchsorted(ends, chosen, side="right")).tolist():
        folder = folders[place]
        start = ends[place] - len(folder)
        names = folder.names.split(b"/")
        for k in (chosen[(chosen >= start) & (chosen < ends[place])] - start).tolist():
            try:
                size = (root / folder.path / names[k].decode()).stat().st_size
            except OSError:
                return False
            if size != folder.sizes[k]:
                return False
    return True


def _keep(file: Path, root: Path, found: Listing) -> None:
    if sum(map(len, found.values())) < _FEWEST_FILES:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        return
    head = {"format": _FORMAT, "root": str(root), "endings": sorted(ENDINGS)}
    folders = [
        [f.path, f.stamp, f.subfolders, len(f.names), len(f), f.hidden, f.others]
        for f in found.values()
    ]
    table = json.dumps({**head, "folders": folders}).encode()
    # A full disk, a read-only home: it works without a cache.
    with contextlib.suppress(OSError), replacing(file) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            table=np.frombuffer(table, np.uint8),
            names=np.frombuffer(b"".join(f.names for f in found.values()), np.uint8),
            sizes=np.concatenate([f.sizes for f in found.values()]),
        )


def _read(file: Path, root: Path) -> Listing:
    """What was kept, or nothing where it is absent, damaged or of another version."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            table = json.loads(arrays["table"].tobytes())
            names, sizes = arrays["names"].tobytes(), arrays["sizes"]
        expected = {"format": _FORMAT, "root": str(root), "endings": sorted(ENDINGS)}
        if {key: table[key] for key in expected} != expected or sizes.dtype != np.int64:
            return {}
        return _folders(table["folders"], names, sizes)
    # A damaged zip file is met with a dozen kinds of exception, and only costs the time to scan.
    except Exception:
        return {}


def _folders(table: list[list[Any]], names: bytes, sizes: IntArray) -> Listing:
    found = {}
    name = size = 0
    for path, stamp, subfolders, length, count, hidden, others in table:
        found[path] = Folder(
            path=path,
            stamp=stamp,
            subfolders=tuple(subfolders),
            names=names[name : name + length],
            sizes=sizes[size : size + count],
            hidden=hidden,
            others=others,
        )
        name, size = name + length, size + count
    if (name, size) != (len(names), len(sizes)) or size != names.count(b"/"):
        raise ValueError("the table doesn't fit the names")
    return found
