"""The planner's page in a real Chromium with the network closed: what a planner would do, and what must never happen."""

import html
import json
import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from page_fixture import HOSTILE, county, hostile_town, nation, town
from places import scenario_with

from estate.page import redraw, render, render_comparison, render_gallery, render_site
from estate.page.decision import figures
from estate.page.facts import journeys, people

pytestmark = pytest.mark.page
MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Where screenshots are kept to be looked at: `ESTATE_PICTURES`, or a temporary folder."""
    folder = Path(os.environ.get("ESTATE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="\n")
    return file


@pytest.fixture(scope="session")
def page_file(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("page"), "index.html", render(county()))


def shot(page, pictures: Path, name: str, **options) -> None:
    page.screenshot(path=pictures / f"{name}.png", **options)


def at(page, fragment: str):
    """The same page opened afresh at a state."""
    page.goto(page.url.partition("#")[0] + fragment)
    page.reload()
    return page


def view(page, name: str) -> None:
    page.locator("#map label", has_text=name).click()


# ------------------------------------------------------------------------------------------------------- whole and small


def test_county_is_one_small_file_and_the_same_bytes_twice():
    first, second = render(county()), render(county())
    assert first == second
    assert len(first.encode()) < 2 * MEGABYTE
    assert "BSD 2-Clause" in first


def test_policy_lists_hashes_and_nothing_else(page_file):
    text = page_file.read_text()
    rules = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
    assert "default-src 'none'" in rules
    assert "unsafe" not in rules
    assert "http" not in rules
    scripts = re.findall(r"<script>", text)
    assert rules.partition("script-src")[2].partition(";")[0].count("sha256-") == len(scripts)
    assert not re.search(r"<[^>]+\son[a-z]+=", re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL))


def test_opens_whole_without_a_network(open_page, page_file, pictures):
    page = open_page(page_file, viewport={"width": 1440, "height": 1000})
    assert page.evaluate("document.documentElement.lang") == "en-GB"
    assert page.locator(".leaflet-zones-pane path, .leaflet-pane path").count() > 400
    assert page.locator(".figures > div").count() == 5
    assert "Proven best" in page.locator("#decision .sure").inner_text()
    assert page.locator(".internal").inner_text().startswith("INTERNAL")
    shot(page, pictures, "county-top")
    shot(page, pictures, "county-whole", full_page=True)


@pytest.mark.parametrize("width", [1440, 320])
def test_nothing_is_wider_than_the_window(open_page, page_file, pictures, width):
    page = open_page(page_file, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#map").scroll_into_view_if_needed()
    shot(page, pictures, f"county-{width}")


# ---------------------------------------------------------------------------------------------------------- accessible


def test_no_accessibility_violations(open_page, page_file, accessibility):
    page = open_page(page_file)
    # The two longest tables are made by the same template as the rest, and take a minute to judge.
    page.evaluate("document.querySelectorAll('details:not(#assumptions, #access)').forEach((each) => { each.open = true; })")
    assert accessibility(page) == []
    at(page, "#service=library&view=plan&site=W-LIB-REDDITCH")
    assert accessibility(page) == []


def test_no_accessibility_violations_on_the_other_pages(open_page, accessibility, tmp_path):
    run = county()
    moved = run.tables["moves"].iloc[0]
    pages = {
        "public.html": render(run, public=True),
        "compare.html": render_comparison(run, run),
        "site.html": render_site(run, moved["from_site_id"]),
        "gallery.html": render_gallery([run]),
    }
    for name, text in pages.items():
        page = open_page(written(tmp_path, name, text))
        assert accessibility(page) == [], name


def test_keyboard_reaches_the_switch_the_search_and_a_building(open_page, page_file):
    page = open_page(page_file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#search").focus()
    page.keyboard.type("redditch lib")
    assert page.locator("#found li").count() >= 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "Redditch Library" in page.locator("#panel h3").inner_text()
    assert page.evaluate("document.activeElement.tagName") == "H3"
    page.locator("input[value=plan]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("input[value=today]").is_checked()


def test_focus_is_visible(open_page, page_file):
    page = open_page(page_file)
    page.locator("#whole").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.locator("#whole").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


def test_less_motion_is_respected(open_page, page_file):
    page = open_page(page_file, reduced_motion="reduce")
    assert page.evaluate("estate.motion") is False
    assert page.evaluate("window[estate.json('estate-data').map].options.zoomAnimation") is False


def test_every_chart_has_its_figures_in_words(open_page, page_file):
    page = open_page(page_file)
    charts = page.locator("figure.chart")
    assert charts.count() >= 9
    for chart in charts.all():
        assert chart.locator("svg[role=img]").get_attribute("aria-label")
        assert chart.locator("table tbody tr").count() > 0


# ------------------------------------------------------------------------------------------------------ what planners do


def test_switching_views_and_services(open_page, page_file, pictures):
    page = open_page(page_file, viewport={"width": 1440, "height": 1000})
    for name in ("Today", "The plan", "Changes"):
        view(page, name)
        for service in ("library", "jobcentre", "any"):
            page.locator("#service").select_option(service)
            assert f"service={service}" in page.url
            assert 1 <= page.locator("#shades li").count() <= 9
        page.locator("#map").scroll_into_view_if_needed()
        shot(page, pictures, f"view-{name.replace(' ', '-').lower()}")
    page.locator("#service").select_option("library")
    assert "Library" in page.locator("#shade-title").inner_text()
    assert "3 miles" in page.locator("#limit").inner_text()


def test_a_link_opens_where_it_was_made(open_page, page_file, pictures):
    page = at(
        open_page(page_file, viewport={"width": 1440, "height": 1000}), "#service=library&view=change&site=W-LIB-REDDITCH"
    )
    assert page.locator("input[value=change]").is_checked()
    assert page.locator("#service").input_value() == "library"
    assert "Redditch Library" in page.locator("#panel").inner_text()
    assert page.evaluate("window[estate.json('estate-data').map].getZoom()") > 11
    shot(page, pictures, "panel")
    page.evaluate("location.hash = '#tables'")
    assert page.locator("#service").input_value() == "library", "a link within the page leaves the map as it is"
    at(page, "#service=nonsense&view=sideways&site=%3Cscript%3E")
    assert page.locator("input[name=view]:checked").count() == 1


def test_panel_tells_who_is_there_before_and_after(open_page, page_file):
    moved = county().tables["moves"].iloc[0]
    page = at(open_page(page_file), f"#site={moved['from_site_id']}")
    panel = page.locator("#panel")
    assert moved["from_name"] in panel.inner_text()
    assert ("merges with the one at" if moved["kind"] == "merge" else "moves to") in panel.inner_text()
    panel.locator("button.link", has_text=moved["to_name"]).first.click()
    assert panel.locator("h3").inner_text() == moved["to_name"]
    assert "from" in panel.inner_text()
    panel.get_by_role("button", name="Close").click()
    assert "Choose a building" in panel.inner_text()


def test_clicking_a_mark_opens_its_building(open_page, page_file):
    page = open_page(page_file, viewport={"width": 1440, "height": 1000})
    page.locator("#map").scroll_into_view_if_needed()
    page.locator(".leaflet-sites-pane path").last.click()
    assert page.locator("#panel h3").count() == 1
    assert "site=" in page.url


def test_tables_sort_filter_and_lead_to_the_map(open_page, page_file):
    page = open_page(page_file)
    table = page.locator("#table-sites")
    table.get_by_role("button", name="Running cost a year today").click()
    costs = [float(each.get_attribute("data-v")) for each in table.locator("tbody tr td:nth-child(10)").all()[:20]]
    assert costs == sorted(costs, reverse=True)
    assert table.locator("th[aria-sort=descending]").count() == 1
    table.get_by_role("button", name="Building").first.click()
    names = [each.inner_text() for each in table.locator("tbody tr td:first-child").all()]
    assert names == sorted(names, key=str.casefold) or len(set(names)) > 100
    page.locator("[data-filter=table-sites]").fill("malvern library")
    assert 1 <= table.locator("tbody tr:visible").count() < 10
    table.locator("tbody tr:visible button.link").first.click()
    assert "Malvern" in page.locator("#panel h3").inner_text()


def test_print_is_a4_with_two_sheets_for_members_and_one_for_each_building_that_closes(open_page, page_file, pictures):
    page = open_page(page_file, viewport={"width": 1440, "height": 1000})
    page.pdf(path=pictures / "county.pdf", prefer_css_page_size=True, print_background=True)
    data = (pictures / "county.pdf").read_bytes()
    assert re.search(rb"MediaBox \[0 0 59[456](\.\d+)? 84[12](\.\d+)?\]", data)
    assert page.locator(".sheets").count() == 0, "what was laid out for the paper is put back"
    assert page.evaluate("document.getElementById('people').compareDocumentPosition(document.getElementById('money')) & 4")
    opened = page.locator("details.table[open]").count()
    # A sheet is 186 by 273 mm within its margins.
    page.set_viewport_size({"width": 703, "height": 1032})
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    first, second, third = (page.locator(name).bounding_box() for name in ("#decision", "#map", "#money .agencies"))
    assert first["y"] + first["height"] <= 1032
    assert third["y"] - second["y"] <= 1032
    gone = (county().tables["sites"]["after"] == "released").sum()
    assert page.locator(".sheets > div").count() == gone
    assert page.locator("details.table:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.table[open]").count() == opened


def test_one_building_prints_alone(open_page, page_file):
    page = open_page(page_file, viewport={"width": 1440, "height": 1000})
    at(page, "#site=W-LIB-REDDITCH")
    page.evaluate("window.print = () => {}")
    page.get_by_role("button", name="Print this building").click()
    page.emulate_media(media="print")
    assert page.locator("#panel h3").is_visible()
    assert not page.locator("#tables").is_visible()


def test_links_beside_the_page_are_to_its_own_files(open_page, page_file):
    page = open_page(page_file)
    links = [each.get_attribute("href") for each in page.locator("a[download]").all()]
    assert "sites.csv" in links
    assert all(re.fullmatch(r"[a-z_]+\.csv", link) for link in links)


# ----------------------------------------------------------------------------------------------------------------- safe


@pytest.mark.parametrize("kind", ["page", "public", "site", "compare", "gallery"])
def test_hostile_names_are_text_everywhere(open_page, tmp_path, pictures, kind):
    run = hostile_town()
    draw = {
        "page": lambda: render(run),
        "public": lambda: render(run, public=True),
        "site": lambda: render_site(run, "jobcentre"),
        "compare": lambda: render_comparison(run, run),
        "gallery": lambda: render_gallery([run]),
    }
    page = open_page(written(tmp_path, f"{kind}.html", draw[kind]()), viewport={"width": 1200, "height": 900})
    if kind in ("page", "public"):
        for name in run.place.sites.index:
            at(page, f"#site={name}&view=change")
            assert page.locator("#panel h3 bdi").count() == 1
        page.locator("#search").fill("script")
        assert page.locator("#found li").count() >= 1
        for path in page.locator(".leaflet-sites-pane path, .leaflet-zones-pane path").all():
            path.dispatch_event("mouseover")
        assert HOSTILE[0] in page.locator("h1").inner_text()
        page.locator("#map").scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    shot(page, pictures, f"hostile-{kind}")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_direction_of_a_name_cannot_leak(open_page, tmp_path):
    page = open_page(written(tmp_path, "index.html", render(hostile_town())))
    loose = page.evaluate(
        """() => {
          const found = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const { parentElement, data } = walk.currentNode;
            if (/[\\u202a-\\u202e]/.test(data) && !parentElement.closest("bdi, script")) found.push(data.slice(0, 80));
          }
          return found;
        }"""
    )
    assert loose == []
    assert not re.search("[\u202a-\u202e]", page.title())


# --------------------------------------------------------------------------------------------------------- other sizes


def test_a_place_with_no_context_no_groups_and_no_moves(open_page, tmp_path, pictures, accessibility):
    from page_fixture import run_of
    from places import plan_of, scenario_with, tiny_place

    place = tiny_place()
    run = run_of(place, scenario_with(), plan_of(place, place.access_points["site_id"].to_dict()))
    page = open_page(written(tmp_path, "index.html", render(run)), viewport={"width": 1200, "height": 900})
    assert "changes nothing" in page.locator("header").inner_text()
    assert accessibility(page) == []
    shot(page, pictures, "nothing-moves", full_page=True)


def test_missing_tables_are_left_out(open_page, tmp_path):
    run = town()
    bare = replace(run, tables={"sites": run.tables["sites"][["site_id", "name", "after"]]}, manifest={"name": "bare"})
    page = open_page(written(tmp_path, "index.html", render(bare)))
    assert page.locator("#table-sites tbody tr").count() == len(run.tables["sites"])
    assert "not known" in page.locator(".figures").inner_text()


def test_a_run_that_knows_only_times_is_told_in_minutes(open_page, tmp_path):
    run = town()
    zones = run.tables["zones"].drop(columns=["distance_before_m", "distance_after_m"])
    page = open_page(written(tmp_path, "index.html", render(replace(run, tables={**run.tables, "zones": zones}))))
    view(page, "Today")
    assert page.locator("#shade-title").inner_text().startswith("Minutes from home")
    assert "under 5" in page.locator("#shades").inner_text()
    assert "minutes from home" in page.locator("figure.chart svg").last.text_content() + page.locator("#people").inner_text()
    assert "out of reach" not in page.locator("#people").inner_text()


@pytest.mark.slow
def test_a_nation_is_simplified_and_says_so(open_page, tmp_path, pictures):
    text = render(nation())
    assert len(text.encode()) < 10 * MEGABYTE
    page = open_page(written(tmp_path, "nation.html", text), viewport={"width": 1440, "height": 1000})
    assert "Simplified" in page.locator("#map").inner_text()
    assert "at most 2.1% from the best possible" in page.locator("#decision .sure").inner_text()
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted < 10_000, "the benchmark holds it to two seconds; this only notices a hang"
    page.locator("#search").fill("Building 9999 ")
    assert page.locator("#found li").count() == 1
    page.locator("#map").scroll_into_view_if_needed()
    shot(page, pictures, "nation")


# ------------------------------------------------------------------------------------------------------ its relations


def test_comparison_shows_what_differs_and_its_maps_move_together(open_page, tmp_path, pictures):
    first = county()
    from page_fixture import run_of

    from estate.place import todays_plan

    second = run_of(first.place, first.scenario, todays_plan(first.place), name="today")
    file = written(tmp_path, "compare.html", render_comparison(first, second))
    page = open_page(file, viewport={"width": 1600, "height": 1000})
    assert page.locator(".folium-map").count() == 2
    assert "Buildings in use" in page.locator(".sums").inner_text()
    page.locator("button[data-id]").first.click()
    assert page.locator("#panel-a h3").inner_text() == page.locator("#panel-b h3").inner_text()
    centres = page.evaluate(
        """() => {
          const maps = estate.json("estate-data").sides.map((side) => window[side.map]);
          maps[0].setView([52.3, -2.2], 12, { animate: false });
          return maps.map((map) => [map.getZoom(), map.getCenter().lat.toFixed(3)]);
        }"""
    )
    assert centres[0] == centres[1]
    page.locator("#whole").click()
    shot(page, pictures, "compare", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    shot(page, pictures, "compare-phone", full_page=True)


def test_sheet_of_one_building(open_page, tmp_path, pictures):
    moved = county().tables["moves"].iloc[0]
    page = open_page(written(tmp_path, "site.html", render_site(county(), moved["from_site_id"])))
    text = page.locator("body").inner_text()
    for said in (moved["from_name"], moved["to_name"], "Who is affected", "Consultation"):
        assert said in text
    page.pdf(path=pictures / "site.pdf", prefer_css_page_size=True, print_background=True)
    assert (pictures / "site.pdf").read_bytes().count(b"/Type /Page\n") == 1
    shot(page, pictures, "site", full_page=True)


def test_unknown_building_is_refused_with_a_suggestion():
    from estate.errors import InputError

    with pytest.raises(InputError, match="W-LIB-REDDITCH"):
        render_site(county(), "lib-redditch")


def test_gallery_lists_runs_with_pictures_newest_first(open_page, tmp_path, pictures):
    def dated(name: str, when: str):
        run = county()
        return replace(run, manifest={**run.manifest, "name": name, "title": name, "execution": {"finished": when}})

    text = render_gallery([dated("older", "2026-01-01T10:00:00+00:00"), dated("newer", "2026-02-01T10:00:00+00:00")])
    page = open_page(written(tmp_path, "gallery.html", text), viewport={"width": 1200, "height": 900})
    assert [each.inner_text() for each in page.locator(".card h2 a").all()] == ["newer", "older"]
    assert page.locator(".card h2 a").first.get_attribute("href") == "newer/index.html"
    assert page.locator("svg.sketch").count() == 2
    shot(page, pictures, "gallery")


def test_redraw_needs_a_run(tmp_path):
    from estate.errors import InputError

    with pytest.raises(InputError):
        redraw(tmp_path)


def test_public_page_works_around_what_it_may_not_show(open_page, tmp_path, pictures):
    run = town(sites={"library": {"confidential": True}})
    page = open_page(written(tmp_path, "index.html", render(run, public=True)), viewport={"width": 1200, "height": 900})
    for name in ("Today", "The plan", "Changes"):
        view(page, name)
    at(page, "#site=jobcentre")
    assert "moves to a building not shown" in page.locator("#panel").inner_text()
    at(page, "#site=library")
    assert "Choose a building" in page.locator("#panel").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save this table (CSV)").first.click()
    assert "Town Hall" in saved.value.path().read_text(encoding="utf-8")
    shot(page, pictures, "public")


def test_a_limit_that_only_a_preset_gives_is_the_one_of_the_tables():
    run = town(scenario=scenario_with(standards=[{"name": "near", "preset": "library-1200m"}]))
    access = run.tables["access"]
    (limit,) = set(access.loc[access["service"] == "library", "limit"])
    assert limit == "1200 m"
    said = {each["id"]: each["limit"] for each in json.loads(re.search(r'"services":(\[.*?\])', render(run))[1])}
    assert said == {service: limit if service == "library" else "" for service in said}


def test_what_was_not_settled_is_said_for_what_it_is():
    from estate.page.words import checks

    settled = {"verified": True, "repeatable": True, "stopped": "proven"}
    assert any(line.startswith("Repeatable") for line in checks(settled))
    (line,) = [each for each in checks({**settled, "repeatable": False}) if each.startswith("Not repeatable")]
    assert "just as good" in line
    assert "penny" not in line
    (line,) = [
        each for each in checks({**settled, "repeatable": False, "stopped": "time"}) if each.startswith("Not repeatable")
    ]
    assert "just as good" not in line


# ------------------------------------------------------------------------------------------------- what is decided


def test_a_building_that_opens_is_counted_apart_from_those_that_stay():
    run = county()
    sites = run.tables["sites"].copy()
    stays = sites.index[sites["after"] != "released"][0]
    sites.loc[stays, "before"] = "not in use"
    manifest = {**run.manifest, "sites_before": run.manifest["sites_before"] - 1}
    lines = figures(replace(run, tables={**run.tables, "sites": sites}, manifest=manifest), people(journeys(run)))[0].lines
    left = run.manifest["sites_after"] - 1
    assert lines[0] == f"{left} of {run.manifest['sites_before'] - 1} stay in use"
    assert lines[1] == "1 building that is not in use today opens"


def test_the_decision_comes_first_and_names_what_closes(open_page, page_file):
    run = county()
    page = open_page(page_file)
    assert page.locator("main > section").first.get_attribute("id") == "decision"
    gone = run.tables["sites"].query("after == 'released'")
    listed = page.locator("#decision ol.closings > li")
    assert listed.count() == len(gone)
    assert {each.locator("button").inner_text() for each in listed.all()} == set(gone["name"])
    assert [int(each.get_attribute("value")) for each in listed.all()] == list(range(1, len(gone) + 1))
    moves = run.tables["moves"].set_index("from_name")
    for each in listed.all():
        for to in moves.loc[[each.locator("button").inner_text()], "to_name"]:
            assert to in each.inner_text()
    numbers = page.locator(".canvas .pinned")
    assert sorted(int(each.inner_text()) for each in numbers.all()) == list(range(1, len(gone) + 1))


def test_places_with_each_service_are_those_of_the_table(open_page, page_file):
    run = county()
    page = open_page(page_file)
    said = [
        [cell.inner_text() for cell in row.locator("th, td").all()] for row in page.locator("#decision .two tbody tr").all()
    ]
    table = run.tables["places"].query("group == 'everywhere' and (counters_moved > 0 or change != 0)")
    assert [row[1:] for row in said] == [
        [f"{row.places_before}", f"{row.places_after}", f"{row.counters_moved}", f"{row.counters_merged}"]
        for row in table.itertuples()
    ]


def test_no_building_that_closes_hides_another(open_page, page_file):
    """Twelve of twelve can be seen at the scale of the county, on top of what stays."""
    page = open_page(page_file, viewport={"width": 1366, "height": 1000})
    page.locator("#map").evaluate("(each) => each.scrollIntoView({ block: 'start', behavior: 'instant' })")
    at = page.evaluate(
        """() => [...document.querySelectorAll(".canvas .leaflet-tooltip-pane .pinned")].map((each) => {
          const box = each.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        })"""
    )
    assert len(at) == (county().tables["sites"]["after"] == "released").sum()
    for n, (x, y) in enumerate(at):
        assert all((x - u) ** 2 + (y - v) ** 2 > 18**2 for u, v in at[:n]), "one number covers another"
        on_top = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.getAttribute('stroke')", [x, y])
        assert on_top == "#c2410c", "something lies on a building that closes"


def test_the_map_opens_on_the_worst_change_with_classes_fitted_to_it(open_page, page_file):
    page = open_page(page_file)
    assert page.locator("#service").input_value() == "any"
    key = page.locator("#shades").inner_text()
    assert "farther" in key
    people = sum(int(each.replace(",", "")) for each in re.findall(r"([\d,]+) people", key))
    assert people == county().place.zones["population"].sum(), "the key tells of everybody once"
    zones = county().tables["zones"]
    change = (zones["distance_after_m"] - zones["distance_before_m"]).astype(float)
    worst = change.groupby(zones["zone_id"]).max()
    lost = county().place.zones["population"].reindex(worst.index)[worst > 80].sum()
    assert sum(int(n.replace(",", "")) for n in re.findall(r"farther\s+([\d,]+) people", key)) == lost
    assert f"{lost:,}" in page.locator(".figures").inner_text(), "chart, table, figure and map have one threshold"
    mile = county().place.zones["population"].reindex(worst.index)[worst > 1609.344].sum()
    assert f"over a mile farther {mile:,} people" in " ".join(key.split())
    assert f"{mile:,} of them by more than a mile" in page.locator(".figures").inner_text()


def test_a_service_shows_itself_in_panel_and_tooltip(open_page, page_file):
    moved = county().tables["moves"].query("service == 'jobcentre'").iloc[0]
    page = at(open_page(page_file), f"#service=jobcentre&site={moved['from_site_id']}")
    assert "Jobcentre: the nearest for" in page.locator("#panel").inner_text()
    page.locator("#service").select_option("any")
    assert "the nearest for" not in page.locator("#panel").inner_text()


def test_no_codes_and_no_names_of_columns(open_page, page_file):
    page = open_page(page_file)
    page.evaluate("document.querySelectorAll('details:not(#assumptions)').forEach((each) => { each.open = true; })")
    text = page.locator("main").inner_text() + page.locator("header").inner_text()
    columns = {column for table in county().tables.values() for column in map(str, table) if "_" in column}
    inputs = {column for frame in (county().place.sites, county().place.access_points) for column in frame if "_" in column}
    assert not [column for column in columns | inputs if re.search(rf"\b{column}\b(?!\.csv)", text)]
    assert not [rule.name for rule in county().scenario.standards if rule.name in text]


def test_a_rule_is_called_broken_only_where_it_is():
    from estate.page import story

    run = county()
    said = story.standards(run)
    table = run.tables["standards"]
    for row, each in zip(table.to_dict("records"), said, strict=True):
        if row["kept"] in ("yes", "no"):
            assert each["verdict"] == {"yes": "Kept", "no": "Broken"}[row["kept"]]
            assert f"{row['beyond_before']:,} people are beyond it already" in each["meaning"]
            assert ("nobody is added" in each["meaning"]) == (row["kept"] == "yes" and row["newly_beyond"] == 0)
    assert "not met" not in str(said).lower()


def test_each_agency_recovers_what_it_must_find_itself():
    from estate.page import money

    run = county()
    headings, rows = money.by_agency(run)
    needs = run.tables["agencies"].set_index("name")
    assert headings[3] == "Must find itself"
    for row in rows:
        mine = needs.loc[row[0]]
        assert row[3] == f"£{round(mine['need_gbp']):,}"
        if mine["need_gbp"] >= 1 and mine["gain_gbp_pa"] < 1:
            assert row[5] == "never"
            assert any(row[0] in line for line in money.hard_bargains(run))


def test_groups_are_counted_by_one_threshold():
    """The share of a district that goes farther for a service is what access.csv says of it."""
    from estate.page import equality, facts

    run = county()
    headings, rows = equality.matrix(run, facts.journeys(run))
    access = run.tables["access"].query("group == 'district'")
    by_name = {row[0]: row for row in rows}
    for row in access.to_dict("records"):
        label = run.scenario.service_label(row["service"])
        if label in headings:
            share = by_name[f"District: {row['value']}"][headings.index(label)]
            assert abs(float(share.rstrip("%")) - 100 * row["worse_off"] / row["people"]) < 0.1


def test_groups_are_told_once_and_in_words():
    """A register's own columns: the codes of its districts beside their names, and the classes of town and country as codes."""
    from estate.page import equality, facts

    run = county()
    zones = run.place.zones
    codes = {name: f"E0700022{n}" for n, name in enumerate(sorted(zones["district"].unique()))}
    own = zones.drop(columns=["ruc11", "rural_urban"], errors="ignore").assign(
        ladcd=zones["district"].map(codes), rural_urban=np.where(np.arange(len(zones)) % 2, "C1", "E2")
    )
    rows = equality.matrix(replace(run, place=replace(run.place, zones=own)), facts.journeys(run))[1]
    names = [row[0] for row in rows]
    assert not [name for name in names if "E0700022" in name]
    assert sum(name.startswith("District: ") for name in names) == len(codes)
    assert "Town and country: urban, city and town" in names
    assert "Town and country: rural, village and dispersed, sparse" in names


