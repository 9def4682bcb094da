"""Pages are an interface: what `--json` prints and what templates use. Their fields are fixed."""

import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from misread.views import pages as package
from misread.views.pages import Limits, Pages, StudyTables, to_json
from misread.views.pages.parts import Share

PLAIN = (str, int, float, bool, type(None))
# What pages are built from, rather than pages.
OTHERS = (StudyTables, Limits)


def page_classes() -> Iterator[type[Any]]:
    """Every dataclass that is a page or a part of one."""
    modules = [package]
    modules += [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]
    for module in modules:
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and dataclasses.is_dataclass(value) and value not in OTHERS:
                assert isinstance(value, type)
                yield value


CLASSES = sorted(set(page_classes()), key=lambda found: found.__name__)


@pytest.mark.parametrize("page", CLASSES, ids=lambda page: page.__name__)
def test_the_documented_fields_are_the_actual_ones(page: type[Any]) -> None:
    documentation = inspect.cleandoc(page.__doc__ or "")
    _, _, attributes = documentation.partition("Attributes:\n")
    documented = re.findall(r"^    (\w+): \S", attributes, re.MULTILINE)
    assert documented == [field.name for field in dataclasses.fields(page)]


@pytest.mark.parametrize("page", CLASSES, ids=lambda page: page.__name__)
def test_every_field_is_plain_or_a_page_part(page: type[Any]) -> None:
    assert page.__dataclass_params__.frozen
    for name, kind in typing.get_type_hints(page).items():
        assert is_plain(kind), f"{page.__name__}.{name}: {kind}"


def is_plain(kind: Any) -> bool:
    if kind in PLAIN or kind in CLASSES or kind is Ellipsis:
        return True
    if typing.get_origin(kind) in (tuple, types.UnionType):
        return all(is_plain(part) for part in typing.get_args(kind))
    return False


def test_all_parts_are_reached_from_the_whole() -> None:
    """No class is documented here that no page has."""
    reached: set[type[Any]] = set()

    def walk(kind: Any) -> None:
        if kind in CLASSES and kind not in reached:
            reached.add(kind)
            for part in typing.get_type_hints(kind).values():
                walk(part)
        for part in typing.get_args(kind):
            walk(part)

    walk(Pages)
    assert reached == set(CLASSES)


def test_json_has_every_field_and_nothing_else(pages: Pages) -> None:
    dumped = json.loads(json.dumps(to_json(pages), allow_nan=False))

    def check(page: Any, json_of_it: Any) -> None:
        if dataclasses.is_dataclass(page):
            names = [field.name for field in dataclasses.fields(page)]
            assert list(json_of_it) == names
            for name in names:
                check(getattr(page, name), json_of_it[name])
        elif isinstance(page, tuple):
            assert len(page) == len(json_of_it)
            for part, json_of_part in zip(page, json_of_it, strict=True):
                check(part, json_of_part)
        else:
            assert type(page) in PLAIN
            assert page == json_of_it

    check(pages, dumped)


def test_what_is_no_number_is_null() -> None:
    interval = Share(0, 0, float("nan"), float("inf"), 1.0)
    assert to_json(interval) == {"count": 0, "total": 0, "value": None, "low": None, "high": 1.0}


def test_every_page_class_is_in_the_reference() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    for page in CLASSES:
        assert f"::: {page.__module__}.{page.__qualname__}\n" in reference, page
