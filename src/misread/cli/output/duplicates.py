"""What `misread duplicates` prints."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import counted, new_table, plain, print_json, print_table

if TYPE_CHECKING:
    from misread.workflows.duplicates import DuplicatesResult

_MOST_ROWS = 20


def show_duplicates(result: "DuplicatesResult", as_json: bool) -> None:
    """Print the worst pairs, and how many there are of each kind."""
    from misread.analysis.duplicates import KINDS

    found = result.duplicates
    kinds = Counter(found.pairs.kind.tolist())
    if as_json:
        print_json(_json(result, {kind: kinds[kind] for kind in KINDS}))
        return
    print(
        f"{result.dataset.name}: {counted(len(found.pairs), 'pair')} in "
        f"{counted(len(found.groups), 'group')}, among {counted(found.images, 'image')}"
    )
    if kinds:
        print(", ".join(f"{kind} {kinds[kind]:,}" for kind in KINDS if kinds[kind]))
        _print_pairs(result)
    print(
        f"Complete: every pair of images of one size whose pixels differ by {found.distance:g} of "
        "the range or less, root mean square."
    )
    if "leak" in kinds or "leak+conflict" in kinds:
        print("A near pair may also be two simple shapes drawn apart: look at the picture.")
    for path in (result.picture, result.table):
        if path is not None:
            print(path)


def _print_pairs(result: "DuplicatesResult") -> None:
    pairs, classes = result.duplicates.pairs, result.dataset.classes
    table = new_table("kind", "distance", "image", "given", "and", "given")
    for i in range(min(len(pairs), _MOST_ROWS)):
        table.add_row(
            str(pairs.kind[i]),
            f"{pairs.distance[i]:.4f}" if pairs.distance[i] else "identical",
            _image(result, pairs.split_a[i], int(pairs.index_a[i])),
            classes[pairs.given_a[i]],
            _image(result, pairs.split_b[i], int(pairs.index_b[i])),
            classes[pairs.given_b[i]],
        )
    print_table(table)
    if len(pairs) > _MOST_ROWS:
        print(f"the worst {_MOST_ROWS} of {len(pairs):,}; --output FILE.csv writes all")


def _image(result: "DuplicatesResult", split: str, index: int) -> str:
    """Where an image is: its position, and its file where there is one."""
    file = result.dataset.splits[split].file(index)
    return f"{split} #{index}" + ("" if file is None else f"\n{plain(file)}")


def _json(result: "DuplicatesResult", kinds: dict[str, int]) -> dict[str, Any]:
    from misread.workflows.duplicates import pair_columns

    found, classes = result.duplicates, result.dataset.classes
    columns = pair_columns(found.pairs, result.dataset)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return {
        "dataset": result.dataset.name,
        "images": found.images,
        "distance": found.distance,
        "kinds": kinds,
        "pairs": [dict(zip(columns, row, strict=True)) for row in rows],
        "groups": [
            {
                "kind": group.kind,
                "identical": group.identical,
                "images": [
                    _copy_json(result, copy.split, copy.index) | {"given": classes[copy.given]}
                    for copy in group.copies
                ],
            }
            for group in found.groups
        ],
        "picture": None if result.picture is None else str(result.picture),
        "table": None if result.table is None else str(result.table),
    }


def _copy_json(result: "DuplicatesResult", split: str, index: int) -> dict[str, Any]:
    file = result.dataset.splits[split].file(index)
    return {"split": split, "index": index} | ({} if file is None else {"file": file})
