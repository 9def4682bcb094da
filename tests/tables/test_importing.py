import zipfile
from collections.abc import Callable
from csv import writer as csv_writer
from pathlib import Path

import numpy as np
import pytest

from misread.errors import PredictionsError
from misread.tables.importing import read_probabilities
from misread.types import Array

CLASSES = ("top", "middle", "bottom")
ROWS: Array = np.array([[0.7, 0.2, 0.1], [0, 1, 0], [0.25, 0.25, 0.5]], np.float32)


def csv(path: Path, header: str = "", separator: str = ",", prefix: bytes = b"") -> None:
    lines = [separator.join(f"{p:.9g}" for p in row) for row in ROWS]
    path.write_bytes(prefix + "\n".join([*([header] if header else []), *lines, ""]).encode())


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.npy": lambda path: np.save(path, ROWS),
    "f64.npy": lambda path: np.save(path, ROWS.astype(np.float64)),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(ROWS)),
    "CAPITALS.NPY": lambda path: npy(path),
    "one.npz": lambda path: np.savez(path, anything=ROWS),
    "packed.npz": lambda path: np.savez_compressed(path, ROWS),
    "named.npz": lambda path: np.savez(path, probabilities=ROWS, labels=np.arange(3)),
    "a.csv": csv,
    "header.csv": lambda path: csv(path, "top,middle,bottom"),
    "quoted.csv": lambda path: csv(path, '"top","middle","bottom"'),
    "numbered.csv": lambda path: csv(path, "0,1,2"),
    "bom.csv": lambda path: csv(path, "top,middle,bottom", prefix=b"\xef\xbb\xbf"),
    "bom-only.csv": lambda path: csv(path, prefix=b"\xef\xbb\xbf"),
    "a.tsv": lambda path: csv(path, separator="\t"),
    "header.tsv": lambda path: csv(path, "top\tmiddle\tbottom", separator="\t"),
}


def npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, ROWS)


@pytest.mark.parametrize("name", WRITERS)
def test_each_kind_of_file_gives_the_same_array(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    found = read_probabilities(tmp_path / name, CLASSES)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ROWS)


def test_columns_under_the_names_of_classes_find_their_place(tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    path.write_text("bottom,middle,top\n0.1,0.2,0.7\n", encoding="utf-8")
    np.testing.assert_allclose(read_probabilities(path, CLASSES), [[0.7, 0.2, 0.1]])
    path.write_text("bottom,middle,up\n0.1,0.2,0.7\n", encoding="utf-8")
    with pytest.raises(PredictionsError, match="expected the classes top, middle, bottom"):
        read_probabilities(path, CLASSES)


@pytest.mark.parametrize(("kind", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_names_of_classes_may_hold_quotes_and_separators(
    tmp_path: Path, kind: str, separator: str
) -> None:
    classes = ('cross "x"', "left, or right", "two\nlines\tand a tab")
    path = tmp_path / f"odd{kind}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv_writer(file, delimiter=separator)
        writer.writerow(classes[::-1])
        writer.writerows(ROWS[:, ::-1].tolist())
    np.testing.assert_array_equal(read_probabilities(path, classes), ROWS)


def test_one_row_is_still_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("0.5,0.25,0.25\n", encoding="utf-8")
    assert read_probabilities(tmp_path / "a.csv", CLASSES).shape == (1, 3)
    (tmp_path / "b.csv").write_text("1\n1\n", encoding="utf-8")
    assert read_probabilities(tmp_path / "b.csv", ("one",)).shape == (2, 1)


def objects() -> Array:
    array = np.empty((3, 3), object)
    array[:] = 0.5
    return array


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a.txt": (lambda p: p.write_text("1"), "expected predictions as .parquet"),
    "noextension": (lambda p: p.write_text("1"), ".npy, .npz, .csv, .tsv"),
    "absent.npy": (lambda p: None, "found none"),
    "absent.csv": (lambda p: None, "found none"),
    "folder.npy": (lambda p: p.mkdir(), "expected an array of probabilities"),
    "folder.csv": (lambda p: p.mkdir(), "expected an array of probabilities"),
    "empty.npy": (lambda p: p.touch(), "expected an array of probabilities"),
    "empty.npz": (lambda p: p.touch(), "expected an array of probabilities"),
    "empty.csv": (lambda p: p.touch(), "expected"),
    "header-only.csv": (lambda p: p.write_text("a,b,c\n"), "expected"),
    "junk.npy": (lambda p: p.write_bytes(b"\x93NUMPYjunk"), "expected an array"),
    "junk.npz": (lambda p: p.write_bytes(b"PK\3\4junk"), "expected an array"),
    "junk.csv": (lambda p: p.write_bytes(b"\xff\xfe\x00junk"), "expected an array"),
    "words.csv": (lambda p: p.write_text("a,b,c\n1,2,x\n"), "expected an array"),
    "ragged.csv": (lambda p: p.write_text("1,0,0\n1,0\n"), "expected an array"),
    "semicolons.csv": (lambda p: p.write_text("1;0;0\n0;1;0\n"), "expected an array"),
    "objects.npy": (lambda p: np.save(p, objects(), allow_pickle=True), "expected an array"),
    "objects.npz": (lambda p: np.savez(p, objects()), "expected an array"),
    "several.npz": (lambda p: np.savez(p, a=ROWS, b=ROWS), "name one of them 'probabilities'"),
    "none.npz": (lambda p: zipfile.ZipFile(p, "w").close(), "expected an array"),
    "flat.npy": (lambda p: np.save(p, ROWS.ravel()), "Got float32 (9,) instead"),
    "wide.npy": (lambda p: np.save(p, np.zeros((3, 4))), "Got float64 (3, 4) instead"),
    "strings.npy": (lambda p: np.save(p, np.array([["a", "b", "c"]])), "as numbers (N, 3)"),
    "complex.npy": (lambda p: np.save(p, ROWS.astype(complex)), "complex128"),
    "bools.npy": (lambda p: np.save(p, ROWS > 0.4), "Got bool"),
    "wide.csv": (lambda p: p.write_text("1,0,0,0\n"), "Got float32 (1, 4) instead"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_of_probabilities_is_refused_in_one_line(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    write, says = REFUSED[name]
    write(path)
    with pytest.raises(PredictionsError) as caught:
        read_probabilities(path, CLASSES)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert says in message
    assert "\n" not in message


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, ("raise SystemExit('unpickled')",))

    trap = np.empty((1, 3), object)
    trap[0, 0] = Trap()
    np.save(tmp_path / "trap.npy", trap, allow_pickle=True)
    with pytest.raises(PredictionsError, match="misread unpickles nothing"):
        read_probabilities(tmp_path / "trap.npy", CLASSES)


@pytest.mark.parametrize("name", ["a.npy", "one.npz", "packed.npz"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # NumPy warns of odd headers it then refuses
def test_damaged_files_give_an_array_or_one_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    content = path.read_bytes()
    generator = np.random.default_rng(1)
    variants = [content[:length] for length in range(0, len(content), 9)]
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= int(generator.integers(1, 256))
        variants.append(bytes(damaged))
    for variant in variants:
        path.write_bytes(variant)
        try:
            array = read_probabilities(path, CLASSES)
        except PredictionsError as error:
            assert "\n" not in str(error)
        else:
            assert array.dtype == np.float32
            assert array.shape[1] == 3


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vast.npy"
    np.save(path, ROWS)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(3, 3), }        ", b"(99999999999, 3)}"))
    assert path.read_bytes() != content
    with pytest.raises(PredictionsError, match=r"vast\.npy"):
        read_probabilities(path, CLASSES)
