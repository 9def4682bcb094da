"""What `misread people` and `misread simulate-readers` print."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import new_table, print_json, print_table

if TYPE_CHECKING:
    from pathlib import Path

    from misread.analysis.intervals import Estimate, Rate
    from misread.analysis.reading.comparison import Comparison
    from misread.analysis.reading.people import People
    from misread.analysis.reading.result import PeopleResult
    from misread.tables.readings import Readings

_BETTER = {
    "model": "the model misreads less",
    "people": "people misread less",
    "unsettled": "not settled",
}
_SIMULATED = "SIMULATED READERS: nothing here is about people."


def show_people(found: "PeopleResult", as_json: bool) -> None:
    """Print error rates of people, apart and together, and against each model."""
    if as_json:
        print_json(_json(found))
        return
    measured = found.people
    target = measured.plan.target
    if measured.simulated:
        print(_SIMULATED)
    print(
        f"{target.dataset}, {target.split} split: {target.images:,} images, of which "
        f"{len(measured.plan.hard):,} hard ones are read by everyone"
    )
    print("misread by readers, of the hard images and of the others that they read:")
    _show_readers(measured)
    _show_models(measured)
    _show_quality(measured)
    if found.adjudicated is not None:
        after = found.adjudicated.estimate.together.error
        print(f"after the decided verdicts: {_rate(after)}")
    called = int(found.labels.contradicted.sum())
    print(f"images that more readers call one other class than their given label: {called:,}")
    print(
        f"As labelled. Intervals ({measured.plan.confidence}) are about these {target.images:,} "
        "images and these readers, not about new images or other people."
    )


def show_imported(readings: "Readings", name: str, as_json: bool) -> None:
    """Print whose readings were brought in."""
    if as_json:
        print_json({"name": name, **_about(readings)})
        return
    print(f"{name}: {_told_readings(readings)}")
    if not readings.design:
        print(
            "They follow no plan of this study: `misread people --random-order` takes them for a "
            "random sample in random order"
        )


def show_exported(path: "Path", readings: "Readings", as_json: bool) -> None:
    """Print what was written where."""
    if as_json:
        print_json({"path": str(path), **_about(readings)})
        return
    print(f"{_told_readings(readings)}\n{path}")


def _told_readings(readings: "Readings") -> str:
    marked = ", simulated" if readings.simulated else ""
    readers = f"{len(readings.readers)} reader" + ("" if len(readings.readers) == 1 else "s")
    return f"{len(readings):,} answers of {readers} on the {readings.split} split{marked}"


def _about(readings: "Readings") -> dict[str, Any]:
    return {
        "split": readings.split,
        "answers": len(readings),
        "readers": [reader.name for reader in readings.readers],
        "simulated": readings.simulated,
        "plan": readings.design,
    }


def _show_readers(measured: "People") -> None:
    plan = measured.plan
    error = f"error ({plan.confidence} interval)"
    table = new_table("reader", "answers", "hard", "others", error, "")
    for each in measured.estimate.readers:
        table.add_row(
            each.reader.name,
            f"{each.answers:,}",
            f"{each.census.wrong:g} of {each.census.items - each.census.unread:g}",
            f"{each.wrong:,} of {each.read - each.missing:,}",
            _rate(each.error),
            str(each.basis) + ("" if each.reader.blind else ", not blind"),
        )
    together = measured.estimate.together
    if together.readers > 1:
        table.add_row(
            f"these {together.readers}", "", f"{together.census.wrong:.3g}", "",
            _rate(together.error), str(together.basis),
        )  # fmt: skip
    print_table(table)
    if together.people is not None:
        print(f"people like these, approximately: {_rate(together.people)}")
    elif together.readers > 1:
        print("people in general: too few readers to say; 5 or more are needed")
    if any(each.contradicts for each in measured.estimate.readers):
        print("A reader's error rate changed as he went on: his anytime limits contradict.")
    if plan.brief:
        print("Images were shown for 200 ms and masked.")


def _show_models(measured: "People") -> None:
    for each in measured.estimate.against:
        error = f"{100 * each.mistakes / each.images:.2f}%"
        print(f"against {each.model}, which misreads {each.mistakes:,} of these images ({error}):")
        said = _BETTER[str(each.better)] + _more(each)
        print(f"  people minus model: {_difference(each.difference)} points: {said}")
        print(
            f"  both wrong {_count(each.both)}, only the model {_count(each.model_only)}, only "
            f"people {_count(each.people_only)}"
        )
        print(f"  error consistency {_plain(each.consistency)}")
        print(
            f"  people read {_percent(each.read_right)} of its mistakes right; if they misread "
            f"nothing else, their error were {_rate(each.least_error)}: a lower bound, no estimate"
        )
    print()


def _show_quality(measured: "People") -> None:
    slips = measured.slips[0]
    if slips.pairs:
        print(
            f"read twice: {slips.pairs:,}; the same answer {_share(slips.same)}; wrong both times "
            f"in the same way {slips.misreadings}, slips {slips.slips + slips.later_slips}"
        )
    for times in measured.times:
        if times.all.answers:
            print(
                f"{times.reader.name}: {times.all.median:,.0f} ms an answer (median), "
                f"{times.all.low:,.0f} to {times.all.high:,.0f} for eight in ten"
                + (f"; where wrong {times.wrong.median:,.0f}" if times.wrong.answers else "")
            )
    for each in measured.exclusions:
        if each.excluded:
            print(
                f"{each.reader.name}: {each.excluded:,} of {each.answers:,} first answers excluded "
                f"by the plan's rules ({each.too_fast} too fast, {each.unfocused} after the page "
                f"lost the focus, {each.unanswered} without an answer), {each.missing} not read "
                "again"
            )
    if any(each.excluded for each in measured.exclusions):
        print(f"with every first answer: {_rate(measured.without_exclusions.together.error)}")


def _more(each: "Comparison") -> str:
    if each.more == 0:
        return ""
    if each.more is None:
        return "; reading on would not settle it"
    return f"; about {each.more:,} more answers of each reader would settle it"


def _rate(estimate: "Estimate") -> str:
    return _told(estimate, "{:.2f}%", "{:.2f}", 100)


def _percent(estimate: "Estimate") -> str:
    return _told(estimate, "{:.0f}%", "{:.0f}", 100)


def _difference(estimate: "Estimate") -> str:
    return _told(estimate, "{:+.2f}", "{:+.2f}", 100)


def _count(estimate: "Estimate") -> str:
    return _told(estimate, "{:.3g}", "{:.3g}", 1)


def _plain(estimate: "Estimate") -> str:
    return _told(estimate, "{:.2f}", "{:.2f}", 1)


def _told(estimate: "Estimate", first: str, others: str, times: float) -> str:
    """A number with its interval, where it has one."""
    value, low, high = (times * part for part in (estimate.value, estimate.low, estimate.high))
    if math.isnan(value):
        return "not known"
    told = first.format(value)
    return told if low == high else f"{told} ({others.format(low)} to {others.format(high)})"


def _share(rate: "Rate") -> str:
    return f"{100 * rate.value:.0f}% ({100 * rate.low:.0f} to {100 * rate.high:.0f})"


def _json(found: "PeopleResult") -> dict[str, Any]:
    measured, labels = found.people, found.labels
    estimate = measured.estimate
    return {
        "split": measured.plan.target.split,
        "images": measured.plan.target.images,
        "plan": measured.plan.hash,
        "confidence": 1 - measured.plan.alpha,
        "simulated": measured.simulated,
        "readers": [_data(each) for each in estimate.readers],
        "together": _data(estimate.together),
        "models": [_data(each) for each in estimate.against],
        "each_reader_and_model": [[_data(one) for one in row] for row in estimate.apart],
        "without_exclusions": _data(measured.without_exclusions.together),
        "adjudicated": None if found.adjudicated is None
        else _data(found.adjudicated.estimate.together),
        "exclusions": [_data(each) for each in measured.exclusions],
        "slips": dict(zip(("all", "hard", "others"), map(_data, measured.slips), strict=True)),
        "response_times": [_data(each) for each in measured.times],
        "called_something_else": [
            {"index": int(labels.index[row]), "given": int(labels.label[row]),
             "called": int(labels.majority[row]), "votes": int(labels.votes[row]),
             "votes_given": int(labels.votes_label[row]), "answers": int(labels.answers[row])}
            for row in labels.contradicted.nonzero()[0]
        ],
    }  # fmt: skip


def _data(value: Any) -> Any:
    """A dataclass of numbers as JSON has it: no NaN."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _data(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value
