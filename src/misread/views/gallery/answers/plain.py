"""Answers as JSON takes them."""

import dataclasses
from typing import Any


def plain(answer: object) -> Any:
    """An answer as JSON takes it: dataclasses as objects, without copying their lists."""
    if dataclasses.is_dataclass(answer):
        names = (field.name for field in dataclasses.fields(answer))
        return {name: plain(getattr(answer, name)) for name in names}
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, list) and answer and dataclasses.is_dataclass(answer[0]):
        return [plain(value) for value in answer]
    return answer
