"""What `misread people` and `misread simulate-readers` print."""

from typing import TYPE_CHECKING, Any

from misread.analysis.reading.notes import tell_notes
from misread.cli.output.common import counted, new_table, print_json, print_table
from misread.cli.output.estimates import count, data, difference, percent, plain, rate, share

if TYPE_CHECKING:
    from misread.analysis.reading.adjudicated import PeopleAfter, RateAfter
    from misread.analysis.reading.answers import LabelReadings
    from misread.analysis.reading.comparison import Comparison
    from misread.analysis.reading.people import People
    from misread.analysis.reading.result import PeopleResult

_BETTER = {
    "model": "the model misreads less",
    "people": "people misread less",
    "unsettled": "not settled",
}
SIMULATED = "SIMULATED READERS: nothing here is about people."


def show_people(found: "PeopleResult", as_json: bool) -> None:
    """Print error rates of people, apart and together, and against each model."""
    if as_json:
        print_json(_json(found))
        return
    measured = found.people
    target = measured.plan.target
    if measured.simulated:
        print(SIMULATED)
    print(
        f"{target.dataset}, {target.split} split: {target.images:,} images; "
        f"{counted(len(measured.plan.hard), 'hard image')} for every reader"
    )
    print("misread by readers, of the hard images and of the others that they read:")
    _show_readers(measured)
    _show_models(measured)
    _show_quality(measured)
    if found.adjudicated is not None:
        _show_after(measured, found.adjudicated)
    called = int(found.labels.contradicted.sum())
    print(f"images that more readers call one other class than their given label: {called:,}")
    labelled = "As labelled. " if found.adjudicated is None else ""
    print(
        f"{labelled}Intervals ({measured.plan.confidence}) are about these {target.images:,} "
        "images and these readers, not about new images or other people."
    )


def _show_readers(measured: "People") -> None:
    plan = measured.plan
    error = f"error ({plan.confidence} interval)"
    table = new_table("reader", "answers", "hard", "others", error, "interval")
    estimate = measured.estimate
    for each, counts in zip(estimate.readers, estimate.counted, strict=True):
        blind = each.reader.blind or each.reader.simulated
        table.add_row(
            each.reader.name,
            f"{each.answers:,}",
            f"{each.census.wrong:g} of {each.census.items - each.census.unread:g}",
            f"{each.wrong:,} of {each.read - each.missing:,}",
            rate(each.error),
            str(each.basis) + ("" if blind else ", not blind") + ("" if counts else ", too few"),
        )
    together = estimate.together
    if together.readers > 1:
        table.add_row(
            f"these {together.readers}", "", f"{together.census.wrong:.3g}", "",
            rate(together.error), str(together.basis),
        )  # fmt: skip
    print_table(table)
    if together.people is not None:
        print(f"people like these, approximately: {rate(together.people)}")
    elif together.readers > 1:
        print("people in general: too few readers to say; 5 or more are needed")
    _show_blind(measured)
    for note in tell_notes(measured):
        print(note)
    if any(each.contradicts for each in estimate.readers):
        print("A reader's error rate changed as he went on: his anytime limits contradict.")
    if plan.brief:
        print("Images were shown for 200 ms and masked.")


def _show_blind(measured: "People") -> None:
    estimate = measured.estimate
    mean = [tally.reader for tally in estimate.counted_tallies]
    seen = [reader.name for reader in mean if not (reader.blind or reader.simulated)]
    if not seen:
        return
    print(f"not blind, since they had seen images or mistakes or did not say: {', '.join(seen)}")
    if measured.blind is not None:
        print(f"without them: {rate(measured.blind.error)}")


def _show_models(measured: "People") -> None:
    for each in measured.estimate.against:
        error = f"{100 * each.mistakes / each.images:.2f}%"
        print(f"against {each.model}, which misreads {each.mistakes:,} of these images ({error}):")
        said = _BETTER[str(each.better)] + _more(each)
        print(f"  people minus model: {difference(each.difference)} points: {said}")
        print(
            f"  images{_what(each, measured.estimate.together.readers)}: both wrong "
            f"{count(each.both)}, only the model {count(each.model_only)}, only people "
            f"{count(each.people_only)}"
        )
        print(f"  error consistency {plain(each.consistency)}")
        print(
            f"  people read {percent(each.read_right)} of its mistakes right; if they misread "
            f"nothing else, their error would be {rate(each.least_error)}: a lower bound, no "
            "estimate"
        )
    print()


