"""What a reply amounts to: one row of figures, what becomes of each site, and which access points move."""

from __future__ import annotations

from typing import Any

import numpy as np

from estate.appraise.buildings import state_words
from estate.model import Measure, measure
from estate.money.costs import plan_pence_pa
from estate.problem import Problem, Solution, offered
from estate.whatif.light import Anchor
from estate.whatif.reuse import Reply


def figures(reply: Reply) -> dict[str, Any]:
    """A reply as one flat row: money in GBP (a year), distances in metres; None where there is no plan.

    ``mean_m`` is the mean distance from home to the nearest site over people and services, ``farthest_m`` the farthest.
    """
    anchor, plan, place = reply.anchor, reply.solution, reply.place
    if anchor is None or plan is None or place is None:
        return {}
    problem, formulation, scenario = anchor.problem, anchor.formulation, anchor.scenario
    whole = formulation.plan(place, plan)
    now, then = plan_pence_pa(place, place.today), plan_pence_pa(place, whole)
    one_off = measure(problem, plan, Measure.ONE_OFF) if problem.site_one_off is not None else 0
    if plan not in anchor.journeys:  # most scenarios share a plan
        anchor.journeys[plan] = _journeys(problem, plan)
    mean, farthest = anchor.journeys[plan]
    objective = reply.value + formulation.constant if reply.value is not None else None
    money = scenario.money.objective.in_money
    states = states_of(anchor, plan)
    return {
        "objective": None if objective is None else objective / (100 if money else 1),
        "bound": None if reply.bound is None else (reply.bound + formulation.constant) / (100 if money else 1),
        "running_cost_gbp_pa": then / 100,
        "baseline_gbp_pa": now / 100,
        "saving_gbp_pa": (now - then) / 100,
        "net_one_off_gbp": one_off / 100,
        "sites_after": sum(each in ("hub", "retained", "closed to services") for each in states.values()),
        "hubs_after": sum(each == "hub" for each in states.values()),
        "moves": int((whole.host != place.point_site).sum()),
        "mean_m": mean,
        "farthest_m": farthest,
    }


def _journeys(problem: Problem, plan: Solution) -> tuple[float | None, float | None]:
    """Mean and farthest distance over the near rows; None where some row is not served, or there are none.

    Rows list their sites nearest first, so the first that offers the service is the nearest.
    """
    near = problem.near
    if not len(near):
        return None, None
    served = offered(problem, plan)[np.repeat(near.service, np.diff(near.start)), near.site]
    at = np.flatnonzero(served)
    first = np.searchsorted(at, near.start[:-1])
    if not len(at) or (first >= len(at)).any() or (at[first] >= near.start[1:]).any():
        return None, None
    distance = near.distance[at[first]]
    people = near.weight.sum()
    return (float((near.weight * distance).sum() / people) if people else None), float(distance.max())


def states_of(anchor: Anchor, plan: Solution) -> dict[str, str]:
    """What each site inside the place is in a plan: hub, retained, closed to services, released, not in use."""
    if plan not in anchor.states:
        place = anchor.place
        words = state_words(place, anchor.scenario, anchor.formulation.plan(place, plan), after=True)
        anchor.states[plan] = {str(site): word for site, word in words[~place.outside].items()}
    return anchor.states[plan]


def moves_of(anchor: Anchor, plan: Solution) -> dict[str, str]:
    """The site of every access point that moves."""
    place = anchor.place
    host = anchor.formulation.plan(place, plan).host
    away = np.flatnonzero(host != place.point_site)
    return {str(place.access_points.index[s]): str(place.sites.index[host[s]]) for s in away.tolist()}


MOST_NAMES = 3


def why_not(reply: Reply) -> str:
    """Why there is no plan, as far as one row alone can tell; ``estate explain`` looks for causes that take several.

    A point may have nowhere to go, or an area no building left within its limit; else the rules clash only together.
    """
    anchor, light = reply.anchor, reply.light
    if reply.reason or anchor is None or light is None:
        return reply.reason or "no plan can meet its rules"
    problem, place, rows = anchor.problem, anchor.place, anchor.problem.cover
    shut = problem.must_close | light.close
    points = len(anchor.formulation.points)
    room = np.bincount(problem.pair_point[~shut[problem.pair_site]], minlength=problem.n_points)[:points]
    stuck = place.access_points.index[anchor.formulation.points[room == 0]]
    could = np.zeros((problem.n_services, problem.n_sites), dtype=bool)
    open_pair = ~shut[problem.pair_site]
    could[problem.point_service[problem.pair_point[open_pair]], problem.pair_site[open_pair]] = True
    could[problem.inherent[:, 0], problem.inherent[:, 1]] |= ~shut[problem.inherent[:, 1]]
    row = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    most = np.bincount(row[could[rows.service[row], rows.site]], minlength=len(rows)) + (rows.excuse >= 0)
    short = np.bincount(rows.service[most < rows.need], minlength=problem.n_services)
    said = []
    if len(stuck):
        more = f" and {len(stuck) - MOST_NAMES} more" if len(stuck) > MOST_NAMES else ""
        said.append(f"{', '.join(map(str, stuck[:MOST_NAMES]))}{more} would have nowhere to go")
    said += [
        f"{int(n):,} areas would have no building with {anchor.scenario.service_label(place.services[k])} within the limit"
        for k, n in enumerate(short[: len(place.services)])
        if n
    ]
    return "; ".join(said) or "no combination of buildings meets all its rules at once (limits, floor area and moves)"
