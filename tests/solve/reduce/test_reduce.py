"""Reductions leave the optimum as it was."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import brute
import numpy as np
import pytest
import second_model
from brute import plans

from estate.problem import CoverRows, Goal, NearRows, SideRows, Solution, cost, violations
from estate.problem.generate import COUNTY, Size, place
from estate.solve import highs, reduce
from estate.solve.columns.core import core
from estate.solve.columns.lagrangian import ascend, evaluate
from estate.solve.decompose import components
from estate.solve.decompose.blocks import merged
from estate.solve.reduce import cover_rows, dominance, elimination, items
from estate.solve.reduce.narrow import without_pairs


@pytest.mark.parametrize("block", range(4))
def test_implied_cover_rows_change_nothing(block):
    dropped = 0
    for seed in range(block * 100, block * 100 + 100):
        p = brute.random_problem(seed)
        small = reduce.without_implied(p)
        dropped += len(p.cover) - len(small.cover)
        assert (brute.everything(p).feasible == brute.everything(small).feasible).all(), seed
    assert dropped > 3


def test_a_county_keeps_one_row_in_ten():
    p = place(COUNTY, 0).problem
    small = reduce.without_implied(p)
    assert len(small.cover) < len(p.cover) / 10
    assert not violations(small, p.today)
    tight = reduce.tighten(p).problem
    assert len(tight.cover) < len(small.cover)
    assert tight.n_pairs < p.n_pairs
    assert tight.must_open.sum() > p.must_open.sum()


def test_the_same_seed_is_the_same_place():
    size = Size(sites=40, zones=80, side_m=20_000)
    one, two = place(size, 5).problem, place(size, 5).problem
    assert (one.pair_cost == two.pair_cost).all()
    assert (one.cover.site == two.cover.site).all()
    assert not violations(one, one.today)


def test_a_seed_is_the_place_it_has_always_been():
    """Figures measured on a seed mean nothing once its arrays change: these are fixed."""
    for share, expected in ((None, "4d46ffd76d3740a5"), (0.95, "ac26fba30fd82337")):
        p = place(COUNTY, 0, share=share).problem
        digest = hashlib.sha256()
        shared = [a for rule in p.shares for a in (rule.weight, rule.start, rule.site, np.array([rule.required]))]
        for array in (
            p.site_cost, p.site_capacity, p.site_slack, p.must_open.astype(np.int64), p.point_service, p.point_own, p.point_hall,
            p.point_desk, p.point_home, p.pair_point, p.pair_site, p.pair_cost, p.cover.service, p.cover.start, p.cover.site,
            *shared,
        ):  # fmt: skip
            assert array.dtype == np.int64
            digest.update(array.tobytes())
        assert digest.hexdigest()[:16] == expected


def test_a_row_with_an_excuse_implies_no_other():
    """The longer row must be met by an offer even where the shorter one is excused."""
    base = place(Size(sites=40, zones=80, side_m=20_000), 5).problem
    home = int(np.flatnonzero(base.pair_site == base.point_home[base.pair_point])[0])
    ints = [np.array(a) for a in ([0, 0], [1, 1], [0, 1, 3], [4, 4, 9], [home, -1])]
    small = reduce.without_implied(replace(base, cover=CoverRows(*ints)))
    assert len(small.cover) == 2


def roomy(seed, **more):
    """A random problem with room in some buildings, so that moves are possible."""
    p = brute.random_problem(seed, **more)
    rng = np.random.default_rng(seed)
    wide = rng.random(p.n_sites) < 0.5
    p = replace(p, side=SideRows())
    return replace(p, site_capacity=np.where(wide, 1_000, p.site_capacity), must_open=p.must_open | (wide & ~p.must_close))


@pytest.mark.parametrize("goal", list(Goal))
@pytest.mark.parametrize("ties", [False, True])
def test_tightening_keeps_the_one_best_plan(goal, ties):
    smaller = 0
    for seed in range(60):
        p = brute.random_problem(seed, goal=goal, ties=ties)
        small = reduce.tighten(p).problem
        smaller += small.n_pairs < p.n_pairs
        value, plan = brute.best(p)
        found, same = brute.best(small)
        assert found == value, seed
        if plan is not None:
            assert (same.host == plan.host).all(), seed
            assert (same.open == plan.open).all(), seed
    assert smaller > 30


@pytest.mark.parametrize("make", [brute.random_problem, roomy])
def test_every_plan_becomes_one_of_the_smaller_problem_and_no_dearer(make):
    moved = 0
    for seed in range(200, 290):
        p = make(seed)
        reduced = reduce.tighten(p)
        before, after = plans(p), plans(reduced.problem)
        assert after.items() <= before.items(), seed
        for (host, is_open), value in before.items():
            plan = reduced.into(Solution(np.array(is_open), np.array(host, dtype=np.int64)))
            key = (tuple(plan.host.tolist()), tuple(plan.open.tolist()))
            assert after[key] <= value, seed
            moved += key[0] != host
        if p.today is not None:
            assert not violations(reduced.problem, reduced.problem.today), seed
    assert moved > (500 if make is roomy else 0)


def test_rows_met_wherever_a_point_goes_and_pairs_that_a_row_rules_out_change_no_plan():
    met, away = 0, 0
    for seed in range(200):
        p = few_hosts(seed)
        nobody = np.zeros(p.n_points, dtype=bool)
        sure, out = cover_rows.met_wherever(p, nobody), cover_rows.elsewhere(p)
        met, away = met + int(sure.sum()), away + int(out.sum())
        before = plans(p)
        assert plans(cover_rows.with_rows(p, np.flatnonzero(~sure))) == before, seed
        assert plans(without_pairs(p, out)) == before, seed
        assert not cover_rows.met_wherever(p, ~nobody).any()
    assert met > 100
    assert away > 10


@pytest.mark.parametrize("goal", [Goal.COST, Goal.TRAVEL, Goal.COVERED])
def test_lighter_share_rules_are_met_by_the_same_plans(goal):
    changed, rows_made = 0, 0
    for seed in range(150):
        p = without_side(brute.random_problem(seed, goal=goal))
        light = items.lighter(p, np.zeros(p.n_points, dtype=bool))
        assert goal is not Goal.COVERED or light is None
        if light is None:
            continue
        changed += 1
        rows_made += len(light.problem.cover) - len(p.cover)
        assert plans(light.problem) == plans(p), seed
        old, new = (len(q.cover) + sum(len(r.weight) for r in q.shares) for q in (p, light.problem))
        assert len(light.becomes) == old
        assert set(range(new)) <= set(light.becomes.tolist()) <= set(range(-1, new))
    assert goal is Goal.COVERED or (changed > 60 and rows_made > 5)


def without_side(p):
    return replace(p, side=SideRows())


def test_a_county_keeps_one_share_item_in_five():
    p = place(COUNTY, 0, share=0.95).problem
    small = reduce.tighten(p).problem
    assert sum(len(rule.weight) for rule in small.shares) < 2_000 / 5
    assert not violations(small, small.today)


def few_hosts(seed):
    """A random problem whose points have few buildings each, so that rows often rest on one."""
    p = replace(brute.random_problem(seed), side=SideRows())
    rng = np.random.default_rng(seed)
    return without_pairs(p, (rng.random(p.n_pairs) < 0.4) & (p.pair_site != p.point_home[p.pair_point]))


def test_points_that_need_not_be_anywhere():
    """As if they had one more building, which nothing else sees."""
    smaller = 0
    for seed in range(150):
        p = few_hosts(seed)
        optional = np.random.default_rng(seed).random(p.n_points) < 0.5
        small = reduce.tighten(p, optional=optional).problem
        smaller += small.n_pairs < p.n_pairs
        assert brute.best(with_nowhere(p, optional))[0] == brute.best(with_nowhere(small, optional))[0], seed
    assert smaller > 50


def with_nowhere(p, optional):
    some = np.flatnonzero(optional)
    point, site = np.append(p.pair_point, some), np.append(p.pair_site, np.full(len(some), p.n_sites))
    order = np.lexsort((site, point))
    excuse = np.where(p.cover.excuse >= 0, np.argsort(order)[p.cover.excuse], -1) if p.n_pairs else p.cover.excuse
    return replace(
        p,
        site_cost=np.append(p.site_cost, 0),
        site_capacity=np.append(p.site_capacity, 10_000),
        site_slack=np.append(p.site_slack, 0),
        must_open=np.append(p.must_open, True),
        must_close=np.append(p.must_close, False),
        pair_point=point[order],
        pair_site=site[order],
        pair_cost=np.append(p.pair_cost, np.zeros(len(some), dtype=np.int64))[order],
        cover=replace(p.cover, excuse=excuse),
        site_one_off=None,
        pair_one_off=None,
        site_running=None,
        pair_running=None,
        pair_apart=None,
        today=None,
    )


def test_pairs_are_dominated_where_there_is_room():
    dropped = 0
    for seed in range(150):
        p = roomy(seed)
        moves = dominance.dominated(p)
        if moves is None:
            continue
        dropped += int(moves.drop.sum())
        value, plan = brute.best(p)
        assert plan is None or not (moves.drop & (plan.host[p.pair_point] == p.pair_site)).any(), seed
        assert brute.best(without_pairs(p, moves.drop))[0] == value, seed
    assert dropped > 60


def test_no_pair_is_dominated_by_one_as_dear():
    """Strictly: of two best plans neither is lost."""
    p = replace(roomy(3), pair_cost=roomy(3).pair_cost * 0, site_cost=roomy(3).site_cost * 0)
    assert dominance.dominated(p) is None


@pytest.mark.parametrize("ties", [False, True])
def test_the_bound_eliminates_no_plan_as_cheap_as_the_one_in_hand(ties):
    rng = np.random.default_rng(0)
    out = 0
    for seed in range(110):
        p = brute.random_problem(seed, ties=ties)
        every = brute.everything(p)
        at = np.flatnonzero(every.feasible)
        if not len(at) or not p.n_points or (p.must_open & p.must_close).any():
            continue
        values = every.keys[at, 1]
        limit = float(rng.choice([values.min(), values[rng.integers(len(at))], values.min() * 1.03]))
        dual = ascend(core(p), limit, iterations=(30, 30, 30))
        found = elimination.by_bound(p, dual, limit)
        cheap = at[values <= limit]
        assert not ((every.host[cheap][:, p.pair_point] == p.pair_site) & found.drop).any(), seed
        assert not (every.open[cheap] & found.must_close).any(), seed
        assert not (~every.open[cheap] & found.must_open).any(), seed
        out += int(found.drop.sum())
        reduced = reduce.tighten(p, dual=dual, value=limit)
        assert brute.best(reduced.problem)[0] == values.min(), seed
        if reduced.problem.n_pairs:
            carried = reduced.multipliers(dual)
            assert evaluate(core(reduced.problem), carried.point, carried.row).bound <= values.min() + 1, seed
    assert out > 200


def test_points_priced_out_of_a_whole_are_never_forced():
    """A point that need not be anywhere has one building left and does not make it open."""
    p = place(Size(sites=40, zones=80, side_m=20_000), 5).problem
    optional = np.ones(p.n_points, dtype=bool)
    alone = replace(p, cover=CoverRows())
    assert (reduce.tighten(alone, optional=optional).problem.must_open == p.must_open).all()
    assert reduce.tighten(alone).problem.must_open.sum() > p.must_open.sum()


@pytest.mark.parametrize("seed", range(4))
def test_generated_places_have_the_same_optimum_whole_tightened_and_in_parts(seed):
    p = place(Size(sites=20, zones=50, side_m=20_000), seed).problem
    value = optimum(p)[1]
    small = reduce.tighten(p).problem
    assert optimum(small)[1] == value
    dual = ascend(core(small), float(value))
    tight = reduce.tighten(small, dual=dual, value=value)
    assert tight.problem.n_pairs < small.n_pairs
    assert optimum(tight.problem)[1] == value
    plan, bound = components.whole(small, optimum)
    assert bound == value == cost(p, plan)
    assert not violations(p, plan)


def optimum(p):
    built, columns = second_model.build(p)
    plan = second_model.read(p, columns, highs.run(built).x)
    assert not violations(p, plan)
    return plan, cost(p, plan)


# ------------------------------------------------------------------------------------------------ parts


def small_ones(n, **more):
    """Problems small enough that two beside each other can be looked at whole."""
    found = (brute.random_problem(seed, **more) for seed in range(10_000))
    few = (p for p in found if p.n_sites <= 3 and p.n_points <= 3)
    return [p for p, _ in zip(few, range(n), strict=False)]


def beside(a, b, rng):
    """Two problems as one, their sites and points mixed."""
    J, S = a.n_sites + b.n_sites, a.n_points + b.n_points
    site, point = rng.permutation(J), rng.permutation(S)
    halves = ((a, site[: a.n_sites], point[: a.n_points]), (b, site[a.n_sites :], point[a.n_points :]))
    K = max(a.n_services, b.n_services)

    def by(width, places, *values):
        out = np.zeros(width, dtype=values[0].dtype)
        for place_, value in zip(places, values, strict=True):
            out[place_] = value
        return out

    def sites(name):
        return by(J, [h[1] for h in halves], *(getattr(h[0], name) for h in halves))

    def points(name):
        return by(S, [h[2] for h in halves], *(getattr(h[0], name) for h in halves))

    pair_point = np.concatenate([n[p.pair_point] for p, _, n in halves])
    pair_site = np.concatenate([j[p.pair_site] for p, j, _ in halves])
    order = np.lexsort((pair_site, pair_point))
    number = np.argsort(order)
    home = by(S, [h[2] for h in halves], *(np.where(p.point_home >= 0, j[p.point_home], -1) for p, j, _ in halves))

    def csr(rows, columns):
        start = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(r) for r in rows]))])
        return start.astype(np.int64), np.concatenate(columns)

    covers = [p.cover for p, _, _ in halves]
    excuses = [
        np.where(c.excuse >= 0, number[np.maximum(c.excuse, 0) + shift], -1)
        for c, shift in zip(covers, (0, a.n_pairs), strict=True)
    ]
    cover = CoverRows(
        np.concatenate([c.service for c in covers]),
        np.concatenate([c.need for c in covers]),
        *csr([c.start for c in covers], [j[p.cover.site] for p, j, _ in halves]),
        np.concatenate(excuses),
    )
    nears = [p.near for p, _, _ in halves]
    start, where = csr([n.start for n in nears], [j[p.near.site] for p, j, _ in halves])
    joined = replace(
        a,
        n_services=K,
        **{name: sites(name) for name in ("site_cost", "site_capacity", "site_slack", "must_open", "must_close")},
        **{name: points(name) for name in ("point_service", "point_own", "point_hall", "point_desk")},
        point_home=home,
        pair_point=pair_point[order],
        pair_site=pair_site[order],
        pair_cost=np.concatenate([a.pair_cost, b.pair_cost])[order],
        cover=cover,
        shares=tuple(replace(rule, site=j[rule.site]) for p, j, _ in halves for rule in p.shares),
        near=NearRows(
            np.concatenate([n.service for n in nears]),
            np.concatenate([n.weight for n in nears]),
            start,
            where,
            np.concatenate([n.distance for n in nears]),
        ),
        **{
            name: np.concatenate([np.column_stack([t[:, :-1], j[t[:, -1]]]) for p, j, _ in halves for t in [getattr(p, name)]])
            for name in ("inherent", "conflict", "together")
        },
        side=SideRows(),
        today=None,
        site_running=None,
        pair_running=None,
        pair_apart=None,
    )
    if a.site_one_off is None or b.site_one_off is None:
        return replace(joined, site_one_off=None, pair_one_off=None)
    one_off = np.concatenate([a.pair_one_off, b.pair_one_off])[order]
    return replace(joined, site_one_off=sites("site_one_off"), pair_one_off=one_off)


@pytest.mark.parametrize("goal", [Goal.COST, Goal.COVERED, Goal.TRAVEL])
@pytest.mark.parametrize("ties", [False, True])
def test_parts_solved_apart_are_the_whole_solved_together(goal, ties):
    rng = np.random.default_rng(1)
    several = 0
    ones = [replace(p, side=SideRows()) for p in small_ones(100, goal=goal, ties=ties)]
    for a, b in zip(ones[::2], ones[1::2], strict=True):
        p = beside(a, b, rng)
        value, plan = brute.best(p)
        parts = components.components(p)
        assert np.array_equal(np.sort(np.concatenate([part.sites for part in parts])), np.arange(p.n_sites))
        assert np.array_equal(np.sort(np.concatenate([part.points for part in parts])), np.arange(p.n_points))
        best = [brute.best(part.problem) for part in parts]
        several += len(parts) > 1
        if value is None:
            assert any(found is None for found, _ in best)
            continue
        assert sum(found for found, _ in best) == value
        assert_joined(parts, [found for _, found in best], plan, exact=p.site_one_off is not None)
    assert several > 25


def assert_joined(parts, found, plan, *, exact):
    """The parts' plans put together are the plan (where ties are told apart)."""
    whole = Solution(np.zeros(len(plan.open), dtype=bool), np.zeros(len(plan.host), dtype=np.int64))
    for part, here in zip(parts, found, strict=True):
        whole = merged(whole, part, here)
    if exact:
        assert (whole.host == plan.host).all()
        assert (whole.open == plan.open).all()


