"""The misread images of one split, one grid per given class, as in the post."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import overload

import numpy as np
from matplotlib.figure import Figure

from misread.analysis.mistakes import MistakeTable, find_mistakes
from misread.datasets import Split
from misread.errors import ParameterError, PredictionsError
from misread.tables import Predictions
from misread.views.overview import Group, draw_overview
from misread.views.pictures import save_png, to_png
from misread.views.tiles import ACCENT, FAINT, INK, Tile, draw_grid, shorten

# Groups on an overview; more make a picture that nobody scrolls through.
_MOST_GROUPS = 60


@dataclass(frozen=True, eq=False)
class Grids(Sequence[Figure]):
    """One figure per given class that has mistakes; a notebook shows them below each other.

    Attributes:
        figures: The figures by label, in the order of the classes.
        classes: Class names.
    """

    figures: dict[int, Figure]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.figures)

    @overload
    def __getitem__(self, position: int) -> Figure: ...

    @overload
    def __getitem__(self, position: slice) -> list[Figure]: ...

    def __getitem__(self, position: int | slice) -> Figure | list[Figure]:
        return list(self.figures.values())[position]

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures.values())

    def _repr_html_(self) -> str:
        parts = []
        for label, figure in self.figures.items():
            data = base64.b64encode(to_png(figure)).decode()
            width = round(figure.get_figwidth() * 96)
            parts.append(
                f'<img alt="misread images given {escape(self.classes[label])}" width="{width}" '
                f'src="data:image/png;base64,{data}">'
            )
        return "<br>".join(parts) if parts else "<p>no mistakes</p>"


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The mistakes of one model on one split, with their images.

    Attributes:
        split: The images.
        predictions: What the model predicted.
        table: The mistakes, most confident first.
    """

    split: Split
    predictions: Predictions
    table: MistakeTable

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        name, total = self.predictions.provenance.name, len(self.predictions)
        return f"Mistakes({name}: {len(self)} of {total})"

    def plot(self, rows: int = 3, columns: int = 4) -> Grids:
        """One grid per given class, most confident mistakes first.

        Each tile is captioned with the predicted class and its probability, the given class and
        its probability, and the position of the image in the split.

        Args:
            rows: Most rows of a grid, 1 or more; the title says how many mistakes don't fit.
            columns: Tiles in a row, 1 or more.

        Returns:
            The figures by label; classes without a mistake have none.

        Raises:
            ParameterError: rows or columns is below 1.
        """
        _check_positive(rows=rows, columns=columns)
        labels = self.labels()
        return Grids({n: self._plot_class(n, rows, columns) for n in labels}, self.classes)

    def labels(self, most: int | None = None) -> list[int]:
        """The given labels that have mistakes, in order; at most the `most` most misread ones."""
        labels, counts = np.unique(self.table.given, return_counts=True)
        chosen = labels[np.argsort(-counts, kind="stable")[:most]]
        return [int(label) for label in np.sort(chosen)]

    def _plot_class(self, label: int, rows: int, columns: int) -> Figure:
        mine = self.table.of_class(label)
        shown = mine.first(rows * columns)
        count = f"{len(mine)} misread"
        if len(shown) < len(mine):
            count += f", the {len(shown)} most confident"
        title = f"given {shorten(self.classes[label], 28)}"
        return draw_grid(self._tiles(shown), columns, title, f"{self._source()}: {count}")

    def plot_overview(self, columns: int = 10) -> Figure:
        """All classes on one figure: a group for each given class, most confident first.

        With more than 60 classes that have mistakes, the 60 with the most mistakes are shown.

        Args:
            columns: Most tiles in a group, 1 or more; its heading says how many don't fit.

        Raises:
            ParameterError: columns is below 1.
        """
        _check_positive(columns=columns)
        chosen = self.labels(_MOST_GROUPS)
        groups = []
        for label in chosen:
            mine = self.table.of_class(label)
            hidden = len(mine) - columns
            more = f", {hidden} more" if hidden > 0 else ""
            shown = self._tiles(mine.first(columns), brief=True)
            groups.append(Group(f"given {shorten(self.classes[label], 9)}{more}", tuple(shown)))
        left_out = len(self.labels()) - len(chosen)
        subtitle = self._source() + (f"; {left_out} more classes" if left_out else "")
        title = f"{len(self):,} of {len(self.predictions):,} misread"
        return draw_overview(groups, title, subtitle)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.predictions.classes

    def _source(self) -> str:
        provenance = self.predictions.provenance
        return f"{provenance.run_name}, {provenance.split} ({provenance.origin})"

    def _tiles(self, table: MistakeTable, *, brief: bool = False) -> list[Tile]:
        found = []
        for row, index in enumerate(table.index):
            # What a caption has room for, at 7 points below a tile of either size.
            read = shorten(self.classes[table.predicted[row]], 8 if brief else 9)
            given = shorten(self.classes[table.given[row]], 9)
            verb = "" if brief and len(read) > 3 else "read "
            lines = [(f"{verb}{read}  {_percent(table.p_predicted[row])}", ACCENT)]
            if not brief:
                lines.append((f"given {given}  {_percent(table.p_given[row])}", INK))
                lines.append((f"#{index}", FAINT))
            found.append(Tile(self.split.images[int(index)], tuple(lines)))
        return found


