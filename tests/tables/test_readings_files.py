import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.errors import ParameterError, ReadingsError
from misread.tables.readings import DTYPES, NO_ANSWER, Purpose, Reader, Readings, Seen
from misread.tables.readings_files import class_texts, read_readings, write_readings

names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=6)
# Any text may be the name of a class.
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
numbers = st.floats(0, 1e13, allow_subnormal=False) | st.just(float("nan"))


@st.composite
def tables(draw: st.DrawFn) -> Readings:
    count = draw(st.integers(1, 4))
    readers = tuple(
        Reader(name, draw(st.none() | st.integers(0, 2**31 - 1)), draw(st.sampled_from(Seen)),
               draw(st.booleans()))
        for name in draw(st.lists(names, min_size=count, max_size=count, unique=True))
    )  # fmt: skip
    classes = tuple(draw(st.lists(anything, min_size=1, max_size=4)))
    rows = draw(st.integers(count, 12))
    # Each reader has a row, and the first rows name them in order, as a file would.
    reader = [*range(count), *draw(st.lists(st.integers(0, count - 1), min_size=rows - count,
                                            max_size=rows - count))]  # fmt: skip

    def column(values: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    repeat_of = np.array(column(st.just(-1) | st.integers(0, 90)), int)
    again = np.array(column(st.sampled_from([Purpose.REPEAT, Purpose.AGAIN])), int)
    answers = st.integers(NO_ANSWER, len(classes) - 1)
    return Readings(
        split=draw(names),
        classes=classes,
        design=draw(st.just("") | names),
        readers=readers,
        reader=np.array(reader),
        index=np.array(column(st.integers(0, 2**31 - 1))),
        answer=np.array(column(answers)),
        position=np.array(draw(st.lists(st.integers(0, 2**31 - 1), min_size=rows, max_size=rows,
                                        unique=True))),
        session=np.array(column(st.integers(1, 5))),
        hard=np.array(column(st.booleans())),
        purpose=np.where(repeat_of < 0, Purpose.MAIN, again),
        repeat_of=repeat_of,
        first_answer=np.array(column(answers)),
        undone=np.array(column(st.integers(0, 3))),
        unsure=np.array(column(st.booleans())),
        rt_ms=np.array(column(numbers)),
        onset=np.array(column(numbers)),
        unfocused=np.array(column(st.booleans())),
        screen=np.array(column(st.sampled_from(["", "1920x1080", "390x844"]))),
        zoom=np.array(column(numbers)),
    )  # fmt: skip


def check_same(found: Readings, expected: Readings) -> None:
    for name in ("split", "classes", "design", "readers"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in DTYPES:
        one, other = getattr(found, name), getattr(expected, name)
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name


@given(table=tables(), kind=st.sampled_from([".csv", ".parquet"]))
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_is_read_as_it_was_written(table: Readings, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"readings{kind}"
    write_readings(path, table)
    check_same(read_readings(path, table.classes), table)


@given(st.lists(anything, min_size=1, max_size=5))
def test_every_class_has_a_text_of_its_own(classes: list[str]) -> None:
    texts = class_texts(classes)
    assert len(set(texts)) == len(classes)
    assert all(text and text == text.strip() for text in texts)


def small() -> Readings:
    return Readings(
        "test", ("ant", "bee"), "sha256:x",
        (Reader("ann", 0, Seen.MISTAKES), Reader("bot", 1, Seen.NOTHING, simulated=True)),
        np.array([0, 1]), np.array([5, 7]), np.array([1, NO_ANSWER]),
        rt_ms=np.array([612.5, np.nan]),
    )  # fmt: skip


def test_the_file_is_for_any_program(tmp_path: Path) -> None:
    write_readings(tmp_path / "readings.csv", small())
    lines = (tmp_path / "readings.csv").read_text().splitlines()
    assert lines == [
        (
            "reader,session,position,split,index,stratum,purpose,repeat_of,answer,first_answer,"
            "undone,unsure,unfocused,rt_ms,onset,screen,zoom,number,seen,simulated,design"
        ),
        "ann,1,0,test,5,rest,main,,bee,bee,0,no,no,612.5,,,,0,mistakes,no,sha256:x",
        "bot,1,0,test,7,rest,main,,,,0,no,no,,,,,1,nothing,yes,sha256:x",
    ]
    write_readings(tmp_path / "readings.parquet", small())
    rows = pq.read_table(tmp_path / "readings.parquet").to_pylist()
    assert rows[1]["simulated"] == "yes"
    assert (rows[1]["answer"], rows[0]["rt_ms"], rows[1]["rt_ms"]) == (None, 612.5, None)
    write_readings(tmp_path / "readings.json", small())
    assert '"simulated": "yes"' in (tmp_path / "readings.json").read_text()


def test_simulated_readers_are_marked_in_every_row(tmp_path: Path) -> None:
    """Dropping rows or columns by the dozen doesn't make people of them."""
    write_readings(tmp_path / "readings.csv", small())
    lines = (tmp_path / "readings.csv").read_text().splitlines()
    (tmp_path / "readings.csv").write_text("\n".join([lines[0], lines[2]]))
    assert read_readings(tmp_path / "readings.csv", ("ant", "bee")).simulated


def read(path: Path, text: str, classes: tuple[str, ...] = ("ant", "bee")) -> Readings:
    path.write_text(text, encoding="utf-8")
    return read_readings(path, classes)


def test_three_columns_are_enough(tmp_path: Path) -> None:
    found = read(
        tmp_path / "r.csv",
        "\ufeffReader, index ,answer,comment\nann,4,ant,\nann,2,bee,well\nbob,4,,\nann,4,bee,\n",
    )
    assert [reader.name for reader in found.readers] == ["ann", "bob"]
    assert found.index.tolist() == [4, 2, 4, 4]
    assert found.answer.tolist() == [0, 1, NO_ANSWER, 1]
    # Without a column that says so, an image read again is a repeat.
    assert found.repeat_of.tolist() == [-1, -1, -1, 0]
    assert found.purpose.tolist() == [0, 0, 0, Purpose.REPEAT]
    assert (found.split, found.design) == ("test", "")
    assert not found.simulated


def test_a_reader_may_be_called_na(tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", "reader,index,answer\nNA,4,ant\nnan,4,bee\n")
    assert [reader.name for reader in found.readers] == ["NA", "nan"]


def test_gzipped_and_tabbed(tmp_path: Path) -> None:
    path = tmp_path / "r.tsv.gz"
    path.write_bytes(gzip.compress(b"reader\tindex\tanswer\nann\t4\tbee\n"))
    assert read_readings(path, ("ant", "bee")).answer.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected a table"),
        ("reader,index,answer\n", "found no rows"),
        ("reader,index\nann,1\n", "expected a column 'answer', found reader, index"),
        (
            "reader,index,answer\nann,1,elk\n",
            "'answer': expected one of ant, bee. Got 'elk' in row 1",
        ),
        ("reader,index,answer\nann,,ant\n", "'index': expected a number in row 1, found none"),
        ("reader,index,answer\nann,x,ant\n", "column 'index': expected whole numbers"),
        ("reader,index,answer\nann,1.5,ant\n", "column 'index': expected whole numbers"),
        ("reader,index,answer\nann,-1,ant\n", "index must be in 0.."),
        ("reader,index,answer\nann,99999999999,ant\n", "index must be (1,) int32"),
        ("reader,index,answer\n,1,ant\n", "'reader': expected a value in row 1"),
        ("reader,index,answer,answer\nann,1,ant,ant\n", "2 columns are named 'answer'"),
        ("reader,index,answer,rt_ms\nann,1,ant,fast\n", "column 'rt_ms': expected numbers"),
        ("reader,index,answer,unsure\nann,1,ant,maybe\n", "'unsure': expected yes or no"),
        ("reader,index,answer,seen\nann,1,ant,all\n", "'seen': expected one of nothing"),
        ("reader,index,answer,number\nann,1,ant,-1\n", "'number': expected a number"),
        ("reader,index,answer,number\nann,1,ant,1\nann,2,ant,2\n", "same in all rows of a reader"),
        ("reader,index,answer,simulated\nann,1,ant,yes\nann,2,ant,no\n", "same in all rows"),
        ("reader,index,answer,design\nann,1,ant,a\nann,2,ant,b\n", "same in every row"),
        ("reader,index,answer,purpose\nann,1,ant,once\n", "'purpose': expected one of main"),
        ("reader,index,answer,position\nann,1,ant,3\nann,2,ant,3\n", "position of a reader once"),
        ("reader,index,answer\nann,1\n", "expected a table"),
        ("reader;index;answer\nann;1;ant\n", "expected a column 'reader'"),
    ],
)
def test_a_bad_file_is_one_clear_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ReadingsError) as caught:
        read(tmp_path / "r.csv", text)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "r.csv"))
    assert says in message
    assert "\n" not in message


