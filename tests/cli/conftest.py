"""The command line, in this process and as a program, and files for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from misread.cli import main
from misread.datasets import Dataset

Invoke = Callable[..., tuple[int, str, str]]
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def invoke(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Invoke:
    """The command line in this process and in a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["misread", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return int(cast(int, code or 0)), out, err

    return call


@pytest.fixture(scope="session")
def shell() -> Shell:
    """The command line as a program of its own."""

    def call(
        *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "misread", *map(str, arguments)],
            cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True,
        )  # fmt: skip

    return call


@pytest.fixture(scope="module")
def source(
    tmp_path_factory: pytest.TempPathFactory,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "bars.npz", make_dataset())


@pytest.fixture(scope="module")
def probabilities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("predictions") / "guess.npy"
    np.save(path, np.random.default_rng(0).dirichlet(np.ones(3), 90))
    return path


@pytest.fixture
def without_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which torch and safetensors can't be imported."""
    for name in ("torch", "safetensors"):
        package = tmp_path / "stub" / name
        package.mkdir(parents=True)
        message = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (package / "__init__.py").write_text(message, encoding="utf-8")
    places = [str(tmp_path / "stub"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(places)}
