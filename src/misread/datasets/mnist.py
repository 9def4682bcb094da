"""The MNIST digits, embedded in the package and unpacked once into the user's cache folder.

The package holds each official IDX file as xz streams that are unpacked at the same time (xz lets
other threads run). The cache holds the official files byte for byte, and is memory-mapped.
"""

import hashlib
import lzma
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.datasets._files import show
from misread.datasets.dataset import Dataset, Split
from misread.datasets.idx import read_idx
from misread.errors import DatasetError
from misread.files import cache_folder, write_bytes
from misread.types import ByteArray

CLASSES = tuple("0123456789")
LICENCE = "CC BY-SA 3.0 (Y. LeCun, C. Cortes)"
SIZES: Mapping[str, int] = {"train": 60_000, "test": 10_000}

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Packed:
    """One official IDX file as it is in the package.

    Attributes:
        file: its official name.
        parts: how many xz streams it is packed in.
        shape: of its array of uint8.
        sha256: of the official, unpacked file.
    """

    file: str
    parts: int
    shape: tuple[int, ...]
    sha256: str

    @property
    def header_size(self) -> int:
        """Bytes before the first value."""
        return 4 + 4 * len(self.shape)

    def streams(self, folder: Path) -> list[Path]:
        """The files of its parts, in order."""
        return [folder / f"{self.file}.{part}.xz" for part in range(self.parts)]


# The training images in three parts: with those of the test split, two cores finish together.
IMAGES: Mapping[str, Packed] = {
    "train": Packed(
        "train-images-idx3-ubyte",
        3,
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "test": Packed(
        "t10k-images-idx3-ubyte",
        1,
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
}
LABELS: Mapping[str, Packed] = {
    "train": Packed(
        "train-labels-idx1-ubyte",
        1,
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "test": Packed(
        "t10k-labels-idx1-ubyte",
        1,
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


def load_mnist() -> Dataset:
    """Load MNIST: handwritten digits of NIST's census employees and high-school students.

    The first call unpacks 55 MB into the cache folder (`MISREAD_CACHE`, else the user's); later
    ones map it into memory. Where that folder can't be written, the images are in memory only.

    Returns:
        Dataset "mnist" with the splits "train" (60,000 images) and "test" (10,000), 28 x 28
        uint8, 0 paper to 255 ink, classes "0" to "9". Licence CC BY-SA 3.0.

    Raises:
        DatasetError: the data in the installed package are damaged or missing.
    """
    folder = cache_folder() / "mnist"
    images = {split: _mapped(folder, packed) for split, packed in IMAGES.items()}
    absent = {split: IMAGES[split] for split, pixels in images.items() if pixels is None}
    for split, content in _unpack(absent).items():
        _keep(folder, IMAGES[split], content)
        # Mapped even now: memory that a file backs can be given up when it is short.
        images[split] = _mapped(folder, IMAGES[split])
        if images[split] is None:
            images[split] = _in_memory(IMAGES[split], content)
    labels = {
        split: _in_memory(LABELS[split], content) for split, content in _unpack(LABELS).items()
    }
    splits = {
        split: Split(split, pixels, labels[split].astype(np.int16))
        for split, pixels in images.items()
        if pixels is not None
    }
    return Dataset("mnist", CLASSES, splits, "mnist", LICENCE)


def _mapped(folder: Path, packed: Packed) -> ByteArray | None:
    """The cached file's array, or None where it is absent, damaged or unreadable."""
    try:
        pixels = read_idx(folder / packed.file, mapped=True)
    except DatasetError:
        return None
    return pixels if pixels.shape == packed.shape and pixels.dtype == np.uint8 else None


def _keep(folder: Path, packed: Packed, content: bytes) -> None:
    try:
        write_bytes(folder / packed.file, content)
    except OSError:
        # A full disk, a read-only home, another process's lock: it works without a cache.
        return


def _in_memory(packed: Packed, content: bytes) -> ByteArray:
    values = np.frombuffer(content, dtype=np.uint8, offset=packed.header_size)
    return values.reshape(packed.shape)


def _unpack(files: Mapping[str, Packed]) -> dict[str, bytes]:
    """The official files, checked against their SHA-256."""
    streams = [stream for packed in files.values() for stream in packed.streams(_DATA)]
    with ThreadPoolExecutor(max_workers=max(1, min(len(streams), os.cpu_count() or 1))) as pool:
        parts = pool.map(_unpack_stream, streams)
        contents = {
            split: b"".join(next(parts) for _ in range(packed.parts))
            for split, packed in files.items()
        }
    for split, packed in files.items():
        if hashlib.sha256(contents[split]).hexdigest() != packed.sha256:
            raise DatasetError(
                f"{show(_DATA / packed.file)}: the embedded data aren't the "
                "official file (SHA-256 differs); reinstall misread"
            )
    return contents


def _unpack_stream(stream: Path) -> bytes:
    try:
        return lzma.decompress(stream.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise DatasetError(
            f"{show(stream)}: the embedded data are missing or damaged; reinstall misread"
        ) from error
