"""The national benchmark: what its reader keeps, drops and puts under one roof."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from repository import ROOT

from estate.problem import violations
from estate.problem.generate import furnish

sys.path.insert(0, str(ROOT / "scripts"))
from bench import england

LISTS = {
    "lsoa.csv": """lsoa11cd,easting,northing,pop2011,pop_mid2022
        E01,400000,250000,1500,1600
        W01,300000,250000,1400,1500
        E02,402000,250000,1300,""",
    "libraries.csv": """type,operation_23,closed,postcode,easting,northing,ladcd
        Static Library,LA,,WR1 1AA,400010,250000,E07
        static library,CR,,WR2 2BB,401000,250000,E07
        Static Library,Closed,2019,WR2 2BC,401100,250000,E07
        Static Library,LA,2024,WR2 2BC,401100,250000,E07
        Mobile Library,LA,,WR2 2BD,401200,250000,E07
        Static Library,LA,,WR3 3CC,,,E07""",
    "gp_list.csv": """postcode,easting,northing,ladcd
        WR1 1AA,400011,250001,E07
        wr11aa,400011,250001,E07
        CF1 1AA,318000,176000,W06""",
    "jobcentres.csv": """Postcode,easting,northing,ladcd
        WR4 4DD,401000,250000,E07
        G1 1AA,259000,665000,S12""",
    "uk_council_list.csv": """Postcode,country,lon,lat
        WR5 5EE,England,-2.0,52.148
        CF1 1AB,Wales,-3.2,51.5""",
}


def lists(folder, **changed):
    for name, text in {**LISTS, **changed}.items():
        (folder / name).write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")
    return folder


def test_english_places_that_are_open_are_kept_and_the_rest_counted(tmp_path):
    read = england.read(lists(tmp_path))
    here = np.bincount(read.ground.point_service, minlength=5).tolist()
    assert dict(zip(england.SERVICES, here, strict=True)) == {
        "library": 2, "clinic": 2, "council office": 1, "Jobcentre": 1, "police counter": 0,
    }  # fmt: skip
    assert read.ground.people.tolist() == [1600, 1300]  # the 2011 count where the later one is missing
    assert {why: n for why, n in read.dropped.items() if n} == {
        "zones outside England": 1,
        "libraries that move, or are in prisons or archives": 1,
        "libraries closed": 2,
        "library: no place": 1,
        "clinic: outside England": 1,
        "council office: outside England": 1,
        "Jobcentre: outside England": 1,
    }


def test_one_postcode_or_one_spot_is_one_building(tmp_path):
    found = england.read(lists(tmp_path)).ground
    assert len(found.kind) == 3  # WR1 1AA: a library and two surgeries; WR2 2BB and WR4 4DD: one spot; the council's
    together = [sorted(found.point_service[found.point_site == j].tolist()) for j in range(3)]
    assert sorted(together) == [[england.LIBRARY, england.CLINIC, england.CLINIC], [england.LIBRARY, england.JOBCENTRE],
                                [england.COUNCIL]]  # fmt: skip


def test_the_order_of_rows_does_not_matter(tmp_path):
    def ground(name, swap):
        folder = tmp_path / name
        folder.mkdir()
        turned = {n: "\n".join([text.splitlines()[0], *text.splitlines()[:0:-1]]) for n, text in LISTS.items()}
        return england.read(lists(folder, **(turned if swap else {}))).ground

    one, two = ground("a", swap=False), ground("b", swap=True)
    for field in ("site_xy", "kind", "point_site", "point_service", "zone_xy", "people"):
        assert np.array_equal(getattr(one, field), getattr(two, field)), field


def test_today_is_a_plan_of_the_national_instance(tmp_path):
    problem = furnish(england.read(lists(tmp_path)).ground, np.random.default_rng(0))
    assert problem.n_sites == 3
    assert not violations(problem, problem.today)


def test_a_missing_list_is_named(tmp_path):
    (lists(tmp_path) / "jobcentres.csv").unlink()
    with pytest.raises(click.ClickException, match=r"0 files called jobcentres"):
        england.read(tmp_path)


def test_the_real_lists_make_ten_thousand_buildings():
    folder = Path(os.environ.get("ESTATE_DATA") or "nowhere") / "england"
    if not folder.is_dir():
        pytest.skip("ESTATE_DATA does not name the folder of source data with england/")
    found = england.read(folder).ground
    assert 9_000 < len(found.kind) < 10_500
    assert len(found.people) == 32_844
    assert 55e6 < found.people.sum() < 59e6
