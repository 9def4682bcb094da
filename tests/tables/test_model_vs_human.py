from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.errors import ReadingsError
from misread.tables.model_vs_human import read_trials, write_trials
from misread.tables.readings import NO_ANSWER, Purpose, Reader, Readings

CLASSES = ("ant", "bee", "cow")
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1], np.int16)


@st.composite
def tables(draw: st.DrawFn) -> Readings:
    rows = draw(st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 7)), unique=True))
    rows = [(0, 0), (1, 0), *(row for row in rows if row[1])]
    reader = np.array([row[0] for row in rows])
    return Readings(
        "test", CLASSES, "", (Reader("ann"), Reader("simulated-1", simulated=True)), reader,
        np.array([row[1] for row in rows]),
        np.array(draw(st.lists(st.integers(NO_ANSWER, 2), min_size=len(rows), max_size=len(rows)))),
        hard=np.array(draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))),
        rt_ms=np.array(draw(st.lists(st.sampled_from([np.nan, 250.0, 1_234.0]),
                                     min_size=len(rows), max_size=len(rows)))),
    )  # fmt: skip


@given(table=tables())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_read_as_it_was_written(table: Readings, tmp_path: Path) -> None:
    write_trials(tmp_path / "trials.csv", table, LABELS)
    found = read_trials(tmp_path / "trials.csv", "test", CLASSES, LABELS)
    assert found.readers == table.readers
    order = np.lexsort((table.position, table.reader))
    for name in ("reader", "index", "answer", "position", "hard", "session"):
        assert getattr(found, name).tolist() == getattr(table, name)[order].tolist(), name
    assert found.rt_ms == pytest.approx(table.rt_ms[order], nan_ok=True)


def test_the_form_is_the_toolboxs(tmp_path: Path) -> None:
    table = Readings(
        "test", CLASSES, "sha256:x", (Reader("ann"), Reader("bot", simulated=True)),
        np.array([0, 0, 0, 1]), np.array([4, 2, 4, 2]), np.array([1, NO_ANSWER, 1, 0]),
        hard=np.array([True, False, True, False]), repeat_of=np.array([-1, -1, 0, -1]),
        purpose=np.array([0, 0, Purpose.REPEAT, 0]), rt_ms=np.array([796.4, np.nan, 500, 800.0]),
    )  # fmt: skip
    write_trials(tmp_path / "trials.csv", table, LABELS)
    assert (tmp_path / "trials.csv").read_text().splitlines() == [
        "subj,session,trial,rt,object_response,category,condition,imagename",
        "ann,1,1,0.7964,bee,bee,hard,test-0000004.png",
        "ann,1,2,NaN,na,cow,rest,test-0000002.png",
        "simulated-bot,1,1,0.8,ant,cow,rest,test-0000002.png",
    ]


# As the toolbox's own raw data have it: a capital letter, an answer that came too late, the image's
# name with what the trial was.
THEIRS = """subj,Session,trial,rt,object_response,category,condition,imagename
subject-02,1,1,0.61,cow,ant,bw,0001_cl_s02_bw_ant_40_n1.png
subject-01,1,2,NaN,na,ant,cr,0002_cl_s01_cr_ant_40_n1.png
subject-01,1,1,0.7964,bee,bee,cr,0001_cl_s01_cr_bee_40_n7.png
subject-01,2,1,0.5,ant,ant,cr,0003_cl_s01_cr_ant_40_n1.png
"""
NAMES = {
    "0001_cl_s02_bw_ant_40_n1.png": 3,
    "0002_cl_s01_cr_ant_40_n1.png": 3,
    "0001_cl_s01_cr_bee_40_n7.png": 7,
    "0003_cl_s01_cr_ant_40_n1.png": 3,
}


def test_the_toolboxs_own_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(THEIRS)
    found = read_trials(tmp_path / "t.csv", "test", CLASSES, LABELS, NAMES)
    assert [reader.name for reader in found.readers] == ["subject-02", "subject-01"]
    assert found.reader.tolist() == [0, 1, 1, 1]
    assert found.index.tolist() == [3, 7, 3, 3]
    assert found.answer.tolist() == [2, 1, NO_ANSWER, 0]
    # In order of session and trial; an image seen before is a repeat.
    assert found.position.tolist() == [0, 0, 1, 2]
    assert found.repeat_of.tolist() == [-1, -1, -1, 1]
    assert found.rt_ms.tolist()[:2] == pytest.approx([610, 796.4])
    assert not found.simulated


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("bee,bee", "bee,cow", "'category': expected the given label of image #7, bee. Got cow"),
        ("bee,bee", "bee,", "Got nothing instead"),
        ("bee,bee", "elk,bee", "'object_response': expected one of ant, bee, cow"),
        (
            "n7.png",
            "n8.png",
            "or the file of an image, as 0001_cl_s02_bw_ant_40_n1.png. Got '0001_cl",
        ),
        ("imagename", "image", "expected a column 'imagename'"),
        ("1,1,0.7964", "x,1,0.7964", "column 'session': expected whole numbers"),
        ("0.7964", "-1", "rt_ms must be 0 or more"),
    ],
)
def test_a_bad_file_is_one_clear_line(old: str, new: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(THEIRS.replace(old, new))
    with pytest.raises(ReadingsError) as caught:
        read_trials(tmp_path / "t.csv", "test", CLASSES, LABELS, NAMES)
    assert str(caught.value).startswith(str(tmp_path / "t.csv"))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_that_are_not_named_as_ours_need_their_positions(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(THEIRS)
    with pytest.raises(ReadingsError, match=r"expected test-0000012\.png"):
        read_trials(tmp_path / "t.csv", "test", CLASSES, LABELS)
    line = "ann,1,1,0.5,ant,ant,rest,test-0000099.png\n"
    (tmp_path / "t.csv").write_text(THEIRS.splitlines()[0] + "\n" + line)
    with pytest.raises(ReadingsError, match=r"expected images 0 to 7\. Got 99"):
        read_trials(tmp_path / "t.csv", "test", CLASSES, LABELS)
    with pytest.raises(ReadingsError, match=r"output: expected \.csv"):
        write_trials(tmp_path / "t.parquet", read_none(), LABELS)


def read_none() -> Readings:
    nothing = np.empty(0, int)
    return Readings("test", CLASSES, "", (), nothing, nothing, nothing)
