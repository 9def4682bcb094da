"""Which key stands for which class."""

from collections.abc import Sequence

from misread.errors import ParameterError

# In the order in which they lie on a keyboard; Backspace, Space and Escape have their own meaning.
_ROWS = "1234567890qwertyuiopasdfghjklzxcvbnm"


def choose_keys(classes: Sequence[str], keys: str | None = None) -> list[str]:
    """A key for each class.

    Args:
        classes: Names of the K classes.
        keys: K characters, in the order of the classes; None for the usual ones: a class named by a
            single character has that one, others take the keyboard's keys from 1 on.

    Returns:
        (K,) characters; all empty where there are more classes than keys: they are typed then.

    Raises:
        ParameterError: Another number of keys than classes, or one twice.
    """
    if keys is None:
        own = [name.lower() for name in classes]
        if _are_keys(own):
            return own
        return list(_ROWS[: len(classes)]) if len(classes) <= len(_ROWS) else [""] * len(classes)
    chosen = [key.lower() for key in keys]
    if len(chosen) != len(classes) or not _are_keys(chosen):
        raise ParameterError(
            f"keys: expected {len(classes)} different characters, one for each class in the order "
            f"{', '.join(classes[:12])}. Got {keys!r} instead."
        )
    return chosen


def _are_keys(names: Sequence[str]) -> bool:
    """Whether these can be keys: single characters, each once."""
    single = all(len(name) == 1 and name.isprintable() and not name.isspace() for name in names)
    return single and len(set(names)) == len(names)
