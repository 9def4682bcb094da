"""Decided verdicts as columns, as they stood at any revision."""

import numpy as np

from misread.views.gallery.columns import DecidedColumns
from misread.views.gallery.holdings import Holdings


class Decisions:
    """The decided verdicts of a study.

    Args:
        holdings: The study's tables.
    """

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

    def revision(self) -> int:
        """The newest revision."""
        return 0

    def changes(self, since: int) -> tuple[int, list[tuple[str, int, str | None, int | None]]]:
        """The newest revision, and what changed since another one."""
        return 0, []

    @property
    def writable(self) -> bool:
        """Whether verdicts can be saved."""
        return False

    def columns(self, split: str, as_of: int | None = None) -> DecidedColumns:
        """The verdicts of a split, as they are now or stood at a revision."""
        images = len(self._holdings.split(split))
        return DecidedColumns(np.full(images, -1, np.int8), np.full(images, -1, np.int16), 0)