def show_mistakes(split: Split, predictions: Predictions) -> Mistakes:
    """The images of a split that a model misreads, most confident mistakes first.

    Args:
        split: The images that were predicted.
        predictions: One model's predictions of this split.

    Returns:
        The mistakes; `.plot()` draws one grid per given class.

    Raises:
        PredictionsError: The predictions are of other images or other given labels.

    Example:
        >>> import misread
        >>> digits = misread.load("mnist")
        >>> mistakes = misread.mistakes(digits.test, misread.demo_predictions())
        >>> figures = mistakes.plot(rows=3, columns=4)
    """
    expected, got = split.items_fingerprint, predictions.provenance.items_fingerprint
    if expected != got or (len(predictions) and predictions.index[-1] >= len(split)):
        raise PredictionsError(
            f"{predictions.provenance.name}: predicts other images than the split {split.name!r}"
        )
    if not np.array_equal(split.labels[predictions.index], predictions.given):
        raise PredictionsError(
            f"{predictions.provenance.name}: was made with other given labels than the split "
            f"{split.name!r} has"
        )
    return Mistakes(split, predictions, find_mistakes(predictions))


def save_grids(
    mistakes: Mistakes,
    folder: Path,
    rows: int = 3,
    columns: int = 4,
    *,
    most: int | None = None,
    clear: bool = False,
) -> tuple[Path, ...]:
    """Write one picture per given class that has mistakes, `given-*.png`.

    Args:
        mistakes: What to draw.
        folder: Is made if it is missing.
        rows: Most rows of a grid, 1 or more.
        columns: Tiles in a row, 1 or more.
        most: Only this many classes, those with the most mistakes; None for all.
        clear: Remove other `given-*.png` there: pictures of former predictions of this name. Only
            for a folder that is misread's own.

    Returns:
        The pictures, in the order of the classes.
    """
    _check_positive(rows=rows, columns=columns)
    paths = {
        label: folder / f"given-{_file_name(label, mistakes.classes[label])}.png"
        for label in mistakes.labels(most)
    }
    if clear:
        for old in set(folder.glob("given-*.png")) - set(paths.values()):
            old.unlink()
    # One figure at a time: a thousand classes would fill the memory.
    for label, path in paths.items():
        save_png(mistakes._plot_class(label, rows, columns), path)
    return tuple(paths.values())


def _file_name(label: int, name: str) -> str:
    """A class as part of a file's name: unique by its number, `4` or `3-cat`."""
    plain = "".join(c if c.isalnum() or c in "-+=@" else "_" for c in name)[:60]
    return plain if plain == str(label) else f"{label}-{plain}"


def _percent(probability: float) -> str:
    """A probability as per cent, never rounded to certainty."""
    percent = 100 * float(probability)
    if percent < 0.1:
        return "<0.1%"
    if percent > 99.9:
        return ">99.9%"
    return f"{percent:.1f}%" if percent < 10 or percent > 99 else f"{percent:.0f}%"


def _check_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ParameterError(f"{name} must be 1 or more. Got {size} instead.")
