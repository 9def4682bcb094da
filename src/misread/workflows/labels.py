"""Which given labels does one model contradict, from predictions in memory or in a file."""

from pathlib import Path

from misread.analysis.labels import FlagBy, LabelIssues, find_label_issues
from misread.tables.parquet import PredictionsFile
from misread.tables.predictions import PredictionSource


def label_issues(
    predictions: PredictionSource | Path | str,
    flag_by: FlagBy = "confident-joint",
    threads: int | None = None,
) -> LabelIssues:
    """Score every image by one model and flag given labels by confident learning.

    A file is read a few ranges of rows at a time: its size is bounded by the disk, not by memory.

    Args:
        predictions: Held-out or cross-fitted predictions, or the path of their file.
        flag_by: `confident-joint`, `noise-rate` (cleanlab's default), `class` or `both`; see
            `find_label_issues`.
        threads: Number of threads; None for one per core. The result does not depend on it.

    Returns:
        Scores, flags, suggested labels and the confident joint.

    Raises:
        PredictionsError: The file is missing or damaged, or the predictions are in-sample.
        ParameterError: The rule is unknown, or the number of threads is below 1.

    Example:
        ```python
        issues = misread.label_issues("predictions/convnet-short-s0.test.held-out.parquet")
        print(issues.flagged.sum(), "labels to look at:", issues.ranked()[:10])
        ```
    """
    if isinstance(predictions, str | Path):
        predictions = PredictionsFile.open(predictions)
    return find_label_issues(predictions, flag_by, threads)
