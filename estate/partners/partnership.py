"""A plan put to its partners: the game, what every group is worth, and every way to share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from estate.appraise.books import BASES, agencies_table
from estate.appraise.cashflow import flows
from estate.appraise.ledger import ledger
from estate.errors import InputError, Issue, Where
from estate.formulate import Formulated
from estate.load.vest import holds_titles, members
from estate.money.vehicle import to_members
from estate.partners.best import Worth, worth
from estate.partners.coalitions import MOST_LISTED, Asked, Census, Coalitions, census
from estate.partners.core import LeastCore
from estate.partners.game import Game, game_of
from estate.partners.shapley import exactly, sampled
from estate.partners.shares import Way, ways
from estate.place import Plan
from estate.problem import Bools, Floats, Solution, violations
from estate.scenario import Scenario
from estate.solve.watch import NEVER, Clock
from estate.standards.measured import Measured
from estate.wording import suggestion

type Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Partnership:
    """All that was found of a plan and its partners.  Arrays follow ``game.players``; money is whole pence a year."""

    measured: Measured
    game: Game
    formulation: Formulated
    whole: Worth
    """What all save together, and their plan: the run's own where it is the best that the partners can do by themselves."""
    own_plan: bool
    """Whether that is the run's plan."""
    coalitions: Coalitions
    found: Census | None
    """Every group's worth, where they are few enough."""
    alone: tuple[Worth, ...]
    without: tuple[Worth, ...]
    """What all the others save together, for each player that leaves."""
    ways: tuple[Way, ...]
    core: LeastCore
    subsidy: int
    asked: tuple[Bools, ...] = ()
    """The groups of ``partners.groups``."""
    known: dict[bytes, Worth] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> list[str]:
        """What people call the players."""
        return [str(name) for name in self.measured.place.agencies.loc[list(self.game.players), "name"]]

    def worth(self, group: Bools) -> Worth:
        """What a group saves, with the plan that shows it."""
        key = group.tobytes()
        if key not in self.known:
            self.known[key] = self._listed(group) or self._follows(group) or worth(self.game, group)
        return self.known[key]

    def _follows(self, group: Bools) -> Worth | None:
        """What a group saves, where plans known say it: one that needs none but its members, and as much as a larger group."""
        if not self.known:
            return None
        of, known = np.array([np.frombuffer(key, dtype=bool) for key in self.known]), list(self.known.values())
        serves = ~np.array([(each.needed & ~group).any() for each in known])
        larger = (of | ~group).all(axis=1)
        if not serves.any() or not larger.any():
            return None
        best = max((each for each, there in zip(known, serves, strict=True) if there), key=lambda each: each.low)
        most = min(each.high for each, there in zip(known, larger, strict=True) if there)
        return Worth(best.plan, best.low, best.low, best.needed) if best.low >= most else None

    def _listed(self, group: Bools) -> Worth | None:
        if self.found is None:
            return None
        m = int((group.astype(np.int64) << np.arange(self.game.n)).sum())
        at = int(self.found.best[m])
        if self.whole.low == self.found.listed.low[m] and not (self.whole.needed & ~group).any():
            return Worth(self.whole.plan, self.whole.low, int(self.found.listed.high[m]), self.whole.needed)
        plan = self.game.today if at < 0 else self.found.plans[at].plan
        return Worth(plan, int(self.found.listed.low[m]), int(self.found.listed.high[m]), self.game.needed(plan))


