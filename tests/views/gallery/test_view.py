"""Views against a slow oracle: plain Python that asks each image each question."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.errors import ParameterError
from misread.tables.verdicts import VERDICTS
from misread.views.gallery.columns import (
    DecidedColumns,
    MetadataColumn,
    ModelColumns,
    ScoreColumns,
)
from misread.views.gallery.query import Query
from misread.views.gallery.view import Columns, choose, sort

CLASSES = 4
WRITERS = ("ann", "bob", "cem")
WRITER_NAMES = np.array(WRITERS, dtype=object)
probabilities = st.sampled_from([0.25, 0.5, 0.75, 1.0])
images = st.fixed_dictionaries(
    {
        "given": st.integers(0, CLASSES - 1),
        "predicted": st.integers(-1, CLASSES - 1),
        "p": probabilities,
        "difficulty": st.sampled_from([0.0, 0.1, 1.5, float("nan")]),
        "suspicion": st.sampled_from([0.0, 0.5, 1.0, float("nan")]),
        "suggested": st.sampled_from([-1, 0, 1, 2, 4]),
        "decided": st.integers(-1, 4),
        "writer": st.integers(-1, 2),
    }
)
queries = st.builds(
    Query,
    group=st.sampled_from(["given", "none"]),
    sort=st.sampled_from(["index", "difficulty", "suspicion", "confidence"]),
    order=st.sampled_from([None, "asc", "desc"]),
    given=st.none() | st.integers(0, CLASSES - 1),
    predicted=st.none() | st.integers(0, CLASSES - 1),
    right=st.sampled_from([None, True, False]),
    suggested=st.sampled_from([None, "model", "label", "ambiguous", "fine"]),
    decided=st.sampled_from([None, "any", "none", *map(str, VERDICTS)]),
    meta=st.sampled_from([(), (("writer", "bob"),), (("writer", ""),)]),
)


def columns_of(rows: list[dict[str, Any]], *, model: bool, scores: bool) -> Columns:
    def column(name: str, dtype: type[np.generic]) -> Any:
        return np.array([row[name] for row in rows], dtype)

    p = column("p", np.float32)
    predicted = column("predicted", np.int16)
    p[predicted < 0] = np.nan
    return Columns(
        given=column("given", np.int16),
        model=ModelColumns(predicted, p, p) if model else None,
        scores=ScoreColumns(
            column("difficulty", np.float32),
            column("suspicion", np.float32),
            column("suggested", np.int8),
            np.full(len(rows), -1, np.int16),
        )
        if scores
        else None,
        decided=DecidedColumns(column("decided", np.int8), np.full(len(rows), -1, np.int16), 1),
        metadata={"writer": MetadataColumn(column("writer", np.int32), WRITER_NAMES, "text")},
    )


def wanted(row: dict[str, Any], query: Query, *, model: bool, scores: bool) -> bool:
    predicted = row["predicted"] if model else -1
    suggested = row["suggested"] if scores else -1
    decided = row["decided"]
    writer = "" if row["writer"] < 0 else WRITERS[row["writer"]]
    answers = [query.given in (None, row["given"])]
    if query.predicted is not None:
        answers.append(predicted == query.predicted)
    if query.right is not None:
        answers.append(predicted >= 0 and (predicted == row["given"]) == query.right)
    if query.suggested is not None:
        answers.append(suggested >= 0 and VERDICTS[suggested] == query.suggested)
    if query.decided == "any":
        answers.append(decided >= 0)
    elif query.decided == "none":
        answers.append(decided < 0)
    elif query.decided is not None:
        answers.append(decided >= 0 and VERDICTS[decided] == query.decided)
    answers += [writer == value for _, value in query.meta]
    return all(answers)


def rank(place: int, row: dict[str, Any], query: Query, *, model: bool, scores: bool) -> Any:
    group = row["given"] if query.group == "given" else 0
    value: float = place
    known = query.sort == "index"
    if query.sort == "confidence" and model:
        known, value = True, row["p"] if row["predicted"] >= 0 else float("nan")
    if query.sort in ("difficulty", "suspicion") and scores:
        known, value = True, row[query.sort]
    if not known:
        return group, False, place
    if value != value:
        return group, True, place
    up = query.order == "asc" or (query.order is None and query.sort == "index")
    return group, False, value if up else -value, place


@given(st.lists(images, max_size=30), queries, st.booleans(), st.booleans())
def test_a_view_is_what_plain_python_finds(
    rows: list[dict[str, Any]], query: Query, model: bool, scores: bool
) -> None:
    columns = columns_of(rows, model=model, scores=scores)
    mask, order = choose(query, columns), sort(query, columns)
    found = order if mask is None else order[mask[order]]
    expected = sorted(
        (at for at, row in enumerate(rows) if wanted(row, query, model=model, scores=scores)),
        key=lambda at: rank(at, rows[at], query, model=model, scores=scores),
    )
    assert found.tolist() == expected


def test_no_filter_needs_no_mask() -> None:
    columns = columns_of([], model=True, scores=True)
    assert choose(Query(), columns) is None


def test_metadata_that_there_are_not_are_refused() -> None:
    row = dict.fromkeys(("given", "predicted", "suggested", "decided", "writer"), 0)
    columns = columns_of([row | {"p": 1, "difficulty": 0, "suspicion": 0}], model=True, scores=True)
    with pytest.raises(ParameterError, match=r"meta: expected a column .*\(writer\). Got 'age'"):
        choose(Query(meta=(("age", "3"),)), columns)
    with pytest.raises(ParameterError, match=r"meta.writer: no image has the value 'zoe'"):
        choose(Query(meta=(("writer", "zoe"),)), columns)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array(["a", "", "ä", "1"], dtype=object), "text"),
        (np.array([0, -7, 2**53, 2**53 + 1]), "whole numbers"),
        (np.array([0.1, -1.5, 1e300, float("inf"), 3.0]), "numbers"),
        (np.array([True, False]), "yes/no"),
    ],
)
def test_each_value_is_found_by_its_text(values: Any, kind: str) -> None:
    column = MetadataColumn(np.arange(len(values), dtype=np.int32), values, kind)
    assert [column.find(column.text(code)) for code in range(len(values))] == [*range(len(values))]
    assert column.common(2) == [(column.text(0), 1), (column.text(1), 1)]
    for other in ("b", "1e0", "nan", "maybe", "0x1"):
        assert column.find(other) is None
