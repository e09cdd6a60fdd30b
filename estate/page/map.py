"""folium draws the map: the parts that our own page holds, with its random ids put in order.

folium writes what it is given into scripts unescaped, so it is given only geometry and positions, never a name: the page's own
script puts names on the map as text.  Of folium's three parts the header is left out, since it loads from six hosts and
forbids zooming; the page's own head takes its place.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import folium
import numpy as np
import shapely
from branca.element import Element, Figure
from folium.map import CustomPane, FitBounds
from folium.utilities import JsCode

from estate.page import geography
from estate.page.facts import Point

if TYPE_CHECKING:
    from estate.runs.run import Run

MOST_SVG_MARKS = 1500
"""Beyond this many sites the map is drawn on one canvas: quick, if a little less crisp in print."""

LAYERS = ("zones", "background", "moves", "sites")
"""From the bottom up."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The parts of a map: an element, and the script that fills it.  ``bounds`` are [[south, west], [north, east]]."""

    html: str
    script: str
    name: str
    layers: dict[str, str]
    bounds: list[list[float]]


def draw(run: Run, areas: geography.Areas, points: list[Point], *, number: int = 1, tiles: bool = True) -> Drawing:
    """The map of a run: areas to shade, background, a line for each move and a mark for each site.

    ``number`` keeps two maps on one page apart.
    """
    bounds = _bounds(run, areas)
    made = folium.Map(
        location=[(bounds[0][axis] + bounds[1][axis]) / 2 for axis in (0, 1)],
        tiles=None,
        zoom_control=True,
        control_scale=True,
        attribution_control=False,
        scroll_wheel_zoom=False,
        zoom_snap=0,
        min_zoom=4,
        max_zoom=16,
        prefer_canvas=len(run.place.sites) > MOST_SVG_MARKS,
    )
    # People who ask for less motion get none: the page's script reads their setting first.
    for setting in ("zoom_animation", "fade_animation", "marker_zoom_animation"):
        made.options[setting] = JsCode("estate.motion")  # type: ignore[assignment]
    page = run.scenario.page
    if page.tiles and tiles:
        made.options["attribution_control"] = True
        folium.TileLayer(tiles=page.tiles, attr=html.escape(page.tiles_attribution or "Background map"), name="tiles").add_to(
            made
        )
    panes = not made.options["prefer_canvas"]  # one canvas above another would swallow the clicks meant for the lower
    layers = {}
    for depth, name in enumerate(LAYERS):
        if panes:
            CustomPane(name, z_index=410 + 10 * depth, pointer_events=name != "background").add_to(made)
        layers[name] = _layer(_features(name, run, areas, points), name if panes else "overlayPane")
        layers[name].add_to(made)
    frame = FitBounds(bounds)
    frame.options["animate"] = False  # an animation that ends later would undo the view a link asks for
    frame.add_to(made)
    figure = cast("Figure", made.get_root())
    _renumber(figure, number)
    figure.render()
    return Drawing(
        html=figure.html.render(),
        script=figure.script.render(),
        name=made.get_name(),
        layers={name: layer.get_name() for name, layer in layers.items()},
        bounds=bounds,
    )


def _layer(features: list[geography.Feature], pane: str) -> folium.GeoJson:
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        control=False,
        pane=pane,
        point_to_layer=JsCode(f'estate.marker("{pane}")'),
        bubbling_mouse_events=False,
    )


def _features(name: str, run: Run, areas: geography.Areas, points: list[Point]) -> list[geography.Feature]:
    if name == "zones":
        return geography.indexed(areas.shapes, 4)
    if name == "background":
        return geography.background(run.place)
    sites = geography.site_points(run.place)
    shown = geography.shown(run.place)
    if name == "sites":
        return [each for each in geography.indexed(sites, 5) if shown[each["properties"]["i"]]]
    where = shapely.get_coordinates(geography.lonlat(sites, 5))
    moved = [point for point in points if point.home != point.host]
    lines = [shapely.LineString(where[[point.home, point.host]]) for point in moved]
    known = [bool(shown[point.home] and shown[point.host]) for point in moved]
    return [geography.feature(line, {"i": i}) for i, (line, show) in enumerate(zip(lines, known, strict=True)) if show]


def _bounds(run: Run, areas: geography.Areas) -> list[list[float]]:
    """The frame of the zones and of the sites that are not outside the place."""
    inside = ~run.place.outside & geography.shown(run.place)
    shapes = np.concatenate([areas.shapes, geography.site_points(run.place)[inside]])
    west, south, east, north = shapely.total_bounds(geography.lonlat(shapes, 4)).tolist()
    return [[south, west], [north, east]]


def _renumber(figure: Figure, number: int) -> None:
    """Ids in order instead of at random: the same run is the same bytes."""
    for order, element in enumerate(_tree(figure)):
        element._id = f"{number}_{order}"  # noqa: SLF001 - branca offers no other way


def _tree(element: Any) -> Iterator[Element]:
    yield element
    parts = (element.header, element.html, element.script) if isinstance(element, Figure) else ()
    for child in (*parts, *element._children.values()):  # noqa: SLF001
        yield from _tree(child)
