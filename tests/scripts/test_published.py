"""Readers of published instances on small files, and the verb on a folder of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pulp
import pytest
from repository import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from bench import published

SITES, CLIENTS = 3, 4
CAPACITY, FIXED, DEMAND = [9, 9, 12], [10, 12.5, 8], [4, 3, 5, 2]
ASSIGN = [[1, 5, 9, 4], [6, 2.25, 3, 8], [7, 7, 2, 1]]
BEST = 27.0
"""Sites 0 and 2 cost 18; clients 0 and 1 at site 0 cost 6 and fill 7 of its 9, clients 2 and 3 at site 2 cost 3."""


def capacitated(sites=SITES, clients=CLIENTS):
    """The text of a file in the layout of Holmberg."""
    lines = [f"{sites} {clients}", *(f"{q} {f}" for q, f in zip(CAPACITY, FIXED, strict=True))]
    lines += ["  ".join(f"{d}." for d in DEMAND), *(" ".join(map(str, row)) for row in ASSIGN)]
    return "\n".join(lines)


def uncapacitated():
    """The text of a file in the OR-Library's layout."""
    lines = [f" {SITES} {CLIENTS}", *(f" 5000 {f}." for f in (10, 12, 8))]
    for s, demand in enumerate(DEMAND):
        lines += [f" {demand}", " " + " ".join(f"{row[s]:.5f}" for row in ASSIGN)]
    return "\n".join(lines)


NETWORK = "4 4 1\n1 2 3\n2 3 4\n3 4 5\n1 2 2\n"
"""A line of four; the edge from 1 to 2 is given twice."""


@pytest.mark.parametrize("tail", [b"", b"\0\0\0", b"\0\n\0", b"\n17 17 17\0", b" and words beyond the end"])
def test_capacitated_files_with_what_may_follow(tmp_path, tail):
    (tmp_path / "p1").write_bytes(capacitated().encode() + tail)
    found = published.read_capacitated(tmp_path / "p1", BEST)
    assert found.unit == 100
    assert (found.assign == np.array(ASSIGN) * 100).all()
    assert found.fixed.tolist() == [1000, 1250, 800]
    assert found.capacity.tolist() == CAPACITY
    assert found.demand.tolist() == DEMAND


def test_nul_bytes_between_numbers_are_white_space(tmp_path):
    (tmp_path / "p1").write_bytes(capacitated().replace(" ", "\0").encode())
    assert (published.read_capacitated(tmp_path / "p1", BEST).assign == np.array(ASSIGN) * 100).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (capacitated().rsplit(" ", 1)[0], "ends before"),
        (capacitated(clients=5), "ends before"),
        (capacitated().replace("10", "ten"), "number 4 is 'ten'"),
        (capacitated(sites=0), "header says"),
        (capacitated(clients=4.5), "header says"),
        (capacitated().replace("4.  3.", "4.5 3."), "demands are not whole"),
        ("", "ends before"),
    ],
)
def test_broken_files_are_named(tmp_path, text, said):
    (tmp_path / "p1").write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        published.read_capacitated(tmp_path / "p1", BEST)
    assert str(tmp_path / "p1") in str(caught.value)


@pytest.mark.parametrize("word", ["5000", "capacity"])
def test_uncapacitated_files(tmp_path, word):
    (tmp_path / "cap1.txt").write_text(uncapacitated().replace(" 5000 ", f" {word} "))
    found = published.read_uncapacitated(tmp_path / "cap1.txt", 1.0)
    assert found.unit == 100
    assert (found.assign == np.array(ASSIGN) * 100).all()
    assert found.fixed.tolist() == [1000, 1200, 800]
    assert found.capacity is None


def test_networks(tmp_path):
    (tmp_path / "pmed1.txt").write_text(NETWORK)
    found = published.read_median(tmp_path / "pmed1.txt", 9.0)
    assert found.assign.tolist() == [[0, 2, 6, 11], [2, 0, 4, 9], [6, 4, 0, 5], [11, 9, 5, 0]]
    assert found.count == 1
    (tmp_path / "pmed1.txt").write_text(NETWORK.replace("3 4 5", "2 3 5"))
    with pytest.raises(ValueError, match="in pieces"):
        published.read_median(tmp_path / "pmed1.txt", 9.0)


