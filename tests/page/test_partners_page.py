"""What members see of a plan put to its partners, and what the public does not."""

import json

import openpyxl
import pytest
from repository import WORCESTERSHIRE

from estate.cli import main
from estate.page.partners import WAYS, section
from estate.partners.shares import AS_IT_FALLS, FLOOR_AREA, LEAST_CHANGE, LEAST_CORE, NUCLEOLUS, SHAPLEY, VISITS
from estate.pipeline.judge import judge
from estate.runs.files import read_run

COUNTY = WORCESTERSHIRE
TABLES = (
    "partners", "ways", "shares", "blocking", "coalitions", "witnesses", "inducements", "winning", "settlements", "payments",
    "account", "own_purses", "powers", "agreement", "groups", "group_plans", "vehicle", "unravelling",
)  # fmt: skip


VEHICLE = 'vehicle={members=["WCC","WMP","RBC"],overhead_gbp_pa=123457,holds_titles=false}'
"""One that manages: where titles pass, whose a building is is said in public as of any owner."""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    out = tmp_path_factory.mktemp("maps")
    with pytest.raises(SystemExit) as ended:
        main(["partners", str(COUNTY), "--out", str(out), "--public", "-q", "--group", "WCC+DWP", "--set", VEHICLE])
    assert ended.value.code == 0
    return out / "worcestershire"


def test_every_table_is_published_and_read_back(published):
    run = read_run(published)
    for name in TABLES:
        assert (published / f"{name}.csv").is_file()
        assert len(run.tables[name])
    assert judge(run).ok
    said = json.loads((published / "run.json").read_text())["partners"]
    assert said["pooling_gbp_pa"] == 507_450
    assert said["worth_of_pooling_purses_gbp"] == 563_136


def test_the_section_is_in_a_member_s_words(published):
    shown = section(read_run(published))
    text = json.dumps({**shown, "charts": []}).lower()
    for word in ("core", "nucleolus", "shapley", "coalition", "imputation", "excess"):
        assert word not in text.replace("worcester", "")
    assert "Redditch Borough Council alone would save £3,702 a year more" in json.dumps(shown["ways"], ensure_ascii=False)
    assert len(shown["charts"]) == len(shown["ways"])
    for chart in shown["charts"]:
        assert len(chart.rows) == len(chart.bars) + sum(row[1] == "£0" for row in chart.rows)
    assert len(shown["rows"]) == 13
    assert [row[0] for row in shown["groups"]][-1] == "All together"
    assert any("Kidderminster Jobcentre" in item["names"] for item in shown["letting_go"])
    assert any("section 75" in line for line in shown["notes"])
    assert all(len(row) == len(shown["headings"]) for row in shown["rows"])


def test_every_way_to_share_has_a_name_for_members():
    assert set(WAYS) == {AS_IT_FALLS, FLOOR_AREA, VISITS, SHAPLEY, NUCLEOLUS, LEAST_CHANGE, LEAST_CORE}


def test_the_public_version_shows_none_of_it(published):
    public = published / "public"
    assert not {f"{name}.csv" for name in TABLES} & {file.name for file in public.iterdir()}
    page = (public / "index.html").read_text()
    assert "Would they sign" in (published / "index.html").read_text()
    for words in ("Would they sign", "alone would save", "507,450", "Who must be won", "common purse"):
        assert words not in page


def test_no_published_byte_depends_on_the_partners(published, tmp_path):
    """What nobody can tell apart gives nothing away: not stand-alone values, inducements, purses, nor that anybody asked."""
    with pytest.raises(SystemExit) as ended:
        main(["run", str(COUNTY), "--out", str(tmp_path), "--public", "-q"])
    assert ended.value.code == 0
    plain, ours = tmp_path / "worcestershire" / "public", published / "public"
    assert {file.name for file in ours.iterdir()} == {file.name for file in plain.iterdir()}
    for file in plain.iterdir():
        assert (ours / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_workbook_has_their_sheets(published):
    book = openpyxl.load_workbook(published / "finance.xlsx", read_only=True)
    assert {
        "Partners",
        "Groups",
        "Legal powers",
        "Ways to share",
        "Who would leave",
        "Accounts",
        "Purses",
        "Heads of terms",
    } <= set(book.sheetnames)


@pytest.mark.page
def test_the_section_is_accessible_and_fits_a_phone(published, chromium):
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": 390, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((published / "index.html").as_uri())
    page.locator("#sign").wait_for()
    assert Axe().run(page, context="#sign").violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not errors
    page.close()
