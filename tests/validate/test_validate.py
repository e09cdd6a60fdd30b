"""Checks between tables and scenario: what each says, where it points, and that a good place has nothing wrong with it."""

# ruff: noqa: E501  (a case a line reads as the table it is)

import pytest
import starter
from hypothesis import given, settings
from hypothesis import strategies as st
from starter import replace, rows, spoil, write

from estate.errors import EstateError, Severity
from estate.load import survey
from estate.scenario import load_scenario
from estate.validate import CHECKS, check, missed_today


@pytest.fixture
def folder(tmp_path):
    return starter.make(tmp_path)


def told(folder, code):
    """The issues of one code, as text."""
    return [f"{each.severity}: {each}" for each in starter.found(folder) if each.code == code]


def test_a_good_place_has_only_notes(folder):
    found = starter.found(folder)
    assert {each.severity for each in found} == {Severity.NOTE}
    assert {each.code for each in found} == {
        f"{t}.illustrative" for t in ("agencies", "sites", "access_points", "zones", "rates")
    }


def test_every_check_has_a_name_and_a_sentence():
    for each in CHECKS:
        assert each.__name__.startswith("check_")
        assert each.__doc__


def test_errors_come_first(folder):
    spoil(folder, "access_points", 2, site_id="NOWHERE")
    scenario = load_scenario(folder)
    order = [each.severity for each in check(scenario, survey(scenario))]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert order[0] is Severity.ERROR


def test_checks_run_beside_reading_errors(folder):
    """One pass tells of a cell that cannot be read, and of a site that does not exist."""
    spoil(folder, "sites", 2, running_cost_gbp_pa="lots")
    spoil(folder, "access_points", 3, site_id="NOWHERE")
    codes = {each.code for each in starter.found(folder) if each.severity is Severity.ERROR}
    assert codes == {"sites.not-a-number", "access_points.unknown-site"}


def test_an_unreadable_table_is_told_once(folder):
    (folder / "sites.csv").write_bytes(b"PAR1 not really")
    errors = [each for each in starter.found(folder) if each.severity is Severity.ERROR]
    assert [each.code for each in errors] == ["file.corrupt"]


CASES = {
    "sites.lease": lambda f: spoil(f, "sites", 4, lease_break="01/04/2030"),
    "access_points.parts": lambda f: spoil(f, "access_points", 2, hall_area_m2=150),
    "sites.other-use": lambda f: spoil(f, "sites", 2, other_use_m2=2000),
    "sites.valuation": lambda f: (spoil(f, "sites", 2, market_value_gbp=5), add_column(f, "sites", value_low_gbp=9, value_high_gbp=7)),
    "sites.in-use": lambda f: add_column(f, "sites", in_use="no"),
    "zones.nobody": lambda f: add_column(f, "zones", population=0),
    "scenario.same-service": lambda f: replace(f, '# may_not_share = [["police_desk", "jobcentre"]]', 'may_not_share = [["library", "library"]]'),
    "scenario.share-and-not": lambda f: replace(
        f, '# may_not_share = [["police_desk", "jobcentre"]]', 'may_not_share = [["library", "jobcentre"]]\nmust_share = [["jobcentre", "library"]]'
    ),
    "scenario.unknown-kind": lambda f: replace(f, 'hosts = ["police", "office", "library"]', 'hosts = ["polis"]'),
    "scenario.stuck": lambda f: (spoil(f, "agencies", 4, takes_part="no"), spoil(f, "sites", 8, status="close")),
    "scenario.count": lambda f: starter.settings(f, '[[rules.counts]]\nwhat = "hubs"\nat_least = 9'),
    "scenario.fixed-outside": lambda f: (
        spoil(f, "sites", 9, status="outside"), replace(f, '# "JC-ALDERTON" = "ALDERTON-LIBRARY"', '"JC-ALDERTON" = "COLDBROOK-LIBRARY"')
    ),
    "scenario.not-numbers": lambda f: replace(f, "share = 0.95 ", 'where = {rural_urban = "<= 3"}\nshare = 0.95 '),
    "zones.group": lambda f: (spoil(f, "zones", 4, age65=-1), replace(f, "share = 0.95 ", 'people = "age65"\nshare = 0.95 ')),
}  # fmt: skip


def add_column(folder, table, **cells):
    write(folder, table, [{**each, **cells} for each in rows(folder, table)])


@pytest.mark.parametrize("code", CASES)
def test_errors(folder, code):
    CASES[code](folder)
    found = told(folder, code)
    assert found
    assert found[0].startswith("error: ")
    assert " -> " in found[0]


JUDGEMENTS = {
    "sites.same-uprn": (lambda f: add_column(f, "sites", uprn="010012345678"), "have one UPRN, 10012345678"),
    "sites.over-capacity": (lambda f: spoil(f, "sites", 2, other_use_m2=1300), "uses 180.0 m2 of 100.0 m2 today"),
    "access_points.bigger": (lambda f: spoil(f, "access_points", 9, area_m2=500), "it needs 500.0 m2, and its whole building has less"),
    "zones.population-odd": (
        lambda f: write(f, "zones", [*(({**r, "zone_id": f"{r['zone_id']}{n}"}) for r in rows(f, "zones") for n in "abc"),
                                     {**rows(f, "zones")[0], "zone_id": "DIGIT", "population": 1_000_000}]),
        "DIGIT has 1000000 people, and most zones have about 1,700",
    ),
    "sites.cost-odd": (
        lambda f: write(f, "sites", [*({**r, "kind": "office"} for r in rows(f, "sites")),
                                     {**rows(f, "sites")[1], "site_id": "ODD", "kind": "office", "running_cost_gbp_pa": 900_000}]),
        "its running cost is £1,000 a m2",
    ),
    "rates.missing": (lambda f: write(f, "rates", rows(f, "rates")[1:]), "moving library into library, office has no rate"),
    "sites.no-value": (lambda f: spoil(f, "sites", 3, market_value_gbp=""), "1 freehold has no market value"),
    "scenario.shares-today": (
        lambda f: (spoil(f, "access_points", 4, site_id="ALDERTON-LIBRARY"),
                   replace(f, '# may_not_share = [["police_desk", "jobcentre"]]', 'may_not_share = [["library", "jobcentre"]]')),
        "library and jobcentre may not share, and do today at ALDERTON-LIBRARY",
    ),
    "scenario.no-effect": (lambda f: replace(f, '# barred = {step_free = ["no"]}', 'barred = {epc = ["G"]}'), "nothing is barred"),
    "scenario.pfi": (lambda f: starter.settings(f, "[money.pfi_exit_gbp]\nALDERTON-LIBRARY = 5"), "not a PFI building, but freehold"),
}  # fmt: skip


