"""Which images of a split to show, and in which order: what the page's URL says."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode

from misread.errors import ParameterError

Group = Literal["given", "none"]
Sort = Literal["index", "difficulty", "suspicion", "confidence", "random"]
Order = Literal["asc", "desc"]
Suggested = Literal["model", "label", "ambiguous", "fine"]
Decided = Literal["model", "label", "ambiguous", "unreadable", "fine", "any", "none"]

META = "meta."
MOST_SEED = 2**32 - 1
_MOST_LENGTH = 16_384
_ASCENDING = ("index", "random")


@dataclass(frozen=True)
class Query:
    """A view of a split, as the URL names it; None wherever the URL says nothing.

    Attributes:
        split: Name of the split.
        model: Name of the run whose predicted classes count.
        group: Whether images stand in groups by their given label.
        sort: What they are sorted by.
        order: Whether the lowest come first; None for what suits the sort.
        seed: Of the sort `random`.
        given: Only this given label, the number of a class.
        predicted: Only this predicted class.
        right: Only images that the model reads as given (True) or misreads (False).
        suggested: Only this suggested verdict.
        decided: Only this decided verdict, `any` or `none`.
        meta: Only these values of metadata columns, sorted by the column's name.
        as_of: Decided verdicts as they stood at this revision.
        scores: False: as if suggested verdicts, difficulty and suspicion weren't known.

    Raises:
        ParameterError: A number is negative, or the seed is above 4,294,967,295.

    Example:
        >>> parse("split=test&right=no&sort=confidence").right
        False
        >>> write(parse("sort=confidence&split=test&group=given"))
        'split=test&sort=confidence'
    """

    split: str | None = None
    model: str | None = None
    group: Group = "given"
    sort: Sort = "index"
    order: Order | None = None
    seed: int = 0
    given: int | None = None
    predicted: int | None = None
    right: bool | None = None
    suggested: Suggested | None = None
    decided: Decided | None = None
    meta: tuple[tuple[str, str], ...] = ()
    as_of: int | None = None
    scores: bool = True

    def __post_init__(self) -> None:
        for key in ("seed", "given", "predicted", "as_of"):
            value = getattr(self, key)
            if value is not None and value < 0:
                raise ParameterError(f"{key}: expected a number of 0 or more. Got {value} instead.")
        if self.seed > MOST_SEED:
            raise ParameterError(f"seed: expected 0 to {MOST_SEED}. Got {self.seed} instead.")

    @property
    def ascending(self) -> bool:
        """Whether the lowest come first."""
        return (self.order or self.usual_order) == "asc"

    @property
    def usual_order(self) -> Order:
        """What suits the sort: the worst first, and positions from the first one on."""
        return "asc" if self.sort in _ASCENDING else "desc"

    @property
    def needs_scores(self) -> bool:
        """Whether difficulty, suspicion or suggested verdicts matter to it."""
        return self.sort in ("difficulty", "suspicion") or self.suggested is not None

    @property
    def needs_model(self) -> bool:
        """Whether a model's predictions matter to it."""
        return self.sort == "confidence" or self.right is not None or self.predicted is not None


def parse(text: str) -> Query:
    """Read a query string.

    Args:
        text: What stands after the `?` of a URL, percent-encoded.

    Raises:
        ParameterError: An unknown key or value, or a key that comes twice.
    """
    if len(text) > _MOST_LENGTH:
        raise ParameterError(f"query: expected {_MOST_LENGTH:,} characters at most")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError as error:
        raise ParameterError(
            f"query: expected key=value&... in UTF-8. Got {text!a}: {error}"
        ) from None
    return parse_pairs(pairs)


def parse_pairs(pairs: Iterable[tuple[str, str]]) -> Query:
    """Read decoded pairs of key and value; as `parse`."""
    fields: dict[str, object] = {}
    meta: dict[str, str] = {}
    for key, value in pairs:
        if key in fields or key in meta:
            raise ParameterError(f"{key}: expected once, found twice")
        if key.startswith(META):
            meta[key] = value
        elif key in _READERS:
            fields[key] = _READERS[key](key, value)
        else:
            known = ", ".join(_READERS)
            raise ParameterError(f"query: expected {known} or {META}COLUMN. Got {key!a} instead.")
    named = {key.removeprefix(META): value for key, value in meta.items()}
    return Query(**fields, meta=tuple(sorted(named.items())))  # type: ignore[arg-type]


def write(query: Query) -> str:
    """The query as a query string: without what says the default, keys in their order."""
    pairs = []
    for field in dataclasses.fields(Query):
        value = getattr(query, field.name)
        if field.name == "meta":
            pairs += [(META + column, text) for column, text in value]
        elif value != field.default:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            pairs.append((field.name, text))
    return urlencode(pairs)


def _number(key: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise ParameterError(f"{key}: expected a whole number, 0 or more. Got {value!a} instead.")
    return int(value)


def _yes_no(key: str, value: str) -> bool:
    return _one_of(key, value, ("yes", "no")) == "yes"


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ParameterError(f"{key}: expected {', '.join(allowed)}. Got {value!a} instead.")
    return value


def _text(key: str, value: str) -> str:
    return value


def _choice(choices: object) -> Callable[[str, str], str]:
    allowed = get_args(choices)
    return lambda key, value: _one_of(key, value, allowed)


_READERS: Mapping[str, Callable[[str, str], object]] = {
    "split": _text,
    "model": _text,
    "group": _choice(Group),
    "sort": _choice(Sort),
    "order": _choice(Order),
    "seed": _number,
    "given": _number,
    "predicted": _number,
    "right": _yes_no,
    "suggested": _choice(Suggested),
    "decided": _choice(Decided),
    "as_of": _number,
    "scores": _yes_no,
}
