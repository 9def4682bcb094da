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


class _Bar:
    """A bar that appears with its first task and goes with the block that it is used in.

    Args:
        speed_estimate_period: Seconds over which the time left is estimated.
    """

    def __init__(self, speed_estimate_period: float) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            speed_estimate_period=speed_estimate_period,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar.task_ids:
            self._bar.stop()

    def _add_task(self, description: str, total: float, completed: int = 0) -> TaskID:
        self._bar.start()
        return self._bar.add_task(description, total=total, completed=completed, figures="")


class RunBar(_Bar):
    """Shows epoch, loss, accuracy, images per second and the time left; then the predictions.

    Args:
        loss_note: Said once, before the first loss; "" for nothing.
    """

    def __init__(self, loss_note: str = "") -> None:
        super().__init__(speed_estimate_period=60)
        self._loss_note = loss_note
        self._training: TaskID | None = None
        self._predicting: TaskID | None = None

    def train(self, now: "training.Progress") -> None:
        """Show where the training stands."""
        if self._loss_note:
            print(self._loss_note, file=sys.stderr, flush=True)
            self._loss_note = ""
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
            # A resumed training starts in the middle; its speed is measured from there.
            self._training = self._add_task(epoch, now.steps, now.step - 1)
        self._bar.update(self._training, completed=now.step, description=epoch, figures=figures)

    def predict(self, done: int, total: int) -> None:
        """Show how many images are predicted."""
        if not self._console.is_terminal:
            if done == total:
                print(f"predicted {total:,} images", file=sys.stderr, flush=True)
            return
        if self._predicting is None:
            self._predicting = self._add_task("predicting", total)
        self._bar.update(self._predicting, completed=done, figures=f"{done:,} images")


class DrawingBar(_Bar):
    """Shows how many images are drawn."""

    def __init__(self) -> None:
        super().__init__(speed_estimate_period=60)
        self._task: TaskID | None = None

    def draw(self, done: int, total: int) -> None:
        """Show where the drawing stands."""
        if not self._console.is_terminal:
            if done == total:
                print(f"drew {total:,} images", file=sys.stderr, flush=True)
            return
        if self._task is None:
            self._task = self._add_task("drawing", total)
        self._bar.update(self._task, completed=done, figures=f"{done:,} images")


class CrossfitBar(_Bar):
    """One bar over all repeats, folds and epochs."""

    def __init__(self) -> None:
        super().__init__(speed_estimate_period=300)
        self._task: TaskID | None = None

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
            self._task = self._add_task(where, 1.0)
        self._bar.update(self._task, completed=now.done, description=where, figures=figures)
