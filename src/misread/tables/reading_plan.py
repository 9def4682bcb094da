"""The plan of a reader study: what is read, in which order and how it ends. Frozen beforehand."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from misread.errors import ReadingsError
from misread.files import write_text

FORMAT = "misread reading plan 1"
SHORTEST_MS = 150.0


@dataclass(frozen=True)
class ReadingTarget:
    """The images that the statement will be about.

    Attributes:
        dataset: Name of the dataset.
        split: Name of the split.
        images: N, number of its images, 1 or more.
        classes: Names of the classes that a reader chooses from.
        items_fingerprint: Of the images.
        labels_fingerprint: Of the given labels.
    """

    dataset: str
    split: str
    images: int
    classes: tuple[str, ...]
    items_fingerprint: str
    labels_fingerprint: str

    def __post_init__(self) -> None:
        texts = (self.dataset, self.split, self.items_fingerprint, self.labels_fingerprint)
        _expect(
            all(type(text) is str for text in (*texts, *self.classes)),
            "names and fingerprints as texts", texts,
        )  # fmt: skip
        _expect(_is_count(self.images) and self.images >= 1, "images of 1 or more", self.images)
        _expect(len(self.classes) >= 1, "one class or more", self.classes)


@dataclass(frozen=True)
class ReadingPlan:
    """Everything that is fixed before the first answer, under one hash; checked once, here.

    The hard items are all read, each in the first half of a reader's order. Of the rest, each
    reader reads a simple random sample of his own, in random order.

    Attributes:
        target: The images.
        models: Names of the predictions whose mistakes the hard items are.
        hard: Their positions in the split, rising; at most half as many as answers.
        answers: n, planned number of each reader's answers: all hard items and a sample of the
            rest. Repeats and practice aren't among them.
        repeats: Number of items that are shown again later, outside of the estimate.
        practice_split: Split of the practice images, "" if there are none.
        practice: Their positions in that split.
        seed: Of all orders.
        first_order: Digest of the first reader's order, by which a program that would draw
            another one is found out.
        width: Reading stops once the interval is this narrow, as a share of the images, before or
            at n answers. None: at n answers, whatever the interval.
        alpha: Largest probability that an interval misses.
        expected_rate: Error rate outside the hard items that the anytime interval bets on.
        shortest_ms: An answer within a shorter time is excluded, and asked again later.
        exclude_unfocused: So is one during which the page had lost the focus.
        brief: Whether images are shown briefly and masked, rather than until the answer.
        created: ISO 8601 time.

    Raises:
        ReadingsError: Values that can't be or don't fit together.
    """

    target: ReadingTarget
    models: tuple[str, ...]
    hard: tuple[int, ...]
    answers: int
    repeats: int
    practice_split: str
    practice: tuple[int, ...]
    seed: int
    first_order: str
    created: str
    width: float | None = None
    alpha: float = 0.05
    expected_rate: float = 0.003
    shortest_ms: float = SHORTEST_MS
    exclude_unfocused: bool = True
    brief: bool = False
    format: str = field(default=FORMAT, kw_only=True)

    def __post_init__(self) -> None:
        _expect(self.format == FORMAT, f"format {FORMAT!r}", self.format)
        self._check_kinds()
        images, answers = self.target.images, self.answers
        _expect(self._rises(self.hard, images), f"hard items 0..{images - 1}, rising", self.hard)
        _expect(1 <= answers <= images, f"1 to {images} answers", answers)
        _expect(
            len(self.hard) <= answers // 2 or answers == images,
            f"at most half as many hard items as the {answers} answers", len(self.hard),
        )  # fmt: skip
        _expect(0 <= self.repeats <= answers, f"0 to {answers} repeats", self.repeats)
        _expect(
            bool(self.practice_split) == bool(self.practice)
            and self.practice_split != self.target.split
            and len(set(self.practice)) == len(self.practice)
            and min(self.practice, default=0) >= 0,
            "practice images of another split, each once", (self.practice_split, self.practice),
        )  # fmt: skip
        for name, value in (
            ("alpha", self.alpha), ("expected_rate", self.expected_rate),
            ("width", 0.5 if self.width is None else self.width),
        ):  # fmt: skip
            _expect(0 < value < 1, f"{name} in (0, 1)", value)
        _expect(0 <= self.shortest_ms < float("inf"), "shortest_ms of 0 or more", self.shortest_ms)
        _expect(self.seed >= 0, "a seed of 0 or more", self.seed)

    def _check_kinds(self) -> None:
        texts = (self.practice_split, self.first_order, self.created, *self.models)
        _expect(all(type(text) is str for text in texts), "names as texts", texts)
        numbers = (*self.hard, *self.practice, self.answers, self.repeats, self.seed)
        _expect(all(map(_is_count, numbers)), "whole numbers", numbers)
        rates = (self.alpha, self.expected_rate, self.shortest_ms, self.width or 0.5)
        _expect(all(type(rate) in (int, float) for rate in rates), "rates as numbers", rates)
        switches = (self.exclude_unfocused, self.brief)
        _expect(all(type(switch) is bool for switch in switches), "truth values", switches)

    @staticmethod
    def _rises(items: tuple[int, ...], images: int) -> bool:
        return all(a < b for a, b in zip((-1, *items), (*items, images), strict=True))

    @property
    def rest(self) -> int:
        """N_R, number of items that aren't hard."""
        return self.target.images - len(self.hard)

    @property
    def sample(self) -> int:
        """m, planned number of each reader's answers outside the hard items."""
        return self.answers - len(self.hard)

    @property
    def confidence(self) -> str:
        """1 - alpha in words, "95%": what the study's intervals are called."""
        return f"{100 * (1 - self.alpha):g}%"

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of everything above, "sha256:..."."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def to_json(self) -> str:
        """The plan and its hash, for people and for `from_json`."""
        content = {"hash": self.hash, **asdict(self)}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ReadingPlan":
        """The plan in a text of `to_json`.

        Raises:
            ReadingsError: It is damaged, or was changed after it was frozen.
        """
        try:
            content = json.loads(text)
            known = content.pop("hash")
            plan = cls(**_tuples(content))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ReadingsError(f"plan: expected one of misread's: {error!r}") from error
        _expect(plan.hash == known, f"a plan that hashes to {known}", plan.hash)
        return plan


