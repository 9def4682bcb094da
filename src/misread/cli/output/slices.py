"""What an import of metadata and `misread slices` print."""

import math
import shlex
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import (
    new_table,
    number,
    print_json,
    print_table,
    provenance_json,
    rate_json,
)
from misread.cli.output.estimates import difference

if TYPE_CHECKING:
    from misread.analysis.intervals import Estimate
    from misread.analysis.slices import SliceError
    from misread.workflows.metadata import ImportedMetadata
    from misread.workflows.slices import Slices

_MOST_ROWS = 20


def show_metadata(imported: "ImportedMetadata", as_json: bool) -> None:
    """Print what came in, and what is known now."""
    splits = imported.splits
    if as_json:
        print_json(
            {
                "study": str(imported.study.path),
                "columns": list(imported.columns),
                "by_position": imported.by_position,
                "splits": {
                    name: {
                        "images": len(known),
                        "rows": imported.rows[name],
                        "cluster": known.cluster,
                        "columns": {
                            column: {
                                "kind": known.kind(column),
                                "values": len(known.values(column)[1]),
                                "missing": known.missing(column),
                            }
                            for column in known.columns
                        },
                    }
                    for name, known in splits.items()
                },
            }
        )
        return
    if not imported.by_position:
        print("no column 'index' or 'file': the rows were taken as the split's images in order")
    for name, known in splits.items():
        print(f"{name} split: rows for {imported.rows[name]:,} of {len(known):,} images")
        table = new_table("column", "what", "values", "missing", "")
        for column in known.columns:
            table.add_row(
                column,
                known.kind(column),
                f"{len(known.values(column)[1]):,}",
                f"{known.missing(column):,}",
                "images cluster by it" if column == known.cluster else "",
            )
        print_table(table)
    study = shlex.quote(str(imported.study.path))
    column, name = shlex.quote(imported.columns[0]), list(splits)[-1]
    print(f"misread slices --by {column} --split {name} --study {study}")


def show_slices(found: "Slices", as_json: bool) -> None:
    """Print error rates, worst first."""
    errors = found.errors
    if as_json:
        print_json(_slices_json(found))
        return
    binned = ", in quantiles" if found.binned else ""
    print(f"{found.provenance.name} by {found.by}{binned}")
    table = new_table("value", "misread", "error (interval)", "minus the rest's")
    for part in errors.slices[:_MOST_ROWS]:
        table.add_row(
            part.name,
            f"{part.error.count:,} of {part.error.total:,}",
            str(part.error),
            _points(part.difference) + (" *" if part.difference.differs else ""),
        )
    print_table(table)
    if any(part.difference.differs for part in errors.slices[:_MOST_ROWS]):
        print("* differs from all other slices together")
    if len(errors.slices) > _MOST_ROWS:
        print(f"the worst {_MOST_ROWS} of {len(errors.slices):,}; --json lists all")
    for line in _notes(found):
        print(line)
    print(found.path)


def _notes(found: "Slices") -> list[str]:
    from misread.analysis.slices import target_text

    errors, cluster = found.errors, found.cluster
    level = f"{100 * errors.level:g}%"
    target = target_text(errors, cluster)
    if len(errors.slices) == 1:
        lines = [f"The interval (exact, as labelled, {level}) is for {target}."]
    else:
        lines = [
            (
                "Intervals and differences (exact, as labelled) hold together for all "
                f"{len(errors.slices):,} slices at {level}, for {target}."
            )
        ]
    if errors.clusters is None:
        lines.append(
            "Where images belong together (a writer, a patient), they are too narrow: say so with "
            "`misread import metadata FILE --cluster COLUMN`."
        )
    if errors.target == "new clusters":
        widest = max(part.design_effect for part in errors.slices)
        lines.append(
            f"Images cluster by {cluster} ({errors.clusters:,} in all); by a bootstrap over them, "
            f"variances are up to {widest:.1f} times those of independent images."
        )
    if found.alone:
        lines.append(f"{found.alone:,} images without a {cluster} count as one cluster each.")
    lines.append(f"All images: {errors.overall} if they were independent (Wilson, {level})")
    if errors.overall_clustered is not None:
        lines[-1] += f",\n            {errors.overall_clustered} for images of a new {cluster}"
    return lines


def _points(estimate: "Estimate") -> str:
    return "no other slice" if math.isnan(estimate.value) else difference(estimate)


def _slices_json(found: "Slices") -> dict[str, Any]:
    errors = found.errors
    clustered = errors.overall_clustered
    return provenance_json(found.provenance) | {
        "by": found.by,
        "binned": found.binned,
        "cluster": found.cluster,
        "clusters": errors.clusters,
        "images_without_cluster": found.alone,
        "target": str(errors.target),
        "level": errors.level,
        "each_level": errors.each_level,
        "error": rate_json(errors.overall),
        "error_new_clusters": None if clustered is None else rate_json(clustered),
        "slices": [_slice_json(part) for part in errors.slices],
        "picture": str(found.path),
    }


def _slice_json(part: "SliceError") -> dict[str, Any]:
    to_others = part.difference
    return {
        "value": part.name,
        "error": rate_json(part.error),
        "difference": {
            "value": number(to_others.value),
            "low": number(to_others.low),
            "high": number(to_others.high),
            "differs": to_others.differs,
        },
        "clusters": part.clusters,
        "design_effect": part.design_effect,
    }
