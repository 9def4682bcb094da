"""Pack a cross-fit of MNIST for `misread demo`: few bytes, nothing else changed.

    python benchmarks/pack_demo.py STUDY [--repeats 3]

STUDY is what `misread crossfit mnist --repeats 3` left. Probabilities keep 8 significant bits: rows
then sum to 1 within 0.003, and every image is still read as what it was. Of the first repeat the
ten nearest training images and the training dynamics are packed too.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from misread.files import replacing
from misread.store import Study
from misread.tables import Predictions
from misread.tables.evidence_parquet import write_dynamics, write_neighbours
from misread.tables.parquet import write_predictions
from misread.types import FloatArray

_TARGET = Path(__file__).parents[1] / "src/misread/workflows/demo_data"
_NEIGHBOURS = 10
_DROPPED_BITS = np.uint32(16)


def rounded(probabilities: FloatArray) -> FloatArray:
    """The nearest float32 with 8 significant bits; rows that would be read otherwise stay."""
    bits = np.ascontiguousarray(probabilities).view(np.uint32)
    half = np.uint32(1 << 15)
    few = ((bits + half) >> _DROPPED_BITS << _DROPPED_BITS).view(np.float32)
    same = few.argmax(axis=1) == probabilities.argmax(axis=1)
    return np.where(same[:, None], few, probabilities)


def squeeze(path: Path) -> None:
    """Write a Parquet file again, smaller: bytes of the same place side by side, and level 19."""
    table = pq.read_table(path)
    lists = [f"{f.name}.list.element" for f in table.schema if hasattr(f.type, "list_size")]
    with replacing(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", compression_level=19, use_dictionary=False,
            use_byte_stream_split=lists or False,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    study = Study.open(options.study)
    written = []
    for repeat in range(1, options.repeats + 1):
        for split in ("train", "test"):
            before = study.newest_predictions(split, f"quick-short-s0-r{repeat}")
            packed = Predictions(
                before.index, before.given, rounded(before.probabilities), before.provenance
            )
            path = _TARGET / "predictions" / f"{before.provenance.name}.parquet"
            write_predictions(path, packed)
            written.append(path)
            near = study.load_neighbours(before.provenance)
            if repeat == 1 and near is not None:
                path = _TARGET / "neighbours" / path.name
                few = np.ascontiguousarray(near.neighbours[:, :_NEIGHBOURS])
                write_neighbours(path, dataclasses.replace(near, neighbours=few))
                written.append(path)
    for dynamics in study.load_dynamics("train"):
        if dynamics.provenance.repeat == 1:
            path = _TARGET / "dynamics" / f"{dynamics.provenance.name}.parquet"
            write_dynamics(path, dynamics)
            written.append(path)
    for path in written:
        squeeze(path)
        print(f"{path.stat().st_size:>9,} {path.relative_to(_TARGET)}")


if __name__ == "__main__":
    main()
