"""What the panel says of MNIST's labels: the tables and pictures of docs/mnist.md.

    python benchmarks/mnist_labels.py STUDY [--pictures docs/images] [--json FILE]

STUDY is one of MNIST with out-of-sample predictions of both splits, such as `misread demo` makes.
Prints the suggested verdicts of growing panels, from one model to all of the study; how those of
one model fare once the others are asked; and the images whose label all together believe wrong.
Draws these, and the test images that it finds ambiguous.
"""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from machine import Machine, new_parser, print_table, write_json
from misread.datasets import Split
from misread.store import Study
from misread.tables import Origin
from misread.views.audit import Audit
from misread.views.pictures import save_png
from misread.views.tiles import ACCENT, FAINT, Tile, draw_grid
from misread.workflows.audit import audit

_VERDICTS = ("label", "ambiguous", "model")
_COLUMNS = 12


def members(study: Study, split: str) -> list[str]:
    """The runs that predict a split out of sample.

    Single networks come first, and among them those that know the nearest training images: no other
    can say by itself that a label is wrong.
    """
    found = [p for p in study.list_predictions(split) if p.origin != Origin.IN_SAMPLE]
    found.sort(key=lambda p: (p.is_mean, study.load_neighbours(p) is None, p.name))
    return [p.run_name for p in found]


def verdicts(found: Audit) -> dict[int, str]:
    """The suggested verdict on each listed image, by its position in the split."""
    index = found.evidence.panel.index
    return {int(index[row]): str(said.verdict) for row, said in found.suggestions.items()}


def places(found: Audit, verdict: str) -> list[int]:
    """Places of the images with this verdict, the most suspicious first."""
    return [int(row) for row in found.listed if found.suggestions[int(row)].verdict == verdict]


def draw_all(found: Audit, split: Split, verdict: str, path: Path) -> None:
    """Every image with a verdict, captioned with its position, given label and reading."""
    rows = [found.row(place) for place in places(found, verdict)]
    tiles = [
        Tile(
            split.images[row.index],
            (
                (f"{row.given} → {row.suggested_label or row.read_as}", ACCENT),
                (f"#{row.index}", FAINT),
            ),
        )
        for row in rows
    ]
    what = "label seems wrong" if verdict == "label" else verdict
    title = f"MNIST {split.name}: {len(rows)} images, {what}"
    subtitle = f"given label → what the panel of {found.evidence.panel.models} models reads"
    save_png(draw_grid(tiles, _COLUMNS, title, subtitle), path)


def examine(study: Study, split: str, pictures: Path | None) -> dict[str, Any]:
    """Print and draw what there is on one split."""
    dataset = study.load_dataset()
    names = members(study, split)
    panels = [audit(study, split, names[:n], dataset=dataset) for n in range(1, len(names) + 1)]
    rows = [
        (", ".join(names[:n]), *(f"{found.counts[verdict]}" for verdict in _VERDICTS))
        for n, found in enumerate(panels, start=1)
    ]
    print(f"\n{split} split, {len(panels[0]):,} images")
    print_table(("panel", *_VERDICTS), rows)
    one, all_of_them = verdicts(panels[0]), verdicts(panels[-1])
    moves = Counter(
        (one.get(index, "fine"), all_of_them.get(index, "fine"))
        for index in one.keys() | all_of_them.keys()
    )
    every = (*_VERDICTS, "fine")
    print(f"\nby {names[0]} alone (rows) and by the whole panel (columns)")
    print_table(("", *every), [(a, *(str(moves[a, b]) for b in every)) for a in every])
    whole = panels[-1]
    suspects = [whole.row(place) for place in places(whole, "label")]
    print("\n" + ", ".join(f"#{row.index} {row.given}→{row.suggested_label}" for row in suspects))
    if pictures is not None:
        draw_all(whole, dataset.splits[split], "label", pictures / f"mnist-{split}-labels.png")
        if split == "test":
            draw_all(whole, dataset.test, "ambiguous", pictures / "mnist-test-ambiguous.png")
        else:
            figure = whole.plot_places(whole.listed[:6], "Training digits whose label looks wrong")
            save_png(figure, pictures / "mnist-suspects.png")
    pairs = itertools.product(every, every)
    return {
        "panels": {", ".join(names[:n]): found.counts for n, found in enumerate(panels, start=1)},
        "moves": {f"{a} to {b}": moves[a, b] for a, b in pairs if moves[a, b]},
        "suspects": [
            {"index": row.index, "given": row.given, "suggested": row.suggested_label}
            for row in suspects
        ],
    }


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw them into this folder")
    options = parser.parse_args()
    machine = Machine.here(("misread", "numpy"))
    study = Study.open(options.study)
    results = {split: examine(study, split, options.pictures) for split in ("train", "test")}
    print(machine)
    write_json(options.json, machine, results)


if __name__ == "__main__":
    main()
