"""What `misread people` prints of readings that follow no plan."""

from typing import TYPE_CHECKING, Any

from misread.cli.output.common import counted, new_table, number, print_json, print_table
from misread.cli.output.people import SIMULATED, called_json

if TYPE_CHECKING:
    from misread.analysis.reading.described import Described, ModelOnRead

# Pairs of classes that are told of.
_PAIRS = 8
_SEEN = {
    "nothing": "",
    "images": "had seen the images",
    "mistakes": "had seen a model's mistakes",
    "unknown": "blind or not, it isn't known",
}
WAY_OUT = (
    "No plan says which images were left out, so no error rate of all images follows. If each "
    "reader read a random sample in random order, `misread people --readings NAME --random-order` "
    "has intervals; `misread plan` and `misread read` measure it."
)


def show_described(found: "Described", as_json: bool) -> None:
    """Print what was answered: by whom, otherwise than labelled, beside each model."""
    if as_json:
        print_json(_json(found))
        return
    if found.simulated:
        print(SIMULATED)
    read = len(found.labels)
    whose = f" by {counted(len(found.readers), 'reader')}" if found.readers else ""
    print(
        f"{found.split} split: {read:,} of {counted(found.images, 'image')} read, "
        f"{found.error.total:,} answers{whose} ({', '.join(found.names)})"
    )
    _show_readers(found)
    if found.pairs:
        share = 100 * found.agreeing / found.pairs
        print(f"two answers to one image are the same: {share:.1f}% of {found.pairs:,} pairs")
    for each in found.models:
        _show_model(each)
    _show_confusion(found)
    called = int(found.labels.contradicted.sum())
    print(f"images that more readers call one other class than their given label: {called:,}")
    print(f"As labelled, and about these answers only. {WAY_OUT}")


def _show_readers(found: "Described") -> None:
    table = new_table("reader", "answers", "otherwise than labelled", "")
    for each in found.readers:
        seen = "" if each.reader.simulated else _SEEN[str(each.reader.seen)]
        table.add_row(each.reader.name, f"{each.answers:,}", _share(each.wrong, each.answers), seen)
    if len(found.readers) != 1:
        error = found.error
        table.add_row("all answers", f"{error.total:,}", _share(error.count, error.total), "")
    print_table(table)


def _show_model(each: "ModelOnRead") -> None:
    cells = each.cells
    print(
        f"against {each.model}, which misreads {_share(each.mistakes, each.images)} of these "
        f"{counted(each.images, 'image')}:"
    )
    print(
        f"  more than half of their readers misread {len(cells.both) + len(cells.people_only):,}: "
        f"both wrong {len(cells.both):,}, only the model {len(cells.model_only):,}, only people "
        f"{len(cells.people_only):,}, neither {len(cells.neither):,}"
        + (f", readers divided {len(cells.divided):,}" if len(cells.divided) else "")
    )
    kappa = "not defined" if number(each.consistency) is None else f"{each.consistency:.2f}"
    print(f"  error consistency, over all answers: {kappa}")


def _show_confusion(found: "Described") -> None:
    pairs = _pairs(found)
    if pairs:
        told = ", ".join(
            f"{pair['given']} as {pair['read_as']} {pair['answers']:,}" for pair in pairs[:_PAIRS]
        )
        print(f"most often read otherwise: {told}")


def _share(part: int, total: int) -> str:
    return f"{part:,} ({100 * part / total:.2f}%)" if total else "-"


def _pairs(found: "Described") -> list[dict[str, Any]]:
    confusion, classes = found.confusion, found.counts.classes
    wrong = confusion.label != confusion.read_as
    rows = zip(
        confusion.label[wrong].tolist(), confusion.read_as[wrong].tolist(),
        confusion.images[wrong].tolist(), strict=True,
    )  # fmt: skip
    ranked = sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
    return [
        {"given": classes[given], "read_as": classes[read_as], "answers": round(answers)}
        for given, read_as, answers in ranked
    ]


def _json(found: "Described") -> dict[str, Any]:
    return {
        "split": found.split,
        "images": found.images,
        "plan": None,
        "simulated": found.simulated,
        "tables": list(found.names),
        "images_read": len(found.labels),
        "answers": found.error.total,
        "wrong": found.error.count,
        "readers": [
            {"reader": each.reader.name, "seen": str(each.reader.seen), "answers": each.answers,
             "wrong": each.wrong}
            for each in found.readers
        ],
        "pairs": found.pairs,
        "agreeing_pairs": found.agreeing,
        "models": [
            {"model": each.model, "images": each.images, "mistakes": each.mistakes,
             "both": len(each.cells.both), "model_only": len(each.cells.model_only),
             "people_only": len(each.cells.people_only), "neither": len(each.cells.neither),
             "divided": len(each.cells.divided),
             "consistency": number(each.consistency)}
            for each in found.models
        ],
        "confusion": _pairs(found),
        "called_something_else": called_json(found.labels),
        "way_out": WAY_OUT,
    }  # fmt: skip
