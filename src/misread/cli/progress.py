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
    from misread.workflows.crossfit import CrossfitProgress


class RunBar:
    """Shows epoch, loss, accuracy, images per second and the time left; then the predictions."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = _new_bar(self._console, speed_estimate_period=60)
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


class CrossfitBar:
    """One bar over all repeats, folds and epochs."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = _new_bar(self._console, speed_estimate_period=300)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._bar.stop()

    def step(self, now: "CrossfitProgress") -> None:
        """Show where the cross-fit stands."""
        training = now.training
        where = f"fold {now.fold}/{now.folds}"
        if now.repeats > 1:
            where = f"repeat {now.repeat}/{now.repeats} {where}"
        figures = (
            f"epoch {training.epoch}/{training.epochs}  accuracy {100 * training.accuracy:.2f}%  "
            f"{training.images_per_second:.0f} images/s"
        )
        if not self._console.is_terminal:
            if training.step == training.steps:
                print(f"{where}  {figures}", file=sys.stderr, flush=True)
            return
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(where, total=1.0, figures="")
        self._bar.update(self._task, completed=now.done, description=where, figures=figures)


def _new_bar(console: Console, speed_estimate_period: float) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=speed_estimate_period,
    )
