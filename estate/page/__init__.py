"""The planner's page: one HTML file that opens from disk, loads nothing, and says what a plan does to a place.

:func:`render` draws a run, :func:`render_comparison` two of them, :func:`render_site` one building on one sheet of paper, and
:func:`render_gallery` the list of all runs.  All work from stored runs only, and the same run gives the same bytes.
"""

from estate.page.compare import render_comparison
from estate.page.gallery import render_gallery, write_gallery
from estate.page.index import render
from estate.page.redraw import redraw
from estate.page.site import render_site

__all__ = ["redraw", "render", "render_comparison", "render_gallery", "render_site", "write_gallery"]
