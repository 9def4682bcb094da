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


class RunBar:
    """Shows epoch, loss, accuracy, images per second and the time left; then the predictions."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            speed_estimate_period=60,
        )
        self._training: TaskID | None = None
        self._predicting: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._training is not None or self._predicting is not None:
            self._bar.stop()

    def train(self, now: "training.Progress") -> None:
        """Show where the training stands."""
        epoch = f"epoch {now.epoch}/{now.epochs}"
        figures = (
            f"loss {now.loss:.3f}  accuracy {100 * now.accuracy:.2f}%  "
            f"{now.images_per_second:.0f} images/s"
        )
        if not self._console.is_terminal:
            if now.step * now.epochs % now.steps == 0:  # the last step of an epoch
                print(f"{epoch}  {figures}", file=sys.stderr, flush=True)
            return
        if self._training is None:
            self._bar.start()
            # A resumed training starts in the middle; its speed is measured from there.
            self._training = self._bar.add_task(
                epoch, total=now.steps, completed=now.step - 1, figures=""
            )
        self._bar.update(self._training, completed=now.step, description=epoch, figures=figures)

    def predict(self, done: int, total: int) -> None:
        """Show how many images are predicted."""
        if not self._console.is_terminal:
            if done == total:
                print(f"predicted {total:,} images", file=sys.stderr, flush=True)
            return
        if self._predicting is None:
            self._bar.start()
            self._predicting = self._bar.add_task("predicting", total=total, figures="")
        self._bar.update(self._predicting, completed=done, figures=f"{done:,} images")
