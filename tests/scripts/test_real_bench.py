"""The benchmark on real places: the plain side is the same problem, and what is counted against us is counted right."""

from __future__ import annotations

import sys

import brute
import pulp
import pytest
import starter
from repository import ROOT

from estate.problem import cost, violations

sys.path.insert(0, str(ROOT / "scripts"))
from bench import plain, real


@pytest.mark.parametrize("seed", range(60))
def test_the_plain_model_is_the_same_problem(seed):
    """Every family of rows, against looking at every plan; what the plain side starts from is a plan of its rows."""
    p = brute.random_problem(seed)
    value, _ = brute.best(p)
    lp = plain.written_plainly(p)
    if p.today is not None:
        plain.begin_today(lp, p)
        broken = [each for each in lp.constraints() if not each.valid(1e-6)]
        assert not broken, broken
    stats = lp.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0))
    if value is None:
        assert not stats.has_solution
        return
    found = plain.read_plan(lp, p)
    assert not violations(p, found)
    assert cost(p, found) == value


def side(value, bound, *, at=1.0, trace=(), broken=(), status="feasible"):
    given = {"value": value, "bound": bound, "seconds": at, "trace": list(trace), "broken": list(broken), "status": status}
    return real._told({**given, "stopped": "time"}, 0)


def verdict(ours, theirs):
    return real.judged({"ours": ours, "plain": theirs}, ["plain"], 20.0)


def test_a_pound_more_is_worse_and_a_penny_is_not():
    assert real.worse(10_101, 10_000)
    assert not real.worse(10_100, 10_000)
    assert real.worse(None, 10_000)
    assert not real.worse(None, None)
    assert not real.worse(10_000, None)


def test_ours_is_held_against_what_they_had_at_half_that_time():
    ours = side(50_000, 40_000, at=20.0, trace=[[1.0, 90_000, None], [12.0, 50_000, 40_000]])
    theirs = side(50_000, 30_000, at=20.0, trace=[[2.0, 60_000, None], [6.0, 50_000, 30_000]])
    found = verdict(ours, theirs)
    assert found["worse_at"] == ["plain 5", "plain 10"]  # 90,000 against 60,000 at 2.5 s, and at 5 s
    assert found["worse_at_limit"] == []
    assert verdict(side(60_000, 1, at=20.0), theirs)["worse_at_limit"] == ["plain"]
    assert verdict(side(None, None, at=20.0), theirs)["worse_at_limit"] == ["plain"]


def test_what_one_side_claims_and_the_other_disproves_is_said():
    honest = side(1_000_000, 1_000_000)
    assert verdict(honest, honest)["false"] == []
    assert verdict(side(1_100_000, 1_100_000), honest)["false"] == ["our bound is above the plan of plain"]
    assert verdict(honest, side(1_100_000, 1_100_000))["false"] == ["the bound of plain is above our plan"]
    assert verdict(side(None, None, status="infeasible"), honest)["false"] == [
        "one of ours and plain has a plan where the other proves that there is none"
    ]
    assert verdict(side(900_000, 900_000, broken=["area"]), honest)["false"][0] == "ours breaks area"
    assert verdict(side(900_000, 900_000, broken=["area"]), honest)["only_theirs"] == ["plain"]


def test_the_time_to_proof_is_when_the_gap_closed():
    assert side(1_000_000, 1_000_000, at=9.0, trace=[[3.0, 1_000_000, 999_950], [8.0, 1_000_000, 1_000_000]])["proof_s"] == 3.0
    assert side(1_000_000, 990_000, at=9.0)["proof_s"] is None
    assert side(1_000_000, 1_000_000, at=0.0)["proof_s"] == 0.0
    assert side(None, None, at=4.0, status="infeasible")["proof_s"] == 4.0


def test_a_run_goes_on_where_it_ended_and_counts_every_rule(tmp_path):
    folder = starter.make(tmp_path)
    results = tmp_path / "results.jsonl"
    chosen = real.cases([], [folder / "estate.toml"], ["none"], ["running-cost"], real.RULES)
    terms = {"time_s": 20.0, "gap": 1e-4, "cores": 1, "start": False}
    first = list(real.run(chosen[:2], ["ours", "plain"], None, results, **terms))
    results.write_text(results.read_text() + '{"case": "cut sh')
    again = list(real.run(chosen[:2], ["ours", "plain"], None, results, **terms))
    assert [new for _, new in first] == [True, True]
    assert [new for _, new in again] == [False, False]
    rows = [row for row, _ in again]
    assert all(row["ours"]["proven"] and row["plain"]["proven"] for row in rows), rows
    assert all(row["ours"]["value"] == row["plain"]["value"] for row in rows)
    found = real.summary(rows, ["plain"])
    assert (found["cases"], found["false"], found["plain"]["ours_worse_at_limit"]) == (2, [], [])
    assert "running-cost | none" in real.line(rows[0], ["ours", "plain"])


@pytest.mark.parametrize("rule", real.RULES)
def test_each_rule_reaches_the_arrays(tmp_path, rule):
    folder = starter.make(tmp_path)
    case = real.Case(str(folder / "estate.toml"), "none", "running-cost", rule, ready=True)
    problem, _, _ = real.Door(None, tmp_path).problem(case)
    assert bool(len(problem.side)) == (rule in {"budget", "payback", "hubs"})
    assert bool(len(problem.conflict)) == (rule == "apart")
    assert rule != "shares" or len(problem.shares) >= 4
