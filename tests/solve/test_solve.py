"""The exact solve tells the truth: against brute force, against other solvers, and when it is stopped."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
from brute import best, random_problem

from estate.errors import SolverError
from estate.problem import CoverRows, Goal, NearRows, Problem, ShareRule, SideRows, Solution, cost, violations
from estate.problem.generate import COUNTY, Size, place
from estate.solve import Limits, Status, solve, through_pulp, watch, whole
from estate.solve.answer import value_of
from estate.solve.watch import Watch


@pytest.fixture(scope="module")
def county() -> Problem:
    """A generated county that takes far longer than these tests."""
    return place(COUNTY, 1).problem


@pytest.fixture(scope="module")
def region() -> Problem:
    """Five counties' worth: no proof is in sight, even for the engine."""
    return place(Size(sites=500, zones=1800, side_m=110_000), 1).problem


# --- the optimum, and the one plan that has it -----------------------------------------------------------------------

CASES = [
    *((seed, Goal.COST) for seed in range(110)),
    *((seed, goal) for goal in (Goal.COVERED, Goal.TRAVEL, Goal.FARTHEST) for seed in range(500, 535)),
]


@pytest.mark.parametrize(("seed", "goal"), CASES)
def test_brute_force_finds_the_same_plan(seed, goal):
    problem = random_problem(seed, goal=goal, ties=seed % 3 == 0)
    value, plan = best(problem)
    answer = solve(problem)
    assert answer.stopped == "proven"
    assert answer.repeatable
    assert answer.value == value
    if plan is None:
        assert answer.status is Status.INFEASIBLE
        assert answer.solution is None
        return
    assert answer.status is Status.OPTIMAL
    assert (answer.gap, answer.bound) == (0.0, value)
    assert not violations(problem, answer.solution)
    assert value_of(problem, answer.solution) == value
    assert answer.settled
    if problem.site_one_off is not None:
        assert np.array_equal(answer.solution.open, plan.open)
        assert np.array_equal(answer.solution.host, plan.host)


@pytest.mark.parametrize("solver", ["cbc", "scip"])
@pytest.mark.parametrize("seed", [*range(600, 608), 3, 9])
def test_another_solver_agrees_on_the_optimum(seed, solver):
    problem = replace(random_problem(seed), site_one_off=None)
    ours, theirs = solve(problem), solve(problem, Limits(solver=solver))
    assert (theirs.status, theirs.value, theirs.bound) == (ours.status, ours.value, ours.bound)


# --- relations between problems --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(700, 712))
def test_scaling_costs_scales_the_answer(seed):
    problem = random_problem(seed)
    dearer = replace(problem, site_cost=problem.site_cost * 7, pair_cost=problem.pair_cost * 7)
    ours, theirs = solve(problem), solve(dearer)
    assert theirs.status == ours.status
    assert theirs.value == (None if ours.value is None else 7 * ours.value)


@pytest.mark.parametrize("seed", range(720, 732))
def test_relaxing_a_rule_never_costs_more(seed):
    problem = random_problem(seed)
    value = solve(problem).value
    relaxed = [
        replace(problem, site_capacity=problem.site_capacity + 50),
        replace(problem, cover=CoverRows()),
        replace(problem, shares=()),
        replace(problem, conflict=problem.conflict[:0], together=problem.together[:0]),
        replace(problem, must_open=np.zeros(problem.n_sites, dtype=bool)),
        replace(problem, must_close=np.zeros(problem.n_sites, dtype=bool)),
    ]
    for easier in relaxed:
        answer = solve(replace(easier, site_one_off=None))
        assert value is None or answer.value <= value


@pytest.mark.parametrize("seed", range(740, 752))
def test_the_order_of_sites_and_points_changes_nothing(seed):
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    ours, theirs = solve(problem), solve(shuffled(problem, rng))
    assert (theirs.status, theirs.value) == (ours.status, ours.value)


@pytest.mark.parametrize("seed", range(760, 770))
def test_the_same_problem_gives_the_same_plan_from_any_start(seed):
    problem = random_problem(seed, ties=True)
    problem = replace(problem, site_one_off=np.zeros(problem.n_sites, dtype=np.int64))
    first, again, cold = solve(problem), solve(problem), solve(replace(problem, today=None), Limits(seed=5))
    for other in (again, cold):
        assert other.status == first.status
        if first.solution is not None:
            assert first.solution.open.tobytes() == other.solution.open.tobytes()
            assert first.solution.host.tobytes() == other.solution.host.tobytes()


