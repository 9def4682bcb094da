"""Where a report is written: replacing a former report, and nothing else."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from misread.errors import ParameterError
from misread.files import write_bytes
from misread.report.document import FORMAT, GENERATOR, MANIFEST, Report

# The generator's line stands near the start of every file.
_HEAD = 4_096


def check_place(path: Path, *, single_file: bool) -> Path:
    """The place where a report may be written, once it is known that nothing else is lost by it.

    Args:
        path: A folder; or a file, if it is a single one.
        single_file: Whether it is.

    Returns:
        The path without links in it.

    Raises:
        ParameterError: Something lies there that no report has written.
    """
    path = path.resolve()
    if single_file:
        _check_file(path)
    else:
        _check_folder(path)
    return path


def _check_file(path: Path) -> None:
    if path.suffix.lower() != ".html":
        raise ParameterError(f"output: expected a .html file. Got {str(path)!r} instead.")
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            known = GENERATOR.encode() in file.read(_HEAD)
    except OSError as error:
        raise ParameterError(f"output: can't replace {path}: {error.strerror}") from error
    if not known:
        raise ParameterError(f"output: {path} is no report of misread's; name another file")


def _check_folder(path: Path) -> None:
    if path.suffix.lower() == ".html":
        raise ParameterError(
            f"output: expected a folder. Got {str(path)!r} instead; --single-file writes one file"
        )
    if not path.exists():
        return
    if not path.is_dir():
        raise ParameterError(f"output: expected a folder. {path} is a file; name another place")
    there = [file for file in path.rglob("*") if not file.is_dir() or file.is_symlink()]
    known = _known_files(path)
    foreign = sorted(str(file.relative_to(path)) for file in there)
    foreign = [name for name in foreign if Path(name).as_posix() not in known]
    if foreign:
        raise ParameterError(
            f"output: {path} holds {foreign[0]!r}, which no report of misread's has written; name "
            "another folder, or move it away"
        )


def _known_files(folder: Path) -> set[str]:
    """The files that a former report says it has written; none where there is no report."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"].rpartition(" ")[0] != FORMAT.rpartition(" ")[0]:
            return set()
        return {name for name in content["files"] if isinstance(name, str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def put_report(report: Report, path: Path) -> Path:
    """Write a report atomically: a reader finds the former one or this one, whole.

    Args:
        report: What is written.
        path: A folder, or the file of a single one; as `check_place` returned it.

    Returns:
        The page to open.

    Raises:
        ParameterError: It can't be written there.
    """
    path = check_place(path, single_file=report.single_file)
    try:
        if report.single_file:
            write_bytes(path, report.files["index.html"])
            return path
        _write_folder(report, path)
    except OSError as error:
        raise ParameterError(f"output: can't write {path}: {error.strerror}") from error
    return path / "index.html"


def _write_folder(report: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    made = temporary / "new"
    try:
        made.mkdir()
        for name, content in report.files.items():
            file = made / name
            file.parent.mkdir(exist_ok=True)
            with file.open("wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
        if path.exists():
            path.rename(temporary / "old")
        try:
            made.rename(path)
        except OSError:
            if (temporary / "old").exists():
                (temporary / "old").rename(path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