def _show_quality(measured: "People") -> None:
    slips = measured.slips[0]
    if slips.pairs:
        print(
            f"read twice: {slips.pairs:,}; the same answer {share(slips.same)}; wrong both times "
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
        print(f"with every first answer: {rate(measured.without_exclusions.together.error)}")


def _show_after(measured: "People", after: "PeopleAfter") -> None:
    labels = after.labels
    print(
        f"after the decided verdicts on {counted(int(labels.reviewed.sum()), 'image')}: another "
        f"label {int(labels.changed.sum()):,}, refuted without another "
        f"{int(labels.refuted.sum()):,}, left open {int(labels.open.sum()):,}"
    )
    table = new_table("error", "as labelled", "after verdicts", "at best", "at worst")
    estimate = measured.estimate
    for reader, rates in zip(estimate.readers, after.readers, strict=True):
        table.add_row(reader.reader.name, *_four(rates))
    if estimate.together.readers > 1:
        table.add_row(f"these {estimate.together.readers}", *_four(after.together))
    for each, rates in zip(after.against, after.models, strict=True):
        run = each.model.partition(f".{measured.plan.target.split}.")[0]
        table.add_row(run, *_four(rates))
    print_table(table)
    for each in after.against:
        said = _BETTER[str(each.better)]
        print(f"  people minus {each.model}: {difference(each.difference)} points: {said}")
    if after.caution:
        print(after.caution)
    print()


def _four(rates: "RateAfter") -> tuple[str, str, str, str]:
    return (
        rate(rates.as_labelled), rate(rates.after),
        f"{100 * rates.lowest.value:.2f}%", f"{100 * rates.highest.value:.2f}%",
    )  # fmt: skip


def _more(each: "Comparison") -> str:
    if each.more == 0:
        return ""
    if each.more is None:
        return "; reading on would not settle it"
    return f"; about {each.more:,} more answers of each reader would settle it"


def _what(each: "Comparison", readers: int) -> str:
    """Why numbers of images aren't whole: means, and answers that stand for many images."""
    said = ["mean over the readers"] if readers > 1 else []
    if any(cell.low != cell.high for cell in (each.both, each.model_only, each.people_only)):
        said.append("estimated where limits are given")
    return f" ({', '.join(said)})" if said else ""


def _json(found: "PeopleResult") -> dict[str, Any]:
    measured, labels = found.people, found.labels
    estimate = measured.estimate
    return {
        "split": measured.plan.target.split,
        "images": measured.plan.target.images,
        "plan": measured.plan.hash,
        "confidence": 1 - measured.plan.alpha,
        "simulated": measured.simulated,
        "readers": [data(each) for each in estimate.readers],
        "together": data(estimate.together),
        "together_of": [tally.reader.name for tally in estimate.counted_tallies],
        "together_blind": data(measured.blind),
        "left_out": list(measured.left_out),
        "notes": list(tell_notes(measured)),
        "models": [data(each) for each in estimate.against],
        "each_reader_and_model": [[data(one) for one in row] for row in estimate.apart],
        "without_exclusions": data(measured.without_exclusions.together),
        "after_verdicts": None if found.adjudicated is None
        else _after_json(measured, found.adjudicated),
        "exclusions": [data(each) for each in measured.exclusions],
        "slips": dict(zip(("all", "hard", "others"), map(data, measured.slips), strict=True)),
        "response_times": [data(each) for each in measured.times],
        "called_something_else": called_json(labels),
    }  # fmt: skip


def called_json(labels: "LabelReadings") -> list[dict[str, int]]:
    """The images that readers call something else, those who contradict the label most first."""
    return [
        {"index": int(labels.index[row]), "given": int(labels.label[row]),
         "called": int(labels.majority[row]), "votes": int(labels.votes[row]),
         "votes_given": int(labels.votes_label[row]), "answers": int(labels.answers[row])}
        for row in labels.contradicted.nonzero()[0]
    ]  # fmt: skip


def _after_json(measured: "People", after: "PeopleAfter") -> dict[str, Any]:
    labels = after.labels
    numbers = {name: int(getattr(labels, name).sum())
               for name in ("reviewed", "changed", "refuted", "open")}  # fmt: skip
    return {
        **numbers,
        "readers": [
            {"reader": each.reader.name, **data(rates)}
            for each, rates in zip(measured.estimate.readers, after.readers, strict=True)
        ],
        "together": data(after.together),
        "models": [
            {"model": each.model, **data(rates), "against": data(each)}
            for each, rates in zip(after.against, after.models, strict=True)
        ],
        "caution": after.caution,
    }
