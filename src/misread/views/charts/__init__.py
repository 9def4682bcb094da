"""Charts as SVG in the page: text stays text, colours follow the page, nothing is styled inline.

A chart is drawn in units of CSS pixels and no wider than a phone, so that its text keeps its size.
What it shows is told in its title, and stands as a table beside it.
"""

from misread.views.charts.narrowing import draw_narrowing, narrowing_limit
from misread.views.charts.reliability import draw_reliability
from misread.views.charts.training import draw_training
from misread.views.charts.whisker import BROAD, Scale, draw_axis, draw_whisker

__all__ = [
    "BROAD",
    "Scale",
    "draw_axis",
    "draw_narrowing",
    "draw_reliability",
    "draw_training",
    "draw_whisker",
    "narrowing_limit",
]