# --- stopped runs ----------------------------------------------------------------------------------------------------


def test_a_time_limit_never_says_optimal(county):
    answer = solve(county, Limits(time_s=2.0))
    assert answer.status is Status.FEASIBLE
    assert answer.stopped == "time"
    assert not answer.repeatable
    assert answer.seconds < 6
    assert answer.gap > 0
    assert answer.bound < answer.value <= cost(county, county.today)
    assert not violations(county, answer.solution)


def test_no_time_at_all_still_tells_the_truth(county):
    answer = solve(replace(county, today=None), Limits(time_s=0.0))
    assert answer.status is Status.UNKNOWN
    assert (answer.solution, answer.value, answer.gap) == (None, None, None)


def test_a_gap_asked_for_is_not_called_optimal(county):
    answer = solve(county, Limits(gap=0.5, time_s=60))
    assert answer.stopped == "gap"
    assert answer.status is Status.FEASIBLE
    assert not answer.repeatable  # of two searches side by side, the first to be within the gap ends both
    assert 1e-4 < answer.gap <= 0.5


def test_a_work_limit_repeats_exactly():
    town = place(Size(sites=60, zones=160, side_m=30_000), 2).problem
    first, again = (solve(town, Limits(work=1, time_s=120)) for _ in range(2))
    assert (first.stopped, first.status, first.repeatable) == ("work", Status.FEASIBLE, True)
    assert (first.value, first.bound) == (again.value, again.bound)
    assert first.solution.host.tobytes() == again.solution.host.tobytes()


def test_a_request_to_stop_returns_the_best_plan(region):
    stop, seen = threading.Event(), []
    threading.Timer(1.5, stop.set).start()
    began = time.monotonic()
    answer = solve(region, Limits(time_s=60), progress=seen.append, stop=stop)
    assert time.monotonic() - began < 6
    assert (answer.status, answer.stopped, answer.repeatable) == (Status.FEASIBLE, "interrupt", False)
    assert not violations(region, answer.solution)
    assert len(seen) > 5
    assert any(step.best is not None and step.bound is not None and step.gap is not None for step in seen)
    bests = [best for _, best, _ in answer.trace if best is not None]
    assert bests == sorted(bests, reverse=True)
    assert bests[-1] == answer.value


def test_control_c_returns_the_best_plan(region):
    pressed = []

    def press(now):
        if now.best is not None and not pressed:
            pressed.append(now)
            signal.raise_signal(signal.SIGINT)

    # A process started in the background inherits a SIGINT that is ignored: Python's own handler is what is tested.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer = solve(region, Limits(time_s=60), progress=press)
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed
    assert (answer.status, answer.stopped) == (Status.FEASIBLE, "interrupt")
    assert not violations(region, answer.solution)


def test_a_tie_break_cut_short_says_so():
    problem = replace(random_problem(3, ties=True), today=None)
    watch = Watch(Limits())
    found = whole.search(problem, watch)
    watch.stop.set()
    from estate.solve import ties

    answer = ties.settle(problem, found, watch)
    assert answer.status is Status.OPTIMAL
    assert (answer.settled, answer.repeatable) == (False, False)


# --- solvers ---------------------------------------------------------------------------------------------------------


def test_a_release_known_to_be_wrong_is_refused(monkeypatch):
    assert "1.14.0" in through_pulp.REFUSED["highspy"]
    monkeypatch.setitem(through_pulp.REFUSED, "highspy", {version("highspy"): "this test"})
    with pytest.raises(SolverError, match="refused"):
        solve(random_problem(0))


def test_a_missing_solver_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(through_pulp, "version", missing)
    with pytest.raises(SolverError, match="pip install pyscipopt"):
        solve(random_problem(0), Limits(solver="scip"))
    with pytest.raises(SolverError, match="cbc, highs, scip"):
        solve(random_problem(0), Limits(solver="cplex"))


def test_today_is_the_start_only_where_it_is_a_plan(county):
    assert whole.start_of(county) is county.today
    broken = Solution(np.zeros(county.n_sites, dtype=bool), county.today.host)
    assert whole.start_of(replace(county, today=broken)) is None


def test_money_at_the_size_of_a_nation_is_exact():
    """Costs of tens of millions of pounds that differ by a penny: no float may blur them."""
    pence = np.array([2_000_000_001, 2_000_000_000, 2_000_000_003], dtype=np.int64)
    none = np.zeros(3, dtype=np.int64)
    one = np.array([0], dtype=np.int64)
    problem = Problem(
        n_services=1, site_cost=pence, site_capacity=none + 10, point_service=one, point_own=one + 5, point_hall=one,
        point_desk=one, pair_point=none, pair_site=np.arange(3), pair_cost=none, point_home=one, site_slack=none,
        must_open=none > 0, must_close=none > 0,
    )  # fmt: skip
    assert solve(problem).value == 2_000_000_000