def test_amounts_that_rest_on_assumptions_are_rounded():
    from estate.page import words

    assert words.about(592_810, assumed=True) == "about £590,000"
    assert words.about(3_998_924, assumed=True) == "about £4.0 million"
    assert words.about(592_810, assumed=False) == "£593,000"
    assert [words.fraction(each) for each in (0.02, 0.31, 0.52, 0.97, 1.0)] == [
        "a few", "about a third", "about half", "nearly all", "all",
    ]  # fmt: skip


def a_night(folder: Path, run, **changes) -> Path:
    """The files of a published batch that starts from a run, with a few rows made up."""
    import pandas as pd

    where = folder / "night"
    where.mkdir()
    manifest = {
        "name": "night", "title": "A night", "base": run.manifest["name"], "scenarios": 341, "inputs": run.manifest["inputs"],
        "answers": {"base: base": [run.manifest["status"], run.manifest["objective_value"], "abc"]},
    }  # fmt: skip
    (where / "batch.json").write_text(json.dumps({**manifest, **changes}))
    gone = run.tables["sites"].query("after == 'released'").iloc[0]
    pd.DataFrame(
        {"plan": ["abc"], "best_in": [337], "scenarios": [341], "breaks": [0], "max_regret_gbp_pa": [812.0], "is_base": [True]}
    ).to_csv(where / "regret.csv", index=False)
    pd.DataFrame(
        {"more_than_the_best_gbp_pa": [11_300.0], "buildings_that_differ": [2], "keeps": ["One; Two"], "loses": [None]}
    ).to_csv(where / "alternatives.csv", index=False)
    pd.DataFrame(
        {
            "site_id": [gone["site_id"]],
            "name": [gone["name"]],
            "in_the_plan": ["released"],
            "price_of_keeping_gbp_pa": [5_500.0],
            "margin_gbp_pa": [5_500.0],
        }
    ).to_csv(where / "prices.csv", index=False)
    return where


