"""The page for whoever opens it: in the dark, from the keyboard, on a phone, looking for their own neighbourhood."""

import base64
from pathlib import Path

import pytest
from page_fixture import county, town

from estate.page import render

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(render(county()), encoding="utf-8", newline="\n")
    return file


def luminance(page, selector: str, name: str) -> float:
    """Of a colour of an element, 0 black to 255 white."""
    red, green, blue = page.locator(selector).first.evaluate(
        "(each, name) => getComputedStyle(each)[name].match(/[\\d.]+/g).slice(0, 3).map(Number)", name
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_in_the_dark_the_page_and_its_map_are_dark_and_still_readable(open_page, page_file, accessibility):
    page = open_page(page_file, color_scheme="dark")
    for selector in ("body", ".canvas .leaflet-container", "#panel", ".figures > div", ".scroll"):
        assert luminance(page, selector, "backgroundColor") < 60, selector
    same = "estate.colours().same"
    assert page.evaluate(same) in {each.get_attribute("fill") for each in page.locator(".leaflet-zones-pane path").all()}, (
        "the land that nothing changes for is drawn in the colours of the dark"
    )
    assert accessibility(page) == []
    dark = page.evaluate(same)
    page.emulate_media(color_scheme="light")
    assert page.evaluate(same) != dark
    assert page.locator(f".leaflet-zones-pane path[fill='{dark}']").count() == 0, "the map follows the reader's setting"


def test_paper_is_light_even_where_the_screen_is_dark(open_page, page_file):
    page = open_page(page_file, color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert luminance(page, "body", "backgroundColor") > 240
    light = page.evaluate("estate.colours().same")
    assert page.locator(f".leaflet-zones-pane path[fill='{light}']").count() > 0


def test_the_map_is_one_stop_and_arrows_go_from_building_to_building(open_page, page_file):
    page = open_page(page_file, viewport={"width": 1366, "height": 900})
    stops = "[...document.querySelectorAll('.canvas *, .insets *')].filter((each) => each.tabIndex >= 0).length"
    assert page.evaluate(stops) == 1
    page.locator("#picture").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-roledescription')") == "map"
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        told.append(page.locator("#said").inner_text())
    names = set(county().tables["sites"]["name"])
    assert all(each.partition(". ")[2].rpartition(":")[0] in names or each.rpartition(":")[0] in names for each in told)
    page.keyboard.press("Enter")
    assert page.locator("#panel h3").first.inner_text() in told[-1]
    assert page.evaluate("document.activeElement.tagName") == "H3"
    page.keyboard.press("Escape")
    assert "Choose a building" in page.locator("#panel").inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-roledescription')") == "map", "back where they were"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#panel') !== null"), "the next stop is past the map"


def test_on_a_phone_the_map_is_within_one_screen_of_the_top(open_page, page_file):
    page = open_page(page_file, viewport={"width": 390, "height": 844})
    assert page.locator(".canvas").bounding_box()["y"] < 844 - 100
    assert page.evaluate("document.querySelector('main > section').id") == "map", "and it is read first as well"


def test_a_neighbourhood_is_found_and_its_card_says_what_changes(open_page, page_file):
    run = county()
    zones = run.tables["zones"]
    farther = (zones["distance_after_m"] - zones["distance_before_m"]).astype(float)
    worst = zones.loc[farther.idxmax()]
    page = open_page(page_file, viewport={"width": 1366, "height": 900})
    page.locator("#search").fill(worst["name"])
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    assert panel.locator("h3").inner_text() == worst["name"]
    rows = panel.locator("table.card tbody tr")
    assert rows.count() == len(run.place.services)
    label = run.scenario.service_label(worst["service"])
    row = next(each for each in rows.all() if each.locator("th").inner_text() == label)
    site = run.place.sites["name"]
    assert f"{farther.max() / 1609.344:.1f} miles farther" in row.inner_text()
    assert site[worst["site_before"]] in row.locator("td").first.inner_text()
    assert site[worst["site_after"]] in row.locator("td").last.inner_text()
    shared = page.url
    again = open_page(page_file)
    again.goto(shared)
    again.reload()
    assert again.locator("#panel h3").inner_text() == worst["name"], "a link brings the reader back to it"


def test_the_card_of_a_district_counts_as_the_tables_do(open_page, page_file):
    run = county()
    access = run.tables["access"].query("group == 'district' and worse_off > 0").iloc[0]
    page = open_page(page_file, viewport={"width": 1366, "height": 900})
    page.locator("#search").fill(access["value"])
    page.locator("#found li", has_text="district").first.click()
    label = run.scenario.service_label(access["service"])
    row = page.locator("#panel table.card tr", has_text=label).first
    assert f"{access['worse_off']:,} go farther" in row.inner_text()


def test_a_link_brings_back_where_the_map_looked(open_page, page_file):
    page = open_page(page_file, viewport={"width": 1366, "height": 900})
    assert "at=" not in page.url
    drawn = "const map = window[estate.json('estate-data').map];"
    where = f"(() => {{ {drawn} return [map.getZoom(), map.getCenter().lat, map.getCenter().lng]; }})()"
    page.evaluate("window[estate.json('estate-data').map].setView([52.3, -2.1], 12.5, { animate: false })")
    assert "at=52.3" in page.url
    wanted = page.evaluate(where)
    again = open_page(page_file, viewport={"width": 1366, "height": 900})
    again.goto(page.url)
    again.reload()
    assert again.evaluate(where) == pytest.approx(wanted, abs=1e-3)


def test_the_map_can_be_saved_as_a_picture(open_page, page_file):
    page = open_page(page_file, viewport={"width": 1366, "height": 900})
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a picture").click()
    picture = saved.value.path().read_bytes()
    assert picture.startswith(b"\x89PNG")
    width = int.from_bytes(picture[16:20])
    assert width == 2 * round(page.locator(".canvas").bounding_box()["width"])
    inked = page.evaluate(
        """async (data) => {
          const image = new Image();
          image.src = data;
          await image.decode();
          const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          const pixels = context.getImageData(0, 0, image.width, image.height).data;
          const seen = new Set();
          for (let at = 0; at < pixels.length; at += 4) seen.add(65536 * pixels[at] + 256 * pixels[at + 1] + pixels[at + 2]);
          const { hub, gone } = estate.colours();
          return [hub, gone].every((colour) => seen.has(parseInt(colour.slice(1), 16)));
        }""",
        f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    )
    assert inked, "buildings that stay and that go are on it"


def test_a_table_can_be_saved_from_the_page_alone(open_page, tmp_path):
    file = tmp_path / "mailed.html"
    file.write_text(render(town()), encoding="utf-8", newline="\n")
    page = open_page(file)
    with page.expect_download() as saved:
        page.locator("#sites").get_by_role("button", name="Save this table (CSV)").click()
    assert "Town Hall" in saved.value.path().read_text(encoding="utf-8")
