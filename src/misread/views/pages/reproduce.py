"""How to make a study again: commands, versions, seeds, fingerprints."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from misread.datasets import BUILTIN
from misread.views.pages.models import ModelFacts
from misread.views.pages.overview import Overview, SplitFacts
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class Command:
    """One line for a shell.

    Attributes:
        line: The command.
        what: What it does here.
    """

    line: str
    what: str


@dataclass(frozen=True)
class Reproduce:
    """How to make the study again.

    Attributes:
        commands: In the order in which they are given.
        versions: Names and versions of the software that trained; each set once.
        seeds: Names of the runs and their seeds.
        splits: The splits with their fingerprints, by which the data can be told to be the same.
    """

    commands: tuple[Command, ...]
    versions: tuple[tuple[str, str], ...]
    seeds: tuple[tuple[str, int], ...]
    splits: tuple[SplitFacts, ...]


def build_reproduce(tables: StudyTables, overview: Overview) -> Reproduce:
    """How to make a study again.

    Args:
        tables: The study's tables.
        overview: Its overview.
    """
    study, oldest_first = tables.study, overview.models[::-1]
    source = study.source if study.source in BUILTIN else Path(study.source).name
    commands: dict[str, str] = {}
    demo = study.note.startswith("demo")
    if demo:
        commands["misread demo"] = "makes this study; nothing is trained"
    for facts in oldest_first:
        line, what = _command(tables, facts, source)
        brought = demo and facts.recipe != "imported"
        commands.setdefault(line, f"{what}; its predictions came with misread" if brought else what)
    if any(study.load_metadata(split) for split in {p.split for p in tables.predictions}):
        commands["misread import metadata FILE"] = "brings in what is known of the images"
    commands["misread report"] = "writes these pages"
    versions = dict.fromkeys(pair for facts in oldest_first for pair in facts.versions)
    return Reproduce(
        commands=tuple(Command(line, what) for line, what in commands.items()),
        versions=tuple(versions),
        seeds=tuple((facts.run, facts.seed) for facts in oldest_first),
        splits=overview.dataset.splits,
    )


def _command(tables: StudyTables, facts: ModelFacts, source: str) -> tuple[str, str]:
    """The command that makes one run, and what it does."""
    members = [p for p in tables.predictions if p.run_name == facts.run]
    if facts.recipe == "imported":
        split, origin = members[0].split, str(members[0].origin)
        line = ["misread", "import", "predictions", "FILE", "--dataset", source]
        line += ["--model", facts.model, "--split", split, "--origin", origin]
        return shlex.join(line), "brings in predictions that were made elsewhere"
    repeat = members[0].repeat
    line = ["misread", "run" if repeat is None else "crossfit", source]
    line += ["--model", facts.model, *_recipe(facts)]
    if repeat is None:
        return shlex.join([*line, "--seed", str(facts.seed)]), f"trains {facts.run}"
    repeats = max(p.repeat or 1 for p in tables.predictions if _same(p.run_name, facts.run))
    folds = [] if facts.networks in (None, 5) else ["--folds", str(facts.networks)]
    more = ["--repeats", str(repeats)] if repeats > 1 else []
    line += [*folds, *more, "--seed", str(facts.seed)]
    return shlex.join(line), "predicts each training image by a model that never saw it"


def _recipe(facts: ModelFacts) -> Sequence[str]:
    """`short-e10` is the recipe `short` at 10 epochs."""
    recipe, _, epochs = facts.recipe.partition("-e")
    return ["--recipe", recipe, *(["--epochs", epochs] if epochs else [])]


def _same(one: str, other: str) -> bool:
    """Whether two runs are repeats of one cross-fit."""
    return one.rpartition("-r")[0] == other.rpartition("-r")[0]
