"""What `misread compare` prints."""

import sys
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import new_table, print_json, print_table
from misread.views.html.formats import decimal, limits, p_value, percent, rate
from misread.views.pages import to_json
from misread.views.times import duration

if TYPE_CHECKING:
    from misread.views.pages.compare import ComparePage
    from misread.views.pages.compared import ComparedPeople, TrainingGroup
    from misread.views.pages.parts import Interval, Share
    from misread.workflows.compare import Compared

# Rows of a table; --json lists all.
_MOST = 30
_ANYTIME = "the interval holds wherever reading stopped"


def show_compared(found: "Compared", as_json: bool) -> None:
    """Print models, people and the literature side by side."""
    page = found.page
    if page.readings_problem:
        print(f"without people: {page.readings_problem}", file=sys.stderr)
    if as_json:
        print_json(_json(found))
        return
    several = "" if len(page.models) == 1 else f", against {page.reference}"
    oldest = "" if page.chosen or not several else ", the oldest run"
    print(f"{page.split}: {page.images:,} images{several}{oldest}")
    _show_models(page)
    _show_pairs(page)
    _show_costs(page)
    if page.people is not None:
        _show_people(page.people)
    for group in page.trainings:
        told = f"{len(group.runs)} trainings of {group.name}: {_percent(group.mean)} on average"
        print(f"{told}, {_over(group)}; standard deviation {100 * group.deviation:.2f} points")
    for quoted in page.quoted:
        print(f"quoted, not measured here: {quoted.name}, {_rate(quoted.error)}; {quoted.source}")
    for name in page.left_out:
        print(f"left out, not of all images: {name}")
    for text in (page.target, page.corrected, page.choice):
        if text:
            print(text)
    if found.picture is not None:
        print(found.picture)
    for path in found.pairs:
        print(path)
    if found.problem:
        print(found.problem, file=sys.stderr)


def _show_models(page: "ComparePage") -> None:
    table = new_table("model", "misread", "error", "")
    for one in page.best(_MOST):
        kind = "mean of its folds" if one.kind == "folds" else ""
        table.add_row(one.run, f"{one.error.count:,}", _rate(one.error), kind)
    print_table(table, whole=True)
    hidden = page.hidden_models + max(0, len(page.models) - _MOST)
    if hidden:
        print(f"the best {_MOST} of {hidden + _MOST:,}; --json lists all\n")
    if len(page.models) == 1:
        way_out = "name two models" if page.selected else "`misread run` trains another model"
        print(f"nothing to hold it against: {way_out}")


def _show_pairs(page: "ComparePage") -> None:
    if not page.pairs:
        return
    table = new_table("model", "difference, points", "p", "corrected", "")
    table.columns[2].justify = table.columns[3].justify = "right"
    listed = {one.run for one in page.best(_MOST)}
    pairs = [pair for pair in page.pairs if pair.run in listed]
    for pair in pairs:
        p, corrected = p_value(pair.p_value), p_value(pair.corrected)
        settled = "" if pair.better == "unsettled" else pair.better
        table.add_row(pair.run, _points(pair.difference), p, corrected, settled)
    print_table(table, whole=True)
    table = new_table("misread by", "only it", "only the other", "both", "error consistency")
    for pair in pairs:
        counts = (pair.only.images, pair.only_reference.images, pair.both)
        table.add_row(pair.run, *(f"{count:,}" for count in counts), _plain(pair.consistency))
    print_table(table, whole=True)


def _show_costs(page: "ComparePage") -> None:
    known = [one for one in page.models[:_MOST] if one.networks is not None]
    if not known:
        return
    table = new_table("training", "networks", "parameters", "trained on", "epochs", "time")
    for one in known:
        counts = (one.networks, one.parameters, one.images, one.epochs)
        time = "-" if one.seconds is None else duration(one.seconds)
        table.add_row(one.run, *(_known(count) for count in counts), time)
    print_table(table, whole=True)


def _show_people(people: "ComparedPeople") -> None:
    whose = f"{people.readers} reader" + ("" if people.readers == 1 else "s")
    if people.simulated:
        print("SIMULATED READERS: nothing here is about people.")
    holds = "reading stopped as planned" if people.basis == "planned" else _ANYTIME
    after = f"after {people.answers:,} answer{'' if people.answers == 1 else 's'}"
    after += " in all" if people.readers > 1 else ""
    print(
        f"{whose}: {_percent(people.error)}{_in_brackets(limits(people.error))}, {after}; {holds}"
    )
    table = new_table("people against", "difference, points", "misreads less", "error consistency")
    for one in people.against[:_MOST]:
        better = "not settled" if one.better == "unsettled" else one.better
        table.add_row(one.run, _points(one.difference), better, _plain(one.consistency))
    print_table(table, whole=True)


def _json(found: "Compared") -> dict[str, Any]:
    content: dict[str, Any] = to_json(found.page)
    picture = None if found.picture is None else str(found.picture)
    pictures = {"picture": picture, "pairs": [str(path) for path in found.pairs]}
    return content | {"pictures": pictures}


def _rate(share: "Share") -> str:
    return f"{rate(share)}{_in_brackets(limits(share))}"


def _percent(interval: "Interval") -> str:
    return "not known" if interval.value is None else percent(interval)


def _over(group: "TrainingGroup") -> str:
    if group.mean.low is None:
        return f"too {'few' if group.deviation else 'much alike'} for an interval"
    return f"95% interval over trainings{_in_brackets(limits(group.mean))}"


def _points(interval: "Interval") -> str:
    """A difference in percentage points: `+0.36 (-0.06 to 0.74)`."""
    if interval.value is None:
        return "not known"
    return f"{decimal(100 * interval.value, '+')}{_in_brackets(limits(interval))}"


def _plain(interval: "Interval") -> str:
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return decimal(interval.value)
    return f"{decimal(interval.value)} ({decimal(interval.low)} to {decimal(interval.high)})"


def _in_brackets(told: str) -> str:
    return f" ({told})" if told else ""


def _known(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
