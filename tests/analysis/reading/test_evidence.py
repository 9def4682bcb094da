import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from misread.analysis.reading.answers import label_readings
from misread.analysis.reading.evidence import place_readings
from misread.tables.answer_counts import count_by_image

CLASSES = ("a", "b", "c")


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 2)), max_size=60), st.data())
def test_every_answer_stands_beside_its_image(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=20, max_size=20)), np.int16)
    index = np.array(sorted(data.draw(st.sets(st.integers(0, 19)))), np.int32)
    image, answer = np.array(pairs, np.int64).reshape(-1, 2).T
    counts = count_by_image(CLASSES, image, answer, simulated=False)
    found = place_readings(label_readings(counts, labels), index, labels[index])
    known = [each for each in pairs if each[0] in index]
    assert (found is None) == (not known)
    if found is None:
        return
    for row, place in enumerate(index.tolist()):
        calls = [call for at, call in pairs if at == place]
        others = {k: calls.count(k) for k in set(calls) if k != labels[place]}
        assert found.answers[row] == len(calls)
        assert found.votes_given[row] == calls.count(labels[place])
        assert found.votes[row] == max(others.values(), default=0)
        assert others.get(int(found.called[row]), 0) == found.votes[row]
        assert found.contradicted[row] == (found.votes[row] > found.votes_given[row])
        if not others:
            assert found.called[row] == labels[place]


def test_programs_are_no_evidence() -> None:
    labels, images = np.zeros(3, np.int16), np.arange(3)
    counts = count_by_image(CLASSES, images, images, simulated=True)
    assert place_readings(label_readings(counts, labels), images.astype(np.int32), labels) is None