@pytest.mark.parametrize("goal", list(Goal))
def test_side_rows_and_all_other_rules_are_cut_with_their_part(goal):
    several = 0
    for seed in range(150):
        p = brute.random_problem(seed, goal=goal)
        parts = components.components(reduce.tighten(p).problem)
        value, plan = brute.best(p)
        best = [brute.best(part.problem) for part in parts]
        several += len(parts) > 1
        if value is None:
            assert any(found is None for found, _ in best), seed
            continue
        assert sum(found for found, _ in best) == value, seed
        assert_joined(parts, [found for _, found in best], plan, exact=p.site_one_off is not None)
    assert several > (-1 if goal is Goal.FARTHEST else 3)


def test_without_ties_distance_links_nothing():
    p = next(p for p in (brute.random_problem(seed, ties=True) for seed in range(200)) if len(components.components(p)) == 1
             and len(components.components(p, ties=False)) > 1)  # fmt: skip
    value, _ = brute.best(p)
    parts = components.components(p, ties=False)
    assert sum(brute.best(part.problem)[0] for part in parts) == value
    assert all(not len(part.problem.near) for part in parts)


def test_the_whole_is_solved_by_parts():
    for seed in range(150):
        p = brute.random_problem(seed)
        value, _ = brute.best(p)
        calls = []

        def solve_part(part, calls=calls):
            calls.append(part)
            found, plan = brute.best(part)
            return plan, np.inf if found is None else found

        plan, bound = components.whole(reduce.tighten(p).problem, solve_part)
        assert all(components.decided(part) is None for part in calls)
        if value is None:
            assert plan is None
            assert bound == np.inf, seed
            continue
        assert bound == value == cost(p, plan), seed
        assert not violations(p, plan), seed