def test_without_scripts_a_still_drawing_says_what_the_map_would(open_page, page_file):
    page = open_page(page_file, java_script_enabled=False)
    assert page.locator("figure.still svg").is_visible()
    assert not page.locator(".canvas").is_visible()
    assert not page.locator("#map > .toolbar").is_visible()
    assert not page.locator(".legend > .shading").is_visible()
    gone = (county().tables["sites"]["after"] == "released").sum()
    assert page.locator("figure.still path.released").count() == gone == page.locator("#decision ol.closings > li").count()
    said = [each.text_content() for each in page.locator("figure.still text").all()]
    assert sorted(map(int, said)) == list(range(1, gone + 1)), "numbered as in the list"


def test_a_night_that_speaks_of_the_run_is_brought_onto_its_page(tmp_path):
    from estate.page.evidence import beside

    run = county()
    run = replace(run, manifest={**run.manifest, "objective_value": run.manifest["objective_gbp_pa"]})
    assert "has not been tried" in render(run)
    assert beside(tmp_path / "run", run) is None
    a_night(tmp_path, run)
    found = beside(tmp_path / "run", run)
    text = render(run, evidence=found)
    for said in (
        "337 of 341 trials",
        "£11,300 a year more",
        "keeps One; Two",
        "to keep it would cost about £5,500 a year more",
    ):
        assert said in text
    assert 'href="../night/index.html"' in text
    assert "has not been tried" not in text
    public = render(run, public=True, evidence=found)
    assert "337 of 341" not in public
    assert "../night" not in public


