"""The report's images: sprite sheets that pages show cells of, pixels exact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from misread.datasets import Dataset
from misread.datasets.images import Previewed, unwrap
from misread.tables import Reconstructions
from misread.types import Array
from misread.views.html.links import Size
from misread.views.pages.parts import Drawing, Picture
from misread.views.thumbnails import Sprite, sprite

COLUMNS, ROWS = 16, 15

# Images with a longer side are scaled down to this many pixels.
MOST_PIXELS = 112
# About how large an image is shown, in CSS pixels. Small ones are enlarged by whole factors only.
_SIDES: dict[Size, int] = {"small": 56, "normal": 96, "large": 112}
_KEYS: dict[Size, str] = {"small": "--zs", "normal": "--z", "large": "--zl"}


@dataclass(frozen=True)
class Sheet:
    """One sprite sheet of a document.

    Attributes:
        name: Its class in the document: `s0`.
        sprite: The images.
    """

    name: str
    sprite: Sprite

    def rule(self, url: str) -> str:
        """The style rule of the sheet; columns and rows of its cells come from `cell_rules`."""
        width, height = self.sprite.width, self.sprite.height
        zooms = {size: _zoom(max(width, height), size) for size in _SIDES}
        rule = f".{self.name}{{--w:{width};--h:{height};--c:{self.sprite.columns};"
        rule += "".join(f"{_KEYS[size]}:{zoom:g};" for size, zoom in zooms.items())
        rule += f'background-image:url("{url}")}}'
        if zooms["small"] < 1:
            # Fewer pixels than there are: by leaving some out it would only get worse.
            rule += f".pages .{self.name}.small{{image-rendering:auto}}"
        if width * zooms["normal"] > _SIDES["normal"]:
            rule += f".pages{{--tile:{MOST_PIXELS / 16:g}rem}}"
        return rule


def _zoom(longest: int, size: Size) -> float:
    """By how much cells are enlarged: by whole factors; large ones shrink beside text only."""
    if longest <= _SIDES[size]:
        return float(_SIDES[size] // longest)
    return _SIDES["small"] / longest if size == "small" else 1.0


class Sheets:
    """Hands out cells of sprite sheets while a document is rendered, and makes the sheets after.

    Each split has sheets of its own: images of one split, and drawings of them, are alike in size
    and colour.

    Args:
        dataset: The images.
        drawings: By split, what a network drew of it.
    """

    def __init__(
        self, dataset: Dataset, drawings: Mapping[str, Reconstructions] | None = None
    ) -> None:
        self._dataset, self._drawings = dataset, drawings or {}
        self._cells: dict[Picture, tuple[int, int]] = {}
        self._sheets: list[list[Picture]] = []
        # By split, and whether images or drawings are on it.
        self._open: dict[tuple[str, bool], int] = {}

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        """The element that shows an image: a cell of a sheet as the background of a box."""
        sheet, place = self._cells.get(picture) or self._add(picture)
        row, column = divmod(place, COLUMNS)
        kind = "" if size == "normal" else f" {size}"
        return Markup('<span class="tile s{} x{} y{}{}" role="img" aria-label="{}"></span>').format(
            sheet, column, row, kind, label
        )

    def _add(self, picture: Picture) -> tuple[int, int]:
        kind = picture.split, isinstance(picture, Drawing)
        sheet = self._open.get(kind, -1)
        if sheet < 0 or len(self._sheets[sheet]) == COLUMNS * ROWS:
            sheet = self._open[kind] = len(self._sheets)
            self._sheets.append([])
        self._sheets[sheet].append(picture)
        self._cells[picture] = cell = sheet, len(self._sheets[sheet]) - 1
        return cell

    def make(self) -> Iterator[Sheet]:
        """The sheets of all images that were handed out, one at a time.

        Raises:
            DatasetError: An image can't be read.
        """
        for number, pictures in enumerate(self._sheets):
            images = [self._image(picture) for picture in pictures]
            yield Sheet(f"s{number}", sprite(images, COLUMNS, _cell(images)))

    def _image(self, picture: Picture) -> Array:
        if isinstance(picture, Drawing):
            kept = self._drawings[picture.split].drawings(picture.index)
            if kept is None:
                raise LookupError(f"no drawing of {picture}")
            return kept[picture.role == "predicted"]
        images, place = unwrap(self._dataset.splits[picture.split].images, picture.index)
        if isinstance(images, Previewed):
            return images.preview(place, MOST_PIXELS)
        return images[place]


def cell_rules() -> str:
    """Style rules for the columns `x0`, `x1`, ... and rows `y0`, `y1`, ... of all sheets."""
    rules = [f".x{n}{{--x:{n}}}" for n in range(COLUMNS)]
    return "".join(rules + [f".y{n}{{--y:{n}}}" for n in range(ROWS)])


def _cell(images: list[Array]) -> tuple[int, int]:
    """Width and height in which all images fit, scaled down where they are large."""
    height = max(image.shape[0] for image in images)
    width = max(image.shape[1] for image in images)
    scale = min(1.0, MOST_PIXELS / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
