"""What `misread datasets` and `misread models` print."""

from misread.cli.output.common import new_table, print_json, print_table


def show_datasets(as_json: bool) -> None:
    """Print the built-in datasets."""
    from misread.datasets import BUILTIN

    if as_json:
        print_json(
            {
                "datasets": [
                    {
                        "name": entry.name,
                        "summary": entry.summary,
                        "sizes": dict(entry.sizes),
                        "licence": entry.licence,
                    }
                    for entry in BUILTIN.values()
                ]
            }
        )
        return
    table = new_table("name", "images", "licence", "what")
    for entry in BUILTIN.values():
        sizes = ", ".join(f"{name} {size:,}" for name, size in entry.sizes.items())
        table.add_row(entry.name, sizes, entry.licence, entry.summary)
    print_table(table)
    print(
        "or a path: a folder of images (ROOT/SPLIT/CLASS or ROOT/CLASS), of IDX files (gzipped or "
        "not) or of Parquet files, a Parquet file, or an .npz file"
    )


def show_models(as_json: bool) -> None:
    """Print the networks and their recipes."""
    import dataclasses

    from misread.models import MODELS

    if as_json:
        print_json(
            {
                "models": [
                    {
                        "name": spec.name,
                        "summary": spec.summary,
                        "recipes": [dataclasses.asdict(r) for r in spec.recipes.values()],
                    }
                    for spec in MODELS.values()
                ]
            }
        )
        return
    table = new_table("name", "recipes", "what")
    for spec in MODELS.values():
        recipes = ", ".join(f"{r.name} ({r.epochs} epochs)" for r in spec.recipes.values())
        table.add_row(spec.name, recipes, spec.summary)
    print_table(table)
