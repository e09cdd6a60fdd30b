"""Any place in England from open lists: names of areas, what is read, what is cut, and that it runs."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from england_lists import LISTS, lists

from estate.cli import group
from estate.cli.outcome import guarded
from estate.england import area_of, at_hand, cut, read, texts
from estate.england.areas import districts
from estate.england.place import nearest, slug
from estate.errors import InputError, UsageError


# Two districts of a county, one beside it, one elsewhere: invented counters at invented postcodes.
def place(folder: Path, name: str):
    return cut(read(lists(folder)), area_of(name))


# ----------------------------------------------------------------------------------------------------------------- areas


@pytest.mark.parametrize(
    ("asked", "name", "kind", "n"),
    [
        ("Warwickshire", "Warwickshire", "county", 5),
        ("warwickshire county council", "Warwickshire", "county", 5),
        ("Kent", "Kent", "county", 12),
        ("police:Kent", "Kent", "police", 13),
        ("Durham", "County Durham", "district", 1),
        ("London", "Greater London", "county", 33),
        ("City of London", "City of London", "district", 1),
        ("Bristol", "Bristol, City of", "district", 1),
        ("Thames Valley", "Thames Valley", "police", 13),
        ("Devon and Cornwall", "Devon & Cornwall", "police", 12),
        ("West Midlands", "West Midlands", "county", 7),
        ("region:West Midlands", "West Midlands", "region", 30),
        ("Berkshire", "Berkshire", "lieutenancy", 6),
        ("Cumberland", "Cumberland", "unitary", 3),
        ("E06000065", "North Yorkshire", "unitary", 7),
        ("Bournemouth, Christchurch and Poole", "Bournemouth, Christchurch and Poole", "district", 1),
        ("Warwickshire, E08000026", "Warwickshire and Coventry", "several", 6),
        ("England", "England", "country", 309),
    ],
)
def test_areas_by_the_names_people_use(asked, name, kind, n):
    area = area_of(asked)
    assert (area.name, area.kind, len(area.districts)) == (name, kind, n)


def test_a_name_with_several_meanings_says_the_others():
    assert area_of("Durham").others == ("police:Durham", "lieutenancy:Durham")
    assert area_of("Warwickshire").others == ()  # the county and the force are the same districts


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ("Warwickshre", "Warwickshire"),
        ("Oxfordshrie, Kent", "Oxfordshire"),
        ("E07999999", "code"),
        ("", "give a county"),
        ("police:Kentt", "Kent"),
    ],
)
def test_a_misspelt_area_gets_the_nearest(asked, remedy):
    with pytest.raises(UsageError) as caught:
        area_of(asked)
    assert len(caught.value.issues) == 1
    assert remedy in caught.value.issues[0].remedy


def test_every_district_is_in_one_of_each():
    every = districts().values()
    assert len({each.code for each in every}) == len({each.name for each in every}) == 309
    assert all(each.council and each.police and each.region and each.lieutenancy for each in every)
    assert len({each.police for each in every}) == 39
    assert len({each.region for each in every}) == 9
    assert len({each.county_council for each in every} - {""}) == 21  # of 24 in 2021, less the three of 2023
    for each in every:  # a district with an upper tier is in its county; one without is a unitary of some kind
        assert not each.county_council or each.county_council == f"{each.county} County Council"
        assert bool(each.county_council) == (each.code.startswith("E07") and not each.later)


# ----------------------------------------------------------------------------------------------------------------- lists


def test_what_is_read_and_what_is_left_out(tmp_path):
    found = read(lists(tmp_path))
    assert dict(found.points["service"].value_counts()) == {
        "library": 4, "council_office": 4, "gp_practice": 3, "jobcentre": 1, "police_desk": 1,
    }  # fmt: skip
    why = {(what, name): reason for what, name, reason in found.dropped}
    assert why["libraries", "Shut"] == "closed"
    assert "own building" in why["libraries", "Van"]
    assert why["gp_practice", "Dr Nowhere"] == "the list gives no place"
    assert why["gp_practice", "Cardiff Practice"] == "outside England"
    assert {name for what, name, _ in found.dropped if what == "police"} == {
        "Warwickshire Police Headquarters", "Old Police Station",
    }  # fmt: skip
    assert found.zones.set_index("lsoa11cd")["population"]["E01000002"] == 1400  # where there is no later estimate


def test_a_missing_list_and_a_missing_column_are_both_named(tmp_path):
    changed = LISTS["gp_list.csv"].replace("ods_code", "code", 1)
    (lists(tmp_path, **{"gp_list.csv": changed}) / "jobcentres.csv").unlink()
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert [issue.code for issue in caught.value.issues] == ["lists.column", "lists.file"]


def test_a_bad_number_has_its_row_and_column(tmp_path):
    with pytest.raises(InputError) as caught:
        read(lists(tmp_path, **{"lsoa.csv": LISTS["lsoa.csv"].replace("1350", "many")}))
    where = caught.value.issues[0].where
    assert (where.file, where.row, where.column, where.value) == ("lsoa.csv", 4, "population", "many")


def test_no_lists_is_a_usage_error(tmp_path):
    for given in (None, tmp_path):
        with pytest.raises(UsageError):
            at_hand(given)
    (tmp_path / "england").mkdir()
    assert at_hand(lists(tmp_path / "england").parent) == tmp_path / "england"


# ------------------------------------------------------------------------------------------------------------------- cut


def test_a_county_is_its_own_districts_with_its_real_bodies(tmp_path):
    found = place(tmp_path, "Warwickshire")
    assert set(found.zones["zone_id"]) == {"E01000001", "E01000002", "E01000003"}
    assert set(found.agencies["name"]) == {
        "Warwickshire County Council",
        "Warwick District Council",
        "Warwickshire Police",
        "Department for Work and Pensions",
        "Private landlords",
        "GP practices",
        "Independent community libraries",
    }
    runs = found.points.set_index("access_point_id")["agency_name"]
    assert runs["LIB-ELM-STREET"] == "Warwickshire County Council"
    assert runs["LIB-OAK-LANE-LIBRARY"] == "Independent community libraries"
    assert runs["CO-ELM-STREET-CIVIC"] == "Warwick District Council"
    kinds = found.agencies.set_index("name")["kind"]
    assert kinds["Warwickshire Police"] == "police"
    assert kinds["Warwick District Council"] == "local_authority_england"


def test_practices_of_several_commissioners_are_called_by_where_most_of_them_are(tmp_path):
    found = place(tmp_path, "E07000222,E08000026").agencies["name"]
    assert {each for each in found if each.startswith("GP")} == {
        "GP practices, Warwick and round it",
        "GP practices, Coventry and round it",
    }


def test_a_second_commissioner_of_the_same_district_is_told_apart_in_words(tmp_path):
    more = "\n        X6,SECOND PRACTICE,,15X,CV90 6AB,430450,265150,E07000222"
    lists(tmp_path, **{"gp_list.csv": LISTS["gp_list.csv"] + more})
    found = cut(read(tmp_path), area_of("Warwickshire")).agencies["name"]
    assert {each for each in found if each.startswith("GP")} == {
        "GP practices, Warwick and round it",
        "GP practices, Warwick and round it, another commissioner",
    }


def test_newer_codes_find_their_district_and_an_old_council_its_successor(tmp_path):
    found = place(tmp_path, "E07000163")
    assert set(found.points["agency_name"]) == {"North Yorkshire Council"}
    assert set(found.sites["district"]) == {"Craven"}
    assert set(found.points["service"]) == {"library", "council_office"}


def test_one_postcode_is_one_building_and_bodies_that_stay_keep_it_open(tmp_path):
    sites = place(tmp_path, "Warwickshire").sites.set_index("site_id")
    assert "one postcode taken as one building" in sites["location_note"]["S-GP-X1"]
    assert "S-GP-X2" not in sites.index
    assert sites["other_use_m2"]["S-LIB-OAK-LANE-LIBRARY"] > 0  # shares its building with a surgery of the list
    assert sites["other_use_m2"]["S-LIB-ASH-ROAD"] == 0


def test_figures_are_round_marked_and_enough_for_what_is_there(tmp_path):
    found = place(tmp_path, "Warwickshire")
    used = found.points.groupby("site_id")["area_m2"].sum()
    sites = found.sites.set_index("site_id")
    assert (sites["capacity_m2"] >= used + sites["other_use_m2"] - 1e-9).all()
    assert (sites["capacity_m2"] % 50 == 0).all()
    assert (sites["running_cost_gbp_pa"] % 1000 == 0).all()
    for column in ("capacity_m2", "running_cost_gbp_pa", "tenure"):
        assert sites["illustrative"].str.split(";").map(lambda marked, column=column: column in marked).all()
    assert found.points["illustrative"].str.contains("area_m2").all()
    police = found.points[found.points["service"] == "police_desk"]
    assert police["illustrative"].str.startswith("service;").all()  # the map does not say that a station has a counter


@pytest.mark.parametrize(
    ("value", "up", "is_"), [(0, False, 0), (1, False, 50), (74, False, 50), (75, False, 100), (51, True, 100)]
)
def test_figures_are_rounded_as_registers_have_them(value, up, is_):
    assert nearest(value, "area", up=up) == is_


def test_the_same_lists_in_another_order_give_the_same_bytes(tmp_path):
    turned = {name: "\n".join([text.splitlines()[0], *text.splitlines()[:0:-1]]) for name, text in LISTS.items()}
    for name, changed in (("a", {}), ("b", turned)):
        (tmp_path / name).mkdir()
        lists(tmp_path / name, **changed)
    one, two = (texts(cut(read(tmp_path / name), area_of("Warwickshire")), "w") for name in "ab")
    assert one == two


def test_rows_of_the_map_stand_apart_with_their_notice(tmp_path):
    files = texts(place(tmp_path, "Warwickshire"), "w")
    assert "POL-" not in files["sites.csv"] + files["access_points.csv"]
    assert "POL-LEAMINGTON-POLICE-STATION" in files["access_points_osm.csv"]
    assert "ODbL" in files["NOTICE_osm.txt"]
    rules = tomllib.loads(files["estate.toml"])
    assert rules["tables"]["sites"] == ["sites.csv", "sites_osm.csv"]
    assert {each["where"]["rural_urban"] for each in rules["standards"]} == {"urban", "rural"}


def test_a_counter_moves_no_farther_than_most_of_its_people_travel(tmp_path):
    files = texts(place(tmp_path, "Warwickshire"), "w")
    made = tomllib.loads(files["estate.toml"])
    overall = miles(made["rules"]["reach"])
    told = re.findall(r"^\| (\w+) \| all \| (\d+) \|", files["README.md"], re.MULTILINE)
    reach = {name: miles(each.get("reach", made["rules"]["reach"])) for name, each in made["services"].items()}
    assert reach == {name: min(int(nine_in_ten), overall) for name, nine_in_ten in told}
    assert min(reach.values()) < overall


def miles(limit: str) -> int:
    return int(limit.split(maxsplit=1)[0])


def test_new_cuts_a_place_that_checks_clean_and_runs(tmp_path, capfd):
    (tmp_path / "lists").mkdir()
    lists(tmp_path / "lists")
    made = CliRunner().invoke(group, ["new", str(tmp_path / "w"), "--area", "Warwickshire", "--lists", str(tmp_path / "lists")])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(group, ["check", str(tmp_path / "w")])
    assert checked.exit_code == 0, checked.output
    assert "  error" not in checked.output
    assert "  warning" not in checked.output
    assert guarded(group, ["run", str(tmp_path / "w"), "--out", str(tmp_path / "maps"), "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["status"], result["verified"]) == ("optimal", True)
    assert result["saving_gbp_pa"] > 0


def test_new_without_lists_or_with_two_sources_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("ESTATE_DATA", raising=False)
    assert guarded(group, ["new", str(tmp_path / "w"), "--area", "Warwickshire"]) == 2
    assert guarded(group, ["new", str(tmp_path / "w"), "--area", "Kent", "--from-osm", "x.osm"]) == 2
    assert not (tmp_path / "w").exists()


def test_ids_are_capitals_digits_and_hyphens():
    assert slug("Council services, St John's (West)") == "ST-JOHNS-WEST"


# ------------------------------------------------------------------------------------------------------------- real lists


@pytest.fixture(scope="module")
def real():
    folder = Path(os.environ.get("ESTATE_DATA") or "nowhere")
    if not any((each / "lsoa11_pwc_population_england_wales.csv").is_file() for each in (folder, folder / "england")):
        pytest.skip("ESTATE_DATA does not name the folder of source data with england/")
    return read(at_hand(folder))


def test_the_table_of_districts_is_the_lists_own(real):
    ours = {each.code: each.name for each in districts().values()}
    zones = real.zones[real.zones["ladcd"].str.startswith("E")]
    assert dict(zip(zones["ladcd"], zones["ladnm"], strict=True)) == ours


@pytest.mark.parametrize("name", ["Warwickshire", "Rutland", "Cornwall", "Cumberland", "Bristol", "City of London"])
def test_real_areas_are_whole(real, name):
    area = area_of(name)
    found = cut(real, area)
    people = real.zones.loc[real.zones["ladcd"].isin(area.codes), "population"].sum()
    assert found.zones["population"].sum() == people
    assert set(found.points["site_id"]) == set(found.sites["site_id"])
    assert found.sites["site_id"].is_unique
    assert found.points["access_point_id"].is_unique
    assert isinstance(found.agencies, pd.DataFrame)
    assert {each.library_authority for each in area.districts} & set(found.agencies["name"])
