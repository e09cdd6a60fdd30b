"""A programme over years: plan and order chosen together, against known answers and every order there is."""

from itertools import product

import numpy as np
import pytest
from places import tiny_place
from town import let, purse, town

from estate.errors import InputError
from estate.formulate import formulate
from estate.problem import CoverRows, Problem, Solution, violations
from estate.programme.orders import Line, Orders, began
from estate.programme.purses import charges
from estate.programme.search import solve
from estate.scenario import Loan
from estate.solve import solve as solve_once
from estate.solve.answer import Status

THOUSAND = 100_000  # pence


def ints(*values):
    return np.array(values, dtype=np.int64)


# ------------------------------------------------------------------------------------------------------ worked examples


def worked(recycled):
    """A costs 100, saves 20 a year and brings 150 after two years; B costs 200 and saves 60; years 0-9, 100 at hand, 3.5%."""
    problem = Problem(
        n_services=1, site_cost=ints(0, 0, 0), site_capacity=ints(10, 10, 100), point_service=ints(0, 0), point_own=ints(5, 5),
        point_hall=ints(0, 0), point_desk=ints(0, 0), pair_point=ints(0, 0, 1, 1), pair_site=ints(0, 2, 1, 2),
        pair_cost=ints(0, 0, 0, 0), point_home=ints(0, 1), site_slack=ints(0, 0, 0), must_open=np.array([False, False, True]),
        must_close=np.zeros(3, dtype=bool), today=Solution(np.ones(3, dtype=bool), ints(0, 1)),
    )  # fmt: skip
    years, T = 10, 9  # works in years 0-8
    pair, site = np.zeros((4, T), dtype=np.int64), np.zeros((3, T), dtype=np.int64)
    spent, banked = np.zeros((4, T, years), dtype=np.int64), np.zeros((3, T, years), dtype=np.int64)
    for works in range(T):
        for row, cost, saving in ((1, 100, 20), (3, 200, 60)):
            flow = np.zeros(years)
            flow[works], flow[works + 1 :] = -cost, saving
            pair[row, works] = round(THOUSAND * float(flow @ 1.035 ** -np.arange(years)))
            spent[row, works] = -np.cumsum(np.where(flow > 0, flow * bool(recycled), flow)) * THOUSAND
        if works + 2 < years:
            site[0, works] = round(THOUSAND * 150 / 1.035 ** (works + 2))
            banked[0, works, works + 2 :] = -150 * THOUSAND
    lines = [Line(f"year {year}", spent[:, :, year], banked[:, :, year], 100 * THOUSAND) for year in range(years)]
    every = np.ones((4, T), dtype=bool), np.ones((3, T), dtype=bool), np.ones((3, T), dtype=bool)
    return Orders(
        problem, pair, site, *every, np.ones(4, dtype=bool), np.zeros(3, dtype=bool), () if recycled is None else tuple(lines)
    )


@pytest.mark.parametrize(
    ("recycled", "value", "when"), [(True, 300.155, (0, 3)), (False, 192.180, (0, -1)), (None, 448.642, (0, 0))]
)
def test_worked_example(recycled, value, when):
    orders = worked(recycled)
    course = solve(orders)
    pair, _ = began(orders, course)
    assert course.status is Status.OPTIMAL
    assert course.value / THOUSAND == pytest.approx(value, abs=0.0006)
    assert (pair[1], pair[3]) == when


def test_loan():
    """600,000 at 5% over ten years, straight line: 90,000 falling to 63,000; savings of 100,000 x 1.02^t against it."""
    repaid, interest = charges(Loan(purse="p", most_gbp=6e5, year=2026, rate=0.05, years=10), 600_000)
    charge = repaid + interest
    saved = 100_000 * 1.02 ** np.arange(1, 11)
    assert (charge[0], charge[-1]) == pytest.approx((90_000, 63_000))
    assert interest.sum() == pytest.approx(165_000)
    assert ((saved - charge)[0], (saved - charge)[-1], (saved - charge).sum()) == pytest.approx(
        (12_000, 58_899, 351_872), abs=0.5
    )
    assert (saved / 10 - charge)[0] == pytest.approx(-79_800)


