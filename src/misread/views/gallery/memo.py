"""Keeping what was computed, as far as memory allows, and computing it once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Memo(Generic[_Value]):
    """Values by key, computed when first asked for; those used longest ago are dropped.

    Several threads may ask at once: one computes, the others wait for it.

    Args:
        most_bytes: Values are dropped while they are more than this together. The newest one
            stays, however large it is.
        size: Bytes of a value.
    """

    def __init__(self, most_bytes: int, size: Callable[[_Value], int]) -> None:
        self._most, self._size = most_bytes, size
        self._slots: OrderedDict[Hashable, Future[_Value]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], _Value]) -> _Value:
        """The value under this key; `compute` makes it where it isn't there.

        What `compute` raises is raised in every thread that waits, and isn't kept.
        """
        with self._lock:
            slot = self._slots.get(key)
            mine = slot is None
            if slot is None:
                slot = self._slots[key] = Future()
            self._slots.move_to_end(key)
        if mine:
            self._fill(key, slot, compute)
        return slot.result()

    def _fill(self, key: Hashable, slot: "Future[_Value]", compute: Callable[[], _Value]) -> None:
        try:
            value = compute()
        except BaseException as error:
            with self._lock:
                self._slots.pop(key, None)
            slot.set_exception(error)
            return
        slot.set_result(value)
        with self._lock:
            if self._slots.get(key) is slot:
                self._sizes[key] = self._size(value)
            self._drop()

    def _drop(self) -> None:
        done = [key for key, slot in self._slots.items() if slot.done()]
        for key in done[:-1]:
            if sum(self._sizes.values()) <= self._most:
                break
            del self._slots[key]
            self._sizes.pop(key, None)
