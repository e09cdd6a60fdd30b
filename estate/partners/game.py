"""The game: who the players are, what each consents to, and the problem of any group of them.

**Players** are the agencies that run access points and take part.  A body that is only a landlord is no player: a tenant needs
nobody's leave to go at the end or break of a lease, and a landlord's rent is not public money saved twice.

**What a group may do.**  The counters of its members may move; all others stay where they are.  To bring somebody new into a
building needs the consent of its owner; where the owner is no player, of every player that has a counter there today.  Only its
owner closes a building that a player owns; with a property vehicle, the owner is who brings the building in.  A building of
somebody who is no player closes when its tenants have all gone, unless it is his freehold, or nobody among the players uses it:
then it stays open, and its rent, void costs and receipts are outside.

**Worth.**  ``v(S)`` is the public money that the best plan of the group ``S`` saves a year, by the objective in use (running cost
or annual equivalent).  Where today is a plan and no lock binds those who stay out, it is never below nothing and never falls when
somebody joins.  It need not be superadditive: two groups may want the same room, or each rely on the other's counters for cover.

**One programme for all groups** (:func:`programme`).  A site without floor stands for each player, open when it is in the group::

    host_s,home + q_a(s) >= 1          a counter moves only if its agency is in
    host_sj <= q_c                     for everybody else whose consent it needs to come to j
    open_j + q_owner(j) >= 1           a building closes only if its owner is in
    1 <= sum_a q_a <= n - 1            the empty and the whole group would hide what is below nothing

so that one optimum of ``saving - sum_a x_a q_a`` is the largest excess of any group over a split ``x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estate.errors import InputError, Issue, Where
from estate.formulate import Formulated, formulate
from estate.formulate.eligible import taking_part
from estate.place import Place
from estate.problem import Bools, Floats, Ints, Problem, SideRows, Solution, cost, violations
from estate.scenario import Scenario
from estate.solve.reduce.narrow import without_pairs
from estate.standards.measured import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Game:
    """A problem and who must be in for each of its decisions.

    Shapes: ``n`` players, in the order of their ids; ``P`` host pairs, ``S`` points and ``J`` sites of ``problem``.
    """

    players: tuple[str, ...]
    """Ids of the agencies, sorted."""
    problem: Problem
    """That of all of them together; its ``today`` is a plan."""
    runs: Ints
    """(S,) the player that runs each point, or -1."""
    needs: Bools
    """(P, n) whose consent the pair needs: nobody's where the point is at home."""
    owner: Ints
    """(J,) the player without whom the site may not close, or -1."""

    @property
    def n(self) -> int:
        """How many players."""
        return len(self.players)

    @property
    def today(self) -> Solution:
        """Today's estate: what a group of nobody does."""
        if self.problem.today is None:
            raise ValueError("a game starts from today's estate")
        return self.problem.today

    def saving(self, plan: Solution) -> int:
        """Pence a year that a plan saves against today, by the objective in use."""
        return cost(self.problem, self.today) - cost(self.problem, plan)

    def needed(self, plan: Solution) -> Bools:
        """(n,) the players without whom a plan cannot be: whose counters move, who consent, and whose buildings close."""
        chosen = plan.host[self.problem.pair_point] == self.problem.pair_site
        members: Bools = self.needs[chosen].any(axis=0)
        closed = self.owner[self.today.open & ~plan.open]
        members[closed[closed >= 0]] = True
        return members


def game_of(measured: Measured) -> tuple[Game, Formulated]:
    """The game of a place under a scenario, and the formulation it rests on.

    Raises
    ------
    InputError
        When the objective is not money, today's estate is not a plan, or fewer than two agencies could share.
    """
    place, scenario = measured.place, measured.scenario
    formulation = formulate(measured)
    problem = formulation.problem
    players = _players(place, scenario)
    _refuse_what_is_no_game(scenario, problem, len(players))
    number = np.full(len(place.agencies) + 1, -1, dtype=np.int64)  # the last is nobody's
    number[players] = np.arange(len(players))
    of_point, of_site = (
        number[place.agencies.index.get_indexer(pd.Index(of))] for of in (place.access_points["agency"], place.keeper)
    )
    # Points and sites that stand for priced displacement are nobody's.
    runs = _padded(of_point[formulation.points], problem.n_points)
    title = _padded(of_site, problem.n_sites)
    let = _padded(np.isin(place.sites["tenure"].to_numpy(dtype=object), LET).astype(np.int64), problem.n_sites) == 1
    return game_on(problem, tuple(place.agencies.index.astype(str)[players]), runs, title, let), formulation


