"""Figures as PNG files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from misread.errors import ParameterError
from misread.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def to_png(figure: "Figure") -> bytes:
    """A figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG atomically.

    Raises:
        OSError: It can't be written.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def check_png(save: Path | None) -> None:
    """Refuse a picture that isn't to be a PNG file, before there is work to lose.

    Raises:
        ParameterError: The file's name doesn't end in `.png`.
    """
    if save is not None and Path(save).suffix.lower() != ".png":
        raise ParameterError(f"save: expected a .png file. Got {str(save)!r} instead.")


def keep_picture(figure: "Figure", usual: Path, save: Path | None) -> tuple[Path | None, str]:
    """Write a figure where the user wants it; else in the usual place, if that can be written.

    A study may be somebody else's, and read only: a picture that nobody asked for is no reason to
    tell nothing.

    Returns:
        The path, or None and why not.

    Raises:
        ParameterError: It can't be written where the user wants it.
    """
    if save is not None:
        return save_picture(figure, Path(save)), ""
    try:
        return save_picture(figure, usual), ""
    except ParameterError as error:
        return None, no_picture(error)


def no_picture(error: ParameterError) -> str:
    """Why there is no picture, with the way out."""
    return f"no picture: {str(error).removeprefix('save: ')}; --save puts it elsewhere"


def save_picture(figure: "Figure", path: Path) -> Path:
    """Write a figure where the user wants it.

    Returns:
        The path.

    Raises:
        ParameterError: It can't be written.
    """
    try:
        save_png(figure, path)
    except OSError as error:
        raise ParameterError(f"save: can't write {path}: {error.strerror}") from error
    return path