def test_annuity():
    """Equal charges, and all of it repaid."""
    repaid, interest = charges(Loan(purse="p", most_gbp=1, year=2026, rate=0.04, years=25, repaid="annuity"), 1000)
    assert repaid.sum() == pytest.approx(1000)
    assert np.ptp(repaid + interest) == pytest.approx(0, abs=1e-9)


# ------------------------------------------------------------------------------------------------------ every order there is

POINTS, SITES, YEARS = 3, 5, 4


def drawn(seed):
    """Three counters, each in a building of its own, two others beside; four years; leases, receipts, purses at random."""
    rng = np.random.default_rng(seed)
    away = [sorted({3, int(rng.integers(5)), *([4] if rng.random() < 0.3 else [])} - {s})[:2] for s in range(POINTS)]
    pair_point = np.concatenate([[s] * (1 + len(away[s])) for s in range(POINTS)])
    pair_site = np.concatenate([sorted([s, *away[s]]) for s in range(POINTS)])
    own = rng.integers(2, 8, POINTS)
    today = np.array([True, True, True, rng.random() < 0.5, False])
    rows = [sorted(set(rng.choice(SITES, size=rng.integers(1, 4)).tolist()) | {int(rng.integers(3))}) for _ in range(2)]
    cover = CoverRows(
        ints(0, 0), ints(1, 1), ints(0, len(rows[0]), len(rows[0]) + len(rows[1])), ints(*rows[0], *rows[1]), ints(-1, -1)
    )
    room = np.append(own, rng.integers(5, 16, 2))
    problem = Problem(
        n_services=1, site_cost=np.zeros(SITES, dtype=np.int64), site_capacity=room + rng.integers(0, 5, SITES),
        point_service=ints(0, 0, 0), point_own=own, point_hall=ints(0, 0, 0), point_desk=ints(0, 0, 0), pair_point=pair_point,
        pair_site=pair_site, pair_cost=np.zeros(len(pair_site), dtype=np.int64), point_home=ints(0, 1, 2),
        site_slack=np.zeros(SITES, dtype=np.int64), must_open=(rng.random(SITES) < 0.1) & today,
        must_close=np.zeros(SITES, dtype=bool), cover=cover, today=Solution(today, ints(0, 1, 2)),
    )  # fmt: skip
    P, Y, grow = len(pair_site), YEARS + 3, 1.035 ** -np.arange(YEARS + 3)
    at_home = pair_site == np.arange(POINTS)[pair_point]
    spent = {kind: (np.zeros((P, YEARS, Y), dtype=np.int64), np.zeros((SITES, YEARS, Y), dtype=np.int64)) for kind in "cr"}
    value = np.zeros((P, YEARS), dtype=np.int64), np.zeros((SITES, YEARS), dtype=np.int64)
    works, removal, saves = (1000 * rng.integers(low, high, P) for low, high in ((1, 300), (0, 60), (-30, 20)))
    closes, running, late = 1000 * rng.integers(0, 400, SITES), 1000 * rng.integers(10, 90, SITES), rng.integers(0, 3)
    recycled = rng.choice([0, 1])
    for t in range(YEARS):
        one_off, revenue, saving = np.zeros((P, Y)), np.zeros((P, Y)), np.zeros((P, Y))
        one_off[:, t], revenue[:, t] = works, removal
        saving[:, t + 1 :] = saves[:, None]
        for flow in (one_off, revenue, saving):
            flow[at_home] = 0
        receipt, kept = np.zeros((SITES, Y)), np.zeros((SITES, Y))
        receipt[:3, min(t + 1 + late, Y - 1)] = closes[:3]
        kept[:, t + 1 :] = np.where(today, running, -running)[:, None]
        spent["c"][0][:, t], spent["c"][1][:, t] = np.cumsum(one_off, axis=1), -np.cumsum(receipt, axis=1)
        spent["r"][0][:, t] = np.cumsum(revenue - recycled * saving, axis=1)
        spent["r"][1][:, t] = -np.cumsum(recycled * kept, axis=1)
        value[0][:, t], value[1][:, t] = np.rint((saving - one_off - revenue) @ grow), np.rint((receipt + kept) @ grow)
    hand = {kind: np.cumsum(1000 * rng.integers(0, most, Y)) for kind, most in (("c", 150), ("r", 60))}
    lease = rng.integers(0, 3, SITES)
    may = np.arange(YEARS)[None, :] >= lease[:, None]
    # What is not in use today is built, bought or refurbished: its capital in the year it opens, and not before it is ready.
    capital, ready = np.where(today, 0, 1000 * rng.integers(0, 200, SITES)), rng.integers(0, 3, SITES)
    for t in range(YEARS):
        spent["c"][1][:, t, t:] += capital[:, None]
        value[1][:, t] -= np.rint(capital * grow[t]).astype(np.int64)
    orders = Orders(
        problem, *value, may[problem.point_home[pair_point]],
        np.where(today[:, None], may, np.arange(YEARS)[None, :] >= ready[:, None]),
        np.ones((SITES, YEARS), dtype=bool), np.ones(P, dtype=bool), rng.random(SITES) < 0.1, most_moves=int(rng.integers(1, 4)),
        lines=tuple(
            Line(f"{kind} {y}", spent[kind][0][:, :, y], spent[kind][1][:, :, y], int(hand[kind][y]),
                 tuple((n, -1.0 if kind == "c" else 1.0) for n in range(y + 1)))
            for kind in "cr" for y in range(Y)
        ),
        sums=(10**9,) * Y,
    )  # fmt: skip
    return orders, spent, hand


