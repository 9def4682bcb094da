import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from misread.types import Array
from misread.views.gallery.sorting import grouped, order_by, runs, shuffled

floats = arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32, allow_subnormal=True))
labels = arrays(np.int16, st.integers(0, 60), elements=st.integers(0, 32_766))


@given(floats, st.booleans())
def test_the_order_is_that_of_a_stable_sort_with_nan_last(values: Array, ascending: bool) -> None:
    def key(place: int) -> tuple[bool, float]:
        value = float(values[place])
        if value != value:
            return True, 0.0
        return False, value if ascending else -value

    expected = sorted(range(len(values)), key=key)
    assert order_by(values, ascending=ascending).tolist() == expected


@given(labels, st.integers(0, 2**32 - 1))
def test_grouping_keeps_the_order_within_each_class(given_labels: Array, seed: int) -> None:
    order = shuffled(len(given_labels), seed)
    expected = sorted(order.tolist(), key=lambda place: given_labels[place])
    assert grouped(order, given_labels).tolist() == expected


@given(labels)
def test_runs_are_the_groups_of_equal_labels(found: Array) -> None:
    ordered = np.sort(found)
    expected = []
    for label in sorted(set(ordered.tolist())):
        places = [at for at, value in enumerate(ordered) if value == label]
        expected.append((label, places[0], len(places)))
    assert runs(ordered) == expected


def test_a_seed_fixes_the_random_order() -> None:
    assert shuffled(1_000, 7).tolist() == shuffled(1_000, 7).tolist()
    assert shuffled(1_000, 7).tolist() != shuffled(1_000, 8).tolist()
    assert sorted(shuffled(1_000, 7).tolist()) == list(range(1_000))


def test_orders_take_four_bytes_an_image() -> None:
    assert order_by(np.zeros(5, np.float32), ascending=False).dtype == np.int32
    assert shuffled(5, 0).dtype == np.int32
