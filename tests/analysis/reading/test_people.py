from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from misread.analysis.reading.design import as_random_sample
from misread.analysis.reading.limits import Basis
from misread.analysis.reading.people import measure_people
from misread.analysis.reading.simulation import simulate_readers, two_rates
from misread.errors import ParameterError, ReadingsError
from misread.tables.readings import NO_ANSWER, Reader, Readings, find_repeats, join

Follow = Callable[..., Readings]
LABELS = np.zeros(200, np.int16)


def test_everything_at_once(plan_of: Any) -> None:
    plan = plan_of()
    wrong = np.isin(np.arange(200), plan.hard)
    readings = simulate_readers(plan, two_rates(plan, LABELS, 0.02, 0.4), 6, seed=0)
    found = measure_people(plan, LABELS, readings, {"one": wrong, "other": ~wrong})
    assert found.simulated
    assert len(found.estimate.readers) == len(found.estimate.tallies) == len(found.times) == 6
    assert found.estimate.together.basis == Basis.PLANNED
    assert found.estimate.together.people is not None
    assert [one.model for one in found.estimate.against] == ["one", "other"]
    assert [len(one) for one in found.estimate.apart] == [6, 6]
    assert found.slips[0].pairs == found.slips[1].pairs + found.slips[2].pairs == 18
    # Nothing was excluded: the same without exclusions.
    assert found.without_exclusions is found.estimate
    assert [one.excluded for one in found.exclusions] == [0] * 6


def test_results_with_and_without_exclusions(plan_of: Any, follow: Follow) -> None:
    plan = plan_of()
    readings = follow(plan, LABELS)
    answer = readings.answer.copy()
    answer[:3] = NO_ANSWER
    found = measure_people(plan, LABELS, replace(readings, answer=answer), {})
    assert found.estimate.readers[0].error.value == 0
    assert found.without_exclusions.readers[0].error.value > 0
    assert found.exclusions[0].missing == 3
    assert not found.simulated


def test_readers_without_answers_are_passed_over(plan_of: Any, follow: Follow) -> None:
    plan = plan_of()
    silent = follow(plan, LABELS, 0, 1, "silent")
    found = measure_people(plan, LABELS, join([silent, follow(plan, LABELS)]), {})
    assert [one.reader.name for one in found.estimate.readers] == ["ann"]
    with pytest.raises(ReadingsError, match=r"expected some\. Got none"):
        measure_people(plan, LABELS, silent, {})
    with pytest.raises(ParameterError, match="mistakes"):
        measure_people(plan, LABELS, follow(plan, LABELS), {"m": np.zeros(3, bool)})


def test_readings_made_elsewhere_have_anytime_intervals(plan_of: Any) -> None:
    """Said to be a random sample in random order; whoever read everything leaves nothing open."""
    generator = np.random.default_rng(0)
    index = np.concatenate([generator.permutation(200), generator.permutation(200)[:80]])
    answer = (index % 50 == 0).astype(int)
    readings = find_repeats(
        Readings(
            "test", ("ant", "bee", "cow"), "", (Reader("all"), Reader("some")),
            np.repeat([0, 1], [200, 80]), index, answer,
        )
    )  # fmt: skip
    plan = as_random_sample(plan_of().target)
    found = measure_people(plan, LABELS, readings, {})
    whole, part = found.estimate.readers
    assert whole.basis == part.basis == Basis.ANYTIME
    assert (whole.error.low, whole.error.value, whole.error.high) == (0.02, 0.02, 0.02)
    assert part.error.low <= 0.02 <= part.error.high
