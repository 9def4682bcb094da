"""What a reader should be told of the readers' mean before he believes it, in sentences."""

from itertools import compress

from misread.analysis.reading.people import People


def tell_notes(measured: People) -> tuple[str, ...]:
    """What the mean of these readers leaves out, the weightiest first; nothing if it is nothing."""
    return tuple(
        note
        for note in (_limited(measured), _too_few(measured), _left_out(measured), _same(measured))
        if note
    )


def _limited(measured: People) -> str:
    together = measured.estimate.together
    if together.rounds == together.longest:
        return ""
    return (
        f"The mean is limited to the first {together.rounds:,} sampled answers of each reader, "
        f"since {together.shortest.name} gave only {together.rounds:,}; one reader gave "
        f"{together.longest:,}."
    )


def _too_few(measured: People) -> str:
    estimate = measured.estimate
    few = [tally for tally, counts in zip(estimate.tallies, estimate.counted, strict=True)
           if not counts]  # fmt: skip
    if not few:
        return ""
    told = ", ".join(f"{tally.reader.name} ({len(tally):,})" for tally in few)
    return (
        f"Not in the mean, with fewer than half of the {measured.plan.answers:,} planned answers: "
        f"{told}."
    )


def _left_out(measured: People) -> str:
    if not measured.left_out:
        return ""
    return (
        f"Left out by choice: {', '.join(measured.left_out)}. Leaving readers out after their "
        "answers were seen can make any figure: tell the one of all readers, too."
    )


def _same(measured: People) -> str:
    estimate = measured.estimate
    orders: dict[int, str] = {}
    for tally in compress(estimate.tallies, estimate.counted):
        reader = tally.reader
        if reader.number is None:
            continue
        if reader.number in orders:
            return (
                f"{orders[reader.number]} and {reader.name} read in the same order, and so the "
                "same sample: the interval takes samples for independent."
            )
        orders[reader.number] = reader.name
    return ""