def shuffled(p, rng):
    """The same problem with its sites and points in another order."""
    site, point = rng.permutation(p.n_sites), rng.permutation(p.n_points)  # new index of each old one
    old_site, old_point = np.argsort(site), np.argsort(point)
    pair_point, pair_site = point[p.pair_point], site[p.pair_site]
    order = np.lexsort((pair_site, pair_point))
    new_pair = np.argsort(order)
    inherent = np.column_stack([p.inherent[:, 0], site[p.inherent[:, 1]]])
    conflict, together = (np.column_stack([t[:, :2], site[t[:, 2]]]) for t in (p.conflict, p.together))
    c = p.cover
    cover = CoverRows(c.service, c.need, c.start, site[c.site], np.where(c.excuse >= 0, new_pair[c.excuse], -1))
    shares = tuple(ShareRule(r.name, r.service, r.weight, r.start, site[r.site], r.required) for r in p.shares)
    old = sorted({(j, k) for k, j in p.inherent} | set(zip(p.pair_site, p.point_service[p.pair_point], strict=True)))
    new = sorted((int(site[j]), int(k)) for j, k in old)
    offer = np.array([new.index((int(site[j]), int(k))) for j, k in old], dtype=np.int64)
    J, P, Q = p.n_sites, p.n_pairs, len(old)
    column = np.concatenate([site, J + new_pair, J + P + offer, J + P + Q + site])
    s, n = p.side, p.near
    return replace(
        p,
        site_cost=p.site_cost[old_site],
        site_capacity=p.site_capacity[old_site],
        site_slack=p.site_slack[old_site],
        must_open=p.must_open[old_site],
        must_close=p.must_close[old_site],
        site_one_off=None,
        pair_one_off=None,
        point_service=p.point_service[old_point],
        point_own=p.point_own[old_point],
        point_hall=p.point_hall[old_point],
        point_desk=p.point_desk[old_point],
        point_home=np.where(p.point_home >= 0, site[p.point_home], -1)[old_point],
        pair_point=pair_point[order],
        pair_site=pair_site[order],
        pair_cost=p.pair_cost[order],
        inherent=inherent,
        conflict=conflict,
        together=together,
        cover=cover,
        shares=shares,
        side=SideRows(s.name, s.lower, s.upper, s.start, column[s.column] if len(s) else s.column, s.value),
        near=NearRows(n.service, n.weight, n.start, site[n.site], n.distance),
        today=None if p.today is None else Solution(p.today.open[old_site], site[p.today.host][old_point]),
    )


def tied_town() -> Problem:
    """Two alike buildings for one alike counter each, and nothing to choose by but ids."""
    two = np.array([0, 1])
    none = np.zeros(2, dtype=np.int64)
    return Problem(
        n_services=1, site_cost=none + 100, site_capacity=none + 20, point_service=none, point_own=none + 10, point_hall=none,
        point_desk=none, pair_point=np.repeat(two, 2), pair_site=np.tile(two, 2), pair_cost=np.zeros(4, dtype=np.int64),
        point_home=two, site_slack=none, must_open=np.zeros(2, dtype=bool), must_close=np.zeros(2, dtype=bool),
        inherent=np.zeros((0, 2), dtype=np.int64), site_one_off=none, pair_one_off=np.zeros(4, dtype=np.int64),
    )  # fmt: skip


def test_ties_end_with_the_work_that_they_may_have_and_the_answer_says_so(monkeypatch):
    whole_answer = solve(tied_town(), Limits(work=1))
    assert whole_answer.settled
    monkeypatch.setattr(watch, "TIE_LOOKS", 0)
    cut_short = solve(tied_town(), Limits(work=1))
    assert (cut_short.value, cut_short.settled, cut_short.repeatable) == (whole_answer.value, False, False)


def test_a_solver_that_gives_up_has_not_shown_that_a_plan_is_the_only_one():
    from estate.solve import ties

    asked = tied_town()
    found = solve(asked, Limits())
    gives_up = lambda _, __, *, start, another: through_pulp.PulpRun("memory", start, None)  # noqa: E731
    answer = ties.settle(asked, found, Watch(Limits()), door=gives_up)
    assert (answer.settled, answer.repeatable) == (False, False)
