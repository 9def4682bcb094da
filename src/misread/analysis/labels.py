"""Which given labels does one model contradict: scores, flags and the confident joint."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from misread.analysis.confident import (
    ConfidentJoint,
    class_thresholds,
    confident_classes,
    contradicts,
    count_jointly,
    flag_by_class,
    flag_by_noise_rate,
)
from misread.analysis.scores import ImageScores, score_images
from misread.analysis.suspicion import SUSPICION
from misread.errors import ParameterError
from misread.tables.predictions import PredictionSource, Provenance
from misread.types import BoolArray, IndexArray, LabelArray

FlagBy = Literal["confident-joint", "noise-rate", "class", "both"]
_FLAG_BY = ("confident-joint", "noise-rate", "class", "both")


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """What one model says of the N given labels of a split.

    Attributes:
        scores: What the scores of difficulty and suspicion are made of, one row per image.
        flagged: (N,) bool, the given label is suspected to be wrong.
        confident: (N,) int16, class that the image is confidently counted into, -1 for none.
        thresholds: (K,) float64, how probable each class must be for that; infinite for a class
            that no image is given.
        joint: How many images of each given label are estimated to be of each class.
        flag_by: The rule of the flags.
        provenance: Where the predictions come from.
    """

    scores: ImageScores
    flagged: BoolArray
    confident: LabelArray
    thresholds: npt.NDArray[np.float64]
    joint: ConfidentJoint
    flag_by: FlagBy
    provenance: Provenance

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def suggested(self) -> LabelArray:
        """(N,) int16: where flagged, the class it is counted into, else the predicted one.

        An image that isn't flagged keeps its given label.
        """
        counted = (self.confident >= 0) & (self.confident != self.scores.given)
        likely = np.where(counted, self.confident, self.scores.predicted)
        return np.where(self.flagged, likely, self.scores.given)

    def ranked(self, by: str = "self-confidence") -> IndexArray:
        """Positions in the split of the flagged images, most suspicious first.

        Args:
            by: A score's name in `misread.analysis.suspicion.SUSPICION`.

        Raises:
            ParameterError: There is no such score.
        """
        if by not in SUSPICION:
            raise ParameterError(f"by must be one of {', '.join(SUSPICION)}. Got {by!r} instead.")
        rows = np.flatnonzero(self.flagged)
        order = np.argsort(-SUSPICION[by](self.scores)[rows], kind="stable")
        return self.scores.index[rows[order]]


def find_label_issues(
    source: PredictionSource, flag_by: FlagBy = "confident-joint", threads: int | None = None
) -> LabelIssues:
    """Score every image and flag given labels by confident learning.

    The probabilities are read once for the scores; once more for rows whose predicted class misses
    its threshold, if there are any; and once more for `noise-rate` and `both`. The result does not
    depend on the number of threads.

    Args:
        source: Held-out or cross-fitted predictions of one model, in memory or in a file.
        flag_by: `confident-joint`: the image is confidently counted into another class.
            `noise-rate`, cleanlab's default: for each pair of classes, the images most in favour
            of the other one, as many as the joint estimates. `class`: of each class the images of
            least self-confidence, as many as it estimates. `both`: by noise rate and by class.
            No rule flags an image whose given class is the most probable one.
        threads: Number of threads; None for one per core.

    Returns:
        Scores, flags and the confident joint.

    Raises:
        PredictionsError: The predictions are in-sample.
        ParameterError: The rule is unknown, or the number of threads is below 1.

    Source: Northcutt, Jiang & Chuang (2021), Confident learning, JAIR 70.

    Example:
        ```python
        issues = misread.label_issues(study.newest_predictions("test"))
        print(issues.flagged.sum(), "labels to look at:", issues.ranked()[:10])
        ```
    """
    if flag_by not in _FLAG_BY:
        raise ParameterError(
            f"flag_by must be one of {', '.join(_FLAG_BY)}. Got {flag_by!r} instead."
        )
    scores = score_images(source, threads)
    classes = len(source.provenance.classes)
    thresholds = class_thresholds(scores, classes)
    confident = confident_classes(source, scores, thresholds, threads)
    joint = count_jointly(scores.given, confident, classes)
    flagged = contradicts(scores)
    if flag_by == "confident-joint":
        flagged &= (confident >= 0) & (confident != scores.given)
    if flag_by in ("class", "both"):
        flagged &= flag_by_class(scores, joint)
    if flag_by in ("noise-rate", "both"):
        flagged &= flag_by_noise_rate(source, scores, joint, threads)
    return LabelIssues(scores, flagged, confident, thresholds, joint, flag_by, source.provenance)
