"""The same inputs in any order of rows and columns give the same bytes of every published file."""

import re
from pathlib import Path

import pytest
import starter
from england_lists import lists
from repository import INPUTS
from shuffled import published, shuffle
from starter import rows, write

from estate.cli import group
from estate.cli.outcome import guarded
from estate.england import area_of, cut, read, texts
from estate.pipeline.job import run

STRAIGHT = ("travel.method=straight-line",)


def cut_county(folder: Path) -> Path:
    """A county cut from lists."""
    (folder / "lists").mkdir()
    place = folder / "cut"
    place.mkdir()
    for name, text in texts(cut(read(lists(folder / "lists")), area_of("Warwickshire")), "w").items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def odd_starter(folder: Path) -> Path:
    """The starter with all that is worth a warning or a note: each names rows, or is said of the first so many."""
    place = starter.make(folder)
    sites = rows(place, "sites")
    for n, each in enumerate(sites):
        each |= {
            "uprn": "100120001" if n < 3 else "1.00121E+11",
            "lease_end": "2031-03-31",
            "tenure": "freehold",
            "z9": "x",
            "a1": "y",
        }
    sites += [{**sites[-1], "site_id": f"SPARE-{n:02}", "name": f"Spare {n}", "uprn": str(n)} for n in range(30)]
    sites[0]["running_cost_gbp_pa"] = "9,000,000"
    write(place, "sites", sites)
    zones = rows(place, "zones")
    for n, each in enumerate(zones):
        each |= {"carers": "c" if n in (1, 3) else str(n), "label": f"#REF!{n}" if n % 3 else "fine"}
    zones += [
        {**zones[-1], "zone_id": f"Z{n}", "label": f"#VALUE!{n % 7}", "population": "0", "age65": "0"} for n in range(50, 90)
    ]
    write(place, "zones", zones)
    return place


def county(name: str):
    return lambda _: INPUTS / name


@pytest.mark.parametrize(
    ("make", "changes"),
    [(county("worcestershire"), ()), (county("rutland"), STRAIGHT), (cut_county, ()), (odd_starter, ())],
    ids=["worcestershire", "rutland", "cut", "odd"],
)
def test_no_published_byte_depends_on_the_order_of_rows_or_columns(tmp_path, make, changes):
    place = make(tmp_path)
    shuffle(place, tmp_path / "other")
    one, two = (
        run(each, changes=changes, out=tmp_path / f"maps{n}", public=True).out
        for n, each in enumerate((place, tmp_path / "other"))
    )
    first, second = published(one), published(two)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {"index.html", "finance.xlsx", "plan.gpkg", "run.json", "public/index.html", "data/zones.parquet"} <= first.keys()


def test_the_odd_starter_warns_of_rows_by_number_and_pages_do_not(tmp_path, capsys):
    place = odd_starter(tmp_path)
    assert guarded(group, ["check", str(place)]) == 0
    told = capsys.readouterr().out
    assert "suppressed figures are read as blank: row 3 'c', row 5 'c'" in told
    assert "have one UPRN, 100120001 (rows 2, 3, 4)" in told
    assert "more rows have the same problem (the last is row" in told
    out = run(place, out=tmp_path / "maps").out
    page = (out / "index.html").read_text()
    assert "suppressed figures are read as blank</bdi>" in page
    assert "have one UPRN, 100120001</bdi>" in page
    assert not re.search(r"\brows? \d", page.partition("Worth knowing")[2].partition("</ul>")[0])
