"""What the gallery answers: one frozen dataclass for each answer, which is its JSON object.

Classes are numbers. A list has None where something isn't known of an image.
"""

from misread.views.gallery.answers.images import (
    ConfusionAnswer,
    GroupAnswer,
    ImageAnswer,
    ItemsAnswer,
    ModelImageAnswer,
    NeighbourAnswer,
    ReadingAnswer,
    ReconstructionAnswer,
    TilesAnswer,
    ViewAnswer,
)
from misread.views.gallery.answers.plain import plain
from misread.views.gallery.answers.start import (
    BootAnswer,
    MetadataAnswer,
    ModelAnswer,
    ScoresState,
    SortAnswer,
    SplitAnswer,
    StudyAnswer,
)
from misread.views.gallery.answers.verdicts import (
    ChangesAnswer,
    DecidedAnswer,
    ErrorAnswer,
    RateAnswer,
)

__all__ = [
    "BootAnswer",
    "ChangesAnswer",
    "ConfusionAnswer",
    "DecidedAnswer",
    "ErrorAnswer",
    "GroupAnswer",
    "ImageAnswer",
    "ItemsAnswer",
    "MetadataAnswer",
    "ModelAnswer",
    "ModelImageAnswer",
    "NeighbourAnswer",
    "RateAnswer",
    "ReadingAnswer",
    "ReconstructionAnswer",
    "ScoresState",
    "SortAnswer",
    "SplitAnswer",
    "StudyAnswer",
    "TilesAnswer",
    "ViewAnswer",
    "plain",
]
