"""The study folder: predictions, evidence, metadata, figures and verdicts on disk."""

from misread.store.record import SplitRecord
from misread.store.study import Study, default_study
from misread.store.verdict_log import Change, Decision, Undone, VerdictLog

__all__ = [
    "Change",
    "Decision",
    "SplitRecord",
    "Study",
    "Undone",
    "VerdictLog",
    "default_study",
]