def best_of_all(orders, spent, hand):
    """The best value over every choice of who goes where and when, and what closes and opens when; by trying them all."""
    p, today = orders.problem, orders.today
    away = [[n for n in np.flatnonzero(p.pair_point == s) if p.pair_site[n] != s] for s in range(POINTS)]
    steps = [[None, *((n, t) for n in away[s] for t in range(YEARS) if orders.pair_may[n, t])] for s in range(POINTS)]
    changes = [[None, *(t for t in range(YEARS) if orders.site_may[j, t])] for j in range(SITES)]
    memo = {}

    def stands(opened, host):
        key = (*opened, *host)
        if key not in memo:
            memo[key] = not violations(p, Solution(np.array(opened, dtype=bool), ints(*host)))
        return memo[key]

    hosts_of = {
        s: {step: [s if step is None or t < step[1] else int(p.pair_site[step[0]]) for t in range(YEARS)] for step in steps[s]}
        for s in range(POINTS)
    }
    found = []
    for moves in product(*steps):
        hosts = list(zip(*(hosts_of[s][moves[s]] for s in range(POINTS)), strict=True))
        if any(sum(m is not None and m[1] == t for m in moves) > orders.most_moves for t in range(YEARS)):
            continue
        options = []
        for j in range(SITES):
            used = [t for t in range(YEARS) if j in hosts[t]]
            if today.open[j]:
                free = 0 if not used else used[-1] + 1
                options.append([None] + [t for t in changes[j] if t is not None and t >= free and not orders.site_last[j]])
            else:
                known = [t for t in changes[j] if t is not None and t <= (used[0] if used else YEARS)]
                options.append(known if used or orders.site_last[j] else [None])
        money = sum(int(orders.pair_value[m]) for m in moves if m)
        for when in product(*options):
            changed = sum(int(orders.site_value[j, t]) for j, t in enumerate(when) if t is not None)
            found += [(money + changed, moves, when, hosts)]
    found.sort(key=lambda each: -each[0])
    for value, moves, when, hosts in found:
        opened = [[bool(today.open[j]) != (w is not None and t >= w) for j, w in enumerate(when)] for t in range(YEARS)]
        if not all(stands(opened[t], hosts[t]) for t in range(YEARS)):
            continue
        flow = {
            kind: hand[kind] - sum((spent[kind][0][m] for m in moves if m), np.zeros(YEARS + 3, dtype=np.int64))
            - sum((spent[kind][1][j, t] for j, t in enumerate(when) if t is not None), np.zeros(YEARS + 3, dtype=np.int64))
            for kind in "cr"
        }  # fmt: skip
        given = np.maximum.accumulate(np.maximum(-flow["c"], 0))  # revenue that capital has had to be given by then
        if (flow["r"] - given >= 0).all():
            return value
    return None


