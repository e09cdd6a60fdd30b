"""The programme says exactly what the problem says: every row family, every measure, and the PuLP form."""

from __future__ import annotations

import time

import numpy as np
import pytest
from brute import everything, random_problem

from estate.model import Measure, formulate, measure, to_pulp
from estate.model.access import served_within
from estate.problem import Goal, Solution, near_distance, offered, violations
from estate.problem.generate import COUNTY, place

SEEDS = range(40)
KEYS = ("COVERED", "COST", "RUNNING", "ONE_OFF", "MOVES", "APART", "TRAVEL")
COLUMN = {Measure[name]: at for at, name in enumerate(KEYS)}


def plans(problem, seed, n=40):
    """Some plans, feasible ones among them where there are any."""
    every = everything(problem)
    rng = np.random.default_rng(seed)
    some = np.concatenate([rng.permutation(np.flatnonzero(every.feasible))[:n], rng.permutation(len(every.open))[:n]])
    return [(Solution(every.open[i], every.host[i]), bool(every.feasible[i]), every.keys[i]) for i in some]


def holds(f, x):
    """Whether column values respect every bound and row."""
    lower, upper = (np.concatenate([getattr(block, side) for block in f.blocks]) for side in ("lower", "upper"))
    inside = ((x >= lower - 1e-9) & (x <= upper + 1e-9)).all()
    for rows in f.rows:
        row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
        activity = np.bincount(row, weights=rows.value * x[rows.column], minlength=len(rows))
        inside &= ((activity >= rows.lower - 1e-9) & (activity <= rows.upper + 1e-9)).all()
    return bool(inside)


@pytest.mark.parametrize("goal", list(Goal))
@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_feasible_exactly_when_its_columns_respect_the_rows(seed, goal):
    problem = random_problem(seed, goal=goal)
    far = int(problem.near.distance.max(initial=0)) if goal is Goal.FARTHEST else None
    what = None if goal is Goal.FARTHEST else Measure(goal)
    f = formulate(problem, what, within=far)
    for plan, feasible, _ in plans(problem, seed):
        assert (not violations(problem, plan)) == feasible
        assert holds(f, f.values(plan)) == feasible


@pytest.mark.parametrize("seed", SEEDS)
def test_the_objective_is_the_measure_for_every_plan(seed):
    problem = random_problem(seed, goal=Goal.COVERED)
    for what, at in COLUMN.items():
        f = formulate(problem, what)
        for plan, feasible, keys in plans(problem, seed, 10):
            if not feasible:
                continue
            expected = -keys[at] if what is Measure.COVERED else keys[at]
            assert measure(problem, plan, what) == expected
            assert f.to_measure(f.objective @ f.values(plan)) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_on_a_measure_keeps_exactly_the_plans_within_it(seed):
    problem = random_problem(seed, goal=Goal.COVERED)
    some = [(plan, keys) for plan, feasible, keys in plans(problem, seed, 8) if feasible]
    for what, at in COLUMN.items():
        for _, chosen in some[:2]:
            value = int(-chosen[at] if what is Measure.COVERED else chosen[at])
            f = formulate(problem, None, at_most={what: value})
            assert all(holds(f, f.values(plan)) == (keys[at] <= chosen[at]) for plan, keys in some)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sure_to_be_served_is_served_in_every_plan(seed):
    problem = random_problem(seed, goal=Goal.TRAVEL)
    sure = served_within(problem)
    for plan, feasible, _ in plans(problem, seed):
        if feasible:
            assert (near_distance(problem, offered(problem, plan)) <= sure).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_read_off_its_columns_is_the_plan(seed):
    problem = random_problem(seed)
    f = formulate(problem, Measure.COST)
    for plan, _, _ in plans(problem, seed, 5):
        again = f.solution(f.values(plan))
        assert np.array_equal(again.open, plan.open)
        assert np.array_equal(again.host, plan.host)


@pytest.mark.parametrize("seed", range(10))
def test_the_pulp_model_holds_the_same_rows(seed):
    f = formulate(random_problem(seed), Measure.COST)
    lp, x = to_pulp(f)
    column = {variable.name: i for i, variable in enumerate(x)}
    assert len(column) == f.n_columns
    ours = {
        f"{rows.family}_{r}": dict(
            zip(rows.column[rows.start[r] : rows.start[r + 1]], rows.value[rows.start[r] : rows.start[r + 1]], strict=True)
        )
        for rows in f.rows
        for r in range(len(rows))
    }
    theirs = {row.name: {column[v.name]: c for v, c in row.items()} for row in lp.constraints()}
    assert {name: row for name, row in theirs.items() if not name.endswith("_upper")} == ours
    objective = np.zeros(f.n_columns)
    for variable, weight in lp.objective.items():
        objective[column[variable.name]] = weight
    assert np.array_equal(objective, f.objective)


def test_a_county_is_built_in_a_moment():
    problem = place(COUNTY, 0).problem
    began = time.process_time()
    to_pulp(formulate(problem, Measure.COST))
    assert time.process_time() - began < 0.5, "measured 0.05 to 0.08 s"
