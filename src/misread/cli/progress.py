"""A progress bar on stderr; one line per epoch where stderr is no terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from misread.models import training


class TrainingBar:
    """Shows epoch, loss, accuracy, images per second and the time left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, now: "training.Progress") -> None:
        """Show where the training stands."""
        if self._console.is_terminal:
            self._draw(now)
        elif now.step * now.epochs % now.steps == 0:
            # The last step of an epoch.
            print(f"epoch {now.epoch}/{now.epochs}  {_figures(now)}", file=sys.stderr, flush=True)

    def _draw(self, now: "training.Progress") -> None:
        if self._bar is None or self._task is None:
            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self._console,
                speed_estimate_period=60,
            )
            # A resumed training starts in the middle, and its speed is measured from there.
            self._task = self._bar.add_task(
                "train", total=now.steps, completed=now.step - 1, epoch="", figures=""
            )
            self._bar.start()
        self._bar.update(
            self._task,
            completed=now.step,
            epoch=f"{now.epoch}/{now.epochs}",
            figures=_figures(now),
        )


def _figures(now: "training.Progress") -> str:
    return f"loss {now.loss:.3f}  accuracy {100 * now.accuracy:.2f}%  {now.images_per_second:.0f}/s"
