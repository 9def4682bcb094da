"""Pages as HTML: one set of templates, styles and scripts for the report and the gallery."""

from misread.views.html.links import Links
from misread.views.html.render import Renderer, read_static

__all__ = ["Links", "Renderer", "read_static"]
