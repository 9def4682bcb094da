import dataclasses
from typing import Any

import numpy as np
import pytest

from misread.errors import VerdictsError
from misread.tables.verdicts import CODES, VERDICTS, Verdict, Verdicts


def table(**changes: Any) -> Verdicts:
    columns: dict[str, Any] = {
        "split": "test",
        "index": np.array([1, 4, 6], np.int32),
        "verdict": np.array([CODES[v] for v in (Verdict.LABEL, Verdict.FINE, Verdict.LABEL)], "i1"),
        "label": np.array([2, -1, -1], np.int16),
        "given": np.array([0, -1, 1], np.int16),
        "revision": np.array([7, 3, 9]),
        "decided_at": np.array([0, 1, 2]),
        "person": np.array(["Ana", "", "Bo"]),
    }
    return Verdicts(**columns | changes)


def test_codes_are_places_among_the_verdicts() -> None:
    assert [CODES[verdict] for verdict in VERDICTS] == list(range(5))
    assert list(map(str, VERDICTS)) == ["model", "label", "ambiguous", "unreadable", "fine"]


def test_a_verdict_is_found_by_its_image() -> None:
    made = table()
    assert len(made) == 3
    assert made.find(1) == (Verdict.LABEL, 2)
    assert made.find(4) == (Verdict.FINE, None)
    assert made.find(6) == (Verdict.LABEL, None)
    assert made.find(0) is made.find(5) is made.find(7) is None
    assert made.where(Verdict.LABEL).tolist() == [1, 6]
    assert made.where(Verdict.MODEL).tolist() == []


def test_verdicts_are_spread_over_all_images() -> None:
    codes, labels = table().spread(8)
    label, fine = CODES[Verdict.LABEL], CODES[Verdict.FINE]
    assert codes.tolist() == [-1, label, -1, -1, fine, -1, label, -1]
    assert labels.tolist() == [-1, 2, -1, -1, -1, -1, -1, -1]
    assert codes.dtype == np.int8
    assert labels.dtype == np.int16


def test_no_verdicts_are_a_table_too() -> None:
    empty = {
        field.name: getattr(table(), field.name)[:0]
        for field in dataclasses.fields(Verdicts)
        if field.name != "split"
    }
    made = table(**empty)
    assert len(made) == 0
    assert made.find(0) is None
    assert made.spread(2)[0].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"index": np.array([1, 4, 6])}, r"index must be int32 \(3,\). Got int64"),
        ({"index": np.array([1, 4], np.int32)}, r"verdict must be int8 \(2,\). Got int8 \(3,\)"),
        ({"index": np.array([4, 1, 6], np.int32)}, "strictly increasing"),
        ({"index": np.array([1, 1, 6], np.int32)}, "strictly increasing"),
        ({"index": np.array([-1, 1, 6], np.int32)}, "0 or more"),
        ({"verdict": np.array([1, 4, 5], np.int8)}, r"verdict must be in 0\.\.4"),
        ({"verdict": np.array([1, 4, -1], np.int8)}, r"verdict must be in 0\.\.4"),
        ({"label": np.array([2, 1, -1], np.int16)}, "label must be -1 where the verdict isn't"),
        ({"label": np.array([2, -1, -2], np.int16)}, "label and given must be -1 or more"),
        ({"given": np.array([0, -2, 1], np.int16)}, "label and given must be -1 or more"),
        ({"given": np.array([2, -1, 1], np.int16)}, "another class than the given one"),
        ({"person": np.array([1, 2, 3])}, "person must be text"),
        ({"person": np.array(["Ana"])}, "person must be text"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(VerdictsError, match=says):
        table(**changes)