def test_costs_of_many_decimals_keep_five():
    unit, (parts,) = published._parts(np.array([1 / 3, 2.0]))
    assert unit == 10**5
    assert parts.tolist() == [33333, 200000]


def folder(tmp_path, kind, best):
    """A folder of one kind with one instance whose published optimum is said to be ``best``."""
    if kind == "capacitated":
        (tmp_path / "p1").write_text(capacitated())
        (tmp_path / "os").write_text(f"{best}\n")
    elif kind == "uncapacitated":
        (tmp_path / "cap1.txt").write_text(uncapacitated())
        (tmp_path / "cap1.txt.opt").write_text(f"2 2 1 1 {best}")
    elif kind == "table":
        (tmp_path / "cap1.txt").write_text(uncapacitated())
        (tmp_path / "optimal-solutions.txt").write_bytes(f"\xff optimal \xfe\ncap1   {best}\n".encode("latin-1"))
    else:
        (tmp_path / "pmed1.txt").write_text(NETWORK)
        (tmp_path / "pmedopt.txt").write_text(f"Data file   Optimal solution value\npmed1 {best}\n")
    return tmp_path


OPTIMA = {"capacitated": BEST, "uncapacitated": 25.0, "table": 25.0, "median": 15.0}
"""With no capacity all go to site 2, at 8 and 7 + 7 + 2 + 1; the second node of the line is 2 + 0 + 4 + 9 from all."""


@pytest.mark.parametrize("kind", OPTIMA)
def test_each_layout_is_told_apart_and_solved_both_ways(tmp_path, kind):
    here = folder(tmp_path, kind, OPTIMA[kind])
    (instance,) = published.instances(here)
    ours = published.ours(instance, 0.0, 20.0)
    lp = published.written_plainly(instance)
    lp.solve(pulp.HiGHS(msg=False, gapRel=0.0))
    assert ours["proven"]
    assert ours["match"]
    assert ours["value"] == OPTIMA[kind] == pytest.approx(pulp.value(lp.objective))


def test_time_not_proven_counts_as_the_limit():
    rows = [
        {"cpu_s": 2.0, "proven": True, "plain_cpu_s": 3.0, "plain_proven": False},
        {"cpu_s": 1.0, "proven": True, "plain_cpu_s": 30.0, "plain_proven": True},
    ]
    found = published.totals(rows, 10.0)
    assert found["estate"] == "3.00 s of CPU, 2 of 2 proven"
    assert found["plain HiGHS"] == "40.00 s of CPU, 1 of 2 proven (33.00 s used)"
    assert found["ratio, plain / estate"] == 13.3


def test_a_folder_of_something_else_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no instance with a published optimum"):
        published.check(tmp_path, gap=0.0, time_s=1.0, against_plain=False)


@pytest.mark.parametrize(("best", "code"), [(BEST, 0), (26.9, 1)])
def test_the_verb_fails_where_a_proven_answer_differs(tmp_path, best, code):
    here = folder(tmp_path, "capacitated", best)
    command = [sys.executable, ROOT / "scripts" / "benchmark", "published", here, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"][0]["value"] == BEST
    assert told["rows"][0]["plain_value"] == BEST
    assert bool(told["wrong"]) == bool(code)
    assert "ratio, plain / estate" in told


@pytest.mark.parametrize("name", ["holmberg", "orlib_small", "uflp_cap", "pmed"])
def test_published_optima_are_met_and_proven(name):
    folder = Path(os.environ.get("ESTATE_DATA") or "nowhere") / "benchmarks" / name
    if not folder.is_dir():
        pytest.skip(f"ESTATE_DATA does not name the folder of source data with benchmarks/{name}/")
    rows = published.check(folder, gap=0.0, time_s=60.0, against_plain=False)
    assert all(r["proven"] and r["match"] for r in rows), [r for r in rows if not (r["proven"] and r["match"])]
