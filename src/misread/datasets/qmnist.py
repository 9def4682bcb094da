"""QMNIST's label tables: for each MNIST digit who wrote it, and in which series of NIST's.

Yadav & Bottou (2019), Cold case: the lost MNIST digits, traced each digit to NIST's Special
Database 19. The tables aren't in the package: they are read from a folder or downloaded once into
the cache. Licence BSD 3-clause (Facebook, Inc. and its affiliates).
"""

import contextlib
import gzip
import hashlib
import http.client
import io
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from misread.datasets._files import open_input, show
from misread.errors import DatasetError
from misread.files import cache_folder, write_bytes
from misread.types import IntArray

URL = "https://raw.githubusercontent.com/facebookresearch/qmnist/master"

# SHA-256 of the unpacked tables: packing them again gives other bytes, but the same table.
SHA256 = {
    "train": "d12becc9bddd68fc45d52ddaa7868aa49dc4c7080d65b51ce6cf12ecdfbabd5c",
    "test": "eb655936ef35473cf5b3df22bcb474433a6211ecdffd3ff670651f3167bdf6b6",
}

COLUMNS = 8
CLASS, HSF, WRITER, DIGIT_INDEX, NIST_CLASS, NIST_INDEX = range(6)

# Series of handwriting sample forms: 0 to 3 of employees of the census bureau, 4 of students.
EMPLOYEES, STUDENTS = range(4), 4

_TIMEOUT = 30
_MOST_BYTES = 1 << 23


def read_qmnist(folder: Path | None, splits: Collection[str]) -> dict[str, IntArray]:
    """The label tables of MNIST's digits.

    Args:
        folder: Holds `qmnist-{train,test}-labels.tsv.gz` or the same unpacked; None downloads them
            (from `MISREAD_QMNIST_URL`, else QMNIST's repository) unless the cache has them, and
            checks their SHA-256.
        splits: Which of `train` and `test`.

    Returns:
        By split, (R, 8) int64: class, series, writer, the digit's number among its writer's, NIST's
        class code, NIST's index of the image, and two unused. Rows are in MNIST's order; `test`
        goes on with 50,000 more digits.

    Raises:
        DatasetError: A table is missing, damaged, not the official one, or can't be downloaded.
    """
    tables = {}
    for split in splits:
        if folder is None:
            name = f"qmnist-{split}-labels.tsv.gz"
            tables[split] = _parse(name, _cached(name, SHA256[split]))
        else:
            path = _find(folder, split)
            tables[split] = _parse(show(path), _read(path))
    return tables


def series_name(hsf: int) -> str:
    """Who wrote a series: `census employees` or `students`."""
    if hsf in EMPLOYEES:
        return "census employees"
    return "students" if hsf == STUDENTS else f"series {hsf}"


def _find(folder: Path, split: str) -> Path:
    names = [f"qmnist-{split}-labels.tsv{suffix}" for suffix in (".gz", "")]
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise DatasetError(f"{show(folder)}: expected {names[0]} or {names[1]} here, found neither")


def _read(path: Path) -> bytes:
    with open_input(path, "a QMNIST table") as (stream, _):
        packed = stream.read(_MOST_BYTES)
    return _unpack(show(path), packed) if path.suffix == ".gz" else packed


def _unpack(name: str, packed: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(packed)) as stream:
            return stream.read(_MOST_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{name}: the gzipped table is damaged or cut off ({error}); get it again"
        ) from error


def _cached(name: str, sha256: str) -> bytes:
    """The unpacked table, from the cache or downloaded into it."""
    path = cache_folder() / "qmnist" / name
    try:
        table = _unpack(name, path.read_bytes())
        if hashlib.sha256(table).hexdigest() == sha256:
            return table
    except (OSError, DatasetError):
        pass  # absent or damaged: downloaded again
    url = f"{os.environ.get('MISREAD_QMNIST_URL', URL).rstrip('/')}/{name}"
    packed = _download(url)
    table = _unpack(url, packed)
    if hashlib.sha256(table).hexdigest() != sha256:
        raise DatasetError(
            f"{url}: isn't QMNIST's table (SHA-256 differs); get {name} elsewhere and name its "
            "folder with --from"
        )
    with contextlib.suppress(OSError):  # it works without a cache
        write_bytes(path, packed)
    return table


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            content: bytes = response.read(_MOST_BYTES)
            expected = response.headers.get("Content-Length", "")
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        if isinstance(error, urllib.error.HTTPError):
            reason = error
            error.close()
        raise DatasetError(
            f"{url}: can't be downloaded ({' '.join(str(reason).split())}); if this computer is "
            "offline, get the file elsewhere and name its folder with --from"
        ) from error
    if expected.isdigit() and len(content) < int(expected):
        raise DatasetError(
            f"{url}: the download broke off after {len(content):,} of {int(expected):,} bytes; "
            "try again"
        )
    return content


def _parse(name: str, content: bytes) -> IntArray:
    if not content.strip():
        raise DatasetError(f"{name}: expected a table, found nothing in it")
    try:
        table = np.loadtxt(io.BytesIO(content), dtype=np.int64, delimiter="\t", ndmin=2)
    except ValueError as error:
        raise DatasetError(
            f"{name}: expected whole numbers between tabs: {str(error).splitlines()[0]}"
        ) from error
    if table.shape[1] != COLUMNS:
        raise DatasetError(f"{name}: expected {COLUMNS} columns. Got {table.shape[1]} instead.")
    return table
