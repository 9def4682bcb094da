from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.errors import ParameterError
from misread.views.gallery.query import MOST_SEED, Query, parse, parse_pairs, write

maybe = st.none()
numbers = st.integers(0, 40_000)
# A lone surrogate has no UTF-8, and so can't stand in a URL.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
queries = st.builds(
    Query,
    split=maybe | texts,
    model=maybe | texts,
    group=st.sampled_from(["given", "none"]),
    sort=st.sampled_from(["index", "difficulty", "suspicion", "confidence", "random"]),
    order=st.sampled_from([None, "asc", "desc"]),
    seed=st.integers(0, MOST_SEED),
    given=maybe | numbers,
    predicted=maybe | numbers,
    right=st.sampled_from([None, True, False]),
    suggested=st.sampled_from([None, "model", "label", "ambiguous", "fine"]),
    decided=st.sampled_from([None, "model", "unreadable", "any", "none"]),
    meta=st.dictionaries(texts, texts, max_size=3).map(lambda d: tuple(sorted(d.items()))),
    as_of=maybe | st.integers(0, 10**9),
    scores=st.booleans(),
)


@given(queries)
def test_a_query_written_to_a_url_is_read_back(query: Query) -> None:
    assert parse(write(query)) == query


def test_the_default_is_an_empty_query_string() -> None:
    assert write(Query()) == ""
    assert parse("") == Query()


def test_keys_may_come_in_any_order_and_are_written_in_one() -> None:
    assert write(parse("right=no&meta.b=2&split=test&meta.a=1&group=given")) == (
        "split=test&right=no&meta.a=1&meta.b=2"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bogus=1", "query: expected split, .* or meta.COLUMN. Got 'bogus' instead"),
        ("right=maybe", "right: expected yes, no. Got 'maybe' instead"),
        ("sort=size", "sort: expected index, .*Got 'size'"),
        ("given=-1", "given: expected a whole number"),
        ("given=٣", "given: expected a whole number"),
        ("given=1e3", "given: expected a whole number"),
        ("given=99999999999999", "given: expected a whole number"),
        ("seed=4294967296", "seed: expected 0 to 4294967295"),
        ("suggested=unreadable", "suggested: expected model, label, ambiguous, fine"),
        ("split=test&split=train", "split: expected once, found twice"),
        ("meta.a=1&meta.a=2", "meta.a: expected once, found twice"),
        ("split=%ff", "query: expected key=value"),
        ("split", "query: expected key=value"),
        ("split=" + "x" * 20_000, "query: expected 16,384 characters at most"),
    ],
)
def test_what_is_no_query_is_refused_in_one_line(text: str, line: str) -> None:
    with pytest.raises(ParameterError, match=line) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@given(st.lists(st.tuples(texts, texts), max_size=4))
def test_any_pairs_are_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        query = parse_pairs(pairs)
    except ParameterError as error:
        assert str(error).isprintable()
    else:
        assert parse(write(query)) == query


@pytest.mark.parametrize(
    ("fields", "ascending"),
    [
        ({"sort": "index"}, True),
        ({"sort": "random"}, True),
        ({"sort": "difficulty"}, False),
        ({"sort": "confidence"}, False),
        ({"sort": "confidence", "order": "asc"}, True),
        ({"sort": "index", "order": "desc"}, False),
    ],
)
def test_each_sort_has_its_usual_order(fields: dict[str, Any], ascending: bool) -> None:
    assert Query(**fields).ascending is ascending


def test_a_query_knows_what_it_needs() -> None:
    assert not Query(given=3, decided="any").needs_model
    assert Query(right=True).needs_model and Query(sort="confidence").needs_model
    assert Query(suggested="label").needs_scores and not Query(right=True).needs_scores


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"given: expected a number of 0 or more. Got -1"):
        Query(given=-1)