def game_on(problem: Problem, players: tuple[str, ...], runs: Ints, owner: Ints, let: Bools) -> Game:
    """The game of a problem whose ``today`` is a plan.

    Parameters
    ----------
    players
        Their ids, sorted.
    runs, owner
        (S,) and (J,) the player that runs each point and that owns each site, or -1.
    let
        (J,) whether a site costs nobody anything once its tenants have gone.
    """
    if problem.today is None:
        raise ValueError("a game starts from today's estate")
    tenant = np.zeros((problem.n_sites, len(players)), dtype=bool)
    here = (runs >= 0) & (problem.point_home >= 0)
    tenant[problem.point_home[here], runs[here]] = True
    stays = (owner < 0) & ~(let & tenant.any(axis=1)) & problem.today.open & ~problem.must_close
    problem = replace(problem, must_open=problem.must_open | stays)
    return Game(players, problem, runs, _needs(problem, runs, owner, tenant), owner)


LET = ("leasehold", "private")
"""Tenures under which a building that its tenants leave costs the public no more."""


def _players(place: Place, scenario: Scenario) -> Ints:
    """Positions of the agencies that take part and run a counter inside the place."""
    runs = place.agencies.index.isin(place.access_points["agency"][~place.outside[place.point_site]])
    return np.flatnonzero(taking_part(place, scenario) & runs).astype(np.int64)


def players_of(place: Place, scenario: Scenario) -> tuple[str, ...]:
    """Ids of the players, sorted."""
    return tuple(place.agencies.index.astype(str)[_players(place, scenario)])


def _padded(values: Ints, n: int) -> Ints:
    """The values, and -1 for what is beyond them."""
    return np.concatenate([values, np.full(n - len(values), -1)]).astype(np.int64)


def _needs(problem: Problem, runs: Ints, title: Ints, tenant: Bools) -> Bools:
    """(P, n) for a pair away from home: the point's own agency; the owner, or where he is no player all in occupation."""
    point, site = problem.pair_point, problem.pair_site
    asked = tenant.copy()
    asked[title >= 0] = False
    asked[title >= 0, title[title >= 0]] = True
    needs = asked[site]
    mine = runs[point]
    needs[mine >= 0, mine[mine >= 0]] = True
    needs[(problem.point_home[point] == site) | (mine < 0)] = False
    return needs


def _refuse_what_is_no_game(scenario: Scenario, problem: Problem, n: int) -> None:
    found = []
    if not scenario.money.objective.in_money:
        words = f"objective '{scenario.money.objective}' is not money, and what a group is worth is public money saved"
        found.append(("objective", words, "set money.objective to running-cost or annual-equivalent"))
    if problem.today is None or violations(problem, problem.today):
        words = "today's estate does not meet this scenario's rules, so nobody could stay as they are"
        found.append(("today", words, "take out what rules today out: rules.close, rules.fixed, strict standards, counts"))
    if n < 2:
        words = f"{n} of the agencies that take part run an access point: there is nobody to share with"
        found.append(("alone", words, "let more agencies take part (takes_part, rules.out)"))
    where = Where(scenario.file.name, column="partners")
    if found:
        raise InputError(issues=[Issue(f"partners.{code}", words, remedy, where) for code, words, remedy in found])


# ------------------------------------------------------------------------------------------------------ problems


def restricted(game: Game, members: Bools) -> Problem:
    """The problem in which only ``members`` (n,) take part: others' counters stay, and their buildings open and to themselves."""
    p = game.problem
    held = (game.owner >= 0) & ~np.append(members, True)[game.owner] & game.today.open
    return without_pairs(replace(p, must_open=p.must_open | held), game.needs[:, ~members].any(axis=1))


@dataclass(frozen=True, slots=True)
class Restriction:
    """A group's problem as settings of a scenario, by id: what :func:`restricted` does to arrays."""

    out: tuple[str, ...]
    """The players who do not take part."""
    keep: tuple[str, ...]
    """Buildings of nobody who plays that stay open whoever is in."""
    receives_nobody: tuple[str, ...]
    """Buildings of nobody who plays to which somebody who is out would have to let newcomers."""


def restriction(game: Game, formulation: Formulated, place: Place, group: Bools) -> Restriction:
    """The settings under which the main job finds what a group (n,) saves by itself."""
    sites = place.sites.index.astype(str)
    stays = game.problem.must_open & ~formulation.problem.must_open
    inside = game.runs[game.problem.pair_point]
    shut = game.needs[:, ~group].any(axis=1) & np.append(group, False)[inside] & (game.owner[game.problem.pair_site] < 0)
    return Restriction(
        tuple(player for player, there in zip(game.players, group, strict=True) if not there),
        tuple(sites[np.flatnonzero(stays[: len(sites)])]),
        tuple(sites[np.unique(game.problem.pair_site[shut])]),
    )