@pytest.mark.parametrize(
    "other", [{"base": "another"}, {"inputs": {}}, {"answers": {"base: base": ["optimal", 1.0, "abc"]}}, {"answers": {}}]
)
def test_a_night_about_something_else_says_nothing_and_is_linked(tmp_path, other):
    from estate.page.evidence import beside, others

    run = county()
    run = replace(run, manifest={**run.manifest, "objective_value": run.manifest["objective_gbp_pa"]})
    a_night(tmp_path, run, **other)
    assert beside(tmp_path / "run", run) is None
    assert others(tmp_path / "run", run) == [("A night", "../night/index.html")]


def test_a_night_that_is_linked_is_on_the_page_and_never_on_a_public_one():
    nights = [("Last winter’s night", "../winter/index.html")]
    run = town()
    assert '<a href="../winter/index.html"><bdi>Last winter’s night</bdi></a>' in render(run, nights=nights)
    assert "winter" not in render(run, public=True, nights=nights)


def test_neighbours_are_named_on_the_map_and_are_no_towns_of_the_place():
    from estate.page import geography

    place = county().place
    neighbours = set(place.context.loc[place.context["kind"] == "neighbour", "name"])
    found = geography.towns(place)
    assert neighbours <= {each["name"] for each in found if each["beyond"]}
    assert not neighbours & {name for name, _ in geography.named_towns(place)}
    assert len(neighbours) == 17


def test_no_class_of_change_holds_what_is_near_and_what_is_far():
    """Nine in ten go a third of a mile farther and one in ten six miles: a class ends between them."""
    import numpy as np

    from estate.page.data import fitted
    from estate.page.facts import Journeys

    change = np.array([[500.0]] * 9 + [[9_600.0]])
    unknown, nowhere = np.full_like(change, np.nan), np.full(change.shape, -1)
    trips = Journeys(("a",), np.full(10, 100.0), change * 0, change, unknown, unknown, nowhere, nowhere)
    ends = fitted(replace(trips, people=np.array([100.0] * 9 + [200.0])))
    assert any(0.5 <= end <= 3 for end in ends)
    assert all(high <= 6 * low for low, high in pairwise(ends)), ends