def test_other_bad_files(tmp_path: Path) -> None:
    with pytest.raises(ReadingsError, match="found none"):
        read_readings(tmp_path / "absent.csv", ("ant",))
    with pytest.raises(ReadingsError, match=r"expected readings as \.csv"):
        read_readings(tmp_path / "r.xlsx", ("ant",))
    (tmp_path / "r.parquet").write_bytes(b"PAR1nonsense")
    with pytest.raises(ReadingsError, match="expected a table"):
        read_readings(tmp_path / "r.parquet", ("ant",))
    (tmp_path / "r.csv.gz").write_bytes(b"reader,index,answer")
    with pytest.raises(ReadingsError, match="expected a table"):
        read_readings(tmp_path / "r.csv.gz", ("ant",))
    (tmp_path / "r.csv").write_bytes(b"reader,index,answer\n\xff,1,ant\n")
    with pytest.raises(ReadingsError, match="expected a table"):
        read_readings(tmp_path / "r.csv", ("ant",))
    write_readings(tmp_path / "s.csv", small())
    with pytest.raises(ReadingsError, match="column 'split': expected 'train'"):
        read_readings(tmp_path / "s.csv", ("ant", "bee"), "train")
    with pytest.raises(ParameterError, match="output: expected"):
        write_readings(tmp_path / "s.txt", small())


def test_nothing_read_can_be_written(tmp_path: Path) -> None:
    write_readings(tmp_path / "s.csv", small().pick(np.array([], int)))
    assert (tmp_path / "s.csv").read_text().count("\n") == 1


def test_unclear_class_names_become_numbers(tmp_path: Path) -> None:
    made = replace(small(), classes=("same", "same"))
    write_readings(tmp_path / "s.csv", made)
    assert ",1,1,0,no," in (tmp_path / "s.csv").read_text()
    check_same(read_readings(tmp_path / "s.csv", ("same", "same")), made)