def partnership(
    measured: Measured,
    plan: Plan,
    *,
    clock: Clock = NEVER,
    orders: int = 20,
    say: Say = lambda _: None,
) -> Partnership:
    """What the partners of a plan would say to it.

    Parameters
    ----------
    plan
        The run's plan.
    orders
        Orders of joining that are drawn for Shapley's value where there are too many players to list all groups.

    Raises
    ------
    InputError
        Where there is no game to be played (:func:`~estate.partners.game.game_of`), or a group is asked for of others.
    """
    game, formulation = game_of(measured)
    asked = asked_groups(measured.scenario, game)
    everybody = np.ones(game.n, dtype=bool)
    say(f"what {game.n} partners save together, and each alone")
    whole = worth(game, everybody, clock=clock)
    own = as_solution(game, formulation, plan)
    is_own = not violations(game.problem, own) and game.saving(own) >= whole.low
    if is_own:
        whole = Worth(own, game.saving(own), max(whole.high, game.saving(own)), game.needed(own))
    found: Census | None = None
    coalitions: Coalitions
    if game.n <= MOST_LISTED:
        say(f"what each of {2**game.n - 1:,} groups would save by itself")
        found = census(game, clock=clock)
        coalitions = found.listed
    else:
        coalitions = Asked(game, whole, clock)
    together = Partnership(
        measured, game, formulation, whole, is_own, coalitions, found, (), (), (), LeastCore(np.zeros(0), 0, 0), 0
    )
    together.known[everybody.tobytes()] = whole
    alone = tuple(together.worth(np.eye(game.n, dtype=bool)[i]) for i in range(game.n))
    without = tuple(together.worth(~np.eye(game.n, dtype=bool)[i]) for i in range(game.n))
    say("ways to share it, and who would leave each")
    falls = gains(measured, formulation.plan(measured.place, whole.plan)).loc[list(game.players)].to_numpy()
    if found is not None:
        shapley = exactly(found.listed)
    else:
        shapley = sampled(game.n, lambda group: together.worth(group).low if group.any() else 0, orders)
    area, visits = _weights(measured, game)
    met = [(np.frombuffer(key, dtype=bool), each.low) for key, each in together.known.items()]
    part = [(group, low) for group, low in met if not group.all()]
    shared, core, subsidy = ways(coalitions, falls, area, visits, shapley, met=part)
    return Partnership(
        measured,
        game,
        formulation,
        whole,
        is_own,
        coalitions,
        found,
        alone,
        without,
        shared,
        core,
        subsidy,
        asked,
        together.known,
    )


def as_solution(game: Game, formulation: Formulated, plan: Plan) -> Solution:
    """A plan of the place as one of the game's problem; sites that stand for priced displacement are taken as today."""
    today = game.today
    is_open, host = today.open.copy(), today.host.copy()
    is_open[: len(plan.open)] = plan.open
    host[: len(formulation.points)] = plan.host[formulation.points]
    return Solution(is_open, host)


def _weights(measured: Measured, game: Game) -> tuple[Floats, Floats | None]:
    """(n,) floor area of each player's counters today, and visits a year where they are known of all of them."""
    points = measured.place.access_points
    points = points[~measured.place.outside[measured.place.point_site]]
    mine = points[points["agency"].isin(game.players)]
    total = mine.groupby("agency")[["area_m2", "visits_pa"]].sum().reindex(list(game.players))
    visits = None if mine["visits_pa"].isna().any() else total["visits_pa"].to_numpy(dtype=np.float64)
    return total["area_m2"].to_numpy(dtype=np.float64), visits


def gains(measured: Measured, plan: Plan, by: str | None = None) -> pd.Series:
    """By agency id, the pence a year by which a plan lowers its own bill, by the objective in use unless told.

    What a property vehicle is left with falls to its members by their shares; its overhead is not in it.
    """
    place, scenario = measured.place, measured.scenario
    book = ledger(place, scenario, plan)
    table = agencies_table(place, book, flows(scenario, book))
    column = BASES[(by or str(scenario.money.objective)).replace("-", " ")]
    found = pd.Series(np.rint(table[column].to_numpy() * 100).astype(np.int64), index=table["agency"].astype(str))
    if holder := holds_titles(scenario):
        falls = to_members(place, scenario, np.array([found[holder]], dtype=np.int64))[:, 0]
        found[list(members(place, scenario))] += falls
        found[holder] = 0
    return found


def asked_groups(scenario: Scenario, game: Game) -> tuple[Bools, ...]:
    """The groups of ``partners.groups`` as rows of bools (n,).

    Raises
    ------
    InputError
        For an agency that is no partner: it runs no counter here, or does not take part.
    """
    found = []
    for group in scenario.partners.groups:
        for each in sorted(set(group) - set(game.players)):
            words = f"'{each}' is no partner: it runs no counter in the place, or does not take part"
            found.append(
                Issue(
                    "partners.group", words, suggestion(each, game.players),
                    Where(scenario.file.name, column="partners.groups", value="+".join(group)),
                )
            )  # fmt: skip
    if found:
        raise InputError(issues=found)
    return tuple(np.isin(game.players, group) for group in scenario.partners.groups)
