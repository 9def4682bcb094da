import gzip
import os
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from misread.datasets.idx import read_idx, write_idx
from misread.errors import DatasetError
from misread.types import Array

DTYPES = [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
HUGE = struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31)
IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx_bytes(array: Array) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_idx(Path(folder, "array"), array)
        return Path(folder, "array").read_bytes()


# Without a time stamp, so that the tests made from it have the same names in every run.
ZIPPED = gzip.compress(idx_bytes(IMAGES), mtime=0)


def read_bytes(content: bytes, *, mapped: bool = False) -> Array:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "array").write_bytes(content)
        return np.array(read_idx(Path(folder, "array"), mapped=mapped))


@given(ARRAYS, st.booleans(), st.booleans())
@settings(deadline=None)
def test_round_trip(array: Array, zipped: bool, mapped: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "array.gz" if zipped else "array")
        write_idx(path, array)
        back = np.array(read_idx(path, mapped=mapped))
    assert back.dtype.newbyteorder("=") == array.dtype
    np.testing.assert_array_equal(back, array)


def test_layout_is_that_of_the_format() -> None:
    assert idx_bytes(np.array([[1, 2]], np.int16)) == bytes.fromhex(
        "0000 0b 02  00000001 00000002  0001 0002"
    )


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES)))
    np.testing.assert_array_equal(read_idx(path), IMAGES)


def test_writing_again_replaces_and_equal_arrays_give_equal_files(tmp_path: Path) -> None:
    path = tmp_path / "array.gz"
    write_idx(path, IMAGES)
    first = path.read_bytes()
    write_idx(path, IMAGES + np.uint8(1))
    write_idx(path, IMAGES)
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["array.gz"]


def test_mapped_is_read_only_and_not_read_into_memory(tmp_path: Path) -> None:
    write_idx(tmp_path / "array", IMAGES)
    mapped = read_idx(tmp_path / "array", mapped=True)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty file"),
        (b"\0", "first bytes 00 00"),
        (b"PK\x03\x04 not an IDX file", "first bytes 00 00"),
        (b"\0\0\x07\x01" + bytes(8), "found 00 00 07 01"),
        (b"\0\0\x08\x00", "found 0"),
        (b"\0\0\x08\xff" + bytes(2000), "found 255"),
        (b"\0\0\x08\x03" + bytes(5), "within its header"),
        (idx_bytes(IMAGES)[:-1], "(2, 3, 4) uint8, 24 bytes, but fewer follow"),
        (idx_bytes(IMAGES) + b"!", "but more follow"),
        (HUGE, "but fewer follow"),
        (struct.pack(">HBB3I", 0, 8, 3, 0, 2**32 - 1, 2**32 - 1), "impossible"),
        (gzip.compress(b"", mtime=0), "first bytes 00 00"),
        (gzip.compress(HUGE, mtime=0), "gzipped bytes can hold"),
        (gzip.compress(idx_bytes(IMAGES)[:-1], mtime=0), "but fewer follow"),
        (gzip.compress(idx_bytes(IMAGES) + b"!", mtime=0), "but more follow"),
        (ZIPPED[:-9], "ends before its data do"),
        (ZIPPED[:-8] + bytes(8), "damaged (CRC check failed"),
        (ZIPPED[:10] + b"\xff" * 20, "damaged (Error -3"),
    ],
)
@pytest.mark.parametrize("mapped", [False, True])
def test_damage_is_one_line_that_names_the_file(
    tmp_path: Path, content: bytes, says: str, mapped: bool
) -> None:
    path = tmp_path / "train-images"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_idx(path, mapped=mapped)
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, says in [
        (".", "found a folder"),
        ("absent", "No such file"),
        ("pipe", "isn't a file"),
        ("nul\0", "null"),
        ("x" * 5000, "too long"),
    ]:
        with pytest.raises(DatasetError, match=says):
            read_idx(tmp_path / name)


def test_a_name_with_a_line_break_still_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read_idx(tmp_path / "two\nlines")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "array", IMAGES)
    (tmp_path / "array").chmod(0)
    with pytest.raises(DatasetError, match="Permission denied"):
        read_idx(tmp_path / "array")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros(2, np.int64), "got int64"),
        (np.array(["a"]), "got <U1"),
        (np.array([None]), "got object"),
        (np.zeros((), np.uint8), r"got shape \(\)"),
    ],
)
def test_write_refuses_what_the_format_cannot_hold(tmp_path: Path, array: Array, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        write_idx(tmp_path / "array", array)
    assert list(tmp_path.iterdir()) == []


def test_write_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="can't be written"):
        write_idx(tmp_path / "file" / "array", IMAGES)


def array_or_error(content: bytes, *, mapped: bool) -> None:
    try:
        array = read_bytes(content, mapped=mapped)
    except DatasetError as error:
        assert "\n" not in str(error)
    else:
        assert array.dtype.newbyteorder("=") in DTYPES


@given(ARRAYS, st.data(), st.booleans(), st.booleans())
@settings(deadline=None)
def test_truncated_files_never_pass(
    array: Array, data: st.DataObject, zipped: bool, mapped: bool
) -> None:
    content = gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array)
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(DatasetError):
        read_bytes(cut, mapped=mapped)


@given(ARRAYS, st.data(), st.booleans(), st.booleans())
@settings(deadline=None)
def test_flipped_bytes_give_an_array_or_a_dataset_error(
    array: Array, data: st.DataObject, zipped: bool, mapped: bool
) -> None:
    content = bytearray(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    array_or_error(bytes(content), mapped=mapped)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\0\0\x08", b"\x1f\x8b\x08"]), st.booleans())
@settings(deadline=None)
def test_junk_gives_an_array_or_a_dataset_error(junk: bytes, start: bytes, mapped: bool) -> None:
    array_or_error(start + junk, mapped=mapped)
    array_or_error(gzip.compress(start + junk), mapped=mapped)


@pytest.mark.parametrize("content", [HUGE, gzip.compress(HUGE, mtime=0)])
def test_a_lying_header_takes_no_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "array").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError):
            read_idx(tmp_path / "array")
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()