@pytest.mark.parametrize("code", JUDGEMENTS)
def test_judgement_warns_and_stops_nothing(folder, code):
    spoil_it, words = JUDGEMENTS[code]
    spoil_it(folder)
    found = told(folder, code)
    assert words in " ".join(found)
    assert all(each.startswith("warning: ") for each in found)
    starter.place_of(folder)


NOTES = {
    "zones.empty": (lambda f: spoil(f, "zones", 5, population=0, age65=0), "1 zones have no population"),
    "files.unused": (lambda f: (f / "old_sites.csv").write_text("a"), "nothing reads old_sites.csv"),
    "scenario.unused-service": (lambda f: starter.settings(f, "[services.registrar]"), "no access point of 'registrar'"),
    "scenario.no-date": (lambda f: replace(f, "base_date = 2025-04-01", ""), "no base_date"),
    "sites.idle": (lambda f: spoil(f, "access_points", 2, site_id="ALDERTON-LIBRARY"), "1 site holds no access point today"),
}


@pytest.mark.parametrize("code", NOTES)
def test_notes(folder, code):
    spoil_it, words = NOTES[code]
    spoil_it(folder)
    assert words in " ".join(told(folder, code))
    assert all(each.startswith("note: ") for each in told(folder, code))


def test_a_site_off_the_map(folder):
    ring = [[-2.05, 52.1], [-1.8, 52.1], [-1.8, 52.2], [-2.05, 52.2], [-2.05, 52.1]]
    shape = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"outline"},"geometry":'
    (folder / "c.geojson").write_text(f'{shape}{{"type":"Polygon","coordinates":{[ring]}}}}}]}}')
    replace(folder, '# context = "outlines.geojson"', 'context = "c.geojson"')
    assert told(folder, "sites.off-map") == []
    spoil(folder, "sites", 9, easting=425_000)
    assert "'COLDBROOK-LIBRARY' stands outside every outline" in told(folder, "sites.off-map")[0]


def test_hosting_ids_and_todays_pairs(folder):
    write(folder, "hosting", [
        {"access_point_id": "LIB-COLDBROK", "site_id": "ALDERTON-LIBRARY", "cost_gbp_pa": 1, "allowed": "yes"},
        {"access_point_id": "LIB-COLDBROOK", "site_id": "COLDBROOK-LIBRARY", "cost_gbp_pa": "", "allowed": "no"},
    ])  # fmt: skip
    replace(folder, '# hosting = "hosting.csv"', 'hosting = "hosting.csv"')
    assert (
        "hosting.csv, row 2, column access_point_id: 'LIB-COLDBROK' is not a known access point"
        in told(folder, "hosting.unknown-access-point")[0]
    )
    assert told(folder, "hosting.home")


def test_a_limit_half_the_people_miss():
    assert missed_today("library-1-mile", 0.5) is None
    issue = missed_today("library-1-mile", 0.312, file="estate.toml")
    assert issue.severity is Severity.WARNING
    assert "69% of the people 'library-1-mile' is for are beyond its limit today" in str(issue)


CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "NA", "nan", "inf", "-0", "0", "1e5", "1e400", "-1", "£1,2", "1,000", "007", "yes", "None", "31/02/2027",
         "2027-03-31", "library", "none", "a;b", "=1+1", "\u202e", "\x00", "x" * 300, '"', ",", "\n", "²", "½", "١٢"]
    ),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=60)
@given(data=st.data())
def test_any_cell_may_hold_anything(tmp_path_factory, data):
    """Reading and checking a place with odd cells in it raises nothing but our own errors."""
    folder = starter.make(tmp_path_factory.mktemp("any"))
    table = data.draw(st.sampled_from(["agencies", "sites", "access_points", "zones", "rates"]))
    records = rows(folder, table)
    for _ in range(data.draw(st.integers(1, 4))):
        record = data.draw(st.sampled_from(records))
        record[data.draw(st.sampled_from(sorted(record)))] = data.draw(CELLS)
    names = data.draw(st.permutations(sorted(records[0])))
    write(folder, table, [{name: record[name] for name in names} for record in records])
    try:
        scenario = load_scenario(folder)
        check(scenario, survey(scenario))
    except EstateError:
        return


@settings(max_examples=60)
@given(raw=st.binary(max_size=400), head=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"{", b"SQLite format 3\0", b"\x00\x00\x27\x0a", b"\xd0\xcf\x11\xe0", b'a,b\n"']))  # fmt: skip
def test_any_bytes_may_be_a_file(tmp_path_factory, raw, head):
    from estate.load import read_file
    from estate.scenario import TableFile

    folder = tmp_path_factory.mktemp("any")
    (folder / "any").write_bytes(head + raw)
    try:
        read_file(TableFile(path="any"), folder, "tables.sites")
    except EstateError:
        return
