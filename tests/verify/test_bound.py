"""A bound worked out again: never above the best plan there is, whatever its certificate says; false claims are refused."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from math import prod

import numpy as np
import pytest
from straight import travel_of
from test_verify import a_place, a_scenario, with_gaps

from estate.errors import VerificationError
from estate.formulate import Formulated, formulate
from estate.pipeline import certificate as writing
from estate.place import Place, Plan
from estate.problem import SideRows, cost, violations
from estate.solve import Answer, Status
from estate.solve.certificate import cases
from estate.standards.measured import Measured
from estate.verify.bound import FORM, LARGEST, UNIT, Unfit, check_bound, confirmed, derive
from estate.verify.case import Case, case_of
from estate.verify.guests import Guests, most

MOST_PLANS = 300


@dataclass(frozen=True, eq=False)
class Town:
    """A random town, everything the optimiser and the referee make of it, and its least cost by looking at every plan."""

    place: Place
    case: Case
    made: Formulated
    least: int
    """Pence, with the rules that the bound knows nothing of left out."""
    least_by_rules: int | None
    """With all rules; None where no plan keeps them."""

    def certificate(self):
        """What the solver finds, by name; no claims."""
        found = next(cases(self.made.problem, self.least - self.made.constant, sites=len(self.place.sites)))
        return writing._named(self.place, self.made, found)


@cache
def towns() -> list[Town]:
    found = [town(seed) for seed in range(56)]
    return [each for each in found if each is not None]


def town(seed: int) -> Town | None:
    rng = np.random.default_rng(seed)
    place = a_place(rng)
    scenario = a_scenario(rng, place)
    if not str(scenario.money.objective).endswith(("running-cost", "annual-equivalent")):
        return None
    travel = with_gaps(rng, travel_of(place))
    made = formulate(Measured.of(place, scenario, travel))
    taken = dict(scenario.rules.fixed)
    while prod(choices := np.bincount(made.problem.pair_point, minlength=made.problem.n_points).tolist()) > MOST_PLANS:
        point = str(place.access_points.index[made.points[int(np.argmax(choices))]])
        taken[point] = str(rng.choice(place.sites.index[made.problem.pair_site[made.problem.pair_point == np.argmax(choices)]]))
        rules = scenario.rules.model_copy(update={"fixed": taken})
        scenario = scenario.model_copy(update={"rules": rules})
        made = formulate(Measured.of(place, scenario, travel))
    p = made.problem
    choices = [p.pair_site[p.pair_point == s].tolist() for s in range(p.n_points)]
    free = replace(p, side=SideRows(), conflict=p.conflict[:0], together=p.together[:0])
    values, kept = [], []
    for hosts in itertools.product(*choices):
        host = place.point_site.copy()
        host[made.points] = hosts
        used = np.isin(np.arange(len(place.sites)), host) | p.must_open[: len(place.sites)]
        # A site that pays for itself is open in the best plan of those that the bound lets through.
        plan = made.solution(Plan(used | ((p.site_cost < 0) & ~p.must_close)[: len(place.sites)], host))
        if not violations(free, plan):
            values.append(cost(p, plan))
            kept.append(not violations(p, plan))
    if not values:
        return None
    legal = [value for value, ok in zip(values, kept, strict=True) if ok]
    least = min(legal) + made.constant if legal else None
    return Town(place, case_of(place, scenario, travel), made, min(values) + made.constant, least)


def copied(certificate):
    return json.loads(json.dumps(certificate))


# -------------------------------------------------------------------------------------------------- it follows, and no more


def test_the_towns_are_of_every_kind():
    all_ = towns()
    assert len(all_) > 20
    goals = {str(each.case.scenario.money.objective) for each in all_}
    assert len(goals) == 2
    assert any(len(each.made.compiled.priced) for each in all_)
    assert any(each.made.problem.shares for each in all_)
    assert any(each.place.outside.any() for each in all_)
    assert any(each.least_by_rules != each.least for each in all_)


def test_the_cases_found_prove_the_least_cost():
    short = 0
    for each in towns():
        found = derive(each.case, each.certificate())
        assert found.at_sight_pence <= found.pence <= each.least
        short += found.pence < each.least
    assert short <= 2  # a share of people, taken in parts of zones, is all that may be left


@pytest.mark.parametrize("block", range(6))
def test_no_multipliers_prove_too_much(block):
    """Random ones, large and small, on rows at random, in cases at random: 16 certificates for each town."""
    rng = np.random.default_rng(block)
    positive = 0
    for each in towns()[block::6]:
        names = each.made.row_names(each.place)
        honest = each.certificate()
        for _ in range(16):
            certificate = at_random(rng, each, names, honest)
            found = derive(each.case, certificate)
            assert found.pence <= each.least, certificate
            positive += found.pence > found.at_sight_pence
    assert positive > 5


def at_random(rng, town, names, honest):
    """A certificate in due form and with anything in it."""
    p, size = town.made.problem, UNIT * 10.0 ** rng.integers(0, 9)
    rows = sorted({names[r] for r in rng.permutation(len(names))[: rng.integers(0, 9)]}) if names else []
    points = honest["access_points"]
    if rng.random() < 0.3 and honest["rows"]:  # the honest ones, disturbed or dealt out anew
        certificate = copied(honest)
        for case in certificate["cases"]:
            kind = rng.integers(4)
            numbers = case["rows"] if rng.random() < 0.5 else case["points"]
            if kind == 0:
                numbers[:] = rng.permutation(numbers).tolist()
            elif kind == 1 and numbers:
                numbers[int(rng.integers(len(numbers)))] += int(size)
            elif kind == 2:
                numbers[:] = [2 * number for number in numbers]
            else:
                numbers[:] = [0] * len(numbers)
        return certificate
    decided = split(rng, town, [], int(rng.integers(0, 5)))
    return {
        "form": FORM, "unit": UNIT, "access_points": points, "rows": [list(name) for name in rows],
        "cases": [
            {"if": case, "points": whole(rng.normal(0.5, 1.0, len(points)) * size),
             "rows": whole(np.abs(rng.normal(0.0, 1.0, len(rows))) * size * rng.integers(0, 2, len(rows)))}
            for case in decided
        ],
        "seed": int(p.n_pairs),
    }  # fmt: skip


def whole(numbers):
    return np.clip(np.rint(numbers), 1 - LARGEST, LARGEST - 1).astype(np.int64).tolist()


def split(rng, town, case, depth):
    """Cases that hold every plan, on buildings and pairs at random, some of them not of the place."""
    if depth == 0:
        return [case]
    sites, points = [*town.place.sites.index, "nowhere"], [*town.place.access_points.index, "nobody"]
    site = str(rng.choice(sites))
    both = [["open", site], ["shut", site]]
    if rng.random() < 0.5:
        both = [["at", str(rng.choice(points)), site], ["not at", "", site]]
        both[1][1] = both[0][1]
    order = both if rng.random() < 0.5 else both[::-1]
    return [leaf for way in order for leaf in split(rng, town, [*case, way], depth - 1 if rng.random() < 0.8 else 0)]


# -------------------------------------------------------------------------------------------------- what is refused


def first_town():
    """A town whose certificate has rows, in two cases."""
    each = next(each for each in towns() if each.certificate()["rows"])
    certificate = each.certificate()
    case, site = certificate["cases"][0], str(each.place.sites.index[0])
    certificate["cases"] = [copied({**case, "if": [[way, site]]}) for way in ("open", "shut")]
    return each, certificate


BAD_NUMBERS = [float("nan"), float("inf"), 1.0, -0.5, True, "1", None, LARGEST, -LARGEST, 10**30, [1]]


@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("where", ["points", "rows"])
def test_what_is_no_number_is_refused(bad, where):
    each, certificate = first_town()
    certificate["cases"][0][where][0] = bad
    with pytest.raises(Unfit):
        derive(each.case, certificate)


def _less(certificate):
    certificate["cases"].pop()


def _twice(certificate):
    certificate["cases"].append(certificate["cases"][0])


def _elsewhere(certificate):
    certificate["cases"][0]["if"] = certificate["cases"][0]["if"][:-1]


def _stranger(certificate):
    certificate["access_points"][0] = "nobody"


def _no_rule(certificate):
    certificate["rows"][0][0] = "no-such-rule"


def _no_zone(certificate):
    certificate["rows"][0][1] = "no-such-zone"


def _two_names(certificate):
    certificate["rows"][0] = certificate["rows"][-1] = ["a", "b"]


def _below(certificate):
    certificate["cases"][0]["rows"][0] = -1


def _short(certificate):
    certificate["cases"][0]["points"].pop()


def _other_unit(certificate):
    certificate["unit"] = 1


def _no_decision(certificate):
    certificate["cases"][0]["if"] = [["perhaps", "hall"]]


def _no_case(certificate):
    certificate["cases"] = []


def _no_list(certificate):
    certificate["cases"][0]["if"] = "open hall"


WRONG = [_less, _twice, _elsewhere, _stranger, _no_rule, _no_zone, _two_names, _below, _short, _other_unit, _no_decision,
         _no_case, _no_list]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=lambda each: each.__name__)
def test_what_is_no_certificate_is_refused(change):
    each, certificate = first_town()
    derive(each.case, certificate)
    change(certificate)
    with pytest.raises(Unfit):
        derive(each.case, certificate)


def test_numbers_too_large_to_be_added_up_are_refused():
    each, certificate = first_town()
    certificate["cases"][0]["points"] = [LARGEST - 1] * len(certificate["access_points"])
    with pytest.raises(Unfit, match="too large"):
        derive(each.case, certificate)


def test_a_claim_that_does_not_follow_is_refused():
    each, certificate = first_town()
    found = derive(each.case, certificate)
    claims = [
        {**case, "bound": part.bound, "buildings": dict(part.buildings)}
        for case, part in zip(certificate["cases"], found.parts, strict=True)
    ]
    certificate |= {"cases": claims, "bound_pence": found.pence}
    said = asdict(confirmed(found, each.least, each.least))

    def verdict(certificate, said=said, objective=each.least):
        return check_bound(each.case, certificate, said, objective, each.least)[0].broken

    assert not verdict(certificate)
    higher = copied(certificate)
    higher["bound_pence"] += 1
    assert verdict(higher)
    higher = copied(certificate)
    higher["cases"][-1]["bound"] += 1
    assert verdict(higher)
    site = next(iter(claims[0]["buildings"]))
    higher = copied(certificate)
    higher["cases"][0]["buildings"][site] += 1
    assert verdict(higher)
    higher["cases"][0]["buildings"] = {"nowhere": 1}
    assert verdict(higher)
    assert verdict(certificate, said={**said, "share": said["share"] + 0.01})
    assert verdict(certificate, said={**said, "bound_gbp_pa": said["bound_gbp_pa"] + 0.01})
    assert verdict(None)
    assert verdict([certificate])
    assert verdict(certificate, said=None)
    assert verdict(certificate, objective=found.pence - 1)  # a plan for less than any plan can cost
    lower = copied(certificate)
    lower["cases"][0]["bound"] -= 1  # to claim less than follows is no lie
    assert not verdict(lower)


def test_a_plan_below_the_bound_is_never_published():
    each = next(each for each in towns() if each.least_by_rules == each.least)
    value = (each.least - each.made.constant) // 2
    answer = Answer(Status.OPTIMAL, None, value, float(value), 0.0, True, "proven", 0.0)
    with pytest.raises(VerificationError):
        writing.certified(each.place, each.case.scenario, each.case.travel, each.made, answer)


# -------------------------------------------------------------------------------------------------- one building


@pytest.mark.parametrize("seed", range(60))
def test_the_most_that_guests_are_worth_against_every_set(seed):
    rng = np.random.default_rng(seed)
    n, K = int(rng.integers(1, 9)), 3
    scale = int(rng.choice([1, 5, 10, 700]))
    own, hall, desk = (scale * rng.integers(0, 9, n) * rng.integers(0, 2, n) for _ in range(3))
    service, home = rng.integers(0, K, n), rng.random(n) < 0.5
    room = int(scale * rng.integers(0, 25))
    guests = Guests(service, own, hall, desk, home, room, room + int(scale * rng.integers(0, 9)))
    worth, bonus = rng.integers(-20, 30, n), rng.integers(0, 25, K)
    best = 0
    for chosen in itertools.product([False, True], repeat=n):
        mine = np.flatnonzero(chosen)
        if not len(mine):
            continue
        desks = sum(int(desk[mine][service[mine] == k].max()) for k in set(service[mine].tolist()))
        area = int(own[mine].sum() + hall[mine].max()) + desks
        if area <= (guests.room_at_home if home[mine].all() else room):
            best = max(best, int(worth[mine].sum()) + sum(int(bonus[k]) for k in set(service[mine].tolist())))
    found = most(guests, worth, bonus)
    assert found >= best
    if scale < 700:  # beyond, floor area is counted in coarser units
        assert found == best
