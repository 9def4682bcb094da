"""What `misread reconstruct` prints."""

from typing import TYPE_CHECKING, Any

import numpy as np

from misread.cli.output.common import new_table, number, print_json, print_table, provenance_json

if TYPE_CHECKING:
    from misread.tables import Reconstructions
    from misread.workflows.reconstruct import ShownReconstructions

_MOST_ROWS = 20


def show_reconstructions(shown: "ShownReconstructions", as_json: bool) -> None:
    """Print the mean errors of the split, and the errors of the images that are shown."""
    table, rows = shown.table, [_row(shown.table, int(index)) for index in shown.shown]
    means = _means(table)
    if as_json:
        print_json(
            provenance_json(table.provenance)
            | {
                "images_reconstructed": len(table),
                "drawings_kept": len(table.drawn),
                "mean_error": {name: number(mean) for name, (_, mean) in means.items()},
                "draws_alike": table.draws_alike,
                "images": rows,
                "picture": None if shown.picture is None else str(shown.picture),
            }
        )
        return
    print(f"{table.provenance.name}: reconstructions of {len(table):,} images")
    told = ", ".join(f"{name} {mean:.4f} (n = {n:,})" for name, (n, mean) in means.items() if n)
    print(f"mean squared error per pixel, of values in [0, 1]: {told}")
    if table.draws_alike:
        print("the decoder draws nearly the same image for every class: train longer")
    if rows:
        _show_rows(rows)
        if not shown.asked:
            print(_order(rows))
    if not shown.by_panel:
        print(
            "Nothing has predicted this split out of sample: the most difficult images are those "
            "that are drawn worst."
        )
    if shown.picture is not None:
        print(shown.picture)


def _show_rows(rows: list[dict[str, Any]]) -> None:
    columns = ("image", "given", "read as", "error as given", "error as read", "drawn worse")
    listed = new_table(*columns)
    for row in rows[:_MOST_ROWS]:
        listed.add_row(
            f"#{row['index']}",
            row["given"],
            row["predicted"],
            f"{row['error_given']:.4f}",
            f"{row['error_predicted']:.4f}",
            f"{100 * (1 - row['share_better']):.1f}%",
        )
    print_table(listed)
    print("drawn worse: the share of the split that is drawn worse than this image, as read")
    if len(rows) > _MOST_ROWS:
        print(f"the first {_MOST_ROWS} of {len(rows):,}; --json lists all")


def _order(rows: list[dict[str, Any]]) -> str:
    mistakes = sum(row["given"] != row["predicted"] for row in rows)
    return (
        f"in this order: {mistakes:,} misread, then {len(rows) - mistakes:,} others that are "
        "difficult, the most difficult of each first"
    )


def _means(table: "Reconstructions") -> dict[str, tuple[int, float]]:
    """Numbers of images and their mean errors: those read as given, and the mistakes both ways."""
    wrong = table.predicted != table.given
    parts = {
        "read as given": table.error_predicted[~wrong],
        "misread, as predicted": table.error_predicted[wrong],
        "misread, as given": table.error_given[wrong],
    }
    return {
        name: (len(errors), float(np.mean(errors, dtype=np.float64)) if len(errors) else np.nan)
        for name, errors in parts.items()
    }


def _row(table: "Reconstructions", index: int) -> dict[str, Any]:
    classes, row = table.provenance.classes, table.row(index)
    error = table.error_predicted[row]
    return {
        "index": index,
        "given": classes[table.given[row]],
        "predicted": classes[table.predicted[row]],
        "error_given": float(table.error_given[row]),
        "error_predicted": float(error),
        "share_better": float(table.share_better(error)),
    }
