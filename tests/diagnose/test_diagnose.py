"""Why there is no plan: causes are irreducible and all found, relaxations are the least; a site is priced by two plans."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from places import SETTINGS, scenario_with, tiny_place
from repository import WORCESTERSHIRE

from estate.cli.verbs.explain import command
from estate.diagnose import Kind, changes, diagnose, holds, in_words, reasons, site_price
from estate.diagnose.binding import MONEY, bindings, why_kept
from estate.diagnose.elastic import elastic
from estate.errors import InfeasibleError, InputError, Severity
from estate.formulate import formulate
from estate.load import load
from estate.problem import area_used
from estate.scenario import build, load_scenario, parse_change, patched
from estate.solve import Limits, Status, solve
from estate.standards.journeys import measure
from estate.standards.measured import Measured

STRICT = {"name": "library-near", "service": "library", "limit": "1 km", "beyond": "strict"}
POLICE = {"name": "police-near", "service": "police", "limit": "2 km", "beyond": "strict"}
SHARE = {"name": "library-share", "service": "library", "limit": "1 km", "share": 0.9, "beyond": "strict"}
EACH = {"name": "library-each", "service": "library", "limit": "1 km", "share": 0.6, "each": "district", "beyond": "strict"}
STATION = {"name": "police-moved", "service": "police", "limit": "100 m", "measure": "site-to-site", "test": "moved"}
NEAREST = {"name": "library-lost", "service": "library", "limit": "1 km", "measure": "site-to-site"}

IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "a zone out of reach": {"standards": [STRICT]},
    "two rules out of reach": {"standards": [STRICT, POLICE]},
    "nowhere to go": {"rules": {"close": ["clinic"]}},
    "closed and far": {"rules": {"close": ["village"], "reach": "2 km"}},
    "closed and its own reach": {
        "standards": [],
        "rules": {"close": ["village"]},
        "services": {**SETTINGS["services"], "library": {**SETTINGS["services"]["library"], "reach": "2 km"}},
    },
    "too small": {"rules": {"fixed": {"p2": "village"}}},
    "too full": {"rules": {"fixed": {"p1": "library", "p2": "library", "p4": "library", "p5": "library"}}},
    "too few sites": {"rules": {"counts": [{"what": "sites", "at_most": 2}]}},
    "too many hubs": {"rules": {"counts": [{"what": "hubs", "at_least": 5}]}},
    "a share too large": {"standards": [SHARE]},
    "a share in each district": {"standards": [EACH]},
    "no money": {"rules": {"close": ["jobcentre"]}, "money": {**SETTINGS["money"], "capital_budget_gbp": 1000}},
    "no running cost": {"money": {**SETTINGS["money"], "objective": "least-travel", "running_budget_gbp_pa": 150_000}},
    "may not share": {"rules": {"close": ["jobcentre"], "may_not_share": [["jobcentre", "library"], ["jobcentre", "council"]]}},
    "must share": {"rules": {"must_share": [["clinic", "library"]]}},
    "out": {"rules": {"out": ["dwp"], "close": ["jobcentre"]}},
    "barred": {"rules": {"barred": {"kind": ["office", "library", "community"]}, "close": ["jobcentre"]}},
    "moved": {"standards": [STATION], "rules": {"close": ["station"]}},
    "nearest": {"standards": [NEAREST], "rules": {"close": ["village"]}},
    "kept and too few": {"rules": {"keep": ["station", "jobcentre"], "counts": [{"what": "sites", "at_most": 4}]}},
}
POSSIBLE: dict[str, dict[str, Any]] = {
    "as it is": {},
    "fixed where it may not go": {"rules": {"fixed": {"p7": "clinic"}}},
    "closed": {"rules": {"close": ["station"], "reach": "8 km"}},
    "fewer sites": {"rules": {"counts": [{"what": "sites", "at_most": 5}]}},
    "shared": {"standards": [], "rules": {"must_share": [["council", "police"]]}},
    "least travel": {"money": {**SETTINGS["money"], "objective": "least-travel"}},
    "priced": {"standards": [{**NEAREST, "action": "price", "price_gbp": 100.0}]},
}


def settings_of(sections: dict[str, Any]) -> dict[str, Any]:
    return {**SETTINGS, **sections}


def case(sections: dict[str, Any], place: Any = None) -> tuple[Any, Any, Any]:
    place, scenario = place or tiny_place(), scenario_with(**sections)
    return place, scenario, measure(place, scenario)


def has_plan(settings: dict[str, Any], place: Any) -> bool:
    """The plain way: formulate and solve, with no part of the diagnosis."""
    scenario = build({k: v for k, v in settings.items() if k != "adjust"}, folder=Path("tiny"), file=Path("tiny/estate.toml"))
    answer = solve(formulate(Measured.of(place, scenario, measure(place, scenario))).problem, Limits())
    assert answer.status in (Status.OPTIMAL, Status.INFEASIBLE)
    return answer.solution is not None


def applied(sections: dict[str, Any], sets: tuple[str, ...]) -> tuple[dict[str, Any], Any]:
    """The settings and the place with ``--set`` changes; of adjustments, only more floor area is needed."""
    settings = patched(settings_of(sections), [parse_change(each) for each in sets])
    more = {each["where"]["site_id"]: each["add"] for each in settings.get("adjust", [])}
    before = tiny_place().sites["capacity_m2"]
    return settings, tiny_place(sites={site: {"capacity_m2": before[site] + m2} for site, m2 in more.items()})


@pytest.mark.parametrize("name", [*IMPOSSIBLE, *POSSIBLE])
def test_the_elastic_programme_with_nothing_let_go_is_the_problem(name):
    sections = (IMPOSSIBLE | POSSIBLE)[name]
    place, scenario, travel = case(sections)
    e = elastic(place, scenario, travel)
    everything = e.everything()
    assert (e.plan(everything) is not None) == (name in POSSIBLE) == has_plan(settings_of(sections), place)
    assert e.plan(~everything) is not None
    wide, base = e.problem, e.base.problem
    left = e.choices(everything)
    found = set(zip(e.points[wide.pair_point[left]].tolist(), wide.pair_site[left].tolist(), strict=True))
    real = base.pair_point < len(e.base.points)
    pairs = (e.base.points[base.pair_point[real]].tolist(), base.pair_site[real].tolist())
    alone = (base.point_own + base.point_hall + base.point_desk)[base.pair_point[real]]
    home = base.point_home[base.pair_point[real]] == base.pair_site[real]
    room = base.site_capacity[base.pair_site[real]] + np.where(home, base.site_slack[base.pair_site[real]], 0)
    fits = (alone <= room) & ~base.must_close[base.pair_site[real]]
    assert found == {pair for pair, fit in zip(zip(*pairs, strict=True), fits, strict=True) if fit}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_every_cause_is_irreducible(name):
    d = diagnose(*case(IMPOSSIBLE[name]))
    assert d.causes.found
    assert d.causes.complete
    for cause in d.causes.found:
        assert not holds(d.programme, cause.members)
        for member in cause.members:
            assert holds(d.programme, [each for each in cause.members if each is not member]), member


@pytest.mark.parametrize("name", POSSIBLE)
def test_nothing_to_say_where_there_is_a_plan(name):
    assert reasons(*case(POSSIBLE[name])) == ()


def members(d: Any) -> list[set[tuple[Kind, str]]]:
    return [{(member.kind, member.name) for member in cause.members} for cause in d.causes.found]


def test_two_independent_causes_are_both_found():
    d = diagnose(*case({"standards": [STRICT, POLICE], "rules": {"close": ["clinic"]}}))
    found = members(d)
    assert {(Kind.ACCESS, "library-near")} in found
    assert {(Kind.ACCESS, "police-near")} in found
    assert any((Kind.CLOSE, "clinic") in each for each in found)
    # No rule is enough alone, and all three are in the combined answer.
    assert not any(each.enough for each in d.least.alone)
    assert {each.lever.key for each in d.least.together} == {
        (Kind.ACCESS, "library-near"),
        (Kind.ACCESS, "police-near"),
        (Kind.CLOSE, "clinic"),
    }


def test_causes_that_share_a_lock_are_both_found():
    d = diagnose(*case({"rules": {"close": ["village"], "reach": "2 km"}}))
    kinds = [{kind for kind, _ in each} for each in members(d)]
    assert any(Kind.POINT in each and Kind.CLOSE in each for each in kinds)  # the counter has nowhere to go
    assert any(Kind.ACCESS in each and Kind.CLOSE in each for each in kinds)  # and the village has no library


@pytest.mark.parametrize("seed", range(12))
def test_random_locks(seed):
    """Whatever is locked, the programme agrees with the solver, and the causes are irreducible and complete."""
    random = np.random.default_rng(seed)
    sites, points = ["clinic", "hall", "jobcentre", "library", "station", "village"], [f"p{n}" for n in range(1, 8)]
    fixed = {str(s): str(random.choice(sites)) for s in random.choice(points, random.integers(0, 3), replace=False)}
    close = [str(site) for site in random.choice(sites, random.integers(1, 4), replace=False)]
    sections = {"rules": {"fixed": fixed, "close": close, "reach": f"{random.integers(1, 15)} km"}}
    d = diagnose(*case(sections))
    assert d.feasible == has_plan(settings_of(sections), tiny_place())
    assert d.causes.complete
    for cause in d.causes.found:
        assert not holds(d.programme, cause.members)
        assert all(holds(d.programme, [each for each in cause.members if each is not m]) for m in cause.members)
    for sets in cases_of(d):
        assert has_plan(*applied(sections, sets)), sets


def test_the_county_in_a_few_seconds():
    changed = ('rules.close=["W-LIB-REDDITCH", "W-CO-REDDITCH"]', 'standards.clinic-6-miles.beyond="strict"')
    scenario = load_scenario(WORCESTERSHIRE, changed)
    place = load(scenario)
    d = diagnose(place, scenario, measure(place, scenario))
    assert d.causes.complete
    services = {member.name for cause in d.causes.found for member in cause.members if member.kind is Kind.ACCESS}
    assert services >= {"library-3-miles", "clinic-6-miles"}
    for cause in d.causes.found:
        assert not holds(d.programme, cause.members)
        assert all(holds(d.programme, [each for each in cause.members if each is not m]) for m in cause.members)


# -------------------------------------------------------------------------------------------------- least relaxations


def less(setting: str, sections: dict[str, Any]) -> str | None:
    """A change made 1% smaller, or None for one that is made or not."""
    path, value = parse_change(setting)
    before: Any = settings_of(sections)
    for part in path:
        before = next((x for x in before if x["name"] == part), {}) if isinstance(before, list) else before.get(part, {})
    if path[-1] in ("limit", "reach", "tolerance"):
        scale = {"m": 1, "km": 1000, "miles": 1609.344}
        old = float(before.split()[0]) * scale[before.split()[1]] if before else 0.0
        return f'{".".join(path)}="{old + 0.99 * (float(value.split()[0]) - old):.6f} m"'
    if path[-1] == "share" or path[0] == "money":
        return f"{'.'.join(path)}={before + 0.99 * (value - before):.9f}"
    if path[0] == "adjust":
        return f"{'.'.join(path)}.add={value['add'] * 0.99}"
    if path[-1] == "counts":
        what = before[0].get("what", "sites")
        for side, step in (("at_most", -1), ("at_least", 1)):
            if side in value[0] and value[0][side] != before[0][side]:
                return f'rules.counts=[{{what="{what}", {side}={value[0][side] + step}}}]'
    return None


def cases_of(d: Any) -> list[tuple[str, ...]]:
    alone = [changes(d.programme, each) for each in d.least.alone if each.enough]
    return [each for each in [*alone, changes(d.programme, *d.least.together)] if each]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_relaxations_restore_a_plan_and_one_percent_less_does_not(name):
    sections = IMPOSSIBLE[name]
    d = diagnose(*case(sections))
    assert d.least.together, "some change is always enough"
    for sets in cases_of(d):
        assert has_plan(*applied(sections, sets)), sets
        for n, setting in enumerate(sets):
            smaller = less(setting, sections)
            if smaller is not None:
                kept = (*sets[:n], setting, *sets[n + 1 :]) if setting.startswith("adjust") else (*sets[:n], *sets[n + 1 :])
                assert not has_plan(*applied(sections, (*kept, smaller))), smaller


def test_what_is_not_enough_alone_is_so():
    d = diagnose(*case(IMPOSSIBLE["two rules out of reach"]))
    assert [each.enough for each in d.least.alone if each.lever.what == "limit"] == [False, False]
    for one in (STRICT, POLICE):
        other = POLICE if one is STRICT else STRICT
        assert not has_plan(settings_of({"standards": [{**one, "limit": "500 km"}, other]}), tiny_place())


# -------------------------------------------------------------------------------------------------- no time


def test_without_time_what_is_plain_is_said_and_the_rest_is_named_as_not_tried():
    far = diagnose(*case(IMPOSSIBLE["two rules out of reach"]), time_s=1e-9)
    assert far.feasible is False
    assert {member.name for cause in far.causes.found for member in cause.members} == {"library-near", "police-near"}
    assert far.untried[0] == "further causes"
    few = diagnose(*case(IMPOSSIBLE["too few sites"]), time_s=1e-9)
    assert few.feasible is None
    assert "number of sites: at most 2" in few.untried
    for each in (far, few):
        (told,) = [issue for issue in each.issues if issue.code == "infeasible.time"]
        assert "not tried: further causes" in told.message
        assert "--time-limit" in told.remedy


def test_with_time_enough_the_answer_is_that_without_a_clock():
    for name in ("two rules out of reach", "too few sites", "must share"):
        hurried, calm = (diagnose(*case(IMPOSSIBLE[name]), time_s=limit).as_json() for limit in (600.0, None))
        assert hurried == calm
        assert calm["not_tried"] == []


# -------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("a zone out of reach", "infeasible.out-of-reach", ["zones", "people", "within 1 km", "nearest is", "miles"]),
        ("nowhere to go", "infeasible.nowhere-to-go", ["p6 (clinic, 280 m2)", "Riverside Clinic) must close"]),
        ("too small", "infeasible.nowhere-to-go", ["p2 is fixed to village", "too small (150 m2)"]),
        ("too full", "infeasible.floor-area", ["need", "even where shared parts count once", "have 700 m2"]),
        ("too few sites", "infeasible.conflict", ["number of sites: at most 2", "a home"]),
        ("must share", "infeasible.conflict", ["clinic and library must share"]),
    ],
)
def test_causes_in_plain_words(name, code, words):
    found = [issue for issue in reasons(*case(IMPOSSIBLE[name])) if issue.code == code]
    assert found
    text = " ".join(str(issue) for issue in found)
    for each in words:
        assert each in text


def test_the_limit_that_would_do_is_said():
    place, scenario, travel = case(IMPOSSIBLE["a zone out of reach"])
    issues = reasons(place, scenario, travel)
    assert all(issue.severity is Severity.NOTE for issue in issues if issue.code.startswith("relax."))
    (cause,) = [issue for issue in issues if issue.severity is Severity.ERROR]
    (limit,) = [issue for issue in issues if "a limit of" in issue.message]
    assert "would do" in cause.remedy
    assert "--set 'standards.library-near.limit=" in limit.remedy


# -------------------------------------------------------------------------------------------------- the price of a site


@pytest.mark.parametrize("site", ["hall", "jobcentre", "library", "station", "village", "clinic"])
def test_the_price_is_the_difference_of_two_plans(site):
    place, scenario, travel = case({})
    price = site_price(place, scenario, travel, site)
    values = {}
    for rule in ("keep", "close"):
        turned = scenario_with(rules={rule: [site]})
        answer = solve(formulate(Measured.of(place, turned, measure(place, turned))).problem, Limits())
        values[rule] = answer.value
    best, opposite = ("keep", "close") if price.kept else ("close", "keep")
    assert price.proven
    assert round(price.best_gbp_pa * 100) == values[best]
    if values[opposite] is None:
        assert price.price_gbp_pa is None
        assert price.reasons
        assert all(issue.severity is Severity.ERROR for issue in price.reasons)
    else:
        assert round(price.price_gbp_pa * 100) == values[opposite] - values[best]
        assert price.price_gbp_pa >= 0 or price.why == "kept: it has other uses"


def test_a_site_that_hosts_what_nothing_else_could():
    price = site_price(*case({}), "clinic")
    assert price.kept
    assert price.nowhere_else == ("p6",)
    assert "nowhere to go" in str(price.reasons[0])
    far = site_price(*case({"standards": [{"name": "lib", "service": "library", "limit": "3 miles"}]}), "village")
    assert [(each.service, each.zones) for each in far.only_here] == [("library", ("z5", "z6"))]


def test_the_price_names_what_holds_the_building():
    """The lock; the rule and its zones; where its counter may go; the room; or the money, and nothing where it is let go."""
    assert site_price(*case({}), "hall").binding == ("a lock: it has other uses",)
    assert "where p6 may go: no other building of the plan may host it" in site_price(*case({}), "clinic").binding
    far = site_price(*case({"standards": [{"name": "lib", "service": "library", "limit": "3 miles"}]}), "village")
    assert far.kept
    assert any("the rule 'lib': no other building of the plan serves 2 zones" in each and "z5" in each for each in far.binding)
    share = {"name": "most", "service": "library", "limit": "3 miles", "share": 1.0, "each": "district"}
    assert any("the rule 'most" in each for each in site_price(*case({"standards": [share]}), "village").binding)
    for site in ("jobcentre", "library", "station", "village"):
        free = site_price(*case({"standards": []}), site)
        assert bool(free.binding) == free.kept, site


def test_room_holds_a_building_where_nothing_fits_elsewhere_and_else_the_money():
    place, scenario, travel = case({"standards": []})
    made = formulate(Measured.of(place, scenario, travel))
    today, j = made.problem.today, place.sites.index.get_loc("village")
    assert bindings(place, made, today, j) == (MONEY,)
    full = replace(made, problem=replace(made.problem, site_capacity=area_used(made.problem, today)))
    (room,) = bindings(place, full, today, j)
    assert room.startswith("room: p3 fits into none of")


def test_why_every_building_stays_is_what_is_said_of_each():
    """The brief reason of the table and the long one of `estate explain` name the same thing: lock, rule, room, money."""
    near = {"name": "lib", "service": "library", "limit": "3 miles"}
    share = {"name": "most", "service": "library", "limit": "3 miles", "share": 1.0, "each": "district"}
    kinds = set()
    for changes_ in ({"standards": []}, {"standards": [near]}, {"standards": [share]}):
        place, scenario, travel = case(changes_)
        made = formulate(Measured.of(place, scenario, travel))
        today = made.problem.today
        for problem in (made.problem, replace(made.problem, site_capacity=area_used(made.problem, today))):
            here = replace(made, problem=problem)
            why = why_kept(place, scenario, here, today)
            for j in np.flatnonzero(np.bincount(today.host[: len(here.points)], minlength=len(place.sites))):
                if made.state.why.iloc[j] or place.outside[j]:
                    assert why.iloc[j] == made.state.why.iloc[j]
                    continue
                (long, *_) = bindings(place, here, today, j)
                kind = next(each for each in ("the rule", "where ", "room: ", "the money") if long.startswith(each))
                said = {
                    "the rule": "the rule for ", "where ": "no other building that stays may", "room: ": "fits into no other",
                    "the money": "would cost more",
                }  # fmt: skip
                assert said[kind] in why.iloc[j], (long, why.iloc[j])
                kinds.add(kind)
    assert kinds >= {"the rule", "where ", "room: ", "the money"}


def test_losing_what_only_other_uses_keep_costs_less_and_leaves_them_homeless():
    place, scenario, travel = case({})
    price = site_price(place, scenario, travel, "hall")
    assert price.why == "kept: it has other uses"
    assert price.price_gbp_pa < 0
    said = in_words(place, scenario, price)
    figures = f"£{price.opposite_gbp_pa:,.0f} not £{price.best_gbp_pa:,.0f}"
    assert f"Losing it costs £{-price.price_gbp_pa:,.0f} a year less: {figures}." in said
    assert "Its other uses (200 m2) would be homeless, and no figure here pays for another home." in said


def test_today_ruled_out_is_said_in_words():
    place, scenario, travel = case({"rules": {"close": ["station"]}})
    (note,) = formulate(Measured.of(place, scenario, travel)).notes
    assert "a building that must close is open" in note.message
    assert "must_" not in note.message


def test_an_unknown_site_is_refused_with_the_closest():
    with pytest.raises(InputError) as refused:
        site_price(*case({}), "jobcenter")
    assert "did you mean jobcentre" in str(refused.value)


def test_nothing_is_priced_without_a_plan():
    with pytest.raises(InfeasibleError) as refused:
        site_price(*case(IMPOSSIBLE["nowhere to go"]), "hall")
    assert refused.value.issues


# -------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def explain(monkeypatch):
    def run(sections: dict[str, Any], *arguments: str) -> Any:
        place, scenario, travel = case(sections)
        prepared = SimpleNamespace(place=place, scenario=scenario, travel=travel)
        # What is first imported while a name is replaced would keep the replacement for good.
        for name in ("job", "options", "partners", "programme"):
            import_module(f"estate.pipeline.{name}")
        monkeypatch.setattr("estate.scenario.load_scenario", lambda *_: scenario)
        monkeypatch.setattr("estate.pipeline.prepare.prepare", lambda *_, **__: prepared)
        return CliRunner().invoke(command, ["tiny", "--quiet", *arguments], standalone_mode=False)

    return run


def test_explain_answers_with_zero_whatever_the_answer(explain):
    result = explain(IMPOSSIBLE["two rules out of reach"])
    assert result.exception is None
    assert "There is no plan." in result.output
    assert "library-near" in result.output
    assert "police-near" in result.output
    assert "not by this rule alone" in result.output
    assert "There is a plan" in explain({}).output
    assert "--site" in explain({}).output


def test_explain_as_json(explain):
    found = json.loads(explain(IMPOSSIBLE["a zone out of reach"], "--json").output)
    assert not found["feasible"]
    assert found["causes"][0]["members"][0]["name"] == "library-near"
    limit = next(each for each in found["relax_alone"] if each["what"] == "limit")
    assert limit["enough"]
    assert limit["to"] > limit["from"] == 1000
    price = json.loads(explain({}, "--json", "--site", "station").output)
    assert price["site"] == "station"
    assert price["price_gbp_pa"] is None or price["price_gbp_pa"] >= 0


def test_explain_prices_a_site_in_words(explain):
    text = explain({}, "--site", "clinic").output
    assert "Riverside Clinic" in text
    assert "Losing it is impossible" in text
    assert "a year more" in explain({}, "--site", "station").output
