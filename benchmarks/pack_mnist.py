"""Pack the official MNIST files into the package, and print the sizes and the time to unpack.

    python benchmarks/pack_mnist.py --source FOLDER

FOLDER holds the four official IDX files, gzipped or not. Measured on the 10,000 test images, LZMA
with lc=4, lp=0, pb=0 takes 1,350,947 bytes against 1,354,584 with its defaults and 1,616,508 with
gzip. Other orders of the pixels (pairs of rows 1,345,072, by class 1,333,272, columns first
1,369,895, plane by plane 1,570,203, differences 1,761,348) gain too little for what they'd cost.
"""

import argparse
import gzip
import hashlib
import lzma
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from misread.datasets import mnist

FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "lc": 4,
        "lp": 0,
        "pb": 0,
        "dict_size": 1 << 24,  # a whole part; larger would only take memory when unpacking
    }
]


def read_official(source: Path, packed: mnist.Packed) -> bytes:
    plain = source / packed.file
    content = (
        plain.read_bytes()
        if plain.is_file()
        else gzip.decompress(plain.with_name(f"{packed.file}.gz").read_bytes())
    )
    if hashlib.sha256(content).hexdigest() != packed.sha256:
        raise SystemExit(f"{plain}: not the official file (SHA-256 differs)")
    return content


def pack(content: bytes, packed: mnist.Packed) -> list[bytes]:
    step = packed.header_size + -(-(len(content) - packed.header_size) // packed.parts)
    return [
        lzma.compress(content[at : at + step], check=lzma.CHECK_CRC32, filters=FILTERS)
        for at in range(0, len(content), step)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True, help="folder of the official files")
    parser.add_argument("--output", type=Path, default=Path(mnist.__file__).with_name("data"))
    arguments = parser.parse_args()
    packed_files = [*mnist.IMAGES.values(), *mnist.LABELS.values()]
    streams: list[Path] = []
    for packed in packed_files:
        parts = pack(read_official(arguments.source, packed), packed)
        for path, part in zip(packed.streams(arguments.output), parts, strict=True):
            path.write_bytes(part)
            streams.append(path)
            print(f"{path.name:32} {len(part):>9,} bytes")
    print(f"{'all':32} {sum(path.stat().st_size for path in streams):>9,} bytes")

    for threads in (1, os.cpu_count() or 1):
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda path: lzma.decompress(path.read_bytes()), streams))
            seconds.append(time.perf_counter() - start)
        print(
            f"unpack, {threads} threads: median {sorted(seconds)[2]:.3f} s of n=5 "
            f"({os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()})"
        )


if __name__ == "__main__":
    main()
