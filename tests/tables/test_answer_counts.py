from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from misread.errors import ReadingsError
from misread.tables.answer_counts import (
    AnswerCounts,
    count_answers,
    read_counts,
    write_counts,
)
from misread.tables.readings import NO_ANSWER, Reader, Readings

CLASSES = ("ant", "bee", "cow")
anything = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=4
)


@st.composite
def tables(draw: st.DrawFn) -> AnswerCounts:
    classes = tuple(draw(st.lists(anything, min_size=1, max_size=4)))
    index = sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=8)))
    counts = draw(
        hnp.arrays(np.int64, (len(index), len(classes)), elements=st.integers(0, 2**31 - 1))
    )
    return AnswerCounts(classes, np.array(index, np.int64), counts, draw(st.booleans()))


@given(table=tables(), kind=st.sampled_from([".csv", ".tsv", ".npz"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_read_as_it_was_written(table: AnswerCounts, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"counts{kind}"
    write_counts(path, table)
    found = read_counts(path, table.classes)
    assert np.array_equal(found.index, table.index)
    assert np.array_equal(found.counts, table.counts)
    assert (found.classes, found.simulated) == (table.classes, table.simulated)


def test_an_array_is_read_as_cifar_10h_has_it(tmp_path: Path) -> None:
    """N x K numbers, the images in their order, whole numbers as floats."""
    counts = np.array([[51.0, 0, 0], [0, 49, 1]])
    np.save(tmp_path / "counts.npy", counts)
    found = read_counts(tmp_path / "counts.npy", CLASSES)
    assert found.index.tolist() == [0, 1]
    assert np.array_equal(found.table(4), [[51, 0, 0], [0, 49, 1], [0, 0, 0], [0, 0, 0]])
    assert not found.simulated
    with pytest.raises(ReadingsError, match=r"index must be below 1"):
        found.table(1)


def test_a_table_is_read_in_any_order_or_without_positions(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("index,ant,bee,cow\n7,1,2,3\n2,0,0,9\n\n")
    assert read_counts(path, CLASSES).index.tolist() == [2, 7]
    assert read_counts(path, CLASSES).counts.tolist() == [[0, 0, 9], [1, 2, 3]]
    path.write_text("ant,bee,cow\n1,2,3\n0,0,9\n")
    assert read_counts(path, CLASSES).index.tolist() == [0, 1]


def test_final_answers_are_counted_once_for_each_reader() -> None:
    made = Readings(
        "test", CLASSES, "", (Reader("ann"), Reader("bob", simulated=True)),
        np.array([0, 0, 0, 1, 1]), np.array([4, 2, 4, 4, 9]), np.array([1, 0, 2, 1, NO_ANSWER]),
        purpose=np.array([0, 0, 1, 0, 0]), repeat_of=np.array([-1, -1, 0, -1, -1]),
    )  # fmt: skip
    found = count_answers(made)
    assert found.index.tolist() == [2, 4]
    assert found.counts.tolist() == [[1, 0, 0], [0, 2, 0]]
    assert found.simulated


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected the columns index, ant, bee, cow"),
        ("ant,bee\n1,2\n", "expected the columns"),
        ("ant,cow,bee\n1,2,3\n", "in this order. Got ant, cow, bee"),
        ("ant,bee,cow,elk\n1,2,3,4\n", "expected the columns"),
        ("ant,bee,cow\n1,2\n", "expected 3 fields in every row"),
        ("ant,bee,cow\n1,2,x\n", "invalid literal"),
        ("ant,bee,cow\n1,2,-3\n", "whole numbers of 0 or more"),
        ("ant,bee,cow\n1,2,3.5\n", "invalid literal"),
        ("index,ant,bee,cow\n1,2,3,4\n1,2,3,4\n", "each image once"),
        ("index,ant,bee,cow\n-1,2,3,4\n", "index must have each image once"),
        ("ant,bee,cow\n1,2,99999999999\n", "whole numbers of 0 or more"),
    ],
)
def test_a_bad_file_is_one_clear_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(ReadingsError) as caught:
        read_counts(tmp_path / "c.csv", CLASSES)
    assert str(caught.value).startswith(str(tmp_path / "c.csv"))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_bad_files(tmp_path: Path) -> None:
    with pytest.raises(ReadingsError, match="found no file"):
        read_counts(tmp_path / "absent.npy", CLASSES)
    with pytest.raises(ReadingsError, match=r"expected counts as \.csv"):
        read_counts(tmp_path / "c.xlsx", CLASSES)
    np.save(tmp_path / "c.npy", np.zeros((4, 2)))
    with pytest.raises(ReadingsError, match=r"counts must be \(4, 3\)"):
        read_counts(tmp_path / "c.npy", CLASSES)
    np.save(tmp_path / "c.npy", np.full((4, 3), 0.5))
    with pytest.raises(ReadingsError, match="whole numbers"):
        read_counts(tmp_path / "c.npy", CLASSES)
    np.save(tmp_path / "c.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ReadingsError, match="expected a table of counts"):
        read_counts(tmp_path / "c.npy", CLASSES)
    np.savez(tmp_path / "c.npz", counts=np.zeros((4, 3), int))
    with pytest.raises(ReadingsError, match="expected a table of counts"):
        read_counts(tmp_path / "c.npz", CLASSES)
    made = AnswerCounts(("a", "b"), np.array([0]), np.array([[1, 2]]))
    write_counts(tmp_path / "c.npz", made)
    with pytest.raises(ReadingsError, match=r"expected the classes ant, bee, cow\. Got a, b"):
        read_counts(tmp_path / "c.npz", CLASSES)
    # An array alone has no place for the mark of simulated answers.
    with pytest.raises(ReadingsError, match=r"expected \.csv, \.tsv or \.npz"):
        write_counts(tmp_path / "c.npy", made)
