"""The planner's page of a run: everything the template needs, gathered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from estate.page import assets, charts, data, decision, equality, facts, geography, money, story, tables, words
from estate.page import committee as asking
from estate.page import map as atlas
from estate.page import options as sidebyside
from estate.page import partners as signing
from estate.page import programme as order
from estate.page import public as publishing
from estate.page.sketch import Sketch, sketch

if TYPE_CHECKING:
    from estate.page.evidence import Evidence
    from estate.runs.run import Run

STYLES = ("page.css", "map.css", "sketch.css", "print.css", "programme.css")
BEFORE_MAP = ("core.js", "marks.js")
AFTER_MAP = (
    "map.js", "keyboard.js", "insets.js", "legend.js", "panel.js", "card.js", "picture.js", "search.js", "tables.js",
    "committee.js", "main.js",
)  # fmt: skip


def render(run: Run, *, public: bool = False, evidence: Evidence | None = None, nights: Sequence[tuple[str, str]] = ()) -> str:
    """The planner's page of a run, as the text of one HTML file.

    ``evidence`` is a night of what-ifs that speaks of the run (:func:`estate.page.evidence.beside`), and ``nights`` are titles
    and addresses of others beside it, linked where none does; a public page says nothing of either.  With ``public`` what would
    harm a sale or a negotiation is left out (:mod:`estate.page.public`); otherwise the page says INTERNAL.
    """
    if public:
        run = publishing.redacted(run)
    trips = facts.journeys(run)
    points = facts.points(run)
    areas = geography.areas(run.place)
    drawing = atlas.draw(run, areas, points)
    tiles = run.scenario.page.tiles
    return assets.write(
        "index.html.j2",
        _context(run, trips, points, areas, drawing, public=public, evidence=None if public else evidence, nights=nights),
        styles=[assets.leaflet("leaflet.css"), *(assets.static(name) for name in STYLES)],
        scripts=[
            assets.leaflet("leaflet.js"),
            *(assets.static(name) for name in BEFORE_MAP),
            drawing.script,
            *(assets.static(name) for name in AFTER_MAP),
        ],
        tiles=tiles,
    )


def _context(
    run: Run,
    trips: facts.Journeys,
    points: list[facts.Point],
    areas: geography.Areas,
    drawing: atlas.Drawing,
    *,
    public: bool,
    evidence: Evidence | None,
    nights: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    known = data.page_data(run, drawing, areas, trips, points)
    known["programme"] = order.over_years(run, areas, trips)
    label = words.plain(run.scenario.label)
    sums, notes = story.sums(run)
    return {
        "title": f"{label}: plan for shared public buildings",
        "kind": "page",
        "public": public,
        "missing": publishing.notice(run),
        "place": "A plan for shared public buildings",
        "heading": words.clean(run.scenario.label),
        "description": words.clean(run.scenario.description),
        "sentence": story.sentence(run, points),
        "figures": decision.figures(run, facts.people(trips)),
        "closings": decision.closings(run, points, evidence),
        "released": len(known["numbers"]),
        "moving": decision.others_moving(run, points),
        "places": decision.places(run),
        "spaces": decision.spaces(run),
        "roofs": decision.roofs(run),
        "farther": decision.farther_places(run, trips),
        "sure": [*((*each, "") for each in decision.how_sure(run)), *(evidence.lines() if evidence else ())],
        "evidence": evidence,
        "nights": nights,
        "checks": words.checks(run.manifest),
        "same": "a minute" if trips.unit is words.MINUTES else "80 metres",
        "services": _choices(known),
        "still": _still(run, points),
        "drawing": Markup(drawing.html),  # noqa: S704 - folium's empty element: no words in it
        "hardest": story.hardest_hit(run),
        "outcomes": _outcomes(run),
        "insets": known["insets"],
        "shading": _shading(areas),
        "gainers": [chart for chart in (charts.winners(run, trips), equality.deprivation(run, trips)) if chart],
        "groups": equality.matrix(run, trips),
        "areas": tables.areas(run, trips),
        "distances": charts.distances(run, trips),
        "unknowns": facts.table(run, "unknowns", ("topic", "not_known", "why_it_matters")).to_dict("records"),
        "costs": charts.costs(run),
        "cash": money.cash(run),
        "agencies": money.by_agency(run),
        "bargains": money.hard_bargains(run),
        "sums": sums,
        "money_notes": [*notes, *signing.fair_note(run)],
        "options": sidebyside.section(run),
        "committee": asking.section(run),
        "partners": signing.section(run),
        "programme": order.section(run),
        "standards": story.standards(run),
        "issues": story.issues(run),
        "tables": tables.build(run),
        "made": story.made(run),
        "attribution": run.scenario.page.attribution,
        "notice": assets.LEAFLET_NOTICE,
        "licence": assets.leaflet_licence(),
        "data": known,
    }


def _still(run: Run, points: list[facts.Point]) -> Sketch:
    """The plan as a still drawing, for who has no scripts: buildings by what becomes of them, a line for each move."""
    frame = facts.table(run, "sites", ("site_id", "after")).assign(site_id=lambda rows: rows["site_id"].astype(str))
    after = frame.set_index("site_id")["after"].reindex(run.place.sites.index)
    where = run.place.sites[["easting_m", "northing_m"]].reset_index(drop=True).assign(after=after.to_numpy())
    links = [(point.home, point.host) for point in points if point.home != point.host]
    return sketch(where, geography.outline(run.place), width=520, links=links, numbers=decision.numbers(run))


def _choices(known: dict[str, Any]) -> list[dict[str, str]]:
    every = [{"id": data.ANY, "label": "Any service: the worst change"}] if data.ANY in known["zones"] else []
    return [*every, *known["services"]]


def _outcomes(run: Run) -> list[dict[str, Any]]:
    """The key to the marks: only what is on the map."""
    after = Counter(facts.table(run, "sites", ("after",))["after"])
    return [
        {"id": name.replace(" ", "-"), "label": label, "note": words.OUTCOME_NOTES[name], "count": after[name]}
        for name, label in words.OUTCOMES.items()
        if after[name]
    ]


def _shading(areas: geography.Areas) -> str:
    if areas.square_m:
        side = f"{areas.square_m / 1000:g} km"
        reason = "there are too many small areas to draw"
        return f"Simplified: {reason}, so they are averaged in squares of {side}. The files have every one."
    return "Each shaded area is the land nearest to the centre of population of one small area."
