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
            digit has that digit, others take the keyboard's keys from 1 on.

    Returns:
        (K,) characters; all empty where there are more classes than keys: they are typed then.

    Raises:
        ParameterError: Another number of keys than classes, or one twice.
    """
    if keys is None:
        if all(len(name) == 1 and name in "0123456789" for name in classes):
            return list(classes)
        return list(_ROWS[: len(classes)]) if len(classes) <= len(_ROWS) else [""] * len(classes)
    chosen = [key.lower() for key in keys]
    good = len(set(chosen)) == len(chosen) == len(classes)
    if not good or not all(key.isprintable() and not key.isspace() for key in chosen):
        raise ParameterError(
            f"keys: expected {len(classes)} different characters, one for each class in the order "
            f"{', '.join(classes[:12])}. Got {keys!r} instead."
        )
    return chosen