def programme(game: Game, split: Ints, *, among: Bools | None = None, outside: Ints | None = None) -> Problem:
    """The problem whose least cost, less today's, is minus the largest excess over a split.

    The players are the ``n`` sites after the game's own ``J``, in whose places a plan of the game is.

    Parameters
    ----------
    split
        (n,) pence a year that each player is given; may be below nothing.
    among
        (n,) the players that may be in; None: all.
    outside
        (k, n) whole numbers: only groups whose product with one of these rows at least is not 0.  Two more sites for each row
        stand for a product above and below that.
    """
    p, n = game.problem, game.n
    signed = np.zeros((0, n), dtype=np.int64) if outside is None else np.vstack([outside, -outside])
    more = n + len(signed)
    none, no = np.zeros(more, dtype=np.int64), np.zeros(more, dtype=bool)
    price = np.concatenate([split, np.zeros(len(signed), dtype=np.int64)])
    barred = no.copy()
    if among is not None:
        barred[:n] = ~among
    return replace(
        p,
        site_cost=np.concatenate([p.site_cost, price]),
        site_capacity=np.concatenate([p.site_capacity, none]),
        site_slack=np.concatenate([p.site_slack, none]),
        must_open=np.concatenate([p.must_open, no]),
        must_close=np.concatenate([p.must_close, barred]),
        site_one_off=None,
        site_opening=None,
        pair_one_off=None,
        site_running=None,
        pair_running=None,
        pair_apart=None,
        side=_consents(game, signed if outside is not None else None),
        today=None,  # a group of nobody is left out
    )


def members(game: Game, plan: Solution) -> Bools:
    """(n,) who is in the group of a plan of :func:`programme`."""
    return plan.open[game.problem.n_sites :][: game.n]


def _consents(game: Game, outside: Ints | None) -> SideRows:
    """The rows of the module's docstring, after those that the problem has.

    ``outside`` (2k, n): a group's product with one of these rows is 1 at least; the site of such a row is open only then.
    """
    p, n, J = game.problem, game.n, game.problem.n_sites
    signed = np.zeros((0, n), dtype=np.int64) if outside is None else outside
    more = n + len(signed)
    mine = game.runs[p.pair_point]
    stay = np.flatnonzero((p.pair_site == p.point_home[p.pair_point]) & (mine >= 0))
    pair, who = np.nonzero(game.needs & (np.arange(n)[None, :] != mine[:, None]))
    held = np.flatnonzero((game.owner >= 0) & game.today.open & ~p.must_open)
    first = J + more  # of the pairs
    who_is_in = (J + np.arange(n))[None, :]
    own = J + n + np.arange(len(signed))  # the sites of the rows of ``outside``
    large = 1.0 - np.minimum(signed, 0).sum(axis=1)  # a product is never less than 1 less this
    asked = np.column_stack([np.repeat(who_is_in, len(signed), axis=0), own])
    families = [
        ("moves only if its agency is in", np.column_stack([first + stay, J + mine[stay]]), _all(stay, 1, 1), (1.0, np.inf)),
        ("comes only where the owner is in", np.column_stack([first + pair, J + who]), _all(pair, 1, -1), (-np.inf, 0.0)),
        ("closes only if the owner is in", np.column_stack([held, J + game.owner[held]]), _all(held, 1, 1), (1.0, np.inf)),
        (WHOLE, who_is_in, np.ones((1, n)), (1.0, n - 1.0)),
        (OUTSIDE, asked, np.column_stack([signed, -large]), (1.0 - large, np.inf)),
    ]
    if outside is not None:
        families.append((OUTSIDE, own[None, :], np.ones((1, len(own))), (1.0, np.inf)))
    parts = [replace(p.side, column=np.where(p.side.column < J, p.side.column, p.side.column + more))]
    for name, column, value, (lower, upper) in families:
        rows, wide = column.shape
        start = np.arange(rows + 1, dtype=np.int64) * wide
        low, high = (np.broadcast_to(np.asarray(side, dtype=np.float64), rows).copy() for side in (lower, upper))
        parts.append(SideRows((name,) * rows, low, high, start, column.ravel().astype(np.int64), value.ravel()))
    return _joined(parts)


WHOLE = "a group, and not the whole"
"""The name of the rows on who is in."""
OUTSIDE = "a group outside the span of others"


def _all(rows: Ints, *value: float) -> Floats:
    """(rows, len(value)) the same values in every row."""
    return np.tile(np.array(value, dtype=np.float64), (len(rows), 1))


def _joined(parts: Sequence[SideRows]) -> SideRows:
    """Rows one after the other."""
    begin = np.cumsum([0, *(int(part.start[-1]) for part in parts)])
    starts = [part.start[:-1] + first for part, first in zip(parts, begin[:-1], strict=True)]
    return SideRows(
        tuple(name for part in parts for name in part.name),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
        np.append(np.concatenate(starts), begin[-1]).astype(np.int64),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.value for part in parts]),
    )
