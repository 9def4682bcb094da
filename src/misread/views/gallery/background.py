"""Work that nobody waits for: started once, asked for its result now and then."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Task(Generic[_Result]):
    """A computation in a thread of its own, which ends with the process.

    Args:
        compute: Makes the result.
        delay: Seconds to leave the processor to others before it starts, unless hurried.
    """

    def __init__(self, compute: Callable[[], _Result], delay: float = 0) -> None:
        self._compute, self._delay = compute, delay
        self._wanted, self._done = threading.Event(), threading.Event()
        self._result: _Result | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self._wanted.wait(self._delay)
        try:
            self._result = self._compute()
        except BaseException as error:
            self._error = error
        self._done.set()

    def hurry(self) -> None:
        """Somebody waits for it: start at once."""
        self._wanted.set()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._done.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, or that long; whether it has ended."""
        self.hurry()
        return self._done.wait(seconds)

    @property
    def error(self) -> BaseException | None:
        """What it raised, None if it is still at work or ended well."""
        return self._error if self.done else None

    @property
    def result(self) -> _Result | None:
        """The result, None if it is still at work or raised."""
        return self._result if self.done else None
