import re
import subprocess
import sys
from inspect import isclass

import pytest

import misread
from misread import errors


def test_every_public_name_can_be_imported() -> None:
    for name in misread.__all__:
        value = getattr(misread, name)
        assert callable(value)
        assert value.__doc__, f"{name} has no docstring"


def test_public_names_are_listed_once_and_in_order() -> None:
    assert list(misread.__all__) == sorted(set(misread.__all__))
    assert set(misread.__all__) == set(misread._PUBLIC)
    assert dir(misread) == misread.__all__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'misread' has no attribute 'nonsense'"):
        _ = misread.nonsense


def test_importing_misread_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'torch', 'matplotlib', 'pyarrow', 'scipy', 'PIL', 'typer', 'rich'}"
    code = f"import sys, misread; loaded = {heavy} & set(sys.modules); assert not loaded, loaded"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """Each line of the drawing names a class; its depth is the number of its ancestors."""
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│├└─ ]*)(\w+Error)\b", line)
        if match:
            depth = len(match[1]) // 4
            above = [*above[:depth], match[2]]
            drawn[match[2]] = above[-2] if depth else "Exception"
    defined = {
        name: value.__base__.__name__
        for name, value in vars(errors).items()
        if isclass(value) and value.__module__ == errors.__name__ and value.__base__
    }
    assert drawn == defined
    assert all(issubclass(getattr(errors, name), misread.MisreadError) for name in defined)


def test_a_missing_extra_says_the_pip_command() -> None:
    error = errors.MissingExtraError("training", "torch")
    assert "pip install 'misread[torch]'" in str(error)
    assert error.extra == "torch"