def write_plan(path: Path, plan: ReadingPlan) -> None:
    """Write a plan atomically.

    Raises:
        ReadingsError: It can't be written.
    """
    try:
        write_text(path, plan.to_json())
    except OSError as error:
        raise ReadingsError(f"{path}: can't write a plan here: {error.strerror}") from error


def read_plan(path: Path) -> ReadingPlan:
    """Read and check a plan.

    Raises:
        ReadingsError: The file is missing, damaged, or was changed after it was frozen.
    """
    try:
        return ReadingPlan.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReadingsError(
            f"{path}: expected a plan of readings, found none; `misread plan` makes one"
        ) from None
    except (OSError, UnicodeDecodeError, ReadingsError) as error:
        raise ReadingsError(f"{path}: {error}") from error


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as tuples, its target as a target; unknown or missing keys are a TypeError."""
    names = {one.name for one in fields(ReadingPlan)}
    if unknown := set(content) - names:
        raise TypeError(f"unknown keys {', '.join(sorted(unknown))}")
    target = dict(content["target"])
    target["classes"] = tuple(target["classes"])
    lists = {name: tuple(content[name]) for name in ("models", "hard", "practice")}
    return content | lists | {"target": ReadingTarget(**target)}


def _is_count(number: object) -> bool:
    # type() rather than isinstance(): True is no count.
    return type(number) is int


def _expect(holds: bool, expected: str, got: object) -> None:
    if not holds:
        shown = repr(got)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        raise ReadingsError(f"plan: expected {expected}. Got {shown} instead.")
