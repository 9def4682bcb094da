"""Pictures of what a model misreads."""

from misread.views.mistakes import Mistakes, show_mistakes

__all__ = ["Mistakes", "show_mistakes"]
