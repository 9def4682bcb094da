"""Every score of an image by its name: higher is harder, or more suspicious."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from misread.analysis.evidence import Evidence
from misread.errors import ParameterError
from misread.types import FloatArray

_Score = Callable[[Evidence], FloatArray | None]

# What `misread audit --by` takes, and the columns of its table.
SCORES: Mapping[str, _Score] = MappingProxyType(
    {
        "suspicion": lambda e: e.suspicion,
        "self_confidence": lambda e: e.panel.self_confidence,
        "margin": lambda e: e.panel.margin,
        "entropy": lambda e: e.panel.entropy,
        "expected_entropy": lambda e: e.panel.expected_entropy,
        "mutual_information": lambda e: e.panel.mutual_information,
        "contradiction": lambda e: e.panel.contradiction,
        "neighbours": lambda e: e.neighbourhood.disagreement if e.neighbourhood else None,
        # A margin is low where something is wrong: turned round, so that higher is worse.
        "area_under_margin": lambda e: -e.training.margin if e.training else None,
        "first_learned": lambda e: e.training.first_learned if e.training else None,
        "forgotten": lambda e: e.training.forgotten if e.training else None,
    }
)


def find_score(name: str) -> str:
    """The key of `SCORES` that is meant; `-` may stand for `_`.

    Raises:
        ParameterError: There is no such score.
    """
    key = name.replace("-", "_")
    if key not in SCORES:
        raise ParameterError(f"by: expected one of {', '.join(SCORES)}. Got {name!r} instead.")
    return key


def score(evidence: Evidence, name: str) -> FloatArray:
    """One score of every image.

    Args:
        evidence: On N images.
        name: A key of `SCORES`; `-` may stand for `_`.

    Returns:
        (N,) float32, higher is harder or more suspicious.

    Raises:
        ParameterError: There is no such score, or nothing to compute it from.
    """
    key = find_score(name)
    found = SCORES[key](evidence)
    if found is None:
        missing = "nearest training images" if key == "neighbours" else "training dynamics"
        raise ParameterError(
            f"by: {name} needs {missing}, and the study has none of these models on this split; "
            "`misread run` and `misread crossfit` record them"
        )
    return found