def test_every_order_there_is(monkeypatch):
    """200 drawn programmes of 3 counters and 4 years: the best of all orders is found to the penny, by each way of search."""
    moved = waited = opened = 0
    for seed in range(200):
        orders, spent, hand = drawn(seed)
        truth, course = best_of_all(orders, spent, hand), solve(orders)
        assert (course is None) == (truth is None), seed
        if course is None:
            continue
        assert course.value == truth, seed
        assert course.status is Status.OPTIMAL
        pair, site = began(orders, course)
        moved, waited = moved + (pair >= 0).any(), waited + (pair > 0).any()
        opened += (site[~orders.today.open] >= 0).any()
    assert moved > 60
    assert waited > 20
    assert opened > 20


# ------------------------------------------------------------------------------------------------------ places


def test_one_year_without_purses_is_todays_answer():
    """The same plan, and the same worth: the annual-equivalent saving of today's answer, as a present value."""
    terms = town({"years": 1, "within_years": False})
    course = solve(terms.orders)
    made = formulate(terms.measured)
    answer = solve_once(made.problem)
    assert (course.open[-1] == answer.solution.open).all()
    assert (course.host[-1] == answer.solution.host).all()
    worth = terms.measured.scenario
    from estate.money.costs import plan_pence_pa
    from estate.money.present_value import discounting

    today = plan_pence_pa(terms.measured.place, terms.measured.place.today)
    assert course.value == pytest.approx((today - answer.value - made.constant) * discounting(worth).annuity, rel=1e-6)


def test_more_money_or_an_earlier_lease_never_lowers_the_worth():
    """Nor does a later last year."""
    values = [solve(town({"years": 4}, purses=[purse(gbp)]).orders).value for gbp in (0, 60_000, 110_000, 200_000)]
    assert values == sorted(values)
    assert values[0] < values[-1]
    values = [solve(town({"years": 6}, place=let(year)).orders).value for year in (2029, 2028, 2027)]
    assert values == sorted(values)
    assert values[0] < values[-1]
    values = [solve(town({"years": years}, purses=[purse(40_000, 40_000, 40_000)]).orders).value for years in (1, 2, 4)]
    assert values == sorted(values)


def test_what_must_close_may_stay_open_until_the_end():
    """A building to be closed, and a counter fixed elsewhere, wait for the money."""
    scenario = {"years": 4, "windows": [{"of": "station", "not_before": 2028}]}
    place = tiny_place(sites={"station": {"status": "close"}})
    terms = town(scenario, place=place)
    course = solve(terms.orders)
    station = place.sites.index.get_loc("station")
    assert course.open[:, station].tolist() == [True, True, False, False]


def test_what_waits_for_what():
    """A counter goes a year after the building that it waits for."""
    terms = town({"years": 4, "before": [{"first": "station", "then": "p2"}]})
    course = solve(terms.orders)
    pair, site = began(terms.orders, course)
    place = terms.measured.place
    moved = pair[(terms.point == place.access_points.index.get_loc("p2")) & (pair >= 0)]
    assert 0 <= site[place.sites.index.get_loc("station")] < moved[0]


def test_everything_wrong_is_said_at_once():
    with pytest.raises(InputError) as refused:
        town({"years": 40, "recycled": {"nobody": 1}, "windows": [{"of": "palace"}]})
    assert {issue.code for issue in refused.value.issues} == {"programme.years", "programme.purse", "programme.unknown-id"}
